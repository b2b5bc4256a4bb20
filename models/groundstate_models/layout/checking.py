"""The exact check of a layout: every rule and every statement by its own definition, in the request's unit."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from groundstate_models.layout.placed import Placed
from groundstate_models.layout.plan import Item, Stated
from groundstate_models.layout.relations import KINDS
from groundstate_models.layout.shapes import distance

TOLERANCE = 1e-6
"""Of what is required, relative to half the area's longer side."""


@dataclass(frozen=True)
class Fault:
    """A violation: what, by how much, and where in the request."""

    message: str
    amount: float
    places: tuple[str, ...]


def faults(placed: Placed) -> Iterator[Fault]:
    """Everything required that does not hold."""
    plan = placed.plan
    slack = TOLERANCE * plan.half
    unit = f" {plan.unit}" if plan.unit else ""
    for name, item in plan.items.items():
        x, y, turn = placed.spots[name]
        if not all(math.isfinite(v) for v in (x, y, turn)):
            yield Fault(f"The place of {name} is not finite.", math.inf, (item.path,))
            return
        if item.fixed and item.at is not None and math.dist((x, y), item.at) > slack:
            yield Fault(f"{name} is fixed, and was moved.", math.dist((x, y), item.at), (item.path,))
        off = abs(math.remainder(turn - item.turn, 360.0 if item.turning == "none" else 90.0))
        if item.turning == "quarter":
            off = abs(math.remainder(turn, 90.0))
        if item.turning != "free" and off > 1e-9 and not item.round:
            yield Fault(f"{name} is turned by {turn:g}°, which is not allowed.", off, (item.path,))
        if item.soft is not None:
            yield from _sides(name, item, unit)
        if not item.fixed:
            out = max(plan.outside(shape) for shape in placed.shapes[name])
            if out > slack:
                yield Fault(f"{name} reaches {out:.4g}{unit} out of the area.", out, (item.path,))
            for what, shape in plan.blocked.items():
                deep = max(-distance(piece, shape) for piece in placed.shapes[name])
                if deep > slack:
                    yield Fault(f"{name} overlaps {what} by {deep:.4g}{unit}.", deep, (item.path,))
    yield from _overlaps(placed, slack, unit)
    for one in plan.stated:
        if math.isinf(one.strength):
            amount = KINDS[one.kind].amount(placed, one)
            if amount > slack:
                yield Fault(f"{one.text!r} does not hold: it is off by {amount:.4g}{unit}.", amount, (one.path,))


def _sides(name: str, item: Item, unit: str) -> Iterator[Fault]:
    """Whether chosen sides give the area, within the limits of the aspect."""
    assert item.soft is not None
    width, height = item.size
    lack = item.soft.area - width * height
    if lack > TOLERANCE * item.soft.area:
        square = f"{unit}²" if unit else ""
        message = f"{name} has an area of {width * height:.6g}{square}; it needs {item.soft.area:.6g}{square}."
        yield Fault(message, lack, (item.path,))
    least, most = item.soft.aspect
    if not least * (1 - TOLERANCE) <= width / height <= most * (1 + TOLERANCE):
        message = (
            f"{name} is {width:.4g} wide and {height:.4g} high; its aspect must lie between {least:.4g} and {most:.4g}."
        )
        yield Fault(message, max(width / height / most, least * height / width) - 1, (item.path,))


def _overlaps(placed: Placed, slack: float, unit: str) -> Iterator[Fault]:
    plan = placed.plan
    names = list(plan.items)
    boxes = {}
    for name in names:
        x, y = (placed.extent(name, (1.0, 0.0)), placed.extent(name, (0.0, 1.0)))
        boxes[name] = (x[0], y[0], x[1], y[1])
    for k, one in enumerate(names):
        a = boxes[one]
        for other in names[k + 1 :]:
            b = boxes[other]
            apart = max(b[0] - a[2], a[0] - b[2], b[1] - a[3], a[1] - b[3])
            if apart >= plan.gap or plan.may_overlap(one, other):
                continue
            if plan.items[one].fixed and plan.items[other].fixed:
                continue
            lack = plan.gap - placed.distance(one, other)
            if lack > slack:
                what = f"are {lack:.4g}{unit} too close" if plan.gap else f"overlap by {lack:.4g}{unit}"
                yield Fault(f"{one} and {other} {what}.", lack, (plan.items[one].path, plan.items[other].path))


def unkept(placed: Placed) -> list[tuple[Stated, float]]:
    """Wishes that do not hold, and by how much."""
    slack = max(10 * TOLERANCE, 1e-5) * placed.plan.half
    found = []
    for one in placed.plan.stated:
        if not math.isinf(one.strength) and one.kind != "linked":
            amount = KINDS[one.kind].amount(placed, one)
            if amount > slack:
                found.append((one, amount))
    return found


def links(placed: Placed) -> float:
    """The lengths of the links, each times its weight, in the request's unit."""
    return sum(one.strength * KINDS[one.kind].amount(placed, one) for one in placed.plan.stated if one.kind == "linked")


def cost(placed: Placed) -> float:
    """What the links and the stated wishes that do not hold cost, in halves of the area's longer side."""
    broken = sum(one.strength * amount for one, amount in unkept(placed) if one.path)
    return (broken + links(placed)) / placed.plan.half


def change(placed: Placed) -> float:
    """How far items are from their given places in all, and what the mined relations that were given up cost."""
    plan = placed.plan
    total = sum(one.strength * amount for one, amount in unkept(placed) if not one.path)
    for item in plan.items.values():
        wanted, weight = (item.at, 1.0) if item.at is not None else (item.near, 0.3)
        if wanted is not None and not item.fixed:
            total += weight * math.dist(placed.spots[item.name][:2], wanted)
    return total / plan.half
