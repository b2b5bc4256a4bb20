"""Encode a problem as tensors of its factor graph, and decode answers to values.

Literals that propagation rules out or fixes are dropped, so the energy only gets open literals. Sizes are rounded up to a few
classes, so that problems of similar size share a batch and ONNX Runtime's plans.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints import incidence
from groundstate_models.constraints.cliques import joined
from groundstate_models.constraints.factors import Graph, Value
from groundstate_models.constraints.propagate import Reach, Table, proof, propagate

FAR = 1.0e4
"""Represents a missing bound."""

AXES = {
    "domain": ("variables", "values"),
    "cost": ("variables", "values"),
    **incidence.AXES,
    "low": ("factors",),
    "high": ("factors",),
    "slack": ("factors",),
}
"""The energy's inputs and the names of their axes."""

_CLASSES = np.unique(
    np.concatenate([np.arange(1, 9), 2.0 ** (np.arange(12, 24) / 4), 2.0 ** (np.arange(48, 200) / 8)])
    .round()
    .astype(np.int64)
)


def rounded(size: int) -> int:
    """The size class of a size: the next power of the fourth root of two, above 64 of the eighth root."""
    return int(_CLASSES[np.searchsorted(_CLASSES, size)])


@dataclass
class Network:
    """A factor graph without the literals that propagation fixes.

    Args:
        graph: The factors and costs.

    Attributes:
        latest: The inputs that `tensors` made last.
    """

    graph: Graph
    latest: dict[str, NDArray[Any]] | None = field(init=False, default=None)

    @cached_property
    def table(self) -> Table:
        return Table.of(self.graph)

    @cached_property
    def _joined(self) -> Table:
        """The factors for the energy. Proofs use the original factors, because they name constraints."""
        return Table.of(self.graph, joined(self.graph.factors))

    @cached_property
    def _propagated(self) -> tuple[NDArray[np.bool_], bool]:
        return propagate(self.table, np.ones(self.graph.count, bool))

    @property
    def open(self) -> NDArray[np.bool_]:
        """The open literals."""
        return self._propagated[0]

    def proof(self, fixed: Collection[int] = ()) -> list[int] | None:
        """Sources that together rule out every assignment; None if propagation proves nothing."""
        return None if self._propagated[1] else proof(self.table, np.ones(self.graph.count, bool), fixed)

    @cached_property
    def kept(self) -> list[NDArray[np.int64]]:
        """The open literals of each group with more than one left."""
        left = (np.flatnonzero(self.open[g.start : g.stop]) + g.start for g in self.graph.groups)
        return [literals for literals in left if len(literals) > 1]

    @cached_property
    def rows(self) -> list[str | None]:
        """The variable of each used row of ``domain``; None for an auxiliary choice."""
        names: list[str | None] = list(self.graph.domains)
        names += [None] * (len(self.graph.groups) - len(names))
        left = (int(self.open[g.start : g.stop].sum()) for g in self.graph.groups)
        return [name for name, many in zip(names, left, strict=True) if many > 1]

    def choices(self, first: int) -> list[int]:
        """The used rows of ``domain`` of auxiliary choices from a source on, as a preference's choice to keep it or pay."""
        owners = [-1] * (len(self.graph.groups) - len(self.graph.choices)) + self.graph.choices
        left = (int(self.open[g.start : g.stop].sum()) for g in self.graph.groups)
        used = [owner for owner, many in zip(owners, left, strict=True) if many > 1]
        return [row for row, owner in enumerate(used) if owner >= first]

    @cached_property
    def costs(self) -> NDArray[np.int64]:
        """The cost of each literal as an integer: `quantum` times the cost in the request, ``(literals,)``."""
        costs = np.zeros(self.graph.count)
        costs[list(self.graph.costs)] = list(self.graph.costs.values())
        return np.asarray((costs * self.quantum).round(), np.int64)

    @cached_property
    def quantum(self) -> float:
        """The smallest power of ten that makes all costs integers, or close enough to distinguish them."""
        weights = np.array([*self.graph.costs.values()] or [1.0])
        for power in range(7):
            scaled = weights * 10.0**power
            if np.abs(scaled - scaled.round()).max() < 1e-9 * max(scaled.max(), 1.0):
                return float(10.0**power)
        return float(1e6 / weights.max())

    @cached_property
    def least(self) -> int:
        """Lower bound on the cost after propagation, as an integer."""
        return sum(int(self.costs[g.start : g.stop][self.open[g.start : g.stop]].min()) for g in self.graph.groups)

    def tensors(
        self, most: int | None = None, without: NDArray[np.bool_] | None = None, *, exact: bool = False
    ) -> dict[str, NDArray[Any]]:
        """The energy's inputs, without the batch. Their shapes do not depend on ``most`` and ``without``.

        Args:
            most: Largest cost of an answer, in units of `costs`.
            without: Further excluded literals, ``(literals,)``.
            exact: Do not round the sizes up.
        """
        table, kept = self._joined, self.kept
        size = (lambda n: n) if exact else rounded
        variables, values = size(max(len(kept), 1)), size(max(map(len, kept), default=1))
        place = np.full(self.graph.count, -1)
        domain, cost = np.zeros((2, variables, values), np.float32)
        domain[len(kept) :, 0] = 1.0
        for row, literals in enumerate(kept):
            place[literals] = row * values + np.arange(len(literals))
            domain[row, : len(literals)] = 1.0 if without is None else ~without[literals]
        dear = np.flatnonzero((self.costs != 0) & (place >= 0))
        dearest = max(int(np.abs(self.costs).max(initial=0)), 1)
        cost.flat[place[dear]] = self.costs[dear] / dearest
        settled = (self.open & (place < 0))[table.literal]
        already = np.zeros(len(table.low), np.int64)
        np.add.at(already, table.factor[settled], table.coefficient[settled])
        reach = Reach.of(table, self.open)
        floor, ceiling = reach.low < table.low, reach.high > table.high
        bounded = np.flatnonzero(floor | ceiling)
        # The first factor bounds the cost; the energy sums its literals from ``cost``.
        first = int(bool(self.graph.costs))
        number = np.full(len(table.low), -1)
        number[bounded] = np.arange(first, first + len(bounded))
        used = np.flatnonzero((number[table.factor] >= 0) & (place[table.literal] >= 0))
        literal, factor = place[table.literal[used]], number[table.factor[used]]
        coefficient = table.coefficient[used].astype(np.float64)
        largest = np.ones(first + len(bounded))
        np.maximum.at(largest, factor, np.abs(coefficient))
        largest[:first] = dearest
        low, high = np.full(len(largest), -FAR), np.full(len(largest), FAR)
        low[first:] = np.where(floor, table.low - already, -np.inf)[bounded] / largest[first:]
        high[first:] = np.where(ceiling, table.high - already, np.inf)[bounded] / largest[first:]
        if first and most is not None:
            fixed = int(self.costs[self.open & (place < 0)].sum())
            high[0] = (most - fixed) / largest[0]
        factors = size(max(len(largest), 1))
        edges = incidence.Edges(literal, factor, coefficient / largest[factor])
        self.latest = {
            "domain": domain,
            "cost": cost,
            **incidence.tables(edges, factors, variables, values, costs=bool(first), size=size),
            "low": _filled(np.maximum(low, -FAR), factors, -FAR, np.float32),
            "high": _filled(np.minimum(high, FAR), factors, FAR, np.float32),
            "slack": _filled(0.5 / largest, factors, 0.5, np.float32),
        }
        return self.latest

    def values(self, chosen: NDArray[np.int64]) -> dict[str, Value]:
        """The value of each variable, from the chosen value of each row of ``domain``."""
        holds = self.open.copy()
        for literals, choice in zip(self.kept, chosen, strict=False):
            holds[literals] = False
            holds[literals[min(int(choice), len(literals) - 1)]] = True
        names = list(self.graph.domains)
        return {
            name: self.graph.domains[name][int(np.flatnonzero(holds[g.start : g.stop])[0])]
            for name, g in zip(names, self.graph.groups, strict=False)
        }

    def chosen(self, values: Mapping[str, Value]) -> NDArray[np.int64]:
        """The chosen value of each row of ``domain`` for an assignment; 0 if the value is missing or ruled out."""
        row_of = np.full(self.graph.count, -1)
        for row, literals in enumerate(self.kept):
            row_of[literals] = row
        found = np.zeros(rounded(max(len(self.kept), 1)), np.int64)
        for name, value in values.items():
            literal = self.graph.literal(name, value)
            if literal is not None and (row := int(row_of[literal])) >= 0:
                found[row] = int(np.searchsorted(self.kept[row], literal))
        return found


def _filled(values: NDArray[Any], length: int, rest: float, dtype: type[Any]) -> NDArray[Any]:
    whole = np.full(length, rest, dtype)
    whole[: len(values)] = values
    return whole
