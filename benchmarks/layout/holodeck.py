"""Furnished rooms in Holodeck's language: ``python -m benchmarks.layout.holodeck [--count 20] [--floor floor_objects.py]``.

6 to 14 pieces of furniture and relations of Holodeck's prompt (edge, near, far, in front of, side of, left of, right of, center
aligned, face to) that hold of a hidden arrangement, so that every room has a layout. `holds` judges answers by its own formulas.

``--floor`` names Holodeck's ``ai2holodeck/generation/floor_objects.py`` (Apache-2.0): its `DFS_Solver_Floor` gets the same rooms
with 30 seconds each, its own setting. It needs shapely, rtree and scipy. Its grid is judged with 10 cm of tolerance.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import io
import math
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
from benchmarks.layout.bedrooms import corners, overlap
from benchmarks.layout.generated import FURNITURE

import groundstate as gs

FIRST_SEED = 8_000_000
"""Of the rooms of the record; nothing was developed on them."""

FRONTS = {0: (0.0, -1.0), 90: (1.0, 0.0), 180: (0.0, 1.0), 270: (-1.0, 0.0)}
"""The direction in which an item of front "south" faces, by its turn."""


class Place(NamedTuple):
    x: float
    y: float
    turn: int
    size: tuple[float, float]

    @property
    def box(self) -> tuple[float, float, float, float]:
        w, d = self.size if self.turn % 180 == 0 else self.size[::-1]
        return self.x - w / 2, self.y - d / 2, self.x + w / 2, self.y + d / 2


class Relation(NamedTuple):
    kind: str
    item: str
    target: str = ""


def distance(a: Place, b: Place) -> float:
    p, q = a.box, b.box
    return math.hypot(max(q[0] - p[2], p[0] - q[2], 0.0), max(q[1] - p[3], p[1] - q[3], 0.0))


def side(a: Place, b: Place, way: tuple[float, float], slack: float, *, whole: bool) -> bool:
    """Whether a lies beyond b along a direction, its centre between the sides of b."""
    axis = 0 if way[0] else 1
    p, q = a.box, b.box
    if whole:
        beyond = q[axis + 2] - p[axis] if way[axis] > 0 else p[axis + 2] - q[axis]
    else:
        beyond = q[axis + 2] - a[axis] if way[axis] > 0 else a[axis] - q[axis]
    return beyond <= slack and q[1 - axis] - slack <= a[1 - axis] <= q[3 - axis] + slack


def holds(r: Relation, at: dict[str, Place], room: tuple[float, float], slack: float, *, whole: bool = True) -> bool:
    """Whether a relation holds.

    Args:
        slack: Tolerance in centimetres.
        whole: Whether all of an item must lie at the side named, or its centre only, as in Holodeck.
    """
    a = at[r.item]
    f = FRONTS[a.turn]
    if r.kind == "edge":
        axis = 0 if f[0] else 1
        back = a.box[axis] if f[axis] > 0 else room[axis] - a.box[axis + 2]
        return abs(back) <= slack
    b = at[r.target]
    g = FRONTS[b.turn]
    if r.kind == "near":
        return distance(a, b) <= 150 + slack
    if r.kind == "far":
        return distance(a, b) >= 150 - slack
    if r.kind == "in front of":
        return side(a, b, g, slack, whole=whole)
    left, right = (-g[1], g[0]), (g[1], -g[0])
    if r.kind in ("left of", "right of", "side of"):
        ways = {"left of": [left], "right of": [right], "side of": [left, right]}[r.kind]
        return any(side(a, b, way, slack, whole=whole) for way in ways)
    if r.kind == "center aligned":
        return min(abs(a.x - b.x), abs(a.y - b.y)) <= max(slack, 1e-3)
    assert r.kind == "face to"
    axis = 0 if f[0] else 1
    other = 1 - axis
    ahead = (b[axis] - a[axis]) * f[axis] >= -slack
    return ahead and b.box[other] - slack <= a[other] <= b.box[other + 2] + slack


KINDS = ("near", "far", "in front of", "side of", "left of", "right of", "center aligned", "face to")


def furnished(seed: int) -> tuple[tuple[float, float], dict[str, tuple[float, float]], list[Relation]]:
    """A room, the items, and relations that can all hold."""
    draw = np.random.default_rng(FIRST_SEED + seed)
    while True:
        names = [str(n) for n in draw.permutation(list(FURNITURE))[: int(draw.integers(6, 15))]]
        names.sort(key=lambda n: -math.prod(FURNITURE[n]))
        room = (float(draw.integers(400, 650)), float(draw.integers(360, 580)))
        at: dict[str, Place] = {}
        for name in names:
            for _ in range(200):
                turn = int(draw.choice([0, 90, 180, 270]))
                place = Place(0.0, 0.0, turn, FURNITURE[name])
                half = (place.box[2], place.box[3])
                spot = [float(draw.uniform(half[k], room[k] - half[k])) for k in (0, 1)]
                if at and draw.random() < 0.3:
                    axis = int(draw.integers(2))
                    spot[axis] = at[str(draw.choice(list(at)))][axis]
                if draw.random() < 0.6:
                    axis = 0 if FRONTS[turn][0] else 1
                    spot[axis] = half[axis] if FRONTS[turn][axis] > 0 else room[axis] - half[axis]
                place = Place(spot[0], spot[1], turn, FURNITURE[name])
                b = place.box
                inside = b[0] >= 0 and b[1] >= 0 and b[2] <= room[0] and b[3] <= room[1]
                apart = all(
                    max(b[0] - c[2], c[0] - b[2], b[1] - c[3], c[1] - b[3]) >= 0 for c in (o.box for o in at.values())
                )
                if inside and apart:
                    at[name] = place
                    break
        if len(at) == len(names):
            break
    relations = [Relation("edge", n) for n in names if holds(Relation("edge", n), at, room, 1e-6)]
    for k, name in enumerate(names[1:], start=1):
        # As in Holodeck's prompt: an item is related to one that is placed already, sometimes to two.
        near = sorted(names[:k], key=lambda t: distance(at[name], at[t]) + float(draw.uniform(0, 150)))
        for target, most in zip(near, (3, 1 if draw.random() < 0.3 else 0), strict=False):
            true = [r for kind in KINDS if holds(r := Relation(kind, name, target), at, room, 0.0)]
            if any(r.kind in ("left of", "right of") for r in true):
                true = [r for r in true if r.kind != "side of"]
            order = [true[int(n)] for n in draw.permutation(len(true))]
            relations += order[: int(draw.integers(1, most + 1)) if most else 0]
    return room, {n: FURNITURE[n] for n in names}, relations


TEXT = {
    "edge": "{0} against any wall",
    "near": "{0} within 150 of {1}",
    "far": "{0} at least 150 from {1}",
    "in front of": "{0} in front of {1}",
    "side of": "{0} at the side of {1}",
    "left of": "{0} to the own left of {1} within 700",
    "right of": "{0} to the own right of {1} within 700",
    "center aligned": "{0}, {1} aligned",
    "face to": "{0} facing {1}",
}


def ours(solver: gs.Solver, room: Any, items: Any, relations: list[Relation]) -> dict[str, Place] | None:
    request = {
        "area": list(room),
        "items": {n: {"size": list(size), "turns": "quarter", "front": "south"} for n, size in items.items()},
        "relations": [TEXT[r.kind].format(r.item, r.target) for r in relations],
        "unit": "cm",
    }
    found = solver.solve(request, ask=False)
    if found.status == "infeasible":
        raise AssertionError(f"A room with a layout is called infeasible: {found.violations[0].message}")
    if found.answer is None:
        return None
    spots = found.answer["items"]
    return {n: Place(spots[n]["x"], spots[n]["y"], round(spots[n]["turn"]) % 360, items[n]) for n in items}


def rival(path: Path, seconds: float) -> Callable[..., dict[str, Place]]:
    """Holodeck's solver, taken from its source file without the rest of the package."""
    import copy
    import random

    import rtree
    import shapely.geometry as shapes
    from scipy.interpolate import interp1d

    tree = ast.parse(path.read_text())
    wanted = [n for n in tree.body if isinstance(n, ast.ClassDef) and n.name in ("SolutionFound", "DFS_Solver_Floor")]
    names = {
        "np": np, "time": time, "random": random, "copy": copy, "index": rtree.index, "interp1d": interp1d,
        "Point": shapes.Point, "Polygon": shapes.Polygon, "LineString": shapes.LineString, "box": shapes.box,
    }  # fmt: skip
    exec(compile(ast.Module(wanted, []), str(path), "exec"), names)

    kinds = {
        "near": "distance", "far": "distance", "in front of": "relative", "side of": "relative", "left of": "relative",
        "right of": "relative", "center aligned": "alignment", "face to": "direction",
    }  # fmt: skip

    def solve(room: Any, items: Any, relations: list[Relation]) -> dict[str, Place]:
        random.seed(0)
        constraints: dict[str, list[dict[str, str]]] = {name: [] for name in items}
        for name in items:
            edge = any(r.kind == "edge" and r.item == name for r in relations)
            constraints[name].append({"type": "global", "constraint": "edge" if edge else "middle"})
        for r in relations:
            if r.kind != "edge":
                constraints[r.item].append({"type": kinds[r.kind], "constraint": r.kind, "target": r.target})
        grid = int(max(room[0] // 20, room[1] // 20))
        solver: Any = names["DFS_Solver_Floor"](grid_size=grid, max_duration=seconds, constraint_bouns=1)  # type: ignore[operator]
        bounds = shapes.box(0, 0, *room)
        with contextlib.redirect_stdout(io.StringIO()):
            found = solver.get_solution(bounds, list(items.items()), constraints, {})
        # There, an item that is not turned faces up.
        return {n: Place(*one[0], {0: 180, 90: 90, 180: 0, 270: 270}[one[1]], items[n]) for n, one in found.items()}

    return solve


def clashes(at: dict[str, Place], room: tuple[float, float]) -> float:
    """The worst overlap, or reach out of the room."""
    shapes = [corners(p.x, p.y, *p.size, p.turn) for p in at.values()]
    out = max(max(-x, -y, x - room[0], y - room[1]) for shape in shapes for x, y in shape)
    return max([out, *(overlap(a, b) for k, a in enumerate(shapes) for b in shapes[k + 1 :])])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--all", action="store_true", help="200 rooms")
    parser.add_argument("--floor", type=Path, help="Holodeck's floor_objects.py")
    parser.add_argument("--seconds", type=float, default=30.0, help="for Holodeck's solver, each room")
    parser.add_argument("--only", choices=("groundstate", "holodeck"))
    options = parser.parse_args()
    ways: dict[str, tuple[Callable[..., dict[str, Place] | None], float, bool]] = {}
    if options.only != "holodeck":
        solver = gs.load("layout")
        ways["groundstate"] = (lambda *given: ours(solver, *given), 1e-3, True)
    if options.floor is not None:
        ways["holodeck"] = (rival(options.floor, options.seconds), 10.0, False)
    count = 200 if options.all else options.count
    for name, (way, slack, whole) in ways.items():
        complete, right, true, every, wrong, seconds = 0, 0, 0, 0, 0, []
        for seed in range(count):
            room, items, relations = furnished(seed)
            begun = time.perf_counter()
            at = way(room, items, relations) or {}
            seconds.append(time.perf_counter() - begun)
            kept = [
                {r.item, r.target} - {""} <= at.keys() and holds(r, at, room, slack, whole=whole) for r in relations
            ]
            clean = bool(at) and clashes(at, room) <= slack
            complete += clean and at.keys() == items.keys()
            right += clean and at.keys() == items.keys() and all(kept)
            wrong += name == "groundstate" and bool(at) and not (clean and all(kept))
            true, every = true + sum(kept), every + len(kept)
        cuts = sorted(seconds)
        print(
            f"{name}: {complete} of {count} rooms complete, {right} with every relation, {true / every:.1%} of the relations; "
            f"median {median(seconds):.3f} s, 95th {cuts[int(0.95 * (count - 1))]:.2f} s"
            + (f"; wrong {wrong}" if name == "groundstate" else "")
        )


if __name__ == "__main__":
    main()
