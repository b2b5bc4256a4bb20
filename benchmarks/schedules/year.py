"""Every day of a year in three zones with clock changes, against brute force in minutes of UTC.

    python -m benchmarks.schedules.year [--count 2000] [--journal FILE]

The first 1,095 requests are about the days of 2025 in Berlin, New York and on Lord Howe Island (whose clocks change by half an
hour), one each; the others are about the days of clock changes and those beside them. Two thirds are up to three activities with
windows, orders, gaps and busy times, some of them in other zones; one third are night shifts of three people with limits of hours
and of rest. Times of the clock that do not exist or exist twice must be refused, and no others. The brute force uses only
`zoneinfo`.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from itertools import combinations, pairwise, product
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from benchmarks.journal import Journal

import groundstate as gs

JSON = dict[str, Any]
Span = tuple[datetime, datetime]
Judge = Callable[[Sequence[JSON]], bool]
"""Whether the activities of an answer keep everything asked."""

ZONES = ("Europe/Berlin", "America/New_York", "Australia/Lord_Howe")
OTHERS = ("UTC", "Asia/Kolkata", "America/Los_Angeles")
YEAR = 2025
STEP = timedelta(minutes=15)
"""All times are multiples of it, so that an answer on this grid exists where any exists."""

PEOPLE = ("Ada", "Bob", "Cem")
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Case:
    """A request, and what is true of it.

    Attributes:
        unclear: Whether it has a time of the clock that does not exist or exists twice.
        possible: Whether there is an answer; not computed for an unclear request.
        right: The judge of answers.
    """

    request: JSON
    unclear: bool
    possible: Callable[[], bool]
    right: Judge


def dates(count: int) -> Iterator[tuple[str, date]]:
    """Zones and days: all days of the year, then those around clock changes."""
    every = [(zone, date(YEAR, 1, 1) + number * DAY) for number in range(365) for zone in ZONES]
    near = [(zone, day + shift * DAY) for zone, day in every if changes(zone, day) for shift in (-1, 0, 0, 1)]
    for number in range(count):
        yield every[number] if number < len(every) else near[(number - len(every)) % len(near)]


def changes(zone: str, day: date) -> bool:
    where = ZoneInfo(zone)
    one, then = (datetime(d.year, d.month, d.day, tzinfo=where).utcoffset() for d in (day, day + DAY))
    return one != then


class Clock:
    """Times of the clock in a zone, and whether any of those used was unclear."""

    def __init__(self, zone: str) -> None:
        self.zone, self.unclear = ZoneInfo(zone), False

    def instant(self, local: datetime, *, ends: bool = False) -> datetime:
        """The instant of a time of the clock; what ends may end when clocks go forward."""
        one, other = self._both(local)
        if one.utcoffset() != other.utcoffset():
            before, then = self._both(local - timedelta(minutes=1))
            forward = one.utcoffset() < other.utcoffset()  # type: ignore[operator]  # the zones have offsets
            self.unclear |= not (ends and forward and before.utcoffset() == then.utcoffset())
        return one.astimezone(UTC)

    def _both(self, local: datetime) -> list[datetime]:
        return [local.replace(tzinfo=self.zone, fold=fold) for fold in (0, 1)]


def case(number: int, zone: str, day: date) -> Case:
    """The case with a number, on and around a day."""
    draw = random.Random(f"year {number}")
    return shifts(draw, zone, day) if number % 3 == 2 else meetings(draw, zone, day)


def text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M}"


def window(draw: random.Random, clock: Clock, day: date, most: int) -> tuple[str, Span]:
    """A window in the night or on the day, as text and as instants: on the clock, in UTC, or with an offset."""
    begin = datetime.combine(day, clock_time()) + draw.randrange(-8, 40) * 2 * STEP
    lasts = draw.randint(2, most) * STEP
    form = draw.choice(["clock", "clock", "utc"])
    if form == "utc":
        start = begin.replace(tzinfo=UTC)
        return f"{text(start)}Z/{text(start + lasts)}Z", (start, start + lasts)
    end = begin + lasts
    span = clock.instant(begin), clock.instant(end, ends=True)
    return (
        f"{text(begin)}/{text(end)}" if draw.random() < 0.5 else f"{begin:%Y-%m-%d %H:%M} - {end:%Y-%m-%d %H:%M}"
    ), span


@dataclass
class Meetings:
    """Up to three activities, with what limits them as instants."""

    activities: list[JSON]
    windows: list[Span]
    blocked: dict[str, list[Span]]
    pause: timedelta

    def fits(self, index: int, start: datetime, placed: Sequence[datetime]) -> bool:
        """Whether an activity can start then, with the earlier ones placed."""
        one = self.activities[index]
        end = start + timedelta(minutes=one["duration"])
        if start < self.windows[index][0] or end > self.windows[index][1]:
            return False
        if any(start < over and begin < end for name in one["who"] for begin, over in self.blocked[name]):
            return False
        for begin, before in zip(placed, self.activities, strict=False):
            over = begin + timedelta(minutes=before["duration"])
            if set(before["who"]) & set(one["who"]) and start < over + self.pause and begin < end + self.pause:
                return False
            if one.get("after") == before["name"] and start < over + timedelta(minutes=one["gap"]):
                return False
        return True

    def possible(self, placed: tuple[datetime, ...] = ()) -> bool:
        """Whether all activities fit, by trying every start."""
        index = len(placed)
        if index == len(self.activities):
            return True
        first, last = self.windows[index]
        starts = (first + number * STEP for number in range(int((last - first) / STEP)))
        return any(self.fits(index, start, placed) and self.possible((*placed, start)) for start in starts)

    def right(self, given: Sequence[JSON]) -> bool:
        """Whether an answer has every activity, as long as asked, where it fits."""
        by_name = {one["name"]: one for one in given}
        placed: list[datetime] = []
        for index, one in enumerate(self.activities):
            start, end = (datetime.fromisoformat(by_name[one["name"]][key]) for key in ("start", "end"))
            if (end - start).total_seconds() != 60 * one["duration"] or not self.fits(index, start, placed):
                return False
            placed.append(start.astimezone(UTC))
        return len(given) == len(self.activities)


def meetings(draw: random.Random, zone: str, day: date) -> Case:
    """Activities with windows, orders, gaps and busy times."""
    clock, many = Clock(zone), draw.randint(1, 3)
    people: dict[str, JSON] = {name: {} for name in PEOPLE[: draw.randint(1, 3)]}
    gap = draw.choice([0, 0, 15, 30])
    one = Meetings([], [], {name: [] for name in people}, timedelta(minutes=gap))
    for number in range(many):
        said, span = window(draw, clock, day, 24 if many < 3 else 14)
        activity: JSON = {"name": f"m{number}", "duration": 15 * draw.choice([2, 4, 4, 6, 8, 12]), "window": said}
        activity["who"] = draw.sample(list(people), draw.randint(1, len(people)))
        if number and draw.random() < 0.3:
            activity |= {"after": f"m{number - 1}", "gap": draw.choice([0, 15, 30])}
        one.activities.append(activity)
        one.windows.append(span)
    for name, person in people.items():
        if draw.random() < 0.4:
            own = draw.choice(OTHERS) if draw.random() < 0.4 else None
            theirs = clock if own is None else Clock(own)
            said, span = window(draw, theirs, day, 10)
            person.update({"busy": [said]} | ({} if own is None else {"zone": own}))
            one.blocked[name].append(span)
            clock.unclear |= theirs.unclear
    spans = [*one.windows, *(span for some in one.blocked.values() for span in some)]
    numbers = [number for span in spans for number in _days(span, clock.zone)]
    request: JSON = {"zone": zone, "people": people, "activities": one.activities, "gap": gap}
    request["days"] = [f"{date.fromordinal(number)}" for number in range(min(numbers), max(numbers) + 1)]
    return Case(request, clock.unclear, one.possible, one.right)


def _days(span: Span, zone: ZoneInfo) -> tuple[int, int]:
    first, last = (moment.astimezone(zone).toordinal() for moment in (span[0], span[1] - STEP))
    return min(first, last), max(first, last)


def shifts(draw: random.Random, zone: str, day: date) -> Case:
    """A shift in each of three nights, for people to choose, with limits of hours and of rest."""
    clock = Clock(zone)
    days = [day + shift * DAY for shift in (-1, 0, 1)]
    begin, end = draw.choice(
        [
            ("22:00", "6:00"),
            ("20:00", "4:00"),
            ("0:00", "8:00"),
            ("18:00", "8:00"),
            ("14:00", "22:00"),
            ("22:00", "2:30"),
        ]
    )
    names = PEOPLE[: draw.randint(1, 3)]
    many = draw.randint(1, len(names))
    hours = draw.choice([7, 8, 9, 14, 15, 16, 17, 21, 23, 24, 25, 48])
    rest = draw.choice([None, 9, 10, 13, 15, 16, 17])
    spans: list[Span] = []
    for one in days:
        (start, over) = (datetime.combine(one, clock_time.fromisoformat(said.zfill(5))) for said in (begin, end))
        spans.append((clock.instant(start), clock.instant(over if over > start else over + DAY, ends=True)))
    rules: list[JSON] = [{"type": "work", "at_most": f"{hours} h"}]
    if rest is not None:
        rules.append({"type": "rest", "time": f"{rest}h"})
    request: JSON = {
        "zone": zone,
        "days": f"{days[0]}/{days[-1]}",
        "people": list(names),
        "activities": [{"name": "Shift", "at": f"{begin}-{end}", "repeat": "daily", "who": f"{many} of anyone"}],
        "rules": rules,
    }

    def allowed(nights: Sequence[Sequence[str]]) -> bool:
        for name in names:
            mine = [span for span, some in zip(spans, nights, strict=True) if name in some]
            if sum((over - start for start, over in mine), timedelta()) > timedelta(hours=hours):
                return False
            if any(then[0] < before[1] + timedelta(hours=rest or 0) for before, then in pairwise(mine)):
                return False
        return True

    def possible() -> bool:
        return any(map(allowed, product(combinations(names, many), repeat=len(days))))

    def right(given: Sequence[JSON]) -> bool:
        ordered = sorted(given, key=lambda one: datetime.fromisoformat(one["start"]))
        found = [tuple(datetime.fromisoformat(one[key]).astimezone(UTC) for key in ("start", "end")) for one in ordered]
        who = [one["who"] for one in ordered]
        return found == spans and all(len(set(some)) == many for some in who) and allowed(who)

    return Case(request, clock.unclear, possible, right)


def judged(solver: gs.Solver, one: Case) -> str:
    """The outcome of a case, in a word; capital letters for what must not be."""
    try:
        solution = solver.solve(one.request, alternatives=2, deadline=20.0)
    except gs.RequestError as error:
        told = any(words in str(error) for words in ("does not exist", "exists twice"))
        return "refused" if one.unclear and told else f"FALSELY REFUSED ({error})"
    if one.unclear:
        return "GUESSED"
    if solution.status == "ambiguous":
        return "FALSELY AMBIGUOUS"
    if solution.answer is not None:
        return "solved" if one.right(solution.answer["activities"]) else "WRONG"
    possible = one.possible()
    if solution.status == "infeasible":
        return "FALSELY INFEASIBLE" if possible else "infeasible"
    return "not found" if possible else "not proven"


def main(argv: list[str] | None = None) -> int:
    """Print the outcomes; returns 1 if one of them must not be."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=2_000)
    parser.add_argument("--journal", type=Path, help="a file to resume from")
    options = parser.parse_args(argv)
    journal = Journal(options.journal) if options.journal else None
    solver, counts, begun = gs.load("scheduling", threads=1), Counter[str](), time.perf_counter()
    for number, (zone, day) in enumerate(dates(options.count)):
        key = {"number": number}
        record = journal.get(key) if journal else None
        if record is None:
            one = case(number, zone, day)
            record = {"outcome": judged(solver, one)}
            if journal:
                journal.add(key, record)
            if record["outcome"] not in ("refused", "solved", "infeasible"):
                print(f"{record['outcome']}: {number}: {one.request}", flush=True)
        counts[record["outcome"].split(" (")[0]] += 1
    print(f"{options.count} requests in {time.perf_counter() - begun:.0f} s: {dict(counts.most_common())}")
    bad = sum(many for word, many in counts.items() if word.isupper())
    print(f"| wrong, falsely infeasible, guessed, falsely refused or ambiguous | target 0 | {bad} |")
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
