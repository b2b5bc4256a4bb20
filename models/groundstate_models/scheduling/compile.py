"""Compile a schedule to the constraints language: one variable per activity, with starts and rooms as values."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from typing import Any

from groundstate_models.constraints.problem import Checked
from groundstate_models.scheduling.clashes import JSON, LEFT_OUT, Values, clashes
from groundstate_models.scheduling.modes import alike, modes
from groundstate_models.scheduling.preferences import Placement, Preference
from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.shared import Alias, renamed, shared
from groundstate_models.scheduling.staff import Staff
from groundstate_models.scheduling.starts import Starts, offered

MOST_WEIGHT = 1e6


@dataclass(frozen=True)
class Compiled:
    """A schedule as a problem of the constraints language.

    Attributes:
        schedule: The schedule to solve.
        request: Fits `constraints.schema.REQUEST`; its variables have the activities' names.
        values: Meaning of each value of a variable, except `LEFT_OUT`.
        rooms: Interchangeable rooms, by their representative in ``values``.
        loose: Whether activities must be moved as early as possible, see `starts.Starts`.
        complete: Whether the starts suffice for proofs, see `starts.Starts`.
        left_out, broken: Cost of a weight of 1 in ``request``.
        most_broken: Largest cost of all broken preferences.
        never: Weight of the optional activities for which there is no time.
        staff: The people to choose; None if there are none.
        alias: Activities without a variable of their own, see `shared`.
    """

    schedule: Schedule
    request: JSON
    values: Values
    rooms: Mapping[str, tuple[str, ...]]
    loose: bool
    complete: bool
    left_out: float
    broken: float
    most_broken: float = 0.0
    never: float = 0.0
    staff: Staff | None = None
    alias: Alias = field(default_factory=dict)

    def price(self, left_out: float, broken: float) -> float:
        """The cost in the request's preferences, from the weights left out and violated."""
        return self.left_out * (left_out - self.never) + self.broken * broken


def compile(schedule: Schedule, latest_end: int | None = None) -> Compiled:  # noqa: A001 - what it is called everywhere
    """Compile a schedule. Its preferences cost the same as `check.Cost.key`, minus the unavoidable part.

    Args:
        schedule: What is to be placed; `proofs.contradictions` found nothing with the same bound.
        latest_end: Latest end of all activities, in minutes. For the objective "earliest_end", solve again with an earlier bound
            than the last answer's end, until that is proven impossible or the budget runs out.

    Raises:
        RequestError: If it has too many possible starts.
        ValueError: If an activity that has to take place has no start left.
    """
    found, starts = _values(schedule, latest_end)
    alone, alias = shared(schedule, found)
    staff = Staff(schedule, alone, {*alias, *alias.values()}) if schedule.staffed else None
    values = alone if staff is None else staff.activities
    variables: JSON = {}
    for name, meant in values.items():
        if name in alias:
            continue
        if not schedule.activities[name].optional and not meant:
            raise ValueError(f"{name} has to take place and has no start; `contradictions` says why.")
        variables[name] = [*meant, *([LEFT_OUT] if schedule.activities[name].optional else [])]
    rooms = alike(schedule)
    rules = [
        (rule.where, kept) for rule in schedule.rules if rule.pairs for kept in _held(schedule, rule, values, alias)
    ]
    preferences, for_left_out, for_broken, most_broken = _preferences(schedule, values, staff)
    never = sum(
        activity.weight for name, activity in schedule.activities.items() if activity.optional and not values[name]
    )
    constraints: Any = [*clashes(schedule, values, rooms), *({**broken, "name": where} for where, broken in rules)]
    if staff is not None:
        constraints += staff.constraints()
        variables |= staff.variables
    if alias:
        constraints, preferences = renamed(constraints, alias), renamed(preferences, alias)
    request = Checked(variables=variables, constraints=constraints, preferences=preferences)
    return Compiled(
        schedule=schedule,
        request=request,
        values=values,
        rooms=rooms,
        loose=starts.loose,
        complete=starts.complete,
        left_out=for_left_out,
        broken=for_broken,
        most_broken=most_broken,
        never=never,
        staff=staff,
        alias=alias,
    )


