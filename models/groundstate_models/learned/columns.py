"""The columns of a table: maps values to numbers of the energy, and its conditionals to distributions of values.

A column has *levels* (a finite list of values) or *numbers*. Numbers are mapped to a scale halfway between their standard
scores and those of their ranks, so that outliers and skewed columns do no harm; the map is linear between knots and beyond.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Value = float | int | str

GRID = np.linspace(-6.0, 6.0, 481)
"""Points of the normal scale for the tables of distributions."""

KNOTS = 65
MODE = 0.15
"""Smallest probability around a peak of a number's distribution that is offered as an alternative."""

FAR = 0.2
"""Probability of a value at least as far from the median, below which the calibrated distribution decides."""

SMOOTH = 0.05
"""Width, on the normal scale, that smooths a density."""

SLIGHT = 1e-5
"""Weight of a component up to which a distribution is computed without it."""

_EDGE = 6.0
_A_UNIT = 4096.0
_CDF = np.array(
    [0.5 * math.erfc(-k / _A_UNIT / math.sqrt(2.0)) for k in range(-int(_EDGE * _A_UNIT), int(_EDGE * _A_UNIT) + 1)]
)


def normal_cdf(x: Floats) -> Floats:
    """The standard normal distribution function, from the nearest entry of a table; the error is below 5e-5."""
    at = np.minimum(np.maximum(np.asarray(x), -_EDGE), _EDGE) * _A_UNIT + (_EDGE * _A_UNIT + 0.5)
    return np.asarray(_CDF[at.astype(np.int32)], np.float64)


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes:
        name: Its header.
        kind: ``levels`` or ``number``.
        levels: The values of a column of levels, in order.
        knots: For a column of numbers: increasing values, and their positions on the normal scale.
        whole: Whether the numbers are whole.
        spread: Standard deviation of the numbers, the unit of errors.
        widen: Factor on the width of a number's distribution, or the temperature of levels, fitted on held-out cells.
        mass: Probability that a 90 % interval must have by the experts, fitted on held-out cells.
    """

    name: str
    kind: str
    levels: tuple[Value, ...] = ()
    knots: tuple[tuple[float, ...], tuple[float, ...]] = ((), ())
    whole: bool = False
    spread: float = 1.0
    widen: float = 1.0
    mass: float = 0.9

    @cached_property
    def index(self) -> dict[Value, int]:
        """The index of each level."""
        return {value: place for place, value in enumerate(self.levels)}

    @property
    def ordered(self) -> bool:
        """Whether the values are ordered."""
        return self.kind == "number" or all(isinstance(v, int | float) for v in self.levels)

    @property
    def integers(self) -> bool:
        """Whether the values are whole numbers."""
        return self.whole if self.kind == "number" else all(isinstance(v, int) for v in self.levels)

    def to_normal(self, values: Floats) -> Floats:
        """Map numbers to the normal scale."""
        x, u = map(np.asarray, self.knots)
        return _linear(values, x, u)

    def from_normal(self, points: Floats) -> Floats:
        """Map points of the normal scale to numbers."""
        x, u = map(np.asarray, self.knots)
        found = _linear(points, u, x)
        return np.round(found) if self.whole else found

    def to_json(self) -> dict[str, Any]:
        """The column as JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "levels": list(self.levels),
            "knots": [[float(f"{v:.7g}") for v in part] for part in self.knots],
            "whole": self.whole,
            "spread": self.spread,
            "widen": round(self.widen, 4),
            "mass": round(self.mass, 4),
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """The column that `to_json` wrote."""
        x, u = raw["knots"]
        return cls(
            raw["name"],
            raw["kind"],
            tuple(raw["levels"]),
            (tuple(x), tuple(u)),
            raw["whole"],
            raw["spread"],
            raw["widen"],
            raw.get("mass", 0.9),
        )


