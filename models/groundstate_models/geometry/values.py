"""Proofs from values: linear elimination with fractions, ranges, triangles and shortest ways.

They hold for every figure that would pass the checks, whose tolerance is far below `CLEAR`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import combinations

from groundstate_models.geometry.expressions import Atom, Product, Sum, angle, length
from groundstate_models.geometry.incidence import NO_SOURCES, Incidence, Sources
from groundstate_models.geometry.problem import Problem

CLEAR = 1e-4
"""Relative difference below which values do not contradict each other."""

EXACTLY = 1e-13
"""Distance of a cosine from ±1 at which a triangle is flat; its sides are then equal in decimals."""

MOST_ROWS = 400
MOST_TRIANGLES = 4_000


@dataclass
class _Row:
    terms: dict[Product, Fraction]
    sources: Sources
    size: Fraction = field(default=Fraction(0))


def _subtract(terms: dict[Product, Fraction], factor: Fraction, others: dict[Product, Fraction]) -> None:
    """Subtract a multiple of other terms; a term that becomes 0 goes."""
    for product, coefficient in others.items():
        total = terms.get(product, Fraction(0)) - factor * coefficient
        if total:
            terms[product] = total
        else:
            terms.pop(product, None)


@dataclass(frozen=True)
class _Value:
    value: float
    sources: Sources


class Known:
    """Bounds of single lengths and angles: by elimination of the linear equations, then triangle by triangle."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.incidence = Incidence(problem, angles=True)
        self.values: dict[Atom, _Value] = {}
        self.found: Sources | None = None
        self.pivots: list[tuple[Product, _Row]] = []
        self.open = {
            frozenset(one.arguments): one.source
            for one in problem.constraints
            if one.kind in {"not on line", "left of"} or (one.kind == "counter-clockwise" and len(one.arguments) == 3)
        }

    def contradiction(self) -> Sources | None:
        clash = next((line for line in self.incidence.lines if line.clashes), None)
        if clash is not None:
            return clash.sources
        if (found := self._touching() or self._flat()) is not None:
            return found
        rows = self._rows()
        if len(rows) <= MOST_ROWS:
            for row in rows:
                if not self._enter(row):
                    return self.found
        self._read()
        return self.found or self._ranges() or self._displacements() or self._ways() or self._triangles()

    def _rows(self) -> list[_Row]:
        found = []
        angles: set[Atom] = set()

        def add(value: Sum, source: int) -> None:
            value, used = self.incidence.sum(value)
            exact = {p: Fraction(c) for p, c in value.terms.items()}
            found.append(_Row(exact, used | {source}, abs(exact.get((), Fraction(0)))))
            angles.update(atom for atom in value.atoms() if atom[0] == "angle")

        for one in self.problem.constraints:
            a = one.arguments
            if one.kind == "equation":
                add(a[0], one.source)
            elif one.kind == "midpoint":
                m, p, q = a
                add(Sum.of(length(p, m)) * 2 - Sum.of(length(p, q)), one.source)
                add(Sum.of(length(q, m)) * 2 - Sum.of(length(p, q)), one.source)
                for axis in "xy":
                    add(Sum.of((axis, m)) * 2 - Sum.of((axis, p)) - Sum.of((axis, q)), one.source)
            elif one.kind in {"on segment", "between"}:
                m, p, q = a
                add(Sum.of(length(p, m)) + Sum.of(length(q, m)) - Sum.of(length(p, q)), one.source)
            elif one.kind == "on circle":
                add(Sum.of(length(a[0], self.problem.circles[a[1]])) - Sum.of(("radius", a[1])), one.source)
            elif one.kind == "coincident":
                add(Sum.of(length(a[0], a[1])), one.source)
                for axis in "xy":
                    add(Sum.of((axis, a[0])) - Sum.of((axis, a[1])), one.source)
            elif one.kind == "parallelogram":
                p, q, r, s = a
                add(Sum.of(length(p, q)) - Sum.of(length(r, s)), one.source)
                add(Sum.of(length(q, r)) - Sum.of(length(p, s)), one.source)
            elif one.kind == "perpendicular" and len(set(a)) == 3:
                v = next(name for name in a if a.count(name) == 2)
                p, q = (name for name in a if name != v)
                add(Sum.of(angle(p, v, q)) - Sum.of(90), one.source)
        found += self._isosceles(found, angles)
        return found + self._sums(angles)

    def _touching(self) -> Sources | None:
        """Find a line that is tangent to a circle and goes through its centre."""
        for one in self.problem.constraints:
            if one.kind == "tangent line":
                k, *ends = one.arguments
                centre = self.problem.circles[k]
                line = self.incidence.of.get(frozenset(ends))
                if centre in ends:
                    return frozenset((one.source,))
                if line is not None and centre in line.points:
                    return line.sources | {one.source}
        return None

    def _flat(self) -> Sources | None:
        """Find three points on one line, of which a statement demands that they are not."""
        for trio, source in self.open.items():
            for line in self.incidence.lines:
                if trio <= set(line.points):
                    return line.sources | {source}
        return None

    def _isosceles(self, rows: list[_Row], angles: set[Atom]) -> list[_Row]:
        """Angles across from equal sides are equal."""
        equal: dict[Atom, list[tuple[Atom, Sources]]] = {}
        for row in rows:
            parts = [p for p in row.terms if p]
            if len(row.terms) == 2 == len(parts) and sum(row.terms.values()) == 0 and all(len(p) == 1 for p in parts):
                one, two = parts[0][0], parts[1][0]
                equal.setdefault(one, []).append((two, row.sources))
                equal.setdefault(two, []).append((one, row.sources))
        found = []
        for start in equal:
            if start[0] != "length":
                continue
            reached: dict[Atom, Sources] = {start: NO_SOURCES}
            queue = [start]
            for here in queue:
                for there, more in equal[here]:
                    if there not in reached:
                        reached[there] = reached[here] | more
                        queue.append(there)
            for other, used in reached.items():
                common = set(start[1:]) & set(other[1:]) if other[0] == "length" and start < other else set()
                if len(common) != 1 or len({*start[1:], *other[1:]}) != 3:
                    continue
                (v,) = common
                (p,), (q,) = set(start[1:]) - common, set(other[1:]) - common
                if frozenset((p, q)) in self.incidence.apart:
                    one_, two_ = (self.incidence.angle(angle(v, *ends)) for ends in ((p, q), (q, p)))
                    difference = one_.value - two_.value
                    if set(difference.atoms()) <= angles:
                        exact = {product: Fraction(c) for product, c in difference.terms.items()}
                        found.append(_Row(exact, used | one_.sources | two_.sources, Fraction(180)))
        return found

    def _sums(self, angles: set[Atom]) -> list[_Row]:
        """Angles of a triangle are 180° together; a point between two others parts the angle under which they are seen."""
        apart = self.incidence.apart
        names = sorted({name for atom in angles for name in atom[1:]})
        found: list[tuple[list[tuple[Atom, int]], int, Sources]] = []
        for line in self.incidence.lines:
            for d in line.points:
                for a, b in combinations(line.points, 2):
                    if d not in (a, b) and line.between(d, a, b) < 0:
                        for v in names:
                            if all(frozenset((v, name)) in apart for name in (d, a, b)):
                                parts = [(angle(a, v, d), 1), (angle(d, v, b), 1), (angle(a, v, b), -1)]
                                found.append((parts, 0, line.sources))
        if math.comb(len(names), 3) <= MOST_TRIANGLES:
            for p, v, q in combinations(names, 3):
                if all(frozenset(pair) in apart for pair in ((p, v), (v, q), (p, q))):
                    parts = [(angle(p, v, q), 1), (angle(v, p, q), 1), (angle(v, q, p), 1)]
                    found.append((parts, 180, NO_SOURCES))
        rows = []
        for parts, total, sources in found:
            value, used = Sum.of(-total), sources
            for atom, sign in parts:
                part = self.incidence.angle(atom)
                value, used = value + part.value * sign, used | part.sources
            if value.terms and set(value.atoms()) <= angles:
                rows.append(_Row({p: Fraction(c) for p, c in value.terms.items()}, used, Fraction(180)))
        return rows

    def _enter(self, row: _Row) -> bool:
        """Reduce a row by the rows before it and keep it as a pivot; returns False for 0 = c with c ≠ 0."""
        terms, sources, size = dict(row.terms), row.sources, row.size
        for product, pivot in self.pivots:
            c = terms.get(product)
            if c:
                _subtract(terms, c, pivot.terms)
                sources |= pivot.sources
                size = max(size, abs(c) * pivot.size)
        lead = next((p for p in terms if p), None)
        if lead is None:
            constant = abs(terms.get((), Fraction(0)))
            if constant > Fraction(CLEAR) * max(size, Fraction(1, 1000)):
                self.found = sources
                return False
            return True
        # A float that should have cancelled leaves a tiny coefficient, which must not become a divisor.
        tiny = Fraction(1, 10**9)
        lead = max((p for p in terms if p), key=lambda p: abs(terms[p]))
        if abs(terms[lead]) < tiny:
            return True
        factor = terms[lead]
        kept = _Row({p: c / factor for p, c in terms.items()}, sources, size / abs(factor))
        for k, (product, pivot) in enumerate(self.pivots):
            c = pivot.terms.get(lead)
            if c:
                changed = dict(pivot.terms)
                _subtract(changed, c, kept.terms)
                self.pivots[k] = (product, _Row(changed, pivot.sources | sources, max(pivot.size, abs(c) * kept.size)))
        self.pivots.append((lead, kept))
        return True

    def _read(self) -> None:
        for lead, row in self.pivots:
            if len(lead) == 1 and set(row.terms) <= {lead, ()}:
                self.values[lead[0]] = _Value(-float(row.terms.get((), Fraction(0))), row.sources)

    def _ranges(self) -> Sources | None:
        lines = {frozenset(pair) for pair in self.problem.apart}
        largest = max((abs(v.value) for a, v in self.values.items() if a[0] == "length"), default=1.0)
        for atom, known in self.values.items():
            kind = atom[0]
            if kind in {"length", "distance", "area", "radius"} and known.value < -CLEAR * max(
                largest, abs(known.value)
            ):
                return known.sources
            if kind == "length" and frozenset(atom[1:]) in lines and abs(known.value) <= 1e-7 * largest:
                return known.sources
            if kind == "radius" and known.value <= 0:
                return known.sources
            if kind == "angle" and not -0.01 < known.value < 180.01:
                return known.sources
        for one in self.problem.constraints:
            if one.kind in {"at least", "more than"}:
                value: Sum = one.arguments[0]
                if all(atom in self.values for atom in value.atoms()):
                    total = value.value({atom: self.values[atom].value for atom in value.atoms()})
                    size = max((abs(float(c)) for p, c in value.terms.items() if not p), default=1.0)
                    if total < -CLEAR * max(size, 1e-3):
                        used: Sources = frozenset().union(*(self.values[atom].sources for atom in value.atoms()))
                        return used | {one.source}
        return None

    def _displacements(self) -> Sources | None:
        """Find two points whose coordinates differ by known amounts, and whose distance is another, or must not be 0."""
        axes = {lead[0][0] for lead, _ in self.pivots if len(lead) == 1}
        if self.problem.solid or not {"x", "y"} <= axes:
            return None
        largest = max((abs(v.value) for a, v in self.values.items() if a[0] == "length"), default=1.0)
        must = {frozenset(pair) for pair in self.problem.apart}
        given = [atom[1:] for atom in self.values if atom[0] == "length"]
        for a, b in [*self.problem.apart, *(pair for pair in given if frozenset(pair) not in must)]:
            across, up = (self._difference(axis, a, b) for axis in "xy")
            if across is None or up is None:
                continue
            used = across.sources | up.sources
            apart = math.hypot(across.value, up.value)
            known = self.values.get(length(a, b))
            if known is not None and abs(known.value - apart) > 10 * CLEAR * max(apart, abs(known.value)):
                return used | known.sources
            if apart <= 1e-7 * largest and frozenset((a, b)) in must:
                return used
        return None

    def _difference(self, axis: str, a: str, b: str) -> _Value | None:
        """The difference of two coordinates, if the linear equations tell it."""
        terms: dict[Product, Fraction] = {((axis, a),): Fraction(1), ((axis, b),): Fraction(-1)}
        sources = NO_SOURCES
        for product, pivot in self.pivots:
            c = terms.get(product)
            if c:
                _subtract(terms, c, pivot.terms)
                sources |= pivot.sources
        if any(product and c for product, c in terms.items()):
            return None
        return _Value(float(terms.get((), Fraction(0))), sources)

    def _ways(self) -> Sources | None:
        """Find a length above the length of another path."""
        edges = {atom[1:]: known for atom, known in self.values.items() if atom[0] == "length"}
        names = sorted({name for pair in edges for name in pair})
        if len(names) > 60:
            return None
        best: dict[tuple[str, str], _Value] = {}
        for (a, b), known in edges.items():
            best[a, b] = best[b, a] = known
        for k in names:
            for i in names:
                for j in names:
                    if len({i, j, k}) == 3 and (i, k) in best and (k, j) in best:
                        one, two = best[i, k], best[k, j]
                        total = one.value + two.value
                        if (i, j) not in best or total < best[i, j].value * (1 - 1e-12):
                            best[i, j] = _Value(total, one.sources | two.sources)
        for (a, b), known in edges.items():
            if best[a, b].value < known.value * (1 - CLEAR):
                return known.sources | best[a, b].sources
        return None

    def _triangles(self) -> Sources | None:
        """Derive sides and angles of triangles until a contradiction, or until nothing new follows."""
        names = sorted({name for atom in self.values if atom[0] in {"length", "angle"} for name in atom[1:]})
        if math.comb(len(names), 3) > MOST_TRIANGLES:
            return None
        apart = self.incidence.apart
        triangles = [
            trio for trio in combinations(names, 3) if all(frozenset(pair) in apart for pair in combinations(trio, 2))
        ]
        for _ in range(4):
            before = len(self.values)
            for corners in triangles:
                found = self._triangle(corners)
                if found is not None:
                    return found
            if len(self.values) == before:
                return None
        return None

    def _triangle(self, corners: tuple[str, str, str]) -> Sources | None:
        sides = [length(corners[(k + 1) % 3], corners[(k + 2) % 3]) for k in range(3)]
        angles = [angle(corners[(k + 1) % 3], corners[k], corners[(k + 2) % 3]) for k in range(3)]
        side = [self.values.get(atom) for atom in sides]
        turn = [self._angle(atom) for atom in angles]
        if any(v is not None and v.value <= 0 for v in side):
            return None
        for k in range(3):
            i, j = (k + 1) % 3, (k + 2) % 3
            one, two, across, here = side[i], side[j], side[k], turn[k]
            if one and two and here:
                value = math.sqrt(max(one.value**2 + two.value**2 - 2 * one.value * two.value * _cos(here), 0.0))
                if (found := self._follows(sides[k], value, (one, two, here), max(one.value, two.value))) is not None:
                    return found
            if one and two and across:
                cosine = (one.value**2 + two.value**2 - across.value**2) / (2 * one.value * two.value)
                if abs(cosine) > 1 + 4 * CLEAR:
                    return one.sources | two.sources | across.sources
                if abs(cosine) > 1 - EXACTLY and frozenset(corners) in self.open:
                    return one.sources | two.sources | across.sources | {self.open[frozenset(corners)]}
                if (
                    abs(cosine) < 0.999
                    and (found := self._follows(angles[k], math.degrees(math.acos(cosine)), (one, two, across), 180.0))
                    is not None
                ):
                    return found
            first, second = turn[i], turn[j]
            if first and second:
                if first.value + second.value > 180 * (1 + CLEAR):
                    return first.sources | second.sources
                rest = 180 - first.value - second.value
                if (found := self._follows(angles[k], rest, (first, second), 180.0)) is not None:
                    return found
            for m in (i, j):
                beside, other = side[m], turn[m]
                if across and here and beside and 0.5 < here.value < 179.5:
                    sine = beside.value * math.sin(math.radians(here.value)) / across.value
                    if sine > 1 + 4 * CLEAR or (here.value >= 90 and beside.value > across.value * (1 + CLEAR)):
                        return across.sources | here.sources | beside.sources
                    if other and 0.5 < other.value < 179.5:
                        value = across.value * math.sin(math.radians(other.value)) / math.sin(math.radians(here.value))
                        if (found := self._follows(sides[m], value, (across, here, other), value)) is not None:
                            return found
            if across and here and first and 0.5 < here.value < 179.5:
                value = across.value * math.sin(math.radians(first.value)) / math.sin(math.radians(here.value))
                if (found := self._follows(sides[i], value, (across, here, first), max(value, 1e-9))) is not None:
                    return found
        return None

    def _angle(self, atom: Atom) -> _Value | None:
        """The value of an angle, if it is known."""
        named, used = self.incidence.angle(atom)
        if named.is_constant:
            return _Value(float(named.constant), used)
        if not all(other in self.values for other in named.atoms()):
            return None
        known = {other: self.values[other].value for other in named.atoms()}
        return _Value(named.value(known), used.union(*(self.values[other].sources for other in known)))

    def _follows(self, atom: Atom, value: float, because: Iterable[_Value], size: float) -> Sources | None:
        sources: Sources = frozenset().union(*(one.sources for one in because))
        known = self.values.get(atom)
        if atom[0] == "angle":
            named, used = self.incidence.angle(atom)
            if named.is_constant:
                known = _Value(float(named.constant), used)
            else:
                # An angle is named by other points: the same, or its supplement.
                ((product, c),) = ((p, c) for p, c in named.terms.items() if p)
                atom, sources = product[0], sources | used
                value = (value - float(named.constant)) / float(c)
                known = self.values.get(atom)
        if known is None:
            self.values[atom] = _Value(value, sources)
            return None
        if abs(known.value - value) > 10 * CLEAR * max(size, abs(known.value)):
            return known.sources | sources
        return None


def _cos(here: _Value) -> float:
    return math.cos(math.radians(here.value))
