"""Build a problem from a request: look up names, read constraints, refuse meaningless parts with their places."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from groundstate import Fault, RequestError, Violation
from groundstate_models.constraints import derived, intervals, objective, sequences
from groundstate_models.constraints.factors import MOST_EDGES, Graph, Value
from groundstate_models.constraints.goal import goal
from groundstate_models.constraints.intervals import NoOverlap
from groundstate_models.constraints.kinds import negated, parts, read
from groundstate_models.constraints.language import AllDifferent, Assignment, Constraint, Table
from groundstate_models.constraints.logic import AllOf, invertible
from groundstate_models.constraints.names import nearest
from groundstate_models.constraints.notation import Names
from groundstate_models.constraints.schema import MOST_NUMBERS
from groundstate_models.constraints.typed import typed

MOST_FAULTS = 20


class Checked(dict[str, Any]):
    """A request made by a program. Its constraints fit their types, so only names are checked."""


@dataclass(frozen=True)
class Preference:
    """A soft constraint, and its cost if it does not hold."""

    constraint: Constraint
    weight: float


@dataclass(frozen=True)
class Problem:
    """A valid request.

    Attributes:
        domains: Values of each variable.
        constraints: The hard constraints.
        names: Name of each constraint: from the request, else its type and place.
        preferences: The soft constraints.
        objective: What is to be least or greatest; None if nothing is.
    """

    domains: Mapping[str, tuple[Value, ...]]
    constraints: tuple[Constraint, ...]
    names: tuple[str, ...]
    preferences: tuple[Preference, ...]
    objective: objective.Objective | None = None

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Problem:
        """Read a request that has passed `schema.REQUEST`.

        Raises:
            RequestError: If it has unknown names, or needs numbers where there are names; with every place.
        """
        checked = isinstance(request, Checked)
        request = request if checked else _whole(request)
        faults: list[Fault] = []
        domains: dict[str, tuple[Value, ...]] = {}
        many = 0
        for name, raw in request["variables"].items():
            domains[name] = _domain(name, raw, faults)
            many += len(domains[name])
            if many > MOST_EDGES:  # the graph would be refused, after much longer
                message = (
                    f"The variables have more than {MOST_EDGES} values together; split the problem, or give them fewer."
                )
                faults.append(Fault(f"variables.{name}", message))
                break
        if faults:
            raise RequestError(faults[:MOST_FAULTS])
        vocabulary = Names(domains)
        constraints, names = [], []
        for index, raw in enumerate(request.get("constraints", ())):
            constraints.append(_constraint(raw, f"constraints[{index}]", vocabulary, faults, checked=checked))
            names.append(_name(raw, index))
        preferences = [
            Preference(
                _constraint(raw["constraint"], f"preferences[{index}].constraint", vocabulary, faults, checked=checked),
                _weight(raw, f"preferences[{index}].weight", faults),
            )
            for index, raw in enumerate(request.get("preferences", ()))
        ]
        wanted = goal(request["objective"], vocabulary, faults) if "objective" in request else None
        if faults:
            raise RequestError(faults[:MOST_FAULTS])
        return cls(domains, tuple(constraints), tuple(names), tuple(preferences), wanted)

    def only(self, sources: Sequence[int]) -> Problem:
        """The problem with some of its constraints, without preferences."""
        constraints = tuple(self.constraints[source] for source in sources)
        return Problem(self.domains, constraints, tuple(self.names[source] for source in sources), ())

    @cached_property
    def graph(self) -> Graph:
        """Its literals, factors and costs; the source of preference k is ``len(constraints) + k``.

        A preference about one variable is a cost of its values. Any other becomes a choice: satisfy it or pay its cost.
        """
        graph = Graph(self.domains)
        for source, constraint in enumerate(self.constraints):
            constraint.compile(graph, source)
        for source, preference in enumerate(self.preferences, len(self.constraints)):
            wanted = preference.constraint
            if len(wanted.variables) == 1:
                (name,) = wanted.variables
                for place, value in enumerate(self.domains[name], graph.first[name]):
                    if not wanted.holds({name: value}):
                        graph.charge(place, preference.weight)
                continue
            _, paid = graph.choice(2, source)
            graph.charge(paid, preference.weight)
            first = len(graph.factors)
            wanted.compile(graph, source)
            graph.relax(first, paid, source)
        if self.objective is not None:
            self.objective.charge(graph, len(self.constraints) + len(self.preferences))
        return graph

    @cached_property
    def base(self) -> float:
        """The cost without the costs of literals in `graph`."""
        wanted = self.objective
        return 0.0 if wanted is None else wanted.price(wanted.best(self.domains))

    def violations(self, given: Assignment) -> list[Violation]:
        """The constraints that an assignment violates, by their exact meaning and not by their factors."""
        broken = []
        for name, values in self.domains.items():
            if name not in given:
                broken.append(Violation("domains", f"{name} has no value.", places=(f"values.{name}",)))
            elif given[name] not in values:
                message = f"{name} is {given[name]!r}, which is none of its values."
                broken.append(Violation("domains", message, places=(f"values.{name}",)))
        if broken:
            return broken
        for index, (constraint, name) in enumerate(zip(self.constraints, self.names, strict=True)):
            if not constraint.holds(given):
                held = ", ".join(f"{variable} is {given[variable]}" for variable in constraint.variables[:6])
                more = ", …" if len(constraint.variables) > 6 else ""
                message = f"{name} is broken: {constraint.in_words()}, but {held}{more}."
                broken.append(Violation("constraints", message, places=(f"constraints[{index}]",)))
        return broken

    def energies(self, given: Assignment) -> dict[str, float]:
        """The energy of each constraint that an assignment violates, with every variable decided, by its name.

        That is the squared distance of its factors from their bounds, each factor scaled so that its largest coefficient is 1,
        and all factors with the same weight; 1 for a whole constraint with auxiliary choices in its factors.
        """
        holds = np.zeros(self.graph.count, np.bool_)
        own = sum(map(len, self.domains.values()))
        for name, value in given.items():
            if (literal := self.graph.literal(name, value)) is not None:
                holds[literal] = True
        found: dict[str, float] = {}
        for source, (constraint, name) in enumerate(zip(self.constraints, self.names, strict=True)):
            if constraint.holds(given):
                continue
            factors = [factor for factor in self.graph.factors if factor.source == source]
            plain = all(literal < own for factor in factors for literal in factor.literals)
            found[name] = found.get(name, 0.0) + (
                sum(factor.excess(holds) ** 2 for factor in factors) if plain else 1.0
            )
        return found

    def cost(self, given: Assignment) -> float:
        """The total weight of the violated preferences."""
        return sum(p.weight for p in self.preferences if not p.constraint.holds(given))

    def total(self, given: Assignment) -> float:
        """The total weight of the violated preferences, plus the cost of the objective's value."""
        wanted = self.objective
        return self.cost(given) + (0.0 if wanted is None else wanted.price(wanted.value(given)))


