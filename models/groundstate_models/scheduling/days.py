"""The days of a request, and the meaning of its windows and moments.

A minute is a number: ``day · 1440 + minute of the day``, where the day is a weekday's number from Monday (0), or the ordinal of a
date. Requests use one or the other throughout. With clock changes, minutes count elapsed time, see `clocks.Clocks`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, tzinfo
from functools import cached_property
from itertools import pairwise

from groundstate_models.scheduling.clocks import Clocks
from groundstate_models.scheduling.durations import DAY
from groundstate_models.scheduling.relative import quoted
from groundstate_models.scheduling.spans import Span, Spans, intersection, union
from groundstate_models.scheduling.times import WEEKDAYS, Clock, Token, printed_clock, tokens

_DAYS = r"(?P<days>D(?:-D)?(?:,?D(?:-D)?)*)"
_HOURS = r"(?P<hours>A?C-C|AC,?BC|WC,C|AC|BC)"
_DAILY = re.compile(rf"{_DAYS}?,?{_HOURS}?")
_TURNED = re.compile(rf"{_HOURS}{_DAYS}")
_LONG = re.compile(r"A?(?:M|DC)-(?:M|DC|C|P)")
_OPEN = re.compile(r"[AB](?:M|DC|D)")


@dataclass(frozen=True)
class Days:
    """The days of a schedule.

    Attributes:
        numbers: Day numbers in order.
        dated: Whether they are dates; else they are weekdays.
        zone: The zone of the request's local times; None if not given.
        today: The date of "today"; None if not given.
        understood: The dates of relative days, as words of a sentence; empty if there are none.
        read: The words of the request's long texts.
    """

    numbers: tuple[int, ...]
    dated: bool
    zone: tzinfo | None = None
    today: date | None = None
    understood: str = ""
    read: Mapping[str, tuple[Token, ...]] = field(default_factory=dict, compare=False, repr=False)

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

    def words(self, text: str) -> tuple[Token, ...]:
        """The words of a window or a moment; see `times.tokens`."""
        read = self.read.get(text)
        return tokens(text, self.today) if read is None else read

    def window(self, text: str) -> Spans:
        """The spans of a window: ``"mon 9:00-12:00"``, ``"tue"``, ``"9:00-12:00"`` (every day), ``"after 14:00"``, ISO 8601.

        Raises:
            ValueError: If it is not a window, or its day is not one of these days.
        """
        words = self.words(text)
        if not words:
            raise ValueError(f'{quoted(text)} names no day and no time; write "mon 9:00-12:00".')
        return self._window(words, text)

    def moment(self, text: str) -> int:
        """The minute of a moment: ``"mon 10:00"``, ``"2025-03-03T10:00"``; ``"10:00"`` if there is only one day.

        Raises:
            ValueError: If it is not a moment, or its day is not one of these days.
        """
        minute = self._known.get(text)
        if minute is None:
            minute = self._known[text] = self._moment(text)
        return minute

    @cached_property
    def _known(self) -> dict[str, int]:
        """Moments read before: answers name the same few again and again."""
        return {}

    def _moment(self, text: str) -> int:
        words = self.words(text)
        match "".join(word.kind for word in words):
            case "M":
                return self._instant(words[0], text)
            case "DC" | "CD" as kinds:
                day, clock = words if kinds == "DC" else reversed(words)
                numbers = self._numbers(day, text)
                if len(numbers) == 1:
                    return self._shown(numbers[0], _minute(clock), text)
                raise ValueError(f"{quoted(text)} is on {len(numbers)} days; give the date.")
            case "C" if len(self.numbers) == 1:
                return self._shown(self.numbers[0], _minute(words[0]), text)
            case "C":
                raise ValueError(
                    f"{quoted(text)} names no day; write "
                    f"{self.moment_text(self._shown(self.numbers[0], _minute(words[0]), text))!r}."
                )
        first = self.clocks.midnight(self.numbers[0]) + 10 * 60
        raise ValueError(f"{quoted(text)} is not one moment; write a day and a time: {self.moment_text(first)!r}.")

    def appointment(self, text: str) -> tuple[int, int | None]:
        """The start of a fixed time, and its end if given: ``"mon 10:00"``, ``"mon 10:00-11:00"``.

        Raises:
            ValueError: As for `moment` and `window`; or if it is several times.
        """
        if not any(word.kind in "-W" for word in self.words(text)):
            return self.moment(text), None
        (span, *others) = self.window(text)
        if others:
            raise ValueError(f"{quoted(text)} is {len(others) + 1} times; a fixed time is one, on one day.")
        return span

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

    def _window(self, words: Sequence[Token], text: str) -> Spans:
        kinds = "".join(word.kind for word in words)
        if match := _DAILY.fullmatch(kinds) or _TURNED.fullmatch(kinds):
            hours = words[slice(*match.span("hours"))] if match["hours"] else ()
            days = self._listed(words[slice(*match.span("days"))], text) if match["days"] else self.numbers
            low, high = _range(hours, text)
            return self.daily(low, high, text, days)
        if _LONG.fullmatch(kinds):
            return (self._long([word for word in words if word.kind != "A"], text),)
        if _OPEN.fullmatch(kinds):
            return self._open(words, text)
        if "," in kinds:
            return union(span for part in _parts(words) for span in self._window(part, text))
        raise ValueError(
            f'{quoted(text)} is not a window; write "mon 9:00-12:00", "mon after 14:00", "before wed 12:00", or '
            f'"2025-03-03T09:00/2025-03-03T12:00".'
        )

    def _open(self, words: Sequence[Token], text: str) -> Spans:
        """A window up to a moment, or from one: "before wed" ends before that day, "by wed" with it; so "after" and "from"."""
        begin, end = self.spans[0][0], self.spans[-1][1]
        word, *rest = words
        if len(rest) == 1 and rest[0].kind == "D":
            days = self._numbers(rest[0], text)
            cut = self.whole(days[0])[0] if word.text in ("before", "from", "since") else self.whole(days[-1])[1]
        else:
            cut = self._point(rest, text, ends=word.kind == "B")
        span = (cut, end) if word.kind == "A" else (begin, cut)
        if span[0] >= span[1]:
            raise ValueError(f"{quoted(text)} leaves none of the days of this request, which are {self.listed}.")
        return intersection(self.spans, (span,))

    def _long(self, words: Sequence[Token], text: str) -> Span:
        """A window from one moment to another."""
        cut = next(i for i, word in enumerate(words) if word.kind == "-")
        start = self._point(words[:cut], text)
        last = words[-1]
        if last.kind == "P" and isinstance(last.value, int):
            end = start + last.value
        elif len(words) - cut == 2 and last.kind == "C":
            end = self.clocks.edge(self.day(start), _minute(last) or DAY, text, ends=True)
        else:
            end = self._point(words[cut + 1 :], text, ends=True)
        if end <= start:
            raise ValueError(f"{quoted(text)} ends before it starts.")
        return start, end

    def _point(self, words: Sequence[Token], text: str, *, ends: bool = False) -> int:
        """The minute of a window's start or end."""
        if len(words) == 1:
            return self._instant(words[0], text, ends=ends)
        day, clock = words[0], _minute(words[1])
        if ends and not clock and isinstance(day.value, date) and (over := self._over(day.value)) is not None:
            return over
        numbers = self._numbers(day, text)
        if len(numbers) > 1:
            raise ValueError(f"{day.text!r} in {quoted(text)} is on {len(numbers)} days; give the date.")
        return self._shown(numbers[0], clock, text, ends=ends)

    def _over(self, day: date) -> int | None:
        """The end of the day before a date, if that is one of the days; the date itself need not be one of them."""
        before = day.toordinal() - 1
        return self.whole(before)[1] if self.dated and before in self.numbers else None

    def _instant(self, word: Token, text: str, *, ends: bool = False) -> int:
        when = word.value
        assert isinstance(when, datetime)
        zoned = when.tzinfo is not None and self.zone is not None
        when = when.astimezone(self.zone) if zoned else when
        before = when.toordinal() - 1
        if ends and self.dated and (when.hour, when.minute) == (0, 0) and before in self.numbers:
            return self.whole(before)[
                1
            ]  # midnight is the end of the day before, and the next day need not be one of the days
        if zoned:
            self._numbers(Token("D", when.date(), word.text), text)
            return self.clocks.instant(when)
        (number,) = self._numbers(Token("D", when.date(), word.text), text)
        return self._shown(number, when.hour * 60 + when.minute, text, ends=ends)

    def _shown(self, day: int, clock: int, text: str, *, ends: bool = False) -> int:
        """The minute of a clock time on a day."""
        if ends or clock == DAY:
            return self.clocks.edge(day, clock, text, ends=True)
        return self.clocks.minute(day * DAY + clock, text)

    def _listed(self, words: Sequence[Token], text: str) -> list[int]:
        """The numbers of "mon", "mon-wed", "mon, wed-fri"."""
        numbers: list[int] = []
        days = [(i, word) for i, word in enumerate(words) if word.kind == "D"]
        for i, word in days:
            if i and words[i - 1].kind == "-":
                continue
            if i + 1 < len(words) and words[i + 1].kind == "-":
                numbers += self._between(word, words[i + 2], text)
            else:
                numbers += self._numbers(word, text)
        return numbers

    def _between(self, first: Token, last: Token, text: str) -> list[int]:
        if isinstance(first.value, tuple) and isinstance(last.value, tuple):
            low, high = first.value[0], last.value[-1]
            wanted = {day % 7 for day in range(low, high + 1 if high >= low else high + 8)}
            found = [day for day in self.numbers if self._weekday(day) in wanted]
        else:
            low, high = self._numbers(first, text)[0], self._numbers(last, text)[-1]
            found = [day for day in self.numbers if low <= day <= high]
        if not found:
            raise ValueError(f"None of the days ({self.listed}) is in {quoted(text)}.")
        return found

    def _numbers(self, word: Token, text: str) -> list[int]:
        """The numbers of one day of a request, or of all its days on one weekday."""
        if isinstance(word.value, tuple):
            found = [day for day in self.numbers if self._weekday(day) in word.value]
            if found:
                return found
            raise ValueError(
                f"{word.text!r} in {quoted(text)} is none of the days of this request, which are {self.listed}."
            )
        assert isinstance(word.value, date)
        if not self.dated:
            raise ValueError(
                f'{quoted(text)} has a date, and the days of this request are weekdays ({self.listed}); give "days" as dates.'
            )
        if word.value.toordinal() not in self.numbers:
            raise ValueError(
                f"{word.text!r} in {quoted(text)} is none of the days of this request, which are {self.listed}."
            )
        return [word.value.toordinal()]

    def _weekday(self, day: int) -> int:
        return (day - 1) % 7 if self.dated else day  # ordinal 1, 1 January of year 1, is a Monday

    @property
    def listed(self) -> str:
        """The days as words, abbreviated in the middle."""
        names = [self.day_text(day) for day in self.numbers]
        return ", ".join(names if len(names) < 8 else [*names[:3], "…", names[-1]])


