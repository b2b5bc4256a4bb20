"""A file of any size that tests of several packages share: colours for the nodes of a graph, at a price."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from groundstate_export import ExportReport, HeavyBall, Normal, export

AXES = {"edge": ("edges", None), "weight": ("edges",), "price": ("nodes", "colours"), "most": ()}
SIZES = ((5, 3, 11), (7, 2, 13), (4, 6, 9))
"""Nodes, colours and edges of the examples."""


def ends(values: Tensor, edge: Tensor) -> tuple[Tensor, Tensor]:
    """``values`` of both ends of each edge, ``(batch, edges, …)``, of values ``(batch, nodes, …)``."""
    first, second = (edge[..., end].reshape(*edge.shape[:2], *(1,) * (values.dim() - 2)) for end in (0, 1))
    wide = (*edge.shape[:2], *values.shape[2:])
    return values.gather(1, first.expand(wide)), values.gather(1, second.expand(wide))


def energy(y: Tensor, edge: Tensor, weight: Tensor, price: Tensor, most: Tensor) -> dict[str, Tensor]:
    """Low where ``softmax(y)`` gives the ends of every edge different colours, which cost ``most`` in all or less."""
    p = y.softmax(2)
    one, other = ends(p, edge)
    return {
        "edges": (weight * (one * other).sum(2)).sum(1),
        "price": 0.5 * F.relu((price * p).sum((1, 2)) - most).square(),
        "undecided": 0.3 * (p * (1 - p)).sum((1, 2)),
        "size": 0.01 * y.square().sum((1, 2)),
    }


def decode(y: Tensor, edge: Tensor, weight: Tensor, price: Tensor, most: Tensor) -> dict[str, Tensor]:
    return {"colour": y.argmax(2)}


def checks(answer: dict[str, Tensor], edge: Tensor, weight: Tensor, price: Tensor, most: Tensor) -> dict[str, Tensor]:
    one, other = ends(answer["colour"], edge)
    cost = price.gather(2, answer["colour"].unsqueeze(2)).sum((1, 2))
    return {"edges": (one == other).sum(1), "price": (cost > most + 0.5).to(torch.int64)}


def encode_answer(answer: dict[str, Tensor], edge: Tensor, weight: Tensor, price: Tensor, most: Tensor) -> Tensor:
    return 6 * torch.zeros_like(price).scatter(2, answer["colour"].unsqueeze(2), 1.0)


def example(nodes: int, colours: int, edges: int, batch: int = 6) -> tuple[dict[str, Tensor], Tensor]:
    """Inputs and state of this size, at random but always the same."""
    draw = torch.Generator().manual_seed(nodes)
    inputs = {
        "edge": torch.randint(0, nodes, (batch, edges, 2), generator=draw),
        "weight": 0.5 + torch.rand(batch, edges, generator=draw),
        "price": torch.randint(0, 4, (batch, nodes, colours), generator=draw).float(),
        "most": torch.full((batch,), float(nodes)),
    }
    return inputs, torch.randn(batch, nodes, colours, generator=draw)


def made(path: Path, **options: Any) -> ExportReport:
    """The file, at ``path``."""
    (inputs, state), *resized = (example(*sizes) for sizes in SIZES)
    settings: dict[str, Any] = {
        "inputs": inputs, "state": state, "axes": AXES, "resized": resized, "initial": Normal(0.0, 0.5), "unroll": 8,
        "rule": HeavyBall(0.4, 0.8, noise=0.2), "decode": decode, "checks": checks,
        "encode_answer": encode_answer, "record": True,
        "batches": (1, 3), "seeds": (0,),
    }  # fmt: skip
    return export(energy, path=path, **settings | options)
