"""Seams: how likely any two sides of any two pieces belong together, by the edge network in numpy and by their neighbourhoods.

A seam of a picture is part of loops: four pieces around a corner have four seams. Two sides belong together the more
likely, the more
likely the three other seams of a loop are (loops of four: K. Son, J. Hays and D. Cooper, "Solving square jigsaw puzzles with loop
constraints", ECCV 2014; here as sums over all loops, repeated, as in relaxation labelling).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.features import Sides, compatibility, features, lowest_two
from groundstate_models.jigsaw.strips import BOTTOM, DEEP, LEFT, RIGHT, TOP, Pixels, expectation, mismatch, strips

WEIGHTS = Path(__file__).with_name("seams.npz")

CANDIDATES = 24
"""Candidates of the network for each side: the most compatible sides by hand."""

ALL = 65
"""Up to so many sides, every other one is a candidate: on pages of text, the compatibility by hand says little."""

REACH = 8.0
"""Largest distance of a candidate from the best, in log-compatibility."""

CHUNK = 2048
LOOPS = 4
LOOP_FLOOR = 0.003
FLOOR = -6.0
"""Log-odds of sides that are not candidates, and lower bound of the network's output."""

Matrix = NDArray[np.float32]


@lru_cache(1)
def weights(path: Path = WEIGHTS) -> dict[str, Matrix]:
    """The trained network's weights by their PyTorch names."""
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


def network(along: Pixels, across: Pixels, whole: Pixels, weight: dict[str, Matrix]) -> Matrix:
    """`network.SeamNetwork` in numpy."""
    hidden = np.maximum(_convolved(along.transpose(0, 2, 1), weight, "first"), 0)
    for layer in ("second", "third"):
        hidden = hidden + np.maximum(_convolved(hidden, weight, layer), 0)
    # PyTorch flattens channels before depths.
    deep = np.maximum(_convolved(across.transpose(0, 2, 1), weight, "across"), 0).transpose(0, 2, 1)
    lines = np.maximum(deep.reshape(len(deep), -1) @ weight["lines.weight"].T + weight["lines.bias"], 0)
    pooled = np.concatenate([hidden.mean(axis=1), hidden.max(axis=1), whole, lines], axis=1)
    mixed = np.maximum(pooled @ weight["mix.weight"].T + weight["mix.bias"], 0)
    known = whole @ weight["known.weight"].T + weight["known.bias"]
    found: Matrix = (known + mixed @ weight["out.weight"].T + weight["out.bias"])[:, 0]
    return found


def _convolved(values: Matrix, weight: dict[str, Matrix], layer: str) -> Matrix:
    """A 1-D convolution with zero padding: (pairs, length, channels)."""
    kernel = weight[f"{layer}.weight"]
    half = kernel.shape[2] // 2
    padded = np.pad(values, ((0, 0), (half, half), (0, 0)))
    length = values.shape[1]
    total = np.broadcast_to(weight[f"{layer}.bias"], (*values.shape[:2], len(kernel))).astype(np.float32)
    for tap in range(kernel.shape[2]):
        total = total + padded[:, tap : tap + length] @ kernel[:, :, tap].T
    return total


@dataclass(frozen=True)
class Seams:
    """Log-odds of all seams, ``FLOOR`` without evidence. 0 stands for "no neighbour".

    Attributes:
        pieces: Number of pieces.
        turned: Whether pieces may be turned.
        odds: Of upright pieces (2, pieces, pieces): right neighbour, neighbour below. Of turned ones (4 pieces, 4 pieces),
        a side's
            number being side * pieces + piece.
        likely: Of the same shape, probabilities that also weigh the neighbourhoods.
        worn: Estimated number of pixels that the sides have lost.
    """

    pieces: int
    turned: bool
    odds: Matrix
    likely: Matrix
    worn: float

    def upright(self, turns: NDArray[np.int64]) -> tuple[Matrix, Matrix]:
        """`odds` and `likely`, (2, pieces, pieces), of pieces turned clockwise by quarter turns."""
        if not self.turned:
            return self.odds, self.likely
        piece = np.arange(self.pieces)

        def side(now: int) -> NDArray[np.int64]:
            return ((now - turns) % 4) * self.pieces + piece

        pairs = ((RIGHT, LEFT), (BOTTOM, TOP))
        chosen = [tuple(np.ix_(side(one), side(other))) for one, other in pairs]
        return np.stack([self.odds[at] for at in chosen]), np.stack([self.likely[at] for at in chosen])


