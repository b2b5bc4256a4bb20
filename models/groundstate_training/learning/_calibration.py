"""Calibrates the intervals of a table's columns on held-out cells: split conformal prediction, shrunk between columns."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from groundstate_models.learned.columns import GRID, Belief, Column, grown
from groundstate_training.learning._training import Table

TOGETHER = 25
"""Weight, in cells, of all columns' calibration in each column's own."""

FEW = 20
"""Weight, in cells, of the experts' own intervals in the calibration of all columns."""

Floats = NDArray[np.float64]


def calibrate(
    columns: Sequence[Column], table: Table, held: NDArray[np.bool_], tested: Sequence[Belief]
) -> list[Column]:
    """Columns whose 90 % intervals cover 90 % of the held-out cells.

    Args:
        columns: The columns, uncalibrated.
        table: The table.
        held: The held-out cells, ``(rows, columns)`` in the order of the network.
        tested: The uncalibrated belief about each held-out cell.
    """
    many = table.numbers.shape[1]
    found = list(columns)
    cells: list[list[tuple[Belief, int]]] = [[] for _ in columns]
    for belief, row, place in zip(tested, *(part.tolist() for part in np.nonzero(held)), strict=True):
        cells[place].append((belief, row))
    ratios = [
        np.array([_ratio(belief, float(table.numbers[row, place])) for belief, row in cells[place]])
        for place in range(many)
    ]
    for place, score in _shrunk(ratios, 0.0):
        k = table.order[place]
        found[k] = replace(columns[k], widen=float(np.clip(math.exp(score), 0.5, 2.5)))
    # The factor on the width is bounded, and steps of a distribution do not widen: the rest is left to the probability.
    masses = [
        np.array(
            [
                _central(replace(belief, column=found[table.order[place]]), float(table.numbers[row, place]))
                for belief, row in cells[place]
            ]
        )
        for place in range(many)
    ]
    for place, score in _shrunk(masses, 0.9):
        k = table.order[place]
        found[k] = replace(found[k], mass=float(np.clip(score, 0.9, 0.999)))
    masses = []
    for place in range(many, len(columns)):
        k = table.order[place]
        seen = [(belief.chances, int(table.levels[row, place - many])) for belief, row in cells[place]]
        found[k] = replace(columns[k], widen=_temperature(seen))
        warm = [(Belief.of_levels(found[k], chances).chances, level) for chances, level in seen]
        masses.append(np.array([needed(chances, level) for chances, level in warm] if columns[k].ordered else []))
    for place, score in _shrunk(masses, 0.9):
        k = table.order[many + place]
        found[k] = replace(found[k], mass=float(np.clip(score, 0.0, 0.999)))
    return found


def _ratio(belief: Belief, point: float) -> float:
    """Log distance of a point from the median, relative to that of the 90 % interval's end."""
    low, middle, high = np.interp([0.05, 0.5, 0.95], belief.cdf, GRID)
    ratio = abs(point - middle) / max(high - middle if point > middle else middle - low, 1e-6)
    return math.log(max(ratio, 0.05))


def _central(belief: Belief, point: float) -> float:
    """The probability of the smallest central interval that covers a point."""
    return 2.0 * abs(float(np.interp(point, GRID, belief.cdf)) - 0.5)


def _temperature(seen: Sequence[tuple[NDArray[np.float64], int]]) -> float:
    """The temperature with the best likelihood of held-out levels (C. Guo et al., 2017), with a weak prior on 1."""
    if not seen:
        return 1.0
    logs = np.log(np.maximum(np.stack([chances for chances, _ in seen]), 1e-9))
    levels = np.array([level for _, level in seen])
    best, at = math.inf, 1.0
    for t in np.geomspace(0.7, 6.0, 40):
        scaled = logs / t
        chosen = scaled[np.arange(len(levels)), levels] - np.logaddexp.reduce(scaled, 1)
        loss = -float(chosen.sum()) + 5.0 * math.log(t) ** 2
        if loss < best:
            best, at = loss, float(t)
    return at


def _shrunk(scores: Sequence[Floats], prior: float) -> list[tuple[int, float]]:
    """The 90 % quantile of each column's scores, shrunk towards that of all: a few dozen cells say little about a tail."""
    every = np.concatenate(scores) if scores else np.empty(0)
    if len(every) < 20:
        return []
    common = (_quantile(every) * len(every) + FEW * prior) / (len(every) + FEW)
    found = []
    for place, own in enumerate(scores):
        if len(own):
            apart = _quantile(own) if len(own) >= 10 else common
            found.append((place, (len(own) * apart + TOGETHER * common) / (len(own) + TOGETHER)))
    return found


def _quantile(scores: Floats) -> float:
    """The quantile below which a further score is with a probability of 90 %: the ``0.9 (n + 1)``-th smallest."""
    place = 0.9 * (len(scores) + 1) - 1
    return float(np.interp(place, np.arange(len(scores)), np.sort(scores)))


def needed(chances: NDArray[np.float64], level: int) -> float:
    """The probability below which the interval grown from the likeliest level leaves out a level."""
    low, high = 0.0, 1.0
    first = last = int(chances.argmax())
    have = float(chances[first])
    if first == level:
        return low
    while first > 0 or last < len(chances) - 1:
        first, last = grown(chances, have + 1e-9)
        if first <= level <= last:
            return have
        have = float(chances[first : last + 1].sum())
    return high
