"""The modes of each activity: its possible rooms, and its possible starts regardless of the others."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping

from groundstate_models.scheduling.preferences import Placement, Preference
from groundstate_models.scheduling.schedule import Activity, Schedule
from groundstate_models.scheduling.spans import Spans, difference, intersection, starts, union

Modes = dict[str, dict[str | None, Spans]]
"""For each activity and each kind of room (None if it needs none), the possible starts in minutes."""


def alike(schedule: Schedule) -> dict[str, tuple[str, ...]]:
    """Interchangeable rooms, by the name of the first of each kind.

    It is enough to bound their number in use at a time.
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
    """Whether an activity may use a room, and the room is large enough."""
    capacity = schedule.rooms[room].capacity
    return room in activity.rooms and (capacity is None or activity.size <= capacity)


def modes(schedule: Schedule, latest_end: int | None = None) -> Modes:
    """Starts that windows, availability, travel from home, and the order of activities permit.

    Args:
        schedule: The schedule to solve.
        latest_end: Latest end of all activities, in minutes; None if open.
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
    """Minutes that an activity may use in any room."""
    free = intersection(activity.window, schedule.hours)
    for person in activity.who:
        free = intersection(free, schedule.people[person].available)
    if latest_end is not None:
        free = intersection(free, ((schedule.days.spans[0][0], latest_end),))
    return free


def _there(schedule: Schedule, activity: Activity, room: str | None, alone: Spans) -> Spans:
    """Possible starts in a room, in minutes."""
    free = alone if room is None else intersection(alone, schedule.rooms[room].available)
    found = activity.starts(free)
    if activity.at is not None:
        found = intersection(found, ((activity.at, activity.at + 1),))
    for rule in schedule.rules:
        if activity.name in rule.activities:
            found = intersection(found, allowed(schedule, rule, activity, room, found))
    place = schedule.place(activity, room)
    for person in activity.who:
        if (home := schedule.people[person].home) is not None and (way := schedule.way(home, place)):
            found = difference(found, on_the_way(schedule, person, way))
    return found


def allowed(schedule: Schedule, rule: Preference, activity: Activity, room: str | None, among: Spans) -> Spans:
    """Starts, among some, that a rule permits for an activity; all minutes if the rule is about pairs."""
    duration = activity.duration
    if activity.pauses and rule.kind in ("within", "avoid"):
        minutes = (minute for start, end in among for minute in range(start, end))
        kept = (m for m in minutes if not rule.share(activity, Placement(m, activity.end(m))))
        return union((minute, minute + 1) for minute in kept)
    match rule.kind:
        case "within":
            return starts(rule.window, duration)
        case "avoid":
            return difference(schedule.days.spans, tuple((start - duration + 1, end) for start, end in rule.window))
        case "room" if room not in rule.rooms:
            return ()
    return schedule.days.spans


def on_the_way(schedule: Schedule, person: str, way: int) -> Spans:
    """Minutes before a person from home can arrive, given the travel time."""
    begun = ((schedule.days.whole(day)[0], schedule.begins(person, day)) for day in schedule.days.numbers)
    return union((midnight, begins + way) for midnight, begins in begun if begins is not None)


def first(starts_by_room: Mapping[str | None, Spans]) -> int:
    """The earliest start."""
    return min(spans[0][0] for spans in starts_by_room.values())


def last(starts_by_room: Mapping[str | None, Spans]) -> int:
    """The latest start."""
    return max(spans[-1][1] for spans in starts_by_room.values()) - 1


def _propagate(schedule: Schedule, found: Modes) -> None:
    """Remove starts that are too early after their predecessors, or too late for their successors."""
    for _ in schedule.activities:
        changed = False
        for activity in schedule.activities.values():
            for before in activity.after:
                changed |= _order(found, schedule.activities[before], activity)
        if not changed:
            return


def _order(found: Modes, before: Activity, activity: Activity) -> bool:
    """The order only applies if both take place: an optional activity excludes no starts of the other."""
    ahead, mine = found[before.name], found[activity.name]
    if not mine or not ahead:
        return False
    lag = before.duration + activity.gap
    changed = not before.optional and _keep(mine, first(ahead) + lag, last(mine))
    if mine and not activity.optional:
        changed |= _keep(ahead, first(ahead), last(mine) - lag)
    return changed


def _keep(starts_by_room: dict[str | None, Spans], low: int, high: int) -> bool:
    """Remove starts before ``low`` and after ``high``."""
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
    """Minutes of some spans where the clock time is a multiple of a slot after midnight, in order."""
    for start, end in schedule.days.pieces(spans):
        yield from range(start + -schedule.days.clock(start) % slot, end, slot)