def _minute(word: Token) -> int:
    assert isinstance(word.value, Clock)
    return word.value.minute


def _range(hours: Sequence[Token], text: str) -> tuple[int, int]:
    """Minutes of a day for "9:00-12:00", "after 14:00", "before noon" or an empty text."""
    clocks = [word.value for word in hours if isinstance(word.value, Clock)]
    if not clocks:
        return 0, DAY
    if len(clocks) == 1:
        minute = clocks[0].minute
        if hours[0].kind == "A":
            return minute, DAY
        return 0, minute
    first, last = clocks
    low, high = first.minute, last.minute
    if last.half == "pm" and not first.half and low + DAY // 2 < high:
        low += DAY // 2  # "1-3pm"
    if high == 0 < low:
        high = DAY
    if high <= low:
        raise ValueError(
            f"{quoted(text)} ends at {printed_clock(high)}, no later than it starts; write a window that passes midnight as "
            f'"mon 22:00 - tue 6:00".'
        )
    return low, high


def _parts(words: Sequence[Token]) -> list[list[Token]]:
    """The windows of "mon 9:00-10:00, 14:00-15:00, tue": a part without a day has the day of the part before."""
    parts: list[list[Token]] = [[]]
    for word in words:
        if word.kind == ",":
            parts.append([])
        else:
            parts[-1].append(word)
    parts = [part for part in parts if part]
    for before, part in pairwise(parts):
        if all(word.kind not in "DM" for word in part):
            part[:0] = [word for word in before if word.kind == "D"]
    return parts
