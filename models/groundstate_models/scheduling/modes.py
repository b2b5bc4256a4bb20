"""How each activity may take place: in which rooms, and when each could start as far as it alone is concerned."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from groundstate_models.scheduling.preferences import Preference
from groundstate_models.scheduling.schedule import Activity, Schedule
from groundstate_models.scheduling.spans import Spans, difference, intersection, starts, union

Modes = dict[str, dict[str | None, Spans]]
"""For each activity, and each kind of room that it may have (None if it needs none), the minutes at which it could start."""


def alike(schedule: Schedule) -> dict[str, tuple[str, ...]]:
    """Rooms that nothing in the request tells apart, by the name of the first of each kind.

    They are interchangeable, so that it is enough to say how many are in use at a time.
    """
    apart = any(one.kind == "same_room" for one in (*schedule.rules, *schedule.preferences))
    wanted = [one for one in (*schedule.rules, *schedule.preferences) if one.kind == "room"]
    kinds: dict[Hashable, list[str]] = {}
    for name, room in schedule.rooms.items():
        users = frozenset(a.name for a in schedule.activities.values() if fits(schedule, a, name))
        named = tuple(name in one.rooms for one in wanted)
        kinds.setdefault((room.available, room.place, users, named, name if apart else None), []).append(name)
    return {names[0]: tuple(names) for names in kinds.values()}


def fits(schedule: Schedule, activity: Activity, room: str) -> bool:
    """Whether an activity may have a room, and the room is large enough."""
    capacity = schedule.rooms[room].capacity
    return room in activity.rooms and (capacity is None or activity.size <= capacity)


def modes(schedule: Schedule, latest_end: int | None = None) -> Modes:
    """Starts that windows, availability, ways from home, and what comes before and after leave.

    Args:
        schedule: What is to be placed.
        latest_end: Minute at which everything has to be over; None where that is open.
    """
    kinds = alike(schedule)
    found: Modes = {}
    for activity in schedule.activities.values():
        rooms: list[str | None] = [room for room in kinds if fits(schedule, activity, room)]
        alone = _alone(schedule, activity, latest_end)
        found[activity.name] = {
            room: there
            for room in (rooms if activity.rooms else [None])
            if (there := _there(schedule, activity, room, alone))
        }
    _propagate(schedule, found)
    return found


def _alone(schedule: Schedule, activity: Activity, latest_end: int | None) -> Spans:
    """Minutes that an activity may use, whatever its room."""
    free = intersection(activity.window, schedule.hours)
    for person in activity.who:
        free = intersection(free, schedule.people[person].available)
    if latest_end is not None:
        free = intersection(free, ((schedule.days.spans[0][0], latest_end),))
    return free


def _there(schedule: Schedule, activity: Activity, room: str | None, alone: Spans) -> Spans:
    """Minutes at which it could start in a room."""
    free = alone if room is None else intersection(alone, schedule.rooms[room].available)
    found = starts(free, activity.duration)
    if activity.at is not None:
        found = intersection(found, ((activity.at, activity.at + 1),))
    for rule in schedule.rules:
        if activity.name in rule.activities:
            found = intersection(found, allowed(schedule, rule, activity.duration, room))
    place = schedule.place(activity, room)
    for person in activity.who:
        if (home := schedule.people[person].home) is not None and (way := schedule.way(home, place)):
            found = difference(found, on_the_way(schedule, person, way))
    return found


def allowed(schedule: Schedule, rule: Preference, duration: int, room: str | None) -> Spans:
    """Minutes at which a rule lets an activity start that lasts so long; all of them if the rule is about pairs."""
    match rule.kind:
        case "within":
            return starts(rule.window, duration)
        case "avoid":
            return difference(schedule.days.spans, tuple((start - duration + 1, end) for start, end in rule.window))
        case "room" if room not in rule.rooms:
            return ()
    return schedule.days.spans


def on_the_way(schedule: Schedule, person: str, way: int) -> Spans:
    """Minutes in which somebody who comes from home, so many minutes away, has not arrived."""
    begun = ((schedule.days.whole(day)[0], schedule.begins(person, day)) for day in schedule.days.numbers)
    return union((midnight, begins + way) for midnight, begins in begun if begins is not None)


def first(starts_by_room: Mapping[str | None, Spans]) -> int:
    """The earliest start."""
    return min(spans[0][0] for spans in starts_by_room.values())


def last(starts_by_room: Mapping[str | None, Spans]) -> int:
    """The latest start."""
    return max(spans[-1][1] for spans in starts_by_room.values()) - 1


def _propagate(schedule: Schedule, found: Modes) -> None:
    """Leave out starts that are too early after what has to be over before, or too late for what has to come after."""
    for _ in schedule.activities:
        changed = False
        for activity in schedule.activities.values():
            for before in activity.after:
                changed |= _order(found, schedule.activities[before], activity)
        if not changed:
            return


def _order(found: Modes, before: Activity, activity: Activity) -> bool:
    """The order counts only where both take place: what may be left out rules out nothing of the other."""
    ahead, mine = found[before.name], found[activity.name]
    if not mine or not ahead:
        return False
    lag = before.duration + activity.gap
    changed = not before.optional and _keep(mine, first(ahead) + lag, last(mine))
    if mine and not activity.optional:
        changed |= _keep(ahead, first(ahead), last(mine) - lag)
    return changed


def _keep(starts_by_room: dict[str | None, Spans], low: int, high: int) -> bool:
    """Leave out starts before ``low`` and after ``high``."""
    changed = False
    for room, spans in list(starts_by_room.items()):
        kept = intersection(spans, ((low, high + 1),)) if low <= high else ()
        changed |= kept != spans
        if kept:
            starts_by_room[room] = kept
        else:
            del starts_by_room[room]
    return changed


def multiples(schedule: Schedule, spans: Spans, slot: int) -> Iterator[int]:
    """Minutes of some spans at which the clock shows a multiple of a slot after midnight, in order."""
    for start, end in schedule.days.pieces(spans):
        yield from range(start + -schedule.days.clock(start) % slot, end, slot)
