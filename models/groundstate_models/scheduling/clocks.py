"""Clock changes: convert between local clock times and elapsed minutes.

A *minute* counts elapsed time, so that durations are real on every day of the year. Without clock changes, a minute is
``day · 1440 + minute of the day``. With clock changes, minutes count on from the first day, and the clock
shows the minute plus the *shift* of its piece.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise

from groundstate_models.scheduling.durations import DAY, LONGEST
from groundstate_models.scheduling.relative import quoted
from groundstate_models.scheduling.times import printed_clock

_FIRST = datetime(1, 1, 1, tzinfo=UTC)
"""Minute 1440 of UTC, so that ordinal · 1440 is the midnight of a date."""

_LOOK = 6 * 60
"""Sampling interval of a zone's offset, in minutes; changes that cancel within it do not occur."""

_PIECES = ((0, 0),)


@dataclass(frozen=True)
class Clocks:
    """The clocks of the days of a request.

    Attributes:
        pieces: First minute of each piece, and the clock's shift from there on; the first piece has no beginning.
        zone: The zone, for messages; None without clock changes.
    """

    pieces: tuple[tuple[int, int], ...] = _PIECES
    zone: tzinfo | None = None

    @classmethod
    def of(cls, days: Sequence[int], zone: tzinfo | None) -> Clocks:
        """The clocks of some dates, given as ordinals in order.

        Raises:
            ValueError: If the zone's offset is not in whole minutes on one of them.
        """
        if zone is None or zone.utcoffset(None) is not None:
            return cls()  # the same offset at all times
        origin = _offset(zone, days[0] * DAY - DAY)
        pieces: list[tuple[int, int]] = []
        for begin, end in _regions(days):
            for minute, offset in _changes(zone, begin, end):
                if not pieces or pieces[-1][1] != offset - origin:
                    pieces.append((minute + origin, offset - origin))
        return cls(tuple(pieces), zone) if len(pieces) > 1 else cls()

    def clock(self, minute: int) -> int:
        """The clock time: ``day · 1440 + minute of the day``."""
        if len(self.pieces) == 1:
            return minute
        return minute + self.pieces[max(0, bisect_right(self.pieces, (minute, DAY)) - 1)][1]

    def midnight(self, day: int) -> int:
        """The first minute of a day: from there on the clock shows no earlier day."""
        if len(self.pieces) == 1:
            return day * DAY
        until: int | None = None
        for begin, shift in reversed(self.pieces):
            minute = day * DAY - shift
            if minute > begin or begin == self.pieces[0][0]:
                return minute if until is None else min(minute, until)
            until = begin
        raise AssertionError("the first piece has no beginning")

    def day(self, minute: int) -> int:
        """The day of a minute."""
        day = self.clock(minute) // DAY
        if len(self.pieces) > 1:
            day -= minute < self.midnight(day)
            day += minute >= self.midnight(day + 1)
        return day

    def minutes(self, shown: int) -> list[int]:
        """The minutes of a clock time: none in the skipped hour, two in the repeated hour."""
        if len(self.pieces) == 1:
            return [shown]
        found = []
        for index, (begin, shift) in enumerate(self.pieces):
            minute = shown - shift
            after = index + 1 < len(self.pieces) and minute >= self.pieces[index + 1][0]
            if (minute >= begin or not index) and not after:
                found.append(minute)
        return found

    def minute(self, shown: int, text: str) -> int:
        """The minute of a clock time.

        Raises:
            ValueError: If the time does not exist on that day, or exists twice.
        """
        found = self.minutes(shown)
        if len(found) == 1:
            return found[0]
        day, clock = date.fromordinal(shown // DAY), printed_clock(shown % DAY)
        when = f"{clock} on {day} in {quoted(text)}"
        if not found:
            gap = next(one for one in self._gaps() if one[0] <= shown < one[1])
            jump = f"clocks go from {printed_clock(gap[0] % DAY)} to {printed_clock(gap[1] % DAY)}"
            raise ValueError(f"{when} does not exist: in {self.zone} {jump} on that day. Write a time that exists.")
        both = " or ".join(self.iso(minute) for minute in found)
        raise ValueError(f"{when} exists twice: clocks go back in {self.zone} on that day. Write {both}.")

    def edge(self, day: int, clock: int, text: str, *, ends: bool = False) -> int:
        """The minute of a window's start or end; 0:00 and 24:00 are the day's start and end.

        Raises:
            ValueError: As for `minute`, except that a window may end when clocks go forward.
        """
        if clock in (0, DAY):
            return self.midnight(day + clock // DAY)
        shown = day * DAY + clock
        if ends and not self.minutes(shown):
            for (_, before), (begin, _) in pairwise(self.pieces):
                if begin + before == shown:
                    return begin
        return self.minute(shown, text)

    def iso(self, minute: int) -> str:
        """ISO 8601 with the offset, which distinguishes repeated times."""
        return self.when(minute).isoformat(timespec="minutes")

    def when(self, minute: int) -> datetime:
        """Date and time of a minute, for dates of a zone with clock changes."""
        shown = self.clock(minute)
        local = datetime.combine(date.fromordinal(shown // DAY), datetime.min.time(), self.zone)
        local = local.replace(hour=shown % DAY // 60, minute=shown % 60)
        return local.replace(fold=int(minute != self.minutes(shown)[0]))

    def instant(self, when: datetime) -> int:
        """The minute of a date and time with an offset, or in this zone."""
        shown = when.astimezone(self.zone) if self.zone is not None else when
        local = shown.date().toordinal() * DAY + shown.hour * 60 + shown.minute
        return self.minutes(local)[-1 if shown.fold else 0]

    def whole(self, start: int, end: int) -> Iterator[tuple[int, int]]:
        """A span, split at the starts of days and at clock changes, without gaps."""
        changes = [begin for begin, _ in self.pieces[1:] if start < begin < end]
        midnights = [self.midnight(day) for day in range(self.day(start) + 1, self.day(end - 1) + 1)]
        return pairwise(sorted({start, *changes, *midnights, end}))

    def _gaps(self) -> Iterator[tuple[int, int]]:
        """The skipped clock times."""
        for (_, before), (begin, after) in pairwise(self.pieces):
            if after > before:
                yield begin + before, begin + after


def _offset(zone: tzinfo, minute: int) -> int:
    """Offset of a zone at a minute of UTC, in minutes."""
    instant = _FIRST + timedelta(minutes=minute - DAY)
    offset = instant.astimezone(zone).utcoffset()
    assert offset is not None
    if offset.seconds % 60 or offset.microseconds:
        raise ValueError(
            f"In {instant.year} clocks of {zone} were not whole minutes away from UTC; times here are whole minutes."
        )
    return int(offset.total_seconds()) // 60


def _regions(days: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Spans of UTC minutes around the days of a request, merged if they touch: durations may reach a week beyond."""
    begin = end = None
    for day in days:
        low, high = (day - 2) * DAY, (day + 2) * DAY + LONGEST
        if end is not None and low <= end:
            end = max(end, high)
            continue
        if begin is not None and end is not None:
            yield begin, end
        begin, end = low, high
    if begin is not None and end is not None:
        yield begin, end


def _changes(zone: tzinfo, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The offset at a minute of UTC, and its later changes up to an end."""
    before = _offset(zone, begin)
    yield begin, before
    for minute in range(begin, end, _LOOK):
        after = _offset(zone, minute + _LOOK)
        if after != before:
            low, high = minute, minute + _LOOK
            while high - low > 1:
                middle = (low + high) // 2
                low, high = (middle, high) if _offset(zone, middle) == before else (low, middle)
            yield high, after
            before = after
