"""What the tests of refusals share: an export of a small energy, and a folder that must stay empty."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from groundstate_export import GradientDescent, export


def attempt(energy: Callable[..., Any], folder: Path, **changes: Any) -> None:
    settings: dict[str, Any] = {
        "inputs": {"x": torch.randn(4, 3)},
        "state": torch.randn(4, 3),
        "rule": GradientDescent(0.1),
        "unroll": 2,
        "batches": (1, 5),
        "seeds": (0,),
        "path": folder / "bad.onnx",
    }
    export(energy, **settings | changes)


def bowl(state: Tensor, x: Tensor) -> Tensor:
    return (state - x).square().sum(-1)


class Weighted(nn.Module):
    def __init__(self, **options: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3, **options))

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        return (self.weight * state - x).square().sum(-1)
