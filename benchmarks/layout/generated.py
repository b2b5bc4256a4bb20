"""Generated layouts whose truth is known: ``python -m benchmarks.layout.generated [--count 20] [--only worlds …]``.

Every answer is checked by `flaws`, which shares no code with the model. A feasible request called infeasible, or an answer
with a flaw, counts as wrong.
"""

from __future__ import annotations

import argparse
import math
import time
from statistics import median
from typing import Any

import numpy as np
from benchmarks.layout.bedrooms import corners, overlap

import groundstate as gs

FIRST_SEED = 7_000_000
"""Of the instances of the record; nothing was developed on them."""

TALLY = {"wrong": 0, "falsely impossible": 0}

FURNITURE = {
    "bed": (160, 200), "wardrobe": (120, 60), "desk": (120, 60), "sofa": (200, 90), "armchair": (80, 80), "table": (110, 70),
    "shelf": (80, 35), "tv stand": (140, 40), "dresser": (100, 50), "nightstand": (45, 40), "lamp": (35, 35), "plant": (40, 40),
    "chair": (45, 50), "cabinet": (90, 45),
}  # fmt: skip


def flaws(request: dict[str, Any], answer: dict[str, Any]) -> float:
    """The worst overlap, or reach out of the area."""
    width, height = request["area"]
    shapes = []
    for name, one in answer["items"].items():
        given = request["items"][name]
        w, d = given["size"] if isinstance(given, dict) else given
        shapes.append(corners(one["x"], one["y"], w, d, one["turn"]))
    out = max(max(-x, -y, x - width, y - height) for shape in shapes for x, y in shape)
    return max([out, *(overlap(a, b) for k, a in enumerate(shapes) for b in shapes[k + 1 :])])


def timed(solver: gs.Solver, request: dict[str, Any], **options: Any) -> tuple[gs.Solution, float]:
    begun = time.perf_counter()
    found = solver.solve(request, **options)
    seconds = time.perf_counter() - begun
    if found.answer is not None and flaws(request, found.answer) > 1e-3:
        TALLY["wrong"] += 1
    return found, seconds


def packed(
    draw: np.random.Generator, sizes: list[tuple[float, float]], width: float, height: float
) -> list[Any] | None:
    """Boxes (left, bottom, right, top) at random without overlap, or None."""
    placed: list[tuple[float, float, float, float]] = []
    for w, h in sizes:
        for _ in range(300):
            x, y = draw.uniform(0, max(width - w, 0)), draw.uniform(0, max(height - h, 0))
            box = (x, y, x + w, y + h)
            if all(box[2] <= b[0] or b[2] <= box[0] or box[3] <= b[1] or b[3] <= box[1] for b in placed):
                placed.append(box)
                break
        else:
            return None
    return placed


def world(draw: np.random.Generator, count: int, turns: str) -> dict[str, Any]:
    """Boxes of half the area's size, with relations read off a hidden packing."""
    while True:
        dims = draw.uniform(0.3, 1.0, (count, 2))
        dims *= 100 * math.sqrt(0.5 / float(dims.prod(1).sum()))
        boxes = packed(draw, [(float(w), float(h)) for w, h in dims], 100, 100)
        if boxes is not None:
            break
    relations = []
    for a in range(count):
        for b in range(count):
            if a != b and draw.random() < 0.3:
                if boxes[a][2] <= boxes[b][0]:
                    relations.append(f"b{a} left of b{b}")
                elif boxes[a][3] <= boxes[b][1]:
                    relations.append(f"b{a} below b{b}")
                elif turns == "none" and a < b:
                    relations.append(f"b{a} within 40 of b{b}")
    items = {f"b{k}": {"size": [float(w), float(h)], "turns": turns} for k, (w, h) in enumerate(dims)}
    if turns == "none":
        relations = [r for r in relations if "within" not in r or _gap(boxes, r) <= 40]
    return {"area": [100.0, 100.0], "items": items, "relations": relations}


def _gap(boxes: list[Any], text: str) -> float:
    a, b = (boxes[int(word[1:])] for word in (text.split(maxsplit=1)[0], text.rsplit(maxsplit=1)[-1]))
    return math.hypot(max(b[0] - a[2], a[0] - b[2], 0), max(b[1] - a[3], a[1] - b[3], 0))


def room(draw: np.random.Generator) -> dict[str, Any]:
    """See `furnished`."""
    return furnished(draw)[0]


