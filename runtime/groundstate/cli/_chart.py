"""A curve in block characters."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import pairwise

_BLOCKS = " ▁▂▃▄▅▆▇█"


def area(values: Sequence[float], places: Sequence[int], width: int, height: int, now: int) -> list[str]:
    """The area under a curve, as lines of text.

    Args:
        values: The curve, one value per moment.
        places: Position of each moment on the horizontal axis, from 0, increasing.
        width: Columns of the whole axis; each shows its nearest moment.
        height: Lines.
        now: The last moment to draw; later columns stay empty.

    Returns:
        `height` lines of `width` characters. The least value is the lowest block, the greatest fills all lines.
    """
    low, high = min(values), max(values)
    span = (high - low) or 1.0
    borders = [(one + next_one) / 2 for one, next_one in pairwise(places)]
    levels = []
    for column in range(width):
        moment = bisect(borders, column * places[-1] / max(1, width - 1))
        level = 1 + round((values[moment] - low) / span * (8 * height - 1))
        levels.append(level if moment <= now else 0)
    return ["".join(_BLOCKS[min(8, max(0, level - 8 * line))] for level in levels) for line in reversed(range(height))]
