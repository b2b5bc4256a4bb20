"""How far each item of a layout can move alone, in its turn, while everything required still holds: a lower bound."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from groundstate_models.layout.finish import Finisher
from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.placed import Spot
from groundstate_models.layout.places import places_of

WAYS = ((-1.0, 0.0), (1.0, 0.0), (0.0, 1.0), (0.0, -1.0))
"""Left, right, up and down on the page."""


def freedom(lowering: Lowering, spots: Mapping[str, Spot]) -> dict[str, list[float]]:
    """For each item that is not fixed: how far it can move left, right, up and down, in the request's unit.

    Bounding boxes stand for the shapes, and each statement keeps the alternative that holds now, so an item may have more
    room.
    """
    plan = lowering.plan
    finisher = lowering.finisher
    centre, front = places_of(lowering, spots)
    _, linear = finisher.linear(centre, front, math.inf)
    pairs = finisher.pairs
    boxes = _boxes(finisher, centre, front)
    owner = finisher.t["owner"]
    first, second = finisher.t["first"][:pairs], finisher.t["second"][:pairs]
    low = finisher.low[:pairs]
    hard = np.isinf(finisher.strength[:pairs])
    of_clause = (linear.row >= pairs) & np.isinf(linear.strength)
    upper = (linear.row < pairs) & np.isinf(linear.strength)
    upper &= np.isfinite(finisher.high[np.minimum(linear.row, len(finisher.high) - 1)]) if len(linear.row) else upper
    digits = max(0, 3 - math.floor(math.log10(plan.half)))
    found: dict[str, list[float]] = {}
    for name, k in lowering.numbers.items():
        if plan.items[name].fixed:
            continue
        room = []
        for u in WAYS:
            most = 4.0
            slope = linear.slopes[:, 3 * k] * u[0] + linear.slopes[:, 3 * k + 1] * u[1]
            for use in (of_clause, upper):
                rows = use & (np.abs(slope) > 1e-9)
                falling = rows & ((slope < 0) | linear.equal)
                if falling.any():
                    slack = np.where(linear.equal[falling], 0.0, np.maximum(-linear.least[falling], 0.0))
                    # A distance falls at most as fast as the item moves.
                    speed = np.where(linear.row[falling] < pairs, 1.0, np.abs(slope[falling]))
                    most = min(most, float((slack / speed).min()))
            axis, across = (0, 1) if u[0] else (1, 0)
            sign = u[axis]
            mine = hard & np.isfinite(low) & ((owner[first] == k) != (owner[second] == k))
            for row in np.flatnonzero(mine):
                a, b = (first[row], second[row]) if owner[first[row]] == k else (second[row], first[row])
                if boxes[a, across] >= boxes[b, across + 2] + low[row] - 1e-9:
                    continue
                if boxes[b, across] >= boxes[a, across + 2] + low[row] - 1e-9:
                    continue
                gap = boxes[b, axis] - boxes[a, axis + 2] if sign > 0 else boxes[a, axis] - boxes[b, axis + 2]
                if gap >= low[row] - 1e-6:
                    most = min(most, max(gap - low[row], 0.0))
                elif (boxes[b, axis] + boxes[b, axis + 2] - boxes[a, axis] - boxes[a, axis + 2]) * sign > 0:
                    most = 0.0
            room.append(math.floor(most * plan.half * 10**digits + 1e-6) / 10**digits)
        found[name] = room
    return found


def _boxes(finisher: Finisher, centre: Any, front: Any) -> Any:
    """Left, bottom, right, top of each part."""
    owner, radius = finisher.t["owner"], finisher.t["radius"][:, None]
    c, s = front[owner, 0][:, None], front[owner, 1][:, None]
    x = c * finisher.corners[..., 0] - s * finisher.corners[..., 1] + centre[owner, 0][:, None]
    y = s * finisher.corners[..., 0] + c * finisher.corners[..., 1] + centre[owner, 1][:, None]
    low = np.stack([x.min(1), y.min(1)], axis=1) - radius
    high = np.stack([x.max(1), y.max(1)], axis=1) + radius
    return np.concatenate([low, high], axis=1)
