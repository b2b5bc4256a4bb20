"""The days and the time zone of a request, given or inferred from its times."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

from groundstate import Fault
from groundstate_models.scheduling.days import Days, read_differently
from groundstate_models.scheduling.phrases import part_hours
from groundstate_models.scheduling.relative import quoted
from groundstate_models.scheduling.series import named_days
from groundstate_models.scheduling.times import SHORT, printed_clock, tokens
from groundstate_models.scheduling.token import Dates, Token

MOST_DAYS = 100
WORKDAYS = (0, 1, 2, 3, 4)
MOST_LISTED = 5
"""Dates of a phrase that an echo lists."""


def nearest(word: str, words: Sequence[str]) -> str:
    """A suggestion: " Did you mean 'x'?", or an empty text."""
    folded = {other.casefold(): other for other in words}
    close = difflib.get_close_matches(word.casefold(), folded, n=1)
    return f" Did you mean {folded[close[0]]!r}?" if close else ""


def listed(value: Any) -> list[Any]:
    """A value or a list of values, as a list."""
    return list(value) if isinstance(value, list | tuple) else [value]


def spelt(window: Any, place: str) -> Iterator[tuple[str, str]]:
    """The texts of a window of a request, with their places."""
    many = isinstance(window, list | tuple)
    for index, one in enumerate(listed(window)):
        yield f"{place}[{index}]" if many else place, str(one)


def texts(request: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Every text of a request with times, with its place."""
    parts: list[tuple[str, Mapping[str, Any]]] = [("", request)]
    for kind in ("people", "rooms"):
        if isinstance(group := request.get(kind), Mapping):
            parts += [(f"{kind}.{name}.", one) for name, one in group.items()]
    for kind in ("activities", "rules", "preferences"):
        parts += [(f"{kind}[{index}].", one) for index, one in enumerate(request.get(kind, ()))]
    for place, one in parts:
        for key in ("hours", "busy", "free", "window", "at"):
            if key in one:
                yield from spelt(one[key], place + key)
        if "repeat" in one:
            yield f"{place}repeat", named_days(str(one["repeat"]))


def frame(request: Mapping[str, Any], faults: list[Fault]) -> Days:
    """The days of a request; faults are added to a list."""
    words: list[tuple[str, str, tuple[Token, ...]]] = []
    today = _today(request, faults)
    for place, text in texts(request):
        try:
            words.append((place, text, tokens(text, today)))
        except ValueError:
            continue  # the reader of this window reports the fault
    zone = _zone(request, words, faults)
    if "days" in request:
        numbers, dated = _days(request["days"], today, faults)
    else:
        numbers, dated = _named(words, zone, today)
    if today is not None and not dated:
        numbers, dated = _from(today, numbers), True
    understood = _understood([found for _, _, found in words], request, today)
    read = {text: found for _, text, found in words if len(text) > SHORT}
    days = Days(tuple(numbers or WORKDAYS), bool(dated and numbers), zone, today, understood, read)
    try:
        assert days.clocks
    except ValueError as error:
        faults.append(Fault("zone", str(error)))
        return replace(days, zone=None)
    return days


def _zone(
    request: Mapping[str, Any], words: Sequence[tuple[str, str, tuple[Token, ...]]], faults: list[Fault]
) -> tzinfo | None:
    """The zone of a request: given, or shared by all its times."""
    if "zone" in request:
        return zone_named(str(request["zone"]), faults)
    zoned: list[tuple[str, str, datetime]] = []
    bare: list[tuple[str, str]] = []
    for place, text, found in words:
        moments = [word.value for word in found if isinstance(word.value, datetime)]
        zoned += [(place, text, moment) for moment in moments if moment.tzinfo]
        if any(word.kind == "C" for word in found) or any(moment.tzinfo is None for moment in moments):
            bare.append((place, text))
    if not zoned:
        return None
    where, other, first = zoned[0]
    advice = 'write them all alike, or say which zone is meant: "zone": "Europe/Berlin".'
    for place, text in bare:
        faults.append(Fault(place, f"{quoted(text)} has no time zone, and {where} ({other!r}) has one; {advice}"))
    for place, text, moment in zoned:
        if moment.utcoffset() != first.utcoffset():
            faults.append(Fault(place, f"{quoted(text)} has another time zone than {where} ({other!r}); {advice}"))
    return first.tzinfo


