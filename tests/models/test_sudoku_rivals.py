"""Puzzles bred against the energy: who takes whose place, and who is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from groundstate_models.sudoku.rivals import SMALL, Rivals
from groundstate_models.sudoku.search import minimal_puzzles, relatives, solve


@pytest.fixture
def rivals() -> Rivals:
    found = Rivals(minimal_puzzles(8, 1)[0])
    found.worth[:] = np.arange(8.0)
    return found


def child(number: int) -> np.ndarray:
    return np.full((1, 81), number, np.uint8)


def test_a_harder_child_of_a_small_family_takes_the_place_of_the_easiest(rivals: Rivals) -> None:
    parent = rivals.puzzle[1].copy()
    assert rivals.challenged(np.array([1]), child(9), np.array([0.5])) == 1
    assert (rivals.puzzle[7] == 9).all()
    assert (rivals.puzzle[1] == parent).all()
    assert (rivals.family[7], rivals.worth[7]) == (1, 0.5)


def test_a_family_that_is_large_grows_no_further(rivals: Rivals) -> None:
    rivals.family[:SMALL] = 0
    assert rivals.challenged(np.array([2]), child(9), np.array([0.5])) == 1
    assert (rivals.puzzle[2] == 9).all()
    assert np.count_nonzero(rivals.family == 0) == SMALL


@pytest.mark.parametrize("worth", [7.5, np.nan])
def test_a_child_that_is_easier_or_that_nothing_solved_is_not_kept(rivals: Rivals, worth: float) -> None:
    before = rivals.puzzle.copy()
    assert rivals.challenged(np.array([1]), child(9), np.array([worth])) == 0
    assert (rivals.puzzle == before).all()


def test_the_same_child_is_not_kept_twice(rivals: Rivals) -> None:
    assert rivals.challenged(np.array([1, 1]), np.repeat(child(9), 2, axis=0), np.array([0.5, 0.4])) == 1


def test_what_is_solved_least_is_drawn_most(rivals: Rivals) -> None:
    drawn = [set(rivals.drawn(2, np.random.default_rng(seed)).tolist()) for seed in range(16)]
    assert all(len(some) == 2 and some & {0, 1} for some in drawn)
    assert len(set.union(*drawn)) > 4


def test_relatives_are_other_minimal_puzzles_that_share_most_clues() -> None:
    puzzles = minimal_puzzles(6, 2)[0]
    found = relatives(puzzles, np.random.default_rng(0))
    again = relatives(puzzles, np.random.default_rng(0))
    assert (found == again).all()
    for before, after in zip(puzzles, found, strict=True):
        assert solve(after)[0] == 1
        clues = np.flatnonzero(after)
        assert np.count_nonzero(before[clues] == after[clues]) >= len(clues) - 12
        for clue in clues:
            less = after.copy()
            less[clue] = 0
            assert solve(less)[0] == 2
    assert (found != puzzles).any(1).mean() > 0.8
    assert len(relatives(puzzles[:0], np.random.default_rng(0))) == 0
