"""Numbers with a given total: each within its bounds, some of them whole, as near to wanted values as possible."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CLOSE = 1e-9
"""Difference from a total or a whole number that counts as none, relative to its size."""


@dataclass(frozen=True, slots=True)
class Part:
    """A number of a total.

    Attributes:
        wanted: The value that it should be near.
        spread: The unit of distances from it, above 0.
        low, high: Its bounds; may be infinite.
        whole: Whether it must be whole.
    """

    wanted: float
    spread: float
    low: float = -math.inf
    high: float = math.inf
    whole: bool = False

    @property
    def least(self) -> float:
        """The least value that it may have."""
        return math.ceil(self.low - _slack(self.low)) if self.whole and math.isfinite(self.low) else self.low

    @property
    def most(self) -> float:
        """The largest value that it may have."""
        return math.floor(self.high + _slack(self.high)) if self.whole and math.isfinite(self.high) else self.high


def _slack(value: float) -> float:
    return CLOSE * max(1.0, abs(value)) if math.isfinite(value) else 0.0


def possible(parts: Sequence[Part], total: float) -> bool:
    """Whether any values of the parts have the total: exact up to `CLOSE`."""
    if any(part.least > part.most for part in parts):
        return False
    slack = _slack(total)
    free, whole = [p for p in parts if not p.whole], [p for p in parts if p.whole]
    low, high = total - sum(p.most for p in free), total - sum(p.least for p in free)
    if not whole:
        return low <= slack and high >= -slack
    first, last = max(low - slack, sum(p.least for p in whole)), min(high + slack, sum(p.most for p in whole))
    return first <= last and (math.isinf(first) or math.isinf(last) or math.ceil(first) <= math.floor(last))


def divided(parts: Sequence[Part], total: float) -> list[float] | None:
    """Values of the parts with the total, near the wanted ones in squared distances by spreads; None if impossible.

    None also if whole parts are so large that steps of one are lost in rounding.
    Without whole parts it is the nearest choice. Whole parts are rounded from it, one unit after another where it costs least.
    """
    if not parts or not possible(parts, total):
        return None
    found = _nearest(parts, total, range(len(parts)), [0.0] * len(parts))
    whole = [k for k, part in enumerate(parts) if part.whole]
    if not whole:
        return found
    for k in whole:
        found[k] = min(max(float(round(found[k])), parts[k].least), parts[k].most)
    free = [k for k in range(len(parts)) if not parts[k].whole]
    # Whole parts leave a rest that the others can take up, or none if there are no others.
    low, high = total - sum(parts[k].most for k in free), total - sum(parts[k].least for k in free)
    slack = _slack(total)
    while True:
        have = math.fsum(found[k] for k in whole)
        if low - slack <= have <= high + slack:
            break
        step = 1.0 if have < low else -1.0
        can = [k for k in whole if parts[k].least <= found[k] + step <= parts[k].most]
        if not can:
            return None
        gap = low - have if step > 0 else have - high
        # Far from the total, many units at once: the walk is bounded.
        size = max(1.0, math.floor(gap / (2 * len(can))))
        k = min(can, key=lambda k: _cost(parts[k], found[k] + step) - _cost(parts[k], found[k]))
        moved = min(max(found[k] + step * size, parts[k].least), parts[k].most)
        if moved == found[k]:
            return None
        found[k] = moved
    return _nearest(parts, total, free, found)


def _cost(part: Part, value: float) -> float:
    return ((value - part.wanted) / part.spread) ** 2


def _nearest(parts: Sequence[Part], total: float, moving: Sequence[int], found: list[float]) -> list[float]:
    """Set the moving parts to the nearest values with the total; the others stay.

    Each is ``wanted + λ spread²`` within its bounds; λ by fixing those that leave their bounds, the side that leaves more first.
    """
    found = list(found)
    moving = list(moving)
    fixed = math.fsum(value for k, value in enumerate(found) if k not in set(moving))
    rest, open_ = total - fixed, set(moving)
    for k in moving:
        found[k] = min(max(parts[k].wanted, parts[k].least), parts[k].most)
    while open_:
        taken = math.fsum(found[k] for k in moving if k not in open_)
        scale = math.fsum(parts[k].spread ** 2 for k in open_)
        shift = (rest - taken - math.fsum(parts[k].wanted for k in open_)) / scale
        tried = {k: parts[k].wanted + shift * parts[k].spread ** 2 for k in open_}
        below = {k: parts[k].least - v for k, v in tried.items() if v < parts[k].least}
        above = {k: v - parts[k].most for k, v in tried.items() if v > parts[k].most}
        if not below and not above:
            for k, value in tried.items():
                found[k] = value
            break
        side, ends = (below, "least") if sum(below.values()) >= sum(above.values()) else (above, "most")
        for k in side:
            found[k] = getattr(parts[k], ends)
            open_.discard(k)
    # Rounding: the last digit goes to a part that has room for it.
    for k in moving:
        left = total - math.fsum(found)
        if left == 0.0:
            break
        found[k] = min(max(found[k] + left, parts[k].least), parts[k].most)
    return found
