"""Starts of chains from a search on conflicts: colourings of graphs, above all.

A descent moves all variables at once, which is slow where a few conflicts remain in a tight problem. For problems of conflicts
alone (`conflicts`), tabu search makes starts of chains (`tabu`), also on folds of a graph with symmetries (`symmetries`). One
chain begins at the assignment found. The descent stays there, and all checks are those of any other chain. Until something is
found, chains start as in other problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints.conflicts import Conflicts, Numbers
from groundstate_models.constraints.symmetries import Fold, folds
from groundstate_models.constraints.tabu import TabuSearch

FIRST = 8
"""Moves for each variable in the first call; every further call makes twice as many, within the limits below."""

LEAST_SHARE, SHARE = 0.02, 0.5
"""Moves for each literal in a factor and each new chain, at least and at most: as long as a segment of these chains takes, and
longer than their descent to their restart."""

MOST, FEW = 50_000, 1_000
"""Most moves in one call, and most for squares that are partly filled, such as Sudokus, where the descent is better."""

AHEAD = 6_000
"""Moves before a graph is folded; then the folds together make as many moves as the search without."""

BOUT = 500
"""Moves of one search before the next has its turn."""

MOST_EXCHANGES = 64
"""Exchanges to try for a second assignment."""

IN_FOLDS = 20_000
"""Patience in folds, which have fewer variables and where a start is soon at the bottom."""

ODDS = 99.0
"""The odds of a value found against all others together, in the start of a chain."""

WEIGHT = 5.0
"""Weight of all factors in the start of a chain at what was found, see `starts.WEIGHTS`."""


class ConflictSearch:
    """Searches for an assignment without conflicts, and starts chains there.

    Args:
        conflicts: Of the problem.
        edges: Literals in its factors.

    Attributes:
        found: An assignment without conflicts, ``(variables,)``; None before.
    """

    def __init__(self, conflicts: Conflicts, edges: int) -> None:
        self.conflicts, self._edges = conflicts, edges
        self.found: Numbers | None = None
        self._random: np.random.Generator | None = None
        self._whole: TabuSearch | None = None
        self._folds: list[tuple[Fold, TabuSearch]] | None = None
        self._next = FIRST * len(conflicts.open)
        self._most = FEW if conflicts.tight and not conflicts.open.all() else MOST

    def advance(self, random: np.random.Generator, count: int) -> bool:
        """Search for as long as is in proportion to new chains. Returns whether an assignment is known.

        Args:
            random: Its first number decides all choices of the search.
            count: Number of new chains.
        """
        if self.found is not None:
            return True
        if self._whole is None:
            self._random = np.random.default_rng(int(random.integers(2**62)))
            self._whole = TabuSearch(self.conflicts, self._random)
        size, first = count * self._edges, FIRST * len(self.conflicts.open)
        most = min(max(int(SHARE * size), first), self._most)
        left = min(max(self._next, int(LEAST_SHARE * size)), most)
        self._next = min(2 * self._next, MOST)
        while left > 0 and self.found is None:
            left -= self._bout(min(BOUT, left))
        return self.found is not None

    def _bout(self, moves: int) -> int:
        """A few moves of the search whose turn it is. Returns their number."""
        assert self._whole is not None
        whole = self._whole
        if self._folds is None and whole.moves >= AHEAD:
            self._fold()
        others = self._folds or []
        if not others or whole.moves <= AHEAD + sum(search.moves for _, search in others):
            before = whole.moves
            self.found = whole.run(moves)
            return whole.moves - before
        # The fewer conflicts a fold came down to, the more moves it makes.
        fold, search = min(others, key=lambda pair: pair[1].moves * (1 + pair[1].least))
        before = search.moves
        chosen = search.run(moves)
        if chosen is not None:
            self.found = fold.unfolded(chosen)
        return search.moves - before

    def _fold(self) -> None:
        assert self._random is not None
        graph = self.conflicts.neighbours()
        some = [] if graph is None else folds(graph, self.conflicts.open.shape[1])
        self._folds = [(fold, TabuSearch(fold.conflicts, self._random, IN_FOLDS)) for fold in some]

    def starts(
        self, random: np.random.Generator, count: int, spread: float, tensors: Mapping[str, NDArray[Any]]
    ) -> dict[str, NDArray[np.float32]]:
        """State of new chains: the first begins at what was found, the second at a variation, the others undecided.

        Args:
            spread: Standard deviation of the logits.
            tensors: The energy's inputs.
        """
        assert self.found is not None
        domain = tensors["domain"]
        y = (spread * random.standard_normal((count, *domain.shape))).astype(np.float32)
        weights = np.ones((count, 2, len(tensors["low"])), np.float32)
        sure = np.log(ODDS * np.maximum(domain.sum(1) - 1.0, 1.0)).astype(np.float32)
        rows = np.arange(len(self.found))
        for chain, chosen in enumerate((self.found, self.varied(self.found, random))[:count]):
            y[chain, rows, chosen] += sure[: len(rows)]
            weights[chain] = WEIGHT
        return {"y": y, "chain.weights": weights}

    def varied(self, chosen: Numbers, random: np.random.Generator) -> Numbers:
        """Another assignment without conflicts, by one exchange of two values; the same one if that finds none."""
        values = self.conflicts.open.shape[1]
        for number in random.permutation(self.conflicts.open.size)[:MOST_EXCHANGES].tolist():
            row, value = divmod(number, values)
            if value != chosen[row] and (other := self._exchanged(chosen, row, value)) is not None:
                return other
        return chosen

    def _exchanged(self, chosen: Numbers, row: int, value: int) -> Numbers | None:
        """Exchange two values in a variable and all that follow from it (A. B. Kempe, 1879); None if that is not possible."""
        values, own = self.conflicts.open.shape[1], int(chosen[row])
        opposite = {own: value, value: own}
        other, todo, seen = chosen.copy(), [row], {row}
        while todo:
            one = todo.pop()
            new = opposite[int(chosen[one])]
            if not self.conflicts.open[one, new]:
                return None
            other[one] = new
            for number in self.conflicts.of_number(one * values + new).tolist():
                near, had = divmod(number, values)
                if chosen[near] == had and near not in seen:
                    if had not in opposite:
                        return None
                    seen.add(near)
                    todo.append(near)
        return other if self.conflicts.broken(other) == 0 else None
