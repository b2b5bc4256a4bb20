"""Constraints that define a value from others (element, greatest, least), counts by value, and intervals with conditions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundstate_models.constraints.factors import Graph, Value
from groundstate_models.constraints.language import Assignment, Constraint, Implies, Literal, Precedence, listed, spelt

MOST_PAIRS = 20_000
"""Most pairs of a start and a length of one interval."""


@dataclass(frozen=True)
class Element(Constraint):
    """A variable has the value at a place of a list of variables and values; the first place has the number ``first``."""

    kind = "element"
    index: str
    of: tuple[Literal | Value, ...]
    equals: str
    first: int = 1
    constants: bool = False

    @property
    def variables(self) -> tuple[str, ...]:
        names = () if self.constants else self.of
        return tuple(dict.fromkeys((self.index, *map(str, names), self.equals)))

    @property
    def numeric(self) -> tuple[str, ...]:
        return (self.index,)

    def holds(self, given: Assignment) -> bool:
        place = int(given[self.index]) - self.first
        if not 0 <= place < len(self.of):
            return False
        found = self.of[place] if self.constants else given[str(self.of[place])]
        return bool(found == given[self.equals])

    def compile(self, graph: Graph, source: int) -> None:
        for place in graph.domains[self.index]:
            here = (self.index, place)
            if not 0 <= int(place) - self.first < len(self.of):
                graph.bound([(graph.literal(*here), 1)], 0, 0, source)
                continue
            one = self.of[int(place) - self.first]
            if self.constants:
                Implies((here,), ((self.equals, one),)).compile(graph, source)  # type: ignore[arg-type]
                continue
            name = str(one)
            if name == self.equals:
                continue
            for value in graph.domains[name]:
                Implies((here, (name, value)), ((self.equals, value),)).compile(graph, source)

    def in_words(self) -> str:
        return f"{self.equals} = ({', '.join(map(str, self.of))}) at place {self.index}, from {self.first}"


@dataclass(frozen=True)
class Extremum(Constraint):
    """A variable is the greatest, or the least, of some variables."""

    kind = "max"
    names: tuple[str, ...]
    equals: str
    greatest: bool

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.names, self.equals)))

    @property
    def numeric(self) -> tuple[str, ...]:
        return self.variables

    def holds(self, given: Assignment) -> bool:
        numbers = [int(given[name]) for name in self.names]
        return (max if self.greatest else min)(numbers) == int(given[self.equals])

    def compile(self, graph: Graph, source: int) -> None:
        for name in self.names:
            if name != self.equals:
                pair = (name, self.equals) if self.greatest else (self.equals, name)
                Precedence(*pair, 0).compile(graph, source)
        if self.equals not in self.names:
            for value in graph.domains[self.equals]:
                Implies(((self.equals, value),), tuple((name, value) for name in self.names)).compile(graph, source)

    def in_words(self) -> str:
        return f"{self.equals} = {'max' if self.greatest else 'min'}({', '.join(self.names)})"


@dataclass(frozen=True)
class Counts(Constraint):
    """Each of some values is taken by at least and at most a number of variables (J.-C. Régin, 1996)."""

    kind = "counts"
    names: tuple[str, ...]
    bounds: tuple[tuple[Value, int, int], ...]

    @property
    def variables(self) -> tuple[str, ...]:
        return self.names

    def holds(self, given: Assignment) -> bool:
        taken = [given[name] for name in self.names]
        return all(low <= taken.count(value) <= high for value, low, high in self.bounds)

    def compile(self, graph: Graph, source: int) -> None:
        for value, low, high in self.bounds:
            graph.bound([(graph.literal(name, value), 1) for name in self.names], low, high, source)

    def in_words(self) -> str:
        each = [
            f"{low} {value}" if low == high else f"{low} to {min(high, len(self.names))} {value}"
            for value, low, high in self.bounds
        ]
        return f"{', '.join(self.names)} are {listed(each)}"


@dataclass(frozen=True)
class Lasting:
    """An interval.

    Attributes:
        start: The variable with its start.
        length: Its length, or the variable with it.
        when: It exists only if this literal holds; None for always.
        uses: Its use of the resource.
    """

    start: str
    length: int | str
    when: Literal | None
    uses: int


@dataclass(frozen=True)
class Intervals(Constraint):
    """Intervals, some only under conditions, whose use of a resource never exceeds its capacity."""

    kind = "intervals"
    parts: tuple[Lasting, ...]
    capacity: int

    @property
    def variables(self) -> tuple[str, ...]:
        names: list[str] = []
        for one in self.parts:
            names += [one.start, *([one.length] if isinstance(one.length, str) else [])]
            names += [one.when[0]] if one.when else []
        return tuple(dict.fromkeys(names))

    @property
    def numeric(self) -> tuple[str, ...]:
        lengths = [one.length for one in self.parts if isinstance(one.length, str)]
        return tuple(dict.fromkeys([*(one.start for one in self.parts), *lengths]))

    @property
    def literals(self) -> tuple[Literal, ...]:
        return tuple(one.when for one in self.parts if one.when is not None)

    def holds(self, given: Assignment) -> bool:
        there = []
        for one in self.parts:
            if one.when is None or given[one.when[0]] == one.when[1]:
                start = int(given[one.start])
                length = int(given[one.length]) if isinstance(one.length, str) else one.length
                if length > 0:
                    there.append((start, start + length, one.uses))
        return all(sum(uses for a, b, uses in there if a <= at < b) <= self.capacity for at, _, _ in there)

    def compile(self, graph: Graph, source: int) -> None:
        events: list[tuple[int, bool, int, int]] = []
        for number, one in enumerate(self.parts):
            for literal, start, end in self._placed(graph, one, source):
                if end > start:
                    events += [(start, True, number, literal), (end, False, number, literal)]
        running: dict[int, int] = {}
        grown = False
        for _, begins, number, literal in sorted(events, key=lambda event: event[:2]):
            if begins:
                running[literal] = number
            elif grown:
                most = {n: self.parts[n].uses for n in running.values()}
                if sum(most.values()) > self.capacity:
                    terms = [(x, self.parts[n].uses) for x, n in running.items()]
                    graph.bound(terms, 0, self.capacity, source)
            grown = begins
            if not begins:
                del running[literal]

    @staticmethod
    def _placed(graph: Graph, one: Lasting, source: int) -> Iterator[tuple[int, int, int]]:
        """A literal for each start and end of an interval; new ones where they depend on several variables."""
        starts = [int(value) for value in graph.domains[one.start]]
        lengths = [one.length] if isinstance(one.length, int) else [int(value) for value in graph.domains[one.length]]
        if isinstance(one.length, int) and one.when is None:
            for start in starts:
                literal = graph.literal(one.start, start)
                assert literal is not None
                yield literal, start, start + one.length
            return
        rows = [(start, length) for start in starts for length in lengths]
        absent = one.when is not None
        chosen = graph.choice(len(rows) + absent, source)
        for start in starts:
            mine = [(x, 1) for x, row in zip(chosen, rows, strict=False) if row[0] == start]
            graph.bound([*mine, (graph.literal(one.start, start), -1)], -1, 0, source)
        if isinstance(one.length, str):
            for length in lengths:
                mine = [(x, 1) for x, row in zip(chosen, rows, strict=False) if row[1] == length]
                graph.bound([*mine, (graph.literal(one.length, length), -1)], -1, 0, source)
        if one.when is not None:
            graph.bound([(chosen[-1], 1), (graph.literal(*one.when), 1)], 1, 1, source)
        for literal, (start, length) in zip(chosen, rows, strict=False):
            yield literal, start, start + length

    def in_words(self) -> str:
        each = [
            f"{one.start} for {one.length}{f' if {spelt(one.when)}' if one.when else ''}"
            f"{f' using {one.uses}' if one.uses > 1 else ''}"
            for one in self.parts
        ]
        most = "do not overlap" if self.capacity == 1 else f"use at most {self.capacity} at a time"
        return f"{listed(each)} {most}"


def read(raw: Mapping[str, Any]) -> Constraint:
    """Build a constraint from an object that has passed the schema."""
    match raw["type"]:
        case "element":
            constants = "values" in raw
            of = raw["values"] if constants else raw.get("variables", ())
            return Element(raw["index"], tuple(of), raw["equals"], raw.get("first", 1), constants)
        case "max" | "min" as kind:
            return Extremum(tuple(raw["variables"]), raw["equals"], kind == "max")
        case "counts":
            names = tuple(raw["variables"])
            bounds = tuple(
                (
                    one["value"],
                    one.get("exactly", one.get("at_least", 0)),
                    one.get("exactly", one.get("at_most", len(names))),
                )
                for one in raw["bounds"]
            )
            return Counts(names, bounds)
        case "intervals":
            parts = tuple(
                Lasting(
                    one["start"],
                    one["duration"],
                    (one["if"]["variable"], one["if"]["value"]) if "if" in one else None,
                    one.get("uses", 1),
                )
                for one in raw["of"]
            )
            return Intervals(parts, raw.get("capacity", 1))
        case other:
            raise AssertionError(f"{other!r} is checked before")


def meaningless(constraint: Constraint, domains: Mapping[str, Sequence[Value]]) -> Iterator[str]:
    """Faults of a constraint, as sentences."""
    if isinstance(constraint, Counts):
        for value, low, high in constraint.bounds:
            if low > high:
                yield f"At least {low} and at most {high} are {value!r}: that is not a number."
            if not any(value in domains[name] for name in constraint.names):
                yield f"{value!r} is a value of none of the variables."
    if isinstance(constraint, Intervals):
        starts = [one.start for one in constraint.parts]
        if len(set(starts)) < len(starts):
            yield "Each variable may start one interval."
        for one in constraint.parts:
            yield from _lengths(one, domains)


def _lengths(one: Lasting, domains: Mapping[str, Sequence[Value]]) -> Iterator[str]:
    if isinstance(one.length, int):
        if one.length < 1:
            yield f"The interval of {one.start!r} has the length {one.length}; the shortest is 1."
        return
    least = min((v for v in domains[one.length] if isinstance(v, int)), default=0)
    if least < 0:
        yield f"The length {one.length!r} may be {least}; it must be 0 or more."
    if len(domains[one.start]) * len(domains[one.length]) > MOST_PAIRS:
        yield f"The interval of {one.start!r} has more than {MOST_PAIRS} starts and lengths."
