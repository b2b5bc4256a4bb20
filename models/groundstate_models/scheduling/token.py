"""The words of a window or a moment, as typed tokens."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True)
class Clock:
    """A time of day.

    Attributes:
        minute: Minutes from midnight.
        half: Its "am" or "pm"; empty if it has none.
        form: "bare" for an hour from 1 to 12 without minutes and half, "short" for one with minutes; else empty. These may be
            hours of the afternoon: "9-5", "12:30-1:30".
    """

    minute: int
    half: str = ""
    form: str = ""


@dataclass(frozen=True)
class Dates:
    """Several dates that one phrase names, in order: "the next two weeks"."""

    days: tuple[date, ...]


@dataclass(frozen=True)
class Token:
    """A word of a window or a moment.

    Attributes:
        kind: ``D`` day, ``C`` clock, ``M`` date with time, ``P`` duration, ``-`` until, ``,`` and, ``A`` after, ``B`` before,
            ``W`` between, ``X`` except.
        value: A weekday's number from Monday, several, a date, or `Dates` for ``D``; a `Clock` for ``C``; a datetime for ``M``;
            minutes for ``P``.
        text: As written.
    """

    kind: str
    value: tuple[int, ...] | date | Clock | datetime | Dates | int | None
    text: str
