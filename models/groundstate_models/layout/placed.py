"""A layout with places, measured by textbook formulas for the checks. It shares no code with the rows."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from groundstate_models.layout.plan import Item, Plan
from groundstate_models.layout.shapes import Convex, Point, box, direction, distance

Spot = tuple[float, float, float]
"""The centre, with y up, and the turn in degrees counter-clockwise."""


@dataclass(frozen=True)
class Placed:
    """Items at their spots.

    Attributes:
        plan: What was asked for.
        spots: Of every item.
    """

    plan: Plan
    spots: Mapping[str, Spot]

    @cached_property
    def shapes(self) -> dict[str, list[Convex]]:
        """The pieces of each item and mark in the area."""
        found = {name: self._shapes(item, item.shapes) for name, item in self.plan.items.items()}
        found |= {name: [shape] for name, shape in self.plan.marks.items()}
        left, bottom, right, top = self.plan.box
        found["area"] = [box(right - left, top - bottom, self.plan.middle)]
        return found

    def _shapes(self, item: Item, shapes: tuple[Convex, ...]) -> list[Convex]:
        x, y, turn = self.spots[item.name]
        return [shape.moved((x, y), math.radians(turn)) for shape in shapes]

    def extent(self, name: str, way: Point) -> tuple[float, float]:
        """The least and the largest coordinate of an item along a direction."""
        along = [(p[0] * way[0] + p[1] * way[1], shape.radius) for shape in self.shapes[name] for p in shape.corners]
        return min(v - r for v, r in along), max(v + r for v, r in along)

    def centre(self, name: str) -> Point:
        if name in self.spots:
            return self.spots[name][:2]
        left, bottom, right, top = self.shapes[name][0].box
        return (left + right) / 2, (bottom + top) / 2

    def centre_along(self, name: str, way: Point) -> float:
        x, y = self.centre(name)
        return x * way[0] + y * way[1]

    def front(self, name: str) -> Point:
        """The direction in which an item faces; of a door or window, into the area; of the area, the page's bottom."""
        if name in self.plan.items:
            x, y = self.plan.items[name].front
            c, s = direction(math.radians(self.spots[name][2]))
            return c * x - s * y, s * x + c * y
        if name in self.plan.marks:
            return mark_front(self.plan, name)
        return 0.0, -1.0

    def distance(self, one: str, other: str) -> float:
        """The distance of two things; negative if they overlap."""
        return min(distance(a, b) for a in self.shapes[one] for b in self.shapes[other])

    def zone(self, name: str, side: str, depth: float) -> Convex:
        """The clear zone at a side of an item."""
        x, y, turn = self.spots[name]
        return zone(self.plan.items[name], side, depth).moved((x, y), math.radians(turn))


def mark_front(plan: Plan, name: str) -> Point:
    """The direction from a door or window into the area."""
    a, b = plan.marks[name].corners
    for wall in plan.walls:
        out = wall.outward
        off = [abs((p[0] - wall.start[0]) * out[0] + (p[1] - wall.start[1]) * out[1]) for p in (a, b)]
        along = abs((b[0] - a[0]) * out[0] + (b[1] - a[1]) * out[1])
        if max(off) < 1e-9 * plan.half + 1e-12 and along < 1e-9 * plan.half + 1e-12:
            return -out[0], -out[1]
    return 0.0, 1.0


SIDES_OF = ("front", "back", "left", "right", "around")


def sideways(front: Point, side: str) -> Point:
    """The direction of a side of something that faces ``front``, as it sees it itself."""
    x, y = front
    return {"front": (x, y), "back": (-x, -y), "left": (-y, x), "right": (y, -x)}[side]


def zone(item: Item, side: str, depth: float) -> Convex:
    """The clear zone at a side, in the item's frame: as wide as the item, and as deep as asked for."""
    w, d = item.size
    if side == "around":
        return box(w + 2 * depth, d + 2 * depth)
    x, y = sideways(item.front, side)
    reach = (w if x else d) / 2
    middle = (x * (reach + depth / 2), y * (reach + depth / 2))
    return box(depth if x else w, depth if y else d, middle)
