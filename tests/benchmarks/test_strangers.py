"""Puzzles from the generator that nothing was trained on."""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.sudoku.puzzles import digits
from benchmarks.sudoku.strangers import strangers

from groundstate_models.sudoku.search import solve

pytest.importorskip("pysat", reason="python-sat is not installed; the extra 'bench' brings it")


def test_strangers_have_one_solution_and_no_clue_to_spare() -> None:
    for puzzle, solution in strangers(3, seed=5):
        grid = np.array(digits(puzzle), dtype=np.uint8)
        count, found, _ = solve(grid)
        assert count == 1
        assert found.tolist() == digits(solution)
        for cell in np.flatnonzero(grid):
            fewer = grid.copy()
            fewer[cell] = 0
            assert solve(fewer)[0] == 2


def test_a_seed_decides_the_strangers() -> None:
    assert list(strangers(2, seed=5)) == list(strangers(2, seed=5)) != list(strangers(2, seed=6))
