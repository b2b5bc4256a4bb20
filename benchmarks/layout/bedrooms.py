"""Rooms that GPT-4 furnished, repaired: ``python -m benchmarks.layout.bedrooms FOLDER [--all]``.

FOLDER holds gpt4_bedrooms_even.json (LayoutGPT's stored answers). A room counts as clean if no object reaches out of the room and
no two objects whose heights meet overlap, by more than 1e-3 of a pixel, measured here by this file's own formulas.
The optimum moves axis-aligned boxes by whole tenths of a pixel (CP-SAT, sum of |dx| + |dy|).
"""

from __future__ import annotations

import argparse
import json
import math
import re
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median, quantiles
from typing import Any

import groundstate as gs

Box = tuple[float, float, float, float]


def request_of(room: dict[str, Any]) -> dict[str, Any] | None:
    """The request that repairs a room; None if it holds no object."""
    size = re.search(r"max length (\d+)px, max width (\d+)px", room["prompt"])
    assert size is not None
    items = {}
    for k, (name, one) in enumerate(room["object_list"]):
        if min(one["length"], one["width"]) <= 0:
            continue
        low = one["depth"] - one["height"] / 2
        items[f"{name}-{k + 1}"] = {
            "size": [one["length"], one["width"]],
            "at": [one["left"], one["top"]],
            "turn": one["orientation"],
            "z": [low, low + one["height"]],
        }
    if not items:
        return None
    return {"area": [float(size[1]), float(size[2])], "items": items, "repair": True}


def corners(x: float, y: float, w: float, d: float, turn: float) -> list[tuple[float, float]]:
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return [
        (x + c * u - s * v, y + s * u + c * v)
        for u, v in ((-w / 2, -d / 2), (w / 2, -d / 2), (w / 2, d / 2), (-w / 2, d / 2))
    ]


def overlap(one: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]]) -> float:
    """The least shift that separates two rectangles; 0 if they are apart (separating axes)."""
    least = math.inf
    for shape in (one, other):
        for k in range(2):
            (ax, ay), (bx, by) = shape[k], shape[k + 1]
            size = math.hypot(bx - ax, by - ay)
            u = ((by - ay) / size, (ax - bx) / size)
            p, q = ([x * u[0] + y * u[1] for x, y in some] for some in (one, other))
            least = min(least, min(max(p), max(q)) - max(min(p), min(q)))
    return max(least, 0.0)


def flaws(request: dict[str, Any], places: dict[str, tuple[float, float]]) -> tuple[float, float]:
    """How far the worst object reaches out, and the deepest overlap."""
    width, height = request["area"]
    shapes = {n: corners(*places[n], *one["size"], one["turn"]) for n, one in request["items"].items()}
    out = max(max(-x, -y, x - width, y - height) for shape in shapes.values() for x, y in shape)
    names = list(shapes)
    deep = 0.0
    for k, a in enumerate(names):
        for b in names[k + 1 :]:
            (al, ah), (bl, bh) = request["items"][a]["z"], request["items"][b]["z"]
            if min(ah, bh) > max(al, bl):
                deep = max(deep, overlap(shapes[a], shapes[b]))
    return max(out, 0.0), deep


def optimum(request: dict[str, Any], seconds: float = 10.0) -> tuple[float, dict[str, tuple[float, float]]] | None:
    """The least sum of |dx| + |dy|; None if the room has turned objects, is impossible, or time runs out."""
    from ortools.sat.python import cp_model

    if any(one["turn"] % 90 for one in request["items"].values()) or len(request["items"]) > 8:
        return None
    grain = 20
    model = cp_model.CpModel()
    width, height = (round(v * grain) for v in request["area"])
    boxes, moves = {}, []
    for name, one in request["items"].items():
        w, d = one["size"] if one["turn"] % 180 == 0 else one["size"][::-1]
        at = []
        for k, (size, span) in enumerate(((w, width), (d, height))):
            half = math.ceil(size * grain / 2 - 1e-9)
            if 2 * half > span:
                return None
            v = model.new_int_var(half, span - half, f"{name}{k}")
            off = model.new_int_var(0, span, f"{name}{k}d")
            given = round(one["at"][k] * grain)
            model.add(off >= v - given)
            model.add(off >= given - v)
            moves.append(off)
            at.append((v, half))
        boxes[name] = at
    names = list(boxes)
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            (al, ah), (bl, bh) = request["items"][a]["z"], request["items"][b]["z"]
            if min(ah, bh) <= max(al, bl):
                continue
            some = [model.new_bool_var(f"{a}{b}{k}") for k in range(4)]
            for axis in range(2):
                (va, ha), (vb, hb) = boxes[a][axis], boxes[b][axis]
                model.add(va + ha <= vb - hb).only_enforce_if(some[2 * axis])
                model.add(vb + hb <= va - ha).only_enforce_if(some[2 * axis + 1])
            model.add_bool_or(some)
    model.minimize(sum(moves))
    solver = cp_model.CpSolver()
    solver.parameters.max_time_in_seconds = seconds
    solver.parameters.num_workers = 1
    if solver.solve(model) != cp_model.OPTIMAL:
        return None
    places = {n: (solver.value(x[0]) / grain, solver.value(y[0]) / grain) for n, (x, y) in boxes.items()}
    return solver.objective_value / grain, places


