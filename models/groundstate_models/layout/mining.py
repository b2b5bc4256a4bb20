"""Mines the relations of a given layout, which a repair should keep: walls, sides of one another, nearness."""

from __future__ import annotations

import math

from groundstate_models.layout.placed import Placed
from groundstate_models.layout.plan import Plan, Stated
from groundstate_models.layout.relations import WAYS, wall_gap

WALL, CLOSE = 0.03, 0.06
"""Within these parts of the area's longer side an item is at a wall, and next to another."""

STRENGTH = 0.6
"""The cost of a mined relation that is given up, per half of the area's longer side."""


def mined(plan: Plan) -> list[Stated]:
    """Relations among items with places: at a wall, next to, and in a direction from each other (within 45°)."""
    given = {item.name: item for item in plan.items.values() if item.at is not None}
    spots = {name: (*(item.at or (0.0, 0.0)), item.turn) for name, item in plan.items.items()}
    placed = Placed(plan, spots)
    side = 2 * plan.half
    found = []
    for name in given:
        for k, wall in enumerate(plan.walls):
            if plan.rectangle and wall_gap(placed, name, k) <= WALL * side:
                found.append(
                    Stated(
                        "against",
                        (name,),
                        {"wall": k, "within": WALL * side},
                        STRENGTH,
                        f"{name} against the {wall.name} wall",
                    )
                )
    names = list(given)
    for k, one in enumerate(names):
        for other in names[k + 1 :]:
            way = direction_of(placed, one, other)
            if way and not plan.may_overlap(one, other):
                found.append(Stated("direction", (one, other), {"side": way}, STRENGTH, f"{one} {way} {other}"))
            if placed.distance(one, other) <= CLOSE * side and not plan.may_overlap(one, other):
                values = {"most": CLOSE * side}
                found.append(Stated("distance", (one, other), values, STRENGTH, f"{one} next to {other}"))
    return found


def direction_of(placed: Placed, one: str, other: str) -> str | None:
    """On which side of the other an item is: its centre lies within 45° of that direction; None where both are the same."""
    (ax, ay), (bx, by) = placed.centre(one), placed.centre(other)
    dx, dy = ax - bx, ay - by
    if math.hypot(dx, dy) < 1e-9 * placed.plan.half:
        return None
    return max(WAYS, key=lambda side: WAYS[side][0] * dx + WAYS[side][1] * dy)
