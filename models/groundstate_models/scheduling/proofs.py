"""Proofs that a request has no schedule. Every proof names the contradictory parts of the request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

from groundstate import Violation
from groundstate_models.scheduling.durations import printed_duration
from groundstate_models.scheduling.modes import Modes, first, fits, last, modes
from groundstate_models.scheduling.preferences import spans_text
from groundstate_models.scheduling.reasons import clauses, fewest, reasons, together
from groundstate_models.scheduling.schedule import Activity, Schedule
from groundstate_models.scheduling.spans import Spans, intersection, total

Starts = dict[str, Spans]


def contradictions(schedule: Schedule, latest_end: int | None = None) -> list[Violation]:
    """Proofs that there is no schedule; empty if one may exist.

    Args:
        schedule: The schedule to solve.
        latest_end: Latest end of all activities, as for `compile.compile`.
    """
    if (circle := _circle(schedule)) is not None:
        return [circle]
    alone: Starts = {}
    found: list[Violation] = []
    for activity in _needed(schedule):
        why = reasons(schedule, activity, latest_end)
        alone[activity.name] = together(schedule, why)
        if not alone[activity.name]:
            found.append(_nowhere(schedule, activity, latest_end))
    # What else contradicts itself without these activities is a contradiction of its own.
    schedule = schedule.without([name for name, starts in alone.items() if not starts])
    if (late := _too_late(schedule, alone)) is not None:
        return [*found, late]
    possible = modes(schedule, latest_end)
    clashes = [*_clashes(schedule, possible)]
    rest = schedule.without([one.name for one in _needed(schedule) for clash in clashes if one.where in clash.places])
    return [*found, *clashes, *_too_much(rest, modes(rest, latest_end) if clashes else possible)]


def _needed(schedule: Schedule) -> list[Activity]:
    """Required activities, in the order of the request."""
    return [activity for activity in schedule.activities.values() if not activity.optional]


def _sorted(schedule: Schedule) -> tuple[list[Activity], list[Activity]]:
    """The required activities in topological order, and the rest if there is no such order."""
    left = {activity.name: activity for activity in _needed(schedule)}
    done: list[Activity] = []
    while ready := [activity for activity in left.values() if not any(name in left for name in activity.after)]:
        done += ready
        for activity in ready:
            del left[activity.name]
    return done, list(left.values())


def _circle(schedule: Schedule) -> Violation | None:
    """A cycle of activities, each after the one before."""
    _, left = _sorted(schedule)
    if not left:
        return None
    waiting = {activity.name for activity in left}
    path = [left[0].name]
    while path.count(path[-1]) == 1:
        path.append(next(name for name in schedule.activities[path[-1]].after if name in waiting))
    ring = path[path.index(path[-1]) :]
    links = ", ".join(f"{one} comes after {other}" for one, other in pairwise(ring))
    places = tuple(f"{schedule.activities[name].where}.after" for name in ring[:-1])
    return Violation("order", f"The order goes round in a circle: {links}.", places=places)


def _nowhere(schedule: Schedule, activity: Activity, latest_end: int | None) -> Violation:
    """A minimal set of reasons why an activity alone is impossible."""
    lasts = f"{activity.name} lasts {printed_duration(activity.duration)}"
    if activity.rooms and not any(fits(schedule, activity, room) for room in activity.rooms):
        holds = ", ".join(f"{room} holds {schedule.rooms[room].capacity}" for room in activity.rooms)
        where = (f"{activity.where}.room", *(f"rooms.{room}.capacity" for room in activity.rooms))
        return Violation(
            "rooms", f"{activity.name} has {activity.size} people, and no room is large enough: {holds}.", places=where
        )
    if not activity.window:
        hours = spans_text(schedule.hours, schedule.days)
        outside = f"{activity.name} has no time at all: its window is outside the hours, {hours}."
        return Violation("windows", outside, places=(activity.says_when, "hours"))
    why = fewest(schedule, reasons(schedule, activity, latest_end))
    rule = next((reason.rule for reason in reversed(why) if reason.rule != "windows"), "windows")
    return Violation(
        rule, f"{lasts}, and nothing is left for it: {clauses(why)}.", places=tuple(reason.place for reason in why)
    )


def _too_late(schedule: Schedule, alone: Starts) -> Violation | None:
    """A chain of consecutive activities that begins too late for its last one."""
    earliest: dict[str, int] = {}
    behind: dict[str, str] = {}
    for activity in _sorted(schedule)[0]:
        begin = 0
        for name in (name for name in activity.after if name in earliest):
            over = earliest[name] + schedule.activities[name].duration + activity.gap
            if over > begin:
                begin, behind[activity.name] = over, name
        open_from = [max(start, begin) for start, end in alone[activity.name] if end > begin]
        if not open_from:
            return _chain_said(schedule, alone, activity, begin, behind)
        earliest[activity.name] = open_from[0]
    return None


def _chain_said(schedule: Schedule, alone: Starts, activity: Activity, begin: int, behind: dict[str, str]) -> Violation:
    chain = [activity.name]
    while chain[-1] in behind:
        chain.append(behind[chain[-1]])
    days, latest = schedule.days, alone[activity.name][-1][1] - 1
    message = (
        f"{' and then '.join(reversed(chain))} cannot follow one another: {activity.name} could start at "
        f"{days.moment_text(begin)} at the earliest, and has to start at {days.moment_text(latest)} at the latest."
    )
    return Violation("order", message, places=tuple(f"{schedule.activities[name].where}.after" for name in chain[:-1]))


def _clashes(schedule: Schedule, possible: Modes) -> Iterator[Violation]:
    """Pairs of activities that cannot follow one another for one person, or in the only room."""
    for one, other in combinations(_needed(schedule), 2):
        shared = [name for name in one.who if name in other.who]
        room = one.rooms[0] if one.rooms == other.rooms and len(one.rooms) == 1 else None
        if not shared and room is None:
            continue
        forth, back = (_least_lag(schedule, pair, possible, bool(shared)) for pair in ((one, other), (other, one)))
        a, b = possible[one.name], possible[other.name]
        if first(a) + one.duration + forth > last(b) and first(b) + other.duration + back > last(a):
            who = shared[0] if shared else str(room)
            where = (*(one.where for one in (one, other)), *([f"people.{who}"] if shared else [f"rooms.{who}"]))
            yield Violation(
                "people" if shared else "rooms", _clash_said(schedule, possible, who, one, other), places=where
            )


def _least_lag(schedule: Schedule, pair: tuple[Activity, Activity], possible: Modes, shared: bool) -> int:
    """Least minutes between the end of one and the start of the other, over all places."""
    if not shared:
        return 0
    here, there = ({schedule.place(one, room) for room in possible[one.name]} for one in pair)
    return max(schedule.gap, min(schedule.way(one, other) for one in here for other in there))


def _clash_said(schedule: Schedule, possible: Modes, who: str, one: Activity, other: Activity) -> str:
    def when(activity: Activity) -> str:
        days, low, high = schedule.days, first(possible[activity.name]), last(possible[activity.name])
        if low == high:
            return f"{activity.name} is at {days.span_text((low, low + activity.duration))}"
        return f"{activity.name} starts between {days.moment_text(low)} and {days.moment_text(high)}"

    starts = [first(possible[a.name]) for a in (one, other)]
    fixed = all(first(possible[a.name]) == last(possible[a.name]) for a in (one, other))
    meeting = starts[0] < starts[1] + other.duration and starts[1] < starts[0] + one.duration
    if fixed and meeting:
        has, at = "is in" if who in one.who else "holds", schedule.days.moment_text(max(starts))
        return f"{who} {has} two activities at {at}: {when(one)}, and {when(other)}."
    return f"{who} has too little time for both {one.name} and {other.name}: {when(one)}, and {when(other)}."


def _too_much(schedule: Schedule, possible: Modes) -> Iterator[Violation]:
    """More activities between two moments than a person, or the possible rooms, have time for."""
    needed = _needed(schedule)
    for name, person in schedule.people.items():
        mine = [activity for activity in needed if name in activity.who]
        free = intersection(person.available, schedule.hours)
        if (found := _overload(possible, mine, [free])) is not None:
            yield _overload_said(schedule, *found, name, "people", (f"people.{name}",))
    for rooms in {activity.rooms for activity in needed if activity.rooms}:
        mine = [activity for activity in needed if activity.rooms and set(activity.rooms) <= set(rooms)]
        free_rooms = [intersection(schedule.rooms[room].available, schedule.hours) for room in rooms]
        if (found := _overload(possible, mine, free_rooms)) is not None:
            where = tuple(f"rooms.{room}" for room in rooms)
            yield _overload_said(schedule, *found, " and ".join(rooms), "rooms", where)


_Overload = tuple[list[Activity], tuple[int, int], int]


def _overload(possible: Modes, mine: Sequence[Activity], free: Sequence[Spans]) -> _Overload | None:
    """Required activities between two moments that exceed the free time, for the shortest such interval."""
    begins = sorted({first(possible[activity.name]) for activity in mine})
    ends = sorted({activity.end(last(possible[activity.name])) for activity in mine})
    by_name = {activity.name: activity for activity in mine}
    found: _Overload | None = None
    for begin in begins:
        inside = sorted(
            (activity.end(last(possible[activity.name])), activity.index, activity.name)
            for activity in mine
            if first(possible[activity.name]) >= begin
        )
        for end in ends:
            within = [by_name[name] for until, _, name in inside if until <= end]
            if sum(activity.duration for activity in within) <= 0 or end <= begin:
                continue
            left = sum(total(intersection(spans, ((begin, end),))) for spans in free)
            if sum(activity.duration for activity in within) > left and (
                found is None or end - begin < found[1][1] - found[1][0]
            ):
                found = within, (begin, end), left
    return found


def _overload_said(
    schedule: Schedule,
    within: list[Activity],
    span: tuple[int, int],
    left: int,
    who: str,
    rule: str,
    where: tuple[str, ...],
) -> Violation:
    names = ", ".join(activity.name for activity in within)
    lasting = sum(activity.duration for activity in within)
    message = (
        f"{who} would need {printed_duration(lasting)} at {schedule.days.span_text(span)} for {names}, "
        f"and only {printed_duration(left)} {'is' if left == 1 else 'are'} free."
    )
    return Violation(rule, message, places=(*(activity.where for activity in within), *where))
