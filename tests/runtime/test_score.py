"""Judging somebody else's answer: nothing wrong is ever called valid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import groundstate as gs
from tests.support import EASY, EASY_SOLUTION, rows

REQUEST = {"grid": rows(EASY)}
RIGHT = rows(EASY_SOLUTION)


def test_the_right_answer_is_valid_and_breaks_nothing(sudoku: gs.Solver) -> None:
    score = sudoku.score(REQUEST, {"grid": RIGHT})
    assert score.valid
    assert score.violations == ()
    assert score.energy == pytest.approx(sum(score.terms.values()), rel=1e-4)


cell = st.tuples(st.integers(0, 8), st.integers(0, 8))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(cell, st.integers(1, 9)), min_size=1, max_size=6))
def test_a_mutated_answer_is_never_valid(sudoku: gs.Solver, changes: list[tuple[tuple[int, int], int]]) -> None:
    mutated = [list(row) for row in RIGHT]
    for (r, c), digit in changes:
        mutated[r][c] = digit
    assume(mutated != RIGHT)
    score = sudoku.score(REQUEST, {"grid": mutated})
    assert not score.valid
    assert score.violations
    assert all(v.places for v in score.violations)


@settings(max_examples=100, deadline=None)
@given(st.permutations(range(1, 10)))
def test_a_valid_grid_that_changes_a_given_is_not_valid(sudoku: gs.Solver, digits: list[int]) -> None:
    renamed = [[digits[d - 1] for d in row] for row in RIGHT]
    assume(renamed != RIGHT)
    score = sudoku.score(REQUEST, {"grid": renamed})
    assert not score.valid
    assert {v.check for v in score.violations} == {"givens"}


def test_the_energy_of_the_right_answer_is_below_that_of_its_neighbours(sudoku: gs.Solver) -> None:
    random = np.random.default_rng(0)
    right = sudoku.score(REQUEST, {"grid": RIGHT}).energy
    assert right is not None
    for _ in range(50):
        mutated = np.array(RIGHT)
        row, (a, b) = random.integers(9), random.choice(9, 2, replace=False)
        mutated[row, [a, b]] = mutated[row, [b, a]]
        energy = sudoku.score(REQUEST, {"grid": mutated}).energy
        assert energy is not None
        assert right < energy


def test_a_fault_in_the_answer_is_placed_under_answer(sudoku: gs.Solver) -> None:
    with pytest.raises(
        gs.RequestError, match=r"answer\.grid\[0\]\[2\]: 0 is not allowed here; a whole number from 1 to 9 is"
    ):
        sudoku.score(REQUEST, REQUEST)


def test_an_answer_that_the_graph_wrongly_holds_for_right_is_not_called_solved(
    sudoku: gs.Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = sudoku._session.run

    def lying(*args: object) -> dict[str, np.ndarray]:
        out = run(*args)  # type: ignore[arg-type]
        out["violations"] = np.zeros_like(out["violations"])
        out["answer.grid"] = np.ones_like(out["answer.grid"])
        return out

    monkeypatch.setattr(sudoku._session, "run", lying)
    solution = sudoku.solve(REQUEST, restarts=2, max_steps=32)
    assert solution.status is gs.Status.UNSOLVED
    assert solution.violations
