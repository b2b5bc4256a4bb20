"""Confidence of a layout: a calibrated probability that all of it is right, and the doubtful seams.

The probability is a logistic regression on the seams, fitted on held-out photographs (`calibrate`) and stored in
`confidence.json`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.layout import Grid, exchanges, frames, moves, seam_odds
from groundstate_models.jigsaw.seams import FLOOR, Matrix

FILE = Path(__file__).with_name("confidence.json")
EVIDENCE = ("loss", "worst", "doubtful", "wrong", "size", "gap", "even", "parts", "worn", "turned", "open")
DOUBTFUL = 0.5
TIE = 0.7
"""Log-odds below which the exchange of two identical pieces costs nothing."""

GAP = 12.0
LEAST_GAP = 8.0
"""Log-odds by which every single exchange and move must be worse."""

CAPPED = 0.9
"""Largest confidence of an uncertain layout."""


def seam_confidence(grid: Grid, likely: Matrix) -> tuple[Matrix, Matrix]:
    """Probability of each seam of a grid; 1 beside empty places."""
    return tuple(  # type: ignore[return-value]
        np.where(there, values, 1.0) for values, there in zip(seam_odds(grid, likely), _there(grid), strict=True)
    )


def _there(grid: Grid) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    full = grid >= 0
    return full[:, :-1] & full[:, 1:], full[:-1] & full[1:]


def doubtful(grid: Grid, likely: Matrix, most: int = 20) -> list[tuple[float, int, int]]:
    """Seams that are less likely than not, worst first: (probability, piece, piece)."""
    found = []
    right, below = seam_confidence(grid, likely)
    for values, one, other in ((right, grid[:, :-1], grid[:, 1:]), (below, grid[:-1], grid[1:])):
        for row, column in zip(*np.nonzero(values < DOUBTFUL), strict=True):
            found.append((float(values[row, column]), int(one[row, column]), int(other[row, column])))
    return sorted(found)[:most]


Alike = Callable[[int, int], bool]
"""Whether two pieces look the same in their places."""


def evidence(
    grid: Grid, odds: Matrix, likely: Matrix, worn: float, *, turned: bool, alike: Alike
) -> NDArray[np.float64]:
    """Evidence from the seams of a layout, as `EVIDENCE`; ignores exchanges of identical pieces."""
    there = np.concatenate([one.ravel() for one in _there(grid)])
    chance = np.concatenate([one.ravel() for one in seam_confidence(grid, likely)])[there]
    value = np.concatenate([one.ravel() for one in seam_odds(grid, odds)])[there]
    if not len(chance):
        return np.array([0.0] * (len(EVIDENCE) - 1) + [1.0])
    loss = -np.log(np.clip(chance, 1e-4, 1))
    near = [more for more, one, other in exchanges(grid, odds, GAP) if not alike(one, other)]
    near += [more for more, _ in moves(grid, odds, GAP)]
    near = sorted([*near, *(more for more, _, _ in frames(grid, odds) if more <= GAP)])
    apart = parts(grid, likely)
    wrong = float((value <= FLOOR / 2).mean())
    gap = float(np.clip(near[0], -1, GAP)) if near else GAP
    return np.array(
        [
            math.log(loss.mean() + 1e-3),
            math.log(np.sort(loss)[-max(1, len(loss) // 50) :].mean() + 1e-2),
            float((chance < DOUBTFUL).mean()),
            wrong,
            math.log(len(chance)),
            gap / GAP,
            math.log1p(len(near)),
            math.log(apart),
            min(worn, 4.0) / 4,
            float(turned),
            float(is_open(wrong, gap, apart)),
        ]
    )


def is_open(wrong: float, gap: float, apart: int) -> bool:
    """Whether pixels contradict a seam, some other layout is almost as good, or parts are not connected."""
    return wrong > 0 or gap < LEAST_GAP or apart > 1


def parts(grid: Grid, likely: Matrix) -> int:
    """Groups of pieces that likely seams connect; if there are several, only the frame places them."""
    label = np.where(grid >= 0, np.arange(grid.size).reshape(grid.shape), grid.size)
    full_right, full_below = _there(grid)
    right, below = (values >= DOUBTFUL for values in seam_confidence(grid, likely))
    right, below = right & full_right, below & full_below
    while True:
        lowest = label.copy()
        for one, other, joined in (
            (np.s_[:, :-1], np.s_[:, 1:], right),
            (np.s_[:-1], np.s_[1:], below),
        ):
            least = np.where(joined, np.minimum(lowest[one], lowest[other]), grid.size)
            lowest[one] = np.minimum(lowest[one], np.where(joined, least, lowest[one]))
            lowest[other] = np.minimum(lowest[other], np.where(joined, least, lowest[other]))
        if (lowest == label).all():
            return max(len(np.unique(label[grid >= 0])), 1)
        label = lowest


@lru_cache(1)
def _fitted() -> tuple[NDArray[np.float64], float]:
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    return np.array([stored["weights"][name] for name in EVIDENCE]), float(stored["bias"])


def confidence(grid: Grid, odds: Matrix, likely: Matrix, worn: float, *, turned: bool, alike: Alike) -> float:
    """The probability that a whole layout is right, up to exchanges of identical pieces.

    At most `CAPPED` if the layout is uncertain: the pixels contradict a seam, a piece fits elsewhere almost as well, or only
    the frame connects two parts. Such layouts are often right, but cannot be distinguished from wrong ones.
    """
    return probability(evidence(grid, odds, likely, worn, turned=turned, alike=alike))


def probability(found: NDArray[np.float64]) -> float:
    """The confidence that the stored fit gives to evidence."""
    weights, bias = _fitted()
    of = dict(zip(EVIDENCE, found.tolist(), strict=True))
    uncertain = is_open(of["wrong"], GAP * of["gap"], round(math.exp(of["parts"])))
    found = np.append(found[:-1], float(uncertain))
    score = float(found @ weights) + bias
    sure = 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))
    return min(sure, CAPPED) if uncertain else sure
