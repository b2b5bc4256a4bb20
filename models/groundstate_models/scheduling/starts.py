"""The starts of a compiled problem: few, but sufficient.

If all times are multiples of one *slot*, starts on that grid suffice: moving the activities of a schedule as early as possible,
in order, stays on the grid. If travel takes other times, a grid would lose tight schedules, and one start per minute would be too
many.
Then the starts are those of *left-shifted* schedules, moved as early as possible (K. R. Baker, 1974): the starts of free time,
and every end of another activity plus the travel from there. Two such starts are merged unless some later activity could be late
for one and not for the other.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from groundstate import Fault, RequestError
from groundstate_models.constraints.schema import MOST_VALUES
from groundstate_models.scheduling.durations import DAY
from groundstate_models.scheduling.modes import Modes, multiples
from groundstate_models.scheduling.schedule import Resource, Schedule
from groundstate_models.scheduling.spans import Spans

LEAST_SLOT = 5
"""The finest grid in minutes, unless the request has a slot."""

COARSE_SLOT = 15
"""The coarsest grid if travel times fit no grid."""

MEMORY = 3
"""Activities that a left-shifted chain remembers, to avoid a return to them."""

MOST_CHAINS = 20_000
"""With more chains, only the grid is used, and a tight schedule may be lost."""

Mode = tuple[str, str | None]
"""An activity and a kind of room."""


@dataclass(frozen=True)
class Starts:
    """The possible starts.

    Attributes:
        by_mode: Sorted starts for each activity and kind of room.
        loose: Whether each start represents all times since the previous one, so that schedules must be left-shifted.
        complete: Whether the starts suffice: if no schedule with these starts is good enough, no schedule is.
    """

    by_mode: Mapping[Mode, tuple[int, ...]]
    loose: bool
    complete: bool


def offered(schedule: Schedule, modes: Modes) -> Starts:
    """The starts of a schedule.

    Raises:
        RequestError: If an activity has more starts than a variable may have values.
    """
    if schedule.slot is not None:
        found = _on_grid(schedule, modes, schedule.slot)
        if (most := _largest(found)) >= MOST_VALUES:
            message = f"With a slot of {schedule.slot} minutes an activity has {most} possible starts"
            advice = f"there may be {MOST_VALUES - 1}. Make the slot longer, or windows shorter."
            raise RequestError([Fault("slot", f"{message}; {advice}")])
        return Starts(found, loose=False, complete=True)
    slot, chained = grid(schedule), None
    if _finest(schedule) % slot:
        chained = _left_shifted(schedule, modes)
        plain = not schedule.preferences and not schedule.staffed and not _held(schedule)
        if chained is not None and plain and not any(rule.pairs for rule in schedule.rules):
            return Starts(chained, loose=True, complete=True)
    found = _on_grid(schedule, modes, slot)
    complete = _finest(schedule) % slot == 0
    while _largest(found) >= MOST_VALUES and slot < DAY:
        slot, complete = 2 * slot, False
        found = _on_grid(schedule, modes, slot)
    if chained is not None:
        both = {mode: tuple(sorted({*found.get(mode, ()), *some})) for mode, some in chained.items()}
        found = both if _largest(both) < MOST_VALUES else found
    return Starts(found, loose=False, complete=complete)


def grid(schedule: Schedule) -> int:
    """The slot in minutes: from the request, or a common divisor of its times; see `LEAST_SLOT`.

    If travel times would make it finer, they are ignored, and the slot is at most `COARSE_SLOT`.
    """
    if schedule.slot is not None:
        return schedule.slot
    finest = _finest(schedule)
    if finest >= LEAST_SLOT:
        return finest
    return max(LEAST_SLOT, min(COARSE_SLOT, _finest(schedule, ways=False)))


def _largest(found: Mapping[Mode, tuple[int, ...]]) -> int:
    """The largest number of values of an activity."""
    values: dict[str, int] = {}
    for (name, _), some in found.items():
        values[name] = values.get(name, 0) + len(some)
    return max(values.values(), default=0)


def _finest(schedule: Schedule, *, ways: bool = True) -> int:
    """The common divisor of a schedule's minutes."""
    minutes = {
        schedule.gap,
        *(shift for _, shift in schedule.days.clocks.pieces),
        *(schedule.travel.values() if ways else ()),
        *_edges(schedule.hours),
    }
    for activity in schedule.activities.values():
        minutes |= {activity.duration, activity.gap, activity.within or 0, activity.at or 0, *_edges(activity.window)}
    minutes |= {limit.time for limit in schedule.limits}
    resources: list[Resource] = [*schedule.people.values(), *schedule.rooms.values()]
    for one in resources:
        minutes |= {*_edges(one.open), *_edges(one.busy)}
    return math.gcd(*minutes)


