"""The least change: among the arrangements near a given layout, one whose finish moves the items little in all.

A local search over arrangements. A pair of items that had to be separated is separated along another side instead, and the
exact finish says what that costs.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from groundstate_models.layout.checking import change, cost, faults
from groundstate_models.layout.finish import CLOSE, Floats
from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.placed import Placed, Spot
from groundstate_models.layout.places import places_of, spots_of

STARTS, TRIES = 2, 20
"""Perturbed starts, and changed arrangements that are tried."""

WORSE = 1.1
"""A finish is given up while it moves the items further than the best one so far, times this."""


def least_change(lowering: Lowering, spots: Mapping[str, Spot]) -> dict[str, Spot]:
    """Spots that satisfy everything required, cost no more than the given ones, and are near what was asked for."""
    search = _Search(lowering, dict(spots))
    finisher = lowering.finisher
    centre, front = places_of(lowering, spots)
    wanted = np.where(np.isnan(finisher.wanted), centre, finisher.wanted)
    search.offer(centre, front)
    search.offer(wanted, front)
    draw = np.random.default_rng(0)
    for _ in range(STARTS):
        search.offer(wanted + 0.06 * draw.standard_normal(wanted.shape), front)
    search.improve(front)
    return search.best


class _Search:
    def __init__(self, lowering: Lowering, spots: dict[str, Spot]) -> None:
        self.lowering, self.best = lowering, spots
        placed = Placed(lowering.plan, spots)
        self.limit, self.change = cost(placed), change(placed)
        self.centre: Floats = places_of(lowering, spots)[0]
        self.forced: dict[int, int] = {}

    def offer(self, centre: Floats, front: Floats, forced: Mapping[int, int] | None = None) -> bool:
        """Finish an arrangement, and keep it if it is better."""
        finisher = self.lowering.finisher
        finisher.forced = dict(forced or {})
        try:
            finished, turned, worst = finisher.finished(centre, front, 9, WORSE * self.change)
        finally:
            finisher.forced = {}
        if worst > 1e3 * CLOSE:
            return False
        spots = spots_of(self.lowering, finished, turned)
        placed = Placed(self.lowering.plan, spots)
        found = change(placed)
        if found >= self.change * (1 - 1e-4) or cost(placed) > self.limit + 1e-9 or any(faults(placed)):
            return False
        self.best, self.change, self.centre = spots, found, finished
        self.forced = dict(forced or {})
        return True

    def _too_far(self, wanted: Floats, front: Floats, row: int, way: int) -> bool:
        """Whether separating a pair on that side alone costs more than the best change: together they move that far at least."""
        finisher, bodies = self.lowering.finisher, self.lowering.system.bodies
        one, other = (bodies[k] for k in finisher.owners(row))
        if "free" in (one.turning, other.turning):
            return False
        least = min((body.weight for body in (one, other) if body.spread > 0), default=0.0)
        return bool(-finisher.apart(wanted, front, row)[way] * least > self.change)

    def improve(self, front: Floats) -> None:
        """Separate pairs that touch along another side, while that helps."""
        finisher = self.lowering.finisher
        tries = 0
        again = True
        while again and tries < TRIES:
            again = False
            violation, linear = finisher.linear(self.centre, front)
            del violation
            touching = linear.row[(linear.row < finisher.pairs) & (np.abs(linear.least) < 1e-5)]
            wanted = np.where(np.isnan(finisher.wanted), self.centre, finisher.wanted)
            for row in np.unique(touching[np.isfinite(finisher.low[touching])]):
                now = int(finisher.apart(self.centre, front, int(row)).argmax())
                for way in range(4):
                    if way == now or self._too_far(wanted, front, int(row), way):
                        continue
                    tries += 1
                    if tries > TRIES:
                        return
                    if self.offer(wanted, front, {**self.forced, int(row): way}):
                        again = True
                        break
                if again:
                    break
