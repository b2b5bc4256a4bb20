"""The kinds of statements: the rows of each for the energy, its exact check, and what it says.

A direction ``u`` is a unit vector of the page, or of the frame of an item. ``A beyond B along u`` is the pattern of most.

Long because it is one table, so that the rows and the check of a kind stand side by side.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from groundstate_models.layout.placed import Placed, mark_front, sideways
from groundstate_models.layout.plan import COMPASS, Plan, Stated
from groundstate_models.layout.rows import MAX, MIDDLE, MIN, Atom, Clause, End, Pair
from groundstate_models.layout.shapes import Convex, Point, direction, distance, pieces, pockets

X, Y = (1.0, 0.0), (0.0, 1.0)
WAYS = {"left": (-1.0, 0.0), "right": (1.0, 0.0), "above": (0.0, 1.0), "below": (0.0, -1.0)}

Rows = list[Pair | Clause]


class Lowers(Protocol):
    """What a kind needs to know about the lowered items; lengths are in halves of the area's longer side."""

    plan: Plan

    def length(self, value: float) -> float: ...
    def point(self, at: Point) -> Point: ...
    def body(self, name: str) -> int: ...
    def bounds(self, name: str) -> int: ...
    def corner(self, name: str, at: Point) -> int: ...
    def pieces(self, name: str) -> list[int]: ...
    def pillars(self) -> list[int]: ...


@dataclass(frozen=True)
class Kind:
    """A kind of statement.

    Attributes:
        rows: For the energy.
        amount: By how much an answer violates it, in the request's unit.
        phrase: With ``{0}``, ``{1}`` for names and ``{wall}``, ``{gap}`` … for values.
    """

    rows: Callable[[Lowers, Stated], Rows]
    amount: Callable[[Placed, Stated], float]
    phrase: str


def beyond(low: Lowers, a: str, b: str, u: Point, frame: int = 0, level: float = 0.0) -> Atom:
    """The lowest of a along u, minus the highest of b."""
    return Atom(u, (End(low.bounds(a), MIN), End(low.bounds(b), MAX, -1.0)), level, frame)


def _within_sides(low: Lowers, a: str, b: str, u: Point, frame: int) -> tuple[Atom, Atom]:
    """The centre of a lies between the sides of b, across u."""
    t = (-u[1], u[0])
    centre = low.bounds(a)
    return (
        Atom(t, (End(centre), End(low.bounds(b), MIN, -1.0)), 0.0, frame),
        Atom(t, (End(low.bounds(b), MAX), End(centre, MIDDLE, -1.0)), 0.0, frame),
    )


def _overlaps_across(low: Lowers, a: str, b: str, u: Point, frame: int) -> tuple[Atom, Atom]:
    """The sides of a and b overlap, across u."""
    t = (-u[1], u[0])
    one, other = low.bounds(a), low.bounds(b)
    return (
        Atom(t, (End(one, MAX), End(other, MIN, -1.0)), 0.0, frame),
        Atom(t, (End(other, MAX), End(one, MIN, -1.0)), 0.0, frame),
    )


def _off_sides(placed: Placed, a: str, b: str, u: Point) -> float:
    t = (-u[1], u[0])
    at = placed.centre_along(a, t)
    least, most = placed.extent(b, t)
    return max(least - at, at - most, 0.0)


def _row(s: Stated, *atoms: Atom) -> Clause:
    return Clause((atoms,), 0.0, math.inf, s.strength)


def _equal(s: Stated, atom: Atom) -> Clause:
    return Clause(((atom,),), 0.0, 0.0, s.strength)


def _both_signs(atom: Atom) -> tuple[Atom, Atom]:
    turned = (-atom.toward[0], -atom.toward[1])
    ends = tuple(End(end.part, -end.side, end.share) for end in atom.ends)
    return atom, Atom(turned, ends, -atom.level, atom.frame)


# -- sides of one another --------------------------------------------------------------------------------------------------


