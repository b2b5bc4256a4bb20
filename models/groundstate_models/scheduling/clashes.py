"""Constraints between activities, in the constraints language: people, travel, rooms and order."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from itertools import combinations, product
from typing import Any

from groundstate_models.scheduling.preferences import Placement
from groundstate_models.scheduling.schedule import Activity, Schedule

LEFT_OUT = "left out"
"""Value of an activity that does not take place."""

JSON = dict[str, Any]
Meant = Mapping[str, Placement]
Values = Mapping[str, Meant]
"""For each activity, the meaning of its variable's values."""


def clashes(schedule: Schedule, values: Values, rooms: Mapping[str, tuple[str, ...]]) -> Iterator[JSON]:
    """Constraints that hold exactly if people, rooms, travel and order permit the schedule.

    Args:
        schedule: The schedule to solve.
        values: The values of each activity.
        rooms: Interchangeable rooms, by their representative in ``values``.
    """
    groups = _groups(schedule)
    apart: set[frozenset[str]] = set()
    for person, group in groups.items():
        least = _least_ways(schedule, values, group)
        yield {
            "type": "cumulative",
            "name": f"{person} is in one activity at a time",
            "tasks": [_interval(activity.name, values[activity.name], least[activity.name]) for activity in group],
        }
        for one, other in combinations(group, 2):
            if frozenset((one.name, other.name)) not in apart:
                apart.add(frozenset((one.name, other.name)))
                yield from _ways(schedule, values, least, one, other)
    together = [{activity.name for activity in group} for group in groups.values()]
    for room, same in rooms.items():
        users = {name: mine for name, meant in values.items() if (mine := _among(meant, {room}))}
        if len(users) > len(same) and not any(group.issuperset(users) for group in together):
            yield {
                "type": "cumulative",
                "name": f"{' or '.join(same)} is enough",
                "tasks": [_interval(name, mine) for name, mine in users.items()],
                "capacity": len(same),
            }
    yield from _order(schedule, values)


def _groups(schedule: Schedule) -> dict[str, tuple[Activity, ...]]:
    """Maximal sets of pairwise exclusive activities, by a person in all of them."""
    groups: dict[frozenset[str], str] = {}
    for person, activities in schedule.attending.items():
        groups.setdefault(frozenset(activity.name for activity in activities), person)
    return {
        person: schedule.attending[person]
        for names, person in groups.items()
        if len(names) > 1 and not any(names < other for other in groups)
    }


def _among(meant: Meant, rooms: Container[str | None]) -> Meant:
    """The values in some rooms."""
    return {value: one for value, one in meant.items() if one.room in rooms}


def _interval(name: str, meant: Meant, longer: Mapping[str | None, int] | None = None) -> JSON:
    """The time of an activity, extended after its end by an amount for its room."""
    spans = [[value, one.start, one.end + (longer[one.room] if longer else 0)] for value, one in meant.items()]
    return {"variable": name, "spans": spans}


def _places(schedule: Schedule, values: Values, activity: Activity) -> dict[str | None, list[str | None]]:
    """The possible places of an activity, and its rooms there."""
    places: dict[str | None, list[str | None]] = {}
    for room in dict.fromkeys(one.room for one in values[activity.name].values()):
        places.setdefault(schedule.place(activity, room), []).append(room)
    return places


def _least_ways(schedule: Schedule, values: Values, group: Sequence[Activity]) -> dict[str, dict[str | None, int]]:
    """Minutes after each activity, by its room, in which no other can start anywhere."""
    places = {activity.name: _places(schedule, values, activity) for activity in group}
    return {
        name: {
            room: max(
                schedule.gap,
                min(
                    (schedule.way(here, there) for other in places if other != name for there in places[other]),
                    default=0,
                ),
            )
            for here, rooms in mine.items()
            for room in rooms
        }
        for name, mine in places.items()
    }


def _ways(
    schedule: Schedule, values: Values, least: Mapping[str, Mapping[str | None, int]], one: Activity, other: Activity
) -> Iterator[JSON]:
    """Two activities are separated by the travel time between their places, if other constraints ask for less.

    Intervals extended by the travel time do not overlap exactly if there is time to travel.
    """
    first, second = _places(schedule, values, one), _places(schedule, values, other)
    for (here, rooms), (there, others) in product(first.items(), second.items()):
        forth, back = (max(schedule.gap, way) for way in (schedule.way(here, there), schedule.way(there, here)))
        if forth > least[one.name][rooms[0]] or back > least[other.name][others[0]]:
            yield {
                "type": "cumulative",
                "name": f"the way from {here} to {there} between {one.name} and {other.name}",
                "tasks": [
                    _interval(one.name, _among(values[one.name], rooms), dict.fromkeys(rooms, forth)),
                    _interval(other.name, _among(values[other.name], others), dict.fromkeys(others, back)),
                ],
            }


def _order(schedule: Schedule, values: Values) -> Iterator[JSON]:
    for activity in schedule.activities.values():
        for before in activity.after:
            ahead, mine = values[before].values(), values[activity.name].values()
            if ahead and mine and max(one.end for one in ahead) + activity.gap > min(one.start for one in mine):
                yield {
                    "type": "before",
                    "name": f"{before} before {activity.name}",
                    "first": _interval(before, values[before]),
                    "then": _interval(activity.name, values[activity.name]),
                    "gap": activity.gap,
                }
            if ahead and mine and activity.within is not None:
                # The start of one, less the most minutes between, is no later than the end of the other.
                yield {
                    "type": "before",
                    "name": f"{activity.name} soon after {before}",
                    "first": {
                        "variable": activity.name,
                        "spans": [[value, one.start - 1, one.start] for value, one in values[activity.name].items()],
                    },
                    "then": {
                        "variable": before,
                        "spans": [[value, one.end, one.end + 1] for value, one in values[before].items()],
                    },
                    "gap": -activity.within,
                }
