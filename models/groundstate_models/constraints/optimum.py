"""Bounds on the cost of a problem with an objective: by propagation with a limit on the cost, and by complete search below it."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints.complete import MOST_EDGES, Search
from groundstate_models.constraints.factors import Factor
from groundstate_models.constraints.objective import Extreme
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.propagate import Table, propagate
from groundstate_models.constraints.tensors import Network

Limits = tuple[int | None, NDArray[np.bool_] | None]
"""The largest cost of the literals, in units of `Network.costs`, and further excluded literals."""

_SEARCHES = 3


class Optimum:
    """Limits on the cost, in whole units above `Problem.base`, and proofs that no assignment keeps them.

    Args:
        problem: A problem with an objective.
        network: Its factor graph.
    """

    def __init__(self, problem: Problem, network: Network) -> None:
        self.problem, self.network = problem, network
        self._known: dict[int, Limits | None] = {}
        self._searches: dict[int, Search] = {}
        self._least: int | None = None
        self._turns: dict[int, int] = {}

    @cached_property
    def unit(self) -> float:
        """The cost of one unit."""
        if self.network.graph.costs:
            return 1.0 / self.network.quantum
        wanted = self.problem.objective
        return 1.0 if wanted is None else wanted.weight

    def units(self, cost: float) -> int:
        return round((cost - self.problem.base) / self.unit)

    def cost(self, units: int) -> float:
        return self.problem.base + units * self.unit

    @cached_property
    def _edges(self) -> int:
        return sum(len(factor.literals) for factor in self.network.graph.factors)

    @cached_property
    def _table(self) -> Table:
        """The factors, and last the one that bounds the cost."""
        graph = self.network.graph
        if not graph.costs:
            return self.network.table
        costs = self.network.costs
        dear = np.flatnonzero(costs)
        total = Factor(tuple(dear.tolist()), tuple(costs[dear].tolist()), 0, int(costs.sum()), -1)
        return Table.of(graph, [*graph.factors, total])

    def at_most(self, units: int) -> Limits | None:
        """The limits of assignments that cost at most some units; None if propagation proves that there are none."""
        if units not in self._known:
            if len(self._known) > 64:
                self._known.clear()
            self._known[units] = self._at_most(units)
        return self._known[units]

    def _at_most(self, units: int) -> Limits | None:
        network, wanted = self.network, self.problem.objective
        open_ = network.open.copy()
        if isinstance(wanted, Extreme):
            sign = -1 if wanted.maximise else 1
            worse = wanted.reaches(self.cost(units)) + 0.5 * sign * min(1.0, self.unit / wanted.weight)
            open_[wanted.beyond(network.graph, worse)] = False
        most = units if network.graph.costs else None
        if self._edges > MOST_EDGES:
            return most, None if open_.all() else ~open_
        table = self._table
        if most is not None:
            if most < network.least:
                return None
            table = replace(table, high=np.concatenate([table.high[:-1], [most]]))
        narrowed, possible = propagate(table, open_)
        return (most, ~narrowed) if possible else None

    def below(self, cost: float) -> Limits | None:
        """Limits of cheaper assignments, by at least a quarter of what propagation leaves open in every second call for a cost.

        A large step saves many small ones, and may ask for too much. None if nothing is cheaper.
        """
        units = self.units(cost)
        nearest = self.at_most(units - 1)
        if nearest is None:
            return None
        turn = self._turns[units] = self._turns.get(units, -1) + 1
        step = (units - self.least(units)) // 4 if turn % 2 == 0 else 1
        return nearest if step <= 1 else self.at_most(units - step) or nearest

    def least(self, units: int) -> int:
        """The least units that propagation does not refute, up to a known cost in units."""
        low, high = 0 if self._least is None else self._least, units
        while low < high and self._least is None:
            middle = (low + high) // 2
            low, high = (low, middle) if self.at_most(middle) is not None else (middle + 1, high)
        self._least = low if self._least is None else self._least
        return min(self._least, units)

    def proven(self, units: int, work: int) -> bool:
        """Whether a search, resumed from call to call, proves that every assignment costs more than some units."""
        limits = self.at_most(units)
        if limits is None:
            return True
        if self._edges > MOST_EDGES:
            return False
        if units not in self._searches:
            while len(self._searches) >= _SEARCHES:
                del self._searches[next(iter(self._searches))]
            most, without = limits
            open_ = self.network.open if without is None else self.network.open & ~without
            self._searches[units] = Search(self.problem, open_, most=most)
        search = self._searches[units]
        return not search.found and search.advance(work) and not search.found

    def bound(self, cost: float, work: int) -> float:
        """A proven lower bound on the cost; the given cost if nothing is cheaper."""
        units = self.units(cost)
        least = self.least(units)
        if least < units and self.proven(units - 1, work):
            self._least = units
            return cost
        while least < units:
            middle = (least + units - 1) // 2
            if not self.proven(middle, work // 4):
                break
            least = self._least = middle + 1
        return min(cost, self.cost(least))