def _way(plan: Plan, s: Stated) -> tuple[Point, str | None]:
    """The direction from the second to the first, and in whose frame it is meant (None: the page's)."""
    side = {"side": "front"}.get(s.values["side"], s.values["side"])
    if side in WAYS and not s.values.get("own"):
        return WAYS[side], None
    other = s.of[1]
    side = {"above": "back", "below": "front"}.get(side, side)
    if other in plan.items:
        return sideways(plan.items[other].front, side), other
    return sideways(mark_front(plan, other) if other in plan.marks else (0.0, -1.0), side), None


def _beside_rows(low: Lowers, s: Stated) -> Rows:
    a, b = s.of
    if s.values["side"] == "side":
        front = low.plan.items[b].front if b in low.plan.items else _way(low.plan, s)[0]
        ways = [sideways(front, side) for side in ("left", "right")]
        seen = low.body(b)
        some = tuple((beyond(low, a, b, u, seen), *_within_sides(low, a, b, u, seen)) for u in ways)
        return [Clause(some, 0.0, math.inf, s.strength)]
    u, own = _way(low.plan, s)
    frame = 0 if own is None else low.body(own)
    rows: Rows = []
    gap, within = s.values.get("gap"), s.values.get("within")
    apart = beyond(low, a, b, u, frame)
    if gap is not None:
        g = low.length(gap)
        rows.append(Clause(((apart,),), g, g, s.strength))
    elif within is not None:
        rows.append(Clause(((apart,),), 0.0, low.length(within), s.strength))
    else:
        rows.append(_row(s, apart))
    if gap is not None or within is not None or s.values["side"] in ("front", "back"):
        rows.append(_row(s, *_within_sides(low, a, b, u, frame)))
    if s.values.get("across"):
        rows.append(_row(s, *_overlaps_across(low, a, b, u, frame)))
    return rows


def _beside_amount(placed: Placed, s: Stated) -> float:
    a, b = s.of
    if s.values["side"] == "side":
        ways = [sideways(placed.front(b), side) for side in ("left", "right")]
        return min(max(placed.extent(b, u)[1] - placed.extent(a, u)[0], _off_sides(placed, a, b, u), 0.0) for u in ways)
    u, own = _way(placed.plan, s)
    if own is not None:
        front = placed.front(own)
        side = {"above": "back", "below": "front"}.get(s.values["side"], s.values["side"])
        u = sideways(front, side)
    apart = placed.extent(a, u)[0] - placed.extent(b, u)[1]
    gap, within = s.values.get("gap"), s.values.get("within")
    worst = abs(apart - gap) if gap is not None else max(-apart, 0.0)
    if within is not None:
        worst = max(worst, apart - within)
    if gap is not None or within is not None or s.values["side"] in ("front", "back"):
        worst = max(worst, _off_sides(placed, a, b, u))
    if s.values.get("across"):
        (p, q), (v, w) = (placed.extent(name, (-u[1], u[0])) for name in (a, b))
        worst = max(worst, v - q, p - w)
    return worst


def _direction_rows(low: Lowers, s: Stated) -> Rows:
    a, b = (low.bounds(name) for name in s.of)
    x, y = WAYS[s.values["side"]]
    ends = (End(a), End(b, MIDDLE, -1.0))
    return [_row(s, *(Atom((x - k * y, y + k * x), ends) for k in (1.0, -1.0)))]


def _direction_amount(placed: Placed, s: Stated) -> float:
    (ax, ay), (bx, by) = placed.centre(s.of[0]), placed.centre(s.of[1])
    x, y = WAYS[s.values["side"]]
    along, across = (ax - bx) * x + (ay - by) * y, (ay - by) * x - (ax - bx) * y
    return max(abs(across) - along, 0.0)


# -- walls -----------------------------------------------------------------------------------------------------------------


def _walls(plan: Plan, s: Stated) -> list[int]:
    wall = s.values.get("wall")
    return list(range(len(plan.walls))) if wall is None else [int(wall)]


