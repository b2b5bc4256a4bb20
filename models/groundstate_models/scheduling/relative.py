"""Dates in natural language: "today", "next Monday", "the next two weeks", "a week from Friday", "June 3", "last Friday of June".

Only dates with a year do without the date of today, which the request gives. Weeks begin on Monday: "this Friday" is in today's
week, and "next Friday" in the week after it. Weeks and months are their days from Monday to Friday.
"""

from __future__ import annotations

import re
from calendar import monthrange
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
NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")

_COUNT = rf"(?:\d{{1,3}}|an?|{'|'.join(NUMBERS)})"
_MONTH = "|".join(f"{name}|{name[:3]}" for name in MONTHS) + "|sept"
_WEEKDAY = "|".join(f"{name}|{name[:3]}" for name in WEEKDAYS) + "|tues|weds|thur|thurs"
_YEAR = r"(?:,?\s*\d{4})?(?![\d:])"
_NTH = ("first", "second", "third", "fourth", "last")
_AND = r"\s*(?:,|\bor\b|\band\b|&|\bto\b|\bthrough\b|\buntil\b|-|–|/)\s*"
_SPAN = r"(?:the|this|next|the\s+following|coming)\s+(?:week|month)\b"

PATTERN = rf"""
      (?P<relative>(?:the\s+)?day\s+after\s+tomorrow\b|today\b|tonight\b|tomorrow\b|yesterday\b
        |this(?=\s+(?:early\s+|late\s+)?(?:morning|afternoon|evening|lunch))
        |(?:(?:in|with|over|for|during)?(?:in)?\s*the\s+|(?:over|within|during|in)\s+)?(?:next|coming|following)\s+{_COUNT}\s+
          (?:working\s+|work|business\s+)?(?:day|week)s?\b
        |within\s+{_COUNT}\s+(?:day|week)s?\b
        |in\s+(?:{_COUNT}\s+(?:day|week|month)s?|a\s+fortnight)\b
        |{_COUNT}\s+(?:day|week)s?\s+(?:from|after|on)\s+(?:now|today|tomorrow|(?:next\s+)?(?:{_WEEKDAY})\b\.?)
        |(?:{_WEEKDAY})\s+week\b(?!\s*end)
        |(?:the\s+)?week\s+after\s+next\b|(?:the\s+)?week\s+after\b(?!\s)
        |(?:the\s+)?week\s+(?:of|commencing|starting|beginning)\s+(?:the\s+)?(?:\d{{4}}-\d\d-\d\d
          |(?:{_MONTH})\.?\s+\d{{1,2}}(?:st|nd|rd|th)?{_YEAR}|\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})\b\.?{_YEAR})
        |(?:(?:the\s+)?(?:end|start|beginning|middle)\s+of\s+{_SPAN}|end\s+of\s+(?:week|month)\b
          |(?:early|late|mid)[\s-]+(?:in\s+)?(?:this|next)\s+week\b)
        |(?:the\s+)?(?:{"|".join(_NTH)})\s+(?:{_WEEKDAY})\s+(?:of|in)\s+
          (?:(?:the|this|next)\s+month\b|(?:{_MONTH})\b(?:\s+\d{{4}}(?![\d:]))?)
        |(?:next|this|coming|last)\s+(?:(?:{_WEEKDAY})\b\.?(?:{_AND}(?:{_WEEKDAY})\b\.?)*|week-?\s?end\b|week\b|month\b)
        |(?:in|during|throughout|all\s+of)\s+(?:{_MONTH})\b\.?(?!\s*\d{{1,2}}(?!\d))(?:\s+\d{{4}}(?![\d:]))?
        |the\s+\d{{1,2}}(?:st|nd|rd|th)\b(?!\s+(?:of\s+)?(?:{_MONTH})\b))
    | (?P<named>(?:{_MONTH})\.?\s+(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?{_YEAR}
        |(?:the\s+)?\d{{1,2}}(?:st|nd|rd|th)?\s+(?:of\s+)?(?:{_MONTH})\b\.?{_YEAR})
"""
"""Pattern of these dates, as alternatives of a verbose regular expression for lower-case text."""

_QUOTED = 80


