"""From a request to a problem: names looked up, constraints read, everything that means nothing refused with its place."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from groundstate import Fault, RequestError, Violation
from groundstate_models.constraints import intervals
from groundstate_models.constraints.factors import Graph, Value
from groundstate_models.constraints.language import Assignment, Constraint, Linear, NoOverlap, Precedence, Table, read

MOST_FAULTS = 20


@dataclass(frozen=True)
class Preference:
    """A constraint that ought to hold, and what it costs where it does not."""

    constraint: Constraint
    weight: float


@dataclass(frozen=True)
class Problem:
    """A request that means something.

    Attributes:
        domains: Values of each variable.
        constraints: What has to hold.
        names: What each constraint is called: as the request says, else by its type and place.
        preferences: What ought to hold.
    """

    domains: Mapping[str, tuple[Value, ...]]
    constraints: tuple[Constraint, ...]
    names: tuple[str, ...]
    preferences: tuple[Preference, ...]

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Problem:
        """Read a request that has passed `schema.REQUEST`.

        Raises:
            RequestError: If it names what is not there, or asks numbers of names; with every place.
        """
        faults: list[Fault] = []
        domains = {name: _domain(name, raw, faults) for name, raw in request["variables"].items()}
        constraints, names = [], []
        for index, raw in enumerate(request.get("constraints", ())):
            constraints.append(_constraint(raw, f"constraints[{index}]", domains, faults))
            names.append(raw.get("name", f"{raw['type']} {index + 1}"))
        preferences = [
            Preference(
                _constraint(raw["constraint"], f"preferences[{index}].constraint", domains, faults),
                float(raw.get("weight", 1.0)),
            )
            for index, raw in enumerate(request.get("preferences", ()))
        ]
        if faults:
            raise RequestError(faults[:MOST_FAULTS])
        return cls(domains, tuple(constraints), tuple(names), tuple(preferences))

    @cached_property
    def graph(self) -> Graph:
        """Its literals and factors; those of preference k have ``len(constraints) + k`` for a source."""
        graph = Graph(self.domains)
        for source, constraint in enumerate(self.constraints):
            constraint.compile(graph, source)
        for k, preference in enumerate(self.preferences):
            preference.constraint.compile(graph, len(self.constraints) + k)
        return graph

    def violations(self, given: Assignment) -> list[Violation]:
        """The constraints that an assignment breaks, found from what they mean and not from their factors."""
        broken = []
        for name, values in self.domains.items():
            if name not in given:
                broken.append(Violation("domains", 1, f"{name} has no value.", (f"values.{name}",)))
            elif given[name] not in values:
                said = f"{name} is {given[name]!r}, which is none of its values."
                broken.append(Violation("domains", 1, said, (f"values.{name}",)))
        if broken:
            return broken
        for index, (constraint, name) in enumerate(zip(self.constraints, self.names, strict=True)):
            if not constraint.holds(given):
                held = ", ".join(f"{variable} is {given[variable]}" for variable in constraint.variables[:6])
                more = ", …" if len(constraint.variables) > 6 else ""
                said = f"{name} is broken: {constraint.said()}, but {held}{more}."
                broken.append(Violation("constraints", 1, said, (f"constraints[{index}]",)))
        return broken

    def cost(self, given: Assignment) -> float:
        """The weights of the preferences that do not hold."""
        return sum(p.weight for p in self.preferences if not p.constraint.holds(given))


def _domain(name: str, raw: Any, faults: list[Fault]) -> tuple[Value, ...]:
    if not isinstance(raw, Mapping):
        return tuple(raw)
    if raw["to"] < raw["from"]:
        faults.append(Fault(f"variables.{name}", f"From {raw['from']} to {raw['to']} there is no number."))
        return ()
    return tuple(range(raw["from"], raw["to"] + 1))


def _constraint(
    raw: Mapping[str, Any], place: str, domains: Mapping[str, tuple[Value, ...]], faults: list[Fault]
) -> Constraint:
    constraint = read(raw)
    before = len(faults)
    faults.extend(_unknown(constraint, place, domains))
    if len(faults) == before:
        faults.extend(_meaningless(raw, constraint, place, domains))
        faults.extend(Fault(place, message) for message in intervals.meaningless(constraint))
    return constraint


def nearest(word: str, words: Sequence[str]) -> str:
    """What somebody may have meant: " Did you mean 'x'?", or nothing."""
    close = difflib.get_close_matches(word, words, n=1)
    return f" Did you mean {close[0]!r}?" if close else ""


def _unknown(constraint: Constraint, place: str, domains: Mapping[str, tuple[Value, ...]]) -> Iterator[Fault]:
    for name in constraint.variables:
        if name not in domains:
            yield Fault(place, f"There is no variable {name!r}.{nearest(name, list(domains))}")
    for name, value in constraint.literals:
        if name in domains and value not in domains[name]:
            close = nearest(str(value), [str(v) for v in domains[name]])
            yield Fault(place, f"{value!r} is none of the values of {name!r}.{close}")


def _meaningless(
    raw: Mapping[str, Any], constraint: Constraint, place: str, domains: Mapping[str, tuple[Value, ...]]
) -> Iterator[Fault]:
    if isinstance(constraint, Linear | Precedence | NoOverlap):
        for name in constraint.variables:
            odd = [value for value in domains[name] if not isinstance(value, int)]
            if odd:
                yield Fault(
                    place, f"{raw['type']} needs numbers, and {name!r} may be {odd[0]!r}; give it whole numbers as values."
                )
    if isinstance(constraint, NoOverlap) and len(constraint.starts) != len(constraint.durations):
        yield Fault(place, f"There are {len(constraint.starts)} starts and {len(constraint.durations)} durations.")
    if isinstance(constraint, Table):
        for row in sorted(constraint.tuples, key=repr):
            if len(row) != len(constraint.names):
                yield Fault(place, f"The tuple {list(row)} has {len(row)} values for {len(constraint.names)} variables.")
    bounds = {"count": ("exactly", "at_least", "at_most"), "linear": ("equals", "at_least", "at_most")}.get(raw["type"])
    if bounds and not any(key in raw for key in bounds):
        yield Fault(place, f"One of {bounds[0]}, {bounds[1]} and {bounds[2]} has to say how many.")
    if bounds and bounds[0] in raw and (bounds[1] in raw or bounds[2] in raw):
        yield Fault(place, f"{bounds[0]} says it all; leave out at_least and at_most.")
