"""Reads blocks: boxes, polygons and bodies with faces, with their weight and centre of mass."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from groundstate_models.equilibrium.contacts import crossed
from groundstate_models.equilibrium.parts import Block, Vector
from groundstate_models.equilibrium.quantities import Quantities
from groundstate_models.equilibrium.words import MisreadError

BLOCK_KEYS = {"size", "at", "on", "x", "offset", "mass", "weight", "density", "fixed", "corners", "faces", "load"}


def block(quantities: Quantities, name: str, one: Any, tops: dict[str, tuple[float, float]], path: str) -> Block:
    if not isinstance(one, Mapping):
        raise MisreadError(f"{str(one)[:40]} is not a block; give an object with size and at or on.")
    if unknown := sorted(set(one) - BLOCK_KEYS):
        raise MisreadError(f"A block takes no {unknown[0]!r}; it takes {', '.join(sorted(BLOCK_KEYS))}.")
    faces: tuple[tuple[int, ...], ...] = tuple(tuple(int(k) for k in face) for face in one.get("faces", []))
    if "corners" in one:
        corners = np.array([quantities.vector(corner) for corner in one["corners"]])
        if len(corners) < 3:
            raise MisreadError(f"The block has {len(corners)} corners; it needs at least 3.")
        if not faces:
            following = np.roll(corners, -1, axis=0)
            area = float((corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]).sum()) / 2
            if (crossing := _crossing(corners)) is not None:
                one_, other = crossing
                raise MisreadError(
                    f"The block's sides cross each other: the one from corner {one_} and the one from corner {other}."
                )
            if not area:
                raise MisreadError("The block's corners lie on one line.")
            corners = corners if area > 0 else corners[::-1].copy()
    else:
        corners = _box(quantities, one, tops)
    volume, centre = _solid(corners, faces)
    if volume <= 0:
        raise MisreadError(
            "The block has no volume; its faces must be closed, with corners counter-clockwise from outside."
        )
    tops[name] = (float(corners[:, 1].max()), float(centre[0]))
    gravity = quantities.structure.gravity
    if one.get("weight") is not None:
        weight = quantities.positive(one["weight"], "force", "weight")
    elif one.get("mass") is not None:
        weight = quantities.positive(one["mass"], "mass", "mass") * gravity
    else:
        weight = quantities.positive(one.get("density", 1), None, "density") * volume * gravity
    load = quantities.vector(one["load"], "force") if one.get("load") is not None else (0.0, 0.0, 0.0)
    return Block(name, corners, faces, weight, centre, bool(one.get("fixed", False)), load, path)


def _box(quantities: Quantities, one: Mapping[str, Any], tops: dict[str, tuple[float, float]]) -> Any:
    size = one.get("size")
    if isinstance(size, str) or not isinstance(size, Sequence) or len(size) != 2:
        raise MisreadError(f"size is {str(size)[:40]}; a block needs its width and height, such as [2, 1].")
    width, height = (quantities.positive(v, "length", "size") for v in size)
    if one.get("at") is not None:
        x, y, _ = quantities.vector(one["at"])
    elif one.get("on") is not None:
        below = str(one["on"])
        if below != "floor" and below not in tops:
            near = difflib.get_close_matches(below, ["floor", *tops], 1)
            hint = f"; did you mean {near[0]!r}?" if near else " that was named before."
            raise MisreadError(f"{below!r} is not a block{hint}")
        floor = next((p.offset for p in quantities.structure.planes if p.name == "floor"), 0.0)
        top, middle = (floor, 0.0) if below == "floor" else tops[below]
        x = quantities.number(one["x"], "length") if one.get("x") is not None else middle
        x += quantities.number(one.get("offset", 0), "length")
        y = top + height / 2
    else:
        raise MisreadError("The block has no place; give at (its centre), or on and x.")
    w, h = width / 2, height / 2
    return np.array([[x - w, y - h, 0.0], [x + w, y - h, 0.0], [x + w, y + h, 0.0], [x - w, y + h, 0.0]])


def _crossing(corners: Any) -> tuple[int, int] | None:
    """Two sides of a polygon that cross, by their first corners, counted from 1."""
    count = len(corners)

    def turn(a: Any, b: Any, c: Any) -> float:
        return float((b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]))

    for i in range(count):
        p, q = corners[i], corners[(i + 1) % count]
        for j in range(i + 2, count - (i == 0)):
            r, t = corners[j], corners[(j + 1) % count]
            if turn(p, q, r) * turn(p, q, t) < 0 and turn(r, t, p) * turn(r, t, q) < 0:
                return i + 1, j + 1
    return None


def _solid(corners: Any, faces: tuple[tuple[int, ...], ...]) -> tuple[float, Vector]:
    """Volume (area in the plane) and centre of mass."""
    if not faces:
        following = np.roll(corners, -1, axis=0)
        cross = corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]
        area = float(cross.sum()) / 2
        if not area:
            return 0.0, (0.0, 0.0, 0.0)
        middle = ((corners + following) * cross[:, None]).sum(0) / (6 * area)
        return area, (float(middle[0]), float(middle[1]), 0.0)
    volume, moment = 0.0, np.zeros(3)
    origin = corners.mean(0)
    for face in faces:
        ring = corners[list(face)] - origin
        fan = crossed(ring[1:-1], ring[2:]) @ ring[0] / 6
        volume += float(fan.sum())
        moment += fan @ (ring[0] + ring[1:-1] + ring[2:]) / 4
    if not volume:
        return 0.0, (0.0, 0.0, 0.0)
    x, y, z = origin + moment / volume
    return volume, (float(x), float(y), float(z))