def zone_named(name: str, faults: list[Fault], place: str = "zone") -> tzinfo | None:
    """A time zone by its name; None and a fault if there is none."""
    import zoneinfo

    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        known = zoneinfo.available_timezones()
        without = "" if known else " This machine knows none; install the package tzdata."
        faults.append(Fault(place, f"There is no time zone {name!r}.{nearest(name, sorted(known))}{without}"))
        return None


def _today(request: Mapping[str, Any], faults: list[Fault]) -> date | None:
    if "today" not in request:
        return None
    text = str(request["today"])
    try:
        words = tokens(text)
    except ValueError as error:
        faults.append(Fault("today", str(error)))
        return None
    if len(words) == 1 and isinstance(words[0].value, date):
        return words[0].value.date() if isinstance(words[0].value, datetime) else words[0].value
    faults.append(Fault("today", f'{quoted(text)} is not a date; write "2025-06-02".'))
    return None


def _understood(read: Sequence[tuple[Token, ...]], request: Mapping[str, Any], today: date | None) -> str:
    """The dates of relative days, and the hours of parts of a day, in the texts that were read and in the days."""
    meanings: dict[str, str] = {}
    seen: set[str] = set()
    for _, text in spelt(request["days"], "days") if "days" in request else ():
        with suppress(ValueError):
            read = [*read, tokens(text, today)]
    for words in read:
        for word in words:
            if word.text in seen:
                continue
            seen.add(word.text)
            part = part_hours(word.text) if word.kind == "C" else None
            if part is not None:
                meanings.setdefault(word.text, "-".join(map(printed_clock, part)))
            elif isinstance(word.value, Dates):
                meanings.setdefault(word.text, _range_text(word.value.days))
            elif today and type(word.value) is date and not re.match(r"\d{4}-", word.text):
                meanings.setdefault(word.text, f"{word.value:%A} {word.value}")
        meanings.update((said, meant) for said, meant in read_differently(words) if said not in meanings)
    return ", ".join(f"{word} is {meant}" for word, meant in meanings.items())


def _range_text(days: Sequence[date]) -> str:
    """Dates in words: their first and last, or a list."""
    first, last = days[0], days[-1]
    between = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    ends = f"{first:%A} {first} to {last:%A} {last}"
    if list(days) == between:
        return ends
    if list(days) == [day for day in between if day.weekday() < len(WORKDAYS)]:
        return f"{ends} without weekends"
    return " and ".join(str(day) for day in days[:MOST_LISTED]) + (" and more" if len(days) > MOST_LISTED else "")


def _from(today: date, weekdays: Sequence[int]) -> list[int]:
    """The dates of some weekdays in the seven days from today on."""
    return [day for day in range(today.toordinal(), today.toordinal() + 7) if (day - 1) % 7 in weekdays]


def _days(days: Any, today: date | None, faults: list[Fault]) -> tuple[list[int], bool]:
    """Day numbers in order, and whether they are dates."""
    weekdays: set[int] = set()
    dates: set[int] = set()
    before = len(faults)
    many = isinstance(days, list | tuple)
    for index, text in enumerate(listed(days)):
        place = f"days[{index}]" if many else "days"
        try:
            some, these = _one(str(text), today)
        except ValueError as error:
            faults.append(Fault(place, str(error)))
            continue
        weekdays |= some
        dates |= these
        if dates and weekdays:
            faults.append(
                Fault(place, f"{quoted(text)} stands beside days of the other kind; give weekdays or dates, not both.")
            )
        if len(dates) > MOST_DAYS:
            faults.append(
                Fault(place, f"With {quoted(text)} there are more than {MOST_DAYS} days, which are the most.")
            )
        if len(faults) > before:
            break
    return sorted(dates or weekdays), bool(dates)