def back_corners(plan: Plan, name: str) -> tuple[Point, Point]:
    """The ends of an item's back, in its frame."""
    item = plan.items[name]
    w, d = item.size
    (fx, fy), (tx, ty) = item.front, sideways(item.front, "left")
    deep, wide = (d, w) if fy else (w, d)
    return tuple((-fx * deep / 2 + k * tx * wide / 2, -fy * deep / 2 + k * ty * wide / 2) for k in (1, -1))  # type: ignore[return-value]


def backed(plan: Plan, name: str) -> bool:
    """Whether it is the back of an item that goes against a wall."""
    item = plan.items[name]
    return not item.round and (item.has_front or item.turning == "free")


SHOWS = 50.0
"""How much a wrong turn counts, compared with a distance."""


def _touching(low: Lowers, name: str, number: int, within: float = 0.0) -> tuple[Atom, ...]:
    """An item touches a wall, or is close to it: with its back if it has a front, else with any side."""
    plan = low.plan
    wall = plan.walls[number]
    out = wall.outward
    start = low.point(wall.start)
    level = out[0] * start[0] + out[1] * start[1] - low.length(within)
    if backed(plan, name) and plan.items[name].turning != "free":
        # An item that shows a wall another side cannot stand against it: that wall must not attract it.
        (px, py), (qx, qy) = back_corners(plan, name)
        middle = ((px + qx) / 2, (py + qy) / 2)
        shows = (End(low.corner(name, middle), MIDDLE, SHOWS), End(low.bounds(name), MIDDLE, -SHOWS))
        deep = SHOWS * low.length(math.hypot(*middle)) * (1 - 1e-9)
        touch: tuple[Atom, ...] = (Atom(out, (End(low.bounds(name), MAX),), level), Atom(out, shows, deep))
    elif backed(plan, name):
        touch = tuple(Atom(out, (End(low.corner(name, at)),), level) for at in back_corners(plan, name))
    else:
        touch = (Atom(out, (End(low.bounds(name), MAX),), level),)
    if plan.rectangle:
        return touch
    size = math.dist(wall.start, wall.end)
    t = ((wall.end[0] - wall.start[0]) / size, (wall.end[1] - wall.start[1]) / size)
    end = low.point(wall.end)
    centre = End(low.bounds(name))
    back = (-t[0], -t[1])
    return (
        *touch,
        Atom(t, (centre,), t[0] * start[0] + t[1] * start[1]),
        Atom(back, (centre,), back[0] * end[0] + back[1] * end[1]),
    )


def wall_gap(placed: Placed, name: str, number: int) -> float:
    """How far an item is from touching a wall."""
    wall = placed.plan.walls[number]
    out = wall.outward
    level = out[0] * wall.start[0] + out[1] * wall.start[1]
    if backed(placed.plan, name):
        c, s = angle(placed.spots[name][2])
        x, y = placed.spots[name][:2]
        corners = [(x + c * p - s * q, y + s * p + c * q) for p, q in back_corners(placed.plan, name)]
        gap = max(abs(level - out[0] * p - out[1] * q) for p, q in corners)
    else:
        gap = abs(level - placed.extent(name, out)[1])
    if placed.plan.rectangle:
        return gap
    size = math.dist(wall.start, wall.end)
    t = ((wall.end[0] - wall.start[0]) / size, (wall.end[1] - wall.start[1]) / size)
    along = placed.centre_along(name, t) - t[0] * wall.start[0] - t[1] * wall.start[1]
    return max(gap, -along, along - size)


def angle(turn: float) -> Point:
    return direction(math.radians(turn))


def _against_rows(low: Lowers, s: Stated) -> Rows:
    within = float(s.values.get("within", 0.0))
    some = tuple(_touching(low, s.of[0], k, within) for k in _walls(low.plan, s))
    return [Clause(some, 0.0, math.inf, s.strength)]


def _against_amount(placed: Placed, s: Stated) -> float:
    gap = min(wall_gap(placed, s.of[0], k) for k in _walls(placed.plan, s))
    return max(gap - float(s.values.get("within", 0.0)), 0.0)


