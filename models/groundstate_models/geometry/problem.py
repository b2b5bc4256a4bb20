"""A geometry problem: names and typed constraints."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np

from groundstate_models.geometry.expressions import Sum
from groundstate_models.geometry.figure import Figure, Point
from groundstate_models.geometry.incidence import Incidence
from groundstate_models.geometry.kinds import KINDS
from groundstate_models.geometry.lines import Lines
from groundstate_models.geometry.lowering import Lowering
from groundstate_models.geometry.presolve import Reduction, reduction
from groundstate_models.geometry.solid import SolidFigure
from groundstate_models.geometry.system import Floats, System, Tables

MOST_APART = 24
"""Number of points up to which descent keeps all pairs apart; above it, only pairs on a common line."""


HANDED = {"left of", "counter-clockwise", "directed angle", "line angle", "on arc"}
"""Kinds that a reflection breaks."""


@dataclass(frozen=True)
class Stated:
    """A typed constraint, and the number of its statement; −1 for implied constraints."""

    kind: str
    arguments: tuple[Any, ...]
    source: int = -1


@dataclass
class Problem:
    """Names and constraints.

    Attributes:
        points: Names, in order; hidden ones begin with a space.
        circles: The name of each circle's centre.
        arcs: The circle of each arc, and the names of its start and end, counter-clockwise.
        unknowns: Names of the scalars.
        statements: The text of each statement, and its place in the request.
        distinct: Whether all points must differ.
        shapes: First three corners of squares and regular polygons. Where nothing decides, they turn the same way.
        solid: Whether the figure is in space.
    """

    points: list[str] = field(default_factory=list)
    circles: dict[str, str] = field(default_factory=dict)
    arcs: dict[str, tuple[str, str, str]] = field(default_factory=dict)
    unknowns: list[str] = field(default_factory=list)
    constraints: list[Stated] = field(default_factory=list)
    statements: list[tuple[str, str]] = field(default_factory=list)
    distinct: bool = True
    shapes: list[tuple[str, str, str]] = field(default_factory=list)
    solid: bool = False

    def add(self, kind: str, *arguments: Any, source: int = -1) -> None:
        self.constraints.append(Stated(kind, arguments, source))

    def without(self, sources: Iterable[int]) -> Problem:
        """A copy without some statements."""
        gone = set(sources)
        kept = [one for one in self.constraints if one.source not in gone]
        return replace(self, constraints=kept)

    @cached_property
    def coincident(self) -> set[frozenset[str]]:
        """Pairs that the constraints make coincide."""
        group = {name: name for name in self.points}

        def root(name: str) -> str:
            while group[name] != name:
                name = group[name]
            return name

        middle: dict[tuple[str, frozenset[str]], str] = {}
        for one in self.constraints:
            if one.kind == "coincident":
                group[root(one.arguments[0])] = root(one.arguments[1])
            elif one.kind in {"midpoint", "centroid"}:
                # Two names for one middle are two names for one point.
                name, *ends = one.arguments
                group[root(name)] = root(middle.setdefault((one.kind, frozenset(ends)), name))
        groups: dict[str, list[str]] = {}
        for name in self.points:
            groups.setdefault(root(name), []).append(name)
        return {frozenset(pair) for together in groups.values() for pair in combinations(together, 2)}

    @cached_property
    def lines(self) -> list[tuple[str, str]]:
        """Pairs of points that must differ because a constraint uses their line."""
        found: dict[frozenset[str], tuple[str, str]] = {}
        for one in self.constraints:
            for a, b in KINDS[one.kind].lines:
                pair = (one.arguments[a], one.arguments[b])
                found.setdefault(frozenset(pair), pair)
            if one.kind in {"collinear", "concyclic", "convex"}:
                found.setdefault(frozenset(one.arguments[:2]), one.arguments[:2])
            if one.kind in {"equation", "at least", "more than", "unequal"}:
                for atom in one.arguments[0].atoms():
                    if atom[0] == "angle":
                        for end in (atom[1], atom[3]):
                            found.setdefault(frozenset((end, atom[2])), (end, atom[2]))
        return list(found.values())

    @cached_property
    def apart(self) -> list[tuple[str, str]]:
        """Pairs of points that must differ."""
        pairs = list(self.lines)
        known = {frozenset(pair) for pair in pairs}
        shown = [name for name in self.points if not name.startswith(" ")]
        if self.distinct and len(shown) <= MOST_APART:
            pairs += [pair for pair in combinations(shown, 2) if frozenset(pair) not in known]
        return [pair for pair in pairs if frozenset(pair) not in self.coincident]

    @cached_property
    def implied(self) -> list[Stated]:
        """Implied constraints: lines have two points, radii are positive."""
        found = [Stated("distinct", pair) for pair in self.apart]
        found += [Stated("positive radius", (name,)) for name in self.circles]
        return found + (self._generic if self.distinct else [])

    @property
    def _generic(self) -> list[Stated]:
        """Parallel and intersecting lines must differ: otherwise a figure may collapse into a line."""
        found: dict[frozenset[str], Stated] = {}
        on: dict[str, list[tuple[str, str]]] = {}
        for one in self.constraints:
            names = one.arguments
            if one.kind == "parallel" and len(set(names)) == 4 and self.incidence.arguments(one.kind, names):
                found.setdefault(
                    frozenset((names[2], *names[:2])), Stated("not on line", (names[2], names[0], names[1]))
                )
            if one.kind in {"on line", "on segment", "between"} or (one.kind == "collinear" and len(names) == 3):
                on.setdefault(names[0], []).append((names[1], names[2]))
        for p, lines in on.items():
            for first, second in combinations(lines, 2):
                same = self.incidence.direction(*first) == self.incidence.direction(*second)
                if len({p, *first, *second}) == 5 and not same:
                    found.setdefault(frozenset((*first, *second)), Stated("not parallel", (*first, *second)))
        return list(found.values())

    @cached_property
    def sums(self) -> list[Sum]:
        return [one.arguments[0] for one in self.constraints if isinstance(one.arguments[0], Sum)]

    @cached_property
    def scale(self) -> float:
        """The largest given length, or 1."""
        found = []
        for value in self.sums:
            sizes = [(product, abs(float(c))) for product, c in value.terms.items()]
            constant = abs(float(value.constant))
            for product, c in sizes:
                if constant and len(product) == 1 and c:
                    kind = product[0][0]
                    if kind in {"length", "distance", "radius", "x", "y", "z"}:
                        found.append(constant / c)
                    elif kind == "area":
                        found.append(math.sqrt(constant / c))
                elif constant and len(product) == 2 and all(atom[0] == "length" for atom in product):
                    found.append(math.sqrt(constant / c))
        return max(found, default=1.0) or 1.0

    @property
    def least_scale(self) -> float:
        """Lower bound of the scale if the size is given: a hundredth of the largest length."""
        return 1e-6 if self.freedoms["size"] else 0.01 * self.scale

    @cached_property
    def units(self) -> dict[str, float]:
        """The size of one unit of each unknown, derived from its comparisons."""
        found: dict[str, float] = {}
        for value in self.sums:
            kinds = {atom[0] for atom in value.atoms()}
            for product, c in value.terms.items():
                for atom in product:
                    if atom[0] == "unknown" and len(product) == 1:
                        unit = 57.3 if "angle" in kinds else self.scale**2 if "area" in kinds else self.scale
                        if kinds == {"unknown"}:
                            unit = max(abs(float(value.constant)), 1.0)
                        found[atom[1]] = max(found.get(atom[1], 0.0), unit / max(abs(float(c)), 1e-9))
        return found

    @cached_property
    def lowering(self) -> Lowering:
        """Lower the problem to a system; implied constraints come last, then a row for an open size."""
        b = self._blank()
        lines = Lines(set() if self.solid or not self.distinct else {frozenset(pair) for pair in self.apart})
        for one in [*self.constraints, *self.implied]:
            b.source = one.source
            if not self._touched(b, one):
                before = len(b.system.rows)
                arguments = self.incidence.arguments(one.kind, one.arguments)
                if arguments is not None:
                    KINDS[one.kind].rows(b, *arguments)
                lines.drop(b.system.rows, before, one.kind, one.arguments)
        b.source = -1
        self._gauge(b)
        return b

    @cached_property
    def incidence(self) -> Incidence:
        """The lines through three or more points."""
        return Incidence(self)

    def _blank(self) -> Lowering:
        return Lowering(self.points, self.circles, self.arcs, self.unknowns, self.scale, self.units, self.solid)

    @cached_property
    def stated(self) -> Tables:
        """The rows of the statements alone: nothing implied, nothing left out."""
        b = self._blank()
        for one in self.constraints:
            b.source = one.source
            KINDS[one.kind].rows(b, *one.arguments)
        return b.system.tables

    @cached_property
    def _on(self) -> dict[str, set[str]]:
        """The points that the constraints put on each circle."""
        found: dict[str, set[str]] = {k: set() for k in self.circles}
        for one in self.constraints:
            if one.kind == "on circle":
                found[one.arguments[1]].add(one.arguments[0])
        return found

    @cached_property
    def _along(self) -> dict[frozenset[str], set[str]]:
        """The points that the constraints put on the line of two points, these included."""
        found: dict[frozenset[str], set[str]] = {}
        for one in self.constraints:
            if one.kind in {"on line", "on segment", "between", "on ray"}:
                p, a, c = one.arguments
                found.setdefault(frozenset((a, c)), {a, c}).add(p)
        return found

    def _touched(self, b: Lowering, one: Stated) -> bool:
        """Write a tangency at a known point of contact by directions.

        A distance that equals a radius, and a point of the line on the circle, have a double root there, near which Newton's
        method is slow and inexact.
        """
        if one.kind == "tangent line":
            k, *ends = one.arguments
            at = sorted(self._on[k] & self._along.get(frozenset(ends), set(ends)))
            if len(at) == 1 and self.circles[k] not in ends:
                b.zero(b.measure("cosine", self.circles[k], at[0], *ends))
                return True
        if one.kind == "tangent circles":
            k, m, how = one.arguments
            common = sorted(self._on[k] & self._on[m])
            if len(common) == 1 and not self.solid:
                b.zero(b.measure("sine", self.circles[k], common[0], self.circles[m], common[0]))
                toward = b.measure("dot", self.circles[k], common[0], self.circles[m], common[0])
                b.positive(toward, sign=-1.0 if how == "outside" else 1.0)
                return True
        return False

    @property
    def system(self) -> System:
        return self.lowering.system

    @property
    def tables(self) -> Tables:
        return self.system.tables

    @cached_property
    def reduction(self) -> Reduction:
        """What is left for the descent after equations of one or two coordinates."""
        return reduction(self.tables)

    @cached_property
    def freedoms(self) -> dict[str, bool]:
        """Whether the constraints leave position, rotation, size and reflection open."""
        found = dict.fromkeys(("position", "turning", "mirror"), True)
        for one in self.constraints:
            if one.kind in HANDED:
                found["mirror"] = False
            if isinstance(one.arguments[0], Sum):
                total = {"x": 0.0, "y": 0.0, "z": 0.0}
                for product, c in one.arguments[0].terms.items():
                    axes = [atom[0] for atom in product if atom[0] in total]
                    if axes:
                        found["turning"] = found["mirror"] = False
                        found["position"] &= len(product) == 1
                        total[axes[0]] += float(c)
                found["position"] &= not any(abs(value) > 1e-12 for value in total.values())
        return found | {"size": self._sizeless}

    @cached_property
    def _sizeless(self) -> bool:
        """Whether every row scales as a power of the figure's size, tested by scaling random figures."""
        b = self._blank()
        for one in self.constraints:
            if isinstance(one.arguments[0], Sum) and one.kind != "equation":
                atoms = {atom[0] for atom in one.arguments[0].atoms()}
                if one.arguments[0].constant and atoms != {"angle"}:
                    return False
            if not KINDS[one.kind].strict:
                KINDS[one.kind].rows(b, *one.arguments)
        tables = b.system.tables
        if not reduction(tables).size:
            return False  # every place is given, and all of them may be one
        tables = replace(tables, constant=np.where(tables.least > 0, 0.0, tables.constant))
        y = np.random.default_rng(0).standard_normal((4, b.system.unknowns))
        grown = y.copy()
        grown[:, b.system.coordinates] *= 1.7
        for k in self.circles:
            grown[:, b.radius(k)] *= 1.7
        for x in self.unknowns:
            if x not in self.turned:
                grown[:, b.scalars[x]] *= 1.7
        before, after = tables.sums(y), tables.sums(grown)
        powers = np.stack([np.isclose(after, before * 1.7**power, rtol=1e-9, atol=1e-12).all(0) for power in range(5)])
        return bool(powers.any(0).all())

    @cached_property
    def turned(self) -> set[str]:
        """Unknowns that are compared with angles."""
        found = set()
        for value in self.sums:
            atoms = list(value.atoms())
            if any(atom[0] == "angle" for atom in atoms):
                found |= {atom[1] for atom in atoms if atom[0] == "unknown"}
        return found

    def _gauge(self, b: Lowering) -> None:
        free, n = self.freedoms, len(self.points)
        if not n:
            return
        if free["position"]:
            for places in zip(*(b.coordinates(name) for name in self.points), strict=True):
                b.equal(*((1.0 / n, place, b.one) for place in places))
        if free["size"]:
            b.equal(*((0.5 / n, place, place) for place in b.system.coordinates), constant=-0.5)

    # -- between unknowns and figures ------------------------------------------------------------------------------------

    def figure(self, y: Floats) -> Figure:
        """The figure from the system's unknowns, ``(N,)``, in the user's units."""
        scale, b = self.scale, self.lowering
        points = {name: tuple(scale * float(y[place]) for place in b.coordinates(name)) for name in b.places}
        circles = {k: (centre, scale * float(y[b.radius(k)])) for k, centre in self.circles.items()}
        unknowns = {x: self.units.get(x, 1.0) * float(y[b.scalars[x]]) for x in self.unknowns}
        return self.drawn(points, circles, unknowns)

    def drawn(
        self, points: Mapping[str, Point], circles: Mapping[str, tuple[str, float]], unknowns: Mapping[str, float]
    ) -> Figure:
        """A figure of this problem."""
        kind = SolidFigure if self.solid else Figure
        return kind(points, circles, self.arcs, unknowns, self.least_scale)

    def coordinates(self, y: Floats) -> Floats:
        """The coordinates of all points, ``(points, 2)`` or ``(points, 3)``."""
        found = y[self.system.coordinates]
        return found.reshape(3, -1).T.copy() if self.solid else found.reshape(-1, 2)

    def moved(self, y: Floats, at: Floats) -> Floats:
        """The unknowns with other coordinates."""
        y = y.copy()
        y[self.system.coordinates] = at.T.ravel() if self.solid else at.ravel()
        return y

    def place(self, figure: Figure) -> Floats:
        """The system's unknowns from a figure, ``(N,)``."""
        b = self.lowering
        y = np.zeros(b.system.unknowns)
        for name in b.places:
            y[list(b.coordinates(name))] = np.array(figure.points[name]) / self.scale
        for k in self.circles:
            y[b.radius(k)] = figure.circles[k][1] / self.scale
        for x in self.unknowns:
            y[b.scalars[x]] = figure.unknowns[x] / self.units.get(x, 1.0)
        return y

    def amounts(self, figure: Figure, *, implied: bool = True) -> list[tuple[Stated, float]]:
        """The violation of each constraint, by its own formula; infinite if undefined."""
        found = []
        for one in [*self.constraints, *(self.implied if implied else [])]:
            try:
                amount = float(KINDS[one.kind].excess(figure, *one.arguments))
            except (ZeroDivisionError, OverflowError, ValueError):
                amount = math.nan
            found.append((one, amount if amount == amount else math.inf))
        return found


def named(mapping: Mapping[str, Any]) -> list[str]:
    """The visible names."""
    return [name for name in mapping if not name.startswith(" ")]
