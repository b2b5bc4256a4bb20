"""The days of a request, their minutes, and how these are printed.

A minute is a number: ``day · 1440 + minute of the day``, where the day is a weekday's number from Monday (0), or the ordinal of a
date. Requests use one or the other throughout. With clock changes, minutes count elapsed time, see `clocks.Clocks`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from functools import cached_property

from groundstate_models.scheduling.clocks import Clocks
from groundstate_models.scheduling.durations import DAY
from groundstate_models.scheduling.spans import Span, Spans, union
from groundstate_models.scheduling.times import printed_clock
from groundstate_models.scheduling.token import WEEKDAYS


@dataclass(frozen=True)
class DaySet:
    """The days of a schedule.

    Attributes:
        numbers: Day numbers in order.
        dated: Whether they are dates; else they are weekdays.
        zone: The zone of the request's local times; None if not given.
    """

    numbers: tuple[int, ...]
    dated: bool
    zone: tzinfo | None = None

    @cached_property
    def clocks(self) -> Clocks:
        """The clocks of the days.

        Raises:
            ValueError: As for `Clocks.of`.
        """
        return Clocks.of(self.numbers, self.zone) if self.dated else Clocks()

    @cached_property
    def spans(self) -> Spans:
        """All minutes of the days."""
        return union(map(self.whole, self.numbers))

    def whole(self, day: int) -> Span:
        """The minutes of a day; 23 or 25 hours at clock changes."""
        return self.clocks.midnight(day), self.clocks.midnight(day + 1)

    def day(self, minute: int) -> int:
        """The day of a minute."""
        return self.clocks.day(minute)

    def week(self, day: int) -> int:
        """The number of a day's week, from Monday to Sunday."""
        return (day - 1) // 7 if self.dated else day // 7

    def clock(self, minute: int) -> int:
        """The minute of the day on the clock."""
        return self.clocks.clock(minute) % DAY

    def pieces(self, spans: Spans) -> Iterator[Span]:
        """The spans, split at the starts of days and at clock changes."""
        for span in spans:
            yield from self.clocks.whole(*span)

    def daily(self, low: int, high: int, text: str, days: Sequence[int] | None = None) -> Spans:
        """The clock times from ``low`` to ``high`` on some days, or on all days.

        Raises:
            ValueError: If a time does not exist on one of the days, or exists twice.
        """
        edge = self.clocks.edge
        return union(
            (edge(day, low, text), edge(day, high, text, ends=True)) for day in (self.numbers if days is None else days)
        )

    def day_text(self, day: int) -> str:
        return date.fromordinal(day).isoformat() if self.dated else WEEKDAYS[day % 7]

    def moment_text(self, minute: int) -> str:
        """``"mon 10:00"``, or ISO 8601 for dates; `moment` can read it."""
        if not self.dated:
            return f"{self.day_text(minute // DAY)} {printed_clock(minute % DAY)}"
        return self.when(minute).isoformat(timespec="minutes")

    def span_text(self, span: Span) -> str:
        """``"mon 10:00-11:00"``; `window` can read it."""
        day, last = self.day(span[0]), self.day(span[1] - 1)
        (begin, _), (_, over) = self.whole(day), self.whole(last)
        if span != (begin, over) and self._unclear(span):
            return "/".join(map(self.clocks.iso, span))
        start = 0 if span[0] == begin else self.clock(span[0])
        end = DAY if span[1] == over else self.clock(span[1])
        until = printed_clock(end) if day == last else f"{self.day_text(last)} {printed_clock(end)}"
        return f"{self.day_text(day)} {printed_clock(start)}{'-' if day == last else ' - '}{until}"

    def _unclear(self, span: Span) -> bool:
        """Whether a span is ambiguous without offsets: clocks change in it, or its end exists twice."""
        changes = (minute for minute, _ in self.clocks.pieces[1:])
        return any(span[0] < minute < span[1] for minute in changes) or any(
            len(self.clocks.minutes(self.clocks.clock(minute))) > 1 for minute in span
        )

    def end_text(self, minute: int) -> str:
        """As `moment_text`, but the midnight after a weekday is its 24:00."""
        if self.dated or minute % DAY:
            return self.moment_text(minute)
        return f"{self.day_text(minute // DAY - 1)} {printed_clock(DAY)}"

    def when(self, minute: int, week: date | None = None) -> datetime:
        """The date and time of a minute; for weekdays, in the week of a given date."""
        if len(self.clocks.pieces) > 1:
            return self.clocks.when(minute)
        day, rest = divmod(minute, DAY)
        if not self.dated:
            assert week is not None, "weekdays need a week to be dates"
            day += week.toordinal() - week.weekday()
        midnight = datetime.combine(date.fromordinal(day), datetime.min.time(), self.zone)
        return midnight.replace(hour=rest // 60, minute=rest % 60)

    def weekday(self, day: int) -> int:
        """The weekday of a day, from Monday (0)."""
        return (day - 1) % 7 if self.dated else day  # ordinal 1, 1 January of year 1, is a Monday

    @property
    def listed(self) -> str:
        """The days as words, abbreviated in the middle."""
        names = [self.day_text(day) for day in self.numbers]
        return ", ".join(names if len(names) < 8 else [*names[:3], "…", names[-1]])
