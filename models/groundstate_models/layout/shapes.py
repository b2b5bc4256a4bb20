"""Exact plane geometry for lowering and for the checks: convex shapes, distances, containment."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]


@dataclass(frozen=True)
class Convex:
    """All points within a radius of a convex polygon with corners counter-clockwise; one corner makes a circle."""

    corners: tuple[Point, ...]
    radius: float = 0.0

    def moved(self, at: Point, angle: float) -> Convex:
        """Turned by an angle in radians, counter-clockwise, and shifted."""
        c, s = direction(angle)
        return Convex(tuple((at[0] + c * x - s * y, at[1] + s * x + c * y) for x, y in self.corners), self.radius)

    def scaled(self, by: float) -> Convex:
        return Convex(tuple((by * x, by * y) for x, y in self.corners), by * self.radius)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top."""
        xs, ys = zip(*self.corners, strict=True)
        r = self.radius
        return min(xs) - r, min(ys) - r, max(xs) + r, max(ys) + r

    @property
    def area(self) -> float:
        """The area, radius included (a Steiner formula)."""
        edges = sum(math.dist(a, b) for a, b in ring(self.corners)) if len(self.corners) > 1 else 0.0
        return abs(area(self.corners)) + edges * self.radius + math.pi * self.radius**2


def direction(angle: float) -> Point:
    """The unit vector of an angle; exact for quarter turns."""
    quarter = angle / (math.pi / 2)
    if abs(quarter - round(quarter)) < 1e-12:
        return ((1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0))[round(quarter) % 4]
    return math.cos(angle), math.sin(angle)


def box(width: float, height: float, middle: Point = (0.0, 0.0)) -> Convex:
    x, y = middle
    w, h = width / 2, height / 2
    return Convex(((x - w, y - h), (x + w, y - h), (x + w, y + h), (x - w, y + h)))


def ring(corners: Sequence[Point]) -> list[tuple[Point, Point]]:
    """The edges of a polygon."""
    return list(zip(corners, [*corners[1:], corners[0]], strict=True))


def area(corners: Sequence[Point]) -> float:
    """Positive for corners counter-clockwise."""
    return 0.5 * sum(ax * by - ay * bx for (ax, ay), (bx, by) in ring(corners)) if len(corners) > 2 else 0.0


def side(p: Point, a: Point, b: Point) -> float:
    """The distance of p from the line ab, positive on the left."""
    size = math.dist(a, b)
    return ((b[0] - a[0]) * (p[1] - a[1]) - (b[1] - a[1]) * (p[0] - a[0])) / size if size else 0.0


def to_segment(p: Point, a: Point, b: Point) -> float:
    """The distance of a point from a segment."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    square = dx * dx + dy * dy
    t = 0.0 if square == 0 else min(max(((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / square, 0.0), 1.0)
    return math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy)


def distance(one: Convex, other: Convex) -> float:
    """The distance of two convex shapes; if they overlap, minus the least shift that separates them."""
    deepest = -math.inf
    for shape, against in ((one, other), (other, one)):
        if len(shape.corners) > 1:
            for a, b in ring(shape.corners):
                if math.dist(a, b) > 0:
                    deepest = max(deepest, -max(side(p, a, b) for p in against.corners))
    if deepest < 0 and deepest != -math.inf:
        return deepest - one.radius - other.radius
    least = math.inf
    for shape, against in ((one, other), (other, one)):
        for p in shape.corners:
            for a, b in ring(against.corners):
                least = min(least, to_segment(p, a, b))
    return least - one.radius - other.radius


def inside(p: Point, polygon: Sequence[Point]) -> bool:
    """Whether a point lies inside a simple polygon (by crossings)."""
    x, y = p
    found = False
    for (ax, ay), (bx, by) in ring(polygon):
        if (ay > y) != (by > y) and x < ax + (y - ay) / (by - ay) * (bx - ax):
            found = not found
    return found


def outside_by(shape: Convex, polygon: Sequence[Point]) -> float:
    """How far a shape reaches out of a simple polygon; 0 if it lies inside."""
    worst = 0.0
    for p in shape.corners:
        off = min(to_segment(p, a, b) for a, b in ring(polygon))
        worst = max(worst, shape.radius - off if inside(p, polygon) else shape.radius + off)
    if len(shape.corners) > 2:
        worst = max([worst, *(_depth(shape, a, b) for a, b in ring(polygon))])
    elif shape.radius:
        worst = max([worst, *(shape.radius - to_segment(p, a, b) for p in shape.corners for a, b in ring(polygon))])
    return max(worst, 0.0)


def _depth(shape: Convex, a: Point, b: Point) -> float:
    """How deep the middle of an edge's piece inside a shape lies; 0 if the edge stays out."""
    low, high = 0.0, 1.0
    for p, q in ring(shape.corners):
        at_a, at_b = side(a, p, q), side(b, p, q)
        if at_a <= 0 and at_b <= 0:
            return 0.0
        if (at_a < 0) != (at_b < 0):
            t = at_a / (at_a - at_b)
            low, high = (max(low, t), high) if at_a < 0 else (low, min(high, t))
    if low >= high:
        return 0.0
    t = (low + high) / 2
    middle = (a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1]))
    return max(min(side(middle, p, q) for p, q in ring(shape.corners)), 0.0)