def _held(schedule: Schedule) -> bool:
    """Whether moving an activity earlier changes more than its start: it has pauses, or may not be too long after another."""
    return any(activity.within is not None or activity.pauses for activity in schedule.activities.values())


def _edges(spans: Spans) -> Iterator[int]:
    return (edge for span in spans for edge in span)


def _on_grid(schedule: Schedule, modes: Modes, slot: int) -> dict[Mode, tuple[int, ...]]:
    """Multiples of the slot on each day, and fixed times; without a slot in the request, also the starts of free time."""
    found: dict[Mode, tuple[int, ...]] = {}
    for name, rooms in modes.items():
        for room, spans in rooms.items():
            values: set[int] = set()
            values.update(multiples(schedule, spans, slot))
            if schedule.slot is None or schedule.activities[name].at is not None:
                values.update(start for start, _ in schedule.days.pieces(spans))
            if values:
                found[name, room] = tuple(sorted(values))
    return found


class _Chains:
    """The lags from one activity's start to the next one's, for pairs that must not overlap."""

    def __init__(self, schedule: Schedule, modes: Modes) -> None:
        self.spans = {
            (name, room): tuple(schedule.days.pieces(spans))
            for name, rooms in modes.items()
            for room, spans in rooms.items()
        }
        self.lags: dict[Mode, list[tuple[Mode, int]]] = {mode: [] for mode in self.spans}
        for one in self.spans:
            for other in self.spans:
                if one[0] != other[0]:
                    self.lags[one] += [(other, lag) for lag in lags(schedule, one, other)]

    def forward(self, memory: int) -> dict[Mode, set[int]] | None:
        """A superset of the starts of left-shifted schedules; None if there are too many chains."""
        begun = [(mode, start, ()) for mode, spans in self.spans.items() for start, _ in spans]
        seen: set[tuple[Mode, int, tuple[str, ...]]] = set(begun)
        todo = list(seen)
        while todo:
            mode, start, before = todo.pop()
            for then, lag in self.lags[mode]:
                if then[0] not in before and _inside(self.spans[then], start + lag):
                    chain = (then, start + lag, (*before, mode[0])[-memory:])
                    if chain not in seen:
                        seen.add(chain)
                        todo.append(chain)
            if len(seen) > MOST_CHAINS:
                return None
        found: dict[Mode, set[int]] = {mode: set() for mode in self.spans}
        for mode, start, _ in seen:
            found[mode].add(start)
        return found

    def backward(self) -> dict[Mode, list[int]]:
        """Latest starts: the ends of free time, and the latest starts implied by later activities."""
        earlier: dict[Mode, list[tuple[Mode, int]]] = {mode: [] for mode in self.spans}
        for mode, lags in self.lags.items():
            for then, lag in lags:
                earlier[then].append((mode, lag))
        found = {mode: {end - 1 for _, end in spans} for mode, spans in self.spans.items()}
        todo = [(mode, start) for mode, some in found.items() for start in some]
        while todo:
            mode, start = todo.pop()
            for before, lag in earlier[mode]:
                latest = start - lag
                if _inside(self.spans[before], latest) and latest not in found[before]:
                    found[before].add(latest)
                    todo.append((before, latest))
        return {mode: sorted(some) for mode, some in found.items()}


def lags(schedule: Schedule, one: Mode, other: Mode) -> set[int]:
    """Minutes from the start of one activity to that of a later one, for each reason."""
    first, then = schedule.activities[one[0]], schedule.activities[other[0]]
    found: set[int] = set()
    if set(first.who) & set(then.who):
        way = schedule.way(schedule.place(first, one[1]), schedule.place(then, other[1]))
        found.add(first.duration + max(schedule.gap, way))
    if one[1] is not None and one[1] == other[1]:
        found.add(first.duration)
    if first.name in then.after:
        found.add(first.duration + then.gap)
    return found


def _inside(spans: Spans, minute: int) -> bool:
    return any(start <= minute < end for start, end in spans)


def _left_shifted(schedule: Schedule, modes: Modes) -> dict[Mode, tuple[int, ...]] | None:
    """One start, the latest, for all left-shifted starts that no later activity distinguishes.

    Where a schedule exists, one with these starts does. Take it left-shifted, and let every activity start at its next latest
    start. If g follows f, the latest start of g less the lag is a latest start of f, or in between what f may have; so f starts
    no later, and g follows it still.
    """
    chains = _Chains(schedule, modes)
    forward = chains.forward(MEMORY)
    if forward is None:
        return None
    backward = chains.backward()
    return {
        mode: tuple(sorted({latest[bisect_left(latest, start)] for start in found}))
        for mode, found in forward.items()
        if (latest := backward[mode])
    }