def kept(request: dict[str, Any], places: dict[str, tuple[float, float]]) -> tuple[int, int]:
    """Relations of the given layout that still hold, and all of them: walls (3 %), directions (45°), next to (6 %)."""
    before = relations(request, {n: tuple(one["at"]) for n, one in request["items"].items()})
    return len(before & relations(request, places)), len(before)


def relations(request: dict[str, Any], places: dict[str, Any]) -> set[tuple[str, ...]]:
    width, height = request["area"]
    side = max(width, height)
    shapes = {n: corners(*places[n], *one["size"], one["turn"]) for n, one in request["items"].items()}
    found: set[tuple[str, ...]] = set()
    names = list(shapes)
    for n, shape in shapes.items():
        xs, ys = [p[0] for p in shape], [p[1] for p in shape]
        for wall, gap in (
            ("west", min(xs)),
            ("south", min(ys)),
            ("east", width - max(xs)),
            ("north", height - max(ys)),
        ):
            if abs(gap) <= 0.03 * side:
                found.add((n, wall))
    for k, a in enumerate(names):
        for b in names[k + 1 :]:
            (al, ah), (bl, bh) = request["items"][a]["z"], request["items"][b]["z"]
            if min(ah, bh) <= max(al, bl):
                continue
            dx, dy = places[a][0] - places[b][0], places[a][1] - places[b][1]
            if dx or dy:
                way = ("right" if dx > 0 else "left") if abs(dx) >= abs(dy) else ("above" if dy > 0 else "below")
                found.add((a, way, b))
            if gap_of(shapes[a], shapes[b]) <= 0.06 * side:
                found.add((a, "next to", b))
    return found


def gap_of(one: Sequence[tuple[float, float]], other: Sequence[tuple[float, float]]) -> float:
    if overlap(one, other) > 0:
        return 0.0

    def to(p: tuple[float, float], a: tuple[float, float], b: tuple[float, float]) -> float:
        dx, dy = b[0] - a[0], b[1] - a[1]
        t = min(max(((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / (dx * dx + dy * dy), 0.0), 1.0)
        return math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy)

    return min(
        to(p, shape[k], shape[(k + 1) % 4])
        for some, shape in ((one, other), (other, one))
        for p in some
        for k in range(4)
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--all", action="store_true", help="all rooms, not every seventh")
    parser.add_argument("--no-optimum", action="store_true")
    parser.add_argument(
        "--seconds", type=float, default=10.0, help="for CP-SAT, each room; rooms without a proof are left out"
    )
    options = parser.parse_args()
    rooms = json.loads((options.folder / "gpt4_bedrooms_even.json").read_text(encoding="utf-8"))
    requests = [one for room in rooms if (one := request_of(room)) is not None][:: 1 if options.all else 7]
    dirty = sum(max(flaws(r, {n: tuple(i["at"]) for n, i in r["items"].items()})) > 1e-3 for r in requests)
    clean, impossible, wrong, seconds, ratios, ratios_far, held, every = 0, 0, 0, [], [], [], 0, 0
    failed = []
    with gs.load("layout") as solver:
        solver.solve(requests[0], ask=False)
        for k, request in enumerate(requests):
            begun = time.perf_counter()
            found = solver.solve(request, ask=False)
            seconds.append(time.perf_counter() - begun)
            best = None if options.no_optimum else optimum(request, options.seconds)
            if found.answer is None:
                impossible += found.status == "infeasible"
                wrong += found.status == "infeasible" and best is not None
                if found.status != "infeasible":
                    failed.append(k)
                continue
            places = {n: (one["x"], one["y"]) for n, one in found.answer["items"].items()}
            if max(flaws(request, places)) > 1e-3:
                wrong += 1
                continue
            clean += 1
            one, all_ = kept(request, places)
            held, every = held + one, every + all_
            if best is not None:
                far = [sum(math.dist(at[n], i["at"]) for n, i in request["items"].items()) for at in (places, best[1])]
                moved = sum(
                    abs(places[n][0] - i["at"][0]) + abs(places[n][1] - i["at"][1]) for n, i in request["items"].items()
                )
                ratios.append((moved, best[0]))
                ratios_far.append(far)
    n = len(requests)
    print(f"{n} rooms; GPT-4's own: {n - dirty} clean ({(n - dirty) / n:.1%})")
    print(
        f"repaired: {clean} clean of {n - impossible} not proven impossible ({clean / (n - impossible):.1%}); "
        f"impossible {impossible}; unsolved {failed}; wrong {wrong}"
    )
    print(f"relations kept: {held} of {every} ({held / every:.1%})")
    if ratios:
        ours, theirs = (sum(r[k] for r in ratios) for k in (0, 1))
        print(f"sum of |dx| + |dy| over CP-SAT's optimum: {ours / theirs:.3f} in all ({len(ratios)} rooms)")
        ours, theirs = (sum(r[k] for r in ratios_far) for k in (0, 1))
        print(f"mean move over that of CP-SAT's optimum: {ours / theirs:.3f}")
    cuts = quantiles(seconds, n=20)
    print(
        f"seconds a room: median {median(seconds):.3f} (target 0.060), 95th {cuts[18]:.3f} (target 0.400), "
        f"mean {mean(seconds):.3f}"
    )


if __name__ == "__main__":
    main()
