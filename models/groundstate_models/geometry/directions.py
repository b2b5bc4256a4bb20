"""Proofs from directions: lines at known angles to each other, modulo 180°, as a graph."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from itertools import combinations

from groundstate_models.geometry.expressions import Sum
from groundstate_models.geometry.incidence import Sources
from groundstate_models.geometry.problem import Problem


class Directions:
    """Directions of lines, modulo 180°, as a graph with known differences as edges."""

    def __init__(self, problem: Problem) -> None:
        self.apart = {frozenset(pair) for pair in problem.lines} - problem.coincident
        self.edges: dict[frozenset[str], list[tuple[frozenset[str], Fraction, int]]] = {}
        axis = frozenset(("x axis",))
        for one in problem.constraints:
            a = one.arguments
            if one.kind == "parallel":
                self._join(a[:2], a[2:4], Fraction(0), one.source)
            elif one.kind == "perpendicular":
                self._join(a[:2], a[2:4], Fraction(90), one.source)
            elif one.kind == "line angle":
                self._join(a[:2], a[2:4], Fraction(a[4]).limit_denominator(10**9), one.source)
            elif one.kind in {"on line", "on segment", "on ray", "between", "midpoint"}:
                p, s, t = a
                for end in (s, t):
                    self._join((p, end), (s, t), Fraction(0), one.source)
            elif one.kind == "collinear":
                pairs = list(combinations(a, 2))
                for pair in pairs[1:]:
                    self._join(pairs[0], pair, Fraction(0), one.source)
            elif one.kind == "equation":
                self._equation(one.arguments[0], one.source, axis)

    def _equation(self, value: Sum, source: int, axis: frozenset[str]) -> None:
        terms = dict(value.terms)
        constant = terms.pop((), Fraction(0))
        if len(terms) == 1:
            ((product, c),) = terms.items()
            if len(product) == 1 and product[0][0] == "angle":
                size = -float(constant) / float(c)
                _, a, v, b = product[0]
                for special in (0, 90, 180):
                    if abs(size - special) < 1e-9:
                        self._join((v, a), (v, b), Fraction(special % 180), source)
        elif len(terms) == 2 and constant == 0:
            (one, c), (two, d) = terms.items()
            if len(one) == len(two) == 1 and one[0][0] == two[0][0] and one[0][0] in {"x", "y"} and c == -d:
                pair = frozenset((one[0][1], two[0][1]))
                if len(pair) == 2 and pair in self.apart:
                    turn = Fraction(0 if one[0][0] == "y" else 90)
                    self._edge(axis, pair, turn, source)

    def _join(self, one: Iterable[str], two: Iterable[str], turn: Fraction, source: int) -> None:
        """Join two directions by an angle. Only 0° and 90° do not depend on the angle's orientation."""
        p, q = frozenset(one), frozenset(two)
        if p != q and p in self.apart and q in self.apart:
            self._edge(p, q, turn, source)
        elif p == q and p in self.apart and turn % 180:
            self._edge(p, p, turn, source)

    def _edge(self, p: frozenset[str], q: frozenset[str], turn: Fraction, source: int) -> None:
        self.edges.setdefault(p, []).append((q, turn % 180, source))
        self.edges.setdefault(q, []).append((p, -turn % 180, source))

    def contradiction(self) -> Sources | None:
        """The statements on a shortest cycle with inconsistent differences."""
        best: Sources | None = None
        for start in self.edges:
            seen: dict[frozenset[str], tuple[Fraction, Sources]] = {start: (Fraction(0), frozenset())}
            queue = [start]
            for here in queue:
                turn, used = seen[here]
                for there, more, source in self.edges[here]:
                    following = (turn + more) % 180
                    if there not in seen:
                        seen[there] = (following, used | {source})
                        queue.append(there)
                    else:
                        gap = (seen[there][0] - following) % 180
                        if min(gap, 180 - gap) > Fraction(1, 1000):
                            found = seen[there][1] | used | {source}
                            if best is None or len(found) < len(best):
                                best = found
        return best
