"""The Sudoku energy: a few thousand weights that every candidate, digit, row, column and box of every board shares.

The state holds ``width`` numbers for each candidate "this digit in this cell" (729 on a 9×9 board). Nothing in the energy
knows which row, column, box or digit it looks at, or how large the board is, so every symmetry of Sudoku holds by
construction, one puzzle trains every weight 729 times, and the same weights serve every size. A candidate's logit is its
state projected on one learned vector.

With ``u = SiLU(z W1 + x Wx + b1)`` for a candidate, where ``x`` says what the givens make of it, the energy is the sum of

* ``candidates``: ``u · field``, one term a candidate;
* ``cells``, ``rows``, ``columns``, ``boxes``: ``9 · softplus(Σ u W2 / 9 + b2) · w3`` over each group of candidates of which
  exactly one holds (a cell; a digit in a row, in a column, in a box), with a ``b2`` for cells, one for lines, one for boxes;
* ``intersections``: ``3 · softplus(Σ u Ws / 3 + Σ u of its box Wb / 9 + Σ u of its line Wl / 9 + b5) · w5`` over the candidates
  that a digit has where a line crosses a box;
* ``confinement``: ``½ Σ λ z²``, which keeps the state finite.

The gradient that the descent follows, in training as in the exported file, is autograd's of this sum.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from groundstate_models.sudoku.board import Board

FIXED, EXCLUDED, OPEN, SEEN = range(4)
"""Columns of a candidate's indicator vector."""


def _one_hot(grid: Tensor) -> Tensor:
    """``(batch, n, n, n)`` bool; all false where a cell holds no digit."""
    digits = torch.arange(1, grid.shape[-1] + 1, device=grid.device, dtype=grid.dtype)
    same: Tensor = grid.unsqueeze(-1) == digits
    return same


def _blocks(cells: Tensor, board: Board) -> Tensor:
    """``(batch, n, n, …)`` as ``(batch, band, row, stack, column, …)``: rows and columns by the boxes they cross."""
    blocks: Tensor = cells.unflatten(2, (-1, board.width)).unflatten(1, (-1, board.height))
    return blocks


def indicators(grid: Tensor) -> Tensor:
    """What the givens say about every candidate.

    Args:
        grid: Digits, 0 for empty, ``(batch, n, n)``, any dtype.

    Returns:
        ``(batch, n, n, n, 4)`` float32: one-hot of given here, excluded by a given in this cell, open; and beside open,
        whether the same digit is given in the cell's row, column or box.
    """
    fixed = _one_hot(grid).to(torch.float32)
    empty = (grid == 0).to(torch.float32).unsqueeze(-1).expand_as(fixed)
    boxes = _blocks(fixed, Board.of(grid.shape[-1]))
    in_box = boxes.amax((2, 4), keepdim=True).expand_as(boxes).reshape(fixed.shape)
    near = torch.maximum(torch.maximum(fixed.amax(1, keepdim=True), fixed.amax(2, keepdim=True)), in_box)
    return torch.stack([fixed, 1.0 - fixed - empty, empty, near * empty], dim=-1)


RULES = {
    "givens": "Every given digit stays where it is.",
    "rows": "Every row holds each digit once.",
    "columns": "Every column holds each digit once.",
    "boxes": "Every box holds each digit once.",
}


def rules(answer: dict[str, Tensor], grid: Tensor) -> dict[str, Tensor]:
    """How often a full grid breaks each rule, ``(batch,)`` int64: givens changed, digits missing from rows, columns, boxes."""
    filled = answer["grid"]
    there = _one_hot(filled).to(torch.int64)

    def missing(count: Tensor) -> Tensor:
        return (count == 0).to(torch.int64).flatten(1).sum(1)

    return {
        "givens": ((grid > 0) & (filled != grid)).to(torch.int64).flatten(1).sum(1),
        "rows": missing(there.sum(2)),
        "columns": missing(there.sum(1)),
        "boxes": missing(_blocks(there, Board.of(grid.shape[-1])).sum((2, 4))),
    }


