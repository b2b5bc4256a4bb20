"""Small random weeks and all their schedules, for `fuzz`: times, rooms, orders, travel, repeats, wishes and people to choose.

All times are multiples of 30 minutes, so that every schedule that can be moved as early as possible is on that grid.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from itertools import combinations, product
from typing import Any

from groundstate_models.scheduling.check import violations
from groundstate_models.scheduling.schedule import Activity, Schedule

JSON = dict[str, Any]
PEOPLE = ("Ada", "Bob", "Cem")
STEP = 30
MOST = 12_000
"""Combinations of placements above which a request is drawn again."""

_ALONE = {"windows", "people", "rooms", "travel", "staff"}
_IN_PAIRS = {"people", "rooms", "travel", "order"}
"""Checks that one placement can fail, and that two can, whatever else takes place."""


def request(draw: random.Random) -> JSON:
    """A week of two to four activities."""
    days = ["mon", "tue", "wed"][: draw.randint(1, 3)]
    hours = draw.choice(["9:00-11:00", "9:00-12:00", "10:00-12:30", ["9:00-10:30", "13:00-14:30"]])
    people: JSON = {}
    for name in PEOPLE:
        people[name] = {"busy": f"{draw.choice(days)} 9:00-{draw.choice([10, 11])}:00"} if draw.random() < 0.4 else {}
    found: JSON = {"days": days, "hours": hours, "people": people}
    if draw.random() < 0.4:
        found["rooms"] = {"Blue": {"capacity": draw.choice([2, 4])}, "Red": {"busy": draw.choice(days)}}
        if draw.random() < 0.5:
            found["rooms"]["Red"] = {}
    travels = draw.random() < 0.25
    if travels:
        found["travel"] = {"north": {"south": draw.choice([30, 60]), "home": 60}, "south": {"home": 30}}
        for name in PEOPLE:
            if draw.random() < 0.5:
                people[name] = {**people[name], "home": "home"}
    if draw.random() < 0.2:
        found["gap"] = 30
    found["activities"] = list(_activities(draw, found, travels=travels))
    names = [one["name"] for one in found["activities"]]
    found["rules"] = [_wish(draw, names, days) for _ in range(draw.choice([0, 0, 0, 1]))]
    found["preferences"] = [
        {**_wish(draw, names, days, soft=True), "weight": draw.choice([1, 2])} for _ in range(draw.randint(0, 2))
    ]
    if draw.random() < 0.5:
        found["objective"] = draw.choice(["most", "earliest_end", "preferences"])
    return found


def _activities(draw: random.Random, found: JSON, *, travels: bool) -> Iterator[JSON]:
    many = draw.randint(2, 4)
    for number in range(many):
        one: JSON = {"name": f"A{number}", "duration": draw.choice([30, 60, 60, 90])}
        one["who"] = draw.choice(
            ["Ada", "Bob", ["Ada", "Bob"], ["Ada", "Cem"], "one of Ada, Bob", ["Cem", "Ada if possible"], "1 of anyone"]
        )
        if travels:
            one["place"] = draw.choice(["north", "south"])
        elif "rooms" in found and draw.random() < 0.6:
            one["room"] = draw.choice(["any", "Blue"])
        if draw.random() < 0.25:
            one["window"] = draw.choice([found["days"][-1], "before 11:00", f"{found['days'][0]} after 10:00"])
        if number and draw.random() < 0.3:
            one["after"] = f"A{draw.randrange(number)}"
            if draw.random() < 0.4:
                one[draw.choice(["gap", "within"])] = draw.choice([0, 30, 60])
        if draw.random() < 0.35:
            one |= {"optional": True, "weight": draw.choice([1, 1, 2])}
        if number == many - 1 and len(found["days"]) > 1 and draw.random() < 0.3:
            one["repeat"] = draw.choice(["2 times", "2 times, same time"])
        yield one


def _wish(draw: random.Random, names: list[str], days: list[str], *, soft: bool = False) -> JSON:
    kinds = ["within", "avoid", "same_day", "different_day", "same_time", "together"]
    kind = draw.choice([*kinds, "earlier", "later", "avoid"] if soft else kinds)
    one: JSON = {"type": kind}
    if kind in ("within", "avoid"):
        one["window"] = draw.choice([*days, "before 10:00", "after 10:30"])
    if len(names) > 2 and draw.random() < 0.6:
        one["activities"] = draw.sample(names, 2)
    return one


def answers(schedule: Schedule) -> Iterator[JSON] | None:
    """All schedules that no single placement and no pair of placements forbids; None if there are too many to try."""
    options = [list(_placed(schedule, activity)) for activity in schedule.activities.values()]
    total = 1
    for some in options:
        total *= max(1, len(some))
    return None if total > MOST else _together(schedule, options)


def _together(schedule: Schedule, options: list[list[JSON | None]]) -> Iterator[JSON]:
    apart = {
        (i, a, j, b)
        for i, j in combinations(range(len(options)), 2)
        for (a, one), (b, other) in product(enumerate(options[i]), enumerate(options[j]))
        if one is not None and other is not None and _broken(schedule, one, other) & _IN_PAIRS
    }

    def further(chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        i = len(chosen)
        if i == len(options):
            yield chosen
            return
        for a in range(len(options[i])):
            if not any((j, b, i, a) in apart for j, b in enumerate(chosen)):
                yield from further((*chosen, a))

    for chosen in further(()):
        placed = [some[a] for some, a in zip(options, chosen, strict=True)]
        yield {"activities": [one for one in placed if one is not None]}


def _broken(schedule: Schedule, *placed: JSON) -> set[str]:
    return {violation.check for violation in violations(schedule, {"activities": list(placed)})}


def _placed(schedule: Schedule, activity: Activity) -> Iterator[JSON | None]:
    """The placements of one activity that are right alone, and None if it is optional."""
    among = [name for name in schedule.people if any(name in choice.among for choice in activity.choices)]
    for day in schedule.days.numbers:
        begin, end = schedule.days.whole(day)
        for start, room in product(range(begin, end, STEP), activity.rooms or (None,)):
            if not any(low <= start < high for low, high in activity.window):
                continue
            for some in (some for many in range(len(among) + 1) for some in combinations(among, many)):
                one = {"name": activity.name, "start": schedule.days.moment_text(start), "who": [*activity.who, *some]}
                if room is not None:
                    one["room"] = room
                if not _broken(schedule, one) & _ALONE:
                    yield one
    if activity.optional:
        yield None
