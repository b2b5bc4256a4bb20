"""Tabu search on conflicts: one variable in conflict at a time takes the best value that it did not have lately.

This is A. Hertz and D. de Werra, "Using tabu search techniques for graph coloring" (1987), with the tenure of P. Galinier and
J.-K. Hao, "Hybrid evolutionary algorithms for graph coloring" (1999), on any conflicts between values. Assignments begin as in
D. Brélaz, "New methods to color the vertices of a graph" (1979): the variable with the fewest free values is next.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints.conflicts import Conflicts, Numbers

PATIENCE = 100_000
"""Moves without fewer conflicts after which the search starts again, by default."""

TENURE, CHANCE = 0.6, 10
"""Moves for which a value is tabu: so many for each variable in conflict, and up to so many by chance."""

_FAR = np.float32(1e6)
_NEVER = np.int64(2**62)
_DRAWN = 1 << 16


class TabuSearch:
    """Searches for an assignment without conflicts, from call to call.

    Args:
        conflicts: Of the problem.
        random: The generator of all its choices.
        patience: Moves without fewer conflicts after which it starts again.

    Attributes:
        least: The least conflicts seen.
        moves: Moves so far; a start counts as one for each variable.
    """

    def __init__(self, conflicts: Conflicts, random: np.random.Generator, patience: int = PATIENCE) -> None:
        self.conflicts, self._random, self._patience = conflicts, random, patience
        self.moves, self.least = 0, conflicts.open.size**2
        self._ends: list[int] = conflicts.ends.tolist()
        self._rows = np.arange(len(conflicts.open))
        # Ties are broken by adding noise below the smallest difference of two numbers of conflicts.
        self._noise = (0.5 * random.random(_DRAWN + conflicts.open.size)).astype(np.float32)
        self._chosen: Numbers | None = None
        self._count: NDArray[np.float32] = np.zeros(conflicts.open.shape, np.float32)
        self._until: Numbers = np.zeros(conflicts.open.shape, np.int64)
        self._total = self._best = self._since = 0

    def run(self, moves: int) -> Numbers | None:
        """Make some moves, or a whole start. Returns an assignment without conflicts, ``(variables,)``, or None."""
        until = self.moves + moves
        while self.moves < until:
            if self._chosen is None or self._since > self._patience:
                self._chosen = self._start()
            if self._total == 0 or self._improve(self._chosen, max(until - self.moves, 0)):
                found = self._chosen.copy()
                self._chosen = None
                return found
        return None

    def _start(self) -> Numbers:
        """A greedy assignment: fewest free values first, then most conflicts to come; the value with the fewest conflicts."""
        open_, near, ends = self.conflicts.open, self.conflicts.near, self._ends
        variables, values = open_.shape
        self._count = np.where(open_, np.float32(0), _FAR)
        count, flat = self._count, self._count.reshape(-1)
        degree = np.add.reduceat(np.diff(self.conflicts.ends), self._rows * values)
        urgency = degree / (1.0 + degree.max()) + 1e-3 * self._random.random(variables)
        free = open_.sum(1).astype(np.float64)
        waiting = np.zeros(variables)
        chosen: Numbers = np.zeros(variables, np.int64)
        ties = 0.5 * self._random.random((variables, values))
        for _ in range(variables):
            row = int((free + waiting - urgency).argmin())
            value = int((count[row] + ties[row]).argmin())
            chosen[row], waiting[row] = value, np.inf
            number = row * values + value
            touched = near[ends[number] : ends[number + 1]]
            np.subtract.at(free, touched[flat[touched] == 0] // values, 1.0)
            flat[touched] += 1
        self.moves += variables
        self._until = np.full(open_.shape, self.moves, np.int64)
        self._until[self._rows, chosen] = _NEVER
        self._total = self._best = int(count[self._rows, chosen].sum()) // 2
        self._since = 0
        return chosen

    def _improve(self, chosen: Numbers, most: int) -> bool:
        """Make up to some moves. Returns whether no conflict is left."""
        near, ends, rows, noise = self.conflicts.near, self._ends, self._rows, self._noise
        count, tabu, values = self._count, self._until, self.conflicts.open.shape[1]
        flat = count.reshape(-1)
        places = self._random.integers(_DRAWN, size=most).tolist()
        chances = self._random.integers(1, CHANCE + 1, size=most).tolist()
        step, total, best, since = self.moves, self._total, self._best, self._since
        for place, chance in zip(places, chances, strict=True):
            step, since = step + 1, since + 1
            now = count[rows, chosen]
            inside = now.nonzero()[0]
            change = count[inside]
            change -= now[inside, None]
            barred = tabu[inside] > step
            barred &= change >= best - total
            priced = change.ravel() + noise[place : place + change.size]
            priced[barred.ravel()] = _FAR
            where = int(priced.argmin())
            if priced[where] < _FAR / 2:
                row, value = int(inside[where // values]), where % values
                old = int(chosen[row])
                total += int(change.flat[where])
                chosen[row] = value
                number = row * values
                flat[near[ends[number + old] : ends[number + old + 1]]] -= 1
                flat[near[ends[number + value] : ends[number + value + 1]]] += 1
                tabu[row, old], tabu[row, value] = step + chance + int(TENURE * len(inside)), _NEVER
                if total < best:
                    best, since = total, 0
                    if not total:
                        break
            if since > self._patience:
                break
        self.moves, self._total, self._best, self._since = step, total, best, since
        self.least = min(self.least, best)
        return total == 0
