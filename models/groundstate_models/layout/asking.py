"""What a layout is asked about: walls, turns and orders, never a small shift."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from groundstate import Patch
from groundstate_models.layout.orders import COLUMN, open_orders
from groundstate_models.layout.placed import Placed
from groundstate_models.layout.plan import COMPASS, Item, Plan, Stated
from groundstate_models.layout.relations import corners_of, wall_gap


def _open_wall(plan: Plan) -> dict[str, Stated]:
    """Items that must be against a wall, any wall."""
    required = [s for s in plan.stated if math.isinf(s.strength)]
    named = {s.of[0] for s in required if s.kind == "against" and "wall" in s.values}
    return {s.of[0]: s for s in required if s.kind == "against" and "wall" not in s.values and s.of[0] not in named}


def _open_corner(plan: Plan) -> dict[str, Stated]:
    required = [s for s in plan.stated if math.isinf(s.strength)]
    return {s.of[0]: s for s in required if s.kind == "corner" and "walls" not in s.values}


def _open_turn(plan: Plan) -> list[str]:
    """Items with a front that may make quarter turns, and that nothing required turns some way."""
    if plan.repair:
        return []
    required = [s for s in plan.stated if math.isinf(s.strength)]
    decided = {s.of[0] for s in required if s.kind in ("facing", "looking", "against")}
    return [item.name for item in plan.items.values() if item.name not in decided and _turns(item)]


def _turns(item: Item) -> bool:
    return item.has_front and item.turning == "quarter" and not item.fixed and item.base == item.name


def open_variables(plan: Plan) -> bool:
    """Whether the request leaves a wall, a corner, a turn or an order open."""
    return bool(_open_wall(plan) or _open_corner(plan) or _open_turn(plan) or open_orders(plan))


def variables(placed: Placed) -> dict[str, Any]:
    """The wall or corner of each item whose request leaves it open; where there are none of these, turns and orders.

    Walls are asked about first: they decide most turns, and many orders.
    """
    plan = placed.plan
    found: dict[str, Any] = {}
    for name in _open_wall(plan):
        found[f"wall {name}"] = plan.walls[_wall(placed, name)].name
    for name in _open_corner(plan):
        found[f"corner {name}"] = _corner_name(
            plan, min(corners_of(plan), key=lambda c: max(wall_gap(placed, name, k) for k in c))
        )
    if found:
        return found
    for name in _open_turn(plan):
        found[f"turn {name}"] = _faces(placed, name)
    for variable, order in open_orders(plan).items():
        found[variable] = order.side(placed)
    return found


def alike(one: Placed, other: Placed) -> bool:
    """Whether two layouts differ in nothing that a question is about."""
    mine, theirs = variables(one), variables(other)
    orders = open_orders(one.plan)
    return all(
        value == theirs[name] or (name in orders and orders[name].shifted(one, other)) for name, value in mine.items()
    )


def _faces(placed: Placed, name: str) -> str:
    x, y = placed.front(name)
    return max(COMPASS, key=lambda way: x * COMPASS[way][0] + y * COMPASS[way][1])


def _wall(placed: Placed, name: str) -> int:
    """The wall that an item touches; of several, the one along its longer side."""
    plan = placed.plan
    slack = 1e-5 * plan.half
    touched = [k for k in range(len(plan.walls)) if wall_gap(placed, name, k) <= slack]

    def along(k: int) -> float:
        out = plan.walls[k].outward
        low, high = placed.extent(name, (-out[1], out[0]))
        return high - low

    if not touched:
        return min(range(len(plan.walls)), key=lambda k: wall_gap(placed, name, k))
    return max(touched, key=lambda k: (round(along(k) / plan.half, 6), -k))


def _corner_name(plan: Plan, walls: tuple[int, int]) -> str:
    names = [plan.walls[k].name for k in walls]
    return "".join(sorted(names, key=lambda n: n.partition("-")[0] not in ("north", "south")))


def choices(plan: Plan, variable: str) -> Sequence[Any]:
    what, _, _ = variable.partition(" ")
    if what == "wall":
        return [wall.name for wall in plan.walls]
    if what == "corner":
        return [_corner_name(plan, one) for one in corners_of(plan)]
    return list(COMPASS) if what == "turn" else open_orders(plan)[variable].sides


def fix(plan: Plan, request: Mapping[str, Any], variable: str, value: Any) -> Patch:
    """The change that states it."""
    what, _, name = variable.partition(" ")
    steps: list[Mapping[str, Any]] = []
    if "relations" not in request:
        steps.append({"op": "add", "path": "/relations", "value": []})
    if what == "wall":
        number = next(k for k, wall in enumerate(plan.walls) if wall.name == value)
        stated: dict[str, Any] = {"type": "against", "of": [name], "wall": number}
    elif what == "turn":
        stated = {"type": "looking", "of": [name], "side": value}
    elif what == "order":
        stated = open_orders(plan)[variable].stated(value)
    else:
        walls = next(one for one in corners_of(plan) if _corner_name(plan, one) == value)
        stated = {"type": "corner", "of": [name], "walls": list(walls)}
    return (*steps, {"op": "add", "path": "/relations/-", "value": stated})


def ask(plan: Plan, variable: str) -> str:
    what, _, name = variable.partition(" ")
    if what == "wall":
        return f"Against which wall should {name} stand?"
    if what == "corner":
        return f"In which corner should {name} stand?"
    if what == "turn":
        return f"Which way should {name} face?"
    order = open_orders(plan)[variable]
    if len(order.sides) > 2:
        return f"On which side of {order.b} should {order.a} be?"
    one, other = order.sides
    of = "" if order.sides == COLUMN else " of"
    return f"Should {order.a} be {one} or {other}{of} {order.b}?"


def called(plan: Plan, variable: str, value: Any) -> str:
    what, _, name = variable.partition(" ")
    if what == "turn":
        return f"{name} (facing {value})"
    if what == "order":
        order = open_orders(plan)[variable]
        return f"{order.a} ({value}{'' if value in COLUMN else ' of'} {order.b})"
    return f"{name} ({value} {what})"
