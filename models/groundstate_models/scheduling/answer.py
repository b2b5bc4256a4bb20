"""Convert between values of the compiled problem and answers as JSON."""

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
    """The schedule (see `schema.ANSWER`) of the values of all variables. It may violate rules."""
    own = {name: str(given[compiled.alias.get(name, name)]) for name in compiled.values}
    placed = {name: meant[own[name]] for name, meant in compiled.values.items() if own[name] != LEFT_OUT}
    placed = _in_rooms(compiled, placed)
    if compiled.staff is not None:
        chosen = compiled.staff.chosen(given)
        placed = {name: replace(one, who=chosen.get(name, ())) for name, one in placed.items()}
    if compiled.loose:
        placed = _earlier(compiled, placed)
    return printed(compiled.schedule, placed)


def values(compiled: Compiled, answer: Mapping[str, Any]) -> dict[str, str] | None:
    """The value of each variable in an answer; None if its starts are not among the problem's."""
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
        assigned = compiled.staff is not None and name in compiled.staff.assigned
        like = one.start, one.end, stands.get(one.room or ""), frozenset(one.who if assigned else ())
        value = next((v for v, o in meant.items() if (o.start, o.end, o.room, frozenset(o.who)) == like), None)
        leader = compiled.alias.get(name, name)
        if value is None or found.get(leader, value) != value:
            return None
        found[leader] = value
    if compiled.staff is not None:
        chosen = compiled.staff.values({n: replace(o, room=stands.get(o.room or "")) for n, o in placed.items()})
        if chosen is None:
            return None
        found |= chosen
    return found


def printed(schedule: Schedule, placed: Placed) -> dict[str, Any]:
    """An answer as JSON, with its cost."""
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
    if schedule.ranked:
        found["cost"] = round(price.total, 6)
    return found


def _one(schedule: Schedule, activity: Activity, one: Placement) -> dict[str, Any]:
    placed: dict[str, Any] = {
        "name": activity.name,
        "start": schedule.days.moment_text(one.start),
        "end": schedule.days.end_text(one.end),
    }
    if one.room is not None:
        placed["room"] = one.room
    if (place := schedule.place(activity, one.room)) is not None:
        placed["place"] = place
    if activity.who or activity.choices:
        placed["who"] = [*activity.who, *one.who]
    return placed


def _in_rooms(compiled: Compiled, placed: Placed) -> Placed:
    """Assign interchangeable rooms: each activity, in order of time, takes a room whose previous activity has ended.

    Enough rooms exist if the simultaneous activities do not exceed the rooms; otherwise the last room is used twice.
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
    """Every activity, in order of time, moved as early on its day as the earlier ones permit."""
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
