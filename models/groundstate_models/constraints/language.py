"""The constraints of a request: their exact meaning, and their factors.

Every kind is a small class with three methods: `holds` (the exact check of a full assignment, independent of factors), `compile`
(its factors) and `in_words` (its meaning in the request's terms). `read` builds them from JSON that has passed `typed`.

Long because it has a class for each kind.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any, ClassVar

from groundstate_models.constraints.factors import Graph, Value, shared

Assignment = Mapping[str, Value]
Literal = tuple[str, Value]
"""A variable and one of its values."""


def listed(words: Sequence[object], joined: str = "and") -> str:
    *most, last = map(str, words)
    return f"{', '.join(most)} {joined} {last}" if most else last


def _shifted(name: str, more: int) -> str:
    return f"{name} {'+' if more > 0 else '−'} {abs(more)}" if more else name


def spelt(literal: Literal) -> str:
    return f"{literal[0]} = {literal[1]}"


@dataclass(frozen=True)
class Constraint(ABC):
    """One constraint of a request."""

    kind: ClassVar[str]

    @property
    def numeric(self) -> tuple[str, ...]:
        """Variables that need numbers as values."""
        return ()

    @property
    @abstractmethod
    def variables(self) -> tuple[str, ...]:
        """Names of its variables, each once."""

    @abstractmethod
    def holds(self, given: Assignment) -> bool:
        """Whether an assignment of all its variables satisfies it."""

    @abstractmethod
    def compile(self, graph: Graph, source: int) -> None:
        """Add its factors to a graph."""

    @abstractmethod
    def in_words(self) -> str:
        """Its meaning, as a sentence without the full stop."""

    @property
    def literals(self) -> tuple[Literal, ...]:
        """The literals named in the request, for the lookup of their values."""
        return ()


@dataclass(frozen=True)
class AllDifferent(Constraint):
    """No two variables have the same value; with ``plus``, no two sums of variable + plus are the same."""

    kind = "all_different"
    names: tuple[str, ...]
    plus: tuple[int, ...] = ()

    @property
    def variables(self) -> tuple[str, ...]:
        return self.names

    @property
    def numeric(self) -> tuple[str, ...]:
        return self.names if self.plus else ()

    def holds(self, given: Assignment) -> bool:
        return len({self._moved(k, given[name]) for k, name in enumerate(self.names)}) == len(self.names)

    def compile(self, graph: Graph, source: int) -> None:
        takers: dict[Value, list[int | None]] = {}
        for k, name in enumerate(self.names):
            for value in graph.domains[name]:
                takers.setdefault(self._moved(k, value), []).append(graph.literal(name, value))
        # As many values as variables: each value is taken, which is stronger than "none is taken twice".
        least = 1 if len(takers) == len(self.names) else 0
        for literals in takers.values():
            graph.bound([(literal, 1) for literal in literals], least, 1, source)
        if len(takers) < len(self.names):  # too few for all; no single value shows it
            graph.bound([(literal, 1) for some in takers.values() for literal in some], 0, len(takers), source)

    def in_words(self) -> str:
        plus = self.plus or (0,) * len(self.names)
        return f"{listed([_shifted(name, more) for name, more in zip(self.names, plus, strict=True)])} all differ"

    def _moved(self, k: int, value: Value) -> Value:
        return int(value) + self.plus[k] if self.plus else value


@dataclass(frozen=True)
class Equal(Constraint):
    """All of some variables have the same value."""

    kind = "equal"
    names: tuple[str, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        return self.names

    def holds(self, given: Assignment) -> bool:
        return len({given[name] for name in self.names}) == 1

    def compile(self, graph: Graph, source: int) -> None:
        for one, other in pairwise(self.names):
            for value in dict.fromkeys([*graph.domains[one], *graph.domains[other]]):
                graph.bound([(graph.literal(one, value), 1), (graph.literal(other, value), -1)], 0, 0, source)

    def in_words(self) -> str:
        return f"{listed(self.names)} are equal"


@dataclass(frozen=True)
class NotEqual(Constraint):
    """Two variables have different values."""

    kind = "not_equal"
    names: tuple[str, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        return self.names

    def holds(self, given: Assignment) -> bool:
        return all(given[one] != given[other] for one, other in combinations(self.names, 2))

    def compile(self, graph: Graph, source: int) -> None:
        for value in shared([graph.domains[name] for name in self.names]):
            graph.at_most_one([graph.literal(name, value) for name in self.names], source)

    def in_words(self) -> str:
        return f"{listed(self.names)} differ"


@dataclass(frozen=True)
class Count(Constraint):
    """At least, at most or exactly a number of literals hold."""

    kind = "count"
    of: tuple[Literal, ...]
    low: int
    high: int

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name, _ in self.of))

    @property
    def literals(self) -> tuple[Literal, ...]:
        return self.of

    def holds(self, given: Assignment) -> bool:
        return self.low <= sum(given[name] == value for name, value in self.of) <= self.high

    def compile(self, graph: Graph, source: int) -> None:
        graph.bound([(graph.literal(*literal), 1) for literal in self.of], self.low, self.high, source)

    def in_words(self) -> str:
        alone = len(self.variables) == 1 and len(set(self.of)) == len(self.of)
        if alone and (self.low == 1 <= self.high or self.low <= 0 == self.high):
            return f"{self.variables[0]} is {'' if self.low == 1 else 'not '}{listed([value for _, value in self.of], 'or')}"
        if self.low == self.high:
            many = f"exactly {self.low}"
        elif self.low <= 0:
            many = f"at most {self.high}"
        elif self.high >= len(self.of):
            many = f"at least {self.low}"
        else:
            many = f"{self.low} to {self.high}"
        return f"{many} of {listed([spelt(literal) for literal in self.of])}"


@dataclass(frozen=True)
class Implies(Constraint):
    """If all of some literals hold, at least one of the others holds."""

    kind = "implies"
    when: tuple[Literal, ...]
    then: tuple[Literal, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name, _ in self.literals))

    @property
    def literals(self) -> tuple[Literal, ...]:
        return (*self.when, *self.then)

    def holds(self, given: Assignment) -> bool:
        return any(given[name] == value for name, value in self.then) or any(
            given[name] != value for name, value in self.when
        )

    def compile(self, graph: Graph, source: int) -> None:
        when = [graph.literal(*literal) for literal in dict.fromkeys(self.when)]
        if None in when:
            return
        then = [graph.literal(*literal) for literal in dict.fromkeys(self.then)]
        if set(then) & set(when):
            return
        terms = [*((literal, -1) for literal in when), *((literal, 1) for literal in then)]
        graph.bound(terms, 1 - len(when), len(then), source)

    def in_words(self) -> str:
        then = listed([spelt(literal) for literal in self.then], "or") if self.then else "this is not allowed"
        return f"if {listed([spelt(literal) for literal in self.when])}, then {then}" if self.when else then


@dataclass(frozen=True)
class Table(Constraint):
    """The tuple of some variables is one of the allowed tuples, or none of the forbidden ones."""

    kind = "table"
    names: tuple[str, ...]
    tuples: frozenset[tuple[Value, ...]]
    allowed: bool

    @property
    def variables(self) -> tuple[str, ...]:
        return self.names

    @property
    def literals(self) -> tuple[Literal, ...]:
        return tuple(dict.fromkeys(cell for row in self.tuples for cell in zip(self.names, row, strict=False)))

    def holds(self, given: Assignment) -> bool:
        return (tuple(given[name] for name in self.names) in self.tuples) == self.allowed

    def compile(self, graph: Graph, source: int) -> None:
        rows = [
            literals
            for row in sorted(self.tuples, key=repr)
            if None not in (literals := [graph.literal(n, v) for n, v in zip(self.names, row, strict=True)])
        ]
        if not self.allowed:
            for row in rows:
                graph.bound([(literal, 1) for literal in row], 0, len(row) - 1, source)
            return
        chosen = graph.choice(len(rows), source)
        for position, name in enumerate(self.names):
            for value in graph.domains[name]:
                literal = graph.literal(name, value)
                support = [(choice, 1) for choice, row in zip(chosen, rows, strict=True) if row[position] == literal]
                graph.bound([*support, (literal, -1)], 0, 0, source)

    def in_words(self) -> str:
        if not self.tuples:
            return f"({', '.join(self.names)}) is {'one of no tuples' if self.allowed else 'anything'}"
        rows = sorted(self.tuples, key=repr)
        shown = listed([f"({', '.join(map(str, row))})" for row in rows[:4]], "or")
        more = f" or {len(rows) - 4} more" if len(rows) > 4 else ""
        return f"({', '.join(self.names)}) is {'' if self.allowed else 'not '}{shown}{more}"


@dataclass(frozen=True)
class Term:
    """A part of a weighted sum: a number times a variable, or, with a value, the number if the variable has that value."""

    variable: str
    times: int = 1
    value: Value | None = None

    @classmethod
    def of_json(cls, raw: Mapping[str, Any]) -> Term:
        return cls(raw["variable"], raw.get("times", 1), raw.get("value"))

    def of(self, value: Value) -> int:
        """What it adds if its variable has a value."""
        if self.value is None:
            return self.times * int(value)
        return self.times * (value == self.value)

    def in_words(self) -> str:
        """Its absolute amount."""
        what = self.variable if self.value is None else f"({self.variable} = {self.value})"
        return what if abs(self.times) == 1 else f"{abs(self.times)}·{what}"


def summed(terms: Sequence[Term], given: Assignment) -> int:
    """A weighted sum."""
    return sum(term.of(given[term.variable]) for term in terms)


def total_in_words(terms: Sequence[Term]) -> str:
    """A weighted sum, in words."""
    total = "".join(f"{' − ' if term.times < 0 else ' + '}{term.in_words()}" for term in terms)
    return total.removeprefix(" + ") if total.startswith(" + ") else total.replace(" − ", "−", 1)


@dataclass(frozen=True)
class Linear(Constraint):
    """``low ≤ Σ terms ≤ high`` over variables with numbers as values, and over literals."""

    kind = "linear"
    terms: tuple[Term, ...]
    low: int | None
    high: int | None

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(term.variable for term in self.terms))

    @property
    def numeric(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(term.variable for term in self.terms if term.value is None))

    @property
    def literals(self) -> tuple[Literal, ...]:
        return tuple((term.variable, term.value) for term in self.terms if term.value is not None)

    def holds(self, given: Assignment) -> bool:
        total = summed(self.terms, given)
        return (self.low is None or self.low <= total) and (self.high is None or total <= self.high)

    def compile(self, graph: Graph, source: int) -> None:
        # One value of each variable holds. Subtract the smallest value, to keep the coefficients small.
        base, terms, reach = 0, [], 0
        for term in self.terms:
            values = graph.domains[term.variable]
            amounts = [term.of(value) for value in values]
            least = 0 if term.value is not None else amounts[min(range(len(values)), key=lambda k: int(values[k]))]
            base += least
            reach += max(abs(amount - least) for amount in amounts)
            terms += [
                (graph.literal(term.variable, value), amount - least)
                for value, amount in zip(values, amounts, strict=True)
            ]
        low = -reach if self.low is None else self.low - base
        high = reach if self.high is None else self.high - base
        graph.bound(terms, low, high, source)

    def in_words(self) -> str:
        total = total_in_words(self.terms)
        if self.low == self.high:
            return f"{total} = {self.low}"
        left = "" if self.low is None else f"{self.low} ≤ "
        return f"{left}{total}" + ("" if self.high is None else f" ≤ {self.high}")


@dataclass(frozen=True)
class Precedence(Constraint):
    """One number is at least ``gap`` more than another."""

    kind = "precedence"
    before: str
    after: str
    gap: int

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((self.before, self.after)))

    @property
    def numeric(self) -> tuple[str, ...]:
        return self.variables

    def holds(self, given: Assignment) -> bool:
        return int(given[self.before]) + self.gap <= int(given[self.after])

    def compile(self, graph: Graph, source: int) -> None:
        early, late = ([int(v) for v in graph.domains[name]] for name in (self.before, self.after))
        # For every time t, not both: the first starts after t − gap, and the second starts at or before t.
        for t in sorted(late):
            too_late = [graph.literal(self.before, start) for start in early if start + self.gap > t]
            too_soon = [graph.literal(self.after, start) for start in late if start <= t]
            if too_late and too_soon:
                graph.at_most_one([*too_late, *too_soon], source)

    def in_words(self) -> str:
        return f"{self.before} + {self.gap} ≤ {self.after}" if self.gap else f"{self.before} ≤ {self.after}"


def _literals(raw: Sequence[Mapping[str, Any]]) -> tuple[Literal, ...]:
    return tuple((one["variable"], one["value"]) for one in raw)


def read(raw: Mapping[str, Any]) -> Constraint:
    """Build a constraint on values and sums; `typed.read` reads all kinds."""
    match raw["type"]:
        case "all_different":
            return AllDifferent(tuple(raw["variables"]), tuple(raw.get("plus", ())))
        case "equal":
            return Equal(tuple(raw["variables"]))
        case "not_equal":
            return NotEqual(tuple(raw["variables"]))
        case "count":
            of = _literals(raw["of"])
            low, high = raw.get("at_least", 0), raw.get("at_most", len(of))
            return Count(of, raw.get("exactly", low), raw.get("exactly", high))
        case "implies":
            return Implies(_literals(raw["if"]), _literals(raw["then"]))
        case "allowed" | "forbidden" as kind:
            return Table(tuple(raw["variables"]), frozenset(map(tuple, raw["tuples"])), kind == "allowed")
        case "linear":
            terms = tuple(map(Term.of_json, raw["terms"]))
            low, high = raw.get("at_least"), raw.get("at_most")
            return Linear(terms, raw.get("equals", low), raw.get("equals", high))
        case "precedence":
            return Precedence(raw["before"], raw["after"], raw.get("gap", 0))
        case other:
            raise AssertionError(f"{other!r} is checked before")
