"""Annealing over assignments: pieces and groups of pieces move to where a likely seam wants them.

A move takes a likely seam that the layout does not have. Either one of its two pieces changes places with the piece that is where
the seam wants it, or the whole group around it moves there, with the turn that the seam asks for; the pieces in the way fill the
places that become free. Moves are accepted as by N. Metropolis (1953), at a temperature that falls (S. Kirkpatrick, C. D. Gelatt
and M. P. Vecchi, "Optimization by simulated annealing", 1983). The cost is that of `layout.cost`, so the lowest layout is one of
the energy and of no rule of thumb.

The loop is plain Python: a move touches a few seams only, for which arrays would be slower.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.layout import Grid
from groundstate_models.jigsaw.seams import Matrix, Seams
from groundstate_models.jigsaw.strips import BOTTOM, LEFT, RIGHT

HOT, COLD = 10.0, 1.0
"""Temperatures at the beginning and at the end, in log-odds."""

PARTNERS = 6
LEAST = 0.02
"""Probability below which a seam suggests no move."""

JOINED = (0.2, 0.5, 0.8)
"""Probabilities from which a seam joins two pieces into a group; each move draws one."""

FRAMED = 10
"""Attempted moves, for each piece, from one choice of the frame to the next."""


@dataclass(frozen=True)
class Rows:
    """Seams as rows of numbers for plain Python, with a row and a column of zeros for empty places.

    Upright pieces have rows for their right and bottom sides only, by piece; pieces that may be turned have rows for all sides.
    """

    pieces: int
    turned: bool
    odds: list[array[float]]
    likely: list[array[float]]
    partners: list[tuple[list[float], list[int]]]


def rows_of(seams: Seams) -> Rows:
    """Prepare the seams of a jigsaw for `annealed`."""
    count = seams.pieces
    if seams.turned:
        likely = seams.likely
        lists = [_partners(likely[side], None) for side in range(4 * count)]
        return Rows(count, turned=True, odds=_padded(seams.odds), likely=_padded(likely), partners=lists)
    none = [array("f")] * count
    right, below = seams.likely
    lists = []
    for matrix, side in ((below.T, BOTTOM), (right, LEFT), (below, 0), (right.T, RIGHT)):
        lists += [_partners(matrix[piece], side * count) for piece in range(count)]
    odds, sure = ([_padded(values) for values in both] for both in (seams.odds, seams.likely))
    # Side s of piece p has number s * pieces + p; only the right and bottom sides have rows.
    return Rows(
        count,
        turned=False,
        odds=[*none, *odds[0][:-1], *odds[1][:-1], *none, odds[0][-1]],
        likely=[*none, *sure[0][:-1], *sure[1][:-1], *none, sure[0][-1]],
        partners=lists,
    )


def _padded(values: Matrix) -> list[array[float]]:
    return [array("f", row) for row in np.pad(values, ((0, 1), (0, 1))).tolist()]


def _partners(likely: Matrix, first: int | None) -> tuple[list[float], list[int]]:
    """Running sums of the probabilities of a side's likely partners, and their numbers as sides."""
    order = np.argsort(-likely, kind="stable")[:PARTNERS]
    order = order[likely[order] > LEAST]
    return np.cumsum(likely[order]).tolist(), (order + (first or 0)).tolist()


def annealed(
    grid: Grid,
    turns: NDArray[np.int64],
    rows: Rows,
    fixed: Sequence[int],
    *,
    moves: int,
    seed: int,
    hot: float = HOT,
    cold: float = COLD,
) -> tuple[Grid, NDArray[np.int64]]:
    """The layout of lowest cost on the way of one annealing.

    Args:
        grid: (rows, columns), -1 for empty places.
        turns: (pieces,): quarter turns clockwise.
        rows: From `rows_of`.
        fixed: Pieces that stay where they are.
        moves: Attempted moves.
        seed: Seed of the random draws.
        hot: Temperature at the beginning.
        cold: Temperature at the end.

    Returns:
        The grid and the turns.
    """
    board = _Board(grid, turns, rows, fixed)
    draw = random.Random(seed).random  # noqa: S311
    temperature, cooling = hot, (cold / hot) ** (1 / max(moves, 1))
    total = least = 0.0
    best = board.code[:]
    reframing = max(FRAMED * rows.pieces, 1)
    for step in range(moves):
        temperature *= cooling
        moved = board.framed() if not fixed and step % reframing == 0 else board.move(draw)
        if not moved:
            continue
        gain = board.gain(moved)
        if gain >= 0 or draw() < math.exp(gain / temperature):
            board.take(moved)
            total += gain
            if total > least + 1e-6:
                least, best = total, board.code[:]
    return board.layout(best)


