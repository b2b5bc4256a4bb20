"""Objectives: a weighted sum, the latest or the earliest of some times, or another number, to be least or greatest."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundstate_models.constraints.factors import Graph, Value
from groundstate_models.constraints.intervals import crossings
from groundstate_models.constraints.language import Assignment, Term, summed, total_in_words


@dataclass(frozen=True)
class Objective(ABC):
    """A whole number that depends on the values.

    Attributes:
        maximise: Whether it is to be as large as possible; else as small as possible.
        weight: The cost of one unit.
    """

    maximise: bool
    weight: float

    @property
    @abstractmethod
    def variables(self) -> tuple[str, ...]:
        """Names of its variables, each once."""

    @abstractmethod
    def value(self, given: Assignment) -> int:
        """Its value, from its definition and not from costs of literals."""

    @abstractmethod
    def charge(self, graph: Graph, source: int) -> None:
        """Add costs of literals: together the weighted distance of the value from `best`."""

    @abstractmethod
    def best(self, domains: Mapping[str, Sequence[Value]]) -> int:
        """A bound on its value from single domains: the least, or the greatest if it is maximised."""

    @abstractmethod
    def number_in_words(self) -> str:
        """The number, in the notation of the request."""

    def in_words(self) -> str:
        """What is wanted, as a clause."""
        return f"{'maximise' if self.maximise else 'minimise'} {self.number_in_words()}"

    def price(self, value: int) -> float:
        """The cost of a value; lower is better."""
        return self.weight * (-value if self.maximise else value)

    def reaches(self, price: float) -> float:
        """The value of a cost."""
        return (-price if self.maximise else price) / self.weight


@dataclass(frozen=True)
class Total(Objective):
    """A weighted sum of variables and of literals, plus a constant."""

    terms: tuple[Term, ...]
    constant: int = 0

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(term.variable for term in self.terms))

    def value(self, given: Assignment) -> int:
        return summed(self.terms, given) + self.constant

    def charge(self, graph: Graph, source: int) -> None:
        del source
        for name, prices in self._by_variable(graph.domains).items():
            least = min(prices.values())
            for value, price in prices.items():
                if price > least and (literal := graph.literal(name, value)) is not None:
                    graph.charge(literal, self.weight * (price - least))

    def best(self, domains: Mapping[str, Sequence[Value]]) -> int:
        least = sum(min(prices.values()) for prices in self._by_variable(domains).values())
        return self.constant + (-least if self.maximise else least)

    def _by_variable(self, domains: Mapping[str, Sequence[Value]]) -> dict[str, dict[Value, int]]:
        """What each value of each variable adds, negated if the sum is maximised."""
        sign = -1 if self.maximise else 1
        found: dict[str, dict[Value, int]] = {}
        for name in self.variables:
            mine = [term for term in self.terms if term.variable == name]
            found[name] = {value: sign * sum(term.of(value) for term in mine) for value in domains[name]}
        return found

    def number_in_words(self) -> str:
        more = f" {'+' if self.constant > 0 else '−'} {abs(self.constant)}" if self.constant else ""
        return total_in_words(self.terms) + more


@dataclass(frozen=True)
class Extreme(Objective):
    """The greatest of some variables plus numbers, minimised (the latest end); or the least of them, maximised."""

    moved: tuple[tuple[str, int], ...]

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(name for name, _ in self.moved))

    def value(self, given: Assignment) -> int:
        return (min if self.maximise else max)(int(given[name]) + more for name, more in self.moved)

    def charge(self, graph: Graph, source: int) -> None:
        """A choice of the value, with its cost, which no single variable may exceed. Without other costs, `beyond` is enough."""
        if not graph.costs:
            return
        sign = -1 if self.maximise else 1
        ends = [
            sorted((sign * (int(v) + more), graph.literal(name, v)) for v in graph.domains[name])
            for name, more in self.moved
        ]
        best = sign * self.best(graph.domains)
        levels = sorted({end for mine in ends for end, _ in mine if end >= best})
        chosen = graph.choice(len(levels), source)
        for level, literal in zip(levels, chosen, strict=True):
            if level > best:
                graph.charge(literal, self.weight * (level - best))
        for mine in ends:  # of one variable at most one value holds
            for late, soon in crossings(mine, list(zip(levels, chosen, strict=True))):
                graph.at_most_one([*late, *soon], source)

    def beyond(self, graph: Graph, value: float) -> list[int]:
        """The literals that rule out a value better than a given one."""
        sign = -1 if self.maximise else 1
        return [
            literal
            for name, more in self.moved
            for v in graph.domains[name]
            if sign * (int(v) + more) >= sign * value and (literal := graph.literal(name, v)) is not None
        ]

    def best(self, domains: Mapping[str, Sequence[Value]]) -> int:
        pick, other = (min, max) if self.maximise else (max, min)
        return int(pick(other(int(v) for v in domains[name]) + more for name, more in self.moved))

    def number_in_words(self) -> str:
        each = [f"{name} {'+' if more > 0 else '−'} {abs(more)}" if more else name for name, more in self.moved]
        return f"{'min' if self.maximise else 'max'}({', '.join(each)})"


@dataclass(frozen=True)
class Tabled(Objective):
    """A number that is not a weighted sum, by the values of its variables together."""

    names: tuple[str, ...]
    values: Mapping[tuple[Value, ...], int]
    text: str

    @property
    def variables(self) -> tuple[str, ...]:
        return self.names

    def value(self, given: Assignment) -> int:
        return self.values[tuple(given[name] for name in self.names)]

    def charge(self, graph: Graph, source: int) -> None:
        sign = -1 if self.maximise else 1
        least = min(sign * value for value in self.values.values())
        chosen = graph.choice(len(self.values), source)
        for literal, value in zip(chosen, self.values.values(), strict=True):
            if sign * value > least:
                graph.charge(literal, self.weight * (sign * value - least))
        for place, name in enumerate(self.names):
            for mine in graph.domains[name]:
                support = [(one, 1) for one, row in zip(chosen, self.values, strict=True) if row[place] == mine]
                graph.bound([*support, (graph.literal(name, mine), -1)], 0, 0, source)

    def best(self, domains: Mapping[str, Sequence[Value]]) -> int:
        del domains
        return (max if self.maximise else min)(self.values.values())

    def number_in_words(self) -> str:
        return self.text


def read(raw: Mapping[str, Any]) -> Objective:
    """The objective of a typed object, which `typed.objective` has checked."""
    maximise = "maximise" in raw
    number, weight = raw["maximise" if maximise else "minimise"], float(raw.get("weight", 1))
    if isinstance(number, Mapping) and "values" in number:
        return Tabled(maximise, weight, tuple(number["variables"]), number["values"], number["text"])
    if isinstance(number, Mapping):
        moved = tuple((one["variable"], one.get("plus", 0)) for one in number["earliest" if maximise else "latest"])
        return Extreme(maximise, weight, moved)
    return Total(maximise, weight, tuple(map(Term.of_json, number)), raw.get("plus", 0))
