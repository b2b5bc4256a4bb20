"""Recurrence: an activity that repeats becomes one activity for each time, named after its day or its number."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from groundstate import Fault
from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.relative import quoted
from groundstate_models.scheduling.spans import intersection

_NUMBERS = {"once": 1, "twice": 2, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7}
_TIMES = re.compile(
    rf"(?P<many>\d{{1,3}}|{'|'.join(_NUMBERS)})(?:\s*(?:times|x|×))?(?:\s*(?:a|per|each|every)\s+(?P<per>day|week))?"
)
_SAME_TIME = re.compile(r",?\s*(?:always\s+)?(?:at\s+)?(?:the\s+)?same\s+time(?:\s+(?:each|every)\s+(?:day|week))?")
_OTHER = re.compile(r"(?:on\s+)?(?:every\s+(?:other|second|2nd|two|2)|alternate)\s+(?:weeks?,?\s+on\s+)?(?P<what>.+)")
_FORTNIGHTLY = re.compile(r"every\s+(?:other|second|2nd|two|2)\s+weeks?|bi-?weekly|fortnightly|every\s+fortnight")

Time = tuple[str, int | None, str | None]
"""Of one time of a series: its title, its day if it has one, and its window if it has one."""

FORMS = 'write "every Tuesday", "daily", "every weekday", "3 times", "twice a week" or "every other Monday"'


@dataclass
class Series:
    """The activities of a request, with those that repeat written out.

    Attributes:
        raws: Each activity as in the request, with its own name, its index there, its day if it has one, and its series.
        names: The names of each series, by its name in the request.
        rules: The rules that the recurrence brings: their kind, and the activities.
    """

    raws: list[tuple[Mapping[str, Any], int, int | None, str | None]] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    rules: list[tuple[str, str, list[str]]] = field(default_factory=list)

    @classmethod
    def of(cls, activities: Sequence[Mapping[str, Any]], days: Days, faults: list[Fault]) -> Series:
        found = cls()
        for index, raw in enumerate(activities):
            if "repeat" not in raw:
                found.raws.append((raw, index, None, None))
                continue
            place = f"activities[{index}].repeat"
            try:
                times, same_time, apart = _times(str(raw["repeat"]), days)
            except ValueError as error:
                faults.append(Fault(place, str(error)))
                found.raws.append((raw, index, None, None))
                continue
            found.add(raw, index, times)
            names = found.names[raw["name"]]
            if same_time and len(names) > 1:
                found.rules.append(("same_time", place, names))
            for some in apart:
                if len(some) > 1:
                    found.rules.append(("different_day", place, [names[number] for number in some]))
        return found

    def add(self, raw: Mapping[str, Any], index: int, times: Sequence[Time]) -> None:
        """Write a recurrence out."""
        names: list[str] = []
        for title, day, window in times:
            name = f"{raw['name']} {title}"
            names.append(name)
            one = {**raw, "name": name}
            if window is not None and "window" not in raw:
                one["window"] = window
            self.raws.append((one, index, day, raw["name"]))
        self.names[raw["name"]] = names


def named_days(text: str) -> str:
    """The days that a text of a recurrence names, without its other words, for the days of a request."""
    lowered = _SAME_TIME.sub("", text.lower()).strip(" ,")
    other = _OTHER.fullmatch(lowered)
    return other["what"] if other else lowered


def _times(text: str, days: Days) -> tuple[list[Time], bool, list[list[int]]]:
    """The title, the day and the window of each time; whether all are at one time of day; and which are on different days."""
    lowered = text.lower().strip()
    same_time = _SAME_TIME.search(lowered) is not None
    lowered = _SAME_TIME.sub("", lowered).strip(" ,")
    if lowered in ("daily", "each day", "every day", ""):
        numbers = list(days.numbers)
    elif _FORTNIGHTLY.fullmatch(lowered):
        return _often(1, "week", days)[0][::2], same_time, []
    elif lowered == "weekly":
        return *_often(1, "week", days), same_time, []
    elif match := _TIMES.fullmatch(lowered):
        many = int(match["many"]) if match["many"].isdecimal() else _NUMBERS[match["many"]]
        if many == 0:
            raise ValueError(f"{quoted(text)} is not a time at all; {FORMS}.")
        times = _often(many, match["per"], days)[0]
        return times, same_time, list(_apart(many, match["per"], times, days))
    else:
        numbers, window = _days(lowered, text, days)
        return [(days.day_text(day), day, window) for day in numbers], same_time, []
    return [(days.day_text(day), day, None) for day in numbers], same_time, []


def _often(many: int, per: str | None, days: Days) -> tuple[list[Time]]:
    if per is None:
        return ([(str(number), None, None) for number in range(1, many + 1)],)
    if per == "day":
        return (
            [
                (f"{days.day_text(day)}{f' {n}' if many > 1 else ''}", day, None)
                for day in days.numbers
                for n in range(1, many + 1)
            ],
        )
    weeks: dict[int, list[int]] = {}
    for day in days.numbers:
        weeks.setdefault(days.week(day), []).append(day)
    found: list[Time] = []
    for count, inside in enumerate(weeks.values(), 1):
        window = (
            f"{days.day_text(inside[0])} - {days.day_text(inside[-1])}" if len(inside) > 1 else days.day_text(inside[0])
        )
        week = f"week {count}" if len(weeks) > 1 else ""
        for number in range(1, many + 1):
            title = f"{week} {number if many > 1 or not week else ''}".strip()
            found.append((title, None, window if len(weeks) > 1 else None))
    return (found,)


def _apart(many: int, per: str | None, times: Sequence[Time], days: Days) -> Iterator[list[int]]:
    """Times that are on different days: all of a week, or all; but not more than there are days."""
    if per == "day":
        return
    size = many if per == "week" else len(times)
    for first in range(0, len(times), size):
        if size <= len(days.numbers):
            yield list(range(first, first + size))


def _days(lowered: str, text: str, days: Days) -> tuple[list[int], str | None]:
    """The days that are named, or every second week of them; and their window, if the text has times of day."""
    other = _OTHER.fullmatch(lowered)
    words = re.sub(r"^(?:on\s+)?(?:every|each)\s+", "", other["what"] if other else lowered)
    if other and words == "day":
        return list(days.numbers)[::2], None
    try:
        kinds = "".join(word.kind for word in days.words(words))
        if kinds.endswith("C") and "-" not in kinds and not set("ABW") & set(kinds):
            raise ValueError(f'{quoted(text)} has a time of day; give it as "at".')  # noqa: TRY301
        spans = days.window(words)
    except ValueError as error:
        raise ValueError(f"{error} Or {FORMS}.") from None
    found = [day for day in days.numbers if any(start <= days.whole(day)[0] < end for start, end in spans)]
    window = None
    if "C" in kinds:
        found = [day for day in days.numbers if intersection(spans, (days.whole(day),))]
        window = words
    if not found:
        raise ValueError(f"{quoted(text)} is on none of the days of this request, which are {days.listed}; {FORMS}.")
    first = days.week(found[0])
    return [day for day in found if not other or (days.week(day) - first) % 2 == 0], window
