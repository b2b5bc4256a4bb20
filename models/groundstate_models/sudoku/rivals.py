"""Adversarial puzzles: bred against the energy during training, so that it can only just solve them.

Puzzles that are hard for descent differ from puzzles that are hard for search. During training, variants of the puzzles are
tried. A variant stays if fewer chains solve it than solve its parent. (W. D. Hillis, "Co-evolving parasites improve simulated
evolution as an optimization procedure", 1990.)
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
"""Largest family whose children may replace a puzzle of another family, and not only their parent."""

LOWEST = 0.25
"""The share of puzzles that counts as least solved."""


class Rivals:
    """A population of adversarial puzzles.

    Attributes:
        puzzle: ``(n, 81)``.
        worth: Mean worth of the chains on each puzzle, ``(n,)``; lower is harder.
        family: The first ancestor's number, ``(n,)``.
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
        """Indices of ``n`` puzzles: half from all, half from the quarter that is solved least."""
        lowest = np.argsort(self.worth, kind="stable")[: max(n, round(LOWEST * len(self)))]
        hard = random.permutation(lowest)[: n // 2]
        others = np.setdiff1d(np.arange(len(self)), hard)
        found: Array = np.concatenate([hard, random.permutation(others)[: n - len(hard)]])
        return found

    def judged(self, places: Array, worth: Array) -> None:
        """Update worths with new measurements, at half weight because they are noisy."""
        self.worth[places] = 0.5 * (self.worth[places] + worth)

    def challenged(self, parents: Array, children: Array, worth: Array) -> int:
        """Let children replace puzzles with a higher worth: their parents, or the easiest puzzles if the family is small.

        Args:
            parents: Indices of the parents, ``(children,)``.
            children: Puzzles, ``(children, 81)``.
            worth: Worth of each child, ``(children,)``; not finite if a child is not usable.

        Returns:
            The number of replaced puzzles.
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
        """The complete state, to resume a run."""
        return {"puzzle": self.puzzle, "worth": self.worth, "family": self.family}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Resume from a result of `state`."""
        self.puzzle, self.worth, self.family = state["puzzle"], state["worth"], state["family"]
