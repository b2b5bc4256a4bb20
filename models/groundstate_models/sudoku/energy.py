"""The Sudoku energy: a few thousand weights that every candidate, digit, row, column and box shares.

The state holds ``width`` numbers for each of the 729 candidates "this digit in this cell". Nothing in the energy knows which
row, column, box or digit it looks at, so every symmetry of Sudoku holds by construction, and one puzzle trains every
weight 729 times. A candidate's logit is its state projected on one learned vector.

With ``u = SiLU(z W1 + x Wx + b1)`` for a candidate, the energy is the sum of

* ``candidates``: ``u · field``, one term a candidate;
* ``cells``, ``rows``, ``columns``, ``boxes``: ``9 · SiLU(mean(u) W2 + b2) · w3`` over each group of nine candidates of which
  exactly one holds (a cell; a digit in a row, in a column, in a box);
* ``intersections``: ``3 · SiLU(mean(u) Ws + mean over its box Wb + mean over its line Wl + b5) · w5`` over the three
  candidates that a digit has where a line crosses a box;
* ``confinement``: ``½ Σ λ z²``, which keeps the state finite.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

FIXED, EXCLUDED, OPEN = range(3)
"""Columns of a candidate's indicator vector."""


def _one_hot(grid: Tensor) -> Tensor:
    """``(batch, 9, 9, 9)`` bool; all false where a cell holds no digit."""
    return grid.unsqueeze(-1) == torch.arange(1, 10, device=grid.device, dtype=grid.dtype)


def indicators(grid: Tensor) -> Tensor:
    """What the givens say about every candidate.

    Args:
        grid: Digits, 0 for empty, ``(batch, 9, 9)``, any dtype.

    Returns:
        ``(batch, 9, 9, 9, 3)`` float32: one-hot of given here, excluded by a given in this cell, open.
    """
    fixed = _one_hot(grid).to(torch.float32)
    empty = (grid == 0).to(torch.float32).unsqueeze(-1).expand(-1, -1, -1, 9)
    return torch.stack([fixed, 1.0 - fixed - empty, empty], dim=-1)


RULES = {
    "givens": "Every given digit stays where it is.",
    "rows": "Every row holds each digit once.",
    "columns": "Every column holds each digit once.",
    "boxes": "Every 3×3 box holds each digit once.",
}


def rules(answer: dict[str, Tensor], grid: Tensor) -> dict[str, Tensor]:
    """How often a full grid breaks each rule, ``(batch,)`` int64: givens changed, digits missing from rows, columns, boxes."""
    filled = answer["grid"]
    there = _one_hot(filled).to(torch.int64)
    boxes = there.reshape(-1, 3, 3, 3, 3, 9).sum((2, 4))

    def missing(count: Tensor) -> Tensor:
        return (count == 0).to(torch.int64).flatten(1).sum(1)

    return {
        "givens": ((grid > 0) & (filled != grid)).to(torch.int64).flatten(1).sum(1),
        "rows": missing(there.sum(2)),
        "columns": missing(there.sum(1)),
        "boxes": missing(boxes),
    }


def _silu_grad(x: Tensor) -> tuple[Tensor, Tensor]:
    s = torch.sigmoid(x)
    u = x * s
    return u, s + u * (1.0 - s)


