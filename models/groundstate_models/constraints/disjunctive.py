"""Recognise disjunctive problems: starts in windows, precedences with lags, machines for one operation at a time, the latest end.

Such a problem is decided by the orders of the operations on the machines (B. Roy and B. Sussmann, "Les problèmes
d'ordonnancement avec contraintes disjonctives", 1964), so its size does not depend on the scale of time.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.intervals import Before, Cumulative, Interval, NoOverlap
from groundstate_models.constraints.language import Constraint, Linear, Precedence
from groundstate_models.constraints.objective import Extreme
from groundstate_models.constraints.problem import Problem

Arcs = list[list[tuple[int, int]]]
"""For each operation, others and the least time between both starts."""


@dataclass(frozen=True)
class Disjunctive:
    """Operations in units of time.

    Attributes:
        names: The variable of each operation's start.
        release, latest: The first and the last start of each.
        ends: What the objective adds to the start of each; None if it does not count.
        after, before: Successors and predecessors of each, with lags of at least 0; without cycles.
        machines: Operations of each machine, at least two. No operation has two machines.
        duration: Time of each on its machine; 0 without one.
        order: All operations, each after its predecessors.
    """

    names: tuple[str, ...]
    release: list[int]
    latest: list[int]
    ends: list[int | None]
    after: Arcs
    before: Arcs
    machines: list[list[int]]
    duration: list[int]
    order: list[int]

    @classmethod
    def of(cls, problem: Problem) -> Disjunctive | None:
        """The disjunctive form of a problem; None if any part of it has another form."""
        wanted = problem.objective
        if problem.preferences or not isinstance(wanted, Extreme) or wanted.maximise:
            return None
        names = tuple(problem.domains)
        windows = [_window(values) for values in problem.domains.values()]
        parts = _Parts(problem.domains, [window for window in windows if window is not None])
        if None in windows or not all(map(parts.add, problem.constraints)) or not parts.machines:
            return None
        ends: list[int | None] = [None] * len(names)
        for name, more in wanted.moved:
            known = ends[parts.number[name]]
            ends[parts.number[name]] = more if known is None else max(known, more)
        after: Arcs = [[] for _ in names]
        before: Arcs = [[] for _ in names]
        for (first, then), lag in parts.lags.items():
            after[first].append((then, lag))
            before[then].append((first, lag))
        order = _sorted(after, before)
        if order is None:
            return None
        return cls(names, parts.release, parts.latest, ends, after, before, parts.machines, parts.duration, order)

    @property
    def most(self) -> int:
        """The greatest value of the objective within the windows."""
        return max(late + end for late, end in zip(self.latest, self.ends, strict=True) if end is not None)

    def tails(self, limit: int) -> list[int]:
        """What each operation adds to its start.

        The greatest sum is at most ``limit`` exactly if no start is too late and the objective is at most ``limit``.
        """
        return [
            limit - late if end is None else max(end, limit - late)
            for late, end in zip(self.latest, self.ends, strict=True)
        ]

    def bound(self, tails: Sequence[int | None]) -> int:
        """A lower bound on the greatest sum of start and tail: by paths, and by each machine alone with preemption.

        The latter is Jackson's schedule (J. Carlier, "The one-machine sequencing problem", 1982). Operations without a tail
        do not count.
        """
        low = -(10**15)
        heads = list(self.release)
        for k in self.order:
            for j, lag in self.after[k]:
                heads[j] = max(heads[j], heads[k] + lag)
        rest = [low if tail is None else tail for tail in tails]
        for k in reversed(self.order):
            for j, lag in self.after[k]:
                rest[k] = max(rest[k], rest[j] + lag)
        best = max(head + tail for head, tail in zip(heads, rest, strict=True))
        for mine in self.machines:
            best = max(best, _preemptive([(heads[k], self.duration[k], rest[k] - self.duration[k]) for k in mine]))
        return best


class _Parts:
    """Collects the parts of a disjunctive problem from its constraints."""

    def __init__(self, domains: Mapping[str, Sequence[Value]], windows: Sequence[tuple[int, int]]) -> None:
        self.domains = domains
        self.number = {name: k for k, name in enumerate(domains)}
        self.release, self.latest = [low for low, _ in windows], [high for _, high in windows]
        self.lags: dict[tuple[int, int], int] = {}
        self.machines: list[list[int]] = []
        self.duration = [0] * len(domains)
        self._owned: set[int] = set()

    def add(self, constraint: Constraint) -> bool:
        """Take a constraint; False if it does not fit."""
        if (arc := _arc(constraint, self.domains)) is not None:
            first, then, lag = self.number[arc[0]], self.number[arc[1]], arc[2]
            self.lags[first, then] = max(lag, self.lags.get((first, then), 0))
            return lag >= 0 and first != then
        if (tasks := _tasks(constraint, self.domains)) is not None:
            return self._machine(tasks)
        if (bounds := _bounds(constraint)) is not None:
            k = self.number[bounds[0]]
            self.release[k], self.latest[k] = max(self.release[k], bounds[1]), min(self.latest[k], bounds[2])
            return True
        return False

    def _machine(self, tasks: list[tuple[str, int]]) -> bool:
        mine = [self.number[name] for name, _ in tasks]
        if self._owned.intersection(mine) or len(set(mine)) < len(mine):
            return False
        self._owned.update(mine)
        for k, (_, lasts) in zip(mine, tasks, strict=True):
            self.duration[k] = lasts
        if len(mine) > 1:
            self.machines.append(mine)
        return True


def _preemptive(jobs: list[tuple[int, int, int]]) -> int:
    """The least max of end + tail on one machine with preemption, of (head, duration, tail)."""
    waiting = sorted(jobs)
    ready: list[list[int]] = []
    now, best, k = 0, -(10**18), 0
    while ready or k < len(waiting):
        if not ready:
            now = max(now, waiting[k][0]) if k else waiting[k][0]
        while k < len(waiting) and waiting[k][0] <= now:
            heapq.heappush(ready, [-waiting[k][2], waiting[k][1]])
            k += 1
        tail, left = ready[0]
        until = waiting[k][0] if k < len(waiting) else now + left
        if now + left <= until:
            now += left
            best = max(best, now - tail)
            heapq.heappop(ready)
        else:
            ready[0][1] = left - (until - now)
            now = until
    return best


def _window(values: Sequence[Value]) -> tuple[int, int] | None:
    """The least and the greatest value; None unless they are all whole numbers between both."""
    if not all(isinstance(value, int) for value in values):
        return None
    low, high = int(min(values)), int(max(values))
    return (low, high) if high - low + 1 == len(values) else None


def _lasting(task: Interval, domains: Mapping[str, Sequence[Value]]) -> int | None:
    """How long an interval lasts if it starts at the variable's value for every value; else None."""
    spans, values = task.spans, domains[task.variable]
    lengths = {end - start for start, end in spans.values()}
    if len(lengths) != 1 or not all(value == span[0] for value, span in spans.items()):
        return None
    return lengths.pop() if all(value in spans for value in values) else None