def find_seams(pieces: NDArray[np.uint8], *, turned: bool, worn: float | None = None) -> Seams:
    """The likely seams of pieces.

    Args:
        pieces: (pieces, height, width, 3); square where they may be turned.
        turned: Whether they may be turned.
        worn: Pixels that every side has lost; None to estimate it.
    """
    cut = strips(pieces, DEEP)
    if worn is None:
        worn = estimate_worn(cut, turned=turned)
    count = len(pieces)
    if turned:
        every = Sides(np.concatenate(cut), worn)
        same = np.tile(np.eye(count, dtype=bool), (4, 4))
        odds = _odds(every, every, same)
        odds = 0.5 * odds + 0.5 * odds.T
        return Seams(count, turned, odds, _around_turned(odds, count), worn)
    sides = [Sides(strip, worn) for strip in cut]
    same = np.eye(count, dtype=bool)
    odds = np.stack([_odds(sides[RIGHT], sides[LEFT], same), _odds(sides[BOTTOM], sides[TOP], same)])
    return Seams(count, turned, odds, around(odds), worn)


def _odds(one: Sides, other: Sides, same: NDArray[np.bool_]) -> Matrix:
    """Log-odds that sides belong together, the mean of both ways to look at a seam: (sides of one, sides of other)."""
    known = compatibility(one, other)
    both = np.where(same, np.inf, known.both)
    found = np.full(both.shape, FLOOR, np.float32)
    if len(both) == 1 or not np.isfinite(both).any():
        return found
    wanted = _nearest(both) | _nearest(both.T).T if len(both) > ALL else np.isfinite(both)
    first, second = np.nonzero(wanted & ~same)
    back, best = known.back, (lowest_two(both), lowest_two(both.T))
    weight = weights()
    for start in range(0, len(first), CHUNK):
        i, j = first[start : start + CHUNK], second[start : start + CHUNK]
        forth = network(*features(one, other, known, (i, j), best), weight)
        if one is not other:
            forth = 0.5 * forth + 0.5 * network(*features(other, one, back, (j, i), best[::-1]), weight)
        found[i, j] = np.maximum(forth, FLOOR)
    return found


def _nearest(both: NDArray[np.float64]) -> NDArray[np.bool_]:
    """The candidate columns of each row."""
    count = min(CANDIDATES, both.shape[1] - 1)
    chosen = np.zeros(both.shape, bool)
    order = np.argpartition(both, count - 1, axis=1)[:, :count]
    np.put_along_axis(chosen, order, values=True, axis=1)
    near: NDArray[np.bool_] = chosen & (both <= both.min(axis=1, keepdims=True) + REACH)
    return near


def probabilities(odds: Matrix) -> Matrix:
    """Geometric mean of the neighbour probabilities from both sides; "no neighbour" counts as one more side."""
    raw = np.exp(np.clip(odds, FLOOR, 30.0).astype(np.float64)) * (odds > FLOOR)
    rows, columns = 1 + raw.sum(axis=-1, keepdims=True), 1 + raw.sum(axis=-2, keepdims=True)
    found: Matrix = (raw / np.sqrt(rows * columns)).astype(np.float32)
    return found


