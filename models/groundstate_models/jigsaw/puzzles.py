"""Jigsaws made from photographs, for training, for calibration and for benchmarks: cut, worn, shuffled, turned, pieces lost."""

from __future__ import annotations

import base64
from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.data import Picture
from groundstate_models.jigsaw.pictures import Pieces, assembled, encoded
from groundstate_models.jigsaw.strips import cut


@dataclass(frozen=True)
class Puzzle:
    """A jigsaw whose answer is known.

    Attributes:
        pieces: (pieces, height, width, 3), shuffled.
        shape: Rows and columns.
        order: (pieces,): where each piece belongs, as row * columns + column.
        turns: (pieces,): quarter turns clockwise that put each piece upright.
        worn: Pixels that every side lost.
    """

    pieces: Pieces
    shape: tuple[int, int]
    order: NDArray[np.int64]
    turns: NDArray[np.int64]
    worn: int

    def request(self) -> dict[str, Any]:
        """The request, with pictures as base64; the model estimates the wear."""
        sent = [base64.b64encode(encoded(piece, "png")).decode() for piece in self.pieces]
        request: dict[str, Any] = {"pieces": sent, "rows": self.shape[0], "columns": self.shape[1]}
        return {**request, "turned": True} if self.turns.any() else request

    def perfect(self, answer: dict[str, Any]) -> bool:
        """Whether an answer shows the picture; equal pieces may be exchanged, and a turned whole is right either way."""
        found = assembled(self.pieces, answer["grid"], answer.get("turns"))
        true: list[list[int | None]] = [[None] * self.shape[1] for _ in range(self.shape[0])]
        for piece, cell in enumerate(self.order.tolist()):
            true[cell // self.shape[1]][cell % self.shape[1]] = piece
        wanted = assembled(self.pieces, true, (90 * self.turns).tolist())
        ways = range(4 if "turns" in answer else 1)
        return any(np.array_equal(np.rot90(found, way), wanted) for way in ways)

    def neighbours(self, answer: dict[str, Any], *, strict: bool = False) -> float:
        """The share of true neighbours, among present pieces, that lie correctly beside each other.

        Equal pieces of an upright jigsaw, such as the blank ones of a page, stand for each other unless the count is `strict`.
        """
        if not strict and "turns" not in answer and not self.turns.any():
            kinds = {piece.tobytes(): number for number, piece in enumerate(self.pieces)}
            if len(kinds) < len(self.pieces):
                return self._neighbours_of_kinds(answer, [kinds[piece.tobytes()] for piece in self.pieces])
        columns = self.shape[1]
        turns = np.array(answer.get("turns", [0] * len(self.pieces))) // 90
        whole = np.bincount((turns - self.turns) % 4, minlength=4).argmax()
        at: dict[int, tuple[int, int]] = {}
        for row, line in enumerate(answer["grid"]):
            for column, piece in enumerate(line):
                if piece is not None:
                    at[int(self.order[piece])] = (row, column)
        straight = {int(cell) for cell, turn in zip(self.order, turns - self.turns, strict=True) if turn % 4 == whole}
        steps = {1: (0, 1), columns: (1, 0)}
        right = there = 0
        for cell in at:
            for ahead, (down, across) in steps.items():
                other = cell + ahead
                if other not in at or (ahead == 1 and other % columns == 0):
                    continue
                there += 1
                wanted = ((down, across), (across, -down), (-down, -across), (-across, down))[whole]
                gap = (at[other][0] - at[cell][0], at[other][1] - at[cell][1])
                right += gap == wanted and cell in straight and other in straight
        return right / max(there, 1)

    def _neighbours_of_kinds(self, answer: dict[str, Any], kind: list[int]) -> float:
        """`neighbours` of an upright jigsaw, pieces of one kind being equal."""
        true = np.full(self.shape[0] * self.shape[1], -1)
        true[self.order] = kind
        found = np.array([[-1 if piece is None else kind[piece] for piece in row] for row in answer["grid"]])
        wanted = _pairs(true.reshape(self.shape))
        return (wanted & _pairs(found)).total() / max(wanted.total(), 1)


def _pairs(grid: NDArray[np.int64]) -> Counter[tuple[str, int, int]]:
    """The seams of a grid with their numbers of times: direction and what lies on both sides; -1 is an empty place."""
    found: Counter[tuple[str, int, int]] = Counter()
    for name, one, other in (("right", grid[:, :-1], grid[:, 1:]), ("below", grid[:-1], grid[1:])):
        both = (one >= 0) & (other >= 0)
        found.update((name, int(a), int(b)) for a, b in zip(one[both], other[both], strict=True))
    return found


def make(
    picture: Picture,
    size: int | tuple[int, int],
    rng: np.random.Generator,
    *,
    shape: tuple[int, int] | None = None,
    worn: int = 0,
    turned: bool = False,
    lost: float = 0.0,
) -> Puzzle:
    """Cut a picture from its top left corner and shuffle the pieces.

    Args:
        picture: (height, width, 3).
        size: Height and width of a piece before wear, in pixels; one number if they are equal.
        rng: Decides the order, the turns and the losses.
        shape: Rows and columns; as many as there are by default.
        worn: Pixels that every side loses.
        turned: Whether pieces are turned.
        lost: Share of missing pieces.
    """
    height, width = (size, size) if isinstance(size, int) else size
    rows, columns = shape or (picture.shape[0] // height, picture.shape[1] // width)
    pieces = cut(picture[: rows * height, : columns * width], height, width, worn)
    kept = len(pieces) - round(lost * len(pieces))
    order = rng.permutation(len(pieces))[:kept]
    turns = rng.integers(0, 4, kept) if turned else np.zeros(kept, np.int64)
    shuffled = np.stack([np.rot90(pieces[cell], turn) for cell, turn in zip(order, turns, strict=True)])
    return Puzzle(shuffled, (rows, columns), order, turns, worn)
