"""An energy that cannot be exported is refused with its cause, and leaves no file."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from groundstate_export import (
    BadEnergy,
    ExportError,
    GradientDescent,
    UnsupportedOperator,
)
from tests.export.attempts import attempt, bowl


class Dropped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        kept: Tensor = self.drop(state * x)
        return kept.square().sum(-1)


class Normed(nn.Module):
    def __init__(self, *, tracked: bool = True) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(3, track_running_stats=tracked)

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        normed: Tensor = self.norm(state * x)
        return normed.square().sum(-1)


class Kept(nn.Module):
    """Whatever a module may keep from one call to the next."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.calls = 0
        self.weight = nn.Parameter(torch.ones(3))
        self.register_buffer("mean", torch.zeros(3))
        self.last: Tensor | None = None

    def forward(self, state: Tensor, x: Tensor) -> Tensor:
        shift = torch.zeros(3)
        if self.kind == "a buffer":
            self.mean.mul_(0.9).add_(state.detach().mean(0))
        elif self.kind == "a replaced buffer":
            self.mean = 0.9 * self.mean + 1
        elif self.kind == "a parameter":
            self.weight.data.mul_(1.01)
        elif self.kind == "a count":
            self.calls += 1
            shift = shift + 0.1 * self.calls
        elif self.kind == "the first state" and self.last is None:
            self.last = state.detach().mean(0)
        elif self.kind == "the last state":
            shift, self.last = (shift if self.last is None else self.last), state.detach()[0].clone()
        if self.kind == "the first state" and self.last is not None:
            shift = self.last
        return (state * self.weight - x - shift).square().sum(-1)


def _in_numpy(state: Tensor, x: Tensor) -> Tensor:
    largest = state.detach().numpy().max()
    return bowl(state, x) if largest > 1e9 else 2 * bowl(state, x)


def _in_lists(state: Tensor, x: Tensor) -> Tensor:
    return bowl(state, x) * (2.0 if state.detach().tolist()[0][0] > 1e9 else 1.0)


def _of_chosen_rows(state: Tensor, x: Tensor) -> Tensor:
    return torch.stack([bowl(row[None], x[i : i + 1])[0] for i, row in enumerate(state)])


def _raising(state: Tensor, x: Tensor) -> Tensor:
    return (state @ x).sum(-1)


