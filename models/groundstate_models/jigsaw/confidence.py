"""How sure a layout is: a calibrated probability that all of it is right, and the seams that are doubtful.

The probability is a logistic regression on what the seams say, fitted on held-out photographs (`calibrate`) and kept in
`confidence.json`.
"""

from __future__ import annotations

import json
import math
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.layout import Grid, exchanges, seam_odds
from groundstate_models.jigsaw.seams import FLOOR, Matrix

FILE = Path(__file__).with_name("confidence.json")
EVIDENCE = ("loss", "worst", "doubtful", "wrong", "size", "gap", "even", "worn", "turned")
DOUBTFUL = 0.5
TIE = 0.7
"""Log-odds within which two layouts are as good as each other."""

GAP = 12.0
CAPPED = 0.98


def seam_confidence(grid: Grid, likely: Matrix) -> tuple[Matrix, Matrix]:
    """How likely each seam of a grid is; 1 beside empty places."""
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


def evidence(grid: Grid, odds: Matrix, likely: Matrix, worn: float, *, turned: bool) -> NDArray[np.float64]:
    """What the seams of a layout say about it, in the order of `EVIDENCE`; exchanges that cost nothing say nothing."""
    there = np.concatenate([one.ravel() for one in _there(grid)])
    chance = np.concatenate([one.ravel() for one in seam_confidence(grid, likely)])[there]
    value = np.concatenate([one.ravel() for one in seam_odds(grid, odds)])[there]
    if not len(chance):
        return np.zeros(len(EVIDENCE))
    loss = -np.log(np.clip(chance, 1e-4, 1))
    near = [more for more, _, _ in exchanges(grid, odds, GAP) if more > TIE]
    return np.array(
        [
            math.log(loss.mean() + 1e-3),
            math.log(np.sort(loss)[-max(1, len(loss) // 50) :].mean() + 1e-2),
            float((chance < DOUBTFUL).mean()),
            float((value <= FLOOR / 2).mean()),
            math.log(len(chance)),
            min(near[0] if near else GAP, GAP) / GAP,
            math.log1p(len(near)),
            min(worn, 4.0) / 4,
            float(turned),
        ]
    )


@lru_cache(1)
def _fitted() -> tuple[NDArray[np.float64], float]:
    stored = json.loads(FILE.read_text(encoding="utf-8"))
    return np.array([stored["weights"][name] for name in EVIDENCE]), float(stored["bias"])


def confidence(grid: Grid, odds: Matrix, likely: Matrix, worn: float, *, turned: bool) -> float:
    """The probability that a whole layout is right, up to exchanges that cost nothing.

    At most `CAPPED` where the pixels speak against a seam: pictures have such seams, and nothing tells them from wrong ones.
    """
    weights, bias = _fitted()
    found = evidence(grid, odds, likely, worn, turned=turned)
    score = float(found @ weights) + bias
    sure = 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))
    return min(sure, CAPPED) if found[EVIDENCE.index("wrong")] > 0 else sure
