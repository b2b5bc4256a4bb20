"""Read disjunctive problems with long scales of time: schedules by a search over orders, confirmed by the request's own check.

The landscape has one variable, whose values are the schedules found; only the best is open. So the size of the graph depends
neither on the scale of time nor on the number of operations. Every answer passes `Problem.violations`, as any other.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Header, Violation
from groundstate_models.constraints.disjunctive import Disjunctive
from groundstate_models.constraints.factors import Graph, Value
from groundstate_models.constraints.orders import OrderSearch
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.reading import PreferringReading
from groundstate_models.constraints.tensors import Network

LEAST_VALUES = 2_000
"""Values of all variables from which a disjunctive problem is solved by orders; the landscape of fewer is small."""

SLOTS = 256
"""Schedules in the landscape; the next replaces the oldest."""

FIRST = 400_000
"""Operations times moves for a first schedule that keeps every window, before the landscape over values has its turn."""

BOUT = 12_500
"""Operations times moves between two looks at the result: about a twentieth of a second for 100 operations."""

MOST_BOUTS = 4_096
"""Most bouts without a better schedule in one call."""


def by_orders(problem: Problem) -> Disjunctive | None:
    """The disjunctive form of a problem that is to be solved by orders; None for any other problem."""
    if sum(map(len, problem.domains.values())) < LEAST_VALUES:
        return None
    shop = Disjunctive.of(problem)
    if (
        shop is None
        or not shop.machines
        or any(low > high for low, high in zip(shop.release, shop.latest, strict=True))
    ):
        return None
    return shop


class OrderReading(PreferringReading):
    """A disjunctive problem. Without a schedule that keeps every window, it is read as any other problem."""

    def __init__(self, header: Header, request: dict[str, Any], problem: Problem, shop: Disjunctive) -> None:
        super().__init__(header, request, problem)
        self.shop = shop
        self._slots = Network(Graph({"schedule": tuple(range(SLOTS))}))
        self._schedules: dict[int, dict[str, Value]] = {}
        self._count = 0
        self._bouts = 1
        self._least = shop.bound(shop.ends)
        self._search: OrderSearch | None = None
        self._seeded = False
        self._begin()

    def _begin(self) -> None:
        shop = self.shop
        if shop.bound(shop.tails(shop.most)) > shop.most:
            return  # no schedule keeps the windows, which the landscape over values proves
        search = OrderSearch(shop)
        for _ in range(-(-FIRST // BOUT)):
            if search.best is not None:
                self._search = search
                self._keep()
                return
            search.run(self._moves)

    @property
    def _moves(self) -> int:
        return max(1, BOUT // len(self.shop.names))

    def _keep(self) -> None:
        assert self._search is not None
        assert self._search.best is not None
        self._schedules[self._count % SLOTS] = dict(zip(self.shop.names, self._search.best, strict=True))
        self._count += 1

    # -- tensors ---------------------------------------------------------------------------------------------------------

    def encode(self) -> dict[str, NDArray[Any]]:
        """The landscape with the best schedule open."""
        if self._search is None:
            return super().encode()
        closed = np.ones(SLOTS, np.bool_)
        closed[(self._count - 1) % SLOTS] = False
        return self._slots.tensors(None, closed)

    def starts(self, random: np.random.Generator, count: int) -> Mapping[str, NDArray[Any]] | None:
        if self._search is None:
            return super().starts(random, count)
        if not self._seeded:  # the first chains' generator depends on the seed
            self._search.draw, self._seeded = Random(int(random.integers(2**62))), True  # noqa: S311 - no secret
        return None

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        if self._search is None:
            return super().encode_answer(answer)
        for slot, schedule in self._schedules.items():
            if schedule == answer["values"]:
                return {"value": np.array([slot], np.int64)}
        return None

    def _values(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Value]:
        if self._search is None:
            return super()._values(tensors)
        chosen = int(self._slots.values(np.asarray(tensors["value"]))["schedule"])
        return dict(self._schedules.get(chosen, self._schedules[(self._count - 1) % SLOTS]))

    # -- proofs and cost -------------------------------------------------------------------------------------------------

    @property
    def contradictions(self) -> list[Violation]:
        return super().contradictions if self._search is None else []

    def proof(self, effort: int) -> list[Violation]:
        return super().proof(effort) if self._search is None else []

    def unique(self, answer: dict[str, Any]) -> bool:
        return super().unique(answer) if self._search is None else False

    def cost(self, answer: dict[str, Any]) -> float:
        return super().cost(answer) if self._search is None else self.read.problem.total(answer["values"])

    def least_cost(self, cost: float, effort: int) -> float:
        """The cost of the bound by paths and by single machines."""
        if self._search is None:
            return super().least_cost(cost, effort)
        return min(cost, self._price(self._least))

    def with_cost_below(self, cost: float) -> dict[str, NDArray[Any]] | None:
        """Search on until a better schedule is found, or for longer in every call without one; None at the bound."""
        search = self._search
        if search is None:
            return super().with_cost_below(cost)
        if cost <= self._price(self._least):
            return None
        for _ in range(self._bouts):
            if search.run(self._moves):
                self._bouts = 1
                self._keep()
                return self.encode()
        self._bouts = min(2 * self._bouts, MOST_BOUTS)
        return self.encode()

    def _price(self, value: int) -> float:
        wanted = self.read.problem.objective
        assert wanted is not None
        return wanted.price(value)

    # -- questions -------------------------------------------------------------------------------------------------------

    def choices(self, variable: str) -> list[Value]:
        if self._search is None:
            return super().choices(variable)
        return list(self.read.problem.domains[variable])

    def decided(self, since: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        return super().decided(since) if self._search is None else {}
