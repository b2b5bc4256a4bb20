"""A complete search over what a layout of upright boxes requires: on which side of each other, in which turn, at which wall.

Each decision adds differences ``x_j − x_i ≥ c`` of coordinates, whose longest paths are kept for every pair; a path from a
coordinate to itself of positive length is a contradiction (R. Dechter, I. Meiri and J. Pearl, "Temporal constraint networks",
1991). What cannot be written in this way is left out, so a contradiction found is a proof, and nothing else is.

Long because the network, its propagation and the search share one state.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from groundstate_models.layout.placed import sideways, zone
from groundstate_models.layout.plan import COMPASS, Item, Plan, Stated
from groundstate_models.layout.relations import EDGES, WAYS, backed, corners_of
from groundstate_models.layout.rows import MAX, MIDDLE
from groundstate_models.layout.shapes import Convex, Point, direction

SLACK = 2e-5
"""A contradiction is smaller than this part of half the area's longer side: then nothing is proven."""

Box = tuple[float, float, float, float]
Matrix = NDArray[np.float64]

Edge = tuple[int, int, int, float]
"""An axis, two items i and j (0: the area's left or lower side), and c: ``x_j − x_i ≥ c``."""


@dataclass
class Choice:
    """Alternatives of which one holds: each a list of edges."""

    alternatives: list[list[Edge]]


@dataclass
class Node:
    """An item in one of its turns: extents of its body and zones from its centre, as boxes."""

    name: str
    body: Box
    zones: list[Box] = field(default_factory=list)
    upright: bool = True
    turn: float | None = 0.0


