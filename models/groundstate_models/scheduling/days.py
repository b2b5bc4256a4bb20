"""The meaning of a request's windows and moments on its days."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from itertools import pairwise

from groundstate_models.scheduling.dayset import DaySet
from groundstate_models.scheduling.durations import DAY
from groundstate_models.scheduling.relative import quoted
from groundstate_models.scheduling.spans import Span, Spans, difference, intersection, union
from groundstate_models.scheduling.times import printed_clock, tokens
from groundstate_models.scheduling.token import Clock, Dates, Token

_DAYS = r"(?P<days>D(?:-D)?(?:,?D(?:-D)?)*)"
_HOURS = r"(?P<hours>A?C-C|AC,?BC|WC,C|AC|BC)"
_DAILY = re.compile(rf"{_DAYS}?,?{_HOURS}?")
_TURNED = re.compile(rf"{_HOURS}{_DAYS}")
_LONG = re.compile(r"A?(?:M|DC)-(?:M|DC|C|P)")
_OPEN = re.compile(r"[AB](?:M|DC|D)")
_ALTERNATE = re.compile(r"(?:every\s+(?:other|second|2nd)|alternate)\s")


@dataclass(frozen=True)
class Days(DaySet):
    """The days of a schedule, and the meaning of windows and moments on them.

    Attributes:
        today: The date of "today"; None if not given.
        understood: The dates of relative days, as words of a sentence; empty if there are none.
        read: The words of the request's long texts.
    """

    today: date | None = None
    understood: str = ""
    read: Mapping[str, tuple[Token, ...]] = field(default_factory=dict, compare=False, repr=False)

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
                    return self._shown(numbers[0], _minute(clock, text), text)
                raise ValueError(f"{quoted(text)} is on {len(numbers)} days; give the date.")
            case "C" if len(self.numbers) == 1:
                return self._shown(self.numbers[0], _minute(words[0], text), text)
            case "C":
                raise ValueError(
                    f"{quoted(text)} names no day; write "
                    f"{self.moment_text(self._shown(self.numbers[0], _minute(words[0], text), text))!r}."
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

    def _window(self, words: Sequence[Token], text: str) -> Spans:
        kinds = "".join(word.kind for word in words)
        if "X" in kinds:
            return self._except(words, kinds.index("X"), text)
        words, kinds = _plain(words, kinds)
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
        if kinds in ("C", "DC", "CD", "M"):
            raise ValueError(
                f'{quoted(text)} is one moment, and not a window; write "mon 9:00-12:00" or "mon after 14:00", or give the start '
                'of an activity as "at".'
            )
        raise ValueError(
            f'{quoted(text)} is not a window; write "mon 9:00-12:00", "mon after 14:00", "before wed 12:00", or '
            f'"2025-03-03T09:00/2025-03-03T12:00".'
        )

    def _except(self, words: Sequence[Token], at: int, text: str) -> Spans:
        """A window without another one: "weekdays except Wednesday", "not on Friday", "9-17 but not 12-13"."""
        kept, gone = list(words[:at]), list(words[at + 1 :])
        while kept and kept[-1].kind == ",":
            kept.pop()
        kinds = "".join(word.kind for word in gone)
        if not gone or ("," in kinds and not re.fullmatch(r"D(?:[-,]D)*|C-C(?:,C-C)*", kinds)):
            raise ValueError(f"{quoted(text)} excludes several things; write a list of windows that are allowed.")
        return difference(self._window(kept, text) if kept else self.spans, self._window(gone, text))

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
            end = self.clocks.edge(self.day(start), _minute(last, text) or DAY, text, ends=True)
        else:
            end = self._point(words[cut + 1 :], text, ends=True)
        if end <= start:
            raise ValueError(f"{quoted(text)} ends before it starts.")
        return start, end

    def _point(self, words: Sequence[Token], text: str, *, ends: bool = False) -> int:
        """The minute of a window's start or end."""
        if len(words) == 1:
            return self._instant(words[0], text, ends=ends)
        day, clock = words[0], _minute(words[1], text)
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
            found = [day for day in self.numbers if self.weekday(day) in wanted]
        else:
            low, high = self._numbers(first, text)[0], self._numbers(last, text)[-1]
            found = [day for day in self.numbers if low <= day <= high]
        if not found:
            raise ValueError(f"None of the days ({self.listed}) is in {quoted(text)}.")
        return found

    def _numbers(self, word: Token, text: str) -> list[int]:
        """The numbers of one day of a request, or of all its days on one weekday."""
        if isinstance(word.value, tuple):
            found = [day for day in self.numbers if self.weekday(day) in word.value]
            if found:
                return _alternate(found, self.week) if _ALTERNATE.match(word.text) else found
            raise ValueError(
                f"{word.text!r} in {quoted(text)} is none of the days of this request, which are {self.listed}."
            )
        dates = word.value.days if isinstance(word.value, Dates) else (word.value,)
        if not self.dated:
            raise ValueError(
                f'{quoted(text)} has a date, and the days of this request are weekdays ({self.listed}); give "days" as dates.'
            )
        ordinals = [day.toordinal() for day in dates if isinstance(day, date)]
        if not (found := [day for day in ordinals if day in self.numbers]):
            raise ValueError(
                f"{word.text!r} in {quoted(text)} is none of the days of this request, which are {self.listed}."
            )
        return found


