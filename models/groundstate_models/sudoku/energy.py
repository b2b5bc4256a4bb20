"""The Sudoku energy: the expected violation of the rules, for undecided cells.

The state holds a logit for each candidate "this digit in this cell", the digits first: ``(batch, digit, cell)``. A softmax over
the digits makes them probabilities ``p``, so every cell has a total of one digit.
Every row, column and box should have a total of one of each digit. The energy is the sum of

* ``rules``: ``Σ ω (Σp − 1)²`` over the digits of all rows, columns and boxes;
* ``decision``: ``−T`` times the entropy of every cell, which delays its decision (mean-field annealing:
  C. Peterson and B. Söderberg, "A new method for mapping optimization problems onto neural networks", 1989);
* ``undecided``: ``ρ Σ (1 − Σp²)²``, which is small, but `Breakout` raises it for cells that stay undecided: a uniform
  distribution over many candidates satisfies every rule on average, and is not an answer;
* ``confinement``: ``½ λ Σ y²``, which keeps the logits finite.

``ω`` depends on whether the unit is a box, whether the digit is given in it, and otherwise on the number of places that the
givens leave for the digit there. ``T`` and ``ρ`` depend on the number of digits that they leave for the cell. In the cell of a
given, the other digits are practically excluded. In its row, column and box, the digit is only penalised, by a learned ``κ`` for
each given that excludes it; the rules do the rest. Of the other candidates, those with few alternatives get a bonus. The energy
does not depend on the identity of a row, column, box or digit, or on the size of the board. Therefore all symmetries of Sudoku
hold by construction, and the same numbers serve every size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from groundstate_models.sudoku.board import Board

UNTRAINED: dict[str, float] = {
    "log_box": -0.5,
    "log_given": 0.5,
    "log_given_in_box": 0.0,
    "weight_by_places": -0.5,
    "weight_by_places_in_box": 0.0,
    "held_back": 0.75,
    "held_back_again": 0.0,
    "lean": 0.0,
    "log_temperature": math.log(0.01),
    "temperature_by_digits": -0.5,
    "log_undecided": math.log(0.0005),
    "undecided_by_digits": 5.0,
    "log_confinement": math.log(0.01),
}
"""The energy before training: round numbers, close to the result of short searches and a first run of 40 generations."""

LEARNED = tuple(UNTRAINED)
"""Order of the numbers if every row has its own."""

EXCLUDED = 20.0
"""Penalty on the logits of the other digits in a given's cell: their probability is 0 in float32."""

SURE = 8.0
"""The logit of a chosen digit above the others', to score an answer."""

TYPICAL = 3.0
"""Largest counts with a weight or temperature of their own: places of a digit in a unit, and digits of a cell."""

MOST = 9.0
"""Digits of a cell beyond which the temperature stays constant: it is steep, and was learned up to here."""


class Shaped(NamedTuple):
    """The part of the energy that depends on the givens only.

    Attributes:
        bias: Added to the logits, ``(batch, n, n²)``.
        weight: ``√ω`` of each digit in each unit, ``(batch, n, 3n)``.
        temperature: ``T`` of each cell, ``(batch, n²)``.
        undecided: ``√ρ`` of each cell, ``(batch, n²)``.
    """

    bias: Tensor
    weight: Tensor
    temperature: Tensor
    undecided: Tensor


def incidence(board: Board) -> Tensor:
    """Membership of cells in units, ``(size², 3 · size)`` of 0 and 1: rows first, then columns, then boxes."""
    found = torch.zeros(board.size**2, len(board.units))
    for number, unit in enumerate(board.units):
        found[list(unit), number] = 1.0
    return found


def one_hot(grid: Tensor) -> Tensor:
    """``(batch, n, n²)`` float32, digits first; all 0 for an empty cell."""
    digits = torch.arange(1, grid.shape[-1] + 1, device=grid.device, dtype=grid.dtype)
    return (grid.flatten(1).unsqueeze(1) == digits.unsqueeze(1)).to(torch.float32)


