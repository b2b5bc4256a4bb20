"""The generator of puzzles, and keeping test puzzles out of training."""

from __future__ import annotations

import numpy as np
import pytest

from groundstate_models.sudoku.data import generate, invariant, read_puzzles
from groundstate_models.sudoku.search import hard_puzzles, minimal_puzzles, solve
from tests.support import EASY, EASY_SOLUTION, TWO_SOLUTIONS

EASY_GRID = np.array([int(c) for c in EASY], dtype=np.uint8)


def test_the_exact_search_finds_the_one_solution_and_counts_two() -> None:
    count, solution, _ = solve(EASY_GRID)
    assert (count, "".join(map(str, solution))) == (1, EASY_SOLUTION)
    assert solve(np.array([int(c) for c in TWO_SOLUTIONS], dtype=np.uint8), limit=10)[0] == 2
    assert solve(np.array([5, 5, *EASY_GRID[2:]], dtype=np.uint8))[0] == 0


def test_generated_puzzles_have_one_solution_and_lose_it_with_any_clue() -> None:
    puzzles, solutions, _ = minimal_puzzles(5, seed=1)
    for puzzle, stored in zip(puzzles, solutions, strict=True):
        count, found, _ = solve(puzzle)
        assert count == 1
        assert np.array_equal(found, stored)
        for cell in np.flatnonzero(puzzle):
            fewer = puzzle.copy()
            fewer[cell] = 0
            assert solve(fewer)[0] == 2


def test_the_same_seed_gives_the_same_puzzles_and_another_seed_others() -> None:
    first, again, other = (generate(4, 2, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.puzzle, again.puzzle)
    assert not np.array_equal(first.puzzle, other.puzzle)


def test_climbing_makes_puzzles_harder() -> None:
    assert hard_puzzles(20, seed=0)[2].mean() > 2 * minimal_puzzles(20, seed=0)[2].mean()


def symmetric_copy(puzzle: np.ndarray, random: np.random.Generator) -> np.ndarray:
    def lines() -> np.ndarray:
        return np.concatenate([3 * band + random.permutation(3) for band in random.permutation(3)])

    grid = puzzle.reshape(9, 9)[lines()][:, lines()]
    names = np.concatenate([[0], 1 + random.permutation(9)])
    return names[grid.T if random.random() < 0.5 else grid].astype(np.uint8).ravel()


@pytest.mark.parametrize("seed", range(8))
def test_a_symmetric_copy_has_the_same_invariant(seed: int) -> None:
    assert invariant(symmetric_copy(EASY_GRID, np.random.default_rng(seed))) == invariant(EASY_GRID)


def test_different_puzzles_have_different_invariants() -> None:
    puzzles = generate(60, 0, seed=9).puzzle
    assert len({invariant(puzzle) for puzzle in puzzles}) == 60


def test_a_symmetric_copy_of_a_test_puzzle_stays_out_of_training() -> None:
    everything = generate(6, 0, seed=5)
    banned = symmetric_copy(everything.puzzle[2], np.random.default_rng(0))
    kept = generate(6, 0, seed=5, exclude=[banned])
    assert np.array_equal(kept.puzzle, np.delete(everything.puzzle, 2, axis=0))


def test_puzzles_are_read_from_csv(tmp_path) -> None:
    path = tmp_path / "puzzles.csv"
    path.write_text(f"puzzle,solution,search_nodes\n{EASY.replace('0', '.')},{EASY_SOLUTION},7\n", encoding="utf-8")
    puzzles = read_puzzles(path)
    assert np.array_equal(puzzles.puzzle[0], EASY_GRID)
    assert puzzles.nodes.tolist() == [7]