def _alternate(found: Sequence[int], week: Callable[[int], int]) -> list[int]:
    """The days of every other week, from the first one on."""
    return [day for day in found if (week(day) - week(found[0])) % 2 == 0]


def _plain(words: Sequence[Token], kinds: str) -> tuple[Sequence[Token], str]:
    """The words without those that change nothing: "from mon to wed", "between mon and wed", "between 9-11", "mon until wed"."""
    if re.match(r"AD-D", kinds):
        words = words[1:]
    elif re.match(r"WD,D", kinds):
        words = [words[1], Token("-", None, words[2].text), *words[3:]]
    elif re.match(r"D?WC-C", kinds):
        words = [word for word in words if word.kind != "W"]
    elif re.match(r"DBD", kinds) and words[1].text.endswith(("til", "till", "to")):
        words = [words[0], Token("-", None, words[1].text), *words[2:]]
    else:
        return words, kinds
    return words, "".join(word.kind for word in words)


def _minute(word: Token, text: str) -> int:
    """The minute of a time of day that stands alone.

    Raises:
        ValueError: If it may be at night or in the afternoon: "3".
    """
    clock = word.value
    assert isinstance(clock, Clock)
    if clock.form == "bare" and clock.minute < _NIGHT:
        hour = clock.minute // 60
        raise ValueError(
            f'{word.text!r} in {quoted(text)} may be at night or in the afternoon; write "{hour}:00" or "{hour}pm".'
        )
    return clock.minute


_NIGHT = 7 * 60
"""Bare hours before this one are ambiguous."""

_LONG_SHORT = 6 * 60
"""Longest window of times such as "12:30-1:30" whose end is read as in the afternoon."""


def _range(hours: Sequence[Token], text: str) -> tuple[int, int]:
    """Minutes of a day for "9:00-12:00", "9-5", "after 14:00", "before noon" or an empty text."""
    clocks = [word for word in hours if word.kind == "C"]
    if not clocks:
        return 0, DAY
    if len(clocks) == 1:
        minute = _minute(clocks[0], text)
        if hours[0].kind == "A":
            return minute, DAY
        return 0, minute
    first, last = (word.value for word in clocks)
    assert isinstance(first, Clock)
    assert isinstance(last, Clock)
    low, high = first.minute, last.minute
    if last.half == "pm" and not first.half and low + DAY // 2 < high:
        low += DAY // 2  # "1-3pm"
    if high < low and last.form and (first.form or first.half):
        later = high + DAY // 2
        if low < later and (last.form == "bare" or later - low <= _LONG_SHORT):
            high = later  # "9-5", "12:30-1:30"
    if high == 0 < low:
        high = DAY
    if high <= low:
        raise ValueError(
            f"{quoted(text)} ends at {printed_clock(high)}, no later than it starts; write a window that passes midnight as "
            f'"mon 22:00 - tue 6:00".'
        )
    if first.form == last.form == "bare" and low < _NIGHT - 60 and high <= DAY // 2:
        a, b = low // 60, high // 60
        raise ValueError(f'{quoted(text)} may be at night or in the afternoon; write "{a}:00-{b}:00" or "{a}pm-{b}pm".')
    return low, high


def read_differently(words: Sequence[Token]) -> Iterator[tuple[str, str]]:
    """Times of day such as "9-5" that are read as in the afternoon, and what they are."""
    for first, middle, last in zip(words, words[1:], words[2:], strict=False):
        if (first.kind, middle.kind, last.kind) == ("C", "-", "C") and isinstance(last.value, Clock):
            with suppress(ValueError):
                low, high = _range((first, middle, last), "")
                if (low, high) != (_clock(first), _clock(last)) and high != DAY and not last.value.half:
                    yield f"{first.text}-{last.text}", f"{printed_clock(low)}-{printed_clock(high)}"


def _clock(word: Token) -> int:
    assert isinstance(word.value, Clock)
    return word.value.minute


def _parts(words: Sequence[Token]) -> list[list[Token]]:
    """The windows of "mon 9:00-10:00, 14:00-15:00, tue": a part without a day has the day of the part before."""
    parts: list[list[Token]] = [[]]
    for word in words:
        if word.kind == ",":
            parts.append([])
        else:
            parts[-1].append(word)
    parts = [part for part in parts if part]
    for part, after in reversed(list(pairwise(parts))):
        turned = after[0].kind not in "DM" and any(word.kind == "D" for word in after)
        if turned and all(word.kind not in "DM" for word in part):
            part[:0] = [word for word in after if word.kind == "D"]  # "9-10 and 14-15 on Tuesday"
    for before, part in pairwise(parts):
        if all(word.kind not in "DM" for word in part):
            part[:0] = [word for word in before if word.kind == "D"]
    return parts
