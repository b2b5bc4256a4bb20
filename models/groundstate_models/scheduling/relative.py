"""Dates in natural language: "today", "tomorrow", "next Monday", "this Friday", "next week", "in 3 days", "June 3".

Only dates with a year do without the date of today, which the request gives. Weeks begin on Monday: "this Friday" is in today's
week, and "next Friday" in the week after it.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

MONTHS = (
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
)
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

_MONTH = "|".join(f"{name}|{name[:3]}" for name in MONTHS) + "|sept"
_WEEKDAY = "|".join(f"{name}|{name[:3]}" for name in WEEKDAYS) + "|tues|weds|thur|thurs"
_YEAR = r"(?:,?\s*\d{4})?(?![\d:])"

PATTERN = rf"""
      (?P<relative>(?:the\s+)?day\s+after\s+tomorrow\b|today\b|tomorrow\b|in\s+(?:\d{{1,3}}|an?|one|two|three)\s+(?:day|week)s?\b
        |(?:next|this|coming)\s+(?:(?:{_WEEKDAY})\b\.?|week\b))
    | (?P<named>(?:{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?{_YEAR}
        |\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})\b\.?{_YEAR})
"""
"""Pattern of these dates, as alternatives of a verbose regular expression for lower-case text."""


_QUOTED = 80


def quoted(text: str) -> str:
    """A text in quotes, shortened if it is long."""
    return repr(text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…")


def dates(words: str, today: date | None, text: str) -> tuple[date, date]:
    """The first and the last date of some words; they only differ for weeks.

    Raises:
        ValueError: If the words are not a date, or need today's date and it is not given.
    """
    if re.match(r"\d|[a-z]+\.?\s+\d", words) and not words.startswith("in "):
        day = _named(words, today, text)
        return day, day
    if today is None:
        raise ValueError(f'{words!r} in {quoted(text)} depends on the date of today; give "today": "2025-06-02".')
    monday = today - timedelta(days=today.weekday())
    which, _, what = words.partition(" ")
    if words.endswith("week") and which != "in":
        first = monday + timedelta(days=7) if which in ("next", "coming") else today
        last = first - timedelta(days=first.weekday()) + timedelta(days=4)
        if first > last:
            raise ValueError(f"{words!r} in {quoted(text)} has no workday left: today is {_date_text(today)}.")
        return first, last
    day = _one(which, what, words, today, monday)
    if day < today:
        raise ValueError(f"{words!r} in {quoted(text)} is {_date_text(day)}, and today is {_date_text(today)}.")
    return day, day


def _one(which: str, what: str, words: str, today: date, monday: date) -> date:
    if words in ("today", "tomorrow"):
        return today + timedelta(days=int(words == "tomorrow"))
    if words.endswith("after tomorrow"):
        return today + timedelta(days=2)
    if which == "in":
        many, unit = what.split()
        count = {"a": 1, "an": 1, "one": 1, "two": 2, "three": 3}.get(many) or int(many)
        return today + timedelta(days=count * (7 if unit.startswith("week") else 1))
    weekday = next(number for number, name in enumerate(WEEKDAYS) if name.startswith(what.strip(". ")[:3]))
    if which == "coming":
        return today + timedelta(days=(weekday - today.weekday()) % 7)
    return monday + timedelta(days=weekday + 7 * (which == "next"))


def _named(words: str, today: date | None, text: str) -> date:
    """A day of a month; without a year, the first one from today on."""
    numbers = [int(number) for number in re.findall(r"\d+", words)]
    spelt = re.sub(r"^\d+(st|nd|rd|th)?\s+(of\s+)?", "", words)
    month = next(number for number, name in enumerate(MONTHS, 1) if name[:3] == spelt[:3])
    if len(numbers) == 1 and today is None:
        raise ValueError(f'{words!r} in {quoted(text)} has no year; write it, or give "today": "2025-06-02".')
    years = numbers[1:] or range(today.year, today.year + 9) if today is not None else numbers[1:]  # to a leap year
    for year in years:
        try:
            found = date(year, month, numbers[0])
        except ValueError:
            continue
        if len(numbers) > 1 or today is None or found >= today:
            return found
    raise ValueError(f"{words!r} in {quoted(text)} is not a date.")


def _date_text(day: date) -> str:
    return f"{WEEKDAYS[day.weekday()].capitalize()}, {day}"