class _Board:
    """A layout that changes move by move: in each cell a code, 4 * piece + turn, or -1 for an empty place.

    Cells are numbered row by row in a frame of empty places one cell wide.
    """

    def __init__(self, grid: Grid, turns: NDArray[np.int64], rows: Rows, fixed: Sequence[int]) -> None:
        count = self.count = rows.pieces
        self.rows = rows
        self.height, self.width = grid.shape
        self.across = self.width + 2
        self.turns = turns
        self.code = [-1] * ((self.height + 2) * self.across)
        self.inside = [False] * len(self.code)
        self.place = [0] * (count + 1)
        for row in range(self.height):
            for column in range(self.width):
                cell, piece = (row + 1) * self.across + column + 1, int(grid[row, column])
                self.inside[cell] = True
                if piece >= 0:
                    self.code[cell] = 4 * piece + int(turns[piece])
                    self.place[piece] = cell
        self.free = self.inside[:]
        for piece in fixed:
            self.free[self.place[piece]] = False
        self.step = (-self.across, 1, self.across, -1)
        # The row of a code's right and bottom side, and the column of its left and top side; the last are those of -1.
        codes = [(piece, turn) for piece in range(count) for turn in range(4)]
        side = [[((now - turn) % 4) * count + piece for piece, turn in codes] for now in range(4)]
        self.right, self.bottom = [*side[RIGHT], -1], [*side[BOTTOM], -1]
        upright = [piece for piece, _ in codes]
        self.left, self.top = ([*(side[now] if rows.turned else upright), -1] for now in (LEFT, 0))

    def layout(self, code: list[int]) -> tuple[Grid, NDArray[np.int64]]:
        """Grid and turns of the codes."""
        cells = np.array(code).reshape(self.height + 2, self.across)[1:-1, 1:-1]
        turns = self.turns.copy()
        found = cells[cells >= 0]
        turns[found // 4] = found % 4
        return np.where(cells >= 0, cells // 4, -1), turns

    def move(self, draw: Callable[[], float]) -> dict[int, int] | None:
        """A proposed change, cell to code, that closes a likely seam; None if nothing is to be done there."""
        count, code, step = self.count, self.code, self.step
        one = int(draw() * count)
        ahead = int(draw() * 4)
        here = self.place[one]
        mine = code[here]
        sums, sides = self.rows.partners[((ahead - mine) % 4) * count + one]
        if not sides:
            return None
        at, chosen = draw() * sums[-1], 0
        while sums[chosen] < at:
            chosen += 1
        side, other = divmod(sides[chosen], count)
        there = self.place[other]
        wanted = 4 * other + (ahead + 2 - side) % 4
        target = here + step[ahead]
        if code[target] == wanted:
            return None
        forth = draw() < 0.5
        turn = (wanted - code[there]) % 4
        if draw() < 0.5:
            if forth:
                return self._exchange(there, target, wanted)
            # The seam as the other piece sees it: the first one belongs on the far side, turned back.
            facing = (ahead + 2 - turn) % 4
            return self._exchange(here, there + step[facing], 4 * one + (mine - turn) % 4)
        joined = JOINED[int(draw() * 3)]
        if forth:
            return self._group(there, target, turn, here, joined)
        facing = (ahead + 2 - turn) % 4
        return self._group(here, there + step[facing], -turn % 4, there, joined)

    def _exchange(self, source: int, target: int, code: int) -> dict[int, int] | None:
        """Put the piece in `source` into `target` as `code`, and the piece from there into `source`."""
        if not (self.free[source] and self.inside[target] and self.free[target]):
            return None
        if source == target:
            return {target: code}
        return {target: code, source: self.code[target]}

    def _group(self, source: int, target: int, turn: int, kept: int, joined: float) -> dict[int, int] | None:
        """Move the group around `source` so that it comes to `target`, turned clockwise by `turn`; `kept` must not be in it."""
        block = self._block(source, kept, joined)
        if block is None:
            return None
        forth = self._carried(block, source, target, turn)
        back = {there: cell for cell, there in forth.items() if there >= 0}
        code, moved = self.code, {}
        for cell, there in forth.items():
            in_the_way, turned = code[cell], 0
            if there >= 0:
                if not self.free[there]:
                    return None
                moved[there] = _turned(code[cell], turn)
                if there in forth:
                    continue
                in_the_way, turned = code[there], -turn
            # What is in the way goes back along the chain of moved cells to the one that becomes free.
            end = cell
            while end in back:
                end, turned = back[end], turned - turn
            moved[end] = _turned(in_the_way, turned)
        return moved

    def _carried(self, block: set[int], source: int, target: int, turn: int) -> dict[int, int]:
        """Where the cells of a group go if it turns about `source` and that goes to `target`; -1 is outside the frame."""
        across, cosine, sine = self.across, (1, 0, -1, 0)[turn], (0, 1, 0, -1)[turn]
        row, column = divmod(source, across)
        down, aside = divmod(target, across)
        forth: dict[int, int] = {}
        for cell in block:
            y, x = divmod(cell, across)
            y, x = y - row, x - column
            y, x = down + y * cosine + x * sine, aside + x * cosine - y * sine
            forth[cell] = y * across + x if 0 < y <= self.height and 0 < x <= self.width else -1
        return forth

    def _block(self, source: int, kept: int, joined: float) -> set[int] | None:
        """Cells that likely seams join to `source`; None if `kept` or a fixed piece is among them, or it is one cell alone."""
        code, likely, across = self.code, self.rows.likely, self.across
        right, left, bottom, top = self.right, self.left, self.bottom, self.top
        block, open_ = {source}, [source]
        while open_:
            cell = open_.pop()
            mine = code[cell]
            for there in (cell + 1, cell - 1, cell + across, cell - across):
                if there in block or code[there] < 0:
                    continue
                other = code[there]
                if there == cell + 1:
                    sure = likely[right[mine]][left[other]]
                elif there == cell - 1:
                    sure = likely[right[other]][left[mine]]
                elif there == cell + across:
                    sure = likely[bottom[mine]][top[other]]
                else:
                    sure = likely[bottom[other]][top[mine]]
                if sure > joined:
                    block.add(there)
                    open_.append(there)
            if kept in block:
                return None
        if len(block) == 1 or not all(self.free[cell] for cell in block):
            return None
        return block

    def framed(self) -> dict[int, int]:
        """A change that cuts the layout at its worst row and column, if the present frame cuts worse; otherwise empty.

        A block at the wrong end of the frame costs one row or column of seams and can't move through the others.
        """
        across, code, odds = self.across, self.code, self.rows.odds
        cells = [[code[(y + 1) * across + x + 1] for x in range(self.width)] for y in range(self.height)]
        beside = [
            sum(odds[self.right[row[x]]][self.left[row[(x + 1) % self.width]]] for row in cells)
            for x in range(self.width)
        ]
        over = [
            sum(
                odds[self.bottom[one]][self.top[other]]
                for one, other in zip(cells[y], cells[(y + 1) % self.height], strict=True)
            )
            for y in range(self.height)
        ]
        # Numbers within rounding of the last one leave the frame as it is.
        down, aside = (sums.index(min(sums)) + 1 if min(sums) < sums[-1] - 1e-3 else 0 for sums in (over, beside))
        if not down and not aside:
            return {}
        return {
            (y + 1) * across + x + 1: cells[(y + down) % self.height][(x + aside) % self.width]
            for y in range(self.height)
            for x in range(self.width)
        }

    def gain(self, moved: dict[int, int]) -> float:
        """Log-odds that a change adds to the layout."""
        code, odds, across = self.code, self.rows.odds, self.across
        right, left, bottom, top = self.right, self.left, self.bottom, self.top
        beside = set(moved) | {cell - 1 for cell in moved}
        over = set(moved) | {cell - across for cell in moved}
        now, gain = moved.get, 0.0
        for cell in beside:
            one, other = code[cell], code[cell + 1]
            gain += odds[right[now(cell, one)]][left[now(cell + 1, other)]] - odds[right[one]][left[other]]
        for cell in over:
            one, other = code[cell], code[cell + across]
            gain += odds[bottom[now(cell, one)]][top[now(cell + across, other)]] - odds[bottom[one]][top[other]]
        return gain

    def take(self, moved: dict[int, int]) -> None:
        """Carry out a change."""
        for cell, code in moved.items():
            self.code[cell] = code
            if code >= 0:
                self.place[code // 4] = cell


def _turned(code: int, turn: int) -> int:
    """The code of a piece turned clockwise; an empty place remains one."""
    return code if code < 0 else code - code % 4 + (code + turn) % 4
