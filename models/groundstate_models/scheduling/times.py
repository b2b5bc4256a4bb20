"""Times as people and language models write them: durations, clock times, and the words of windows.

All times are whole minutes. Errors are ``ValueError``; the message quotes the text and shows the accepted forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache

from groundstate_models.scheduling.durations import duration
from groundstate_models.scheduling.relative import PATTERN, dates, quoted

MOST_TEXT = 200_000
"""Longest text with times, in characters."""

FIRST_YEAR, LAST_YEAR = 1900, 2999
"""Of dates."""

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NAMES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def printed_clock(minute: int) -> str:
    """``"9:00"``; 1440 is ``"24:00"``."""
    return f"{minute // 60}:{minute % 60:02d}"


@dataclass(frozen=True)
class Clock:
    """A time of day in minutes, and its "am" or "pm"."""

    minute: int
    half: str = ""


@dataclass(frozen=True)
class Token:
    """A word of a window or a moment.

    Attributes:
        kind: ``D`` day, ``C`` clock, ``M`` date with time, ``P`` duration, ``-`` until, ``,`` and, ``A`` after, ``B`` before,
            ``W`` between.
        value: A weekday's number from Monday, several, or a date for ``D``; a `Clock` for ``C``; a datetime for ``M``; minutes
            for ``P``.
        text: As written.
    """

    kind: str
    value: tuple[int, ...] | date | Clock | datetime | int | None
    text: str


PARTS = {"morning": (6 * 60, 12 * 60), "afternoon": (12 * 60, 18 * 60), "evening": (18 * 60, 22 * 60)}
"""Parts of a day, and their hours; the hours of a request also apply."""

_WORDS = "|".join(f"{name}s?|{short}s?" for name, short in zip(_NAMES, WEEKDAYS, strict=True))
_TOKEN = re.compile(
    rf"""
      {PATTERN}
    | (?P<moment>\d{{4}}-\d\d-\d\d(?:t\d\d?:\d\d(?::\d\d(?:\.\d+)?)?(?:z|\+\d\d:?\d\d|-(?:0\d|1[0-2]):?\d\d)?
                                 |\s\d\d?:\d\d(?::\d\d(?:\.\d+)?(?:z|[+-]\d\d:?\d\d)?|z|\+\d\d:?\d\d))(?![\d:]))
    | (?P<date>\d{{4}}-\d\d-\d\d|\d{{4}}-w\d\d-[1-7])(?!\d)
    | (?P<period>p(?:\d|t\d)[\dtdhms.,]*)
    | (?P<clock>\d\d?(?::\d\d)?(?::\d\d)?\s?(?:a\.m\.|p\.m\.|am\b|pm\b)?(?![\d:])|noon\b|midday\b|midnight\b)
    | (?P<weekday>(?:{_WORDS}|tues|weds|thur|thurs)\b\.?)
    | (?P<several>every\s?day\b|daily\b|weekdays?\b|week-?ends?\b|any\s?day\b)
    | (?P<every>every\b|each\b)
    | (?P<part>(?:in\s+the\s+)?(?:{"|".join(PARTS)})s?\b)
    | (?P<until>-|–|—|/|to\b|until\b|till\b|through\b)
    | (?P<and>,|;|and\b|or\b|&)
    | (?P<after>after\b|from\b|since\b)
    | (?P<before>before\b|by\b)
    | (?P<between>between\b)
    | (?P<skip>\s+|on\b|at\b|during\b|all\sday\b|any\s?time\b|the\b)
    """,
    re.VERBOSE,
)
_KINDS = {
    "moment": "M", "date": "D", "period": "P", "clock": "C", "weekday": "D", "several": "D", "until": "-", "and": ",",
    "after": "A", "before": "B", "between": "W",
}  # fmt: skip


def tokens(text: str, today: date | None = None) -> tuple[Token, ...]:
    """The words of a window or a moment.

    Args:
        text: As written.
        today: The date of today, see `relative`.

    Raises:
        ValueError: If a word is unknown, or a day or time does not exist.
    """
    return (_known if len(text) <= SHORT else _read)(text, today)


def _read(text: str, today: date | None) -> tuple[Token, ...]:
    if len(text) > MOST_TEXT:
        raise ValueError(
            f"{quoted(text)} has {len(text)} characters; at most {MOST_TEXT} are read. Give a list of shorter texts."
        )
    found: list[Token] = []
    lowered, at = text.lower(), 0
    while at < len(lowered):
        match = _TOKEN.match(lowered, at)
        if match is None or match.lastgroup is None:
            word = re.split(r"[\s,;]", text[at : at + 40], maxsplit=1)[0]
            raise ValueError(
                f'{word!r} in {quoted(text)} is not a day or time; write "mon 9:00-12:00", "2025-03-03T09:00/2025-03-03T12:00", '
                '"9:00-12:00" (every day) or "tue" (all day).'
            )
        if match.lastgroup in ("relative", "named"):
            first, last = dates(match[0], today, text)
            days = [Token("D", day, match[0]) for day in ((first,) if first == last else (first, last))]
            found += days[:1] if len(days) == 1 else [days[0], Token("-", None, match[0]), days[1]]
            at = match.end()
            continue
        if match.lastgroup == "part":
            low, high = PARTS[match[0].split()[-1].removesuffix("s")]
            found += [Token("C", Clock(low), match[0]), Token("-", None, match[0]), Token("C", Clock(high), match[0])]
            at = match.end()
            continue
        kind = _KINDS.get(match.lastgroup)
        if kind == "-" and match[0] in ("until", "till") and (not found or found[-1].kind == "D"):
            kind = "B"
        if kind is not None:
            word = match[0].strip()
            try:
                found.append(_token(kind, match.lastgroup, word))
            except _UnreadError as error:
                raise ValueError(f"{word!r} in {quoted(text)} {error}") from None
        at = match.end()
    return tuple(_dates_win(found, text))


SHORT = 64
"""Longest text that is remembered between requests, in characters."""

_known = lru_cache(maxsize=1024)(_read)
"""A request's texts are read several times (for its days, its hours, and what is echoed), and schedules share texts."""