def alone(odds: Matrix) -> tuple[Matrix, Matrix]:
    """Probability that a side has no neighbour: by rows and by columns."""
    raw = np.exp(np.clip(odds, FLOOR, 30.0).astype(np.float64)) * (odds > FLOOR)
    return (1 / (1 + raw.sum(axis=-1))).astype(np.float32), (1 / (1 + raw.sum(axis=-2))).astype(np.float32)


def around(odds: Matrix, rounds: int = LOOPS) -> Matrix:
    """Probabilities of the seams of upright pieces, weighed by loops: (2, pieces, pieces)."""
    right, below = (probabilities(one) for one in odds)
    for _ in range(rounds):
        over = [below @ right @ below.T, below.T @ right @ below]
        beside = [right @ below @ right.T, right.T @ below @ right]
        right, below = (probabilities(_backed(one, loops)) for one, loops in zip(odds, (over, beside), strict=True))
    return np.stack([right, below])


def _around_turned(odds: Matrix, count: int, rounds: int = LOOPS) -> Matrix:
    """The same of sides that may be turned: (4 pieces, 4 pieces)."""
    found = probabilities(odds)
    for _ in range(rounds):
        grid = found.reshape(4, count, 4, count)
        loops = []
        for turn in (1, -1):
            out = np.roll(grid, -turn, axis=0).reshape(odds.shape)
            across = np.roll(grid, (-turn, turn), axis=(0, 2)).reshape(odds.shape)
            home = np.roll(grid, turn, axis=2).reshape(odds.shape)
            loops.append(out @ across @ home)
        found = probabilities(_backed(odds, loops))
    return found


def _backed(odds: Matrix, loops: list[NDArray[Any]]) -> Matrix:
    """Add the support of loops to log-odds; sides without evidence stay unchanged."""
    support = sum(np.log((LOOP_FLOOR + np.minimum(loop, 1.0)) / LOOP_FLOOR) for loop in loops)
    backed: Matrix = np.where(odds > FLOOR, odds + support, FLOOR).astype(np.float32)
    return backed


def wear(cut: list[Pixels], *, turned: bool = False, most: int = 150) -> tuple[float, float]:
    """Ratio of colour steps across seams to those inside pieces, over one pixel and over five.

    Medians of the log ratio of squared steps, over pairs of mutually most compatible sides.

    Args:
        cut: The strips of all sides, as `strips.strips` returns them.
        turned: Whether any two sides may belong together.
        most: Largest number of pieces in the sample.
    """
    near, far = [], []
    if turned:
        every = np.concatenate([strip[:most] for strip in cut])
        kinds = [(every, every)]
    else:
        kinds = [(cut[one][:most], cut[other][:most]) for one, other in ((RIGHT, LEFT), (BOTTOM, TOP))]
    for first, second in kinds:
        found = mismatch(expectation(first, 0), expectation(second, 0))
        piece = np.arange(len(first)) % min(most, len(cut[0]))
        found[piece[:, None] == piece] = np.inf
        best = found.argmin(axis=1)
        mutual = found.argmin(axis=0)[best] == np.arange(len(best))
        mine, other = first[mutual], second[best[mutual]][:, ::-1]
        lag = min(5, mine.shape[2] - 1)
        across, beside, along = (
            ((mine[:, :, 0] - there) ** 2).sum(axis=2).mean(axis=1) + 1e-5
            for there in (other[:, :, 0], mine[:, :, 1], mine[:, :, lag])
        )
        near.append(np.log(across / beside))
        far.append(np.log(across / along))
    return float(np.median(np.concatenate(near))), float(np.median(np.concatenate(far)))


def estimate_worn(cut: list[Pixels], *, turned: bool = False) -> float:
    """Estimate the pixels that every side has lost, from the growth of colour steps with distance inside the pieces."""
    near, far = wear(cut, turned=turned)
    if near < 0.15 or far < -0.8:
        return 0.0
    return 1.0 if far < -0.37 else 2.0 if far < -0.15 else 3.0
