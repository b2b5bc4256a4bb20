"""Learns how problems of finite choices are usually solved: preferences for requests of ``constraints``, from past answers.

As in `_weeks`, each past answer is contrasted with its neighbours: the same answer with one variable changed, or two exchanged,
if the constraints of its request allow it. A hard constraint therefore teaches nothing, and what remains is a matter of choice.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import RequestError
from groundstate_models.constraints.problem import Problem
from groundstate_training._errors import TrainingError
from groundstate_training._gradient import threads
from groundstate_training.learning._preferences import LEAST, chosen_habits

NEIGHBOURS = 60
"""Neighbours of each answer."""

FALSE, SHARE = 0.5, 0.3
"""Habits that chance may give where there are none, and their share of those found."""

FEWEST = 10
MOST_PAIRS = 400
"""Largest number of pairs of variables that are compared."""

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Usual:
    """One habit: constraints that usually hold, each on its own.

    Attributes:
        text: The habit in words.
        constraints: Typed constraints of the model ``constraints``.
        broken: Number of these constraints that values break.
    """

    text: str
    constraints: tuple[Mapping[str, Any], ...]
    broken: Callable[[Values], int]


@dataclass(frozen=True)
class Customs:
    """How a kind of problem is usually solved.

    Attributes:
        habits: The habits, the strongest first.
        weights: Cost of each broken constraint, in nats: an answer that breaks it is that much less likely.
        answers: Number of past answers.
    """

    habits: tuple[Usual, ...]
    weights: tuple[float, ...]
    answers: int

    def cost(self, answer: Mapping[str, Any]) -> float:
        """The cost of an answer: lower is closer to the usual ones."""
        values = answer.get("values", answer)
        return float(sum(w * habit.broken(values) for habit, w in zip(self.habits, self.weights, strict=True)))

    def preferences(self, strength: float = 1.0) -> list[dict[str, Any]]:
        """The preferences for a request of ``constraints``, with weights times a strength."""
        return [
            {"constraint": dict(one), "weight": round(strength * weight, 4)}
            for habit, weight in zip(self.habits, self.weights, strict=True)
            for one in habit.constraints
        ]

    def added(self, request: Mapping[str, Any], strength: float = 1.0) -> dict[str, Any]:
        """The request with the usual preferences beside its own constraints and preferences.

        Habits about variables or values that the request does not have are left out.

        Args:
            request: A request of ``constraints``.
            strength: Factor on all weights, against the weights of the request's own preferences. A preference never excludes an
                answer: hard constraints stay hard at any strength.
        """
        domains = Problem.of({"variables": request["variables"]}).domains
        usual = [one for one in self.preferences(strength) if _fits(one["constraint"], domains)]
        return {**request, "preferences": [*request.get("preferences", ()), *usual]}

    @property
    def report(self) -> str:
        """One line for each habit."""
        lines = [f"{self.answers} past answers, {len(self.habits)} habits"]
        lines += [f"{habit.text} (weight {w:g})" for habit, w in zip(self.habits, self.weights, strict=True)]
        return "\n".join(lines)


def learn_answers(
    answers: Sequence[Mapping[str, Any]],
    requests: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    *,
    seed: int = 0,
) -> Customs:
    """Learn from past answers how a kind of problem is usually solved.

    Args:
        answers: Answers of ``constraints``, ``{"values": {…}}``, or the values alone. People may have made them.
        requests: The request that all of them answer, or one for each: their variables and hard constraints. Preferences and
            objectives of them are ignored.
        seed: Seed of the neighbours.

    Raises:
        TrainingError: If there are fewer than ten answers, a request cannot be read, or an answer lacks a variable or breaks its
            constraints; with its number.
    """
    if len(answers) < FEWEST:
        raise TrainingError(f"There are {len(answers)} past answers; habits need {FEWEST}.")
    problems = _problems(requests, len(answers))
    past = [dict(one.get("values", one)) for one in answers]
    for place, (values, problem) in enumerate(zip(past, problems, strict=True), 1):
        if missing := [name for name in problem.domains if name not in values]:
            raise TrainingError(f"The past answer {place} has no value of {missing[0]!r}.")
        if faults := problem.violations(values):
            raise TrainingError(f"The past answer {place} breaks its own request: {faults[0].message}")
    habits = _candidates(past, problems)
    random = np.random.default_rng(seed)
    rows: list[NDArray[np.float64]] = []
    own: list[int] = []
    for place, (values, problem) in enumerate(zip(past, problems, strict=True)):
        before = np.array([habit.broken(values) for habit in habits], np.float64)
        for other in _neighbours(values, problem, random):
            rows.append(np.array([habit.broken(other) for habit in habits], np.float64) - before)
            own.append(place)
    if len(set(own)) < FEWEST:
        raise TrainingError("Nearly no past answer could have been different, so nothing can be learned about habits.")
    with threads(1):
        chosen, weights = chosen_habits(np.array(rows), np.array(own), FALSE, share=SHARE)
    order = [n for n in np.argsort(-weights) if weights[n] >= LEAST]
    return Customs(
        tuple(habits[chosen[n]] for n in order), tuple(round(float(weights[n]), 3) for n in order), len(answers)
    )


def _problems(requests: Mapping[str, Any] | Sequence[Mapping[str, Any]], many: int) -> list[Problem]:
    several = [requests] * many if isinstance(requests, Mapping) else list(requests)
    if len(several) != many:
        raise TrainingError(f"There are {len(several)} requests for {many} past answers.")
    read: dict[int, Problem] = {}
    for place, request in enumerate(several, 1):
        if id(request) not in read:
            hard = {name: part for name, part in request.items() if name in ("variables", "constraints")}
            try:
                read[id(request)] = Problem.of(hard)
            except (RequestError, KeyError, TypeError) as error:
                raise TrainingError(f"The request of the past answer {place} cannot be read: {error}") from None
    return [read[id(request)] for request in several]


def _neighbours(values: Values, problem: Problem, random: np.random.Generator) -> list[dict[str, Any]]:
    """Answers that differ in one variable, or exchange the values of two, and that the constraints allow too."""
    names = list(problem.domains)
    found = []
    for _ in range(NEIGHBOURS):
        other = dict(values)
        if len(names) > 1 and random.random() < 0.4:
            i, j = (names[k] for k in random.choice(len(names), 2, replace=False))
            other[i], other[j] = values[j], values[i]
            fits = other[i] in problem.domains[i] and other[j] in problem.domains[j]
        else:
            name = names[random.integers(len(names))]
            other[name] = problem.domains[name][random.integers(len(problem.domains[name]))]
            fits = True
        if fits and other != values and all(one.holds(other) for one in problem.constraints):
            found.append(other)
    return found


def _candidates(past: Sequence[Values], problems: Sequence[Problem]) -> list[Usual]:
    """Values of variables, values of all variables that share a word in their names, and pairs that are equal or differ."""
    usual = [n for n in problems[0].domains if sum(n in values for values in past) >= max(FEWEST, len(past) // 4)]
    domain = {
        name: list(dict.fromkeys(v for problem in problems for v in problem.domains.get(name, ()))) for name in usual
    }
    found = []
    for name in usual:
        if 2 <= len(domain[name]) <= 60:
            found += [_value(name, value, wanted=True) for value in domain[name]]
            if len(domain[name]) > 2:
                found += [_value(name, value, wanted=False) for value in domain[name]]
    for word, names in _by_word(usual).items():
        for value in dict.fromkeys(v for name in names for v in domain[name]):
            having = [name for name in names if value in domain[name]]
            if len(having) > 1:
                found += [_shared(word, having, value, wanted=True), _shared(word, having, value, wanted=False)]
    pairs = [(a, b) for a, b in combinations(usual, 2) if set(domain[a]) & set(domain[b])]
    for a, b in pairs[:MOST_PAIRS]:
        found += [_pair(a, b, alike=True), _pair(a, b, alike=False)]
    return found


def _by_word(names: Sequence[str]) -> dict[str, list[str]]:
    """The variables that share a word in their names, such as all days of ``Ada mon`` … ``Ada fri``."""
    found: dict[str, list[str]] = {}
    for name in names:
        for word in dict.fromkeys(re.findall(r"[^\W_]+", name)):
            found.setdefault(word, []).append(name)
    return {word: several for word, several in found.items() if 1 < len(several) < len(names)}


def _has(name: str, value: Any, *, wanted: bool) -> dict[str, Any]:
    return {"type": "count", "of": [{"variable": name, "value": value}], "exactly": int(wanted)}


def _value(name: str, value: Any, *, wanted: bool) -> Usual:
    text = f"{name} is {'usually' if wanted else 'seldom'} {value}"
    return Usual(
        text, (_has(name, value, wanted=wanted),), lambda v: int(name in v and (v[name] == value) is not wanted)
    )


def _shared(word: str, names: Sequence[str], value: Any, *, wanted: bool) -> Usual:
    text = f"{len(names)} variables with {word!r} are {'usually' if wanted else 'seldom'} {value}"
    return Usual(
        text,
        tuple(_has(name, value, wanted=wanted) for name in names),
        lambda v: sum(name in v and (v[name] == value) is not wanted for name in names),
    )


def _pair(one: str, other: str, *, alike: bool) -> Usual:
    text = f"{one} and {other} are usually {'equal' if alike else 'different'}"
    constraint = {"type": "equal" if alike else "not_equal", "variables": [one, other]}
    return Usual(text, (constraint,), lambda v: int(one in v and other in v and (v[one] == v[other]) is not alike))


def _fits(constraint: Mapping[str, Any], domains: Mapping[str, Sequence[Any]]) -> bool:
    """Whether a request has the variables and the value of a habit."""
    if "variables" in constraint:
        return all(name in domains for name in constraint["variables"])
    return all(one["variable"] in domains and one["value"] in domains[one["variable"]] for one in constraint["of"])
