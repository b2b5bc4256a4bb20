"""Choose people for activities: variables of the constraints language, their constraints, and what their values mean.

Where one person is chosen for an activity with one start, a variable has the people as values. Where an activity has several
starts, its own variable has the pairs of a start and a person as values: one of two vans at a time. A person's activities of one
day that exclude each other share a variable, whose values are the activities and `OFF`; this is the usual model of a roster. Any
other possible part of a person in an activity has a variable of its own, with the starts of the activity as values.

Long because variables, constraints and meanings of one encoding must agree.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any

from groundstate_models.constraints.schema import MOST_VALUES
from groundstate_models.scheduling.check import Placed
from groundstate_models.scheduling.clashes import LEFT_OUT, Values
from groundstate_models.scheduling.conflicts import Literal, Spots, conflicts, short_ways, tired
from groundstate_models.scheduling.limits import Limit
from groundstate_models.scheduling.modes import on_the_way
from groundstate_models.scheduling.preferences import Placement, Preference
from groundstate_models.scheduling.schedule import Activity, Schedule
from groundstate_models.scheduling.spans import inside, overlap

OFF = "off"
"""Value of a variable of a person who takes no part."""

_MARK = "\x1f"
"""In names of variables, a character that no name of a request has."""

JSON = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A person's possible part in an activity.

    Attributes:
        choice: Number of the activity's choice; None for a person who must be there.
        variable: The variable that decides it.
        values: The values with which the person takes part, and when and where that is.
    """

    person: str
    activity: str
    choice: int | None
    variable: str
    values: Mapping[str, Placement]

    @property
    def literals(self) -> list[Literal]:
        return [(self.variable, value) for value in self.values]