def corners_of(plan: Plan) -> list[tuple[int, int]]:
    """The walls that meet in each corner of the area that juts out."""
    n = len(plan.walls)
    found = []
    for k in range(n):
        a, b = plan.walls[k].outward, plan.walls[(k + 1) % n].outward
        if a[0] * b[1] - a[1] * b[0] > 1e-9:
            found.append((k, (k + 1) % n))
    return found


def _corner_walls(plan: Plan, s: Stated) -> list[tuple[int, int]]:
    wanted = s.values.get("walls")
    return corners_of(plan) if wanted is None else [tuple(wanted)]


def _corner_rows(low: Lowers, s: Stated) -> Rows:
    def touch(k: int) -> Atom:
        wall = low.plan.walls[k]
        out, start = wall.outward, low.point(wall.start)
        return Atom(out, (End(low.bounds(s.of[0]), MAX),), out[0] * start[0] + out[1] * start[1])

    some = _corner_walls(low.plan, s)[:8]
    return [Clause(tuple((touch(a), touch(b)) for a, b in some), 0.0, math.inf, s.strength)]


def _corner_amount(placed: Placed, s: Stated) -> float:
    def gap(k: int) -> float:
        wall = placed.plan.walls[k]
        out = wall.outward
        return abs(out[0] * wall.start[0] + out[1] * wall.start[1] - placed.extent(s.of[0], out)[1])

    return min(max(gap(a), gap(b)) for a, b in _corner_walls(placed.plan, s))


def _half_rows(low: Lowers, s: Stated) -> Rows:
    u = COMPASS[s.values["side"]]
    x, y = low.point(low.plan.middle)
    return [_row(s, Atom(u, (End(low.bounds(s.of[0]), MIN),), u[0] * x + u[1] * y))]


def _half_amount(placed: Placed, s: Stated) -> float:
    u = COMPASS[s.values["side"]]
    x, y = placed.plan.middle
    return max(u[0] * x + u[1] * y - placed.extent(s.of[0], u)[0], 0.0)


# -- distances -------------------------------------------------------------------------------------------------------------


def _distance_rows(low: Lowers, s: Stated) -> Rows:
    a, b = s.of
    least, most = s.values.get("least"), s.values.get("most")
    rows: Rows = []
    if most is not None:
        rows.append(Pair(low.bounds(a), low.bounds(b), -math.inf, low.length(most), s.strength))
    if least is not None:
        rows += [Pair(p, q, low.length(least), math.inf, s.strength) for p in low.pieces(a) for q in low.pieces(b)]
    return rows


def _distance_amount(placed: Placed, s: Stated) -> float:
    apart = placed.distance(*s.of)
    least, most = s.values.get("least"), s.values.get("most")
    under = 0.0 if least is None else float(least) - apart
    over = 0.0 if most is None else apart - float(most)
    return max(under, over, 0.0)


def _group_rows(low: Lowers, s: Stated) -> Rows:
    most = low.length(s.values["most"])
    names = [low.bounds(name) for name in s.of]
    return [Pair(a, b, -math.inf, most, s.strength) for k, a in enumerate(names) for b in names[k + 1 :]]


def _group_amount(placed: Placed, s: Stated) -> float:
    most = float(s.values["most"])
    return max([0.0, *(placed.distance(a, b) - most for k, a in enumerate(s.of) for b in s.of[k + 1 :])])


# -- links and lines of sight ----------------------------------------------------------------------------------------------

PULL = 2.0
"""Strength of all links together in the energy: more would pull items into each other by more than the graph's tolerance."""


def _linked_rows(low: Lowers, s: Stated) -> Rows:
    """The centres are the same along both axes, as a wish: its cost is the rectilinear distance."""
    a, b = (low.bounds(name) for name in s.of)
    total = sum(one.strength for one in low.plan.stated if one.kind == "linked")
    light = replace(s, strength=s.strength * min(1.0, PULL / total))
    return [_equal(light, Atom(u, (End(a), End(b, MIDDLE, -1.0)))) for u in (X, Y)]


