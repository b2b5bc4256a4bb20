"""What the tests of rules share: two energies, a descent in PyTorch, a file to solve with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import groundstate as gs
from groundstate_export import (
    Descent,
    Normal,
    Rule,
    export,
)


def bowl(y: Tensor, x: Tensor) -> Tensor:
    return (y - x).square().sum(-1)


def waves(y: Tensor) -> Tensor:
    return (0.1 * y.square() + torch.sin(5 * y)).sum(-1)


def save(energy: Callable[..., Any], rule: Rule, path: Path, **options: Any) -> gs.Solver:
    settings: dict[str, Any] = {"inputs": {}, "state": torch.randn(3, 4), "unroll": 5, "batches": (1, 3), "seeds": (0,)}
    settings |= {"initial": Normal(), "decode": lambda state, **inputs: {"at": state}}
    export(energy, rule=rule, path=path, **settings | options)
    return gs.load(path)


def run(descent: Descent, start: Tensor, steps: int) -> tuple[dict[str, Tensor], list[Tensor]]:
    state, trace = descent.start(start), []
    for _ in range(steps):
        state, probe = descent.step(state)
        trace.append(probe.energy)
    return state, trace
