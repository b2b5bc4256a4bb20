"""Subjects of questions about a schedule: which optional activities take place, which preferences hold.

Times and interchangeable rooms raise no questions; `ties` decides them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundstate import Patch, pointer
from groundstate_models.scheduling.check import placements
from groundstate_models.scheduling.preferences import spans_text
from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.schema import KINDS, RULE_KINDS

TAKES_PLACE, LEFT_OUT = "takes place", "left out"
KEPT, GIVEN_UP = "kept", "given up"
_PREFERENCE = "preferences["


def variables(schedule: Schedule, answer: Mapping[str, Any]) -> dict[str, str]:
    """Whether each optional activity takes place, and whether each preference that could be a rule holds."""
    placed, _ = placements(schedule, answer)
    found = {
        name: TAKES_PLACE if name in placed else LEFT_OUT
        for name, activity in schedule.activities.items()
        if activity.optional and activity.series is None  # no reply can be about one of a series
    }
    for preference in schedule.preferences:
        if preference.kind in RULE_KINDS:
            broken = any(preference.broken(schedule.activities, placed, schedule.days))
            found[preference.where] = GIVEN_UP if broken else KEPT
    return found


def choices(variable: str) -> list[str]:
    return [KEPT, GIVEN_UP] if variable.startswith(_PREFERENCE) else [TAKES_PLACE, LEFT_OUT]


def fix(request: Mapping[str, Any], schedule: Schedule, variable: str, value: str) -> Patch:
    """The change that requires or drops an activity, or makes a preference a rule or drops it."""
    if variable.startswith(_PREFERENCE):
        return _fix_preference(request, int(variable[len(_PREFERENCE) : -1]), value)
    index = schedule.activities[variable].index
    path = pointer("activities", index)
    one = {"op": "test", "path": f"{path}/name", "value": variable}
    if value == TAKES_PLACE:
        return (one, {"op": "replace", "path": f"{path}/optional", "value": False})
    freed = []
    for other, raw in enumerate(request["activities"]):
        after = raw.get("after", [])
        after = [after] if isinstance(after, str) else list(after)
        if variable in after:
            left = [name for name in after if name != variable]
            freed.append({"op": "replace", "path": pointer("activities", other, "after"), "value": left})
    return (one, *freed, {"op": "remove", "path": path})


def _fix_preference(request: Mapping[str, Any], index: int, value: str) -> Patch:
    raw, path = request["preferences"][index], pointer("preferences", index)
    one = {"op": "test", "path": path, "value": raw}
    if value == GIVEN_UP:
        return (one, {"op": "remove", "path": path})
    rule = {key: part for key, part in raw.items() if key != "weight"}
    if "rules" in request:
        return (one, {"op": "add", "path": "/rules/-", "value": rule})
    return (one, {"op": "add", "path": "/rules", "value": [rule]})


def ask(schedule: Schedule, variable: str) -> str:
    """The question about a variable."""
    if variable.startswith(_PREFERENCE):
        return f"Is this preference to be kept or given up: {_wanted(schedule, variable)}?"
    return f"Is {variable} to take place, or to be left out?"


def called(schedule: Schedule, variable: str, value: str) -> str:
    """A variable and its value, as words of a sentence."""
    return f"{_wanted(schedule, variable)}: {value}" if variable.startswith(_PREFERENCE) else f"{variable} {value}"


def _wanted(schedule: Schedule, variable: str) -> str:
    preference = schedule.preferences[int(variable[len(_PREFERENCE) : -1])]
    names = list(preference.activities)
    about = "all activities" if len(names) == len(schedule.activities) > 1 else ", ".join(names)
    wish = KINDS[preference.kind]
    wish = wish.replace("`window`", spans_text(preference.window, schedule.days)).replace(
        "`room`", " or ".join(preference.rooms)
    )
    return f"{about} {wish}"