class SudokuEnergy(nn.Module):
    """``energy(state, grid) -> named terms``, each ``(batch,)``; the state is ``(batch, n, n, n, width)``.

    Args:
        width: Numbers a candidate has in the state.
        hidden: Features of a candidate.
        group: Features of a group of candidates of which one holds.
        intersection: Features of a digit where a line crosses a box; 0 leaves that term out.
    """

    def __init__(self, width: int = 24, hidden: int = 32, group: int = 64, intersection: int = 32) -> None:
        super().__init__()
        self.config = {"width": width, "hidden": hidden, "group": group, "intersection": intersection}

        def weight(rows: int, *columns: int) -> nn.Parameter:
            return nn.Parameter(torch.randn(rows, *columns) / math.sqrt(rows))

        self.w1 = weight(width, hidden)
        self.wx = weight(4, hidden)
        self.b1 = nn.Parameter(torch.zeros(hidden))
        self.field = nn.Parameter(0.1 * torch.randn(hidden))
        self.w2 = weight(hidden, group)
        self.b2 = nn.Parameter(torch.zeros(3, group))
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

    def drive(self, grid: Tensor) -> Tensor:
        """The part of a candidate's pre-activation that the givens decide, ``(batch, n, n, n, hidden)``."""
        return indicators(grid).to(self.wx.dtype) @ self.wx + self.b1

    def forward(self, state: Tensor, grid: Tensor) -> dict[str, Tensor]:
        return self.terms(state, self.drive(grid))

    def terms(self, state: Tensor, drive: Tensor) -> dict[str, Tensor]:
        """The energy of a state whose `drive` is known."""
        u = functional.silu(state @ self.w1 + drive)
        blocks = _blocks(u, Board.of(u.shape[1]))  # batch, band, row, stack, column, digit, hidden
        across, down = blocks.sum(4), blocks.sum(2)  # where a row, a column crosses a box
        cells, rows, columns, boxes = u.sum(3), across.sum(3), down.sum(1), across.sum(2)
        terms = {"candidates": (u @ self.field).flatten(1).sum(1)}
        lines, box = self.b2[1], self.b2[2]
        w2 = self.w2 / 9.0
        for name, pooled, bias in (
            ("cells", cells, self.b2[0]),
            ("rows", rows, lines),
            ("columns", columns, lines),
            ("boxes", boxes, box),
        ):
            terms[name] = 9.0 * (functional.softplus(pooled @ w2 + bias) @ self.w3).flatten(1).sum(1)
        if self.config["intersection"]:
            ws, wl = self.ws / 3.0, self.wl / 9.0
            around = boxes @ (self.wb / 9.0) + self.b5
            in_row = across @ ws + around.unsqueeze(2) + (rows @ wl).unsqueeze(3)
            in_column = down @ ws + around.unsqueeze(3) + (columns @ wl).unsqueeze(1)
            both = [(functional.softplus(q) @ self.w5).flatten(1).sum(1) for q in (in_row, in_column)]
            terms["intersections"] = 3.0 * (both[0] + both[1])
        terms["confinement"] = 0.5 * (state.square() @ self.log_confinement.exp()).flatten(1).sum(1)
        return terms

    def gradient(self, state: Tensor, drive: Tensor) -> Tensor:
        """The energy's gradient with regard to the state, differentiable and fit for `torch.compile`."""

        def total(state: Tensor) -> Tensor:
            return torch.stack(list(self.terms(state, drive).values())).sum()

        found: Tensor = torch.func.grad(total)(state)
        return found

    def logits(self, state: Tensor) -> Tensor:
        """Logits of the digits of every cell, ``(batch, n, n, n)``."""
        return state @ self.readout

    def decode(self, state: Tensor, grid: Tensor) -> dict[str, Tensor]:
        """The most likely digit of every empty cell, ``{"grid": (batch, n, n) int64}``; givens stay."""
        return {"grid": torch.where(grid > 0, grid, self.logits(state).argmax(-1) + 1)}

    def embed(self, answer: dict[str, Tensor], grid: Tensor) -> Tensor:
        """The place of an answer in the landscape: where candidates that hold, and those that do not, rest on average."""
        del grid
        chosen = _one_hot(answer["grid"]).to(self.holds.dtype).unsqueeze(-1)
        return chosen * self.holds + (1.0 - chosen) * self.fails
