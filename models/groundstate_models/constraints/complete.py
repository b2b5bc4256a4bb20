"""Proofs beyond propagation: a bounded search over the open literals, and the pigeonhole principle.

Both prove that there is no answer, or only one. They never return an answer: assignments that they find are dropped. The search
is `backtracking` with a bound on its work. Work is counted in visited literals of factors, so it only depends on the problem.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints.backtracking import Bounds
from groundstate_models.constraints.cliques import joined
from groundstate_models.constraints.factors import Factor, Value
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.tensors import Network

MOST_EDGES = 200_000
"""Literals in factors above which there is no search: its setup would take longer than a descent."""

MOST_APART = 3
"""Most independent contradictions to name."""

EXPLAINED = 12
"""Work for reducing the named constraints, as a multiple of the proof's work."""


@dataclass
class Search:
    """A resumable search for assignments that satisfy a problem's constraints.

    Args:
        problem: The problem, without its preferences.
        open_: Open literals after propagation, ``(literals,)``.
        sources: The constraints to satisfy; None for all.
        most: Largest cost of an assignment, in units of ``network.costs``; None for no limit.

    Attributes:
        found: Satisfying assignments, at most two.
        exhausted: Whether there are no other assignments.
        work: Literals of factors visited so far.
    """

    problem: Problem
    open_: NDArray[np.bool_] | None = None
    sources: Collection[int] | None = None
    most: int | None = None
    found: list[Mapping[str, Value]] = field(default_factory=list)
    exhausted: bool = False

    def __post_init__(self) -> None:
        self._bounds = Bounds(self.problem.graph, self._factors())
        self._stack: list[tuple[list[int], int]] = []
        """Literals to try at each level, and the mark before the level."""
        closed = [] if self.open_ is None else np.flatnonzero(~self.open_[: self._visible]).tolist()
        self.exhausted = not (self._bounds.consistent and self._bounds.settle([(literal, False) for literal in closed]))
        if not self.exhausted:
            self._deeper()

    def _factors(self) -> list[Factor]:
        graph, hard = self.problem.graph, len(self.problem.constraints)
        if self.sources is not None:
            allowed = {-1, *self.sources}
            return [factor for factor in graph.factors if factor.source in allowed]
        if self.most is None:
            return [factor for factor in graph.factors if factor.source < hard]
        costs = Network(graph).costs
        dear = tuple(np.flatnonzero(costs).tolist())
        prices = tuple(int(costs[literal]) for literal in dear)
        return [*graph.factors, Factor(dear, prices, sum(min(price, 0) for price in prices), self.most, -1)]

    @property
    def work(self) -> int:
        return self._bounds.work

    @property
    def _visible(self) -> int:
        """Number of the variables' literals; literals of auxiliary choices follow them."""
        return sum(map(len, self.problem.domains.values()))

    def advance(self, work: int) -> bool:
        """Search until exhaustion, two assignments, or a limit of work. Returns whether the search is exhausted."""
        until = self.work + work
        while self._stack and len(self.found) < 2 and self.work < until:
            literals, mark = self._stack[-1]
            self._bounds.undo(mark)
            if not literals:
                self._stack.pop()
                continue
            if self._bounds.settle([(literals.pop(), True)]):
                self._deeper()
        self.exhausted = self.exhausted or not self._stack
        return self.exhausted

    def _deeper(self) -> None:
        """Branch on the variable with the least to try; if all have a value, check the constraints."""
        graph, bounds = self.problem.graph, self._bounds
        best: list[int] | None = None
        least = 0.0
        for name, values in graph.domains.items():
            first = graph.first[name]
            free = [number for number in range(first, first + len(values)) if bounds.known[number] is None]
            if free:
                price = len(free) / (1 + sum(bounds.blame[number] for number in free))
                if best is None or price < least:
                    best, least = free, price
        if best is not None:
            self._stack.append((best[::-1], bounds.mark))
            return
        values_of = {
            name: next(value for number, value in enumerate(values, graph.first[name]) if bounds.known[number])
            for name, values in graph.domains.items()
        }
        counted = range(len(self.problem.constraints)) if self.sources is None else self.sources
        if all(self.problem.constraints[source].holds(values_of) for source in counted) and self._cheap(values_of):
            self.found.append(values_of)

    def _cheap(self, given: Mapping[str, Value]) -> bool:
        problem = self.problem
        return self.most is None or round((problem.total(given) - problem.base) * self._quantum) <= self.most

    @cached_property
    def _quantum(self) -> float:
        return Network(self.problem.graph).quantum


