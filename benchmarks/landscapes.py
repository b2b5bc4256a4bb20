"""Energies for measuring speed: one of each common kind, with random weights."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from groundstate_export import GradientDescent, HeavyBall, Rule
from groundstate_models.sudoku import settings
from groundstate_models.sudoku.board import BOARDS
from groundstate_models.sudoku.energy import SudokuEnergy
from groundstate_models.sudoku.learned import Settings

Energy = Callable[..., Tensor | dict[str, Tensor]]


@dataclass(frozen=True)
class Landscape:
    """An energy with its rule and a function that makes examples."""

    energy: Energy
    rule: Rule
    inputs: Callable[[int], dict[str, Tensor]]
    state: Callable[[int], Tensor]


class Block(nn.Module):
    """One transformer block over 81 tokens; nine logits a token are the state."""

    def __init__(self, width: int = 64, heads: int = 4, classes: int = 9) -> None:
        super().__init__()
        self.heads = heads
        self.embed = nn.Linear(classes, width)
        self.given = nn.Linear(classes, width)
        self.place = nn.Parameter(0.1 * torch.randn(81, width))
        self.first, self.second = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.wide, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.read = nn.Linear(width, 1)

    def forward(self, state: Tensor, clues: Tensor) -> Tensor:
        hidden = self.embed(state.softmax(-1)) + self.given(clues) + self.place
        split = self.mix(self.first(hidden)).unflatten(-1, (3, self.heads, -1)).transpose(1, 3)
        mixed = functional.scaled_dot_product_attention(*split.unbind(2)).transpose(1, 2).flatten(2)
        hidden = hidden + self.out(mixed)
        hidden = hidden + self.narrow(functional.gelu(self.wide(self.second(hidden))))
        return self.read(hidden).sum((1, 2)) + 0.05 * state.square().sum((1, 2))


class Image(nn.Module):
    """Three convolutions over a 16×16 picture, partly known."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 32, 3, padding=1), nn.SiLU(),
            nn.Conv2d(32, 32, 3, stride=2, padding=1), nn.SiLU(),
            nn.Conv2d(32, 64, 3, stride=2, padding=1), nn.SiLU(),
        )  # fmt: skip
        self.read = nn.Linear(64, 1)

    def forward(self, state: Tensor, known: Tensor, mask: Tensor) -> Tensor:
        features = self.layers(state).mean((2, 3))
        fit = (mask * (state - known).square()).sum((1, 2, 3))
        return self.read(features).squeeze(-1) + fit + 0.05 * state.square().sum((1, 2, 3))


class Mlp(nn.Module):
    """32 → 128 → 128 → 1."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(32, 128), nn.SiLU(), nn.Linear(128, 128), nn.SiLU(), nn.Linear(128, 1))

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        height: Tensor = self.layers(torch.cat([state, x], -1))
        return height.squeeze(-1) + 0.05 * state.square().sum(-1)


class Factors(nn.Module):
    """Forty variables of sixteen values; ninety-six factors, each a small network over the two variables that the input names."""

    def __init__(self, values: int = 16, width: int = 32, kinds: int = 4) -> None:
        super().__init__()
        self.kind = nn.Embedding(kinds, width)
        self.left, self.right = nn.Linear(values, width, bias=False), nn.Linear(values, width, bias=False)
        self.deep, self.read = nn.Linear(width, width), nn.Linear(width, 1)

    def forward(self, state: Tensor, scope: Tensor, kind: Tensor) -> dict[str, Tensor]:
        chosen = state.softmax(-1)
        ends = [chosen.gather(1, scope[..., k : k + 1].expand(-1, -1, state.shape[-1])) for k in (0, 1)]
        hidden = functional.silu(self.left(ends[0]) + self.right(ends[1]) + self.kind(kind))
        broken = functional.softplus(self.read(functional.silu(self.deep(hidden)))).sum((1, 2))
        load = functional.relu(chosen.sum(1) - 3.0).square().sum(-1)
        return {"factors": broken, "load": load, "size": 0.01 * state.square().sum((1, 2))}


def _known(batch: int) -> dict[str, Tensor]:
    return {"known": torch.randn(batch, 3, 16, 16), "mask": (torch.rand(batch, 3, 16, 16) < 0.3).float()}


def _graph(batch: int) -> dict[str, Tensor]:
    return {"scope": torch.randint(0, 40, (batch, 96, 2)), "kind": torch.randint(0, 4, (batch, 96))}


LANDSCAPES: dict[str, Callable[[], Landscape]] = {
    "transformer": lambda: Landscape(
        Block(), GradientDescent(0.1), lambda b: {"clues": torch.randn(b, 81, 9)}, lambda b: torch.randn(b, 81, 9)
    ),
    "conv": lambda: Landscape(Image(), GradientDescent(0.1), _known, lambda b: torch.randn(b, 3, 16, 16)),
    "mlp": lambda: Landscape(
        Mlp(), GradientDescent(0.1), lambda b: {"x": torch.randn(b, 16)}, lambda b: torch.randn(b, 16)
    ),
    "sudoku": lambda: Landscape(
        SudokuEnergy(BOARDS[9], Settings.read(settings()).energy),
        HeavyBall(0.1, 0.8),
        lambda b: {"grid": torch.randint(0, 10, (b, 9, 9))},
        lambda b: 0.1 * torch.randn(b, 9, 81),
    ),
    "factors": lambda: Landscape(Factors(), GradientDescent(0.5), _graph, lambda b: torch.randn(b, 40, 16)),
}


def landscape(name: str) -> Landscape:
    """An energy by name, with reproducible weights."""
    torch.manual_seed(0)
    made = LANDSCAPES[name]()
    if isinstance(made.energy, nn.Module):
        made.energy.requires_grad_(requires_grad=False)
    return made
