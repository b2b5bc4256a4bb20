"""Arithmetic with intervals on arrays, rounded outward: the result contains every value of the operands' values.

An interval is a pair of arrays, its lower and upper ends; ends may be infinite, and 0·∞ is 0.
R. E. Moore, "Interval Analysis", 1966.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.system import Floats

ULP = 2.3e-16
"""Above half the distance of 1 to the next number: bounds the relative rounding error of one operation."""


class Interval(NamedTuple):
    """Lower and upper ends, of one shape."""

    low: Floats
    high: Floats

    def __neg__(self) -> Interval:
        return Interval(-self.high, -self.low)

    def at(self, index: NDArray[Any]) -> Interval:
        """Elements of the last axis."""
        return Interval(self.low[..., index], self.high[..., index])

    @property
    def size(self) -> Floats:
        """The largest absolute value."""
        return np.maximum(np.abs(self.low), np.abs(self.high))


def outward(low: Floats, high: Floats) -> Interval:
    """The interval, each end moved to the next number: covers one rounding to nearest."""
    return Interval(np.nextafter(low, -np.inf), np.nextafter(high, np.inf))


def plus(a: Interval, b: Interval) -> Interval:
    return outward(a.low + b.low, a.high + b.high)


def minus(a: Interval, b: Interval) -> Interval:
    return outward(a.low - b.high, a.high - b.low)


def times(a: Interval, b: Interval) -> Interval:
    with np.errstate(invalid="ignore", over="ignore"):
        every = np.stack([a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high])
    every[np.isnan(every)] = 0.0
    return outward(every.min(0), every.max(0))


def squared(a: Interval) -> Interval:
    low, high = np.abs(a.low), np.abs(a.high)
    least = np.where((a.low <= 0) & (a.high >= 0), 0.0, np.minimum(low, high))
    found = outward(least * least, np.maximum(low, high) ** 2)
    return Interval(np.maximum(found.low, 0.0), found.high)


def over(a: Interval, b: Interval) -> Interval:
    """The quotients ``a / b`` for b ≠ 0; everything if 0 is inside b."""
    flip = b.high <= 0
    low, high = np.where(flip, -b.high, b.low), np.where(flip, -b.low, b.high)
    top, bottom = np.where(flip, -a.low, a.high), np.where(flip, -a.high, a.low)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        least = np.where(bottom >= 0, bottom / high, bottom / np.abs(low))
        most = np.where(top >= 0, top / np.abs(low), top / high)
    unknown = low < 0
    least = np.where(unknown | np.isnan(least), -np.inf, least)
    most = np.where(unknown | np.isnan(most), np.inf, most)
    return outward(least, most)


def root(a: Floats) -> tuple[Floats, Floats]:
    """Bounds of the square root of numbers that are at least 0."""
    found = np.sqrt(np.maximum(a, 0.0))
    return np.maximum(np.nextafter(found, -np.inf), 0.0), np.nextafter(found, np.inf)