def contradiction(search: Search) -> list[int]:
    """Contradictory constraints after an exhausted search without assignments, reduced with a little work."""
    problem, base = search.problem, search.work + 1_000
    kept = list(range(len(problem.constraints)))
    left = EXPLAINED * base
    size = len(kept) // 2
    while size and left > 0:
        place = 0
        while place < len(kept) and left > 0:
            fewer = kept[:place] + kept[place + size :]
            trial = Search(problem, None, fewer)
            if trial.advance(min(base, left)) and not trial.found:
                kept = fewer
            else:
                place += size
            left -= trial.work + 100
        size = size // 2 if size > 1 else 0
    return kept


def further(problem: Problem, first: list[int], work: int) -> list[list[int]]:
    """The constraints of a contradiction, and of others disjoint from it, found with a little work."""
    found = [first]
    while len(found) < MOST_APART:
        gone = {source for sources in found for source in sources}
        left = [source for source in range(len(problem.constraints)) if source not in gone]
        rest = problem.only(left)
        network = Network(rest.graph)
        sources = network.proof()
        if sources is None and sum(len(factor.literals) for factor in rest.graph.factors) <= MOST_EDGES:
            sources = pigeonholes(rest, network.open)
        if sources is None:
            search = Search(rest, network.open)
            if not search.advance(work) or search.found:
                break
            sources = contradiction(search)
        if not (named := [left[source] for source in sources if 0 <= source < len(left)]):
            break
        found.append(named)
    return found


def pigeonholes(problem: Problem, open_: NDArray[np.bool_]) -> list[int] | None:
    """Constraints that require more variables to differ than they have values in total; None if not detected.

    Pairwise conflicts are merged into cliques with at most one true literal. Every variable needs a clique of its own. If no
    matching gives every variable a clique, there is no assignment (P. Hall, 1935).
    """
    graph = problem.graph
    hard = [factor for factor in graph.factors if factor.source < len(problem.constraints)]
    if sum(len(factor.literals) for factor in hard) > MOST_EDGES:
        return None
    clique_of: dict[int, int] = {}
    at_most_one = [
        factor
        for factor in joined(hard)
        if factor.high == 1 and factor.source >= 0 and all(a == 1 for a in factor.coefficients)
    ]
    for number, factor in enumerate(sorted(at_most_one, key=lambda factor: -len(factor.literals))):
        for literal in factor.literals:
            clique_of.setdefault(literal, number)
    reach: dict[str, set[int]] = {}
    for name, values in graph.domains.items():
        first = graph.first[name]
        mine = [literal for literal in range(first, first + len(values)) if open_[literal]]
        if all(literal in clique_of for literal in mine):
            reach[name] = {clique_of[literal] for literal in mine}
    short = _unmatched(reach)
    if short is None:
        return None
    return [source for source, one in enumerate(problem.constraints) if len(short.intersection(one.variables)) > 1]


def _unmatched(reach: Mapping[str, Iterable[int]]) -> set[str] | None:
    """A set of names with fewer places than names; None if every name can have a place of its own."""
    taken: dict[int, str] = {}
    for start in reach:
        # Augmenting paths, breadth first: maps each place to its predecessor.
        came: dict[int, str] = {}
        todo, free = [start], None
        while todo and free is None:
            name = todo.pop()
            for place in reach[name]:
                if place in came:
                    continue
                came[place] = name
                if place not in taken:
                    free = place
                    break
                todo.append(taken[place])
        if free is None:
            return {start, *(taken[place] for place in came)}
        while True:
            name = came[free]
            before = next((place for place, owner in taken.items() if owner == name), None)
            taken[free] = name
            if name == start or before is None:
                break
            free = before
    return None
