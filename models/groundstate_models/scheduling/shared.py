"""One variable for several activities: those of a rule "same time of day" or "together" that have one start for each time."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from itertools import combinations
from typing import Any

from groundstate_models.scheduling.clashes import Values
from groundstate_models.scheduling.preferences import Placement, Preference
from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.starts import lags

Alias = Mapping[str, str]
"""For an activity without a variable of its own, the activity whose variable decides its start."""


def shared(schedule: Schedule, values: Values) -> tuple[dict[str, Mapping[str, Placement]], dict[str, str]]:
    """The values of each activity, with the same names and meanings "at the same time" where activities share a variable."""
    found: dict[str, Mapping[str, Placement]] = dict(values)
    alias: dict[str, str] = {}
    for rule in schedule.rules:
        names = rule.activities
        taken = {*alias, *alias.values()}
        if rule.kind not in ("same_time", "together") or len(names) < 2 or taken.intersection(names):
            continue
        if any(schedule.activities[name].optional for name in names):
            continue
        keyed = [_by_key(schedule, rule, found[name]) for name in names]
        if None in keyed:
            continue
        common = set.intersection(*(set(one or {}) for one in keyed))
        together = [{name: (one or {})[key] for name, one in zip(names, keyed, strict=True)} for key in common]
        if not common or not all(_apart(schedule, placed) for placed in together):
            continue  # a constraint between two activities of one variable would be lost
        leader = found[names[0]]
        titles = {key: next(v for v, one in leader.items() if rule.key(one, schedule.days) == key) for key in common}
        ordered = [key for key, _ in sorted(titles.items(), key=lambda pair: list(leader).index(pair[1]))]
        for name, one in zip(names, keyed, strict=True):
            found[name] = {titles[key]: (one or {})[key] for key in ordered}
        alias |= dict.fromkeys(names[1:], names[0])
    return found, alias


def _apart(schedule: Schedule, placed: Mapping[str, Placement]) -> bool:
    """Whether no two placements exclude each other, whoever is chosen for them."""
    for (name, one), (other, there) in combinations(sorted(placed.items(), key=lambda pair: pair[1].start), 2):
        least = lags(schedule, (name, one.room), (other, there.room))
        chosen = schedule.activities[name].choices and schedule.activities[other].choices
        if there.start < one.start + max(least, default=0) or (chosen and there.start < one.end):
            return False
        if other in schedule.activities[name].after:
            return False
    return True


def _by_key(schedule: Schedule, rule: Preference, meant: Mapping[str, Placement]) -> dict[Hashable, Placement] | None:
    """The placement for each time; None if there are several."""
    found: dict[Hashable, Placement] = {}
    for one in meant.values():
        key = rule.key(one, schedule.days)
        if key in found:
            return None
        found[key] = one
    return found


def renamed(raw: Any, alias: Alias) -> Any:
    """JSON of constraints with the variables that activities share."""
    if isinstance(raw, Mapping):
        return {key: alias.get(one, one) if key == "variable" else renamed(one, alias) for key, one in raw.items()}
    return [renamed(one, alias) for one in raw] if isinstance(raw, list | tuple) else raw
