"""What all readers of a request's parts share: its days, known names, texts of times, and the faults so far."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from groundstate import Fault
from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.durations import DAY
from groundstate_models.scheduling.frame import frame, listed, nearest, spelt
from groundstate_models.scheduling.schema import LEAST_WEIGHT, MOST_WEIGHT
from groundstate_models.scheduling.series import Series
from groundstate_models.scheduling.spans import Span, Spans, union
from groundstate_models.scheduling.token import Clock

WORKING_HOURS = (9 * 60, 17 * 60)

_T = TypeVar("_T")


class Reader:
    """A request, its days and recurrences, and the faults found so far.

    Attributes:
        faults: The faults, each with its place.
        days: The days of the request.
        series: Its activities, with those that repeat written out.
        everything: All minutes of the days; with fixed times over midnight, of the days after them too.
        hours: The times of all activities.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.request = request
        self.faults: list[Fault] = []
        self.days: Days = frame(request, self.faults)
        self.series = Series.of(request["activities"], self.days, self.faults)
        self.everything = self.days.spans
        if any(self.overnight(raw, day) for raw, _, day, _ in self.series.raws):
            self.everything = union((start, end + DAY) for start, end in self.days.spans)
        self.said_hours = "hours" in request
        self.hours = self.window(request["hours"], "hours") if self.said_hours else self.everything

    def fault(self, place: str, message: str) -> None:
        fault = Fault(place, message)
        if fault not in self.faults:  # the activities of a series have the same faults
            self.faults.append(fault)

    def value(self, read_one: Callable[[Any], _T], raw: Any, place: str) -> _T | None:
        """The parsed text, or None and a fault."""
        try:
            return read_one(raw)
        except ValueError as error:
            self.fault(place, str(error))
            return None

    def window(self, raw: Any, place: str) -> Spans:
        found: list[Span] = []
        for where, text in spelt(raw, place):
            found += self.value(self.days.window, text, where) or ()
        return union(found)

    def names(self, raw: Any, place: str, known: Mapping[str, Any], noun: str) -> tuple[str, ...]:
        """Known names, each once."""
        found = [str(name) for name in listed(raw)]
        if noun == "activity":
            found = [one for name in found for one in self.series.names.get(name, [name])]
        for name in found:
            if name not in known:
                known_ones = ", ".join(map(repr, list(known)[:8])) or "none"
                hint = nearest(name, list(known)) or f" Known are {known_ones}{', …' if len(known) > 8 else ''}."
                self.fault(place, f"There is no {noun} {name!r}.{hint}")
        return tuple(dict.fromkeys(name for name in found if name in known))

    def weight(self, raw: Mapping[str, Any], place: str) -> float:
        weight = raw.get("weight", 1)
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not LEAST_WEIGHT <= weight <= MOST_WEIGHT:
            message = f"{weight!r} is not a weight; they are from {LEAST_WEIGHT:g} to {MOST_WEIGHT:g}."
            if isinstance(weight, float) and math.isinf(weight) and weight > 0:
                message += ' What must hold is a rule: put it under "rules", or leave out "optional".'
            self.fault(f"{place}.weight", message)
            return 1.0
        return float(weight)

    def overnight(self, raw: Mapping[str, Any], day: int | None) -> bool:
        """Whether an activity of a series has fixed times that pass midnight, such as 22:00-6:00."""
        if day is None or "at" not in raw:
            return False
        try:
            clocks = [word.value.minute for word in self.days.words(str(raw["at"])) if isinstance(word.value, Clock)]
        except ValueError:
            return False
        return len(clocks) == 2 and clocks[1] <= clocks[0]

    @property
    def working_hours(self) -> Spans:
        start, end = WORKING_HOURS
        return self.days.daily(start, end, "the hours of work")