class _UnreadError(Exception):
    """A word that is no day or time. The text is a clause whose subject is the word."""


@lru_cache(maxsize=4096)
def _token(kind: str, group: str, word: str) -> Token:
    """A word that does not depend on its text. A long text has few different ones."""
    return Token(kind, _value(group, word), word)


def _value(group: str, word: str) -> tuple[int, ...] | date | Clock | datetime | int | None:
    match group:
        case "weekday":
            return (WEEKDAYS.index(word[:3]),)
        case "several":
            first = word.replace("-", "").replace(" ", "")
            return (
                (5, 6)
                if first.startswith("weekend")
                else (0, 1, 2, 3, 4)
                if first.startswith("weekday")
                else tuple(range(7))
            )
        case "clock":
            return _clock(word)
        case "period":
            return duration(word)
        case "moment" | "date":
            read = _date(word) if group == "date" else _moment(word)
            if read is None or not FIRST_YEAR <= read.year <= LAST_YEAR:
                years = f"from {FIRST_YEAR} to {LAST_YEAR}"
                raise _UnreadError(f"is not a date, or no time in whole minutes, {years}.")
            return read
    return None


def _date(word: str) -> date | None:
    try:
        return date.fromisoformat(word.upper())
    except ValueError:
        return None


def _moment(word: str) -> datetime | None:
    day, clock = re.split(r"[t\s]", word, maxsplit=1)
    try:
        read = datetime.fromisoformat(f"{day}T{'0' if clock[1] == ':' else ''}{clock}".upper())
    except ValueError:
        return None
    return None if read.second or read.microsecond else read


def _clock(word: str) -> Clock:
    if word in ("noon", "midday"):
        return Clock(12 * 60)
    if word == "midnight":
        return Clock(0)
    half = next((f"{h}m" for h in "ap" if word.endswith((f"{h}m", f"{h}.m."))), "")
    hour, minute, second = (int(part) for part in [*re.findall(r"\d+", word), "0", "0"][:3])
    if minute > 59 or hour > 24 or (hour == 24 and minute):
        raise _UnreadError(_NO_CLOCK)
    if second:
        raise _UnreadError("has seconds; times are whole minutes.")
    if not half:
        return Clock(60 * hour + minute)
    if not 1 <= hour <= 12:
        raise _UnreadError(_NO_CLOCK)
    return Clock(60 * (hour % 12 + 12 * (half == "pm")) + minute, half)


_NO_CLOCK = "is not a time of day; write 0:00 to 24:00, or 1am to 12pm."


def _dates_win(found: list[Token], text: str) -> list[Token]:
    """Drop a correct weekday before its date ("Mon 2025-03-03")."""
    kept: list[Token] = []
    for token in found:
        before = kept[-1] if kept else None
        if (
            isinstance(token.value, date)
            and before is not None
            and before.kind == "D"
            and isinstance(before.value, tuple)
        ):
            if token.value.weekday() not in before.value:
                day = _NAMES[token.value.weekday()].capitalize()
                raise ValueError(f"{token.text} in {quoted(text)} is a {day}, not {before.text!r}.")
            kept.pop()
        kept.append(token)
    return kept
