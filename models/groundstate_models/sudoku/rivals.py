"""Puzzles that are bred against the energy while it learns: those that it can just about solve, whatever a search calls them.

What is hard for a descent is not what is hard for a search. So relatives of the puzzles are tried as the training goes, and those
stay that fewer chains solve than solved their parents. (W. D. Hillis, "Co-evolving parasites improve simulated evolution as an
optimization procedure", 1990.)
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.sudoku.board import BOARDS
from groundstate_models.sudoku.data import Boards

Array = NDArray[Any]

SMALL = 4
"""Puzzles of a family up to which a child may take the place of a stranger, not just of its parent."""

LOWEST = 0.25
"""The share that counts as least solved."""


class Rivals:
    """A population of puzzles.

    Attributes:
        puzzle: ``(n, 81)``.
        worth: What the chains that were tried on each are worth, ``(n,)``; lower is harder.
        family: The number of the first ancestor, ``(n,)``.
    """

    def __init__(self, puzzle: Array) -> None:
        self.puzzle = puzzle.copy()
        self.worth = np.zeros(len(puzzle))
        self.family = np.arange(len(puzzle))

    def __len__(self) -> int:
        return len(self.puzzle)

    def boards(self, places: Array) -> Boards:
        return Boards.of(BOARDS[9], self.puzzle[places])

    def drawn(self, n: int, random: np.random.Generator) -> Array:
        """Places of ``n``: half of them any, half of the quarter that is solved least."""
        lowest = np.argsort(self.worth, kind="stable")[: max(n, round(LOWEST * len(self)))]
        hard = random.permutation(lowest)[: n // 2]
        others = np.setdiff1d(np.arange(len(self)), hard)
        found: Array = np.concatenate([hard, random.permutation(others)[: n - len(hard)]])
        return found

    def judged(self, places: Array, worth: Array) -> None:
        """What was measured anew, of which half is believed: chance decides much of it."""
        self.worth[places] = 0.5 * (self.worth[places] + worth)

    def challenged(self, parents: Array, children: Array, worth: Array) -> int:
        """Let children take the place of puzzles that are worth more: their parents, or the easiest where a family is small.

        Args:
            parents: Places, ``(children,)``.
            children: Puzzles, ``(children, 81)``.
            worth: What the chains that were tried on each are worth, ``(children,)``; not finite where a child is no use.

        Returns:
            How many did.
        """
        kept = 0
        for parent, child, value in zip(parents, children, worth, strict=True):
            family = self.family[parent]
            small = np.count_nonzero(self.family == family) < SMALL
            place = int(np.argmax(self.worth)) if small and value < np.median(self.worth) else int(parent)
            if math.isfinite(value) and value < self.worth[place] and not (self.puzzle == child).all(1).any():
                self.puzzle[place], self.worth[place], self.family[place] = child, value, family
                kept += 1
        return kept

    def state(self) -> dict[str, Any]:
        """Everything that a run needs to go on."""
        return {"puzzle": self.puzzle, "worth": self.worth, "family": self.family}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.puzzle, self.worth, self.family = state["puzzle"], state["worth"], state["family"]