def _values(schedule: Schedule, latest_end: int | None) -> tuple[dict[str, dict[str, Placement]], Starts]:
    """Meaning of each activity's values, in order of time, and the starts behind them."""
    found = offered(schedule, modes(schedule, latest_end))
    placed: dict[str, list[Placement]] = {name: [] for name in schedule.activities}
    for (name, room), starts in found.by_mode.items():
        placed[name] += [Placement(start, schedule.activities[name].end(start), room) for start in starts]
    values: dict[str, dict[str, Placement]] = {}
    for name, activity in schedule.activities.items():
        values[name] = {
            schedule.days.moment_text(one.start) + (f" {one.room}" if len(activity.rooms) > 1 else ""): one
            for one in sorted(placed[name], key=lambda one: (one.start, one.room or ""))
        }
    return values, found


def _preferences(schedule: Schedule, values: Values, staff: Staff | None) -> tuple[list[JSON], float, float, float]:
    """Preferences for the weights left out and violated; the scales of both; and the cost if all are violated."""
    scale = 1.0
    broken = [
        (penalty, weight)
        for one in schedule.preferences
        for penalty, weight in (_pairs(schedule, one, values) if one.pairs else _unary(schedule, one, values))
        if weight > 0
    ]
    broken += staff.preferences() if staff is not None else ()
    left_out = [
        (_none_of([(activity.name, LEFT_OUT)]), activity.weight)
        for activity in schedule.activities.values()
        if activity.optional and values[activity.name]
    ]
    if schedule.objective != "preferences" and left_out and broken:
        # One more absence must cost more than violating every preference.
        scale = 1 + sum(weight for _, weight in broken) / min(weight for _, weight in left_out)
        left_out = [(penalty, weight * scale) for penalty, weight in left_out]
    both = [*left_out, *broken]
    shrink = min(1.0, MOST_WEIGHT / max((weight for _, weight in both), default=1.0))
    preferences = [{"constraint": penalty, "weight": weight * shrink} for penalty, weight in both]
    return preferences, scale * shrink, shrink, shrink * sum(weight for _, weight in broken)


def _none_of(literals: list[tuple[str, str]]) -> JSON:
    return {"type": "count", "of": [{"variable": name, "value": value} for name, value in literals], "at_most": 0}


def _unary(schedule: Schedule, preference: Preference, values: Values) -> Iterator[tuple[JSON, float]]:
    """A penalty for each share of its weight among the values of each activity."""
    for name in preference.activities:
        by_share: dict[float, list[tuple[str, str]]] = {}
        for value, one in values[name].items():
            share = preference.share(schedule.activities[name], one)
            by_share.setdefault(share, []).append((name, value))
        yield from ((_none_of(some), preference.weight * share) for share, some in by_share.items() if share)


def _pairs(schedule: Schedule, preference: Preference, values: Values) -> Iterator[tuple[JSON, float]]:
    """Penalties for the pairs that violate the preference."""
    for one, other in combinations(preference.activities, 2):
        first, then = (_by_key(schedule, preference, values[name]) for name in (one, other))
        everywhere = [value for some in then.values() for value in some]
        for key, some in first.items():
            if preference.kind == "different_day":
                against = then.get(key, [])
            else:
                against = [value for value in everywhere if value not in then.get(key, ())]
            if against:
                literals = [*((one, value) for value in some), *((other, value) for value in against)]
                yield {**_none_of(literals), "at_most": 1}, preference.weight


def _held(schedule: Schedule, rule: Preference, values: Values, alias: Alias) -> Iterator[JSON]:
    """The constraints of a rule about pairs: one for each property that activities share or not."""
    keyed = {name: _by_key(schedule, rule, values[name]) for name in rule.activities}
    if rule.kind == "different_day":
        for key in dict.fromkeys(key for some in keyed.values() for key in some):
            literals = [(name, value) for name, some in keyed.items() for value in some.get(key, ())]
            if sum(key in some for some in keyed.values()) > 1:
                yield {**_none_of(literals), "at_most": 1}
        return
    if any(schedule.activities[name].optional for name in rule.activities):
        yield from (broken for broken, _ in _pairs(schedule, rule, values))
        return
    for one, other in pairwise(rule.activities):
        if alias.get(one, one) == alias.get(other, other):
            continue
        for key in dict.fromkeys([*keyed[one], *keyed[other]]):
            terms: list[JSON] = [{"variable": one, "value": value} for value in keyed[one].get(key, ())]
            terms += [{"variable": other, "value": value, "times": -1} for value in keyed[other].get(key, ())]
            yield {"type": "linear", "terms": terms, "equals": 0}


def _by_key(schedule: Schedule, preference: Preference, meant: Mapping[str, Placement]) -> dict[Hashable, list[str]]:
    found: dict[Hashable, list[str]] = {}
    for value, one in meant.items():
        found.setdefault(preference.key(one, schedule.days), []).append(value)
    return found
