"""The smallest changes that give an activity a start: a shorter busy time, or a longer window."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from groundstate import Change, pointer
from groundstate_models.scheduling.durations import printed_duration
from groundstate_models.scheduling.frame import listed
from groundstate_models.scheduling.places import at, steps
from groundstate_models.scheduling.reasons import Reason, fewest, reasons, together
from groundstate_models.scheduling.schedule import Activity, Schedule
from groundstate_models.scheduling.spans import Span

Sized = tuple[int, Change]
"""Minutes that a change gives or takes, and the change."""


def nearest(request: Mapping[str, Any], schedule: Schedule) -> Iterator[Sized]:
    """Changes that give a start to an activity that has none, as far as its own reasons go."""
    for activity in schedule.activities.values():
        if activity.optional or activity.pauses:
            continue
        why = reasons(schedule, activity)
        if together(schedule, why):
            continue
        for reason in fewest(schedule, why):
            others = together(schedule, [other for other in why if other is not reason])
            if not others:
                continue
            if reason.busy:
                yield from _shorter(request, schedule, activity, reason, others)
            elif reason.place in ("hours", f"{activity.where}.window"):
                yield from _longer(request, schedule, activity, reason, others)


def _shorter(
    request: Mapping[str, Any], schedule: Schedule, activity: Activity, reason: Reason, others: tuple[Span, ...]
) -> Iterator[Sized]:
    """The busy time begins later or ends earlier, so that the activity fits before or after the rest of it."""
    path = steps(reason.place)
    owner = at(request, path[:2])
    if len(reason.busy) > 1 or "zone" in owner:
        return
    ((begin, end),) = reason.busy
    found: list[tuple[int, Span]] = []
    late = [max(first, begin - activity.duration + 1) for first, last in others if last > begin - activity.duration + 1]
    if late and min(late) + activity.duration < end:
        over = min(late) + activity.duration
        found.append((over - begin, (over, end)))
    soon = [min(last, end) - 1 for first, last in others if first < end]
    if soon and max(soon) > begin:
        start = max(soon)
        start -= (start - begin) % 5 if start + 1 == end else 0
        found.append((end - start, (begin, start)))
    if not found:
        return
    minutes, left = min(found)
    was, now = at(request, path), schedule.days.span_text(left)
    label = f"{path[1]} is busy at {now} instead of {was} ({printed_duration(minutes)} less)."
    patch = (
        {"op": "test", "path": pointer(*path), "value": was},
        {"op": "replace", "path": pointer(*path), "value": now},
    )
    yield minutes, Change(f"shorten {reason.place}", label, patch)


def _longer(
    request: Mapping[str, Any], schedule: Schedule, activity: Activity, reason: Reason, others: tuple[Span, ...]
) -> Iterator[Sized]:
    """The window begins earlier or ends later."""
    path = steps(reason.place)
    was = at(request, path)
    if was is None:
        return
    found: list[tuple[int, Span]] = []
    for begin, end in activity.window:
        later = [max(first, begin) for first, last in others if last > begin]
        if later and (over := min(later) + activity.duration) > end:
            found.append((over - end, (end, over)))
        sooner = [min(last - 1, begin) for first, last in others if first <= begin]
        if sooner and max(sooner) < begin and max(sooner) + activity.duration <= end:
            found.append((begin - max(sooner), (max(sooner), begin)))
    if not found:
        return
    minutes, more = min(found)
    text = schedule.days.span_text(more)
    what = "The hours include" if reason.place == "hours" else f"The window of {activity.name} includes"
    patch = (
        {"op": "test", "path": pointer(*path), "value": was},
        {"op": "replace", "path": pointer(*path), "value": [*listed(was), text]},
    )
    yield minutes, Change(f"extend {reason.place}", f"{what} {text} too ({printed_duration(minutes)} more).", patch)
