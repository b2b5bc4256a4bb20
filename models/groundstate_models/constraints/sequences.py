"""Constraints on sequences of variables: runs of a value, patterns of values, and lexicographic order."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from groundstate_models.constraints.factors import Graph, Value
from groundstate_models.constraints.language import Assignment, Constraint, Equal, Precedence, listed
from groundstate_models.constraints.logic import AllOf, AnyOf

Move = tuple[str, Value, str]
"""From a state, with a value, to a state."""


@dataclass(frozen=True)
class Run(Constraint):
    """Runs of some values, as long as they can be, have at least and at most a number of variables."""

    kind = "run"
    names: tuple[str, ...]
    values: tuple[Value, ...]
    least: int
    most: int

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.names))

    def holds(self, given: Assignment) -> bool:
        lengths = (len(list(some)) for inside, some in groupby(given[n] in self.values for n in self.names) if inside)
        return all(self.least <= length <= self.most for length in lengths)

    def compile(self, graph: Graph, source: int) -> None:
        each = [[graph.literal(name, value) for value in self.values] for name in self.names]
        for first in range(len(each) - self.most):
            window = each[first : first + self.most + 1]
            graph.bound([(x, 1) for some in window for x in some], 0, self.most, source)
        for first in range(len(each)):
            before = [(x, 1) for x in each[first - 1]] if first else []
            for later in range(first + 1, first + self.least):
                # A run that begins here has not ended there: here − before − there ≤ 0.
                here = [(x, 1) for x in each[first]]
                there = [(x, -1) for x in each[later]] if later < len(each) else []
                graph.bound([*here, *((x, -1) for x, _ in before), *there], -len(self.names), 0, source)

    def in_words(self) -> str:
        bounds = [f"at least {self.least}"] if self.least > 1 else []
        bounds += [f"at most {self.most}"] if self.most < len(self.names) else []
        many = listed(bounds) if bounds else "any number"
        return f"{many} of {', '.join(self.names)} in a row {'is' if bounds else 'may be'} {listed(self.values, 'or')}"


@dataclass(frozen=True)
class Regular(Constraint):
    """The values in order are a word that an automaton accepts (G. Pesant, 2004)."""

    kind = "regular"
    names: tuple[str, ...]
    moves: tuple[Move, ...]
    start: str
    accept: tuple[str, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(self.names))

    def holds(self, given: Assignment) -> bool:
        states = {self.start}
        for name in self.names:
            states = {then for state, value, then in self.moves if state in states and value == given[name]}
        return bool(states.intersection(self.accept))

    def compile(self, graph: Graph, source: int) -> None:
        arrived: dict[str, list[tuple[int, int]]] | None = None
        for name, moves in zip(self.names, self._possible(graph), strict=True):
            chosen = graph.choice(len(moves), source)
            for value in graph.domains[name]:
                support = [(one, 1) for one, (_, taken, _) in zip(chosen, moves, strict=True) if taken == value]
                graph.bound([*support, (graph.literal(name, value), -1)], 0, 0, source)
            if arrived is not None:
                for state in dict.fromkeys([*arrived, *(state for state, _, _ in moves)]):
                    leaves = [(one, -1) for one, move in zip(chosen, moves, strict=True) if move[0] == state]
                    graph.bound([*arrived.get(state, []), *leaves], 0, 0, source)
            arrived = {}
            for one, (_, _, then) in zip(chosen, moves, strict=True):
                arrived.setdefault(then, []).append((one, 1))
            if not moves:
                graph.bound([], 1, 1, source)
                return

    def _possible(self, graph: Graph) -> list[list[Move]]:
        """The moves at each place on the way from the start to an accepted state."""
        forward, states = [], {self.start}
        for name in self.names:
            domain = set(graph.domains[name])
            moves = [move for move in self.moves if move[0] in states and move[1] in domain]
            forward.append(moves)
            states = {then for _, _, then in moves}
        found, wanted = [], set(self.accept)
        for moves in reversed(forward):
            kept = [move for move in moves if move[2] in wanted]
            found.append(kept)
            wanted = {state for state, _, _ in kept}
        return found[::-1]

    def in_words(self) -> str:
        ends = listed(self.accept, "or")
        return f"{', '.join(self.names)} follow the moves of an automaton from {self.start} to {ends}"


@dataclass(frozen=True)
class Lexicographic(Constraint):
    """One sequence of numbers is before another, or equal: the first difference decides."""

    kind = "lexicographic"
    first: tuple[str, ...]
    then: tuple[str, ...]
    strict: bool

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.first, *self.then)))

    @property
    def numeric(self) -> tuple[str, ...]:
        return self.variables

    def holds(self, given: Assignment) -> bool:
        one, other = ([int(given[name]) for name in names] for names in (self.first, self.then))
        return one < other if self.strict else one <= other

    def compile(self, graph: Graph, source: int) -> None:
        pairs = list(zip(self.first, self.then, strict=True))
        *most, (a, b) = pairs
        whole: Constraint = Precedence(a, b, int(self.strict))
        for one, other in reversed(most):
            if one != other:
                whole = AnyOf((Precedence(one, other, 1), AllOf((Equal((one, other)), whole))))
        whole.compile(graph, source)

    def in_words(self) -> str:
        return (
            f"({', '.join(self.first)}) {'<' if self.strict else '≤'} ({', '.join(self.then)}) in lexicographic order"
        )


def read(raw: Mapping[str, Any]) -> Run | Regular | Lexicographic:
    """Build a constraint on a sequence from an object that has passed the schema."""
    match raw["type"]:
        case "run":
            names = tuple(raw["variables"])
            values = raw["value"] if isinstance(raw["value"], list) else [raw["value"]]
            return Run(names, tuple(values), raw.get("at_least", 1), raw.get("at_most", len(names)))
        case "regular":
            return Regular(tuple(raw["variables"]), tuple(map(tuple, raw["moves"])), raw["start"], tuple(raw["accept"]))
        case "lexicographic":
            return Lexicographic(tuple(raw["first"]), tuple(raw["then"]), raw.get("strict", False))
        case other:
            raise AssertionError(f"{other!r} is checked before")


def meaningless(constraint: Constraint, domains: Mapping[str, Sequence[Value]]) -> Iterator[str]:
    """Faults of a constraint on a sequence, as sentences."""
    match constraint:
        case Run(names, values, least, most):
            if least > most:
                yield f"A run of at least {least} and at most {most} does not exist."
            for value in values:
                if not any(value in domains[name] for name in names):
                    yield f"{value!r} is a value of none of the variables."
        case Regular():
            yield from _moves(constraint, domains)
        case Lexicographic(first, then):
            if len(first) != len(then):
                yield f"There are {len(first)} variables in first and {len(then)} in then; give as many."


def _moves(constraint: Regular, domains: Mapping[str, Sequence[Value]]) -> Iterator[str]:
    moves = constraint.moves
    states = {state for move in moves for state in (move[0], move[2])} | {constraint.start}
    for state in constraint.accept:
        if state not in states:
            yield f"The state {state!r} is accepted and no move leads to it."
    values = {value for name in constraint.names for value in domains[name]}
    for _, value, _ in moves:
        if value not in values:
            yield f"{value!r} is a value of none of the variables."
