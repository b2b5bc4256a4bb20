"""The reasons behind an activity's possible starts: one set of minutes for each part of the request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import reduce

from groundstate_models.scheduling.modes import allowed, fits, multiples, on_the_way
from groundstate_models.scheduling.preferences import spans_text
from groundstate_models.scheduling.schedule import Activity, Person, Resource, Schedule
from groundstate_models.scheduling.spans import Spans, difference, intersection, union


@dataclass(frozen=True)
class Reason:
    """A restriction of an activity's starts.

    Attributes:
        rule: Its rule in `check.RULES`.
        words: The restriction, as a clause.
        place: Its place in the request.
        starts: The remaining starts, in minutes.
        busy: The minutes that it excludes, if it is a busy time.
    """

    rule: str
    words: str
    place: str
    starts: Spans
    busy: Spans = ()


MOST_SPANS = 40
"""Spans of a reason that a message has; a text for every day of a long time has more."""


def together(schedule: Schedule, reasons: Iterable[Reason]) -> Spans:
    """The starts that all given reasons permit."""
    return reduce(intersection, (reason.starts for reason in reasons), schedule.days.spans)


def fewest(schedule: Schedule, reasons: list[Reason]) -> list[Reason]:
    """A minimal set of reasons that leave no start."""
    for reason in list(reasons):
        fewer = [other for other in reasons if other is not reason]
        if not together(schedule, fewer):
            reasons = fewer
    return reasons


def clauses(reasons: Iterable[Reason]) -> str:
    """The reasons as one text; the busy times of one person together."""
    found: dict[str, list[str]] = {}
    for reason in reasons:
        owner, at, times = reason.words.partition(" is busy at ")
        found.setdefault(f"{owner}{at}" if reason.busy else reason.words, []).append(times)
    return "; ".join(
        f"{owner}{', '.join(times)}" if owner.endswith(" at ") else owner for owner, times in found.items()
    )


def reasons(schedule: Schedule, activity: Activity, latest_end: int | None = None) -> list[Reason]:
    """All restrictions of an activity's starts, except other activities."""
    days, lasts, where = schedule.days, activity.duration, activity.where
    its = "its window is" if activity.windowed else "the hours are"
    window = f"{its} {spans_text(activity.window, days, MOST_SPANS)}"
    found = [Reason("windows", window, activity.says_when, activity.starts(activity.window))]
    if activity.at is not None:
        fixed = ((activity.at, activity.at + 1),)
        found.append(Reason("windows", f"it is fixed at {days.moment_text(activity.at)}", f"{where}.at", fixed))
    elif schedule.slot is not None:
        marks = [(minute, minute + 1) for minute in multiples(schedule, days.spans, schedule.slot)]
        words = f"starts are multiples of {schedule.slot} minutes"
        found.append(Reason("windows", words, "slot", tuple(marks) if schedule.slot > 1 else days.spans))
    if latest_end is not None:
        until = (
            (days.spans[0][0], max(days.spans[0][0], latest_end) + 1 - lasts),
        )  # at the latest: pauses take longer
        found.append(
            Reason("windows", f"all is to be over at {days.moment_text(latest_end)}", "objective", union(until))
        )
    for name in activity.who:
        found += _available(schedule, activity, schedule.people[name])
    found += _home(schedule, activity)
    if activity.rooms:
        found.append(_rooms(schedule, activity))
    for rule in schedule.rules:
        if activity.name in rule.activities and rule.kind in ("within", "avoid"):
            words = (
                f"{rule.where} keeps it {'in' if rule.kind == 'within' else 'out of'} {spans_text(rule.window, days)}"
            )
            found.append(
                Reason("rules", words, rule.where, allowed(schedule, rule, activity, None, together(schedule, found)))
            )
    return found


def _available(schedule: Schedule, activity: Activity, one: Resource) -> Iterator[Reason]:
    kind = "people" if isinstance(one, Person) else "rooms"
    days, place = schedule.days, f"{kind}.{one.name}"
    if one.open != days.spans:
        free = f"is free only at {spans_text(one.open, days, MOST_SPANS)}" if one.open else "is never free"
        yield Reason(kind, f"{one.name} {free}", f"{place}.free", activity.starts(one.open))
    for where, spans in one.blocks:
        if busy := intersection(spans, activity.window):
            left = activity.starts(difference(union((*days.spans, *one.open)), spans))
            yield Reason(kind, f"{one.name} is busy at {spans_text(busy, days, MOST_SPANS)}", where, left, spans)


def _home(schedule: Schedule, activity: Activity) -> Iterator[Reason]:
    """Restrictions by travel from home, if the place does not depend on the room."""
    rooms: tuple[str | None, ...] = activity.rooms or (None,)
    places = {schedule.place(activity, room) for room in rooms}
    for name in activity.who if len(places) == 1 else ():
        (place,) = places
        if (home := schedule.people[name].home) is not None and (way := schedule.way(home, place)):
            words = f"{name} comes from {home}, which is {way} minutes from {place}"
            left = difference(schedule.days.spans, on_the_way(schedule, name, way))
            yield Reason("travel", words, f"people.{name}.home", left)


def _rooms(schedule: Schedule, activity: Activity) -> Reason:
    """Restriction by the rooms that are large enough."""
    days = schedule.days
    large = [schedule.rooms[room] for room in activity.rooms if fits(schedule, activity, room)]
    for rule in schedule.rules:
        if rule.kind == "room" and activity.name in rule.activities:
            large = [room for room in large if room.name in rule.rooms]
    limits = [
        f"{room.name} is {'free only' if taken == room.open else 'busy'} at {spans_text(taken, days)}"
        for room in large
        if (taken := intersection(room.busy, activity.window) or (room.open if room.open != days.spans else ()))
    ]
    some = union(span for room in large for span in activity.starts(room.available))
    return Reason(
        "rooms",
        ", ".join(limits) or f"it needs {' or '.join(room.name for room in large)}",
        f"{activity.where}.room",
        some,
    )
