"""Constraints on time intervals that depend on the variables' values: limited resources, and order.

A variable's *spans* list the values that take up time: value, start, end (half-open). Other values take up no time, so one
variable may choose a start, a room, or absence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from groundstate_models.constraints.factors import Graph, Value
from groundstate_models.constraints.language import Assignment, Constraint, Literal, listed


@dataclass(frozen=True)
class Interval:
    """The time of a variable.

    Attributes:
        spans: Start and end for each value that takes up time.
        uses: Its use of the resource during that time.
    """

    variable: str
    spans: Mapping[Value, tuple[int, int]]
    uses: int = 1

    @property
    def literals(self) -> tuple[Literal, ...]:
        return tuple((self.variable, value) for value in self.spans)


@dataclass(frozen=True)
class Cumulative(Constraint):
    """At no time does the use of a resource exceed its capacity (A. Aggoun and N. Beldiceanu, 1993)."""

    kind = "cumulative"
    tasks: tuple[Interval, ...]
    capacity: int

    @property
    def variables(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(task.variable for task in self.tasks))

    @property
    def literals(self) -> tuple[Literal, ...]:
        return tuple(literal for task in self.tasks for literal in task.literals)

    def holds(self, given: Assignment) -> bool:
        chosen = [
            (task.spans[value], task.uses) for task in self.tasks if (value := given[task.variable]) in task.spans
        ]
        return all(
            sum(uses for (start, end), uses in chosen if start <= at < end) <= self.capacity for (at, _), _ in chosen
        )

    def compile(self, graph: Graph, source: int) -> None:
        for running in self._cliques():
            most = {task.variable: 0 for task, _ in running}
            for task, _ in running:
                most[task.variable] = max(most[task.variable], task.uses)
            if sum(most.values()) > self.capacity:
                terms = [(graph.literal(task.variable, value), task.uses) for task, value in running]
                graph.bound(terms, 0, self.capacity, source)

    def _cliques(self) -> Iterator[list[tuple[Interval, Value]]]:
        """The maximal sets of values whose spans share a moment, each once: there, an end follows a start."""
        events: list[tuple[int, bool, int, Value]] = []
        for number, task in enumerate(self.tasks):
            for value, (start, end) in task.spans.items():
                events += [(start, True, number, value), (end, False, number, value)]
        running: dict[tuple[int, Value], None] = {}
        grown = False
        for _, begins, number, value in sorted(events, key=lambda event: event[:2]):
            if begins:
                running[number, value] = None
            elif grown:
                yield [(self.tasks[n], v) for n, v in running]
            grown = begins
            if not begins:
                del running[number, value]

    def in_words(self) -> str:
        names = ", ".join(self.variables)
        most = "do not overlap" if self.capacity == 1 else f"use at most {self.capacity} at a time"
        return f"the times of {names} {most}"


@dataclass(frozen=True)
class Before(Constraint):
    """If both take up time, the first ends at least ``gap`` before the second starts."""

    kind = "before"
    first: Interval
    then: Interval
    gap: int

    @property
    def variables(self) -> tuple[str, ...]:
        return (self.first.variable, self.then.variable)

    @property
    def literals(self) -> tuple[Literal, ...]:
        return (*self.first.literals, *self.then.literals)

    def holds(self, given: Assignment) -> bool:
        first, then = (task.spans.get(given[task.variable]) for task in (self.first, self.then))
        return first is None or then is None or first[1] + self.gap <= then[0]

    def compile(self, graph: Graph, source: int) -> None:
        ends = sorted(
            (end + self.gap, graph.literal(self.first.variable, v)) for v, (_, end) in self.first.spans.items()
        )
        starts = sorted((start, graph.literal(self.then.variable, v)) for v, (start, _) in self.then.spans.items())
        for late, soon in crossings(ends, starts):
            graph.at_most_one([*late, *soon], source)

    def in_words(self) -> str:
        gap = f" by {self.gap}" if self.gap else ""
        return f"{self.first.variable} is over{gap} before {self.then.variable} starts"


@dataclass(frozen=True)
class NoOverlap(Constraint):
    """Intervals with variable starts and fixed durations do not overlap."""

    kind = "no_overlap"
    starts: tuple[str, ...]
    durations: tuple[int, ...]

    @property
    def variables(self) -> tuple[str, ...]:
        return self.starts

    @property
    def numeric(self) -> tuple[str, ...]:
        return self.starts

    def holds(self, given: Assignment) -> bool:
        spans = sorted(
            (int(given[name]), int(given[name]) + d) for name, d in zip(self.starts, self.durations, strict=True)
        )
        return all(first[1] <= second[0] for first, second in pairwise(spans))

    def compile(self, graph: Graph, source: int) -> None:
        tasks = [
            Interval(name, {start: (int(start), int(start) + duration) for start in graph.domains[name]}, 1)
            for name, duration in zip(self.starts, self.durations, strict=True)
        ]
        Cumulative(tuple(tasks), 1).compile(graph, source)

    def in_words(self) -> str:
        each = [f"{name} (lasting {d})" for name, d in zip(self.starts, self.durations, strict=True)]
        return f"{listed(each)} do not overlap"


_Times = Sequence[tuple[int, int | None]]


def crossings(ends: _Times, starts: _Times) -> Iterator[tuple[list[int | None], list[int | None]]]:
    """Pairs of sets that cover exactly the (end, start) pairs with the end later than the start, with O(n log n) members.

    At the middle time, all later ends are after all earlier starts; the remaining pairs are on one side of it.
    """
    times = sorted({time for time, _ in (*ends, *starts)})
    if len(times) < 2 or not ends or not starts:
        return
    cut = times[len(times) // 2]
    late, soon = [x for end, x in ends if end >= cut], [x for start, x in starts if start < cut]
    if late and soon:
        yield late, soon
    for later in (False, True):
        yield from crossings([x for x in ends if (x[0] >= cut) == later], [x for x in starts if (x[0] >= cut) == later])


def interval(raw: Mapping[str, Any]) -> Interval:
    return Interval(raw["variable"], {value: (start, end) for value, start, end in raw["spans"]}, raw.get("uses", 1))


def read(raw: Mapping[str, Any]) -> Cumulative | Before | NoOverlap:
    """Build a constraint on intervals from an object that has passed the schema."""
    match raw["type"]:
        case "cumulative":
            return Cumulative(tuple(map(interval, raw["tasks"])), raw.get("capacity", 1))
        case "before":
            return Before(interval(raw["first"]), interval(raw["then"]), raw.get("gap", 0))
        case "no_overlap":
            return NoOverlap(tuple(raw["starts"]), tuple(raw["durations"]))
        case other:
            raise AssertionError(f"{other!r} is checked before")


def meaningless(constraint: Constraint) -> Iterator[str]:
    """Faults in the spans of a constraint, as sentences."""
    if not isinstance(constraint, Cumulative | Before):
        return
    tasks = constraint.tasks if isinstance(constraint, Cumulative) else (constraint.first, constraint.then)
    for task in tasks:
        for value, (start, end) in task.spans.items():
            if end <= start:
                yield f"The span of {value!r} of {task.variable!r} ends at {end}, and starts at {start}; it has to end later."
    if isinstance(constraint, Cumulative) and len(constraint.variables) < len(tasks):
        yield "Each variable may have one task."