def _domain(name: str, raw: Any, faults: list[Fault]) -> tuple[Value, ...]:
    if isinstance(raw, str):
        span = re.fullmatch(r"\s*(-?\d{1,9})\s*(?:\.\.|\.\.\.|to)\s*(-?\d{1,9})\s*", raw)
        if span is None:
            message = f'{raw!r:.60} is not a range of whole numbers; write "1..9", or a list of values.'
            faults.append(Fault(f"variables.{name}", message))
            return ()
        raw = {"from": int(span[1]), "to": int(span[2])}
    if not isinstance(raw, Mapping):
        return tuple(raw)
    if missing := [key for key in ("from", "to") if key not in raw]:
        faults.append(Fault(f"variables.{name}", f"The property {', '.join(map(repr, missing))} is missing."))
        return ()
    if raw["to"] < raw["from"]:
        faults.append(Fault(f"variables.{name}", f"From {raw['from']} to {raw['to']} there is no number."))
        return ()
    if raw["to"] - raw["from"] >= MOST_NUMBERS:
        many = raw["to"] - raw["from"] + 1
        message = f"From {raw['from']} to {raw['to']} there are {many} numbers; {MOST_NUMBERS} are allowed."
        faults.append(Fault(f"variables.{name}", message))
        return ()
    return tuple(range(raw["from"], raw["to"] + 1))


