"""Converts places of the system to spots of items in the request's unit, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from groundstate_models.layout.finish import Floats
from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.placed import Spot
from groundstate_models.layout.plan import Plan


def digits(plan: Plan) -> int:
    """Decimals of an answer: to 5e-9 of half the area's longer side."""
    return 8 - math.ceil(math.log10(plan.half))


def rounded(value: float, places: int) -> float:
    return round(float(value), places) + 0.0


def spots_of(lowering: Lowering, centre: Floats, front: Floats) -> dict[str, Spot]:
    """Spots of the items from the system's places."""
    plan = lowering.plan
    x, y = plan.middle
    places = digits(plan)
    found = {}
    for name, k in lowering.numbers.items():
        item = plan.items[name]
        if item.turning == "none":
            turn = item.turn
        else:
            turn = math.degrees(math.atan2(front[k, 1], front[k, 0])) % 360.0
            turn = round(turn / 90.0) * 90.0 % 360.0 if item.turning == "quarter" else round(turn, 9)
        at = (x + centre[k, 0] * plan.half, y + centre[k, 1] * plan.half)
        if item.fixed and item.at is not None:
            at = item.at
        found[name] = (rounded(at[0], places), rounded(at[1], places), turn)
    return found


def places_of(lowering: Lowering, spots: Mapping[str, Spot]) -> tuple[Floats, Floats]:
    """The system's places of spots."""
    centre, front = np.zeros((len(lowering.system.bodies), 2)), np.zeros((len(lowering.system.bodies), 2))
    front[:, 0] = 1.0
    for name, k in lowering.numbers.items():
        x, y, turn = spots[name]
        centre[k] = lowering.point((x, y))
        front[k] = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return centre, np.round(front, 15)
