"""Small requests, solved by trying everything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.problem import Problem
from groundstate_models.scheduling.check import violations
from groundstate_models.scheduling.schedule import Schedule


def satisfying(problem: Problem) -> Iterator[dict[str, Value]]:
    """All values that keep the constraints of a problem."""
    names = list(problem.domains)
    due: dict[str, list[Any]] = {name: [] for name in names}
    for constraint in problem.constraints:
        due[max(constraint.variables, key=names.index)].append(constraint)

    def extend(given: dict[str, Value], left: list[str]) -> Iterator[dict[str, Value]]:
        if not left:
            yield dict(given)
            return
        name, *rest = left
        for value in problem.domains[name]:
            given[name] = value
            if all(constraint.holds(given) for constraint in due[name]):
                yield from extend(given, rest)
        del given[name]

    yield from extend({}, names)


def by_check(schedule: Schedule, starts: Mapping[str, list[str]]) -> Iterator[dict[str, Any]]:
    """All answers that pass the check, of those in which activities start at some moments, in any room, or are left out."""
    choices: list[list[dict[str, Any] | None]] = []
    for name, activity in schedule.activities.items():
        rooms = [{"room": room} for room in activity.rooms] or [{}]
        placed = [{"name": name, "start": start, **room} for start in starts[name] for room in rooms]
        alone = [one for one in placed if _alone(schedule, one)]
        choices.append([*alone, None] if activity.optional else [*alone])
    for combination in product(*choices):
        answer = {"activities": [one for one in combination if one is not None]}
        if not violations(schedule, answer):
            yield answer


def _alone(schedule: Schedule, one: dict[str, Any]) -> bool:
    """Whether an activity breaks nothing but what others may mend."""
    return {broken.check for broken in violations(schedule, {"activities": [one]})} <= {"activities", "order"}


def when(answer: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    """What starts when in an answer, whatever the rooms."""
    return frozenset((one["name"], one["start"]) for one in answer["activities"])
