"""What was understood of a request, in plain words and units, so that a slip shows; and how good its answer is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from groundstate_models.scheduling.check import cost
from groundstate_models.scheduling.durations import DAY, printed_duration
from groundstate_models.scheduling.schedule import Activity, Schedule
from groundstate_models.scheduling.spans import intersection
from groundstate_models.scheduling.times import printed_clock

MOST = 8
"""Most clauses of an echo."""

MOST_HOURS = 3
"""Different hours of a person that an echo has."""

_MOST_NAMES = 4


def understood(schedule: Schedule) -> str:
    """Clauses about relative days, hours, durations, people to choose, recurrence and limits; empty if there are none."""
    clauses = list(
        dict.fromkeys([*([schedule.days.understood] if schedule.days.understood else []), *_clauses(schedule)])
    )
    more = [f"and {len(clauses) - MOST} more"] if len(clauses) > MOST else []
    return "; ".join([*clauses[:MOST], *more])


def gap(schedule: Schedule, answer: Mapping[str, Any], bound: float | None, optimal: bool) -> str:
    """How far an answer may be from the best one, as a sentence.

    Args:
        bound: A proven lower bound on the cost of every answer; None if there is none.
        optimal: Whether it is proven that no answer is better.
    """
    price = cost(schedule, answer)
    if schedule.objective == "earliest_end":
        found = f"The end of all is {schedule.days.end_text(price.end)}"
        return (
            f"{found}, and nothing better is possible, which is proven."
            if optimal
            else (f"{found}; it is not proven that an earlier end is impossible.")
        )
    found = f"The schedule costs {price.total:.6g}"
    if optimal or price.total <= 0:
        return f"{found}, and no schedule is better, which is proven."
    least = 0.0 if bound is None else max(0.0, bound)
    return f"{found}; no schedule costs less than {least:.6g}, which is proven (gap {price.total - least:.6g})."


def _hours(schedule: Schedule) -> Iterator[str]:
    """The hours of the first day, for activities without a window."""
    days = schedule.days
    for activity in schedule.activities.values():
        if not activity.windowed and activity.at is None:
            whole = days.whole(days.numbers[0])
            today = intersection(activity.window, (whole,))
            if today and today != (whole,):
                spans = (f"{printed_clock(days.clock(a))}-{printed_clock(days.clock(b) or DAY)}" for a, b in today)
                yield f"hours {', '.join(spans)}"
            return


def _zones(schedule: Schedule) -> Iterator[str]:
    """The hours of people with a zone of their own, in the zone of the request, where they differ from day to day too."""
    days = schedule.days
    for person in schedule.people.values():
        if person.zone is None:
            continue
        seen: dict[str, int] = {}
        for day in days.numbers:
            today = intersection(person.open, (days.whole(day),))
            hours = ", ".join(f"{printed_clock(days.clock(a))}-{printed_clock(days.clock(b) or DAY)}" for a, b in today)
            if hours:
                seen.setdefault(hours, day)
        if not seen:
            yield f"{person.name}: {person.zone}, never free"
            continue
        parts = [f"{hours} from {days.day_text(day)}" for hours, day in seen.items()]
        more = ["…"] if len(parts) > MOST_HOURS else []
        told = ", then ".join([*parts[:MOST_HOURS], *more]) if len(parts) > 1 else next(iter(seen))
        yield f"{person.name}: {person.zone}, free {told} here"


def _clauses(schedule: Schedule) -> Iterator[str]:
    yield from _hours(schedule)
    yield from _zones(schedule)
    if schedule.gap:
        yield f"{printed_duration(schedule.gap)} between activities of a person"
    series: dict[str, list[Activity]] = {}
    for activity in schedule.activities.values():
        series.setdefault(activity.series or activity.name, []).append(activity)
    for title, some in series.items():
        first = some[0]
        parts = ["once" if len(some) == 1 else f"{len(some)} times"] if first.series is not None else []
        if first.at is None:
            parts.append(f"{printed_duration(first.duration)}{' of work, with pauses' if first.pauses else ''}")
        for choice in first.choices:
            if len(choice.among) > _MOST_NAMES:
                many = str(choice.least) if choice.least == choice.most else f"{choice.least} to {choice.most}"
                parts.append(f"{many} of {len(choice.among)} people")
            else:
                parts.append(choice.in_words())
        if parts:
            yield f"{title}: {', '.join(parts)}"
    for limit in schedule.limits:
        yield limit.in_words().removesuffix(" for each person")
