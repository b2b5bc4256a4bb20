"""All solutions of a small problem, by backtracking over its factors with propagation of bounds.

It proves that a generated puzzle has one solution. It is exhaustive and written in Python, for problems of a few hundred
literals.
It branches on the variable with the smallest ratio of remaining values to past failures of its factors (F. Boussemart, F. Hemery,
C. Lecoutre and L. Saïs, "Boosting systematic search by weighting constraints", 2004). Without these weights, an occasional zebra
puzzle takes minutes.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from groundstate_models.constraints.factors import Factor, Graph, Value
from groundstate_models.constraints.problem import Problem


def solutions(problem: Problem, most: int, rng: np.random.Generator | None = None) -> list[dict[str, Value]]:
    """Up to ``most`` solutions of a problem, without its preferences. If fewer are returned, there are no others.

    Values are tried in the order of the domains, or in random order with ``rng``.
    """
    hard = len(problem.constraints)
    bounds = Bounds(problem.graph, [factor for factor in problem.graph.factors if factor.source < hard])
    return list(islice(_below(problem, bounds, rng), most)) if bounds.consistent else []


def _below(problem: Problem, bounds: Bounds, rng: np.random.Generator | None) -> Iterator[dict[str, Value]]:
    """Solutions within the present bounds, which are restored afterwards."""
    graph, open_literals = problem.graph, {}
    for name, values in graph.domains.items():
        numbers = range(graph.first[name], graph.first[name] + len(values))
        if free := [number for number in numbers if bounds.known[number] is None]:
            open_literals[name] = free
    if not open_literals:
        yield {
            name: next(value for number, value in enumerate(values, graph.first[name]) if bounds.known[number])
            for name, values in graph.domains.items()
        }
        return
    tightest = min(open_literals.values(), key=lambda free: len(free) / (1 + sum(bounds.blame[n] for n in free)))
    for number in tightest if rng is None else rng.permutation(tightest).tolist():
        mark = bounds.mark
        if bounds.settle([(number, True)]):
            yield from _below(problem, bounds, rng)
        bounds.undo(mark)


class Bounds:
    """The known literals, and the bounds of every factor's sum.

    Attributes:
        known: Whether a literal holds; None if it is open.
        blame: Number of failures of a literal's factors.
        consistent: False if propagation proves a contradiction.
        work: Literals of factors visited so far.
    """

    def __init__(self, graph: Graph, factors: Sequence[Factor]) -> None:
        self.work = 0
        self.known: list[bool | None] = [None] * graph.count
        self.blame = [0] * graph.count
        self._terms = [list(zip(factor.literals, factor.coefficients, strict=True)) for factor in factors]
        self._allowed = [(factor.low, factor.high) for factor in factors]
        self._widest = [max(map(abs, factor.coefficients), default=0) for factor in factors]
        self._least = [factor.reach[0] for factor in factors]
        self._most = [factor.reach[1] for factor in factors]
        self._of: list[list[tuple[int, int]]] = [[] for _ in range(graph.count)]
        for index, terms in enumerate(self._terms):
            for literal, coefficient in terms:
                self._of[literal].append((index, coefficient))
        self._trail: list[int] = []
        forced = [self._forced(index) for index in range(len(factors))]
        self.consistent = None not in forced and self.settle([step for steps in forced for step in steps or ()])

    @property
    def mark(self) -> int:
        """The number of known literals, for `undo`."""
        return len(self._trail)

    def settle(self, steps: list[tuple[int, bool]]) -> bool:
        """Set literals and their consequences. False on a contradiction, with some literals set; then call `undo`."""
        while steps:
            literal, holds = steps.pop()
            if self.known[literal] is not None:
                if self.known[literal] != holds:
                    return False
                continue
            self.known[literal] = holds
            self._trail.append(literal)
            self._move(literal, holds, 1)
            for index, _ in self._of[literal]:
                self.work += len(self._terms[index])
                forced = self._forced(index)
                if forced is None:
                    for other, _ in self._terms[index]:
                        self.blame[other] += 1
                    return False
                steps += forced
        return True

    def undo(self, mark: int) -> None:
        """Undo everything since a `mark`."""
        while len(self._trail) > mark:
            literal = self._trail.pop()
            self._move(literal, bool(self.known[literal]), -1)
            self.known[literal] = None

    def _move(self, literal: int, holds: bool, sign: int) -> None:
        for index, coefficient in self._of[literal]:
            if (coefficient > 0) == holds:
                self._least[index] += sign * abs(coefficient)
            else:
                self._most[index] -= sign * abs(coefficient)

    def _forced(self, index: int) -> list[tuple[int, bool]] | None:
        """Forced values of a factor's open literals; None if the factor cannot be satisfied."""
        low, high = self._allowed[index]
        up, down = high - self._least[index], self._most[index] - low
        if up < 0 or down < 0:
            return None
        if self._widest[index] <= min(up, down):
            return []
        return [
            (literal, (coefficient > 0) != (abs(coefficient) > up))
            for literal, coefficient in self._terms[index]
            if self.known[literal] is None and abs(coefficient) > min(up, down)
        ]