def furnished(draw: np.random.Generator) -> tuple[dict[str, Any], dict[str, Any]]:
    """6 to 14 pieces of furniture and what holds of a hidden arrangement (edge, near, far, sides); and its boxes."""
    while True:
        names = [str(n) for n in draw.permutation(list(FURNITURE))[: int(draw.integers(6, 15))]]
        width, height = float(draw.integers(380, 620)), float(draw.integers(340, 560))
        boxes: list[tuple[float, float, float, float]] = []
        edge = []
        for name in names:
            w, d = FURNITURE[name]
            for _ in range(200):
                turned = bool(draw.random() < 0.5)
                sx, sy = (d, w) if turned else (w, d)
                x, y = float(draw.uniform(0, width - sx)), float(draw.uniform(0, height - sy))
                wall = draw.random() < 0.6
                if wall:
                    side = bool(draw.random() < 0.5)
                    # The back, the longer side, goes along the wall.
                    x, y = (x, 0.0 if side else height - sy) if not turned else (0.0 if side else width - sx, y)
                box = (x, y, x + sx, y + sy)
                if all(box[2] <= b[0] or b[2] <= box[0] or box[3] <= b[1] or b[3] <= box[1] for b in boxes):
                    boxes.append(box)
                    edge.append(wall)
                    break
        if len(boxes) == len(names):
            break
    items = {n: {"size": list(FURNITURE[n]), "turns": "quarter", "front": "south"} for n in names}
    relations = [f"{n} against any wall" for n, wall in zip(names, edge, strict=True) if wall]
    for k, one in enumerate(names[1:], start=1):
        for other in names[:k]:
            a, b = boxes[k], boxes[names.index(other)]
            gap = math.hypot(max(b[0] - a[2], a[0] - b[2], 0), max(b[1] - a[3], a[1] - b[3], 0))
            pick = draw.random()
            if gap <= 150 and pick < 0.15:
                relations.append(f"{one} near {other} within 150")
            elif gap >= 150 and pick < 0.08:
                relations.append(f"{one} at least 150 from {other}")
            elif a[2] <= b[0] and pick < 0.2:
                relations.append(f"{one} left of {other}")
            elif a[1] >= b[3] and pick < 0.2:
                relations.append(f"{one} above {other}")
    request = {"area": [width, height], "items": items, "relations": relations, "unit": "cm"}
    return request, dict(zip(names, boxes, strict=True))


def impossible(draw: np.random.Generator) -> tuple[dict[str, Any], list[str]]:
    """A room that is satisfiable but for what is put in, and the places of that in the request.

    An item too long for the room, one that makes the sum of the areas too large, a cycle of two or three sides, a gap too wide,
    or two rails that are longer together than the wall that both go against.
    """
    made, boxes = furnished(draw)
    width, height = made["area"]
    names = sorted(boxes, key=lambda n: boxes[n][0])
    rows = [(a, b) for a in names for b in names if boxes[a][2] <= boxes[b][0]]
    kind = int(draw.integers(6)) if rows else int(draw.integers(2))
    relations = made["relations"]
    if kind == 0:
        long = max(width, height) + float(draw.integers(5, 60))
        made["items"]["counter"] = {"size": [long, 60.0], "turns": "quarter", "front": "south"}
        return made, ["items.counter"]
    if kind == 1:
        free = width * height - sum(w * d for w, d in (FURNITURE[n] for n in names))
        deep = min(0.95 * height, 1.02 * free / (0.95 * width))
        made["items"]["carpet"] = {"size": [round(1.04 * free / deep, 3), round(deep, 3)], "turns": "none"}
        return made, ["items.carpet"]
    if kind == 5:
        for name in ("rail-1", "rail-2"):
            made["items"][name] = {"size": [round(float(draw.uniform(0.52, 0.62)) * width), 2.0], "turns": "none"}
            relations.append(f"{name} against north wall")
        return made, ["items.rail-1", "items.rail-2"]
    a, b = rows[int(draw.integers(len(rows)))]
    if kind == 2:
        relations += [f"{a} left of {b}", f"{b} left of {a}"]
        return made, [f"relations[{len(relations) - 1}]"]
    if kind == 3:
        beyond = [c for one, c in rows if one == b]
        chain = [f"{a} left of {b}", *([f"{b} left of {beyond[0]}"] if beyond else [])]
        relations += [r for r in chain if r not in relations]
        relations.append(f"{beyond[0] if beyond else b} left of {a}")
        return made, [f"relations[{len(relations) - 1}]"]
    least = min(FURNITURE[a]) + min(FURNITURE[b])
    relations.append(f"{a} left of {b}, gap {width - least + float(draw.integers(5, 40)):g}")
    return made, [f"relations[{len(relations) - 1}]"]