def _name(raw: Any, index: int) -> str:
    """The name of a constraint: from the request, else its type and place."""
    if isinstance(raw, Mapping):
        return str(raw.get("name", f"{raw.get('type')} {index + 1}"))
    return f"constraint {index + 1}"


def _weight(raw: Mapping[str, Any], place: str, faults: list[Fault]) -> float:
    weight = float(raw.get("weight", 1.0))
    if math.isnan(weight):  # NaN passes the bounds of the schema
        faults.append(Fault(place, "nan is not a weight; give a number above 0."))
    return weight


def _whole(raw: Any) -> Any:
    """The JSON with 2 for 2.0, which is also an integer for the schema."""
    if isinstance(raw, Mapping):
        return {key: _whole(value) for key, value in raw.items()}
    if isinstance(raw, list | tuple):
        return [_whole(value) for value in raw]
    return int(raw) if isinstance(raw, float) and raw.is_integer() else raw


def _constraint(raw: Any, place: str, names: Names, faults: list[Fault], *, checked: bool) -> Constraint:
    before = len(faults)
    whole = raw if checked else typed(raw, place, names, faults)
    if whole is None:
        return AllOf(())  # never used, because there is a fault
    constraint, domains = read(whole), names.domains
    for inner, one, where in parts(whole, constraint, place):
        known = len(faults)
        faults.extend(_unknown(one, where, domains))
        if len(faults) == known:
            faults.extend(_meaningless(inner, one, where, domains))
            if checked:
                continue
            faults.extend(Fault(where, message) for message in intervals.meaningless(one))
            for look in (sequences.meaningless, derived.meaningless):
                faults.extend(Fault(where, message) for message in look(one, domains))
    if len(faults) == before:
        for one in negated(constraint):
            if not invertible(one):
                message = f"{one.in_words()}: this cannot stand behind 'not' or 'if'; say the opposite in other words."
                faults.append(Fault(place, message))
    return constraint


def _unknown(constraint: Constraint, place: str, domains: Mapping[str, Sequence[Value]]) -> Iterator[Fault]:
    for name in constraint.variables:
        if name not in domains:
            yield Fault(place, f"There is no variable {name!r}.{nearest(name, list(domains))}")
    for name, value in constraint.literals:
        if name in domains and value not in domains[name]:
            yield Fault(place, f"{value!r} is none of the values of {name!r}.{nearest(value, domains[name])}")


def _meaningless(
    raw: Mapping[str, Any], constraint: Constraint, place: str, domains: Mapping[str, Sequence[Value]]
) -> Iterator[Fault]:
    for name in constraint.numeric:
        odd = [value for value in domains[name] if not isinstance(value, int)]
        if odd:
            needs = f"{raw['type']} with plus" if "plus" in raw else raw["type"]
            yield Fault(
                place, f"{needs} needs numbers, and {name!r} may be {odd[0]!r}; give it whole numbers as values."
            )
    if raw["type"] == "element" and ("variables" in raw) == ("values" in raw):
        yield Fault(place, "Give either variables or values, of which `equals` is one.")
    yield from (Fault(place, message) for message in _uneven(constraint))
    bounds = {"count": ("exactly", "at_least", "at_most"), "linear": ("equals", "at_least", "at_most")}.get(raw["type"])
    if bounds and not any(key in raw for key in bounds):
        yield Fault(place, f"One of {bounds[0]}, {bounds[1]} and {bounds[2]} has to say how many.")
    if bounds and bounds[0] in raw and (bounds[1] in raw or bounds[2] in raw):
        yield Fault(place, f"{bounds[0]} says it all; leave out at_least and at_most.")


def _uneven(constraint: Constraint) -> Iterator[str]:
    """Faults of lists in a constraint that must have the same length."""
    match constraint:
        case AllDifferent(names, plus) if plus and len(plus) != len(names):
            yield f"There are {len(names)} variables and {len(plus)} numbers in plus; give one a variable."
        case NoOverlap(starts, durations) if len(starts) != len(durations):
            yield f"There are {len(starts)} starts and {len(durations)} durations."
        case Table(names, tuples):
            for row in sorted(tuples, key=repr):
                if len(row) != len(names):
                    yield f"The tuple {list(row)} has {len(row)} values for {len(names)} variables."
