from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from groundstate_export._ir.graph import Graph
from groundstate_export._optimise.products import Products
from groundstate_export._optimise.rewrite import Rewrite
from groundstate_export._optimise.rows import Rows


class RowsThenProducts(Rewrite):
    """`Products` finds rows that `Rows` gathers whole."""

    def run(self) -> Graph:
        graph = Rows(self.source, self.moving).run()
        for _ in range(2):
            graph = Products(graph, self.moving).run()
        return graph


def at(rows: Tensor, index: Tensor) -> Tensor:
    return rows.gather(1, index[..., None].expand(-1, -1, rows.shape[-1]))


def lengths(graph: Graph) -> list[int]:
    """The number of rows of each product with a constant matrix."""
    return sorted(n.outputs[0].shape[1] for n in graph.needed() if n.op == "MatMul")  # type: ignore[type-var]


def edges(count: int) -> Tensor:
    return torch.randint(0, 5, (3, count, 2))


def test_both_ends_of_an_edge_are_multiplied_before_they_are_gathered(passed: Any) -> None:
    layer = nn.Linear(13, 7).requires_grad_(requires_grad=False)

    def energy(y: Tensor, ends: Tensor) -> Tensor:
        far = (at(y, ends[..., 0]) - at(y, ends[..., 1])).square().sum(-1, keepdim=True)
        features = y.tanh()
        return layer(torch.cat([at(features, ends[..., 0]), at(features, ends[..., 1]), far], -1)).sin().sum((1, 2))

    found = passed(RowsThenProducts, energy, torch.randn(3, 5, 6), edges(20))
    # Edges are multiplied only for the distance and its gradient; the two ends and their gradients at the five nodes.
    assert lengths(found.graph) == [5, 5, 5, 5, 20, 20]


def test_messages_are_multiplied_after_they_are_added_up_each_with_its_bias(passed: Any) -> None:
    layer = nn.Linear(6, 6).requires_grad_(requires_grad=False)

    def energy(y: Tensor, ends: Tensor) -> Tensor:
        sent = layer(at(y.sin(), ends[..., 0]).tanh())
        arrived = torch.zeros_like(y).scatter_add(1, ends[..., 1:].expand_as(sent), sent)
        return arrived.square().sum((1, 2))

    assert lengths(passed(RowsThenProducts, energy, torch.randn(3, 5, 6), edges(20)).graph) == [5, 5]


def test_fewer_edges_than_nodes_are_multiplied_as_they_are(passed: Any) -> None:
    layer = nn.Linear(6, 7).requires_grad_(requires_grad=False)

    def energy(y: Tensor, ends: Tensor) -> Tensor:
        return layer(at(y, ends[..., 0])).sin().sum((1, 2))

    assert lengths(passed(RowsThenProducts, energy, torch.randn(3, 5, 6), edges(2)).graph) == [2, 2]


def test_rows_that_something_else_reads_too_are_multiplied_as_they_are(passed: Any) -> None:
    layer = nn.Linear(6, 7).requires_grad_(requires_grad=False)

    def energy(y: Tensor, ends: Tensor) -> Tensor:
        here = at(y.sin(), ends[..., 0])
        return layer(here).square().sum((1, 2)) + here.exp().sum((1, 2))

    assert 20 in lengths(passed(RowsThenProducts, energy, torch.randn(3, 5, 6), edges(20)).graph)


def test_only_the_columns_that_are_read_are_computed(passed: Any) -> None:
    layer = nn.Linear(12, 4, bias=False).requires_grad_(requires_grad=False)

    def energy(y: Tensor, x: Tensor) -> Tensor:
        return layer(torch.cat([y, x], -1)).sin().sum((1, 2))

    found = passed(RowsThenProducts, energy, torch.randn(3, 5, 3), torch.randn(3, 5, 9))
    assert found.before["Slice"] == 1
    assert found.after["Slice"] == 0
