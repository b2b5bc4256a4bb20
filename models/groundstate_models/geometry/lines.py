"""Lines that statements put more than two points on, so that what follows from earlier statements adds no equation.

Overlapping statements about one line, such as all pairs of its segments, would otherwise hide how many equations are independent.
"""

from __future__ import annotations

from itertools import combinations
from typing import Any

from groundstate_models.geometry.system import EQUAL, Row

ON_LINE = frozenset({"on line", "on segment", "between", "on ray", "collinear"})


class Lines:
    """Sets of points on one line.

    Args:
        apart: Pairs of points that must differ: two lines that share such a pair are the same.
    """

    def __init__(self, apart: set[frozenset[str]]) -> None:
        self.apart = apart
        self.sets: list[set[str]] = []

    def drop(self, rows: list[Row], first: int, kind: str, names: tuple[Any, ...]) -> None:
        """Remove the equations of a statement, from number ``first`` on, that follow from earlier statements."""
        if kind not in ON_LINE or not self.apart:
            return
        base = names[:2] if kind == "collinear" else names[1:3]
        others = names[2:] if kind == "collinear" else names[:1]
        mine = [k for k in range(first, len(rows)) if rows[k].kind == EQUAL]
        implied = [k for k, name in zip(mine, others, strict=True) if self._known({name, *base})]
        for k in reversed(implied):
            del rows[k]

    def _known(self, points: set[str]) -> bool:
        """Whether three points are known to be on one line; they are from then on."""
        if len(points) < 3 or any(points <= line for line in self.sets):
            return any(points <= line for line in self.sets)
        merged = set(points)
        changed = True
        while changed:
            changed = False
            for line in self.sets:
                if self._same(line, merged):
                    self.sets.remove(line)
                    merged |= line
                    changed = True
                    break
        self.sets.append(merged)
        return False

    def _same(self, one: set[str], other: set[str]) -> bool:
        return any(frozenset(pair) in self.apart for pair in combinations(one & other, 2))
