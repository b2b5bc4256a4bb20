"""Relaxations of a request that has no schedule."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from groundstate import Attempt, Change, Violation, pointer
from groundstate_models.scheduling.nearest import nearest
from groundstate_models.scheduling.places import at, steps
from groundstate_models.scheduling.schedule import Activity, Schedule
from groundstate_models.scheduling.spans import total

_KEPT = {"name", "duration", "who"}
"""Essential properties of an activity."""

_LONGEST = 60


def relaxations(
    request: Mapping[str, Any], schedule: Schedule, attempt: Attempt | None, violations: Sequence[Violation]
) -> list[Change]:
    """Relaxations: the parts that the violations name, changed or dropped, those with the least minutes first.

    After them, single activities that may be left out, the named ones first.
    """
    places = list(dict.fromkeys(place for violation in violations for place in violation.places))
    dropped = [(_size(schedule, place), change) for place in places if (change := _without(request, schedule, place))]
    sized = sorted([*nearest(request, schedule), *dropped], key=lambda one: one[0])
    found = {change.id: change for _, change in sized}
    named = {int(index) for place in places for index in re.findall(r"^activities\[(\d+)\]", place)}
    # A proof names the activities that clash; without a proof, any activity may be one too many.
    open_ = [
        a
        for a in schedule.activities.values()
        if not a.optional and (attempt is not None or not named or a.index in named)
    ]
    for activity in sorted(open_, key=lambda one: one.index not in named):
        change = _optional(activity)
        found[change.id] = change
    return list(found.values())


def _size(schedule: Schedule, place: str) -> float:
    """Minutes that dropping a place gives back; infinite if it is no busy time."""
    for one in (*schedule.people.values(), *schedule.rooms.values()):
        for where, spans in one.blocks:
            if where == place:
                return total(spans)
    return math.inf


def _optional(activity: Activity) -> Change:
    path = pointer("activities", activity.index)
    patch = (
        {"op": "test", "path": f"{path}/name", "value": activity.series or activity.name},
        {"op": "add", "path": f"{path}/optional", "value": True},
    )
    name = activity.series or activity.name
    return Change(f"maybe without {name}", f"{name} may be left out.", patch)


def _without(request: Mapping[str, Any], schedule: Schedule, place: str) -> Change | None:
    """The relaxation that drops a place of the request; None if the place is empty, or nothing is left."""
    path = steps(place)
    value = at(request, path)
    if value is None:
        return None
    whole = path[0] not in ("hours", "rules") and len(path) < 3
    if whole or (path[0] == "activities" and path[-1] in _KEPT):
        return None
    text = json.dumps(value, ensure_ascii=False)
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    owner = ""
    if path[0] == "activities":
        owner = f" of {next(name for name, one in schedule.activities.items() if one.index == path[1])}"
    elif len(path) > 1 and path[0] != "rules":
        owner = f" of {path[1]}"
    what = "rule" if path[0] == "rules" else str(path[-2] if isinstance(path[-1], int) else path[-1])
    patch = ({"op": "test", "path": pointer(*path), "value": value}, {"op": "remove", "path": pointer(*path)})
    return Change(f"without {place}", f"Without the {what}{owner}: {text}.", patch)
