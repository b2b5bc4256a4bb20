"""Lowers a plan to bodies, parts and rows for the energy."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

from groundstate_models.layout.finish import Finisher
from groundstate_models.layout.placed import zone
from groundstate_models.layout.plan import Item, Plan, Wall
from groundstate_models.layout.relations import KINDS
from groundstate_models.layout.rows import MAX, REQUIRED, Atom, Body, Clause, End, Pair, Part, System
from groundstate_models.layout.shapes import Convex, Point, box, hull, pieces, pockets

RULES, OUTSIDE = -1, -2
"""Sources of the rows of every layout: items that overlap, items that reach out."""

REPAIR_SPREAD, NEAR_SPREAD = 0.35, 0.35
"""How far from its given place an item starts, in halves of the area's longer side."""


class Lowering:
    """The system of a plan, and where everything is in it."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.half = plan.half
        self.system = System([Body((0.0, 0.0), 0.0, "none", 0.0)], [Part(0, Convex(((0.0, 0.0),)))])
        self.numbers: dict[str, int] = {}
        self._solid: dict[str, list[int]] = {}
        self._bounds: dict[str, int] = {"area": self._part(0, self._shape(box(*self._span, plan.middle), moved=True))}
        self._corners: dict[tuple[str, Point], int] = {}
        for name, shape in plan.marks.items():
            self._bounds[name] = self._part(0, self._shape(shape, moved=True))
            self._solid[name] = [self._bounds[name]]
        self._solid["area"] = [self._bounds["area"]]
        blocked = {name: self._part(0, self._shape(shape, moved=True)) for name, shape in plan.blocked.items()}
        self.blocked = list(blocked.values())
        self._pillars = [part for name, part in blocked.items() if name not in plan.open_zones]
        if not plan.rectangle:
            for pocket in pockets(plan.corners):
                for piece in pieces(pocket):
                    self.blocked.append(self._part(0, self._shape(piece, moved=True)))
                    self._pillars.append(self.blocked[-1])
        for item in plan.items.values():
            self._item(item)
        self._rules()
        self._zones()
        for k, one in enumerate(plan.stated):
            for row in KINDS[one.kind].rows(self, one):
                some = self.system.pairs if isinstance(row, Pair) else self.system.clauses
                some.append(replace(row, source=k))  # type: ignore[arg-type]

    @cached_property
    def finisher(self) -> Finisher:
        """The rows in numpy."""
        return Finisher(self.system)

    # -- lengths and numbers -------------------------------------------------------------------------------------------

    @property
    def _span(self) -> tuple[float, float]:
        left, bottom, right, top = self.plan.box
        return right - left, top - bottom

    def length(self, value: float) -> float:
        return value / self.half

    def point(self, at: Point) -> Point:
        x, y = self.plan.middle
        return (at[0] - x) / self.half, (at[1] - y) / self.half

    def body(self, name: str) -> int:
        return self.numbers.get(name, 0)

    def bounds(self, name: str) -> int:
        return self._bounds[name]

    def pieces(self, name: str) -> list[int]:
        return self._solid[name]

    def pillars(self) -> list[int]:
        """Parts of obstacles: what stands in the way of a look, which the swing of a door does not."""
        return self._pillars

    def corner(self, name: str, at: Point) -> int:
        """A point of an item, given in its frame, as a part."""
        if (name, at) not in self._corners:
            self._corners[name, at] = self._part(self.numbers[name], Convex((at,)).scaled(1 / self.half))
        return self._corners[name, at]

    def _part(self, item: int, shape: Convex) -> int:
        self.system.parts.append(Part(item, shape))
        return len(self.system.parts) - 1

    def _shape(self, shape: Convex, *, moved: bool = False) -> Convex:
        if moved:
            x, y = self.plan.middle
            shape = shape.moved((-x, -y), 0.0)
        return shape.scaled(1 / self.half)

    # -- items -------------------------------------------------------------------------------------------------------------

    def _item(self, item: Item) -> None:
        self.numbers[item.name] = number = len(self.system.bodies)
        width, height = (extent / 2 / self.half for extent in self._span)
        given = item.at if item.at is not None else item.near
        anchor = (0.0, 0.0) if given is None else self.point(given)
        spread = 0.75 * max(min(width, height), 0.35)
        wanted, weight = None, 0.0
        if item.fixed:
            spread = 0.0
        elif given is not None:
            wanted = anchor
            weight = 1.0 if item.at is not None else 0.3
            spread = REPAIR_SPREAD if item.at is not None else NEAR_SPREAD
        self.system.bodies.append(Body(anchor, spread, item.turning, math.radians(item.turn), wanted, weight))
        self._solid[item.name] = [self._part(number, self._shape(shape)) for shape in item.shapes]
        if len(item.shapes) == 1:
            self._bounds[item.name] = self._solid[item.name][0]
        else:
            self._bounds[item.name] = self._part(number, self._shape(box(*item.size)))

    def _rules(self) -> None:
        """Inside the area; no two overlap."""
        plan, system = self.plan, self.system
        for item in plan.items.values():
            if not item.fixed:
                for number in self._solid[item.name]:
                    system.clauses += self._inside(number)
                    system.pairs += [Pair(number, b, 0.0, source=RULES) for b in self.blocked]
        names = list(plan.items)
        gap = self.length(plan.gap)
        for k, one in enumerate(names):
            for other in names[k + 1 :]:
                both = plan.items[one].fixed and plan.items[other].fixed
                if not both and not plan.may_overlap(one, other):
                    # A circle comes first: its closest corner decides.
                    a, b = (one, other) if plan.items[one].round else (other, one)
                    for p in self._solid[a]:
                        system.pairs += [Pair(p, q, gap, source=RULES) for q in self._solid[b]]

    def _inside(self, part: int, strength: float = REQUIRED, source: int = OUTSIDE) -> list[Clause]:
        """Rows that keep a part on the inner side of every wall of the convex hull."""
        found = []
        for u, level in self._hull():
            found.append(Clause(((Atom(u, (End(part, MAX),), level),),), -math.inf, 0.0, strength, source))
        return found

    def _hull(self) -> list[tuple[Point, float]]:
        walls = self.plan.walls
        if not self.plan.rectangle:
            around = hull(self.plan.corners)
            walls = [Wall("", a, b) for a, b in zip(around, [*around[1:], around[0]], strict=True)]
        found = []
        for wall in walls:
            out, start = wall.outward, self.point(wall.start)
            found.append((out, out[0] * start[0] + out[1] * start[1]))
        return found

    def _zones(self) -> None:
        """Clear zones: parts of their item that nothing else may enter."""
        plan, system = self.plan, self.system
        for k, one in enumerate(plan.stated):
            if one.kind != "clear":
                continue
            (name,) = one.of
            side, depth = one.values["side"], one.values["depth"]
            part = self._part(self.numbers[name], self._shape(zone(plan.items[name], side, depth)))
            if side != "around":
                system.clauses += self._inside(part, one.strength, k)
                system.pairs += [Pair(part, b, 0.0, math.inf, one.strength, k) for b in self.blocked]
            for other in plan.items:
                if other != name and not plan.may_overlap(name, other):
                    system.pairs += [Pair(q, part, 0.0, math.inf, one.strength, k) for q in self._solid[other]]