def _linked_amount(placed: Placed, s: Stated) -> float:
    (ax, ay), (bx, by) = (placed.centre(name) for name in s.of)
    return abs(ax - bx) + abs(ay - by)


SIGHTS = tuple(direction(k * math.pi / 4) for k in range(8))
"""Directions along which something may lie clear of a line of sight."""


def blockers(plan: Plan, s: Stated) -> list[str]:
    """Items that could stand between the two: all others that could overlap neither."""
    return [name for name in plan.items if name not in s.of and not all(_passes(plan, name, one) for one in s.of)]


def _passes(plan: Plan, name: str, end: str) -> bool:
    """Whether an item is of no matter for the sight from another: it may overlap it, as a rug or a lamp on the ceiling does."""
    return end not in plan.items or plan.may_overlap(name, end)


def _visible_rows(low: Lowers, s: Stated) -> Rows:
    """Each other item lies beyond both centres along one of eight directions; each pillar as well."""
    a, b = (End(low.bounds(name), MIDDLE, -1.0) for name in s.of)
    between = [part for name in blockers(low.plan, s) for part in low.pieces(name)]
    rows: Rows = []
    for part in [*between, *low.pillars()]:
        some = tuple((Atom(u, (End(part, MIN), a)), Atom(u, (End(part, MIN), b))) for u in SIGHTS)
        rows.append(Clause(some, 0.0, math.inf, s.strength))
    return rows


def _visible_amount(placed: Placed, s: Stated) -> float:
    """How deep the line between the centres runs through something."""
    line = Convex((placed.centre(s.of[0]), placed.centre(s.of[1])))
    shapes = [shape for name in blockers(placed.plan, s) for shape in placed.shapes[name]]
    plan = placed.plan
    shapes += [shape for name, shape in plan.blocked.items() if name not in plan.open_zones]
    if not plan.rectangle:
        shapes += [piece for pocket in pockets(plan.corners) for piece in pieces(pocket)]
    return max([0.0, *(-distance(line, shape) for shape in shapes)])


# -- directions ------------------------------------------------------------------------------------------------------------


def _facing_rows(low: Lowers, s: Stated) -> Rows:
    a, b = s.of
    frame, f = low.body(a), low.plan.items[a].front
    t = sideways(f, "left")
    ahead = Atom(f, (End(low.bounds(b)), End(low.bounds(a), MIDDLE, -1.0)), 0.0, frame)
    left = Atom(t, (End(low.bounds(b), MAX), End(low.bounds(a), MIDDLE, -1.0)), 0.0, frame)
    right = Atom(t, (End(low.bounds(a)), End(low.bounds(b), MIN, -1.0)), 0.0, frame)
    return [_row(s, ahead, left, right)]


def _facing_amount(placed: Placed, s: Stated) -> float:
    a, b = s.of
    f = placed.front(a)
    t = sideways(f, "left")
    least, most = placed.extent(b, t)
    at = placed.centre_along(a, t)
    return max(placed.centre_along(a, f) - placed.centre_along(b, f), at - most, least - at, 0.0)


def _looking_rows(low: Lowers, s: Stated) -> Rows:
    (a,) = s.of
    u, front = COMPASS[s.values["side"]], low.plan.items[a].front
    nose = low.corner(a, (front[0] * low.plan.half, front[1] * low.plan.half))
    return [_row(s, Atom(u, (End(nose), End(low.bounds(a), MIDDLE, -1.0)), 1.0))]


def _looking_amount(placed: Placed, s: Stated) -> float:
    f, u = placed.front(s.of[0]), COMPASS[s.values["side"]]
    return math.hypot(f[0] - u[0], f[1] - u[1]) * placed.plan.half


# -- lines -----------------------------------------------------------------------------------------------------------------

