"""Calibrates the intervals of a table's columns on held-out cells: split conformal prediction.

A table with gaps is asked about its gaps, which may lie in other rows than the known cells: held-out cells count by the odds
that a cell like them is a gap (R. J. Tibshirani et al., "Conformal prediction under covariate shift", 2019).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from groundstate_models.learned.columns import GRID, Belief, Column, grown
from groundstate_training.learning._training import COMPLETE, Table

TOGETHER = 25
"""Weight, in cells, of all columns' calibration in each column's own."""

FEW = 20
"""Weight, in cells, of the experts' own intervals in the calibration of all columns."""

RIDGE = 5.0
"""Penalty of the odds' coefficients, in cells: columns without evidence get odds that are the same in all rows."""

UNEVEN = 5.0
"""Largest ratio of a cell's odds to the mean of its column: rarer cells would decide alone."""

Floats = NDArray[np.float64]
Scores = Sequence[tuple[Floats, Floats]]


def odds_of_gaps(table: Table) -> Floats:
    """The odds that a cell is missing, from the other columns of its row, ``(rows, columns)``; 1 for a complete table.

    Logistic regression with a ridge on the other columns' values and gaps. A column without gaps has odds near 0.
    """
    rows, columns = table.known.shape
    if table.known.mean() >= COMPLETE:
        return np.ones((rows, columns))
    values = np.concatenate([table.numbers.astype(np.float64), table.levels.astype(np.float64)], 1)
    for k in range(columns):
        own = values[table.known[:, k], k]
        middle, spread = (own.mean(), own.std() + 1e-9) if len(own) else (0.0, 1.0)
        values[:, k] = np.where(table.known[:, k], (values[:, k] - middle) / spread, 0.0)
    gaps = ~table.known
    found = np.zeros((rows, columns))
    for k in range(columns):
        others = [j for j in range(columns) if j != k]
        x = np.concatenate([np.ones((rows, 1)), values[:, others], gaps[:, others] - gaps[:, others].mean(0)], 1)
        found[:, k] = np.exp(x @ _logistic(x, gaps[:, k].astype(np.float64)))
    return np.asarray(np.minimum(found, UNEVEN * found.mean(0)))


def _logistic(x: Floats, y: Floats) -> Floats:
    """Coefficients of a logistic regression with a ridge on all but the first, by Newton's method."""
    ridge = np.full(x.shape[1], RIDGE)
    ridge[0] = 1e-3
    at = np.zeros(x.shape[1])
    at[0] = math.log((y.sum() + 0.5) / (len(y) - y.sum() + 0.5))
    for _ in range(12):
        p = 1 / (1 + np.exp(-(x @ at).clip(-15, 15)))
        slope = x.T @ (y - p) - ridge * at
        step = np.linalg.solve((x * (p * (1 - p))[:, None]).T @ x + np.diag(ridge), slope)
        at = at + step.clip(-2, 2)
        if np.abs(step).max() < 1e-6:
            break
    return at


def calibrate(
    columns: Sequence[Column], table: Table, held: NDArray[np.bool_], odds: Floats, tested: Sequence[Belief]
) -> list[Column]:
    """Columns whose 90 % intervals cover 90 % of the cells that are asked for, by the held-out cells like them.

    Args:
        columns: The columns, uncalibrated.
        table: The table.
        held: The held-out cells, ``(rows, columns)`` in the order of the network.
        odds: Weights of the cells, ``(rows, columns)``.
        tested: The uncalibrated belief about each held-out cell.
    """
    many = table.numbers.shape[1]
    found = list(columns)
    cells: list[list[tuple[Belief, int]]] = [[] for _ in columns]
    for belief, row, place in zip(tested, *(part.tolist() for part in np.nonzero(held)), strict=True):
        cells[place].append((belief, row))
    weights = [odds[[row for _, row in own], place] for place, own in enumerate(cells)]
    ratios = [
        np.array([_ratio(belief, float(table.numbers[row, place])) for belief, row in cells[place]])
        for place in range(many)
    ]
    for place, score in _shrunk(list(zip(ratios, weights[:many], strict=True)), 0.0):
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
    for place, score in _shrunk(list(zip(masses, weights[:many], strict=True)), 0.9):
        k = table.order[place]
        found[k] = replace(found[k], mass=float(np.clip(score, 0.9, 0.999)))
    masses = []
    for place in range(many, len(columns)):
        k = table.order[place]
        seen = [(belief.chances, int(table.levels[row, place - many])) for belief, row in cells[place]]
        found[k] = replace(columns[k], widen=_temperature(seen))
        warm = [(Belief.of_levels(found[k], chances).chances, level) for chances, level in seen]
        masses.append(np.array([needed(chances, level) for chances, level in warm] if columns[k].ordered else []))
    own = [part if len(scores) else part[:0] for scores, part in zip(masses, weights[many:], strict=True)]
    for place, score in _shrunk(list(zip(masses, own, strict=True)), 0.9):
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


def _shrunk(scores: Scores, prior: float) -> list[tuple[int, float]]:
    """The 90 % quantile of each column's scores by their weights, shrunk towards that of all columns.

    A few dozen cells say little about a tail. How many cells the weights amount to is L. Kish's effective number.
    """
    every = np.concatenate([one for one, _ in scores]) if scores else np.empty(0)
    weights = np.concatenate([one for _, one in scores]) if scores else np.empty(0)
    if len(every) < 20 or weights.sum() <= 0:
        return []
    many = _effective(weights)
    common = (_quantile(every, weights) * many + FEW * prior) / (many + FEW)
    found = []
    for place, (own, weight) in enumerate(scores):
        if len(own):
            many = _effective(weight)
            apart = _quantile(own, weight) if many >= 10 else common
            found.append((place, (many * apart + TOGETHER * common) / (many + TOGETHER)))
    return found


def _effective(weights: Floats) -> float:
    """The number of equal weights that tell as much."""
    return float(weights.sum() ** 2 / max((weights**2).sum(), 1e-300))


def _quantile(scores: Floats, weights: Floats) -> float:
    """The weighted 90 % quantile with the correction for the number of scores (conformal prediction)."""
    order = np.argsort(scores)
    part = weights[order]
    at = (np.cumsum(part) - part / 2) / part.sum()
    return float(np.interp(min(0.9 * (1 + 1 / _effective(weights)), 1.0), at, scores[order]))


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