def simple(corners: Sequence[Point]) -> bool:
    """Whether no two edges of a polygon meet but neighbours at their corner."""
    edges = ring(corners)
    n = len(edges)
    for i in range(n):
        for j in range(i + 1, n):
            if j == i + 1 or (i == 0 and j == n - 1):
                continue
            (a, b), (c, d) = edges[i], edges[j]
            if side(c, a, b) * side(d, a, b) <= 0 and side(a, c, d) * side(b, c, d) <= 0:
                touching = min(to_segment(c, a, b), to_segment(d, a, b), to_segment(a, c, d), to_segment(b, c, d))
                if touching < 1e-12 or side(c, a, b) * side(d, a, b) < 0:
                    return False
    return True


def hull(points: Sequence[Point]) -> list[Point]:
    """The convex hull, counter-clockwise (A. M. Andrew, 1979)."""
    chain = sorted(set(points))

    def half(some: Sequence[Point]) -> list[Point]:
        found: list[Point] = []
        for p in some:
            while len(found) > 1 and side(p, found[-2], found[-1]) <= 1e-12:
                found.pop()
            found.append(p)
        return found[:-1]

    return half(chain) + half(chain[::-1])


def triangles(corners: Sequence[Point]) -> list[tuple[Point, Point, Point]]:
    """Cut a simple polygon into triangles, counter-clockwise, by its ears (G. H. Meisters, 1975)."""
    left = list(corners) if area(corners) > 0 else list(corners)[::-1]
    found = []
    while len(left) > 2:
        for k in range(len(left)):
            a, b, c = left[k - 1], left[k], left[(k + 1) % len(left)]
            turn = side(c, a, b)
            if abs(turn) < 1e-12 and len(left) > 3:
                del left[k]
                break
            others = [p for p in left if p not in (a, b, c)]
            if turn > 0 and not any(_in_triangle(p, a, b, c) for p in others):
                found.append((a, b, c))
                del left[k]
                break
        else:
            return found
    return found


def _in_triangle(p: Point, a: Point, b: Point, c: Point) -> bool:
    return side(p, a, b) > -1e-12 and side(p, b, c) > -1e-12 and side(p, c, a) > -1e-12


def pieces(corners: Sequence[Point]) -> list[Convex]:
    """Convex pieces of at most four corners that cover a simple polygon."""
    if len(corners) <= 4 and all(
        side(c, a, b) > 0 for (a, b), (_, c) in zip(ring(corners), ring([*corners[1:], corners[0]]), strict=True)
    ):
        return [Convex(tuple(corners))]
    return [Convex(one) for one in triangles(corners)]


def pockets(corners: Sequence[Point]) -> list[list[Point]]:
    """What a simple polygon (counter-clockwise) lacks to its convex hull, as simple polygons."""
    around = hull(corners)
    n = len(corners)
    on = [k for k in range(n) if corners[k] in around]
    found = []
    for here, there in zip(on, [*on[1:], on[0] + n], strict=True):
        if there - here > 1:
            found.append([corners[k % n] for k in range(here, there + 1)][::-1])
    return [one for one in found if abs(area(one)) > 1e-12]
