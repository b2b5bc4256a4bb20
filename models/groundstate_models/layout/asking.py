"""What a layout is asked about: walls, turns and orders, never a small shift."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from groundstate import Patch
from groundstate_models.layout.placed import Placed
from groundstate_models.layout.plan import Plan, Stated
from groundstate_models.layout.relations import corners_of, wall_gap


def _open_wall(plan: Plan) -> dict[str, Stated]:
    """Items that must be against a wall, any wall."""
    required = [s for s in plan.stated if math.isinf(s.strength)]
    named = {s.of[0] for s in required if s.kind == "against" and "wall" in s.values}
    return {s.of[0]: s for s in required if s.kind == "against" and "wall" not in s.values and s.of[0] not in named}


def _open_corner(plan: Plan) -> dict[str, Stated]:
    required = [s for s in plan.stated if math.isinf(s.strength)]
    return {s.of[0]: s for s in required if s.kind == "corner" and "walls" not in s.values}


def open_variables(plan: Plan) -> bool:
    """Whether the request leaves a wall or a corner open."""
    return bool(_open_wall(plan) or _open_corner(plan))


def variables(placed: Placed) -> dict[str, Any]:
    """The wall, corner, turn or order of each item whose request leaves it open."""
    plan = placed.plan
    found: dict[str, Any] = {}
    for name in _open_wall(plan):
        found[f"wall {name}"] = plan.walls[_wall(placed, name)].name
    for name in _open_corner(plan):
        found[f"corner {name}"] = _corner_name(
            plan, min(corners_of(plan), key=lambda c: max(wall_gap(placed, name, k) for k in c))
        )
    return found


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
    return ()


def fix(plan: Plan, request: Mapping[str, Any], variable: str, value: Any) -> Patch:
    """The change that states it."""
    what, _, name = variable.partition(" ")
    steps: list[Mapping[str, Any]] = []
    if "relations" not in request:
        steps.append({"op": "add", "path": "/relations", "value": []})
    if what == "wall":
        number = next(k for k, wall in enumerate(plan.walls) if wall.name == value)
        stated: dict[str, Any] = {"type": "against", "of": [name], "wall": number}
    else:
        walls = next(one for one in corners_of(plan) if _corner_name(plan, one) == value)
        stated = {"type": "corner", "of": [name], "walls": list(walls)}
    return (*steps, {"op": "add", "path": "/relations/-", "value": stated})


def ask(variable: str) -> str:
    what, _, name = variable.partition(" ")
    return f"Against which wall should {name} stand?" if what == "wall" else f"In which corner should {name} stand?"


def called(variable: str, value: Any) -> str:
    what, _, name = variable.partition(" ")
    return f"{name} ({value} {what})"
