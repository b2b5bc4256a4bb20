from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from groundstate_export._optimise.algebra import Algebra
from groundstate_export._optimise.cost import cost
from groundstate_export._optimise.optimise import optimise


def test_constant_factors_end_in_constant_matrices(passed: Any) -> None:
    layer = nn.Linear(6, 6, bias=False)
    found = passed(Algebra, lambda y: (0.25 * layer(y)).sin().sum((1, 2)), torch.randn(3, 5, 6))
    assert found.after["Mul"] < found.before["Mul"]


def test_small_tensors_are_added_first(passed: Any) -> None:
    def energy(y: Tensor, x: Tensor) -> Tensor:
        return (y.sin() + x + y.mean(1, keepdim=True) + x.mean(1, keepdim=True)).square().sum((1, 2))

    found = passed(Algebra, energy, torch.randn(3, 50, 6), torch.randn(3, 50, 6))
    full = [n for n in found.graph.needed() if n.op == "Add" and n.outputs[0].shape[1:] == (50, 6)]
    still = found.graph.depending_on(["state.y"])
    assert sum(n.outputs[0] in still for n in full) <= 3


def test_rewriting_never_makes_a_graph_dearer(passed: Any) -> None:
    found = passed(
        Algebra, lambda y, x: (y * x * 2.0 - x).square().sum((1, 2)), torch.randn(3, 5, 6), torch.randn(3, 5, 6)
    )
    assert cost(optimise(found.graph, ["state.y"]), {"state.y"}) <= cost(found.graph, {"state.y"})
