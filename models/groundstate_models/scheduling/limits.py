"""Rules about each person's work over days and weeks: how much, how long the rest, how many days in a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from groundstate_models.scheduling.days import Days
from groundstate_models.scheduling.durations import printed_duration
from groundstate_models.scheduling.preferences import Placement

KINDS = {
    "work": "each person has `at_least` and `at_most` so many activities, or hours, a `per`",
    "rest": "at least `time` between a person's activities of different days",
    "days_in_a_row": "each person works `at_most` so many days in a row",
}
"""The kinds of limits."""

PERIODS = ("day", "week", "all")

Worked = Mapping[str, Sequence[tuple[str, Placement]]]
"""The activities of each person with their placements, in order of time."""


@dataclass(frozen=True)
class Limit:
    """A limit for each of some people, over some activities.

    Attributes:
        kind: One of `KINDS`.
        where: Its place in the request.
        who: The people.
        activities: The activities that count.
        weight: Cost of each person and period that breaks it; None if it must hold.
        least, most: Number of activities or of minutes; None if open.
        minutes: Whether minutes are counted.
        per: The period.
        time: The rest in minutes.
    """

    kind: str
    where: str
    who: tuple[str, ...]
    activities: frozenset[str]
    weight: float | None = None
    least: int | None = None
    most: int | None = None
    minutes: bool = False
    per: str = "all"
    time: int = 0

    def period(self, days: Days, start: int) -> int:
        """The number of the period of a start: of the day, or of the week from Monday."""
        day = days.day(start)
        return 0 if self.per == "all" else day if self.per == "day" else days.week(day)

    def amount(self, one: Placement) -> int:
        return one.end - one.start if self.minutes else 1

    def broken(self, worked: Worked, days: Days) -> Iterator[str]:
        """A sentence for each person and period that breaks it."""
        for person in self.who:
            mine = [one for name, one in worked.get(person, ()) if name in self.activities]
            match self.kind:
                case "rest":
                    yield from self._tired(person, mine, days)
                case "days_in_a_row":
                    yield from self._unbroken(person, mine, days)
                case _:
                    yield from self._too_much(person, mine, days)

    def _tired(self, person: str, mine: Sequence[Placement], days: Days) -> Iterator[str]:
        for one, other in combinations(mine, 2):
            if days.day(one.start) != days.day(other.start) and other.start - one.end < self.time:
                rest, least = printed_duration(max(0, other.start - one.end)), printed_duration(self.time)
                yield f"{person} rests {rest} before {days.moment_text(other.start)}, and should rest {least}."

    def _unbroken(self, person: str, mine: Sequence[Placement], days: Days) -> Iterator[str]:
        worked = sorted({days.day(one.start) for one in mine})
        most = self.most or 0
        for first in worked:
            if all(day in worked for day in range(first, first + most + 1)):
                yield f"{person} works more than {most} days in a row from {days.day_text(first)}."

    def _too_much(self, person: str, mine: Sequence[Placement], days: Days) -> Iterator[str]:
        for period in self.periods(days):
            amount = sum(self.amount(one) for one in mine if self.period(days, one.start) == period)
            if (self.most is not None and amount > self.most) or (self.least is not None and amount < self.least):
                yield f"{person} has {self._said(amount)}{self._when(days, period)}; {self.in_words()}."

    def periods(self, days: Days) -> list[int]:
        """The periods that the days of a request are in."""
        return sorted({self.period(days, days.whole(day)[0]) for day in days.numbers})

    def _said(self, amount: int) -> str:
        return printed_duration(amount) if self.minutes else f"{amount} {'activity' if amount == 1 else 'activities'}"

    def _when(self, days: Days, period: int) -> str:
        if self.per == "day":
            return f" on {days.day_text(period)}"
        first = next((day for day in days.numbers if days.week(day) == period), None)
        return f" in the week of {days.day_text(first)}" if self.per == "week" and first is not None else ""

    def in_words(self) -> str:
        """The limit, as a clause."""
        if self.kind == "rest":
            return f"at least {printed_duration(self.time)} of rest between days"
        if self.kind == "days_in_a_row":
            return f"at most {self.most} days in a row"
        bounds = [f"at least {self._said(self.least)}"] if self.least is not None else []
        bounds += [f"at most {self._said(self.most)}"] if self.most is not None else []
        return f"{' and '.join(bounds)}{'' if self.per == 'all' else f' a {self.per}'} for each person"
