"""Learns how weeks are usually planned: preferences of the model ``scheduling``, with weights, from past schedules.

As in `_preferences`, each week is contrasted with its neighbours: the same week with one activity moved. Preferences are added
one after another while the best one left is more than chance, so that few weeks do not turn accidents into habits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np

from groundstate_training._errors import TrainingError
from groundstate_training._gradient import threads
from groundstate_training.learning._preferences import LEAST, chosen_habits

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
NEIGHBOURS = 120
"""Neighbours of each week."""

FALSE, SHARE = 0.5, 0.5
"""Habits that chance may give, and their share of those found: a weak one that is wrong costs less than one that is missed."""

FEWEST = 10
MOST = 80
"""Largest number of preferences."""

EDGES = (0, 600, 720, 840, 960, 1440)
"""Boundaries of the times of day that a preference may name, in minutes."""


@dataclass(frozen=True)
class Placed:
    """Where an activity takes place: its day (0 to 6), start and end in minutes of the day, and room."""

    day: int
    start: int
    end: int
    room: str | None


Week = dict[str, Placed]


@dataclass(frozen=True)
class Habit:
    """A preference of ``scheduling``, and how to see that a week breaks it."""

    preference: Mapping[str, Any]
    broken: Callable[[Week], bool]


@dataclass(frozen=True)
class Habits:
    """How weeks are usually planned.

    Attributes:
        habits: Preferences, the strongest first.
        weights: Cost of breaking each, in nats: a week that breaks it is that much less likely.
        weeks: Number of past weeks.
    """

    habits: tuple[Habit, ...]
    weights: tuple[float, ...]
    weeks: int

    def cost(self, answer: Mapping[str, Any]) -> float:
        """The cost of a schedule: lower is closer to the usual weeks.

        Raises:
            TrainingError: If its times cannot be read.
        """
        week = read_week(answer)
        return sum(w for habit, w in zip(self.habits, self.weights, strict=True) if habit.broken(week))

    def preferences(self, strength: float = 1.0) -> list[dict[str, Any]]:
        """The preferences for a request of ``scheduling``, with weights times a strength."""
        return [
            {**habit.preference, "weight": round(strength * weight, 3)}
            for habit, weight in zip(self.habits, self.weights, strict=True)
        ]

    def added(self, request: Mapping[str, Any], strength: float = 1.0) -> dict[str, Any]:
        """The request with the usual preferences beside its own; those about other activities are left out.

        Args:
            request: A request of ``scheduling``.
            strength: Factor on all weights, against the weights of the request's own preferences.
        """
        names = {one["name"] for one in request.get("activities", ())}
        usual = [one for one in self.preferences(strength) if names.issuperset(one["activities"])]
        return {**request, "preferences": [*request.get("preferences", ()), *usual]}

    @property
    def report(self) -> str:
        """One line for each habit."""
        lines = [f"{self.weeks} past weeks, {len(self.habits)} habits"]
        for habit, weight in zip(self.habits, self.weights, strict=True):
            one = habit.preference
            rest = " ".join(str(one[part]) for part in ("window", "room") if part in one)
            lines.append(
                f"{' and '.join(one['activities'])}: {one['type'].replace('_', ' ')} {rest} (weight {weight:g})"
            )
        return "\n".join(line.replace("  ", " ") for line in lines)


def learn_weeks(
    weeks: Sequence[Mapping[str, Any]],
    *,
    feasible: Callable[[int, dict[str, Any]], bool] | None = None,
    seed: int = 0,
) -> Habits:
    """Learn from past weeks how they are usually planned.

    Args:
        weeks: Answers of ``scheduling``: ``{"activities": [{"name": …, "start": "mon 10:00", "end": …, "room": …}]}``. Their
            activities have names that come back from week to week.
        feasible: Whether a changed week would have been possible in the place of the week with an index. Without it, every change
            counts as possible, and a hard rule of the past, such as a closed afternoon, is learned as a habit too.
        seed: Seed of the neighbours.

    Raises:
        TrainingError: If there are fewer than ten weeks, or a time cannot be read; with its place.
    """
    if len(weeks) < FEWEST:
        raise TrainingError(f"There are {len(weeks)} weeks; habits need {FEWEST}.")
    past = [read_week(week, f"week {place}") for place, week in enumerate(weeks, 1)]
    habits = _candidates(past)
    random = np.random.default_rng(seed)
    rows, own = [], []
    slots = sorted({(one.day, one.start) for week in past for one in week.values()})
    days, starts = sorted({d for d, _ in slots}), sorted({s for _, s in slots})
    rooms = {name: sorted({w[name].room or "" for w in past if name in w}) for week in past for name in week}
    before = np.array([[habit.broken(week) for habit in habits] for week in past], np.float64)
    for place, week in enumerate(past):
        names = list(week)
        for _ in range(NEIGHBOURS):
            name = names[random.integers(len(names))]
            one = week[name]
            moved = _moved(one, int(random.integers(4)), days, starts, rooms[name], random)
            if moved == one:
                continue
            other = {**week, name: moved}
            if feasible is not None and not feasible(place, _answer(other)):
                continue
            rows.append([habit.broken(other) for habit in habits] - before[place])
            own.append(place)
    if len(set(own)) < FEWEST:
        raise TrainingError("Nearly no week could have been different, so nothing can be learned about preferences.")
    with threads(1):
        chosen, weights = chosen_habits(np.array(rows, np.float64), np.array(own), FALSE, MOST, SHARE)
    order = [n for n in np.argsort(-weights) if weights[n] >= LEAST]
    return Habits(
        tuple(habits[chosen[n]] for n in order), tuple(round(float(weights[n]), 3) for n in order), len(weeks)
    )


def _moved(
    one: Placed,
    part: int,
    days: Sequence[int],
    starts: Sequence[int],
    rooms: Sequence[str],
    random: np.random.Generator,
) -> Placed:
    """A placement with another day (0), start (1), room (2), or all of them: changes of one thing say most about it."""
    day = int(random.choice(days)) if part in (0, 3) else one.day
    start = int(random.choice(starts)) if part in (1, 3) else one.start
    room = (str(random.choice(rooms)) or None) if part in (2, 3) else one.room
    return Placed(day, start, start + one.end - one.start, room)


def read_week(answer: Mapping[str, Any], where: str = "the week") -> Week:
    """The placements of an answer of ``scheduling``.

    Raises:
        TrainingError: If a time cannot be read, with its place.
    """
    found: Week = {}
    for one in answer.get("activities", ()):
        try:
            day, start = _time(one["start"])
            last, end = _time(one["end"]) if " " in one["end"] or "T" in one["end"] else (day, _clock(one["end"]))
        except (KeyError, ValueError, TypeError, IndexError):
            raise TrainingError(
                f"The times of {one.get('name')!r} in {where} cannot be read: {one.get('start')!r} to {one.get('end')!r}; "
                "give 'mon 10:00' or '2025-03-03T10:00'."
            ) from None
        found[one["name"]] = Placed(day, start, end + 1440 * ((last - day) % 7), one.get("room"))
    return found


def _time(text: str) -> tuple[int, int]:
    if "T" in text:
        moment = dt.datetime.fromisoformat(text)
        return moment.weekday(), 60 * moment.hour + moment.minute
    day, clock = text.split()
    return DAYS.index(day.lower()[:3]), _clock(clock)


def _clock(text: str) -> int:
    hours, minutes = text.split(":")
    return 60 * int(hours) + int(minutes)


def _answer(week: Week) -> dict[str, Any]:
    activities = []
    for name, one in week.items():
        clock = [f"{DAYS[one.day]} {t // 60}:{t % 60:02d}" for t in (one.start, one.end)]
        activities.append(
            {"name": name, "start": clock[0], "end": clock[1], **({"room": one.room} if one.room else {})}
        )
    return {"activities": activities}


def _candidates(past: Sequence[Week]) -> list[Habit]:
    """Preferences about activities that come back: days, times of day, rooms, and pairs of them."""
    many = len(past)
    names = sorted({name for week in past for name in week})
    usual = [name for name in names if sum(name in week for week in past) >= max(FEWEST, many // 4)]
    days = sorted({one.day for week in past for one in week.values()})
    times = [
        (first, last)
        for place, first in enumerate(EDGES[:-1])
        for last in EDGES[place + 1 :]
        if (first, last) != (EDGES[0], EDGES[-1])
    ]
    found = []
    for name in usual:
        found += [_of_day(kind, name, day) for day in days for kind in ("within", "avoid")]
        found += [_of_time(name, *span) for span in times]
        rooms = sorted({week[name].room or "" for week in past if name in week} - {""})
        found += [_of_room(name, room) for room in rooms]
    for one, other in combinations(usual, 2):
        found += [_of_pair(kind, one, other) for kind in ("same_day", "different_day", "same_room", "same_time")]
    return found


def _of_day(kind: str, name: str, day: int) -> Habit:
    def broken(week: Week) -> bool:
        return name in week and (week[name].day != day if kind == "within" else week[name].day == day)

    return Habit({"type": kind, "activities": [name], "window": DAYS[day]}, broken)


def _of_time(name: str, first: int, last: int) -> Habit:
    def broken(week: Week) -> bool:
        return name in week and not first <= week[name].start <= week[name].end <= last

    window = f"{first // 60}:{first % 60:02d}-{last // 60}:{last % 60:02d}"
    return Habit({"type": "within", "activities": [name], "window": window}, broken)


def _of_room(name: str, room: str) -> Habit:
    return Habit(
        {"type": "room", "activities": [name], "room": room}, lambda week: name in week and week[name].room != room
    )


def _of_pair(kind: str, one: str, other: str) -> Habit:
    part = {"same_day": "day", "different_day": "day", "same_room": "room", "same_time": "start"}[kind]

    def broken(week: Week) -> bool:
        if one not in week or other not in week:
            return False
        alike = bool(getattr(week[one], part) == getattr(week[other], part))
        return alike == (kind == "different_day")

    return Habit({"type": kind, "activities": [one, other]}, broken)
