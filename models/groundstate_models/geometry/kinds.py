"""The table of constraints: each kind has its rows, its own check, and a phrase.

``rows(b, *args)`` writes residuals with a `Lowering`. ``excess(f, *args)`` measures the violation in a `Figure` by textbook
formulas: lengths relative to the figure's scale, angles in radians; at most 0 if an inequality holds, NaN if the
constraint is undefined because two points of a line coincide. ``phrase`` is its text, with ``{0}``, ``{1}`` …
The module is one long table, so that the rows and the check of a kind stand side by side.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from groundstate_models.geometry.expressions import Sum
from groundstate_models.geometry.figure import Figure
from groundstate_models.geometry.lowering import APART, Lowering
from groundstate_models.geometry.solid import SolidFigure

LEAST_APART = 1e-6
"""Distance below which points count as coincident, relative to the scale."""

LEAST_INSIDE = 1e-6
"""Margin of strict inequalities, relative to the scale or in radians."""


@dataclass(frozen=True)
class Kind:
    """One kind of constraint.

    Attributes:
        arguments: The type of each argument: ``p`` a point, ``c`` a circle, ``a`` an arc, ``n`` a number, ``s`` a sum,
            ``w`` a word, ``p*`` any number of points.
        lines: Pairs of arguments, by place, that must be two different points.
        strict: Whether it is an inequality, which removes no degree of freedom.
    """

    arguments: str
    rows: Callable[..., None]
    excess: Callable[..., float]
    phrase: str
    lines: tuple[tuple[int, int], ...] = ()
    strict: bool = False


KINDS: dict[str, Kind] = {}


def kind(
    name: str, arguments: str, phrase: str, *, lines: Sequence[tuple[int, int]] = (), strict: bool = False
) -> Callable[[type], type]:
    """Register a class with ``rows`` and ``excess`` in the table."""

    def enter(cls: Any) -> Any:
        KINDS[name] = Kind(arguments, cls.rows, cls.excess, phrase, tuple(lines), strict)
        return cls

    return enter


def _mod_pi(angle: float) -> float:
    return abs(math.remainder(angle, math.pi))


def _short(value: float, f: Figure) -> float:
    """The amount by which a length falls short of being positive, relative to the scale."""
    return LEAST_INSIDE - value / f.scale


# -- equations -------------------------------------------------------------------------------------------------------------


class _Compared:
    @staticmethod
    def sides(f: Figure, value: Sum) -> tuple[float, float]:
        """The value of a sum, and the size of a deviation of 1 in its residual."""
        found = {atom: f.measure(atom) for atom in value.atoms()}
        unit = {"angle": math.degrees(1.0), "area": f.scale**2}
        worth = 0.0
        for product, c in value.terms.items():
            if product:
                size = abs(float(c))
                for k, atom in enumerate(product):
                    grown = unit.get(atom[0], max(abs(found[atom]), f.scale if atom[0] != "unknown" else 1e-12))
                    size *= grown if k == 0 or atom[0] in {"angle", "area"} else max(abs(found[atom]), 1e-12)
                worth = max(worth, size)
        return value.value(found), worth or 1.0


@kind("equation", "s", "{0} = 0")
class _Equation:
    @staticmethod
    def rows(b: Lowering, value: Sum) -> None:
        terms = b.terms(value)
        b.equal(*terms, constant=float(value.constant), scale=max((abs(c) for c, _, _ in terms), default=1.0))

    @staticmethod
    def excess(f: Figure, value: Sum) -> float:
        total, worth = _Compared.sides(f, value)
        return abs(total) / worth


@kind("at least", "s", "{0} ≥ 0", strict=True)
class _AtLeast:
    @staticmethod
    def rows(b: Lowering, value: Sum) -> None:
        terms = b.terms(value)
        b.at_least(*terms, constant=float(value.constant), scale=max((abs(c) for c, _, _ in terms), default=1.0))

    @staticmethod
    def excess(f: Figure, value: Sum) -> float:
        total, worth = _Compared.sides(f, value)
        return -total / worth


@kind("more than", "s", "{0} > 0", strict=True)
class _MoreThan:
    @staticmethod
    def rows(b: Lowering, value: Sum) -> None:
        terms = b.terms(value)
        scale = max((abs(c) for c, _, _ in terms), default=1.0)
        b.at_least(*terms, constant=float(value.constant) - APART * scale, scale=scale)

    @staticmethod
    def excess(f: Figure, value: Sum) -> float:
        total, worth = _Compared.sides(f, value)
        return LEAST_INSIDE - total / worth


@kind("unequal", "s", "{0} ≠ 0", strict=True)
class _Unequal:
    @staticmethod
    def rows(b: Lowering, value: Sum) -> None:
        """Writes no row: random starts avoid sets without volume, and the check rejects any other answer."""

    @staticmethod
    def excess(f: Figure, value: Sum) -> float:
        total, worth = _Compared.sides(f, value)
        return LEAST_APART - abs(total) / worth


# -- places ----------------------------------------------------------------------------------------------------------------


@kind("coincident", "pp", "{0} and {1} coincide")
class _Coincident:
    @staticmethod
    def rows(b: Lowering, p: str, q: str) -> None:
        for one, two in zip(b.coordinates(p), b.coordinates(q), strict=True):
            b.equal((1.0, one, b.one), (-1.0, two, b.one))

    @staticmethod
    def excess(f: Figure, p: str, q: str) -> float:
        return f.distance(p, q) / f.scale


@kind("distinct", "pp", "{0} and {1} are different points", strict=True)
class _Distinct:
    @staticmethod
    def rows(b: Lowering, p: str, q: str) -> None:
        b.at_least((1.0 / APART, b.measure("length", p, q), b.one), constant=-1.0, scale=10.0)

    @staticmethod
    def excess(f: Figure, p: str, q: str) -> float:
        return LEAST_APART - f.distance(p, q) / f.scale


@kind("midpoint", "ppp", "{0} is the midpoint of {1}{2}")
class _Midpoint:
    @staticmethod
    def rows(b: Lowering, m: str, p: str, q: str) -> None:
        for one, two, mid in zip(*(b.coordinates(name) for name in (p, q, m)), strict=True):
            b.equal((1.0, mid, b.one), (-0.5, one, b.one), (-0.5, two, b.one))

    @staticmethod
    def excess(f: Figure, m: str, p: str, q: str) -> float:
        ends = zip(f.points[p], f.points[q], strict=True)
        return math.dist(f.points[m], [(one + two) / 2 for one, two in ends]) / f.scale


@kind("centroid", "pppp", "{0} is the centroid of {1}{2}{3}")
class _Centroid:
    @staticmethod
    def rows(b: Lowering, g: str, *corners: str) -> None:
        for place, *of in zip(b.coordinates(g), *(b.coordinates(name) for name in corners), strict=True):
            b.equal((1.0, place, b.one), *((-1 / 3, one, b.one) for one in of))

    @staticmethod
    def excess(f: Figure, g: str, *corners: str) -> float:
        mean = [sum(axis) / 3 for axis in zip(*(f.points[name] for name in corners), strict=True)]
        return math.dist(f.points[g], mean) / f.scale


@kind("parallelogram", "pppp", "{0}{1}{2}{3} is a parallelogram")
class _Parallelogram:
    @staticmethod
    def rows(b: Lowering, p: str, q: str, r: str, s: str) -> None:
        for places in zip(*(b.coordinates(name) for name in (p, q, r, s)), strict=True):
            b.equal(*((sign, place, b.one) for sign, place in zip((0.5, -0.5, 0.5, -0.5), places, strict=True)))

    @staticmethod
    def excess(f: Figure, p: str, q: str, r: str, s: str) -> float:
        gaps = [a - b + c - d for a, b, c, d in zip(*(f.points[name] for name in (p, q, r, s)), strict=True)]
        return math.hypot(*gaps) / f.scale


@kind("on line", "ppp", "{0} is on the line {1}{2}", lines=[(1, 2)])
class _OnLine:
    @staticmethod
    def rows(b: Lowering, p: str, a: str, c: str) -> None:
        b.aligned(a, c, a, p)

    @staticmethod
    def excess(f: Figure, p: str, a: str, c: str) -> float:
        return abs(f.side(p, a, c)) / f.scale


@kind("on segment", "ppp", "{0} is on the segment {1}{2}", lines=[(1, 2)])
class _OnSegment:
    @staticmethod
    def rows(b: Lowering, p: str, a: str, c: str) -> None:
        b.aligned(a, c, a, p)
        b.positive(b.measure("dot", p, a, p, c), sign=-1.0, margin=0.0)

    @staticmethod
    def excess(f: Figure, p: str, a: str, c: str) -> float:
        beyond = max(-f.along(p, a, c), f.along(p, a, c) - 1.0) * f.distance(a, c) / f.scale
        return max(abs(f.side(p, a, c)) / f.scale, beyond)


@kind("between", "ppp", "{0} is between {1} and {2}", lines=[(1, 2)])
class _Between:
    @staticmethod
    def rows(b: Lowering, p: str, a: str, c: str) -> None:
        b.aligned(a, c, a, p)
        b.positive(b.measure("dot", p, a, p, c), sign=-1.0)

    @staticmethod
    def excess(f: Figure, p: str, a: str, c: str) -> float:
        inside = min(f.along(p, a, c), 1.0 - f.along(p, a, c)) * f.distance(a, c)
        return max(abs(f.side(p, a, c)) / f.scale, _short(inside, f))


@kind("on ray", "ppp", "{0} is on the ray from {1} through {2}", lines=[(1, 2)])
class _OnRay:
    @staticmethod
    def rows(b: Lowering, p: str, a: str, c: str) -> None:
        b.aligned(a, c, a, p)
        b.positive(b.measure("dot", a, c, a, p), margin=0.0)

    @staticmethod
    def excess(f: Figure, p: str, a: str, c: str) -> float:
        return max(abs(f.side(p, a, c)) / f.scale, -f.along(p, a, c) * f.distance(a, c) / f.scale)


@kind("symmetric", "pppp", "{0} and {1} are mirror images in the line {2}{3}", lines=[(2, 3)])
class _Symmetric:
    @staticmethod
    def rows(b: Lowering, p: str, q: str, a: str, c: str) -> None:
        b.equal((0.5, b.measure("height", a, c, a, p), b.one), (0.5, b.measure("height", a, c, a, q), b.one))
        b.zero(b.measure("dot", a, c, p, q))

    @staticmethod
    def excess(f: Figure, p: str, q: str, a: str, c: str) -> float:
        apart = abs(f.along(p, a, c) - f.along(q, a, c)) * f.distance(a, c)
        return max(abs(f.side(p, a, c) + f.side(q, a, c)), apart) / f.scale


@kind("collinear", "p*", "{*} are on one line")
class _Collinear:
    @staticmethod
    def rows(b: Lowering, *names: str) -> None:
        for name in names[2:]:
            b.aligned(names[0], names[1], names[0], name)

    @staticmethod
    def excess(f: Figure, *names: str) -> float:
        return max(abs(f.side(name, names[0], names[1])) for name in names[2:]) / f.scale


# -- directions ------------------------------------------------------------------------------------------------------------


@kind("parallel", "pppp", "{0}{1} is parallel to {2}{3}", lines=[(0, 1), (2, 3)])
class _Parallel:
    @staticmethod
    def rows(b: Lowering, p: str, q: str, r: str, s: str) -> None:
        b.aligned(p, q, r, s, parallel=True)

    @staticmethod
    def excess(f: Figure, p: str, q: str, r: str, s: str) -> float:
        return _mod_pi(f.turn(p, q, r, s))


@kind("not parallel", "pppp", "{0}{1} is not parallel to {2}{3}", lines=[(0, 1), (2, 3)], strict=True)
class _NotParallel:
    @staticmethod
    def rows(b: Lowering, p: str, q: str, r: str, s: str) -> None:
        if b.solid:
            cosine = b.measure("cosine", p, q, r, s)
            b.positive(cosine, cosine, sign=-1.0, margin=APART**2 - 1.0)
            return
        sine = b.measure("sine", p, q, r, s)
        b.positive(sine, sine, margin=APART**2)

    @staticmethod
    def excess(f: Figure, p: str, q: str, r: str, s: str) -> float:
        return LEAST_APART - _mod_pi(f.turn(p, q, r, s))


@kind("perpendicular", "pppp", "{0}{1} is perpendicular to {2}{3}", lines=[(0, 1), (2, 3)])
class _Perpendicular:
    @staticmethod
    def rows(b: Lowering, p: str, q: str, r: str, s: str) -> None:
        b.zero(b.measure("cosine", p, q, r, s))

    @staticmethod
    def excess(f: Figure, p: str, q: str, r: str, s: str) -> float:
        return _mod_pi(f.turn(p, q, r, s) - math.pi / 2)


@kind("line angle", "ppppn", "from {0}{1} to {2}{3} it is {4}° counter-clockwise, modulo 180°", lines=[(0, 1), (2, 3)])
class _LineAngle:
    @staticmethod
    def rows(b: Lowering, p: str, q: str, r: str, s: str, degrees: float) -> None:
        sine, cosine = b.measure("sine", p, q, r, s), b.measure("cosine", p, q, r, s)
        turn = math.radians(degrees)
        b.equal((math.cos(turn), sine, b.one), (-math.sin(turn), cosine, b.one))

    @staticmethod
    def excess(f: Figure, p: str, q: str, r: str, s: str, degrees: float) -> float:
        return _mod_pi(f.turn(p, q, r, s) - math.radians(degrees))


@kind("directed angle", "pppn", "the angle from {1}{0} to {1}{2} is {3}° counter-clockwise", lines=[(0, 1), (1, 2)])
class _DirectedAngle:
    @staticmethod
    def rows(b: Lowering, p: str, v: str, q: str, degrees: float) -> None:
        sine, cosine = b.measure("sine", v, p, v, q), b.measure("cosine", v, p, v, q)
        turn = math.radians(degrees)
        b.equal((math.cos(turn), sine, b.one), (-math.sin(turn), cosine, b.one))
        b.at_least((math.cos(turn), cosine, b.one), (math.sin(turn), sine, b.one))

    @staticmethod
    def excess(f: Figure, p: str, v: str, q: str, degrees: float) -> float:
        return abs(math.remainder(f.turn(v, p, v, q) - math.radians(degrees), math.tau))


@kind(
    "equal line angles",
    "pppppppp",
    "the angle from {0}{1} to {2}{3} is that from {4}{5} to {6}{7}",
    lines=[(0, 1), (2, 3), (4, 5), (6, 7)],
)
class _EqualLineAngles:
    @staticmethod
    def rows(b: Lowering, *names: str) -> None:
        one, two = names[:4], names[4:]
        b.equal(
            (1.0, b.measure("sine", *one), b.measure("cosine", *two)),
            (-1.0, b.measure("cosine", *one), b.measure("sine", *two)),
        )

    @staticmethod
    def excess(f: Figure, *names: str) -> float:
        return _mod_pi(f.turn(*names[:4]) - f.turn(*names[4:]))


# -- circles ---------------------------------------------------------------------------------------------------------------


@kind("on circle", "pc", "{0} is on the circle {1}")
class _OnCircle:
    @staticmethod
    def rows(b: Lowering, p: str, k: str) -> None:
        b.equal((1.0, b.measure("length", b.circles[k], p), b.one), (-1.0, b.radius(k), b.one))

    @staticmethod
    def excess(f: Figure, p: str, k: str) -> float:
        centre, radius = f.circles[k]
        return abs(f.distance(centre, p) - radius) / f.scale


@kind("on arc", "pa", "{0} is on the arc {1}")
class _OnArc:
    @staticmethod
    def rows(b: Lowering, p: str, a: str) -> None:
        k, start, end = b.arcs[a]
        _OnCircle.rows(b, p, k)
        b.positive(b.measure("height", start, end, start, p), sign=-1.0, margin=0.0)

    @staticmethod
    def excess(f: Figure, p: str, a: str) -> float:
        k, start, end = f.arcs[a]
        centre = f.circles[k][0]
        whole = f.turn(centre, start, centre, end) % math.tau
        here = f.turn(centre, start, centre, p) % math.tau if f.distance(p, start) > 1e-9 * f.scale else 0.0
        return max(_OnCircle.excess(f, p, k), min(here - whole, math.tau - here))


@kind("inside circle", "pc", "{0} is inside the circle {1}", strict=True)
class _InsideCircle:
    @staticmethod
    def rows(b: Lowering, p: str, k: str) -> None:
        b.at_least((1.0, b.radius(k), b.one), (-1.0, b.measure("length", b.circles[k], p), b.one), constant=-APART)

    @staticmethod
    def excess(f: Figure, p: str, k: str) -> float:
        centre, radius = f.circles[k]
        return _short(radius - f.distance(centre, p), f)


@kind("outside circle", "pc", "{0} is outside the circle {1}", strict=True)
class _OutsideCircle:
    @staticmethod
    def rows(b: Lowering, p: str, k: str) -> None:
        b.at_least((-1.0, b.radius(k), b.one), (1.0, b.measure("length", b.circles[k], p), b.one), constant=-APART)

    @staticmethod
    def excess(f: Figure, p: str, k: str) -> float:
        centre, radius = f.circles[k]
        return _short(f.distance(centre, p) - radius, f)


@kind("positive radius", "c", "the circle {0} has a radius above 0", strict=True)
class _PositiveRadius:
    @staticmethod
    def rows(b: Lowering, k: str) -> None:
        b.positive(b.radius(k))

    @staticmethod
    def excess(f: Figure, k: str) -> float:
        return LEAST_APART - f.circles[k][1] / f.scale


@kind("concyclic", "p*", "{*} are on one circle")
class _Concyclic:
    @staticmethod
    def rows(b: Lowering, *names: str) -> None:
        p, q, r = names[:3]
        for name in names[3:]:
            _EqualLineAngles.rows(b, r, p, r, q, name, p, name, q)

    @staticmethod
    def excess(f: Figure, *names: str) -> float:
        p, q, r = names[:3]
        return max(_mod_pi(f.turn(r, p, r, q) - f.turn(name, p, name, q)) for name in names[3:])


@kind("tangent line", "cpp", "the circle {0} touches the line {1}{2}", lines=[(1, 2)])
class _TangentLine:
    @staticmethod
    def rows(b: Lowering, k: str, p: str, q: str) -> None:
        height, radius = b.measure("height", p, q, p, b.circles[k]), b.radius(k)
        b.equal((0.5, height, height), (-0.5, radius, radius))

    @staticmethod
    def excess(f: Figure, k: str, p: str, q: str) -> float:
        centre, radius = f.circles[k]
        return abs(abs(f.side(centre, p, q)) - radius) / f.scale


@kind("tangent circles", "ccw", "the circles {0} and {1} touch {2}")
class _TangentCircles:
    """The word is ``outside``: neither is in the other; or ``inside``: one is in the other."""

    @staticmethod
    def rows(b: Lowering, k: str, m: str, how: str) -> None:
        apart, r, s = b.measure("length", b.circles[k], b.circles[m]), b.radius(k), b.radius(m)
        if how == "outside":
            b.equal((1.0, apart, b.one), (-1.0, r, b.one), (-1.0, s, b.one))
        else:
            b.equal((0.5, apart, apart), (-0.5, r, r), (-0.5, s, s), (1.0, r, s))

    @staticmethod
    def excess(f: Figure, k: str, m: str, how: str) -> float:
        (one, r), (two, s) = f.circles[k], f.circles[m]
        return abs(f.distance(one, two) - (r + s if how == "outside" else abs(r - s))) / f.scale


@kind("coplanar", "pp*", "{*} are in one plane")
class _Coplanar:
    """The first point is hidden: from the second point it goes off at a right angle to the plane."""

    @staticmethod
    def rows(b: Lowering, normal: str, a: str, *names: str) -> None:
        for name in names:
            b.zero(b.measure("cosine", a, normal, a, name))
        b.equal((1.0, b.measure("length", a, normal), b.one), (-1.0, b.measure("length", a, names[0]), b.one))

    @staticmethod
    def excess(f: Figure, normal: str, a: str, *names: str) -> float:
        del normal
        first, second, *others = names
        if not isinstance(f, SolidFigure):
            return 0.0
        return max((abs(f.above(name, a, first, second)) for name in others), default=0.0) / f.scale


# -- sides -----------------------------------------------------------------------------------------------------------------


@kind("left of", "ppp", "{0} is left of {1}→{2}", lines=[(1, 2)], strict=True)
class _LeftOf:
    @staticmethod
    def rows(b: Lowering, p: str, a: str, c: str) -> None:
        b.positive(b.measure("height", a, c, a, p))

    @staticmethod
    def excess(f: Figure, p: str, a: str, c: str) -> float:
        return _short(f.side(p, a, c), f)


@kind("same side", "pppp", "{0} and {1} are on the same side of {2}{3}", lines=[(2, 3)], strict=True)
class _SameSide:
    @staticmethod
    def rows(b: Lowering, p: str, q: str, a: str, c: str) -> None:
        b.positive(b.measure("height", a, c, a, p), b.measure("height", a, c, a, q), margin=APART)

    @staticmethod
    def excess(f: Figure, p: str, q: str, a: str, c: str) -> float:
        one, two = f.side(p, a, c), f.side(q, a, c)
        return _short(min(one, two) if one > 0 else min(-one, -two), f)


@kind("opposite sides", "pppp", "{0} and {1} are on opposite sides of {2}{3}", lines=[(2, 3)], strict=True)
class _OppositeSides:
    @staticmethod
    def rows(b: Lowering, p: str, q: str, a: str, c: str) -> None:
        b.positive(b.measure("height", a, c, a, p), b.measure("height", a, c, a, q), sign=-1.0, margin=APART)

    @staticmethod
    def excess(f: Figure, p: str, q: str, a: str, c: str) -> float:
        one, two = f.side(p, a, c), f.side(q, a, c)
        return _short(min(one, -two) if one > 0 else min(-one, two), f)


@kind("not on line", "ppp", "{0} is not on the line {1}{2}", lines=[(1, 2)], strict=True)
class _NotOnLine:
    @staticmethod
    def rows(b: Lowering, p: str, a: str, c: str) -> None:
        height = b.measure("height size" if b.solid else "height", a, c, a, p)
        b.positive(height, height, margin=APART**2)

    @staticmethod
    def excess(f: Figure, p: str, a: str, c: str) -> float:
        return LEAST_APART - abs(f.side(p, a, c)) / f.scale


@kind("convex", "p*", "{*} is convex", strict=True)
class _Convex:
    @staticmethod
    def rows(b: Lowering, *names: str) -> None:
        n = len(names)
        if n == 4:
            p, q, r, s = names
            _OppositeSides.rows(b, q, s, p, r)
            _OppositeSides.rows(b, p, r, q, s)
            return
        for k in range(n):
            a, c = names[k], names[(k + 1) % n]
            others = [names[(k + j) % n] for j in range(2, n)]
            for one, two in pairwise(others):
                _SameSide.rows(b, one, two, a, c)

    @staticmethod
    def excess(f: Figure, *names: str) -> float:
        n = len(names)
        sides = [f.side(names[(k + j) % n], names[k], names[(k + 1) % n]) for k in range(n) for j in range(2, n)]
        return _short(min(sides) if sides[0] > 0 else -max(sides), f)


@kind("inside polygon", "pp*", "{0} is inside the polygon of the others: {*}", strict=True)
class _InsidePolygon:
    @staticmethod
    def rows(b: Lowering, p: str, *names: str) -> None:
        for k, a in enumerate(names):
            _SameSide.rows(b, p, names[(k + 2) % len(names)], a, names[(k + 1) % len(names)])

    @staticmethod
    def excess(f: Figure, p: str, *names: str) -> float:
        """By the winding number and the distance from the nearest edge, so that polygons need not be convex."""
        turns, near = 0.0, math.inf
        for a, c in zip(names, [*names[1:], names[0]], strict=True):
            turns += f.turn(p, a, p, c)
            t = min(max(f.along(p, a, c), 0.0), 1.0)
            (ax, ay), (cx, cy), (px, py) = f.points[a], f.points[c], f.points[p]
            near = min(near, math.hypot(ax + t * (cx - ax) - px, ay + t * (cy - ay) - py))
        return _short(near if abs(turns) > math.pi else -near, f)


@kind("counter-clockwise", "p*", "{*} are counter-clockwise", strict=True)
class _CounterClockwise:
    @staticmethod
    def rows(b: Lowering, *names: str) -> None:
        first = names[0]
        pairs = pairwise(names[1:])
        b.at_least(*((1.0, b.measure("cross", first, p, first, q), b.one) for p, q in pairs), constant=-APART)

    @staticmethod
    def excess(f: Figure, *names: str) -> float:
        return LEAST_INSIDE - f.area(names) / f.scale**2


def violations(constraints: Sequence[tuple[str, tuple[Any, ...]]], f: Figure) -> list[float]:
    """The violation of each constraint; NaN and infinite violations count as infinite."""
    found = []
    for name, arguments in constraints:
        amount = KINDS[name].excess(f, *arguments)
        found.append(amount if amount == amount else math.inf)
    return found
