"""What can be asked about a schedule, and what in the request may be given up."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from groundstate import Attempt, Change, Patch, Violation, pointer
from groundstate_models.scheduling.compile import Compiled
from groundstate_models.scheduling.schedule import Activity, Schedule

START, ROOM = " starts", " is in"
"""What follows an activity's name in the names of its variables."""

_KEPT = {"name", "duration", "who"}
"""Properties of an activity without which it is another one."""

_LONGEST = 60


def variables(schedule: Schedule, answer: Mapping[str, Any]) -> dict[str, str | None]:
    """When every activity starts, and in which room it is where there is a choice; None where it is left out."""
    placed = {one["name"]: one for one in answer["activities"]}
    found: dict[str, str | None] = {}
    for name, activity in schedule.activities.items():
        found[name + START] = placed.get(name, {}).get("start")
        if len(activity.rooms) > 1:
            found[name + ROOM] = placed.get(name, {}).get("room")
    return found


def choices(compiled: Compiled, variable: str) -> list[str]:
    """The starts, or the rooms, that the problem offers an activity, in the order of time."""
    name, of_room = _read(variable)
    if of_room:
        return list(compiled.schedule.activities[name].rooms)
    said = compiled.schedule.days.moment_said
    return list(dict.fromkeys(said(one.start) for one in compiled.values[name].values()))


def fix(request: Mapping[str, Any], schedule: Schedule, variable: str, value: str | None) -> Patch:
    """The change after which an activity starts then, is in that room, or is left out."""
    name, of_room = _read(variable)
    index = schedule.activities[name].index
    same = {"op": "test", "path": pointer("activities", index, "name"), "value": name}
    if value is None:
        return (*_freed(request, name), same, {"op": "remove", "path": pointer("activities", index)})
    changes = {"room": value} if of_room else {"at": value}
    told = request["activities"][index].get("optional", False)
    return (
        same,
        *({"op": "add", "path": pointer("activities", index, key), "value": new} for key, new in changes.items()),
        *([{"op": "replace", "path": pointer("activities", index, "optional"), "value": False}] if told else []),
    )


def ask(variable: str) -> str:
    """The question about a variable."""
    name, of_room = _read(variable)
    return f"In which room is {name} to be?" if of_room else f"When is {name} to start?"


def called(variable: str, value: str | None) -> str:
    """A variable and its value, as words of a sentence."""
    name, of_room = _read(variable)
    if value is None:
        return f"{name} left out"
    return f"{name} in {value}" if of_room else f"{name} at {value}"


def relaxations(
    request: Mapping[str, Any], schedule: Schedule, attempt: Attempt | None, violations: Sequence[Violation]
) -> list[Change]:
    """Giving up what the violations name, and then leaving out one activity or another, those named first."""
    places = dict.fromkeys(place for violation in violations for place in violation.places)
    found = {change.id: change for place in places if (change := _without(request, schedule, place)) is not None}
    named = {int(index) for place in places for index in re.findall(r"^activities\[(\d+)\]", place)}
    # A proof says which activities clash; where there is none, any of them may be the one too many.
    open_ = [
        a
        for a in schedule.activities.values()
        if not a.optional and (attempt is not None or not named or a.index in named)
    ]
    for activity in sorted(open_, key=lambda one: one.index not in named):
        change = _optional(activity)
        found[change.id] = change
    return list(found.values())


def _read(variable: str) -> tuple[str, bool]:
    of_room = variable.endswith(ROOM)
    return variable.removesuffix(ROOM if of_room else START), of_room


def _freed(request: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    """Take an activity out of what others wait for."""
    for index, other in enumerate(request["activities"]):
        after = other.get("after", [])
        after = [after] if isinstance(after, str) else list(after)
        if name in after:
            left = [one for one in after if one != name]
            yield {"op": "replace", "path": pointer("activities", index, "after"), "value": left}


def _optional(activity: Activity) -> Change:
    path = pointer("activities", activity.index)
    patch = (
        {"op": "test", "path": f"{path}/name", "value": activity.name},
        {"op": "add", "path": f"{path}/optional", "value": True},
    )
    return Change(f"maybe without {activity.name}", f"{activity.name} may be left out.", patch)


def _without(request: Mapping[str, Any], schedule: Schedule, place: str) -> Change | None:
    """Leaving out what stands at a place of the request; None where nothing stands there, or nothing is left without it."""
    path = [int(step) if step.isdecimal() else step for step in re.findall(r"[^.\[\]]+", place)]
    value: Any = request
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    whole = path[0] not in ("hours", "rules") and len(path) < 3
    if whole or (path[0] == "activities" and path[-1] in _KEPT):
        return None
    said = json.dumps(value, ensure_ascii=False)
    said = said if len(said) <= _LONGEST else f"{said[: _LONGEST - 1]}…"
    owner = ""
    if path[0] == "activities":
        owner = f" of {next(name for name, one in schedule.activities.items() if one.index == path[1])}"
    elif len(path) > 1 and path[0] != "rules":
        owner = f" of {path[1]}"
    what = "rule" if path[0] == "rules" else str(path[-1])
    patch = ({"op": "test", "path": pointer(*path), "value": value}, {"op": "remove", "path": pointer(*path)})
    return Change(f"without {place}", f"Without the {what}{owner}: {said}.", patch)