class SudokuEnergy(nn.Module):
    """``energy(y, grid) -> named terms``, each ``(batch,)``; the state is ``(batch, n, n²)``, grids are ``(batch, n, n)``.

    Args:
        board: The board with its rows, columns and boxes.
        settings: The learned numbers, by their names in `UNTRAINED`, which has the defaults.
    """

    log_box: Tensor
    log_given: Tensor
    log_given_in_box: Tensor
    weight_by_places: Tensor
    weight_by_places_in_box: Tensor
    held_back: Tensor
    held_back_again: Tensor
    lean: Tensor
    log_temperature: Tensor
    temperature_by_digits: Tensor
    log_undecided: Tensor
    undecided_by_digits: Tensor
    log_confinement: Tensor
    units: Tensor
    is_box: Tensor

    def __init__(self, board: Board, settings: Mapping[str, float] | None = None) -> None:
        super().__init__()
        given = UNTRAINED | dict(settings or {})
        for name in UNTRAINED:
            self.register_parameter(name, nn.Parameter(torch.tensor(given[name], dtype=torch.float32)))
        self.register_buffer("units", incidence(board))
        self.register_buffer("is_box", (torch.arange(3 * board.size) >= 2 * board.size).to(torch.float32))

    def forward(self, y: Tensor, grid: Tensor, numbers: Tensor | None = None) -> dict[str, Tensor]:
        shaped = self.shaped(grid, numbers)
        z = y + shaped.bias
        p, whole = _probabilities(z)
        # Σ p log p with a detached logarithm: its own gradient would add Σ dp, which is 0.
        certainty = (p * z.detach()).sum(1) - whole.log().detach()
        return {
            "rules": self._broken(p, shaped).square().flatten(1).sum(1),
            "decision": (shaped.temperature * certainty).sum(1),
            "undecided": self._undecided(p, shaped).square().sum(1),
            "confinement": 0.5 * self._number("log_confinement", numbers, 1).exp() * y.square().flatten(1).sum(1),
        }

    def violations(self, y: Tensor, grid: Tensor, numbers: Tensor | None = None) -> Tensor:
        """``√ω (Σp − 1)`` of each digit in each unit, and ``√ρ (1 − Σp²)`` of each cell, ``(batch, 4n²)``."""
        shaped = self.shaped(grid, numbers)
        p, _ = _probabilities(y + shaped.bias)
        return torch.cat([self._broken(p, shaped).flatten(1), self._undecided(p, shaped)], dim=1)

    def _broken(self, p: Tensor, shaped: Shaped) -> Tensor:
        return shaped.weight * (p @ self.units - 1.0)

    def _undecided(self, p: Tensor, shaped: Shaped) -> Tensor:
        return shaped.undecided * (1.0 - (p * p).sum(1))

    def _number(self, name: str, numbers: Tensor | None, dimensions: int) -> Tensor:
        """A learned number, of the module or of every row, with trailing dimensions of 1 for broadcasting."""
        if numbers is None:
            own: Tensor = getattr(self, name)
            return own
        return numbers[:, LEARNED.index(name)].reshape(-1, *(1,) * (dimensions - 1))

    def shaped(self, grid: Tensor, numbers: Tensor | None = None) -> Shaped:
        """The part of the energy that depends on the givens only."""

        def number(name: str, dimensions: int = 3) -> Tensor:
            return self._number(name, numbers, dimensions)

        given = one_hot(grid).to(self.units.dtype)
        there = given @ self.units
        empty = 1.0 - given.amax(1, keepdim=True)
        times = empty * (there @ self.units.T)
        seen = times.clamp_max(1.0)
        left = empty - seen
        alternatives = ((left @ self.units).clamp_min(1.0) / TYPICAL).log()
        by_places = (number("weight_by_places") + number("weight_by_places_in_box") * self.is_box) * alternatives
        by_given = number("log_given") + number("log_given_in_box") * self.is_box
        weight = number("log_box") * self.is_box + there * by_given + (1.0 - there) * by_places
        digits = (left.sum(1).clamp_min(1.0) / TYPICAL).log()
        temperature = (number("log_temperature", 2) + number("temperature_by_digits", 2) * digits).exp()
        most = digits.clamp_max(math.log(MOST / TYPICAL))
        urgency = number("log_undecided", 2) + number("undecided_by_digits", 2) * most
        undecided = (0.5 * urgency).exp()
        held_back = number("held_back") * seen + number("held_back_again") * (times - seen)
        bias = -EXCLUDED * (1.0 - empty - given) - held_back - number("lean") * left * (alternatives @ self.units.T)
        return Shaped(bias, (0.5 * weight).exp(), temperature, undecided)

    def decode(self, y: Tensor, grid: Tensor, numbers: Tensor | None = None) -> dict[str, Tensor]:
        """The likeliest digit of every cell, ``{"grid": (batch, n, n) int64}``; givens are kept."""
        likeliest = (y + self.shaped(grid, numbers).bias).argmax(1).unflatten(1, grid.shape[1:]) + 1
        return {"grid": torch.where(grid > 0, grid, likeliest)}

    def encode_answer(self, answer: dict[str, Tensor], grid: Tensor) -> Tensor:
        """The state of an answer: all its digits are certain, even against the givens."""
        bias = self.shaped(grid).bias
        return one_hot(answer["grid"]).to(bias.dtype) * (SURE - bias)


def _probabilities(z: Tensor) -> tuple[Tensor, Tensor]:
    """Probabilities of the digits of every cell, and their normalisers, ``(batch, n²)``.

    Confinement keeps logits far below overflow of the exponential, so the usual subtraction of the maximum is not needed. It
    would take a good part of a step.
    """
    odds = z.exp()
    whole = odds.sum(1)
    return odds * (1.0 / whole).unsqueeze(1), whole


CHECKS = {
    "givens": "Every given digit stays where it is.",
    "rows": "Every row holds each digit once.",
    "columns": "Every column holds each digit once.",
    "boxes": "Every box holds each digit once.",
}


def checks(answer: dict[str, Tensor], grid: Tensor, numbers: Tensor | None = None) -> dict[str, Tensor]:
    """Violations of each rule by a full grid, ``(batch,)`` int64: givens changed, digits missing from rows, columns, boxes."""
    del numbers
    filled = answer["grid"]
    n = grid.shape[-1]
    there = one_hot(filled) @ incidence(Board.of(n)).to(filled.device)
    missing = (there == 0).to(torch.int64).unflatten(2, (3, n)).sum((1, 3))
    changed = ((grid > 0) & (filled != grid)).to(torch.int64).flatten(1).sum(1)
    return {"givens": changed, "rows": missing[:, 0], "columns": missing[:, 1], "boxes": missing[:, 2]}