def two_walls(draw: np.random.Generator) -> dict[str, Any]:
    """A shelf longer than the room is deep goes against the north or the south wall; a table stays in the middle."""
    height = float(draw.integers(250, 350))
    width = height + float(draw.integers(60, 150))
    items = {
        "shelf": {"size": [float(draw.uniform(height + 10, width)), 40.0], "turns": "quarter", "front": "south"},
        "table": {"size": [90.0, 60.0], "turns": "none"},
    }
    return {
        "area": [width, height],
        "items": items,
        "relations": ["shelf against any wall", "table centred in the room"],
    }


def worlds(solver: gs.Solver, count: int) -> None:
    for n, turns in ((4, "none"), (6, "none"), (8, "none"), (6, "free")):
        placed, seconds = 0, []
        for k in range(count):
            found, took = timed(solver, world(np.random.default_rng(FIRST_SEED + k), n, turns), ask=False)
            placed += found.answer is not None
            TALLY["falsely impossible"] += found.status == "infeasible"
            seconds.append(took)
        target = {4: 0.99, 6: 0.97 if turns == "none" else 0.9, 8: 0.93}[n]
        within = sum(took <= 1 for took in seconds)
        print(
            f"worlds of {n} boxes, turns {turns}: {placed} of {count} (target {target:.0%} in 1 s; {within} in 1 s); "
            f"median {median(seconds):.3f} s, max {max(seconds):.2f} s"
        )


def rooms(solver: gs.Solver, count: int) -> None:
    placed, seconds = 0, []
    for k in range(count):
        found, took = timed(solver, room(np.random.default_rng(FIRST_SEED + k)), ask=False)
        placed += found.answer is not None
        TALLY["falsely impossible"] += found.status == "infeasible"
        seconds.append(took)
    print(f"rooms of 6 to 14 items: {placed} of {count}; median {median(seconds):.3f} s, max {max(seconds):.2f} s")


EVERY = 10
"""Of every tenth impossible room, minimality and options are looked at; `main` may change it."""


def impossibles(solver: gs.Solver, count: int) -> None:
    """Proofs of all; of some also whether each part of the set is needed, and whether every option helps."""
    proven, named, asked, minimal, helped, offered, works, seconds, waits = 0, 0, 0, 0, 0, 0, 0, [], []
    for k in range(count):
        request, planted = impossible(np.random.default_rng(FIRST_SEED + k))
        begun = time.perf_counter()
        found = solver.solve(request, ask=False)
        seconds.append(time.perf_counter() - begun)
        TALLY["wrong"] += found.answer is not None
        if found.status != "infeasible":
            continue
        proven += 1
        places = [place for one in found.violations for place in one.places]
        named += any(place in places for place in planted)
        if k % EVERY == 0:
            asked += 1
            minimal += needed(solver, request, places)
            begun = time.perf_counter()
            question = solver.solve(request, deadline=20).question
            waits.append(time.perf_counter() - begun)
            helped += question is not None
            for option in question.options if question is not None else ():
                offered += 1
                works += solver.solve(option.apply(request), deadline=20, ask=False).answer is not None
    print(
        f"impossible rooms: {proven} of {count} proven, {named} name what was put in; median {median(seconds):.3f} s, "
        f"max {max(seconds):.2f} s. Of {asked}: {minimal} sets are minimal, {helped} have options; {works} of "
        f"{offered} options help; with the question median {median(waits):.2f} s"
    )


def needed(solver: gs.Solver, request: dict[str, Any], places: list[str]) -> bool:
    """Whether the named set without any one of its parts has a layout, found by the model on the rest alone."""
    items = [place.removeprefix("items.") for place in places if place.startswith("items.")]
    stated = [int(place[10:-1]) for place in places if place.startswith("relations[")]

    def solvable(items: list[str], stated: list[int]) -> bool:
        texts = [request["relations"][k] for k in stated]
        texts = [t for t in texts if all(name in items for name in request["items"] if name in _words(t, request))]
        rest = {"area": request["area"], "items": {n: request["items"][n] for n in items}, "relations": texts}
        return not items or solver.solve(rest, ask=False, deadline=3).answer is not None

    every = items or sorted({n for k in stated for n in _words(request["relations"][k], request)})
    return all(solvable(every, [k for k in stated if k != one]) for one in stated) and all(
        solvable([n for n in every if n != one], stated) for one in every
    )


