"""The objective "earliest_end": many optional activities first, then an early end of all, then few broken preferences.

The price of a schedule is one number in which each criterion outweighs all later ones. A better schedule leaves out less; or
leaves out no more and ends earlier; or leaves out no more, ends no later and breaks fewer preferences. The search tries these in
turn, and a proof of the optimum is one for each.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints.reading import Read
from groundstate_models.scheduling.check import Cost
from groundstate_models.scheduling.compile import Compiled

_WEIGHT = 1_000.0
"""Parts of a weight that a price distinguishes."""

Limits = tuple[int | None, NDArray[np.bool_] | None]
"""The largest cost of the compiled problem, and literals that are excluded."""


@dataclass
class Ends:
    """Prices, limits and proofs for the earliest end.

    Args:
        compiled: The compiled request.
        read: The constraints task's data of it.
    """

    compiled: Compiled
    read: Read
    _known: dict[float, Cost] = field(default_factory=dict)
    _turns: dict[float, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._begin = self.compiled.schedule.days.spans[0][0]
        last = max((one.end for meant in self.compiled.values.values() for one in meant.values()), default=self._begin)
        self._minutes = 10.0 ** len(str(last - self._begin))

    def price(self, found: Cost) -> float:
        """The cost of a schedule: whole minutes from the first day to the end, plus a large number for what is left out."""
        left_out = round(_WEIGHT * (found.left_out - self.compiled.never))
        price = left_out * self._minutes + max(0, found.end - self._begin) + found.broken / (found.broken + _WEIGHT)
        self._known[price] = found
        return price

    def with_cost_below(self, price: float) -> dict[str, NDArray[Any]] | None:
        """The tensors of a problem whose schedules are better, in another way at each call; None if nothing can be better."""
        network = self.read.network
        possible = [limits for limits in self._better(price) if self._open(limits)]
        if not possible:
            return None
        turn = self._turns[price] = self._turns.get(price, -1) + 1
        return network.tensors(*possible[turn % len(possible)])

    def least_cost(self, price: float, effort: int) -> float:
        """The price itself if it is proven that nothing is better; else no bound."""
        if self.compiled.loose:
            return -math.inf  # a start represents all times since the previous one
        for most, without in self._better(price):
            if not self.read.bound(self._all if most is None else most, effort, without):
                return -math.inf
        return price

    def _better(self, price: float) -> Iterator[Limits]:
        """The limits of schedules that leave out less, of those that end earlier, and of those that break less."""
        compiled, found, quantum = self.compiled, self._known[price], self.read.network.quantum
        left_out = round(quantum * compiled.price(found.left_out, 0.0))
        broken = round(quantum * compiled.price(compiled.never, found.broken))
        as_many = left_out + math.floor(quantum * compiled.most_broken + 0.5)
        if left_out:
            yield left_out - 1, None
        if found.end > self._begin:
            yield (as_many if self._all else None), self._ending(found.end)
        if broken:
            yield left_out + broken - 1, self._ending(found.end + 1)

    @property
    def _all(self) -> int:
        return int(self.read.network.costs.sum())

    def _open(self, limits: Limits) -> bool:
        """Whether the limits leave something for each variable, and a cost that is possible."""
        network, (most, without) = self.read.network, limits
        left = network.open if without is None else network.open & ~without
        cheap = most is None or most >= network.least
        return cheap and all(left[group.start : group.stop].any() for group in network.graph.groups)

    def _ending(self, end: int) -> NDArray[np.bool_]:
        """The literals of placements that end at some minute or later."""
        graph = self.read.network.graph
        late = np.zeros(graph.count, bool)
        for name, meant in self.compiled.values.items():
            variable = self.compiled.alias.get(name, name)
            for value, one in meant.items():
                if one.end >= end and (literal := graph.literal(variable, value)) is not None:
                    late[literal] = True
        return late
