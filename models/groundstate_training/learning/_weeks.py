"""Learns how weeks are usually planned: preferences of the model ``scheduling``, with weights, from past schedules.

Each activity of a past week was placed at one of many times and in one of several rooms, beside the others. `_choices` learns the
cost of each day, time of day, room and relation to another activity from what was chosen instead of what; the costs become the
fewest preferences that say the same.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from groundstate_training._errors import TrainingError
from groundstate_training._gradient import threads
from groundstate_training.learning._choices import Weights, learned_weights

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ALTERNATIVES = 40
"""Places and times that each activity is compared with, in each week."""

TRIES = 120
"""Most draws for them: many are impossible where people and rooms are busy."""

LEAST = 0.25
"""Weight, in nats, below which a habit is dropped."""

SURE, SURE_PAIRS = 1.0, 2.0
"""Standard errors by which a weight must differ from nothing: of a single activity, and of a pair, of which there are many."""

FEWEST = 10
MOST = 80
"""Largest number of preferences."""

EDGES = (0, 600, 720, 840, 960, 1440)
"""Boundaries of the times of day that a preference may name, in minutes."""

RELATIONS = ("same_day", "same_room", "same_time")
KINDS = ("day", "time", "room", *RELATIONS)

Property = tuple[str | int | None, ...]
"""A property of a placement: its kind, one activity or two, and a value."""


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
        """The request with the usual preferences beside its own; those about other activities or rooms are left out.

        Args:
            request: A request of ``scheduling``.
            strength: Factor on all weights, against the weights of the request's own preferences.
        """
        names = {one["name"] for one in request.get("activities", ())}
        rooms = {room for room in request.get("rooms", ()) if isinstance(room, str)}
        usual = []
        for one in self.preferences(strength):
            if "room" in one:
                known = [
                    room for room in ([one["room"]] if isinstance(one["room"], str) else one["room"]) if room in rooms
                ]
                one["room"] = known[0] if len(known) == 1 else known
            if names.issuperset(one["activities"]) and one.get("room") != []:
                usual.append(one)
        return {**request, "preferences": [*request.get("preferences", ()), *usual]}

    @property
    def report(self) -> str:
        """One line for each habit."""
        lines = [f"{self.weeks} past weeks, {len(self.habits)} habits"]
        for habit, weight in zip(self.habits, self.weights, strict=True):
            one = habit.preference
            lines.append(f"{' and '.join(one['activities'])}: {_words(one)} (weight {weight:g})")
        return "\n".join(lines)


def _words(preference: Mapping[str, Any]) -> str:
    """A preference in words."""
    match preference["type"]:
        case "within":
            return f"on {preference['window']}"
        case "avoid":
            window = preference["window"]
            return f"not {'on' if window in DAYS else 'at'} {window}"
        case "room":
            room = preference["room"]
            return f"in {room if isinstance(room, str) else ' or '.join(room)}"
    return {"same_day": "on one day", "different_day": "on different days", "same_room": "in one room"}.get(
        preference["type"], "at one time of day"
    )


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
    choices, properties = _choices(past, feasible, np.random.default_rng(seed))
    if len(choices) < FEWEST:
        raise TrainingError("Nearly no week could have been different, so nothing can be learned about preferences.")
    kinds = [KINDS.index(str(one[0])) for one in properties]
    with threads(1):
        weights = learned_weights(choices, kinds, [KINDS.index(kind) for kind in RELATIONS])
    habits = sorted(_habits(properties, weights), key=lambda habit: -habit[1])[:MOST]
    return Habits(tuple(habit for habit, _ in habits), tuple(round(weight, 3) for _, weight in habits), len(weeks))


def _choices(
    past: Sequence[Week], feasible: Callable[[int, dict[str, Any]], bool] | None, random: np.random.Generator
) -> tuple[list[list[list[int]]], list[Property]]:
    """How each activity that comes back was placed, and how it might have been: the properties of each, as indices."""
    every = sorted({name for week in past for name in week})
    usual = {name for name in every if sum(name in week for week in past) >= max(FEWEST, len(past) // 4)}
    slots = [one for week in past for one in week.values()]
    days, starts = sorted({one.day for one in slots}), sorted({one.start for one in slots})
    rooms = {name: sorted({week[name].room or "" for week in past if name in week}) for name in every}
    index: dict[Property, int] = {}
    choices = []
    for place, week in enumerate(past):
        for name in sorted(usual & week.keys()):
            own = week[name]
            seen, options = {own}, [own]
            for _ in range(TRIES):
                start = int(random.choice(starts))
                other = Placed(
                    int(random.choice(days)),
                    start,
                    start + own.end - own.start,
                    str(random.choice(rooms[name])) or None,
                )
                if other not in seen:
                    seen.add(other)
                    if feasible is None or feasible(place, _answer({**week, name: other})):
                        options.append(other)
                if len(options) > ALTERNATIVES:
                    break
            if len(options) > 1:
                rows = [_properties(name, one, week, usual) for one in options]
                choices.append([[index.setdefault(key, len(index)) for key in row] for row in rows])
    return choices, list(index)


def _properties(name: str, placed: Placed, week: Week, usual: AbstractSet[str]) -> list[Property]:
    found: list[Property] = [("day", name, placed.day), ("room", name, placed.room)]
    for place, (first, last) in enumerate(pairwise(EDGES)):
        if placed.start < last and first < placed.end:
            found.append(("time", name, place))
    for other in usual & week.keys() - {name}:
        pair = (min(name, other), max(name, other))
        beside = week[other]
        if placed.day == beside.day:
            found.append(("same_day", *pair))
        if placed.room == beside.room and placed.room is not None:
            found.append(("same_room", *pair))
        if placed.start == beside.start:
            found.append(("same_time", *pair))
    return found


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


def _habits(properties: Sequence[Property], weights: Weights) -> list[tuple[Habit, float]]:
    """The costs as preferences with positive weights."""
    costs: dict[tuple[str, str], dict[Any, tuple[float, float]]] = {}
    found: list[tuple[Habit, float]] = []
    for key, value, error in zip(properties, weights.values, weights.errors, strict=True):
        kind, name, last = str(key[0]), str(key[1]), key[2]
        if kind not in RELATIONS:
            costs.setdefault((kind, name), {})[last] = (float(value), float(error))
        elif abs(value) > max(LEAST, SURE_PAIRS * error):
            if value < 0:
                found.append((_of_pair(kind, name, str(last)), -float(value)))
            elif kind == "same_day":
                found.append((_of_pair("different_day", name, str(last)), float(value)))
    for (kind, name), of in costs.items():
        match kind:
            case "day":
                found += _of_days(name, _steps(of))
            case "time":
                found += _of_times(name, _steps(of))
            case _:
                found += _of_rooms(name, _steps(of))
    return found


def _steps(costs: Mapping[Any, tuple[float, float]]) -> list[tuple[Any, float]]:
    """Values and their costs above the least, in rising order; costs that hardly differ become equal."""
    order = sorted(costs, key=lambda value: costs[value][0])
    found: list[tuple[Any, float]] = []
    level: list[Any] = []
    for value in order:
        if level:
            mean = sum(costs[one][0] for one in level) / len(level)
            error = max(costs[value][1], costs[level[0]][1])
            if costs[value][0] - mean > max(LEAST, SURE * error):
                found += [(one, mean) for one in level]
                level = []
        level.append(value)
    found += [(one, sum(costs[one][0] for one in level) / len(level)) for one in level]
    return [(value, cost - found[0][1]) for value, cost in found]


def _of_days(name: str, steps: Sequence[tuple[int, float]]) -> list[tuple[Habit, float]]:
    """One day that is better than all others, and days that are worse than the others."""
    found = []
    base = 0.0
    if len(steps) > 1 and steps[1][1] > 0:
        base = steps[1][1]
        found.append((_of_day("within", name, steps[0][0]), base))
    found += [(_of_day("avoid", name, day), cost - base) for day, cost in steps if cost > base]
    return found


def _of_times(name: str, steps: Sequence[tuple[int, float]]) -> list[tuple[Habit, float]]:
    """Times of day to avoid; neighbours with one cost become one window."""
    found: list[tuple[Habit, float]] = []
    costs = dict(steps)
    first = 0
    for place in range(len(EDGES) - 1):
        cost = costs.get(place, 0.0)
        if place == len(EDGES) - 2 or costs.get(place + 1, 0.0) != cost:
            if cost > 0:
                found.append((_of_time(name, EDGES[first], EDGES[place + 1]), cost))
            first = place + 1
    return found


def _of_rooms(name: str, steps: Sequence[tuple[str | None, float]]) -> list[tuple[Habit, float]]:
    """The best room or rooms, then the next ones beside them."""
    found = []
    for place, (_, cost) in enumerate(steps[1:], 1):
        if cost > steps[place - 1][1]:
            rooms = tuple(room for room, _ in steps[:place] if room is not None)
            if len(rooms) == place:
                found.append((_of_room(name, rooms), cost - steps[place - 1][1]))
    return found


def _of_day(kind: str, name: str, day: int) -> Habit:
    def broken(week: Week) -> bool:
        return name in week and (week[name].day != day if kind == "within" else week[name].day == day)

    return Habit({"type": kind, "activities": [name], "window": DAYS[day]}, broken)


def _of_time(name: str, first: int, last: int) -> Habit:
    def broken(week: Week) -> bool:
        return name in week and week[name].start < last and first < week[name].end

    window = f"{first // 60}:{first % 60:02d}-{last // 60}:{last % 60:02d}"
    return Habit({"type": "avoid", "activities": [name], "window": window}, broken)


def _of_room(name: str, rooms: Sequence[str]) -> Habit:
    room: str | list[str] = rooms[0] if len(rooms) == 1 else list(rooms)
    return Habit(
        {"type": "room", "activities": [name], "room": room}, lambda week: name in week and week[name].room not in rooms
    )


def _of_pair(kind: str, one: str, other: str) -> Habit:
    part = {"same_day": "day", "different_day": "day", "same_room": "room", "same_time": "start"}[kind]

    def broken(week: Week) -> bool:
        if one not in week or other not in week:
            return False
        alike = bool(getattr(week[one], part) == getattr(week[other], part))
        return alike == (kind == "different_day")

    return Habit({"type": kind, "activities": [one, other]}, broken)
