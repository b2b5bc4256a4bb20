"""Generated systems and rooms: examples for the exporter, problems for training, tests and benchmarks."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundstate_models.layout.rows import MAX, MIN, Atom, Body, Clause, End, Pair, Part, System
from groundstate_models.layout.shapes import Convex, box
from groundstate_models.layout.tensors import Sizes

WALLS = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))


def system(draw: np.random.Generator, sizes: Sizes) -> System:
    """Random boxes and circles with random bounds and clauses that fit the given sizes; not always satisfiable."""
    items, parts, pairs, atoms, clauses, _ = sizes
    made = System([Body((0.0, 0.0), 0.0, "none", 0.0)], [Part(0, Convex(((0.0, 0.0),)))])
    for _ in range(items - 1):
        turning = ("none", "quarter", "free")[draw.integers(3)]
        at = draw.uniform(-0.8, 0.8, 2)
        made.bodies.append(Body((at[0], at[1]), float(draw.uniform(0.1, 0.7)), turning, float(draw.uniform(-3, 3))))
    for k in range(1, parts):
        w, h = draw.uniform(0.1, 0.6, 2)
        round_ = draw.random() < 0.3
        shape = Convex(((0.0, 0.0),), w / 2) if round_ else box(w, h, tuple(draw.uniform(-0.1, 0.1, 2)))
        made.parts.append(Part(k if k < items else int(draw.integers(1, items)), shape))
    for _ in range(pairs - 1):
        a, b = draw.choice(np.arange(1, parts), 2, replace=False)
        if made.parts[a].item != made.parts[b].item:
            low = float(draw.uniform(0, 0.1)) if draw.random() < 0.7 else -math.inf
            high = math.inf if low > -math.inf else float(draw.uniform(0, 0.3))
            made.pairs.append(Pair(int(a), int(b), low, high, math.inf if draw.random() < 0.7 else 1.0))
    left = atoms - 1
    for _ in range(clauses - 1):
        alternatives = []
        for _ in range(int(draw.integers(1, 4))):
            some = []
            for _ in range(int(draw.integers(1, 3))):
                if left == 0:
                    continue
                left -= 1
                a, b = draw.integers(1, parts, 2)
                frame = int(draw.integers(items)) if draw.random() < 0.3 else 0
                way = WALLS[draw.integers(4)]
                ends = (End(int(a), MIN), End(int(b), MAX, -1.0)) if draw.random() < 0.5 else (End(int(a), MAX),)
                some.append(Atom(way, ends, float(draw.uniform(-1, 1)), frame))
            if some:
                alternatives.append(tuple(some))
        if alternatives:
            low, high = (0.0, math.inf) if draw.random() < 0.7 else (-math.inf, 0.0)
            made.clauses.append(Clause(tuple(alternatives), low, high, math.inf if draw.random() < 0.7 else 1.0))
    return made


ROOM_TRIES = 200
"""Random places that are tried for a piece of furniture before a room is given up."""


def room(draw: np.random.Generator, count: tuple[int, int] = (6, 15)) -> dict[str, Any]:
    """A request that has a layout: a room of pieces of random sizes, with relations that hold of a hidden arrangement.

    Walls, distances, sides as the other item sees them, sides on the page, alignment and facing. The sizes and the choice of
    relations are not those of the benchmarks.
    """
    while True:
        wide, high = float(draw.integers(350, 650)), float(draw.integers(300, 560))
        sizes = [
            (float(draw.integers(35, 200)), float(draw.integers(30, 110))) for _ in range(int(draw.integers(*count)))
        ]
        placed: list[_Piece] = []
        for k, (w, d) in enumerate(sorted(sizes, key=lambda s: -s[0] * s[1])):
            for _ in range(ROOM_TRIES):
                turn = int(draw.integers(4))
                sx, sy = (w, d) if turn % 2 == 0 else (d, w)
                if sx > wide or sy > high:
                    continue
                at = [float(draw.uniform(sx / 2, wide - sx / 2)), float(draw.uniform(sy / 2, high - sy / 2))]
                if draw.random() < 0.6:
                    # The front faces away from the wall.
                    axis, far = (1, turn == 0) if turn % 2 == 0 else (0, turn == 3)
                    half, span = (sx / 2, wide) if axis == 0 else (sy / 2, high)
                    at[axis] = span - half if far else half
                piece = _Piece(f"p{k}", (w, d), turn, at[0], at[1], sx, sy)
                if all(piece.gap(one) >= 0 for one in placed):
                    placed.append(piece)
                    break
        if len(placed) == len(sizes):
            break
    items = {p.name: {"size": list(p.size), "turns": "quarter", "front": "south"} for p in placed}
    relations = [f"{p.name} against any wall" for p in placed if p.backed(wide, high)]
    for k, p in enumerate(placed[1:], start=1):
        for q in placed[:k]:
            if draw.random() < 1.6 / k:
                relations += _true(draw, p, q)
    return {"area": [wide, high], "items": items, "relations": relations, "unit": "cm"}


@dataclass(frozen=True)
class _Piece:
    """Furniture at its place; its front faces south, east, north or west by its quarter turns."""

    name: str
    size: tuple[float, float]
    turn: int
    x: float
    y: float
    wide: float
    high: float

    @property
    def front(self) -> tuple[float, float]:
        return ((0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0))[self.turn]

    def gap(self, other: _Piece) -> float:
        """The distance along one axis; negative where the two overlap."""
        return max(
            abs(self.x - other.x) - (self.wide + other.wide) / 2, abs(self.y - other.y) - (self.high + other.high) / 2
        )

    def backed(self, wide: float, high: float) -> bool:
        x, y = self.front
        back = {(0, -1): high - self.y - self.high / 2, (0, 1): self.y - self.high / 2}
        back |= {(1, 0): self.x - self.wide / 2, (-1, 0): wide - self.x - self.wide / 2}
        return abs(back[int(x), int(y)]) < 1e-9


def _true(draw: np.random.Generator, p: _Piece, q: _Piece) -> list[str]:
    """One or two relations of p and q that hold."""
    dx, dy = abs(p.x - q.x) - (p.wide + q.wide) / 2, abs(p.y - q.y) - (p.high + q.high) / 2
    apart = math.hypot(max(dx, 0.0), max(dy, 0.0))
    found = [f"{p.name} within {max(apart, 1.0) * 1.3 + 10:.0f} of {q.name}"]
    if apart > 60:
        found.append(f"{p.name} at least {0.8 * apart:.0f} from {q.name}")
    if dx >= 0:
        found.append(f"{p.name} {'left' if p.x < q.x else 'right'} of {q.name}")
    if dy >= 0:
        found.append(f"{p.name} {'below' if p.y < q.y else 'above'} {q.name}")
    fx, fy = q.front
    along = (p.x - q.x) * fx + (p.y - q.y) * fy
    reach = (p.wide + q.wide) / 2 * abs(fx) + (p.high + q.high) / 2 * abs(fy)
    across = abs((p.x - q.x) * fy - (p.y - q.y) * fx)
    if along >= reach and across <= (q.wide * abs(fy) + q.high * abs(fx)) / 2:
        found.append(f"{p.name} in front of {q.name}")
    gx, gy = p.front
    ahead = (q.x - p.x) * gx + (q.y - p.y) * gy
    if ahead >= 0 and abs((q.x - p.x) * gy - (q.y - p.y) * gx) <= (q.wide * abs(gy) + q.high * abs(gx)) / 2:
        found.append(f"{p.name} facing {q.name}")
    order = draw.permutation(len(found))
    return [found[int(k)] for k in order[: int(draw.integers(1, 3))]]


def world(draw: np.random.Generator, count: int) -> dict[str, Any]:
    """Boxes that fill 55 % of a square, with sides and distances read off a hidden packing."""
    while True:
        dims = draw.uniform(0.3, 1.0, (count, 2))
        dims *= 100 * math.sqrt(0.55 / float(dims.prod(1).sum()))
        placed: list[_Piece] = []
        for k, (w, h) in enumerate(dims.tolist()):
            for _ in range(ROOM_TRIES):
                if max(w, h) >= 100:
                    break
                x, y = float(draw.uniform(w / 2, 100 - w / 2)), float(draw.uniform(h / 2, 100 - h / 2))
                piece = _Piece(f"b{k}", (w, h), 0, x, y, w, h)
                if all(piece.gap(one) >= 0 for one in placed):
                    placed.append(piece)
                    break
        if len(placed) == count:
            break
    return {"area": [100.0, 100.0], "items": _upright(placed), "relations": _sides(draw, placed, 0.45)}


def _upright(pieces: list[_Piece]) -> dict[str, Any]:
    return {p.name: {"size": list(p.size), "turns": "none"} for p in pieces}


def _sides(draw: np.random.Generator, pieces: list[_Piece], share: float) -> list[str]:
    """Sides and distances that hold, of a share of the pairs."""
    found: list[str] = []
    for k, p in enumerate(pieces):
        for q in pieces[:k]:
            if draw.random() < share:
                found += [text for text in _true(draw, p, q) if "front" not in text and "facing" not in text]
    return found


def packed(draw: np.random.Generator, count: int, corner: float = 0.0) -> dict[str, Any]:
    """Boxes that fill most of an area, cut out of it by halving cuts, with sides and distances that hold of the cuts.

    Args:
        draw: Source of the numbers.
        count: Boxes before the corner is taken out.
        corner: Share of the width and of the height that an L-shaped area lacks at its upper right; 0 for a rectangle.
    """
    wide, high = float(draw.integers(80, 121)), float(draw.integers(80, 121))
    left, below = wide * (1 - corner), high * (1 - corner)
    # The free pieces: left, bottom, right, top.
    free = [(0.0, 0.0, wide, below), (0.0, below, left, high)] if corner else [(0.0, 0.0, wide, high)]
    while len(free) < count:
        a, b, c, d = free.pop(int(np.argmax([(c - a) * (d - b) for a, b, c, d in free])))
        at = float(draw.uniform(0.3, 0.7))
        x, y = a + at * (c - a), b + at * (d - b)
        free += [(a, b, x, d), (x, b, c, d)] if c - a > d - b else [(a, b, c, y), (a, y, c, d)]
    pieces = []
    for k, (a, b, c, d) in enumerate(free):
        w, h = (c - a) * draw.uniform(0.8, 0.98), (d - b) * draw.uniform(0.8, 0.98)
        pieces.append(_Piece(f"b{k}", (float(w), float(h)), 0, (a + c) / 2, (b + d) / 2, float(w), float(h)))
    area: Any = [wide, high]
    if corner:
        area = {"polygon": [[0.0, 0.0], [wide, 0.0], [wide, below], [left, below], [left, high], [0.0, high]]}
    return {"area": area, "items": _upright(pieces), "relations": _sides(draw, pieces, 0.3)}


def turning(draw: np.random.Generator, count: int) -> dict[str, Any]:
    """As `packed`, with boxes that may have any angle."""
    made = packed(draw, count)
    items = {name: {**item, "turns": "free"} for name, item in made["items"].items()}
    return {**made, "items": items}


def disturbed(draw: np.random.Generator, count: tuple[int, int] = (5, 12)) -> dict[str, Any]:
    """A request to repair a room: pieces that had a place each, every one of them moved at random."""
    made = packed(draw, int(draw.integers(*count)))
    wide, high = made["area"]
    items = {}
    for name, item in made["items"].items():
        w, h = (0.85 * side for side in item["size"])
        at = [draw.uniform(0.3 * w, wide - 0.3 * w), draw.uniform(0.3 * h, high - 0.3 * h)]
        items[name] = {"size": [w, h], "turn": 0.0, "at": [float(v) for v in at]}
    return {"area": [wide, high], "items": items, "repair": True}
