"""A read request: the area, its walls and marks, the items, and the statements about them, in the request's unit.

Inside, y always points up; a page's y is turned over when it is read and when an answer is written.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from groundstate_models.layout.shapes import Convex, Point, area, outside_by, ring

COMPASS = {"north": (0.0, 1.0), "south": (0.0, -1.0), "east": (1.0, 0.0), "west": (-1.0, 0.0)}
"""Directions on the page, as unit vectors."""


@dataclass(frozen=True)
class Wall:
    """An edge of the area: its ends, with the area on its left, and the direction that it faces outwards."""

    name: str
    start: Point
    end: Point

    @property
    def outward(self) -> Point:
        size = math.dist(self.start, self.end)
        return (self.end[1] - self.start[1]) / size, (self.start[0] - self.end[0]) / size


@dataclass(frozen=True)
class Soft:
    """An item whose sides are chosen.

    Attributes:
        area: Of the item, at least.
        aspect: Least and largest ratio of width to height.
    """

    area: float
    aspect: tuple[float, float]


@dataclass(frozen=True)
class Item:
    """A thing to be placed.

    Attributes:
        name: As in the answer.
        shapes: Its convex pieces, in its own frame; the centre of its bounding box is the origin.
        turning: ``none``, ``quarter`` or ``free``.
        turn: Degrees counter-clockwise, where it does not turn.
        front: Unit vector in its own frame.
        has_front: Whether the request names its front.
        at: Its given place, or None.
        fixed: Whether it stays there.
        near: A place where it should be, or None.
        base: The name in the request: several copies share it.
        outline: Its outline, for pictures; empty for a circle.
        path: Its place in the request.
        layer: Items of different layers may overlap: a rug, a lamp on the ceiling.
        heights: From and to, above the floor; items with heights that do not meet may overlap. None: unknown.
        soft: An area and limits of the aspect in place of a size; `shapes` then is one choice of the sides.
    """

    name: str
    shapes: tuple[Convex, ...]
    turning: str
    turn: float = 0.0
    front: Point = (0.0, -1.0)
    has_front: bool = False
    at: Point | None = None
    fixed: bool = False
    near: Point | None = None
    base: str = ""
    outline: tuple[Point, ...] = ()
    path: str = ""
    layer: str = ""
    heights: tuple[float, float] | None = None
    soft: Soft | None = None

    @property
    def size(self) -> tuple[float, float]:
        """Width and depth at turn 0."""
        boxes = [shape.box for shape in self.shapes]
        return (
            max(b[2] for b in boxes) - min(b[0] for b in boxes),
            max(b[3] for b in boxes) - min(b[1] for b in boxes),
        )

    @property
    def round(self) -> bool:
        return len(self.shapes) == 1 and len(self.shapes[0].corners) == 1

    @property
    def area(self) -> float:
        return sum(shape.area for shape in self.shapes)


@dataclass(frozen=True)
class Stated:
    """A statement about items.

    Attributes:
        kind: A key of `relations.KINDS`.
        of: Names of items (or marks), the subject first.
        values: Further values: a wall, a gap, an axis.
        strength: ``math.inf`` if required, else the cost of a violation of one half of the area's longer side.
        text: As the user wrote it.
        path: Its place in the request; empty for mined ones.
    """

    kind: str
    of: tuple[str, ...]
    values: Mapping[str, Any] = field(default_factory=dict)
    strength: float = math.inf
    text: str = ""
    path: str = ""


@dataclass
class Plan:
    """Everything that a request says.

    Attributes:
        corners: Of the area, counter-clockwise.
        down: Whether y points down in the request.
        unit: Of lengths; may be empty.
        walls: Edges of the area.
        marks: Doors and windows, as thin shapes, by name.
        blocked: Pillars and door swings: shapes that no item may overlap, by name.
        open_zones: Names of those that one can look through: door swings and zones at windows.
        items: By name, in order.
        stated: Statements, in order.
        gap: The least gap between items.
        repair: Whether items should stay close to their given places.
        notices: Sentences for the user.
    """

    corners: tuple[Point, ...]
    down: bool = False
    unit: str = ""
    walls: list[Wall] = field(default_factory=list)
    marks: dict[str, Convex] = field(default_factory=dict)
    blocked: dict[str, Convex] = field(default_factory=dict)
    open_zones: set[str] = field(default_factory=set)
    items: dict[str, Item] = field(default_factory=dict)
    stated: list[Stated] = field(default_factory=list)
    gap: float = 0.0
    repair: bool = False
    notices: list[str] = field(default_factory=list)

    def may_overlap(self, one: str, other: str) -> bool:
        """Whether two items may overlap: one is on the other, or they are in different layers or heights."""
        a, b = self.items[one], self.items[other]
        if a.layer != b.layer:
            return True
        if a.heights and b.heights and min(a.heights[1], b.heights[1]) <= max(a.heights[0], b.heights[0]):
            return True
        return any(s.kind == "on" and set(s.of) == {one, other} for s in self.stated)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, bottom, right, top of the area."""
        xs, ys = zip(*self.corners, strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    @property
    def middle(self) -> Point:
        left, bottom, right, top = self.box
        return (left + right) / 2, (bottom + top) / 2

    @property
    def half(self) -> float:
        """Half the longer side of the area: the unit of length of the energy."""
        left, bottom, right, top = self.box
        return max(right - left, top - bottom) / 2

    @property
    def rectangle(self) -> bool:
        left, bottom, right, top = self.box
        return len(self.corners) == 4 and math.isclose(
            area(self.corners), (right - left) * (top - bottom), rel_tol=1e-9
        )

    def page(self, at: Point) -> Point:
        """A place in the request's coordinates, and back."""
        left, bottom, _, top = self.box
        del left
        return (at[0], bottom + top - at[1]) if self.down else at

    def page_turn(self, degrees: float) -> float:
        return (-degrees if self.down else degrees) % 360.0

    def outside(self, shape: Convex) -> float:
        """How far a shape reaches out of the area."""
        if self.rectangle:
            left, bottom, right, top = self.box
            a, b, c, d = shape.box
            return max(left - a, bottom - b, c - right, d - top, 0.0)
        return outside_by(shape, self.corners)


def walls_of(corners: tuple[Point, ...]) -> list[Wall]:
    """The walls of a polygon, named by the direction that they face; numbered where several face the same."""
    found: list[Wall] = []
    for a, b in ring(corners):
        wall = Wall("", a, b)
        out = wall.outward
        name = max(COMPASS, key=lambda way: out[0] * COMPASS[way][0] + out[1] * COMPASS[way][1])
        found.append(Wall(name, a, b))
    counts: dict[str, int] = {}
    named = []
    for wall in found:
        several = sum(one.name == wall.name for one in found) > 1
        counts[wall.name] = counts.get(wall.name, 0) + 1
        named.append(Wall(f"{wall.name}-{counts[wall.name]}" if several else wall.name, wall.start, wall.end))
    return named