@dataclass
class Staff:
    """Who may take which part.

    Args:
        schedule: The request.
        activities: The values of each activity.
        fixed: Activities that share their variable with others.

    Attributes:
        activities: The values of each activity; those of an `assigned` one have a person each.
        assigned: Activities whose own variable decides who is chosen.
        variables: The new variables and their values.
        parts: The possible parts, of those who must be there too, by person.
    """

    schedule: Schedule
    activities: Values
    fixed: Collection[str] = ()
    assigned: set[str] = field(default_factory=set)
    variables: dict[str, list[str]] = field(default_factory=dict)
    parts: dict[str, list[Part]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.activities = {**self.activities, **dict(self._assigned())}
        for person in self.schedule.people:
            self.parts[person] = [
                Part(person, a.name, None, a.name, self.activities[a.name])
                for a in self.schedule.attending[person]
                if self.activities[a.name]
            ]
        self._single = set(self._by_activity())
        for person in self.schedule.people:
            self._choices_of(person)

    def _assigned(self) -> Iterator[tuple[str, dict[str, Placement]]]:
        """The values, each with a person, of activities for which one person is chosen."""
        for name, activity in self.schedule.activities.items():
            if name in self.fixed or len(self.activities[name]) < 2 or len(activity.choices) != 1:
                continue
            (choice,) = activity.choices
            able = {person: self._possible(person, activity) for person in choice.among}
            alone = (choice.least, choice.most, choice.weight) == (1, 1, 0.0)
            if alone and 0 < sum(map(len, able.values())) < MOST_VALUES:
                self.assigned.add(name)
                yield (
                    name,
                    {
                        _MARK.join((value, person)): replace(able[person][value], who=(person,))
                        for value in self.activities[name]
                        for person in choice.among
                        if value in able[person]
                    },
                )

    def _by_activity(self) -> Iterator[tuple[str, int]]:
        """The choices of one person for the only activity of a day: a variable each, with the people as values."""
        schedule = self.schedule
        fixed: dict[int, list[tuple[Activity, int]]] = {}
        for activity in schedule.activities.values():
            for number in range(len(activity.choices)):
                if len(self.activities[activity.name]) == 1:
                    (one,) = self.activities[activity.name].values()
                    fixed.setdefault(schedule.days.day(one.start), []).append((activity, number))
        for some in fixed.values():
            activity, number = some[0]
            choice = activity.choices[number]
            if len(some) > 1 or activity.optional or (choice.least, choice.most) != (1, 1):
                continue
            able = {person: possible for person in choice.among if (possible := self._possible(person, activity))}
            if not able:
                continue
            name = _MARK.join((activity.name, str(number)))
            self.variables[name] = list(able)
            for person, possible in able.items():
                values = dict.fromkeys([person], next(iter(possible.values())))
                self.parts[person].append(Part(person, activity.name, number, name, values))
            yield activity.name, number

    def _choices_of(self, person: str) -> None:
        days: dict[int, list[tuple[Activity, int, dict[str, Placement]]]] = {}
        for activity in self.schedule.activities.values():
            for number, choice in enumerate(activity.choices):
                if person not in choice.among or (activity.name, number) in self._single:
                    continue
                if activity.name in self.assigned:
                    mine = {value: one for value, one in self.activities[activity.name].items() if person in one.who}
                    self.parts[person].append(Part(person, activity.name, number, activity.name, mine))
                    continue
                possible = self._possible(person, activity)
                if not possible:
                    continue
                if len(self.activities[activity.name]) == 1:
                    (one,) = possible.values()
                    days.setdefault(self.schedule.days.day(one.start), []).append((activity, number, possible))
                else:
                    self._alone(person, activity, number, possible)
        for day, some in days.items():
            self._on_one_day(person, day, some)

    def _possible(self, person: str, activity: Activity) -> dict[str, Placement]:
        """The values of an activity at which a person could be there."""
        schedule, who = self.schedule, self.schedule.people[person]
        found = {}
        for value, one in self.activities[activity.name].items():
            work = activity.work(one.start, one.end)
            there = all(inside(span, who.open) and not overlap(span, who.busy) for span in work)
            way = schedule.way(who.home, schedule.place(activity, one.room))
            late = way and overlap((one.start, one.start + 1), on_the_way(schedule, person, way))
            if there and not late and not self._ruled_out(person, activity, one):
                found[value] = one
        return found

    def _ruled_out(self, person: str, activity: Activity, one: Placement) -> bool:
        return any(
            rule.kind in ("within", "avoid") and rule.share(activity, one) > 0
            for rule in self.schedule.rules
            if person in rule.people and activity.name in rule.staffed
        )

    def _alone(self, person: str, activity: Activity, number: int, possible: dict[str, Placement]) -> None:
        name = _MARK.join((person, activity.name, str(number)))
        self.variables[name] = [*possible, OFF]
        self.parts[person].append(Part(person, activity.name, number, name, possible))

    def _on_one_day(self, person: str, day: int, some: Sequence[tuple[Activity, int, dict[str, Placement]]]) -> None:
        placed = [next(iter(possible.values())) for _, _, possible in some]
        one_a_day = any(
            limit.weight is None and limit.kind == "work" and limit.per == "day" and limit.most == 1 and not limit.minutes
            and person in limit.who and all(activity.name in limit.activities for activity, _, _ in some)
            for limit in self.schedule.limits
        )  # fmt: skip
        exclusive = one_a_day or all(
            one.start < other.end + self.schedule.gap and other.start < one.end + self.schedule.gap
            for one, other in combinations(placed, 2)
        )
        if not exclusive or len({(a.name, n) for a, n, _ in some}) == 1:
            for activity, number, possible in some:
                self._alone(person, activity, number, possible)
            return
        name = _MARK.join((person, str(day)))
        values = [f"{activity.name}{_MARK}{number}" for activity, number, _ in some]
        self.variables[name] = [*values, OFF]
        for value, (activity, number, possible) in zip(values, some, strict=True):
            (one,) = possible.values()
            self.parts[person].append(Part(person, activity.name, number, name, {value: one}))

    def chosen(self, given: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
        """The people chosen for each activity, by the values of all variables; in the order of the request."""
        found: dict[str, list[str]] = {}
        for person, parts in self.parts.items():
            for part in parts:
                if part.choice is not None and str(given[part.variable]) in part.values:
                    found.setdefault(part.activity, []).append(person)
        return {name: tuple(dict.fromkeys(people)) for name, people in found.items()}

    def values(self, placed: Placed) -> dict[str, str] | None:
        """The values of the new variables for placements with their people; None if they are not among the values."""
        found = {name: OFF if OFF in values else values[0] for name, values in self.variables.items()}
        for person, parts in self.parts.items():
            left = {name for name, one in placed.items() if person in one.who}
            for part in parts:
                if part.choice is None or part.activity not in left:
                    continue
                if part.activity in self.assigned:
                    left.discard(part.activity)
                    continue
                one = replace(placed[part.activity], who=())
                value = next(
                    (v for v, other in part.values.items() if (other.start, other.room) == (one.start, one.room)), None
                )
                if value is not None and (found[part.variable] == OFF or OFF not in self.variables[part.variable]):
                    found[part.variable] = value
                    left.discard(part.activity)
            if left:
                return None
        return found

    def constraints(self) -> Iterator[JSON]:
        """Constraints that hold exactly if enough people are chosen, and nobody is overworked or in two places."""
        yield from self._links()
        for activity in self.schedule.activities.values():
            for number, choice in enumerate(activity.choices if activity.name not in self.assigned else ()):
                yield from self._enough(activity, number, choice.least, choice.most)
        for person, parts in self.parts.items():
            if any(part.choice is not None for part in parts):
                yield from self._apart(person, parts)
        for limit in self.schedule.limits:
            if limit.weight is None:
                for person in limit.who:
                    yield from self.limited(limit, person)
        yield from self._works()

    def preferences(self) -> Iterator[tuple[JSON, float]]:
        """Soft constraints with their costs."""
        for limit in self.schedule.limits:
            if limit.weight is not None:
                for person in limit.who:
                    for one in self.limited(limit, person):
                        yield one, limit.weight
        for activity in self.schedule.activities.values():
            for number, choice in enumerate(activity.choices):
                if choice.weight:
                    there = self._of(activity.name, number)
                    absent = [(activity.name, LEFT_OUT)] if activity.optional else []
                    if there or not activity.optional:
                        yield _at_least([*there, *absent], 1), choice.weight
        for preference in self.schedule.preferences:
            yield from self._wish(preference)

    def _wish(self, preference: Preference) -> Iterator[tuple[JSON, float]]:
        for person in preference.people:
            for part in self.parts[person]:
                if part.choice is None or part.activity not in preference.staffed:
                    continue
                activity = self.schedule.activities[part.activity]
                by_share: dict[float, list[Literal]] = {}
                for value, one in part.values.items():
                    by_share.setdefault(preference.share(activity, one), []).append((part.variable, value))
                for share, literals in by_share.items():
                    if share:
                        yield _at_most(literals, 0), preference.weight * share

    def _of(self, activity: str, number: int) -> list[Literal]:
        """The literals with which somebody takes part by a choice of an activity."""
        return [
            literal
            for parts in self.parts.values()
            for part in parts
            if part.activity == activity and part.choice == number
            for literal in part.literals
        ]

    def _links(self) -> Iterator[JSON]:
        """A person takes part only at the activity's own start and room."""
        for parts in self.parts.values():
            for part in parts:
                activity = self.schedule.activities[part.activity]
                own = self.activities[part.activity]
                if part.choice is None or part.variable == activity.name or (len(own) == 1 and not activity.optional):
                    continue
                for value, one in part.values.items():
                    start = next(name for name, other in own.items() if other == one)
                    then = [{"variable": part.activity, "value": start}]
                    yield {
                        "type": "implies",
                        "name": f"{part.person} is there when {part.activity} is",
                        "if": [{"variable": part.variable, "value": value}],
                        "then": then,
                    }

    def _enough(self, activity: Activity, number: int, least: int, most: int) -> Iterator[JSON]:
        there = self._of(activity.name, number)
        name = f"{activity.name} needs {activity.choices[number].in_words()}"
        if not activity.optional:
            yield {**_between(there, least, most), "name": name}
            return
        terms = [{"variable": variable, "value": value} for variable, value in there]
        if least:
            left_out = {"variable": activity.name, "value": LEFT_OUT, "times": least}
            yield {"type": "linear", "terms": [*terms, left_out], "at_least": least, "name": name}
        if terms:
            yield {**_at_most(there, most), "name": name}

    def _apart(self, person: str, parts: Sequence[Part]) -> Iterator[JSON]:
        """A person is in one activity at a time, with the gap and the way between two, and with rest between days."""
        schedule = self.schedule
        spans: dict[str, list[list[Any]]] = {}
        for part in parts:
            for value, one in part.values.items():
                spans.setdefault(part.variable, []).append([value, one.start, one.end + schedule.gap])
        if len(spans) > 1:
            tasks = [{"variable": variable, "spans": some} for variable, some in spans.items()]
            yield {"type": "cumulative", "name": f"{person} is in one activity at a time", "tasks": tasks}
        if schedule.travel:
            for literals in conflicts(self._spots(parts), short_ways(schedule)):
                yield {**_at_most(literals, 1), "name": f"the ways of {person}"}

    def _spots(self, parts: Sequence[Part]) -> dict[str, Spots]:
        """The placements of a person's parts, by variable."""
        found: dict[str, list[tuple[str, Placement, str | None]]] = {}
        for part in parts:
            activity = self.schedule.activities[part.activity]
            for value, one in part.values.items():
                found.setdefault(part.variable, []).append((value, one, self.schedule.place(activity, one.room)))
        return {variable: Spots.of(some) for variable, some in found.items()}

    def limited(self, limit: Limit, person: str) -> Iterator[JSON]:
        """The constraints of a limit for one person."""
        name = f"{person}: {limit.in_words()}"
        days = self.schedule.days
        parts = [part for part in self.parts[person] if part.activity in limit.activities]
        match limit.kind:
            case "rest":
                for literals in conflicts(self._spots(parts), tired(days, limit.time)):
                    yield {**_at_most(literals, 1), "name": name}
            case "days_in_a_row":
                most = limit.most or 0
                for first in days.numbers:
                    window = range(first, first + most + 1)
                    if all(day in days.numbers for day in window):
                        off = [literal for day in window for literal in self._off(person, day, limit)]
                        yield {**_at_least(off, 1), "name": name}
            case _:
                for period in limit.periods(days):
                    yield from ({**one, "name": name} for one in self._bounded(limit, parts, period))

    def _bounded(self, limit: Limit, parts: Sequence[Part], period: int) -> Iterator[JSON]:
        days = self.schedule.days
        terms: list[JSON] = [
            {"variable": part.variable, "value": value, "times": limit.amount(one)}
            for part in parts
            for value, one in part.values.items()
            if limit.period(days, one.start) == period
        ]
        most: dict[str, int] = {}
        for term in terms:
            most[term["variable"]] = max(most.get(term["variable"], 0), term["times"])
        bounds = {}
        if limit.most is not None and sum(most.values()) > limit.most:
            bounds["at_most"] = limit.most
        if limit.least:
            bounds["at_least"] = limit.least
        if not bounds:
            return
        if not terms:
            yield _at_least([], 1)
            return
        yield {"type": "linear", "terms": terms, **bounds}

    def _day(self, person: str, day: int, limit: Limit) -> dict[str, list[str]]:
        """The values of each variable with which a person works on a day."""
        found: dict[str, list[str]] = {}
        for part in self.parts[person]:
            if part.activity in limit.activities:
                for value, one in part.values.items():
                    if self.schedule.days.day(one.start) == day:
                        found.setdefault(part.variable, []).append(value)
        return found

    def _off(self, person: str, day: int, limit: Limit) -> list[Literal]:
        """Literals of which one holds if a person is free on a day; at most one of them can hold."""
        deciding = self._day(person, day, limit)
        free = _MARK.join((person, str(day), "free", limit.where))
        if len(deciding) == 1:
            ((variable, values),) = deciding.items()
            if variable in self.variables and set(self.variables[variable]) == {*values, OFF}:
                return [(variable, OFF)]
        self.variables.setdefault(free, ["yes", "no"])
        return [(free, "yes")]

    def _works(self) -> Iterator[JSON]:
        """Who takes part in something on a day is not free on it."""
        for limit in self.schedule.limits:
            for person in limit.who if limit.kind == "days_in_a_row" else ():
                for day in self.schedule.days.numbers:
                    free = _MARK.join((person, str(day), "free", limit.where))
                    if free not in self.variables:
                        continue
                    for variable, values in self._day(person, day, limit).items():
                        literals = [(free, "yes"), *((variable, value) for value in values)]
                        yield {
                            **_at_most(literals, 1),
                            "name": f"{person} is free on {self.schedule.days.day_text(day)}",
                        }


def _count(literals: Sequence[Literal], bounds: Mapping[str, int]) -> JSON:
    of = [{"variable": variable, "value": value} for variable, value in dict.fromkeys(literals)]
    return {"type": "count", "of": of, **bounds}


def _at_least(literals: Sequence[Literal], many: int) -> JSON:
    return _count(literals, {"at_least": many})


def _at_most(literals: Sequence[Literal], many: int) -> JSON:
    return _count(literals, {"at_most": many})


def _between(literals: Sequence[Literal], least: int, most: int) -> JSON:
    return _count(literals, {"exactly": least} if least == most else {"at_least": least, "at_most": most})