def _linear(values: Floats, x: Floats, y: Floats) -> Floats:
    """Piecewise linear interpolation, extrapolated with the slope of a wide end piece."""
    inside = np.interp(values, x, y)
    ends = max(1, len(x) // 16)
    low = y[0] + (values - x[0]) * (y[ends] - y[0]) / max(x[ends] - x[0], 1e-12)
    high = y[-1] + (values - x[-1]) * (y[-1] - y[-1 - ends]) / max(x[-1] - x[-1 - ends], 1e-12)
    return np.where(values < x[0], low, np.where(values > x[-1], high, inside))


def number_column(name: str, values: Sequence[float]) -> Column:
    """A column of numbers with the quantiles of its values."""
    x = np.sort(np.asarray(values, np.float64))
    distinct, counts = np.unique(x, return_counts=True)
    # Use the middle rank of ties, so that a frequent value has a distinct position.
    middle = (np.cumsum(counts) - counts / 2) / len(x)
    if len(distinct) > KNOTS:
        keep = np.unique(np.searchsorted(middle, np.linspace(middle[0], middle[-1], KNOTS)).clip(0, len(middle) - 1))
        distinct, middle = distinct[keep], middle[keep]
    # Half by rank, half unchanged: outliers stay near, gaps stay gaps, and straight lines stay nearly straight.
    plain = ((distinct - x.mean()) / max(float(x.std()), 1e-12)).clip(-5, 5)
    u = 0.5 * np.interp(middle, normal_cdf(GRID), GRID) + 0.5 * plain
    u = np.maximum.accumulate(u) + 1e-9 * np.arange(len(u))
    whole = bool(np.all(x == np.round(x)))
    return Column(name, "number", (), (tuple(distinct.tolist()), tuple(u.tolist())), whole, float(x.std()) or 1.0)


def level_column(name: str, levels: Sequence[Value]) -> Column:
    """A column of levels."""
    numbers = [float(v) for v in levels if isinstance(v, int | float)]
    spread = float(np.std(numbers)) if len(numbers) == len(levels) else 1.0
    return Column(name, "levels", tuple(levels), spread=spread or 1.0)


def grown(chances: Floats, mass: float) -> tuple[int, int]:
    """The first and the last level of the interval that grows from the likeliest level until it has a probability."""
    first = last = int(chances.argmax())
    have = chances[first]
    while have < mass - 1e-12 and (first > 0 or last < len(chances) - 1):
        below = chances[first - 1] if first > 0 else -1.0
        above = chances[last + 1] if last < len(chances) - 1 else -1.0
        if above > below:
            last, have = last + 1, have + above
        else:
            first, have = first - 1, have + below
    return first, last


def _at(mixtures: Floats, points: Floats | float) -> Floats:
    """Distribution functions of mixtures, ``(…, 3, components)`` of weights, means and widths, at a point each."""
    weights, means, scales = mixtures[..., 0, :], mixtures[..., 1, :], mixtures[..., 2, :]
    return np.asarray((normal_cdf((np.asarray(points)[..., None] - means) / scales) * weights).sum(-1))


def plausible(mixtures: Floats, points: Floats) -> NDArray[np.bool_]:
    """Whether points of the normal scale are so likely under their mixtures that no calibrated distribution needs to decide."""
    at = _at(mixtures, points) / mixtures[..., 0, :].sum(-1)
    return np.asarray(2.0 * np.minimum(at, 1.0 - at) >= FAR)


@dataclass(frozen=True)
class Belief:
    """The distribution of a missing value.

    Attributes:
        column: Its column.
        chances: Probability of each level.
        mixture: Weights, means and scales of the normal distributions of a number, on the normal scale.
    """

    column: Column
    chances: Floats
    mixture: Floats

    @classmethod
    def of_levels(cls, column: Column, chances: Floats) -> Self:
        """The belief about a level."""
        if column.widen != 1.0:
            chances = np.maximum(chances, 1e-9) ** (1.0 / column.widen)
        return cls(column, chances / chances.sum(), np.empty(0))

    @classmethod
    def of_mixture(cls, column: Column, weights: Floats, means: Floats, scales: Floats) -> Self:
        """The belief about a number, from a mixture of normal distributions on the normal scale."""
        return cls(column, np.empty(0), np.stack([weights / weights.sum(), means, scales]))

    @cached_property
    def cdf(self) -> Floats:
        """Distribution function of a number at `GRID`."""
        cdf = self._plain_cdf
        if self.column.widen != 1.0:
            middle = float(np.interp(0.5, cdf, GRID))
            cdf = np.interp(middle + (GRID - middle) / self.column.widen, GRID, cdf)
        return cdf

    @cached_property
    def _plain_cdf(self) -> Floats:
        weights, means, scales = self.mixture[:, self.mixture[0] > SLIGHT]
        return np.asarray(normal_cdf((GRID[:, None] - means) / scales) @ (weights / weights.sum()))

    def quantiles(self, levels: Floats) -> Floats:
        """Quantiles, as numbers; also for ordered levels."""
        if self.column.kind == "levels":
            at = np.searchsorted(self.chances.cumsum(), np.asarray(levels) - 1e-12).clip(0, len(self.chances) - 1)
            return np.asarray([float(self.column.levels[int(k)]) for k in at])
        increasing = np.maximum.accumulate(self.cdf) + np.arange(len(GRID)) * 1e-12
        return self.column.from_normal(np.interp(levels, increasing, GRID))

    @property
    def mean(self) -> float:
        """The mean, which minimises the squared error; also for ordered levels."""
        if self.column.kind == "levels":
            return float(np.dot(self.chances, [float(v) for v in self.column.levels]))
        return float(self.quantiles((np.arange(64) + 0.5) / 64).mean())

    @property
    def median(self) -> float:
        """The median of a number."""
        return float(self.quantiles(np.array([0.5]))[0])

    def interval(self, part: float = 0.9) -> tuple[float, float]:
        """The central interval with a given probability, calibrated for 0.9; for ordered levels the one around the likeliest."""
        if self.column.kind == "levels":
            first, last = grown(self.chances, part * self.column.mass / 0.9)
            return float(self.column.levels[first]), float(self.column.levels[last])
        mass = min(part * self.column.mass / 0.9, 0.999)
        low, high = self.quantiles(np.array([(1 - mass) / 2, (1 + mass) / 2]))
        return float(low), float(high)

    def likelihood(self, value: Value) -> float:
        """Likelihood of a value: its probability, or for a number the probability of one at least as far from the median.

        For a number it is exact below `FAR`.
        """
        if self.column.kind == "levels":
            place = self.column.index.get(value)
            return 0.0 if place is None else float(self.chances[place])
        return self.likelihood_at(float(self.column.to_normal(np.array([float(value)]))[0]))

    def likelihood_at(self, point: float) -> float:
        """The likelihood of a number, given its point of the normal scale."""
        at = float(_at(self.mixture, point))
        if 2.0 * min(at, 1.0 - at) < FAR and self.column.widen != 1.0:
            at = float(np.interp(point, GRID, self.cdf))
        return 2.0 * min(at, 1.0 - at)

    @property
    def top(self) -> float:
        """The point of the normal scale where a number's smoothed density is highest."""
        points = GRID[::4]
        return float(points[int(self._density(points).argmax())])

    def density_at(self, point: float) -> float:
        """The smoothed density of a number at a point of the normal scale."""
        return float(self._density(np.array([point]))[0])

    def _density(self, points: Floats) -> Floats:
        weights, means, scales = self.mixture[:, self.mixture[0] > SLIGHT]
        scales = np.sqrt(scales**2 + SMOOTH**2) * self.column.widen
        z = (points[:, None] - means) / scales
        return np.asarray(np.exp(-0.5 * z * z) @ (weights / scales) / math.sqrt(2 * math.pi))

    def peaks(self) -> list[tuple[Value, float]]:
        """The likely values, with their probabilities: levels, or the peaks of a number's density."""
        if self.column.kind == "levels":
            order = np.argsort(-self.chances, kind="stable")
            return [(self.column.levels[int(k)], float(self.chances[k])) for k in order if self.chances[k] >= MODE / 3][
                :5
            ]
        # In the column's own numbers: the energy's scale nearly closes the gaps of a column.
        low, high = self.quantiles(np.array([0.005, 0.995]))
        edges = np.linspace(low, high, 121)
        if not high > low:
            return [(self._plain(float(low)), 1.0)]
        cdf = np.interp(self.column.to_normal(edges), GRID, self.cdf)
        window = np.hanning(13) / np.hanning(13).sum()
        density = np.convolve(np.pad(np.diff(cdf), 6), window, "valid")
        bounded = np.pad(density, 1)
        top = [k for k in range(len(density)) if bounded[k] < density[k] >= bounded[k + 2]]
        top.sort(key=lambda k: -density[k])
        chosen: list[int] = []
        for k in top:
            # A peak counts if the density falls to half of it on the way to every higher one.
            if all(density[min(k, other) : max(k, other) + 1].min() < 0.5 * density[k] for other in chosen):
                chosen.append(k)
        ranked = sorted(chosen)
        cuts = [0, *(int(a + density[a:b].argmin()) for a, b in pairwise(ranked)), len(cdf) - 1]
        weight = {k: float(cdf[cuts[n + 1]] - cdf[cuts[n]]) for n, k in enumerate(ranked)}
        found = [(self._plain(float(edges[k] + edges[k + 1]) / 2), weight[k]) for k in chosen if weight[k] >= MODE]
        return sorted(found, key=lambda peak: -peak[1])

    def _plain(self, value: float) -> Value:
        return round(value) if self.column.whole else float(f"{value:.6g}")