class Network:
    """The items and statements of a subset of a plan.

    Args:
        plan: All of it.
        items, stated: The subset, by name and by number.
        loose: Replace each item of several turns by what all of its turns cover: fewer contradictions, found without a search.
    """

    def __init__(self, plan: Plan, items: Iterable[str], stated: Iterable[int], *, loose: bool = False) -> None:
        self.plan = plan
        self.loose = loose
        self.names = list(items)
        self.number = {name: k + 1 for k, name in enumerate(self.names)}
        known = set(self.names)
        marks = {*plan.marks, "area"}
        self.stated = [s for k in stated if math.isinf((s := plan.stated[k]).strength) and set(s.of) <= known | marks]
        self.eps = SLACK * plan.half
        self.nodes = {name: self._nodes(plan.items[name]) for name in self.names}
        self.count = 0
        self.limit = 0

    # -- items ---------------------------------------------------------------------------------------------------------

    def _nodes(self, item: Item) -> list[Node]:
        zones = [s.values for s in self.stated if s.kind == "clear" and s.of[0] == item.name]
        w, d = item.size
        if item.turning == "free" and not item.round:
            least = min(w, d) / 2 if len(item.shapes) == 1 else 0.0
            return [Node(item.name, (-least, -least, least, least), [], upright=False, turn=None)]
        turns = [item.turn] if item.turning == "none" else self._turns_of(item)
        found: list[Node] = []
        for turn in turns:
            bodies = [shape.moved((0.0, 0.0), math.radians(turn)).box for shape in item.shapes]
            body = _union(bodies)
            if turn % 90:
                found.append(Node(item.name, body, [], upright=False, turn=None))
                continue
            areas = [
                zone(item, z["side"], z["depth"]).moved((0.0, 0.0), math.radians(turn)).box
                for z in zones
                if z["side"] != "around"
            ]
            upright = len(item.shapes) == 1 and not item.round
            node = Node(item.name, body, areas, upright, turn)
            needs = item.has_front or backed(self.plan, item.name) or self._own(item.name)
            if not any(_same(node, other) for other in found) or needs:
                found.append(node)
        if self.loose and len(found) > 1:
            boxes = [node.body for node in found]
            shared = tuple([max(b[k] for b in boxes) for k in (0, 1)] + [min(b[k] for b in boxes) for k in (2, 3)])
            return [Node(item.name, shared, [], upright=False, turn=None)]  # type: ignore[arg-type]
        return found

    def _turns_of(self, item: Item) -> list[float]:
        """The quarter turns at which an item faces the way that is stated, if any is."""
        ways = [COMPASS[s.values["side"]] for s in self.stated if s.kind == "looking" and s.of[0] == item.name]
        found = []
        for turn in (0.0, 90.0, 180.0, 270.0):
            (x, y), (c, s) = item.front, direction(math.radians(turn))
            if all((c * x - s * y) * u + (s * x + c * y) * v > 0.5 for u, v in ways):
                found.append(turn)
        return found

    def _own(self, name: str) -> bool:
        return any(
            s.kind in ("facing", "looking")
            or (s.kind == "beside" and (s.values.get("own") or s.values["side"] not in WAYS))
            for s in self.stated
            if name in s.of
        )

    def contradiction(self, limit: int) -> bool | None:
        """True if there provably is no layout, False if there is one of the relaxation, None if the search is too long."""
        self.count, self.limit = 0, limit
        if not all(self.nodes.values()):
            return True
        return self._turns({}, list(self.names))

    def _turns(self, chosen: dict[str, Node], left: list[str]) -> bool | None:
        single = [name for name in left if len(self.nodes[name]) == 1]
        chosen = {**chosen, **{name: self.nodes[name][0] for name in single}}
        left = [name for name in left if name not in single]
        self.count += 1
        if self.count > self.limit:
            return None
        if left:
            if not self._possible(chosen):
                return True
            unsure = False
            name = max(left, key=lambda n: max(self.plan.items[n].size))
            for node in self.nodes[name]:
                found = self._turns({**chosen, name: node}, [n for n in left if n != name])
                if found is False:
                    return False
                unsure = unsure or found is None
            return None if unsure else True
        return self._solve(chosen)

    def _possible(self, chosen: dict[str, Node]) -> bool:
        matrix = self._start(chosen)
        return matrix is not None

    # -- edges -------------------------------------------------------------------------------------------------------------

    def _start(self, chosen: dict[str, Node]) -> Matrix | None:
        n = len(self.names) + 1
        matrix = np.full((2, n, n), -math.inf)
        matrix[:, np.arange(n), np.arange(n)] = 0.0
        for edge in self._edges(chosen):
            if not self._add(matrix, edge):
                return None
        return matrix

    def _add(self, matrix: Matrix, edge: Edge) -> bool:
        axis, i, j, c = edge
        d = matrix[axis]
        if d[j, i] + c > self.eps:
            return False
        if c > d[i, j]:
            np.maximum(d, d[:, i : i + 1] + (c + d[j : j + 1]), out=d)
        return True

    def _edges(self, chosen: dict[str, Node]) -> Iterable[Edge]:
        left, bottom, right, top = self.plan.box
        for name, node in chosen.items():
            k, item = self.number[name], self.plan.items[name]
            if item.fixed and item.at is not None:
                for axis in (0, 1):
                    at = item.at[axis] - (left, bottom)[axis]
                    yield from ((axis, 0, k, at), (axis, k, 0, -at))
                continue
            for box in (node.body, *node.zones):
                yield 0, 0, k, -box[0]
                yield 1, 0, k, -box[1]
                yield 0, k, 0, box[2] - (right - left)
                yield 1, k, 0, box[3] - (top - bottom)
        for s in self.stated:
            if all(name in chosen or name not in self.plan.items for name in s.of):
                yield from self._stated(s, chosen)

    def _stated(self, s: Stated, chosen: dict[str, Node]) -> Iterable[Edge]:
        """The edges of a statement without alternatives."""
        items = [name for name in s.of if name in chosen]
        if s.kind == "against" and "wall" in s.values and self.plan.rectangle and not s.values.get("within"):
            yield from self._wall(s.of[0], int(s.values["wall"]), chosen)
        elif s.kind == "corner" and "walls" in s.values:
            for wall in s.values["walls"]:
                yield from self._touch(s.of[0], wall, chosen)
        elif s.kind == "beside" and len(items) == 2 and s.values["side"] in WAYS and not s.values.get("own"):
            a, b = s.of
            u = WAYS[s.values["side"]]
            yield self._after(chosen, b, a, u, s.values.get("gap", 0.0) or 0.0)
            most = s.values.get("gap", s.values.get("within"))
            if most is not None and self._exact(chosen[a]) and self._exact(chosen[b]):
                axis, i, j, c = self._after(chosen, b, a, u, most)
                yield axis, j, i, -c
        elif s.kind in ("distance", "group") and s.values.get("most") is not None:
            for x, a in enumerate(items):
                for b in items[x + 1 :]:
                    for axis in (0, 1):
                        d = s.values["most"]
                        na, nb = chosen[a].body, chosen[b].body
                        if self._exact(chosen[a]) and self._exact(chosen[b]):
                            # The left side of a is at most d beyond the right side of b, and the other way round.
                            yield axis, self.number[a], self.number[b], na[axis] - nb[axis + 2] - d
                            yield axis, self.number[b], self.number[a], nb[axis] - na[axis + 2] - d
        elif s.kind == "aligned" and s.values.get("edge") is not None:
            u, e = EDGES[s.values["edge"]]
            axis = 0 if u[0] else 1
            if all(self._exact(chosen[n]) or e == MIDDLE for n in items):
                for a, b in pairwise(items):
                    offset = [0.0 if e == MIDDLE else chosen[n].body[axis + (2 if e == MAX else 0)] for n in (a, b)]
                    i, j = self.number[a], self.number[b]
                    yield from ((axis, i, j, offset[0] - offset[1]), (axis, j, i, offset[1] - offset[0]))
        elif s.kind == "centred":
            yield from self._centred(s)
        elif s.kind == "half":
            yield from self._half(s, chosen)
        elif s.kind == "on" and len(items) == 2 and all(self._exact(chosen[n]) for n in items):
            a, b = s.of
            na, nb = chosen[a].body, chosen[b].body
            for axis in (0, 1):
                yield axis, self.number[b], self.number[a], nb[axis] - na[axis]
                yield axis, self.number[a], self.number[b], na[axis + 2] - nb[axis + 2]
        elif s.kind == "even":
            u = (0.0, 1.0) if s.values.get("axis") == "y" else (1.0, 0.0)
            for a, b in pairwise(items):
                yield self._after(chosen, a, b, u, 0.0)

    def _exact(self, node: Node) -> bool:
        """Whether the body is the true bounding box, not just a bound."""
        return node.turn is not None or self.plan.items[node.name].turning == "none"

    def _after(self, chosen: dict[str, Node], first: str, second: str, u: Point, gap: float) -> Edge:
        """The second lies beyond the first along a direction of the page."""
        axis = 0 if u[0] else 1
        if u[axis] < 0:
            first, second = second, first
            i, j = self.number[first], self.number[second]
            return axis, i, j, chosen[first].body[axis + 2] - chosen[second].body[axis] + gap
        i, j = self.number[first], self.number[second]
        return axis, i, j, chosen[first].body[axis + 2] - chosen[second].body[axis] + gap

    def _centred(self, s: Stated) -> Iterable[Edge]:
        a, b = s.of
        for axis in {"x": (0,), "y": (1,)}.get(s.values.get("axis", ""), (0, 1)):
            i = self.number[a]
            if b == "area":
                at = self.plan.middle[axis] - self.plan.box[axis]
                yield from ((axis, 0, i, at), (axis, i, 0, -at))
            elif b in self.number:
                yield from ((axis, self.number[b], i, 0.0), (axis, i, self.number[b], 0.0))

    def _half(self, s: Stated, chosen: dict[str, Node]) -> Iterable[Edge]:
        k, body = self.number[s.of[0]], chosen[s.of[0]].body
        axis = 0 if s.values["side"] in ("east", "west") else 1
        at = self.plan.middle[axis] - self.plan.box[axis]
        if s.values["side"] in ("east", "north"):
            yield axis, 0, k, at - body[axis]
        else:
            yield axis, k, 0, body[axis + 2] - at

    def _touch(self, name: str, wall: int, chosen: dict[str, Node]) -> list[Edge]:
        """Nothing between an item and a wall: the other half of being inside."""
        node = chosen[name]
        if not self._exact(node) or not self.plan.rectangle:
            return []
        k, out = self.number[name], self.plan.walls[wall].outward
        axis = 0 if abs(out[0]) > 0.5 else 1
        span = self.plan.box[axis + 2] - self.plan.box[axis]
        if out[axis] > 0:
            return [(axis, 0, k, span - node.body[axis + 2])]
        return [(axis, k, 0, node.body[axis])]

    def _wall(self, name: str, wall: int, chosen: dict[str, Node]) -> list[Edge]:
        item, node = self.plan.items[name], chosen[name]
        if backed(self.plan, name) and node.turn is not None:
            out = self.plan.walls[wall].outward
            c, s = math.cos(math.radians(node.turn)), math.sin(math.radians(node.turn))
            x, y = item.front
            if (c * x - s * y) * out[0] + (s * x + c * y) * out[1] > -0.5:
                return [(0, 0, 0, math.inf)]  # it shows the wall another side
        return self._touch(name, wall, chosen)

    def _choices(self, chosen: dict[str, Node]) -> list[Choice]:
        found = []
        least = {
            frozenset(s.of): float(s.values["least"])
            for s in self.stated
            if s.kind == "distance" and "least" in s.values
        }
        for x, a in enumerate(self.names):
            for b in self.names[x + 1 :]:
                if self.plan.may_overlap(a, b) or not (chosen[a].upright and chosen[b].upright):
                    continue
                if self.plan.items[a].fixed and self.plan.items[b].fixed:
                    continue
                # Between corners a gap is shorter along both axes: only touching is excluded for sure.
                gap = max(self.plan.gap, least.get(frozenset((a, b)), 0.0)) / math.sqrt(2)
                found.append(self._apart(a, chosen[a].body, b, chosen[b].body, gap))
                found += [self._apart(a, one, b, chosen[b].body, 0.0) for one in chosen[a].zones]
                found += [self._apart(a, chosen[a].body, b, one, 0.0) for one in chosen[b].zones]
        for name, node in chosen.items():
            if node.upright and not self.plan.items[name].fixed:
                found += [
                    self._clear_of(name, node.body, shape) for shape in self.plan.blocked.values() if _upright(shape)
                ]
                found += [
                    self._clear_of(name, z, shape)
                    for z in node.zones
                    for shape in self.plan.blocked.values()
                    if _upright(shape)
                ]
        for s in self.stated:
            if not set(s.of) <= set(chosen):
                continue
            if s.kind == "against" and not {"wall", "within"} & s.values.keys() and self.plan.rectangle:
                found.append(Choice([self._wall(s.of[0], k, chosen) for k in range(len(self.plan.walls))]))
            elif s.kind == "corner" and "walls" not in s.values and self.plan.rectangle:
                some = [[e for k in pair for e in self._touch(s.of[0], k, chosen)] for pair in corners_of(self.plan)]
                found.append(Choice(some))
            elif s.kind == "between":
                a, b, c = s.of
                ways = ((1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0))
                found.append(
                    Choice([[self._after(chosen, b, a, u, 0.0), self._after(chosen, a, c, u, 0.0)] for u in ways])
                )
            elif s.kind == "beside" and (s.values.get("own") or s.values["side"] not in WAYS):
                found += self._own_side(s, chosen)
        return found

    def _own_side(self, s: Stated, chosen: dict[str, Node]) -> list[Choice]:
        a, b = s.of
        turn = chosen[b].turn
        if turn is None or s.values["side"] == "side":
            return []
        side = {"above": "back", "below": "front"}.get(s.values["side"], s.values["side"])
        x, y = sideways(self.plan.items[b].front, side)
        c, d = round(math.cos(math.radians(turn))), round(math.sin(math.radians(turn)))
        u = (c * x - d * y, d * x + c * y)
        return [Choice([[self._after(chosen, b, a, u, s.values.get("gap", 0.0) or 0.0)]])]

    def _apart(self, a: str, one: Box, b: str, other: Box, gap: float) -> Choice:
        i, j = self.number[a], self.number[b]
        return Choice(
            [
                [(axis, p, q, first[axis + 2] - second[axis] + gap)]
                for axis in (0, 1)
                for p, q, first, second in ((i, j, one, other), (j, i, other, one))
            ]
        )

    def _clear_of(self, name: str, body: Box, shape: Convex) -> Choice:
        k, box = self.number[name], shape.box
        corner = self.plan.box
        some: list[list[Edge]] = []
        for axis in (0, 1):
            low, high = box[axis] - corner[axis], box[axis + 2] - corner[axis]
            some += [[(axis, k, 0, body[axis + 2] - low)], [(axis, 0, k, high - body[axis])]]
        return Choice(some)

    # -- search ------------------------------------------------------------------------------------------------------------

    def _solve(self, chosen: dict[str, Node]) -> bool | None:
        matrix = self._start(chosen)
        if matrix is None:
            return True
        return self._branch(matrix, self._choices(chosen))

    def _branch(self, matrix: Matrix, choices: list[Choice]) -> bool | None:
        self.count += 1
        if self.count > self.limit:
            return None
        matrix = matrix.copy()
        again = True
        open_: list[tuple[Choice, list[list[Edge]]]] = []
        while again:
            again = False
            open_ = []
            for choice in choices:
                alive, done = [], False
                for some in choice.alternatives:
                    if all(matrix[axis, i, j] >= c - self.eps / 10 for axis, i, j, c in some):
                        done = True
                        break
                    if all(matrix[axis, j, i] + c <= self.eps for axis, i, j, c in some):
                        alive.append(some)
                if done:
                    continue
                if not alive:
                    return True
                if len(alive) == 1:
                    if not all(self._add(matrix, edge) for edge in alive[0]):
                        return True
                    again = True
                else:
                    open_.append((choice, alive))
            choices = [choice for choice, _ in open_]
        if not open_:
            return False
        choice, alive = min(open_, key=lambda one: len(one[1]))
        rest = [one for one in choices if one is not choice]
        unsure = False
        for some in alive:
            tried = matrix.copy()
            if all(self._add(tried, edge) for edge in some):
                found = self._branch(tried, rest)
                if found is False:
                    return False
                unsure = unsure or found is None
                if self.count > self.limit:
                    return None
        return None if unsure else True


def _union(boxes: list[Box]) -> Box:
    return min(b[0] for b in boxes), min(b[1] for b in boxes), max(b[2] for b in boxes), max(b[3] for b in boxes)


def _same(one: Node, other: Node) -> bool:
    return (
        all(math.isclose(a, b, abs_tol=1e-12) for a, b in zip(one.body, other.body, strict=True))
        and one.zones == other.zones
    )


def _upright(shape: Convex) -> bool:
    if len(shape.corners) != 4 or shape.radius:
        return False
    left, bottom, right, top = shape.box
    return all(
        min(abs(x - left), abs(x - right)) < 1e-9 and min(abs(y - bottom), abs(y - top)) < 1e-9
        for x, y in shape.corners
    )
