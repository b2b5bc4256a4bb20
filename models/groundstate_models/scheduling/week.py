"""The activities of each day, for drawings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from groundstate_models.scheduling.check import Placed, placements
from groundstate_models.scheduling.durations import DAY
from groundstate_models.scheduling.preferences import Placement
from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.times import printed_clock

MOST_DAYS = 7


@dataclass(frozen=True)
class Block:
    """An activity on one day.

    Attributes:
        index: The activity's number in the request.
        name: Its name.
        where: Its room or place, or an empty text.
        who: The people in it.
        start, end: In minutes of the day; an activity across midnight is one block per day.
    """

    index: int
    name: str
    where: str
    start: int
    end: int
    who: tuple[str, ...] = ()

    @property
    def label(self) -> list[str]:
        """Lines of the label: name, time, place, people."""
        times = f"{printed_clock(self.start)}-{printed_clock(self.end)}"
        return [self.name, times, *([self.where] if self.where else []), *([", ".join(self.who)] if self.who else [])]

    def lines(self, most: int) -> list[str]:
        """The label in a limited number of lines; the last line has the rest. One line only has the name."""
        label = self.label
        return label[:most] if len(label) <= most or most < 2 else [*label[: most - 1], " · ".join(label[most - 1 :])]


@dataclass(frozen=True)
class Column:
    """A day with its title, and its blocks in order of time."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Week:
    """Days side by side, from one full hour to another, in minutes of the day."""

    columns: tuple[Column, ...]
    begin: int
    end: int


def week(schedule: Schedule, answer: Mapping[str, Any] | None) -> Week:
    """The days of a schedule; of many days, only those with activities. Without an answer, the fixed activities count."""
    placed = placements(schedule, answer)[0] if answer is not None else _fixed(schedule)
    days = schedule.days.numbers
    if len(days) > MOST_DAYS:
        days = tuple(sorted({schedule.days.day(one.start) for one in placed.values()})) or days[:1]
    columns = tuple(_column(schedule, day, placed) for day in days)
    blocks = [block for column in columns for block in column.blocks]
    begin, end = min((b.start for b in blocks), default=9 * 60), max((b.end for b in blocks), default=17 * 60)
    return Week(columns, begin // 60 * 60, -(-end // 60) * 60)


def lanes(blocks: Sequence[Block], step: int) -> list[int]:
    """Number of simultaneous blocks of each block, with times rounded to steps of some minutes."""
    free_from: list[int] = []
    found: list[int] = []
    for block in blocks:
        start, end = block.start // step, max(-(-block.end // step), block.start // step + 1)
        lane = next((lane for lane, until in enumerate(free_from) if until <= start), len(free_from))
        free_from[lane : lane + 1] = [end]
        found.append(lane)
    return found


def _fixed(schedule: Schedule) -> Placed:
    return {
        name: Placement(activity.at, activity.at + activity.duration)
        for name, activity in schedule.activities.items()
        if activity.at is not None
    }


def _column(schedule: Schedule, day: int, placed: Placed) -> Column:
    begin, end = schedule.days.whole(day)

    def shown(one: Placement) -> tuple[int, int]:
        """The part of a placement on this day; if clocks go back meanwhile, with its real length."""
        first = 0 if one.start <= begin else schedule.days.clock(one.start)
        last = DAY if one.end >= end else schedule.days.clock(one.end)
        return first, last if first < last else min(DAY, first + min(one.end, end) - max(one.start, begin))

    blocks = [
        Block(
            schedule.activities[name].index,
            name,
            one.room or schedule.place(schedule.activities[name], None) or "",
            *shown(one),
            schedule.activities[name].who,
        )
        for name, one in placed.items()
        if one.start < end and one.end > begin
    ]
    text = schedule.days.day_text(day)
    title = f"{date.fromordinal(day):%a} {text}" if schedule.days.dated else text.capitalize()
    return Column(title, tuple(sorted(blocks, key=lambda block: (block.start, -block.end, block.index))))
