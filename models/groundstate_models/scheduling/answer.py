"""Between values of the compiled problem and answers as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain
from typing import Any

from groundstate_models.scheduling.check import Placed, cost, placements
from groundstate_models.scheduling.clashes import LEFT_OUT
from groundstate_models.scheduling.compile import Compiled
from groundstate_models.scheduling.modes import modes
from groundstate_models.scheduling.preferences import Placement
from groundstate_models.scheduling.schedule import Activity, Schedule
from groundstate_models.scheduling.starts import lags


def answer(compiled: Compiled, given: Mapping[str, Any]) -> dict[str, Any]:
    """The schedule, as `schema.ANSWER` says, that the values of all variables mean. It may break rules, if they do."""
    placed = {name: meant[str(given[name])] for name, meant in compiled.values.items() if str(given[name]) != LEFT_OUT}
    placed = _in_rooms(compiled, placed)
    if compiled.loose:
        placed = _earlier(compiled, placed)
    return printed(compiled.schedule, placed)


def values(compiled: Compiled, answer: Mapping[str, Any]) -> dict[str, str] | None:
    """The value of each variable in an answer; None where its starts are not among those that the problem offers."""
    placed, broken = placements(compiled.schedule, answer)
    if broken:
        return None
    stands = {room: first for first, same in compiled.rooms.items() for room in same}
    found: dict[str, str] = {}
    for name, meant in compiled.values.items():
        one = placed.get(name)
        if one is None:
            if not compiled.schedule.activities[name].optional:
                return None
            found[name] = LEFT_OUT
            continue
        like = replace(one, room=stands.get(one.room or ""))
        value = next((value for value, other in meant.items() if other == like), None)
        if value is None:
            return None
        found[name] = value
    return found


def printed(schedule: Schedule, placed: Placed) -> dict[str, Any]:
    """An answer as JSON, with what it costs."""
    found: dict[str, Any] = {
        "activities": [
            _one(schedule, schedule.activities[name], one)
            for name, one in sorted(
                placed.items(), key=lambda pair: (pair[1].start, schedule.activities[pair[0]].index)
            )
        ]
    }
    if left_out := [name for name in schedule.activities if name not in placed]:
        found["left_out"] = left_out
    price = cost(schedule, found)
    if price.sentences:
        found["broken"] = list(price.sentences)
    if any(activity.optional for activity in schedule.activities.values()) or schedule.preferences:
        found["cost"] = round(price.total, 6)
    return found


def _one(schedule: Schedule, activity: Activity, one: Placement) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": activity.name,
        "start": schedule.days.moment_said(one.start),
        "end": schedule.days.end_said(one.end),
    }
    if one.room is not None:
        said["room"] = one.room
    if (place := schedule.place(activity, one.room)) is not None:
        said["place"] = place
    if activity.who:
        said["who"] = list(activity.who)
    return said


def _in_rooms(compiled: Compiled, placed: Placed) -> Placed:
    """Rooms that are alike told apart: each activity, in the order of time, takes one that is over with the one before.

    There is one if no more take place at a time than there are rooms; else the last one is taken twice.
    """
    free_from = dict.fromkeys(chain(*compiled.rooms.values()), 0)
    found: Placed = {}
    for name, one in sorted(placed.items(), key=lambda pair: pair[1].start):
        room = one.room
        if room is not None:
            same = compiled.rooms[room]
            room = next((other for other in same if free_from[other] <= one.start), same[-1])
            free_from[room] = max(free_from[room], one.end)
        found[name] = replace(one, room=room)
    return found


def _earlier(compiled: Compiled, placed: Placed) -> Placed:
    """Every activity, in the order of time, as early on its day as those before it let it be."""
    schedule, possible = compiled.schedule, modes(compiled.schedule)
    stands = {room: first for first, same in compiled.rooms.items() for room in same}
    found: Placed = {}
    for name, one in sorted(placed.items(), key=lambda pair: pair[1].start):
        free = schedule.days.pieces(possible[name].get(stands.get(one.room or ""), ()))
        begin = next((start for start, end in free if start <= one.start < end), one.start)
        for other, before in found.items():
            lag = max(lags(schedule, (other, before.room), (name, one.room)), default=None)
            if lag is not None:
                begin = max(begin, before.start + lag)
        begin = min(begin, one.start)
        found[name] = Placement(begin, begin + one.end - one.start, one.room)
    return found
