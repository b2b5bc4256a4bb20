"""Turns a chain's places into a layout: a lattice, improved as assignments from several shifts, and the pieces' turns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.layout import Grid, cost, improved, snapped
from groundstate_models.jigsaw.seams import FLOOR, Matrix, Seams

PARTNERS = 4
LEAST = 0.01
"""Probability below which a seam is not an input of the energy."""

SHIFTS = ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))
HEATS = (4.0, 1.5)
TRIES = 3
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


def settled(
    place: NDArray[np.float64],
    turns: NDArray[np.int64],
    seams: Seams,
    shape: tuple[int, int],
    fixed: dict[int, tuple[int, int]],
    *,
    thorough: bool = True,
) -> Layout:
    """Compute the layout from places in the plane.

    Args:
        place: (pieces, 2): row and column.
        turns: (pieces,): quarter turns clockwise.
        seams: The seams of the pieces.
        shape: Rows and columns.
        fixed: Known places of some pieces.
        thorough: Whether the layout is improved; otherwise it is the nearest lattice.
    """
    odds, likely = seams.upright(turns)
    near = np.clip(np.log(likely + 1e-6) + SURE, FLOOR, None).astype(np.float32)
    best = snapped(place, shape, fixed)
    least = cost(best, odds)
    for _ in range(TRIES if thorough else 0):
        before = least
        for shift in SHIFTS:
            start = np.roll(best, shift, (0, 1))
            for heat in HEATS:
                for guide in (odds, near):
                    found = improved(start, guide, fixed, heat)
                    worth = cost(found, odds)
                    if worth < least - 1e-6:
                        best, least = found, worth
            if _perfect(best, likely):
                return Layout(best, turns, least)
        if least >= before - 1e-6:
            break
    return Layout(best, turns, least)


def _perfect(grid: Grid, likely: Matrix) -> bool:
    """Whether no seam can be improved."""
    right, below = likely
    one = right[grid[:, :-1], grid[:, 1:]][(grid[:, :-1] >= 0) & (grid[:, 1:] >= 0)]
    other = below[grid[:-1], grid[1:]][(grid[:-1] >= 0) & (grid[1:] >= 0)]
    return bool((grid >= 0).all() and (one > 0.5).all() and (other > 0.5).all())