def _arc(constraint: Constraint, domains: Mapping[str, Sequence[Value]]) -> tuple[str, str, int] | None:
    """Two variables and the least difference of their values."""
    match constraint:
        case Precedence(before, after, gap):
            return before, after, gap
        case Before(first, then, gap):
            lasts = _lasting(first, domains)
            return (
                None
                if lasts is None or _lasting(then, domains) is None
                else (first.variable, then.variable, lasts + gap)
            )
        case Linear((one, other), low, high) if one.value is None and other.value is None:
            if (one.times, other.times) == (1, -1) and low is None and high is not None:
                return one.variable, other.variable, -high
            if (one.times, other.times) == (-1, 1) and high is None and low is not None:
                return one.variable, other.variable, low
            if (one.times, other.times) == (1, -1) and high is None and low is not None:
                return other.variable, one.variable, low
            if (one.times, other.times) == (-1, 1) and low is None and high is not None:
                return other.variable, one.variable, -high
    return None


def _tasks(constraint: Constraint, domains: Mapping[str, Sequence[Value]]) -> list[tuple[str, int]] | None:
    """Variables and durations of a machine that does one operation at a time."""
    if isinstance(constraint, NoOverlap):
        return list(zip(constraint.starts, constraint.durations, strict=True))
    if not isinstance(constraint, Cumulative) or any(
        task.uses > constraint.capacity or 2 * task.uses <= constraint.capacity for task in constraint.tasks
    ):
        return None
    found = [(task.variable, _lasting(task, domains)) for task in constraint.tasks]
    return [(name, lasts) for name, lasts in found if lasts is not None] if all(d for _, d in found) else None


def _bounds(constraint: Constraint) -> tuple[str, int, int] | None:
    """A variable and the bounds of its value."""
    match constraint:
        case Linear((one,), low, high) if one.value is None and one.times == 1:
            return one.variable, -(10**12) if low is None else low, 10**12 if high is None else high
    return None


def _sorted(after: Arcs, before: Arcs) -> list[int] | None:
    """All operations, each after its predecessors; None if there is a cycle."""
    left = [len(some) for some in before]
    order = [k for k, many in enumerate(left) if not many]
    for k in order:
        for j, _ in after[k]:
            left[j] -= 1
            if not left[j]:
                order.append(j)
    return order if len(order) == len(after) else None