def quoted(text: str) -> str:
    """A text in quotes, shortened if it is long."""
    return repr(text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…")


def dates(words: str, today: date | None, text: str, *, named: bool) -> tuple[date, ...]:
    """The dates of some words that match `PATTERN`, in order; `named` if they matched its second group.

    Raises:
        ValueError: If the words are not a date, are in the past, or need today's date and it is not given.
    """
    if named:
        return (_named(words, today, text),)
    if today is None:
        raise ValueError(f'{words!r} in {quoted(text)} depends on the date of today; give "today": "2025-06-02".')
    found = _resolved(words, today, text)
    past = [day for day in found if day < today]
    if past:
        raise ValueError(f"{words!r} in {quoted(text)} is {_date_text(past[0])}, and today is {_date_text(today)}.")
    return tuple(found)


def _resolved(words: str, today: date, text: str) -> list[date]:
    """The dates of words that depend on today."""
    monday = today - timedelta(days=today.weekday())
    simple = {"today": 0, "tonight": 0, "this": 0, "tomorrow": 1, "yesterday": -1}
    if words in simple:
        return [today + timedelta(days=simple[words])]
    if words.endswith("after tomorrow"):
        return [today + timedelta(days=2)]
    if match := re.match(rf"(?:the\s+)?({'|'.join(_NTH)})\s+({_WEEKDAY})\s+(?:of|in)\s+(.+)", words):
        year, month = _month(match[3], today)
        days = [day for day in _month_days(year, month) if day.weekday() == _weekday(match[2])]
        return [days[-1] if match[1] == "last" else days[_NTH.index(match[1])]]
    if match := re.match(r"(?:the\s+)?week\s+(?:of|commencing|starting|beginning)\s+(?:the\s+)?(.+)", words):
        day = _named(match[1], today, text)
        return _workdays(day - timedelta(days=day.weekday()), 7, today, words, text)
    if re.match(r"(?:the\s+)?week\s+after", words):
        return _workdays(monday + timedelta(days=14), 7, today, words, text)
    if re.search(r"\b(?:end|start|beginning|middle)\s+of\b|^(?:early|late|mid)\b", words):
        return _part(words, today, monday, text)
    if match := re.fullmatch(
        rf"(?:\S+\s+)*?(next|coming|following|within)\s+({_COUNT})\s+(\S+\s+)?(day|week)s?", words
    ):
        many = _number(match[2]) * (7 if match[4] == "week" else 1)
        if match[3] or "work" in words.rsplit(maxsplit=1)[-1]:
            return _some_workdays(today, _number(match[2]))
        if match[4] == "week":
            return _workdays(today, many, today, words, text)
        return [today + timedelta(days=step) for step in range(many)]
    return _one_or_week(words, today, monday, text)


def _one_or_week(words: str, today: date, monday: date, text: str) -> list[date]:
    """The dates of a distance from a day, of a week, a weekend, a month, or of weekdays of a week."""
    if match := re.fullmatch(rf"({_COUNT})\s+(day|week)s?\s+(?:from|after|on)\s+(.+)", words):
        since = today if match[3] in ("now", "today") else _start(match[3], today, monday)
        return [since + timedelta(days=_number(match[1]) * (7 if match[2] == "week" else 1))]
    if match := re.fullmatch(rf"({_WEEKDAY})\s+week", words):
        return [_start(match[1], today, monday) + timedelta(days=7)]
    which, _, what = re.sub(r"\s+", " ", words).partition(" ")
    if which == "in" and (match := re.fullmatch(rf"({_COUNT}) (day|week|month|fortnight)s?", what)):
        many = _number(match[1])
        if match[2] == "month":
            year, month = divmod(today.year * 12 + today.month - 1 + many, 12)
            return [date(year, month + 1, min(today.day, monthrange(year, month + 1)[1]))]
        return [today + timedelta(days=many * {"day": 1, "week": 7, "fortnight": 14}[match[2]])]
    if which == "the":
        return [_day_of_month(int(re.sub(r"\D", "", what)), today, words, text)]
    if which == "last":
        raise ValueError(f"{words!r} in {quoted(text)} is before today, which is {_date_text(today)}.")
    if what == "week":
        first = monday + timedelta(days=7) if which in ("next", "coming") else today
        return _workdays(first, 7 - first.weekday(), today, words, text)
    if re.fullmatch(r"week-? ?end", what):
        first = monday + timedelta(days=5 + 7 * (which == "next"))
        return [day for day in (first, first + timedelta(days=1)) if day >= today]
    if re.search(rf"(?:^|\s)(?:month|{_MONTH})\b", what) and which != "the":
        year, month = _month(words, today)
        days = _month_days(year, month)
        return _workdays(days[0], len(days), today, words, text)
    return _week_days(which, what, today, monday)


def _week_days(which: str, what: str, today: date, monday: date) -> list[date]:
    """Weekdays of this or the next week: "monday", "tuesday or thursday", "monday to wednesday"."""
    names = list(re.finditer(rf"({_WEEKDAY})\b", what))
    found: list[date] = []
    for index, name in enumerate(names):
        number = _weekday(name[1])
        if which == "coming":
            day = today + timedelta(days=(number - today.weekday()) % 7)
        else:
            day = monday + timedelta(days=number + 7 * (which == "next"))
        if index and re.search(r"to|through|until|-|–", what[names[index - 1].end() : name.start()]):
            steps = (day - found[-1]).days
            found += [found[-1] + timedelta(days=step) for step in range(1, steps)]
        found.append(day)
    return sorted(set(found))


def _part(words: str, today: date, monday: date, text: str) -> list[date]:
    """The beginning, middle or end of a week; the end of a month."""
    later = bool(re.search(r"\b(?:next|following|coming)\b", words))
    if "month" in words:
        if not words.replace("the ", "", 1).startswith("end"):
            raise ValueError(f"{words!r} in {quoted(text)} is not exact; write dates, such as June 2 to June 6.")
        year, month = _month("next month" if later else "this month", today)
        return [_workdays(date(year, month, 1), monthrange(year, month)[1], today, words, text)[-1]]
    first = monday + timedelta(days=7 * later)
    if re.search(r"\bend\b", words):
        return [max(first + timedelta(days=4), today)]
    low, high = (0, 2) if re.search("start|beginning|early", words) else (3, 5) if "late" in words else (1, 4)
    days = [day for step in range(low, high) if (day := first + timedelta(days=step)) >= today]
    if not days:
        raise ValueError(f"{words!r} in {quoted(text)} is over: today is {_date_text(today)}.")
    return days


def _workdays(first: date, many: int, today: date, words: str, text: str) -> list[date]:
    """Days from Monday to Friday, none before today."""
    days = [first + timedelta(days=step) for step in range(many)]
    found = [day for day in days if day.weekday() < 5 and day >= today]
    if not found:
        raise ValueError(f"{words!r} in {quoted(text)} has no workday left: today is {_date_text(today)}.")
    return found


def _some_workdays(first: date, many: int) -> list[date]:
    """So many days from Monday to Friday."""
    days = (first + timedelta(days=step) for step in range(2 * many + 7))
    return [day for day in days if day.weekday() < 5][:many]


def _number(word: str) -> int:
    return 1 if word in ("a", "an") else NUMBERS.index(word) + 1 if word in NUMBERS else int(word)


def _weekday(word: str) -> int:
    return next(number for number, name in enumerate(WEEKDAYS) if name.startswith(word.strip(". ")[:3]))


def _start(word: str, today: date, monday: date) -> date:
    """The day that a distance counts from: tomorrow, or a weekday."""
    if word == "tomorrow":
        return today + timedelta(days=1)
    number = _weekday(re.sub(r"^next\s+", "", word))
    if word.startswith("next"):
        return monday + timedelta(days=number + 7)
    return today + timedelta(days=(number - today.weekday()) % 7)


def _month(words: str, today: date) -> tuple[int, int]:
    """The year and month of "this month", "next month", "June", "June 2026"; without a year, from this month on."""
    if "month" in words:
        year, month = divmod(today.year * 12 + today.month - 1 + bool(re.search("next|following|coming", words)), 12)
        return year, month + 1
    match = re.search(rf"({_MONTH})\b\.?(?:\s+(\d{{4}}))?", words)
    assert match is not None, "the pattern has a month here"
    month = next(number for number, name in enumerate(MONTHS, 1) if name[:3] == match[1][:3])
    return int(match[2]) if match[2] else today.year + (month < today.month), month


def _month_days(year: int, month: int) -> list[date]:
    return [date(year, month, day) for day in range(1, monthrange(year, month)[1] + 1)]


def _day_of_month(number: int, today: date, words: str, text: str) -> date:
    """The next date with a number: "the 10th"."""
    for ahead in range(13):
        year, month = divmod(today.year * 12 + today.month - 1 + ahead, 12)
        if 1 <= number <= monthrange(year, month + 1)[1] and date(year, month + 1, number) >= today:
            return date(year, month + 1, number)
    raise ValueError(f"{words!r} in {quoted(text)} is not a date.")


def _named(words: str, today: date | None, text: str) -> date:
    """A day of a month; without a year, the first one from today on."""
    if re.fullmatch(r"\d{4}-\d\d-\d\d", words):
        return date.fromisoformat(words)
    numbers = [int(number) for number in re.findall(r"\d+", words)]
    spelt = re.sub(r"^(the\s+)?\d+(st|nd|rd|th)?\s+(of\s+)?", "", words)
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
