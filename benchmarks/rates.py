"""Rates with their uncertainty, and times, formatted for tables."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence


def interval(hits: float, n: int) -> tuple[float, float]:
    """The 95 % score interval of a rate (E. B. Wilson, "Probable inference", 1927)."""
    z, p = 1.96, hits / n
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    spread = z * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, centre - spread), min(1.0, centre + spread)


def wilson(hits: float, n: int) -> str:
    """A rate in percent with its 95 % interval."""
    if n == 0:
        return "–"
    low, high = interval(hits, n)
    return f"{100 * hits / n:.2f} % [{100 * low:.1f}, {100 * high:.1f}]"


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of the values do not exceed."""
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def milliseconds(seconds: Sequence[float]) -> str:
    """Median and 95th percentile of some times."""
    if not seconds:
        return "–"
    return f"{1e3 * statistics.median(seconds):.0f} / {1e3 * percentile(seconds, 0.95):.0f} ms"