ENERGIES: dict[str, tuple[Callable[..., Any], type[ExportError], str]] = {
    "a scalar": (
        lambda state, x: bowl(state, x).sum(), BadEnergy, r"must be \(4,\).*Sum over every dimension but the first"
    ),
    "one number a dimension": (lambda state, x: state * x, BadEnergy, r"'energy' is \(4, 3\) at batch 4"),
    "a column": (lambda state, x: bowl(state, x)[:, None], BadEnergy, r"'energy' is \(4, 1\)"),
    "a term that is wrong": (lambda state, x: {"a": bowl(state, x), "b": state}, BadEnergy, "term 'b'"),
    "a term that is not a tensor": (lambda state, x: {"a": bowl(state, x), "b": 1.0}, BadEnergy, "term 'b' is float"),
    "a term without a name": (lambda state, x: {0: bowl(state, x)}, BadEnergy, "term 0 has no name"),
    "no terms": (lambda state, x: {}, BadEnergy, "no terms"),
    "nothing": (lambda state, x: None, BadEnergy, "returned NoneType"),
    "a number": (lambda state, x: float(bowl(state, x).sum()), BadEnergy, "returned float"),
    "a pair": (lambda state, x: (bowl(state, x), state), BadEnergy, "returned tuple"),
    "float64": (lambda state, x: bowl(state, x).double(), BadEnergy, r"float64.*\.float\(\)"),
    "NaN": (lambda state, x: (state - 1e9).sqrt().sum(-1), BadEnergy, "not finite at the example, in row 0"),
    "infinity": (lambda state, x: (1e30 * (1 + state.square())).square().sum(-1), BadEnergy, "not finite at the example"),
    "NaN gradient": (
        lambda state, x: (0 * state).sqrt().sum(-1), BadEnergy, "gradient for the state 'y' is not finite"
    ),
    "a float64 weight": (lambda state, x: bowl(state, x.double()), BadEnergy, "Call `.float\\(\\)` on the energy.s tensors"),
    "no state": (lambda state, x: x.square().sum(-1), BadEnergy, "does not depend on the state 'y'"),
    "detached": (lambda state, x: bowl(state.detach(), x), BadEnergy, "does not depend on the state 'y'"),
    "an argmax": (lambda state, x: x.gather(1, state.argmax(1, keepdim=True))[:, 0], BadEnergy, "does not depend on the state"),
    "without gradients": (torch.no_grad()(bowl), BadEnergy, "torch.no_grad"),
    "mean over the batch": (lambda state, x: bowl(state - state.mean(0), x), BadEnergy, "rows of a batch influence"),
    "a little of the batch's mean": (
        lambda state, x: bowl(state, x) + 1e-4 * state.mean(), BadEnergy, "rows of a batch influence each other"
    ),
    "a neighbour": (
        lambda state, x: bowl(state, x) + 1e-3 * (state * state.roll(1, 0)).sum(-1), BadEnergy, "influence each other"
    ),
    "random": (lambda state, x: bowl(state, x) + torch.rand(()), BadEnergy, "draws random numbers"),
    "random from numpy": (
        lambda state, x: bowl(state, x) * float(np.random.rand()), BadEnergy, "or draws from elsewhere"  # noqa: NPY002
    ),
    "random from Python": (lambda state, x: bowl(state, x) * random.random(), BadEnergy, "or draws from elsewhere"),
    "dropout": (Dropped(), BadEnergy, r"draws random numbers.*\.eval\(\)"),
    "batch norm": (Normed(), BadEnergy, r"changes its own 'norm.running_mean'.*\.eval\(\)"),
    "batch norm that keeps nothing": (Normed(tracked=False), BadEnergy, r"influence each other.*\.eval\(\)"),
    "a buffer that moves": (Kept("a buffer"), BadEnergy, "changes its own 'mean'"),
    "a buffer that is replaced": (Kept("a replaced buffer"), BadEnergy, "changes its own 'mean'"),
    "a parameter that moves": (Kept("a parameter"), BadEnergy, "changes its own 'weight'"),
    "a count of calls": (Kept("a count"), BadEnergy, "differ .*although it draws no random numbers.*from one call"),
    "the first state": (Kept("the first state"), BadEnergy, "an earlier call computed"),
    "the last state": (Kept("the last state"), BadEnergy, "from one call to the next"),
    "an input that is written to": (lambda state, x: bowl(state, x.mul_(2)), BadEnergy, "writes to its argument 'x'"),
    "a state that is written to": (
        lambda state, x: bowl(state.data.mul_(2) + state, x), BadEnergy, "writes to its argument 'state'"
    ),
    "singular values": (
        lambda state, x: torch.linalg.svdvals(state.unsqueeze(-1) * x.unsqueeze(-2) + torch.eye(3)).sum(-1),
        UnsupportedOperator, r"aten\._linalg_svd",
    ),
    "a branch on values": (
        lambda state, x: bowl(state, x) if x.sum() > 1e9 else 2 * bowl(state, x), BadEnergy, "torch.where"
    ),
    "a branch on an item": (lambda state, x: bowl(state, x) * max(0.0, x[0, 0].item()), BadEnergy, "torch.where|influence"),
    "a branch in numpy": (_in_numpy, BadEnergy, "depends on the values"),
    "a branch on a list": (_in_lists, BadEnergy, "depend on the values"),
    "a boolean index": (
        lambda state, x: bowl(state, x) + 0 * state[state > 0].sum(), UnsupportedOperator, "depends on its values"
    ),
    "a loop over the batch": (_of_chosen_rows, BadEnergy, "another path at batch 3.*torch.vmap"),
    "a fixed batch": (lambda state, x: bowl(state.reshape(4, 3), x), BadEnergy, r"raised RuntimeError at batch 5 \(test_"),
    "the batch size itself": (
        lambda state, x: bowl(state, x) * (1 + 0 * torch.ones(len(x) + 1).sum()), BadEnergy, "batch"
    ),
    "a mistake": (_raising, BadEnergy, r"raised RuntimeError at the example \(test_refused_energies.py:\d+, in _raising"),
}  # fmt: skip


@pytest.mark.parametrize("name", ENERGIES)
def test_an_energy_that_cannot_be_exported_is_refused(folder: Path, name: str) -> None:
    energy, error, message = ENERGIES[name]
    with pytest.raises(error, match=message):
        attempt(energy, folder)


def test_a_descent_that_diverges_is_refused(folder: Path) -> None:
    with pytest.raises(BadEnergy, match="smaller step size"):
        attempt(lambda state, x: bowl(state, x).square().square(), folder, rule=GradientDescent(1e6), unroll=8)