EDGES: dict[str, tuple[Point, int]] = {
    "left": (X, MIN),
    "right": (X, MAX),
    "bottom": (Y, MIN),
    "top": (Y, MAX),
    "horizontally": (Y, MIDDLE),
    "vertically": (X, MIDDLE),
}
"""What is the same for aligned items: a direction, and which extreme along it."""


def _edges(s: Stated) -> list[tuple[Point, int]]:
    edge = s.values.get("edge")
    return [EDGES["horizontally"], EDGES["vertically"]] if edge is None else [EDGES[edge]]


def _aligned_rows(low: Lowers, s: Stated) -> Rows:
    first = s.of[0]
    alternatives = [
        tuple(
            sign
            for other in s.of[1:3]
            for sign in _both_signs(Atom(u, (End(low.bounds(first), e), End(low.bounds(other), e, -1.0))))
        )
        for u, e in _edges(s)
    ]
    if len(alternatives) > 1:
        return [Clause(tuple(alternatives), 0.0, math.inf, s.strength)]
    u, e = _edges(s)[0]
    return [_equal(s, Atom(u, (End(low.bounds(first), e), End(low.bounds(o), e, -1.0)))) for o in s.of[1:]]


def _aligned_amount(placed: Placed, s: Stated) -> float:
    worst = []
    for u, e in _edges(s):
        at = [placed.centre_along(n, u) if e == MIDDLE else placed.extent(n, u)[0 if e == MIN else 1] for n in s.of]
        worst.append(max(at) - min(at))
    return min(worst)


def _axes(s: Stated) -> list[Point]:
    return {"x": [X], "y": [Y]}.get(s.values.get("axis", ""), [X, Y])


def _centred_rows(low: Lowers, s: Stated) -> Rows:
    a, b = s.of
    return [_equal(s, Atom(u, (End(low.bounds(a)), End(low.bounds(b), MIDDLE, -1.0)))) for u in _axes(s)]


def _centred_amount(placed: Placed, s: Stated) -> float:
    return max(abs(placed.centre_along(s.of[0], u) - placed.centre_along(s.of[1], u)) for u in _axes(s))


def _even_rows(low: Lowers, s: Stated) -> Rows:
    u = X if s.values.get("axis", "x") == "x" else Y
    rows: Rows = [_row(s, beyond(low, b, a, u)) for a, b in zip(s.of, s.of[1:], strict=False)]
    for a, b, c in zip(s.of, s.of[1:], s.of[2:], strict=False):
        ends = (End(low.bounds(b), MIDDLE, 2.0), End(low.bounds(a), MAX, -1.0), End(low.bounds(c), MIN, -1.0))
        rows.append(_equal(s, Atom(u, ends)))
    return rows


def _even_amount(placed: Placed, s: Stated) -> float:
    u = X if s.values.get("axis", "x") == "x" else Y
    gaps = [placed.extent(b, u)[0] - placed.extent(a, u)[1] for a, b in zip(s.of, s.of[1:], strict=False)]
    return max(max(gaps) - min(gaps), -min(gaps), 0.0)


def _symmetric_rows(low: Lowers, s: Stated) -> Rows:
    a, b, c = (low.bounds(name) for name in s.of)
    u, t = (X, Y) if s.values.get("axis", "x") == "x" else (Y, X)
    return [
        _equal(s, Atom(u, (End(a), End(b), End(c, MIDDLE, -2.0)))),
        _equal(s, Atom(t, (End(a), End(b, MIDDLE, -1.0)))),
    ]


def _symmetric_amount(placed: Placed, s: Stated) -> float:
    u, t = (X, Y) if s.values.get("axis", "x") == "x" else (Y, X)
    a, b, c = s.of
    middle = placed.centre_along(a, u) + placed.centre_along(b, u) - 2 * placed.centre_along(c, u)
    return max(abs(middle), abs(placed.centre_along(a, t) - placed.centre_along(b, t)))


# -- on, between, clear ----------------------------------------------------------------------------------------------------