def _one(text: str, today: date | None) -> tuple[set[int], set[int]]:
    """The weekdays of a text, and the ordinals of its dates; with a date of today, its weekdays are dates too."""
    words = list(tokens(text, today))
    kinds = "".join(word.kind for word in words)
    if kinds.startswith("AD-"):
        words, kinds = words[1:], kinds[1:]  # "from mon to wed"
    if kinds.startswith("WD,D"):
        words, kinds = [words[1], Token("-", None, "and"), *words[3:]], "D-" + kinds[3:]  # "between mon and wed"
    if not re.fullmatch(rf"{_LISTED}(?:,?X{_LISTED})?", kinds):
        raise ValueError(
            f'{quoted(text)} is not a day; write "mon", "mon-fri", "2025-03-03" or "2025-03-03/2025-03-07".'
        )
    cut = kinds.find("X") if "X" in kinds else len(words)
    weekdays, dates = _resolved(words[:cut], text)
    if today is not None:
        dates, weekdays = dates | set(_from(today, sorted(weekdays))), set()
    if cut < len(words):
        some, these = _resolved(words[cut + 1 :], text)
        weekdays -= some
        dates = {day for day in dates if day not in these and (day - 1) % 7 not in some}
        if not weekdays and not dates:
            raise ValueError(f"{quoted(text)} leaves no day.")
    if weekdays and dates:
        raise ValueError(f'{quoted(text)} names dates and weekdays; give dates, or "today".')
    return weekdays, dates


_LISTED = r"D(?:-D)?(?:,?D(?:-D)?)*"


def _resolved(words: Sequence[Token], text: str) -> tuple[set[int], set[int]]:
    """The weekdays and the ordinals of days and ranges of days."""
    weekdays: set[int] = set()
    dates: set[int] = set()
    for index, word in enumerate(words):
        if word.kind != "D":
            continue
        ends = index > 1 and words[index - 1].kind == "-"
        if word.text.startswith(("every other", "every second", "every 2nd", "alternate")):
            raise ValueError(f'{quoted(text)} is a recurrence; write the dates, or "repeat": "every other Monday".')
        if isinstance(word.value, tuple):
            weekdays.update(word.value)
            first = words[index - 2].value if ends else None
            if isinstance(first, tuple):
                weekdays.update((first[0] + step) % 7 for step in range((word.value[-1] - first[0]) % 7 + 1))
            elif ends:
                raise ValueError(f"{quoted(text)} goes from a date to a weekday; write both as dates.")
            continue
        days = _ordinals(word)
        dates.update(days)
        if ends:
            begin = _ordinals(words[index - 2])
            if not begin:
                raise ValueError(f"{quoted(text)} goes from a weekday to a date; write both as dates.")
            if days[-1] < begin[0]:
                raise ValueError(f"{quoted(text)} ends before it starts.")
            dates.update(range(begin[0], min(days[-1], begin[0] + MOST_DAYS) + 1))
    return weekdays, dates


def _ordinals(word: Token) -> list[int]:
    """The ordinals of the dates of a word; none of weekdays."""
    if isinstance(word.value, Dates):
        return [day.toordinal() for day in word.value.days]
    return [word.value.toordinal()] if isinstance(word.value, date) else []


def _named(
    words: Sequence[tuple[str, str, tuple[Token, ...]]], zone: tzinfo | None, today: date | None
) -> tuple[list[int], bool]:
    """The days of a request without a list: from its first date to its last; else workdays and the named days."""
    dates: list[int] = []
    weekdays: set[int] = set()
    for _, _, found in words:
        _add_days(found, zone, dates, weekdays)
    if dates:
        if today is not None:
            dates += _from(today, sorted(weekdays))
            if any(word.kind == "B" for _, _, found in words for word in found):
                dates.append(today.toordinal())  # "by Friday" begins today
        return list(range(min(dates), min(max(dates), min(dates) + MOST_DAYS) + 1)), True
    return sorted({*weekdays, *WORKDAYS}), False


def _add_days(found: Sequence[Token], zone: tzinfo | None, dates: list[int], weekdays: set[int]) -> None:
    """Add the dates and weekdays of a text."""
    for word in found:
        if word.kind == "X":
            return  # what is excluded need not be one of the days
        if isinstance(word.value, Dates):
            dates += _ordinals(word)
        elif isinstance(word.value, datetime):
            when = word.value.astimezone(zone) if word.value.tzinfo and zone else word.value
            dates.append(when.date().toordinal())
        elif isinstance(word.value, date):
            dates.append(word.value.toordinal())
        elif isinstance(word.value, tuple) and len(word.value) == 1:
            weekdays.update(word.value)
