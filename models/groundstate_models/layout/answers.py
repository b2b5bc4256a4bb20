"""Answers as JSON, in the request's coordinates, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from groundstate_models.layout.checking import unkept
from groundstate_models.layout.freedom import freedom
from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.placed import Placed, Spot
from groundstate_models.layout.places import digits, rounded
from groundstate_models.layout.plan import Plan


def answer_of(lowering: Lowering, spots: Mapping[str, Spot]) -> dict[str, Any]:
    """The answer without its freedom."""
    plan = lowering.plan
    placed = Placed(plan, spots)
    places = digits(plan)
    items: dict[str, Any] = {}
    for name, (x, y, turn) in spots.items():
        px, py = plan.page((x, y))
        (left, right), (bottom, top) = placed.extent(name, (1.0, 0.0)), placed.extent(name, (0.0, 1.0))
        low = plan.page((left, top))[1] if plan.down else bottom
        items[name] = {
            "x": rounded(px, places),
            "y": rounded(py, places),
            "turn": rounded(plan.page_turn(turn), 9),
            "box": [rounded(v, places) for v in (left, low, right - left, top - bottom)],
        }
    found: dict[str, Any] = {"items": items}
    given = [item for item in plan.items.values() if item.at is not None and not item.fixed]
    if given:
        moves = [math.dist(spots[item.name][:2], item.at or (0.0, 0.0)) for item in given]
        found["moved"] = {"mean": rounded(sum(moves) / len(moves), places), "most": rounded(max(moves), places)}
    if wishes := unkept(placed):
        found["unkept"] = [one.text for one, _ in wishes]
    return found


def with_freedom(lowering: Lowering, answer: dict[str, Any]) -> dict[str, Any]:
    """The answer with how far each item can move by itself: left, right, up and down on the page."""
    spots = spots_in(lowering.plan, answer)
    if spots is not None:
        answer["free"] = freedom(lowering, spots)
    if lowering.plan.notices:
        answer["notices"] = list(lowering.plan.notices)
    return answer


def spots_in(plan: Plan, answer: Mapping[str, Any]) -> dict[str, Spot] | None:
    """The spots of an answer; None if an item or a number is missing."""
    items = answer.get("items", {})
    found: dict[str, Spot] = {}
    for name, item in plan.items.items():
        one = items.get(name)
        if not isinstance(one, Mapping) or not {"x", "y"} <= one.keys():
            return None
        x, y = plan.page((float(one["x"]), float(one["y"])))
        turn = plan.page_turn(float(one["turn"])) if "turn" in one else item.turn
        found[name] = (x, y, turn)
    return found
