"""A drawn figure, measured by textbook formulas for the checks. It shares no code with the residuals."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from groundstate_models.geometry.expressions import Atom

Point = tuple[float, ...]


@dataclass(frozen=True)
class Figure:
    """Places of points, centres and radii of circles, ends of arcs, values of unknowns.

    Attributes:
        points: Coordinates by name, hidden points included.
        circles: For each circle, the name of its centre and its radius.
        arcs: The circle of each arc, and the names of its start and end, counter-clockwise.
        unknowns: Values by name.
        least: Lower bound of the scale: a figure may be a single point.
    """

    points: Mapping[str, Point]
    circles: Mapping[str, tuple[str, float]]
    arcs: Mapping[str, tuple[str, str, str]]
    unknowns: Mapping[str, float]
    least: float = 1e-6

    @cached_property
    def scale(self) -> float:
        """Half the longer side of the box around all points, or the largest radius: the unit of deviations."""
        axes = zip(*self.points.values(), strict=True)
        size: float = max((max(axis) - min(axis) for axis in axes), default=0.0) / 2
        return max([size, self.least, *(radius for _, radius in self.circles.values())])

    def distance(self, a: str, b: str) -> float:
        return math.dist(self.points[a], self.points[b])

    def direction(self, a: str, b: str) -> float:
        """The direction of a → b in radians; NaN if the two coincide."""
        (ax, ay), (bx, by) = self.points[a][:2], self.points[b][:2]
        if math.hypot(bx - ax, by - ay) <= 1e-9 * self.scale:
            return math.nan
        return math.atan2(by - ay, bx - ax)

    def turn(self, a: str, b: str, c: str, d: str) -> float:
        """The angle from the vector ab to the vector cd, in (−π, π]."""
        return math.remainder(self.direction(c, d) - self.direction(a, b), math.tau)

    def line_turn(self, a: str, b: str, c: str, d: str) -> float:
        """The angle from the line ab to the line cd, counter-clockwise, in [0, π)."""
        return math.fmod(self.turn(a, b, c, d) + math.tau, math.pi)

    def angle(self, a: str, vertex: str, b: str) -> float:
        """The angle at the vertex in degrees, 0 to 180."""
        return math.degrees(abs(self.turn(vertex, a, vertex, b)))

    def side(self, p: str, a: str, b: str) -> float:
        """The distance of p from the line ab, positive on the left of a → b."""
        (ax, ay), (bx, by), (px, py) = self.points[a], self.points[b], self.points[p]
        size = math.hypot(bx - ax, by - ay)
        if size <= 1e-9 * self.scale:
            return math.nan
        return ((bx - ax) * (py - ay) - (by - ay) * (px - ax)) / size

    def along(self, p: str, a: str, b: str) -> float:
        """The position of p's foot on the line ab: 0 at a, 1 at b."""
        first, last, here = self.points[a], self.points[b], self.points[p]
        whole = sum((e - s) ** 2 for s, e in zip(first, last, strict=True))
        return sum((h - s) * (e - s) for s, e, h in zip(first, last, here, strict=True)) / whole

    def area(self, names: Sequence[str]) -> float:
        """The area of a polygon, positive counter-clockwise (the shoelace formula)."""
        corners = [self.points[name] for name in names]
        pairs = zip(corners, [*corners[1:], corners[0]], strict=True)
        return 0.5 * sum(ax * by - ay * bx for (ax, ay), (bx, by) in pairs)

    def measure(self, atom: Atom) -> float:
        """The value of an atom in the user's units, angles in degrees."""
        kind, *names = atom
        if kind == "length":
            return self.distance(*names)
        if kind == "angle":
            return self.angle(*names)
        if kind == "area":
            return abs(self.area(names))
        if kind == "distance":
            return abs(self.side(*names))
        if kind == "radius":
            return self.circles[names[0]][1]
        if kind == "unknown":
            return self.unknowns[names[0]]
        return self.points[names[0]]["xyz".index(kind)]