def _on_rows(low: Lowers, s: Stated) -> Rows:
    a, b = s.of
    frame = low.body(b)
    atoms = []
    for u in (X, Y):
        atoms.append(Atom(u, (End(low.bounds(a), MIN), End(low.bounds(b), MIN, -1.0)), 0.0, frame))
        atoms.append(Atom(u, (End(low.bounds(b), MAX), End(low.bounds(a), MAX, -1.0)), 0.0, frame))
    return [_row(s, atom) for atom in atoms]


def _on_amount(placed: Placed, s: Stated) -> float:
    a, b = s.of
    c, d = angle(placed.spots[b][2])
    worst = 0.0
    for u in ((c, d), (-d, c)):
        (low_a, high_a), (low_b, high_b) = placed.extent(a, u), placed.extent(b, u)
        worst = max(worst, low_b - low_a, high_a - high_b)
    return worst


def _between_rows(low: Lowers, s: Stated) -> Rows:
    a, b, c = s.of
    some = [
        (beyond(low, a, b, u), beyond(low, c, a, u), *_within_sides(low, a, b, u, 0))
        for u in (X, Y, (-1.0, 0.0), (0.0, -1.0))
    ]
    return [Clause(tuple(some), 0.0, math.inf, s.strength)]


def _between_amount(placed: Placed, s: Stated) -> float:
    a, b, c = s.of
    found = []
    for u in (X, Y, (-1.0, 0.0), (0.0, -1.0)):
        (low_a, high_a), high_b, low_c = placed.extent(a, u), placed.extent(b, u)[1], placed.extent(c, u)[0]
        found.append(max(high_b - low_a, high_a - low_c, _off_sides(placed, a, b, u)))
    return max(min(found), 0.0)


def _clear_amount(placed: Placed, s: Stated) -> float:
    (name,) = s.of
    area = placed.zone(name, s.values["side"], s.values["depth"])
    worst = 0.0 if s.values["side"] == "around" else placed.plan.outside(area)
    for other in placed.plan.items:
        if other != name and not placed.plan.may_overlap(name, other):
            worst = max([worst, *(-distance(area, shape) for shape in placed.shapes[other])])
    for shape in placed.plan.blocked.values():
        worst = max(worst, -distance(area, shape)) if s.values["side"] != "around" else worst
    return worst


def _no_rows(low: Lowers, s: Stated) -> Rows:
    """Clear zones are parts, and their rows are those of every part."""
    del low, s
    return []


KINDS: dict[str, Kind] = {
    "beside": Kind(_beside_rows, _beside_amount, "{0} {side} {1}"),
    "direction": Kind(_direction_rows, _direction_amount, "{0} {side} {1}"),
    "against": Kind(_against_rows, _against_amount, "{0} against {wall}"),
    "corner": Kind(_corner_rows, _corner_amount, "{0} in a corner"),
    "half": Kind(_half_rows, _half_amount, "{0} in the {side} half"),
    "distance": Kind(_distance_rows, _distance_amount, "the distance of {0} and {1}"),
    "group": Kind(_group_rows, _group_amount, "{*} grouped"),
    "facing": Kind(_facing_rows, _facing_amount, "{0} facing {1}"),
    "looking": Kind(_looking_rows, _looking_amount, "{0} facing {side}"),
    "aligned": Kind(_aligned_rows, _aligned_amount, "{*} aligned"),
    "centred": Kind(_centred_rows, _centred_amount, "{0} centred on {1}"),
    "even": Kind(_even_rows, _even_amount, "{*} evenly spaced"),
    "symmetric": Kind(_symmetric_rows, _symmetric_amount, "{0} and {1} symmetric about {2}"),
    "on": Kind(_on_rows, _on_amount, "{0} on {1}"),
    "between": Kind(_between_rows, _between_amount, "{0} between {1} and {2}"),
    "linked": Kind(_linked_rows, _linked_amount, "{0} connected to {1}"),
    "visible": Kind(_visible_rows, _visible_amount, "{0} visible from {1}"),
    "clear": Kind(_no_rows, _clear_amount, "{depth:g} clear at the {side} of {0}"),
}
"""Every kind of statement."""
