"""Generated problems for training the descent's numbers, for benchmarks and for tests.

Each family makes requests from a random generator. A request also has its original figure, if that is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

Request = dict[str, Any]
Random = np.random.Generator


@dataclass
class Made:
    """A generated request.

    Attributes:
        request: The request.
        points: Coordinates of the original figure, by point, if known.
        about: Further facts for benchmarks.
    """

    request: Request
    points: dict[str, tuple[float, float]] = field(default_factory=dict)
    about: dict[str, Any] = field(default_factory=dict)


def _name(k: int) -> str:
    return chr(65 + k) if k < 26 else f"{chr(65 + k % 26)}{k // 26}"


def constructions(draw: Random, steps: tuple[int, int] = (2, 6)) -> Made:
    """A triangle and some points constructed from it and each other, without lengths, as in olympiad problems."""
    points = ["A", "B", "C"]
    statements: list[Any] = []
    for _ in range(int(draw.integers(*steps, endpoint=True))):
        x = _name(len(points))
        a, b, c = (points[k] for k in draw.permutation(len(points))[:3])
        kind = int(draw.integers(0, 14))
        lines = [points[k] for k in draw.permutation(len(points))[:4]] if len(points) > 3 else None
        if kind == 0:
            statements.append(f"{x} midpoint of {a}{b}")
        elif kind == 1:
            statements.append(f"{x} foot of perpendicular from {a} to {b}{c}")
        elif kind == 2:
            statements.append(f"{x} circumcenter of {a}{b}{c}")
        elif kind == 3:
            statements.append({"type": "equal_line_angles", "of": [a, b, a, x, a, x, a, c]})
            statements.append({"type": "equal_line_angles", "of": [b, a, b, x, b, x, b, c]})
        elif kind == 4:
            statements.append(f"{x} orthocenter of {a}{b}{c}")
        elif kind == 5:
            statements.append(f"{x} on line {a}{b}")
        elif kind == 6:
            statements.append({"type": "concyclic", "of": [a, b, c, x]})
        elif kind == 7 and lines:
            p, q, r, s = lines
            statements += [f"{x} on line {p}{q}", f"{x} on line {r}{s}"]
        elif kind == 8:
            statements += [f"{x}{a} perpendicular {b}{c}", f"{x}{b} perpendicular {a}{c}"]
        elif kind == 9:
            statements += [f"{x}{a} parallel {b}{c}", f"{x}{b} parallel {a}{c}"]
        elif kind == 10:
            statements.append(f"{x} reflection of {a} in {b}{c}")
        elif kind == 11:
            statements += [f"{a}{x} = {a}{b}", f"{x} on line {b}{c}"]
        elif kind == 12:
            statements.append({"type": "equal_line_angles", "of": [a, b, a, x, a, x, a, c]})
            statements.append(f"{x} on line {b}{c}")
        else:
            statements += [f"{a}{x} = {a}{b}", {"type": "concyclic", "of": [a, b, c, x]}]
        points.append(x)
    return Made({"points": points, "constraints": statements})


def sketch(draw: Random, entities: tuple[int, int] = (5, 40)) -> Made:
    """A fully dimensioned CAD sketch from a known figure: lines, circles, tangents."""
    count = int(draw.integers(*entities, endpoint=True))
    points: dict[str, tuple[float, float]] = {}
    statements: list[Any] = []
    circles: dict[str, Any] = {}

    def value(x: float) -> float:
        return round(float(x), 6)

    def put(x: float, y: float) -> str:
        name = f"p{len(points)}"
        points[name] = (float(x), float(y))
        return name

    def dist(p: str, q: str) -> float:
        return math.dist(points[p], points[q])

    origin = put(0.0, 0.0)
    statements.append({"type": "x", "of": [origin], "is": 0})
    statements.append({"type": "y", "of": [origin], "is": 0})
    angle = 0.0
    first = put(float(10.0 * draw.uniform(0.5, 3.0)), 0.0)
    statements += [
        {"type": "horizontal", "of": [origin, first]},
        {"type": "distance", "of": [origin, first], "is": value(dist(origin, first))},
    ]
    statements.append({"type": "left_of", "of": [_above(put, points, origin, statements), origin, first]})
    entities_made = 2
    while entities_made < count:
        names = list(points)
        a, b = (names[k] for k in draw.permutation(len(names))[:2])
        if dist(a, b) < 2.0:
            continue
        kind = int(draw.integers(0, 8))
        (ax, ay), (bx, by) = points[a], points[b]
        if kind == 0:  # two distances
            angle, far = draw.uniform(0.4, 2.7), dist(a, b) * draw.uniform(0.4, 1.4)
            turn = math.atan2(by - ay, bx - ax) + angle
            c = put(ax + far * math.cos(turn), ay + far * math.sin(turn))
            statements += [
                {"type": "distance", "of": [a, c], "is": value(dist(a, c))},
                {"type": "distance", "of": [b, c], "is": value(dist(b, c))},
            ]
        elif kind == 1:  # a distance and an angle
            angle, far = draw.uniform(0.3, 2.8), draw.uniform(5.0, 20.0)
            turn = math.atan2(by - ay, bx - ax) + angle
            c = put(ax + far * math.cos(turn), ay + far * math.sin(turn))
            statements += [
                {"type": "distance", "of": [a, c], "is": value(far)},
                {"type": "angle", "of": [b, a, c], "is": round(math.degrees(angle), 6)},
            ]
        elif kind == 2:  # perpendicular, of equal length
            c = put(ax - (by - ay), ay + (bx - ax))
            statements += [{"type": "perpendicular", "of": [a, c, a, b]}, {"type": "equal_lengths", "of": [a, c, a, b]}]
        elif kind == 3:  # parallelogram corner
            others = [n for n in names if n not in {a, b}]
            d = others[int(draw.integers(len(others)))]
            dx, dy = points[d]
            if abs((bx - ax) * (dy - ay) - (by - ay) * (dx - ax)) < 2.0:
                continue
            c = put(bx + dx - ax, by + dy - ay)
            statements += [{"type": "parallel", "of": [a, b, d, c]}, {"type": "parallel", "of": [a, d, b, c]}]
        elif kind == 4:
            c = put((ax + bx) / 2, (ay + by) / 2)
            statements.append({"type": "midpoint", "of": [c, a, b]})
        elif kind == 5:  # horizontal and vertical distances
            dx, dy = draw.uniform(-15, 15, 2)
            c = put(ax + dx, ay + dy)
            statements += [{"type": "x", "of": [a, c], "is": value(dx)}, {"type": "y", "of": [a, c], "is": value(dy)}]
            points[c] = (ax + value(dx), ay + value(dy))
        elif kind == 6:  # a circle around a point that touches a line
            others = [n for n in names if n not in {a, b}]
            o = others[int(draw.integers(len(others)))]
            ox, oy = points[o]
            radius = abs((bx - ax) * (oy - ay) - (by - ay) * (ox - ax)) / dist(a, b)
            if radius < 0.5:
                continue
            circles[f"k{len(circles)}"] = {"center": o}
            statements.append({"type": "tangent_line", "of": [f"k{len(circles) - 1}", a, b]})
        else:  # a point on a line at a distance
            part = draw.uniform(0.2, 0.8)
            c = put(ax + part * (bx - ax), ay + part * (by - ay))
            statements += [
                {"type": "on_segment", "of": [c, a, b]},
                {"type": "distance", "of": [a, c], "is": value(dist(a, c))},
            ]
        entities_made += 1
    request: Request = {"points": list(points), "constraints": statements, "distinct": False}
    if circles:
        request["circles"] = circles
    return Made(request, points)


def _above(
    put: Callable[[float, float], str], points: dict[str, tuple[float, float]], origin: str, statements: list[Any]
) -> str:
    height = 7.5
    name = put(points[origin][0], points[origin][1] + height)
    statements += [{"type": "vertical", "of": [origin, name]}, {"type": "distance", "of": [origin, name], "is": height}]
    return name


def henneberg(draw: Random, points: tuple[int, int] = (5, 8)) -> Made:
    """A rigid graph of distances, built point by point.

    With n points it has 2ⁿ⁻³ figures up to mirror images, if all triangles are real: ``about["solutions"]``.
    """
    n = int(draw.integers(*points, endpoint=True))
    names = [_name(k) for k in range(n)]
    at = {"A": (0.0, 0.0), "B": (float(draw.uniform(4, 8)), 0.0)}
    statements = [f"AB = {at['B'][0]:.6f}"]
    made = 0
    edges: list[tuple[str, str, float]] = []
    while made < n - 2:
        x = names[made + 2]
        a, b = (names[k] for k in draw.permutation(made + 2)[:2])
        place = tuple(float(v) for v in draw.uniform(-6, 8, 2))
        (ax, ay), (bx, by) = at[a], at[b]
        area = abs((bx - ax) * (place[1] - ay) - (by - ay) * (place[0] - ax))
        if area < 4.0 or math.dist(place, at[a]) < 1.5 or math.dist(place, at[b]) < 1.5:
            continue
        at[x] = (place[0], place[1])
        edges += [(x, a, round(math.dist(place, at[a]), 6)), (x, b, round(math.dist(place, at[b]), 6))]
        made += 1
    statements += [f"{p}{q} = {size:.6f}" for p, q, size in edges]
    solutions = _embeddings(names, at, edges)
    request = {"points": names, "constraints": statements, "distinct": False}
    return Made(request, at, {"solutions": solutions})


def _embeddings(
    names: list[str], at: dict[str, tuple[float, float]], edges: list[tuple[str, str, float]]
) -> list[dict[str, tuple[float, float]]]:
    """All figures of a graph built point by point, up to a mirror image, by intersecting circles."""
    found = [{name: at[name] for name in names[:2]}]
    for k, name in enumerate(names[2:]):
        (_, a, r), (_, b, s) = edges[2 * k], edges[2 * k + 1]
        following = []
        for figure in found:
            (ax, ay), (bx, by) = figure[a], figure[b]
            d = math.dist(figure[a], figure[b])
            if d < 1e-9:
                continue
            along = (r * r - s * s + d * d) / (2 * d)
            if r * r - along * along < 0:
                continue
            height = math.sqrt(r * r - along * along)
            ux, uy = (bx - ax) / d, (by - ay) / d
            signs = (1,) if k == 0 else (1, -1)
            for sign in signs:
                place = (ax + along * ux - sign * height * uy, ay + along * uy + sign * height * ux)
                following.append({**figure, name: place})
        found = following
    return found


def school(draw: Random) -> Made:
    """A triangle or quadrilateral with some sides and angles given, some of them as formulas in unknowns."""
    n = int(draw.integers(3, 5))
    names = [_name(k) for k in range(n)]
    corners = _convex(draw, n)
    at = dict(zip(names, corners, strict=True))

    def side(k: int) -> float:
        return math.dist(corners[k % n], corners[(k + 1) % n])

    def inner(k: int) -> float:
        (px, py), (vx, vy), (qx, qy) = corners[k - 1], corners[k % n], corners[(k + 1) % n]
        return math.degrees(abs(math.remainder(math.atan2(qy - vy, qx - vx) - math.atan2(py - vy, px - vx), math.tau)))

    def formula(value: float, letter: str, known: dict[str, float]) -> str:
        if letter not in known:
            known[letter] = float(draw.integers(2, 12))
        factor = float(draw.integers(1, 4))
        return f"{factor:g}{letter} + {value - factor * known[letter]:.6f}"

    statements: list[str] = []
    known: dict[str, float] = {}
    order = draw.permutation(n)
    for k in range(n):
        word = f"{names[order[k]]}{names[(order[k] + 1) % n]}"
        value = side(int(order[k]))
        statements.append(f"{word} = {formula(value, 'x', known) if draw.random() < 0.3 and k else f'{value:.6f}'}")
        if k < n - 2 or draw.random() < 0.2:
            corner = int(draw.integers(n))
            a, v, b = names[corner - 1], names[corner], names[(corner + 1) % n]
            size = inner(corner)
            statements.append(
                f"angle {a}{v}{b} = {formula(size, 'y', known) if draw.random() < 0.3 else f'{size:.6f}'}"
            )
    return Made({"points": names, "constraints": statements}, at)


def _convex(draw: Random, n: int) -> list[tuple[float, float]]:
    while True:
        turns = np.sort(draw.uniform(0, math.tau, n))
        gaps = np.diff([*turns, turns[0] + math.tau])
        if gaps.min() > 0.5 and gaps.max() < 3.0:
            return [(10 * math.cos(t), 7 * math.sin(t)) for t in turns]


FAMILIES: dict[str, Callable[[Random], Made]] = {
    "constructions": constructions,
    "sketch": sketch,
    "henneberg": henneberg,
    "school": school,
}