def _words(text: str, request: dict[str, Any]) -> list[str]:
    return [name for name in request["items"] if f" {name} " in f" {text.replace(',', ' ')} "]


def twos(solver: gs.Solver, count: int) -> None:
    asked, both, seconds = 0, 0, []
    for k in range(count):
        found, took = timed(solver, two_walls(np.random.default_rng(FIRST_SEED + k)), alternatives=2)
        asked += found.question is not None and "wall" in found.question.text
        both += found.question is not None and {o.label for o in found.question.options} == {"north", "south"}
        seconds.append(took)
    print(
        f"two walls: {asked} of {count} asked about the wall, {both} with exactly both; median {median(seconds):.2f} s"
    )


def two_turns(draw: np.random.Generator) -> dict[str, Any]:
    """A desk with a clear zone in a corridor that is narrower than both together: it faces one end or the other."""
    depth, clear = float(draw.uniform(40, 70)), float(draw.uniform(60, 90))
    width = float(draw.uniform(0.5, 0.95)) * (depth + clear)
    across = float(draw.uniform(width, depth + clear - 1))
    side = "south" if draw.random() < 0.5 else "west"
    area = [across, depth + clear + float(draw.uniform(1, 100))]
    size = [width, depth]
    if draw.random() < 0.5:
        area.reverse()
    items = {"desk": {"size": size if side == "south" else size[::-1], "front": side}}
    return {"area": area, "items": items, "relations": [f"{clear} clear in front of desk"]}


def two_orders(draw: np.random.Generator) -> dict[str, Any]:
    """Two items in a row, too deep for one to stand behind the other; half of the requests say that they are neighbours."""
    (a, b), depth = draw.uniform(40, 150, 2), float(draw.uniform(60, 100))
    first, second = depth * draw.uniform(0.6, 0.95, 2)
    items = {
        "lamp": {"size": [float(a), float(first)], "turns": "none"},
        "sofa": {"size": [float(b), float(second)], "turns": "none"},
    }
    stated = "lamp, sofa aligned bottom" if draw.random() < 0.5 else "lamp next to sofa"
    return {"area": [float(a + b + draw.uniform(5, 150)), depth], "items": items, "relations": [stated]}


def shifts(draw: np.random.Generator) -> dict[str, Any]:
    """The row with its order stated: the layouts differ by a shift only."""
    request = two_orders(draw)
    return {**request, "relations": [*request["relations"], "lamp left of sofa"]}


def asked(solver: gs.Solver, count: int) -> None:
    """Whether exactly both turns, or both orders, are asked about, and nothing where only a shift is open."""
    for name, make, wanted in (
        ("two turns", two_turns, ({"north", "south"}, {"east", "west"})),
        ("two orders", two_orders, ({"left", "right"},)),
        ("shifts", shifts, ()),
    ):
        right, seconds = 0, []
        for k in range(count):
            found, took = timed(solver, make(np.random.default_rng(FIRST_SEED + k)), alternatives=2)
            labels = None if found.question is None else {one.label for one in found.question.options}
            right += labels in wanted if wanted else labels is None and found.status == "solved"
            seconds.append(took)
        what = "asked about with exactly both" if wanted else "solved without a question"
        print(f"{name}: {right} of {count} {what}; median {median(seconds):.2f} s, max {max(seconds):.2f} s")


FAMILIES = {"asked": asked, "worlds": worlds, "rooms": rooms, "impossible": impossibles, "walls": twos}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--all", action="store_true", help="200 of each")
    parser.add_argument("--every", type=int, default=10, help="impossible rooms whose set and options are looked at")
    parser.add_argument("--only", nargs="*", choices=FAMILIES, default=list(FAMILIES))
    options = parser.parse_args()
    globals()["EVERY"] = options.every
    with gs.load("layout") as solver:
        for name in options.only:
            FAMILIES[name](solver, 200 if options.all else options.count)
    print(TALLY)


if __name__ == "__main__":
    main()
