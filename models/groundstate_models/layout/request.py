"""Reads a request into a plan."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping
from typing import Any

from groundstate import Fault, RequestError
from groundstate_models.layout import statements
from groundstate_models.layout.lengths import MILLIMETRES, Lengths, MisreadError
from groundstate_models.layout.plan import COMPASS, Item, Plan, Soft, walls_of
from groundstate_models.layout.shapes import Convex, Point, area, box, direction, distance, pieces, simple

MOST = 200
"""Items of a request, copies included."""

MOST_CORNERS = 60
"""Corners of a polygon."""

SIDES = {"top": "north", "bottom": "south", "left": "west", "right": "east", "up": "north", "down": "south"}

STRENGTHS = {"required": math.inf, "strong": 10.0, "weak": 1.0}


def read(request: Mapping[str, Any]) -> Plan:
    """Read a request.

    Raises:
        RequestError: If it has no meaning; one fault for each place.
    """
    lengths = Lengths(_unit(request.get("unit", "")))
    faults: list[Fault] = []
    try:
        plan = _area(request["area"], lengths, request)
    except MisreadError as error:
        raise RequestError([Fault("area", str(error))]) from None
    for path, make in (("area.doors", _doors), ("area.windows", _windows), ("area.obstacles", _obstacles)):
        try:
            make(plan, request["area"], lengths)
        except MisreadError as error:
            faults.append(Fault(path, str(error)))
    named = request["items"]
    if len(named) > MOST:
        raise RequestError([Fault("items", f"There are {len(named)} items; at most {MOST} are allowed.")])
    if isinstance(named, list):
        for k, one in enumerate(named):
            if not isinstance(one, Mapping):
                raise RequestError(
                    [Fault(f"items[{k}]", f"This is {one!r}; an object with a name and a size is meant.")]
                )
        names = [str(one.get("name", f"item-{k + 1}")) for k, one in enumerate(named)]
        if twice := [f"items[{k}]" for k, name in enumerate(names) if name in names[:k]]:
            name = names[int(twice[0][6:-1])]
            raise RequestError([Fault(twice[0], f"{name!r} names two items; give one another name, or a count.")])
        named = dict(zip(names, named, strict=True))
    for name, given in named.items():
        try:
            _item(plan, name, given, lengths)
        except MisreadError as error:
            faults.append(Fault(f"items.{name}", str(error)))
    if len(plan.items) > MOST:
        faults.append(Fault("items", f"There are {len(plan.items)} items; at most {MOST} are allowed."))
    faults += _all_soft(plan)
    if faults:
        raise RequestError(faults)
    try:
        plan.gap = lengths.read(request.get("gap", 0.0), "gap")
    except MisreadError as error:
        faults.append(Fault("gap", str(error)))
    if plan.gap < 0:
        faults.append(Fault("gap", f"The gap is {request['gap']!r}; it must not be negative."))
    plan.repair = bool(request.get("repair", False))
    for key, strength in (("relations", math.inf), ("prefer", 1.0)):
        for k, one in enumerate(request.get(key, ())):
            try:
                plan.stated += statements.read(plan, one, strength, f"{key}[{k}]", lengths)
            except MisreadError as error:
                faults.append(Fault(f"{key}[{k}]", str(error)))
    if faults:
        raise RequestError(faults)
    if faults := _misplaced(plan):
        raise RequestError(faults)
    if (sentence := lengths.mixed) is not None:
        raise RequestError([Fault("unit", sentence)])
    plan.unit = lengths.unit
    plan.notices += lengths.converted
    return plan


ITEM_KEYS = (
    "size", "width", "depth", "height", "diameter", "radius", "polygon", "area", "aspect", "name", "count", "at", "near", "turn",
    "turns", "front", "fixed", "layer", "z",
)  # fmt: skip
AREA_KEYS = ("width", "height", "depth", "length", "polygon", "doors", "windows", "obstacles", "pillars")
OPENING_KEYS = ("name", "wall", "at", "width", "clear")
OBSTACLE_KEYS = ("name", "size", "width", "depth", "diameter", "radius", "polygon", "at")


def _known(given: Any, keys: tuple[str, ...], what: str) -> Mapping[str, Any]:
    """The object, if all its properties are known.

    Raises:
        MisreadError: If it is none, or has others.
    """
    if not isinstance(given, Mapping):
        raise MisreadError(f"{what} is {given!r}; an object with {', '.join(keys[:4])} … is meant.")
    for key in given:
        if key not in keys:
            near = difflib.get_close_matches(str(key), keys, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise MisreadError(f"{what} has no {key!r}; allowed are {', '.join(keys)}.{hint}")
    return given


def _corners(given: Any, lengths: Lengths, what: str) -> list[Point]:
    if not isinstance(given, list | tuple) or not 3 <= len(given) <= MOST_CORNERS:
        raise MisreadError(f"The polygon of {what} must be a list of 3 to {MOST_CORNERS} corners.")
    corners = [lengths.place(p, f"a corner of {what}") for p in given]
    # Many people close a polygon: its last corner is its first.
    different = [p for k, p in enumerate(corners) if p != corners[k - 1]]
    if len(different) < 3:
        raise MisreadError(f"The polygon of {what} has {len(different)} different corners; it needs 3.")
    return different


def _unit(text: str) -> str:
    unit = text.strip().lower()
    return {"pixels": "px", "pixel": "px", "metres": "m", "meters": "m", "inches": "in", "feet": "ft"}.get(unit, unit)


def _area(given: Any, lengths: Lengths, request: Mapping[str, Any]) -> Plan:
    corners: tuple[Point, ...]
    if isinstance(given, Mapping):
        _known(given, AREA_KEYS, "The area")
    if isinstance(given, Mapping) and "polygon" in given:
        corners = tuple(_corners(given["polygon"], lengths, "the area"))
        if not simple(corners):
            raise MisreadError("The area's polygon crosses itself; list its corners in order around it.")
        if abs(area(corners)) < 1e-12:
            raise MisreadError("The area's polygon has no area.")
    else:
        width, height = lengths.size(given, "the area")
        corners = ((0.0, 0.0), (width, 0.0), (width, height), (0.0, height))
    down = lengths.unit == "px"
    if (origin := request.get("origin")) is not None:
        down = origin == "top-left"
    ys = [p[1] for p in corners]
    if down:
        corners = tuple((x, min(ys) + max(ys) - y) for x, y in corners)
    if area(corners) < 0:
        corners = corners[::-1]
    if area(corners) <= 0:
        raise MisreadError("The area is empty.")
    plan = Plan(corners, down)
    plan.walls = walls_of(corners)
    return plan


def wall_named(plan: Plan, text: str) -> int:
    """The number of a wall by its name: ``north``, ``top``, ``north wall``.

    Raises:
        MisreadError: If there is none.
    """
    name = text.lower().replace("wall", "").replace("the ", "").replace("side", "").strip(" -")
    name = SIDES.get(name, name)
    for k, wall in enumerate(plan.walls):
        if wall.name == name or (wall.name.startswith(name + "-") and name in COMPASS):
            return k
    raise MisreadError(f"There is no wall {text!r}; the walls are {', '.join(wall.name for wall in plan.walls)}.")


def _on_wall(plan: Plan, one: Mapping[str, Any], lengths: Lengths, what: str) -> tuple[Point, Point, Point]:
    """Both ends of a door or window, and the direction into the area."""
    if "wall" not in one:
        raise MisreadError(f"The {what} names no wall; write such as {{'wall': 'south', 'at': 40, 'width': 80}}.")
    wall = plan.walls[wall_named(plan, str(one["wall"]))]
    size = math.dist(wall.start, wall.end)
    usual = min(800.0 / MILLIMETRES[lengths.unit], size) if lengths.unit in MILLIMETRES else size / 4
    width = lengths.positive(one["width"], f"width of the {what}") if "width" in one else usual
    # A wall is measured from its left end, or from its lower one; on a page from its upper one.
    (ax, ay), (bx, by) = wall.start, wall.end
    low = (ax, -ay if plan.down else ay) <= (bx, -by if plan.down else by)
    start, end = (wall.start, wall.end) if low else (wall.end, wall.start)
    at = lengths.read(one["at"], f"place of the {what}") if "at" in one else (size - width) / 2
    if width > size * (1 + 1e-9):
        raise MisreadError(f"The {what} is {width:g} wide, and the {wall.name} wall is {size:g} long.")
    if at < 0 or at + width > size * (1 + 1e-9):
        raise MisreadError(
            f"The {what} reaches from {at:g} to {at + width:g} on the {wall.name} wall, which is {size:g} long."
        )
    way = ((end[0] - start[0]) / size, (end[1] - start[1]) / size)
    near = (start[0] + at * way[0], start[1] + at * way[1])
    far = (near[0] + width * way[0], near[1] + width * way[1])
    out = wall.outward
    return near, far, (-out[0], -out[1])


def _zone(near: Point, far: Point, into: Point, depth: float) -> Convex:
    corners = [
        near,
        far,
        (far[0] + depth * into[0], far[1] + depth * into[1]),
        (near[0] + depth * into[0], near[1] + depth * into[1]),
    ]
    return Convex(tuple(corners if area(corners) > 0 else corners[::-1]))


def _listed(given: Any, key: str) -> list[Mapping[str, Any]]:
    found = given.get(key, []) if isinstance(given, Mapping) else []
    some = found if isinstance(found, list) else [found]
    if len(some) > MOST:
        raise MisreadError(f"There are {len(some)} {key}; at most {MOST} are allowed.")
    keys = OPENING_KEYS if key in ("doors", "windows") else OBSTACLE_KEYS
    return [_known(one, keys, f"One of the {key}") for one in some]


def _doors(plan: Plan, given: Any, lengths: Lengths) -> None:
    some = _listed(given, "doors")
    for k, one in enumerate(some):
        name = str(one.get("name", "door" if len(some) == 1 else f"door-{k + 1}"))
        near, far, into = _on_wall(plan, one, lengths, name)
        clear = lengths.read(one["clear"], f"clear depth of {name}") if "clear" in one else math.dist(near, far)
        plan.marks[name] = Convex((near, far))
        if clear > 0:
            plan.blocked[f"the swing of {name}"] = _zone(near, far, into, clear)
            plan.open_zones.add(f"the swing of {name}")


def _windows(plan: Plan, given: Any, lengths: Lengths) -> None:
    some = _listed(given, "windows")
    for k, one in enumerate(some):
        name = str(one.get("name", "window" if len(some) == 1 else f"window-{k + 1}"))
        near, far, into = _on_wall(plan, one, lengths, name)
        plan.marks[name] = Convex((near, far))
        if (clear := lengths.read(one.get("clear", 0), f"clear depth of {name}")) > 0:
            plan.blocked[f"the clear zone of {name}"] = _zone(near, far, into, clear)
            plan.open_zones.add(f"the clear zone of {name}")


def _obstacles(plan: Plan, given: Any, lengths: Lengths) -> None:
    some = _listed(given, "obstacles") + _listed(given, "pillars")
    for k, one in enumerate(some):
        name = str(one.get("name", f"obstacle-{k + 1}"))
        shapes, _, _ = _shape(one, lengths, name, plan)
        at = plan.page(lengths.place(one.get("at"), name)) if "polygon" not in one else (0.0, 0.0)
        if "polygon" in one:
            corners = [plan.page(p) for p in _corners(one["polygon"], lengths, name)]
            shapes = tuple(pieces(corners if area(corners) > 0 else corners[::-1]))
        for n, shape in enumerate(shapes):
            plan.blocked[name if n == 0 else f"{name} ({n + 1})"] = shape.moved(at, 0.0)


def _shape(
    given: Mapping[str, Any], lengths: Lengths, name: str, plan: Plan
) -> tuple[tuple[Convex, ...], tuple[Point, ...], Point]:
    """Convex pieces around the centre of the bounding box, the outline, and where that centre was in the given polygon."""
    if "diameter" in given or "radius" in given:
        key = "diameter" if "diameter" in given else "radius"
        radius = lengths.positive(given[key], f"{key} of {name}") * (0.5 if key == "diameter" else 1.0)
        return (Convex(((0.0, 0.0),), radius),), (), (0.0, 0.0)
    if "polygon" in given:
        corners = _corners(given["polygon"], lengths, name)
        if not simple(corners) or abs(area(corners)) < 1e-12:
            raise MisreadError(
                f"The polygon of {name} must have at least 3 corners, an area, and must not cross itself."
            )
        if plan.down:
            corners = [(x, -y) for x, y in corners]
        corners = corners if area(corners) > 0 else corners[::-1]
        left, bottom, right, top = Convex(tuple(corners)).box
        middle = ((left + right) / 2, (bottom + top) / 2)
        outline = tuple((x - middle[0], y - middle[1]) for x, y in corners)
        return tuple(pieces(outline)), outline, middle
    size = given.get("size", given if "width" in given else None)
    if size is None:
        raise MisreadError(f'{name!r} has no size; write such as "size": [60, 40], or a diameter.')
    shape = box(*lengths.size(size, name))
    return (shape,), shape.corners, (0.0, 0.0)


def _item(plan: Plan, name: str, given: Any, lengths: Lengths) -> None:
    if isinstance(given, str | list):
        given = {"size": given}
    if not isinstance(given, Mapping):
        raise MisreadError(f"{name!r} is {given!r}; write an object with a size.")
    _known(given, ITEM_KEYS, f"{name!r}")
    soft = _soft(given, lengths, name)
    if soft is None:
        shapes, outline, _ = _shape(given, lengths, name, plan)
    else:
        ratio = min(max(1.0, soft.aspect[0]), soft.aspect[1])
        shape = box(math.sqrt(soft.area * ratio), math.sqrt(soft.area / ratio))
        shapes, outline = (shape,), shape.corners
    count = given.get("count", 1)
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST:
        raise MisreadError(f"The count of {name} is {count!r}; it must be a whole number from 1 to {MOST}.")
    turns = given.get("turns", None if "turn" not in given else "none")
    at = None if given.get("at") is None else plan.page(lengths.place(given["at"], name))
    if turns is None:
        turns = "none" if plan.down or at is not None else "quarter"
    if isinstance(turns, bool):
        turns = "quarter" if turns else "none"
    if turns not in ("none", "quarter", "free"):
        raise MisreadError(f"turns of {name} is {turns!r}; allowed are none, quarter and free.")
    turn = plan.page_turn(lengths.number(given.get("turn", 0.0), f"turn of {name}"))
    fixed = bool(given.get("fixed", False))
    if fixed and at is None:
        raise MisreadError(f'{name!r} is fixed and has no place; write such as "at": [100, 80].')
    front, has_front = _front(plan, given.get("front"), name)
    near = None if given.get("near") is None else plan.page(lengths.place(given["near"], name))
    heights = given.get("z")
    if heights is not None:
        heights = lengths.place(heights, f"z of {name}")
    round_ = len(shapes) == 1 and len(shapes[0].corners) == 1
    if soft is not None or fixed or (round_ and front == (0.0, -1.0) and not has_front):
        turns = "none"
    names = [name] if count == 1 else [f"{name}-{k + 1}" for k in range(count)]
    for one in names:
        if one in plan.items:
            raise MisreadError(f"{one!r} names two items; give one another name.")
        plan.items[one] = Item(
            one,
            shapes,
            turns,
            turn,
            front,
            has_front,
            at,
            fixed,
            near,
            name,
            outline,
            f"items.{name}",
            str(given.get("layer", "")),
            heights,
            soft,
        )


ASPECT = 4.0
"""Longest side over shortest of an item with an area, where the request does not limit it."""


def _soft(given: Mapping[str, Any], lengths: Lengths, name: str) -> Soft | None:
    """The area and the limits of the aspect; None for an item with a size.

    Raises:
        MisreadError: If they cannot be read, or the item has a size or a place besides.
    """
    if "area" not in given:
        if "aspect" in given:
            raise MisreadError(f'{name!r} has an aspect and no area; write such as "area": 16, "aspect": 4.')
        return None
    for key in ("size", "width", "depth", "height", "diameter", "radius", "polygon", "at", "near", "fixed", "turns"):
        if key in given:
            raise MisreadError(f"{name!r} has an area, so its sides and place are chosen; leave out {key!r}.")
    aspect = given.get("aspect", ASPECT)
    if isinstance(aspect, list) and len(aspect) == 2:
        least, most = (Lengths.number(value, f"aspect of {name}") for value in aspect)
    else:
        most = Lengths.number(aspect, f"aspect of {name}")
        least = 1.0 / most if most else 0.0
    if not 0 < least <= most or (not isinstance(aspect, list) and most < 1):
        raise MisreadError(
            f"The aspect of {name} is {aspect!r}; write the longest side over the shortest, such as 4, or "
            "[least, most] of width over height."
        )
    return Soft(lengths.area(given["area"], f"area of {name}"), (least, most))


def _all_soft(plan: Plan) -> list[Fault]:
    """What items with an area cannot be combined with."""
    soft = [item for item in plan.items.values() if item.soft is not None]
    if not soft:
        return []
    others = [item.name for item in plan.items.values() if item.soft is None]
    if others:
        return [
            Fault(
                f"items.{others[0]}",
                f"{others[0]!r} has a size and {soft[0].name!r} an area; give all of them one kind.",
            )
        ]
    if not plan.rectangle or plan.blocked:
        return [
            Fault("area", "Items with an area need a rectangle without doors that open inwards, obstacles and pillars.")
        ]
    return []


def _misplaced(plan: Plan) -> list[Fault]:
    """Fixed items that overlap each other or something built in, or reach out of the area."""
    found = []
    fixed = [item for item in plan.items.values() if item.fixed and item.at is not None]
    shapes = {
        item.name: [shape.moved(item.at or (0.0, 0.0), math.radians(item.turn)) for shape in item.shapes]
        for item in fixed
    }
    slack = 1e-6 * plan.half
    for k, item in enumerate(fixed):
        out = max(plan.outside(shape) for shape in shapes[item.name])
        if out > slack:
            found.append(Fault(item.path, f"{item.name} is fixed and reaches {out:.4g} out of the area; move it."))
        for name, shape in plan.blocked.items():
            deep = max(-distance(one, shape) for one in shapes[item.name])
            if deep > slack:
                found.append(
                    Fault(item.path, f"{item.name} is fixed and overlaps {name} by {deep:.4g}; move one of them.")
                )
        for other in fixed[:k]:
            deep = max(-distance(one, two) for one in shapes[item.name] for two in shapes[other.name])
            if deep > slack and not plan.may_overlap(item.name, other.name):
                found.append(
                    Fault(
                        item.path,
                        f"{other.name} and {item.name} are fixed and overlap by {deep:.4g}; move one of them, or give them "
                        "different layers.",
                    )
                )
    return found


def _front(plan: Plan, given: Any, name: str) -> tuple[Point, bool]:
    if given is None:
        return (0.0, -1.0), False
    way = SIDES.get(str(given).lower(), str(given).lower())
    if way not in COMPASS:
        near = difflib.get_close_matches(way, [*COMPASS, *SIDES], n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise MisreadError(f"The front of {name} is {given!r}; allowed are south, north, east and west.{hint}")
    del plan
    return COMPASS[way], True


def angle_of(turn: float) -> Point:
    """The unit vector of degrees."""
    return direction(math.radians(turn))