class SudokuEnergy(nn.Module):
    """``energy(state, grid) -> named terms``, each ``(batch,)``; the state is ``(batch, 9, 9, 9, width)``."""

    def __init__(self, width: int = 16, hidden: int = 32, group: int = 64, intersection: int = 0) -> None:
        super().__init__()
        self.config = {"width": width, "hidden": hidden, "group": group, "intersection": intersection}

        def weight(rows: int, *columns: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(rows, *columns) / math.sqrt(rows))

        self.w1 = weight(width, hidden)
        self.wx = weight(3, hidden)
        self.b1 = nn.Parameter(torch.zeros(hidden))
        self.field = nn.Parameter(0.1 * torch.randn(hidden))
        self.w2 = weight(hidden, group)
        self.b2 = nn.Parameter(torch.zeros(group))
        self.w3 = weight(group)
        if intersection:
            self.ws, self.wb, self.wl = (weight(hidden, intersection) for _ in range(3))
            self.b5 = nn.Parameter(torch.zeros(intersection))
            self.w5 = weight(intersection)
        self.log_confinement = nn.Parameter(torch.full((width,), -0.7))
        self.readout = weight(width)
        self.holds: Tensor
        self.fails: Tensor
        self.register_buffer("holds", torch.zeros(width))
        self.register_buffer("fails", torch.zeros(width))

    @property
    def confinement(self) -> Tensor:
        return self.log_confinement.exp()

    def drive(self, grid: Tensor) -> Tensor:
        """The part of a candidate's pre-activation that the givens decide, ``(batch, 9, 9, 9, hidden)``."""
        return indicators(grid).to(self.wx.dtype) @ self.wx + self.b1

    def forward(self, state: Tensor, grid: Tensor) -> dict[str, Tensor]:
        u = functional.silu(state @ self.w1 + self.drive(grid))
        lines = u.unflatten(2, (3, 3)).unflatten(1, (3, 3))  # band, row, stack, column, digit, hidden
        across, down = lines.mean(4), lines.mean(2)  # where a row, a column crosses a box
        groups = {"cells": u.mean(3), "rows": across.mean(3), "columns": down.mean(1), "boxes": across.mean(2)}
        terms = {"candidates": (u @ self.field).flatten(1).sum(1)}
        for name, mean in groups.items():
            terms[name] = 9.0 * (functional.silu(mean @ self.w2 + self.b2) @ self.w3).flatten(1).sum(1)
        if self.config["intersection"]:
            box = groups["boxes"] @ self.wb + self.b5
            in_row = across @ self.ws + box.unsqueeze(2) + (groups["rows"] @ self.wl).unsqueeze(3)
            in_column = down @ self.ws + box.unsqueeze(3) + (groups["columns"] @ self.wl).unsqueeze(1)
            both = torch.cat([q.flatten(1, -2) for q in (in_row, in_column)], dim=1)
            terms["intersections"] = 3.0 * (functional.silu(both) @ self.w5).sum(1)
        terms["confinement"] = 0.5 * (state.square() @ self.confinement).flatten(1).sum(1)
        return terms

    def logits(self, state: Tensor) -> Tensor:
        """Logits of the digits of every cell, ``(batch, 9, 9, 9)``."""
        return state @ self.readout

    def decode(self, state: Tensor, grid: Tensor) -> dict[str, Tensor]:
        """The most likely digit of every empty cell, ``{"grid": (batch, 9, 9) int64}``; givens stay."""
        return {"grid": torch.where(grid > 0, grid, self.logits(state).argmax(-1) + 1)}

    def embed(self, answer: dict[str, Tensor], grid: Tensor) -> Tensor:
        """The place of an answer in the landscape: where candidates that hold, and those that do not, rest on average."""
        del grid
        chosen = _one_hot(answer["grid"]).to(self.holds.dtype).unsqueeze(-1)
        return chosen * self.holds + (1.0 - chosen) * self.fails

    def gradient(self, state: Tensor, drive: Tensor) -> Tensor:
        """The energy's gradient, written out: for training, where one backward pass is cheaper than two.

        The tests hold it against autograd of `forward`; the exported graph comes from autograd alone.
        """
        u, slope = _silu_grad(state @ self.w1 + drive)
        lines = u.unflatten(2, (3, 3)).unflatten(1, (3, 3))
        across, down = lines.mean(4), lines.mean(2)
        cells, rows, columns, boxes = u.mean(3), across.mean(3), down.mean(1), across.mean(2)
        pooled = torch.cat([g.flatten(1, -2) for g in (cells, rows, columns, boxes)], dim=1)
        force = (_silu_grad(pooled @ self.w2 + self.b2)[1] * self.w3) @ self.w2.T
        cell, row, column, box = (
            f.reshape(g.shape) for f, g in zip(force.split(81, dim=1), (cells, rows, columns, boxes), strict=True)
        )
        if self.config["intersection"]:
            from_box = boxes @ self.wb + self.b5
            q_row = across @ self.ws + from_box.unsqueeze(2) + (rows @ self.wl).unsqueeze(3)
            q_column = down @ self.ws + from_box.unsqueeze(3) + (columns @ self.wl).unsqueeze(1)
            g_row, g_column = (_silu_grad(q)[1] * self.w5 for q in (q_row, q_column))
            box = box + ((g_row.mean(2) + g_column.mean(3)) @ self.wb.T)
            row = row + g_row.mean(3) @ self.wl.T
            column = column + g_column.mean(1) @ self.wl.T
            across_force = g_row @ self.ws.T + row.unsqueeze(3) + box.unsqueeze(2)
            down_force = g_column @ self.ws.T + column.unsqueeze(1)
        else:
            across_force = row.unsqueeze(3) + box.unsqueeze(2)
            down_force = column.unsqueeze(1)
        lines_force = across_force.unsqueeze(4) + down_force.unsqueeze(2)
        per_candidate: Tensor = lines_force.reshape(u.shape) + cell.unsqueeze(3) + self.field
        return (per_candidate * slope) @ self.w1.T + self.confinement * state
