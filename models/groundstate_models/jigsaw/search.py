"""Turns places in the plane into a layout: a lattice, then descent and annealing over assignments, and the pieces' turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.annealing import HOT, Rows, annealed, rows_of
from groundstate_models.jigsaw.layout import Grid, cost, improved, snapped
from groundstate_models.jigsaw.seams import FLOOR, Matrix, Seams

PARTNERS = 4
LEAST = 0.01
"""Probability below which a seam is not an input of the energy."""

HEATS = (4.0, 1.5)
MOVES = 800
"""Attempted moves of an annealing, for each piece."""

WARM = 7.0
"""Temperature from which an annealing goes on from the best layout so far, in log-odds."""

SURE = 4.0
"""Log-odds of a seam whose neighbourhood is certain, when assignments follow neighbourhoods."""

OFFSETS = np.array([[-1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, -1.0]], np.float32)
"""Offset of the neighbour across each side, as row and column."""


@dataclass(frozen=True)
class Layout:
    """A grid of pieces, (rows, columns), and their quarter turns clockwise, (pieces,)."""

    grid: Grid
    turns: NDArray[np.int64]
    cost: float


def pulls(seams: Seams) -> dict[str, NDArray[np.generic]]:
    """The likely seams as the energy's inputs ``first``, ``second``, ``offset``, ``turned``, ``weight``."""
    if seams.turned:
        first, second, weight = _chosen(seams.likely, symmetric=True)
        (side, one), (opposite, other) = divmod(first, seams.pieces), divmod(second, seams.pieces)
        quarter = (side + 2 - opposite) % 4
    else:
        found = [_chosen(likely, symmetric=False) for likely in seams.likely]
        one, other, weight = (np.concatenate(parts) for parts in zip(*found, strict=True))
        side = np.repeat([1, 2], [len(part[0]) for part in found])
        quarter = np.zeros(len(one), np.int64)
    if not len(one):  # the graph needs at least one seam; this one has weight 0
        one, other, side, quarter, weight = (np.array([value]) for value in (0, 1, 1, 0, 0.0))
    angle = quarter * (np.pi / 2)
    return {
        "first": one.astype(np.int64),
        "second": other.astype(np.int64),
        "offset": OFFSETS[side],
        "turned": np.stack([np.cos(angle), np.sin(angle)], axis=1).round().astype(np.float32),
        "weight": weight.astype(np.float32),
    }


def _chosen(likely: Matrix, *, symmetric: bool) -> tuple[NDArray[np.int64], NDArray[np.int64], Matrix]:
    """The most likely partners of each side: indices and probabilities."""
    count = min(PARTNERS, len(likely))
    chosen = np.zeros(likely.shape, bool)
    np.put_along_axis(chosen, np.argpartition(-likely, count - 1, axis=1)[:, :count], values=True, axis=1)
    np.put_along_axis(chosen, np.argpartition(-likely, count - 1, axis=0)[:count], values=True, axis=0)
    chosen &= likely > LEAST
    if symmetric:
        chosen = np.triu(chosen | chosen.T, 1)
    first, second = np.nonzero(chosen)
    return first, second, likely[first, second]


class Search:
    """The search over assignments, one chain of the descent after another; later chains also go on from the best layout so far.

    Attributes:
        best: The layout of lowest cost so far; None before the first chain.
    """

    def __init__(self, seams: Seams, shape: tuple[int, int], fixed: dict[int, tuple[int, int]]) -> None:
        self._seams, self._shape, self._fixed = seams, shape, fixed
        self._chains = 0
        self._finished = False
        self.best: Layout | None = None

    @cached_property
    def _rows(self) -> Rows:
        return rows_of(self._seams)

    def nearest(self, place: NDArray[np.float64], turns: NDArray[np.int64]) -> Layout:
        """The layout nearest to places in the plane, (pieces, 2), as row and column; `turns` are quarter turns clockwise."""
        return self._layout(snapped(place, self._shape, self._fixed), turns)

    def settle(self, starts: Sequence[Layout]) -> Layout:
        """Descend over assignments from the layouts of one chain; returns the best layout of all chains so far."""
        number, self._chains = self._chains, self._chains + 1
        if self._finished and self.best is not None:
            return self.best
        cooled = [self._cooled(layout) for layout in starts]
        start = min(cooled, key=lambda layout: layout.cost)
        self._keep(start)
        if not self._finished:
            fresh = number % 2 == 0
            first = start if fresh or self.best is None else self.best
            moves = MOVES * self._seams.pieces
            heat = HOT if fresh else WARM
            pinned = sorted(self._fixed)
            grid, turns = annealed(first.grid, first.turns, self._rows, pinned, moves=moves, seed=number, hot=heat)
            self._keep(self._layout(grid, turns))
        assert self.best is not None
        return self.best

    def _keep(self, layout: Layout) -> None:
        if self.best is None or layout.cost < self.best.cost - 1e-6:
            self.best = layout
            self._finished = _perfect(layout.grid, self._seams.upright(layout.turns)[1])

    def _layout(self, grid: Grid, turns: NDArray[np.int64]) -> Layout:
        return Layout(grid, turns, cost(grid, self._seams.upright(turns)[0]))

    def _cooled(self, layout: Layout) -> Layout:
        """The best layout of mean fields that cool from a layout, guided by the seams and by their neighbourhoods."""
        odds, likely = self._seams.upright(layout.turns)
        if _perfect(layout.grid, likely):
            return layout
        near = np.clip(np.log(likely + 1e-6) + SURE, FLOOR, None).astype(np.float32)
        found = [layout]
        for heat in HEATS:
            for guide in (odds, near):
                grid = improved(layout.grid, guide, self._fixed, heat)
                found.append(Layout(grid, layout.turns, cost(grid, odds)))
        return min(found, key=lambda one: one.cost)


def _perfect(grid: Grid, likely: Matrix) -> bool:
    """Whether no seam can be improved."""
    right, below = likely
    one = right[grid[:, :-1], grid[:, 1:]][(grid[:, :-1] >= 0) & (grid[:, 1:] >= 0)]
    other = below[grid[:-1], grid[1:]][(grid[:-1] >= 0) & (grid[1:] >= 0)]
    return bool((grid >= 0).all() and (one > 0.5).all() and (other > 0.5).all())
