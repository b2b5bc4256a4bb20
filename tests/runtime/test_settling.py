"""Energies without checks: chains descend until they have converged, and the lowest minimum is the answer."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundstate as gs
from groundstate._problem import all_minima_found
from tests.runtime import toys


@pytest.fixture(scope="module")
def bowl() -> gs.Solver:
    return gs.load(toys.bowl())


@pytest.fixture(scope="module")
def wells() -> gs.Solver:
    return gs.load(toys.wells())


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-100, 100, width=32), min_size=2, max_size=2))
def test_the_lowest_minimum_is_found_and_its_energy_is_right(bowl: gs.Solver, x: list[float]) -> None:
    solution = bowl.solve({"x": x})
    assert solution.status is gs.Status.SETTLED
    assert solution.answer is not None
    assert solution.energy is not None
    assert np.allclose(solution.answer["y"], x, atol=1e-3)
    assert solution.energy == pytest.approx(0, abs=1e-6)
    assert (solution.closest, solution.violations, solution.question) == (None, (), None)


def test_the_descent_ends_when_its_chains_have_converged_and_not_with_the_budget(bowl: gs.Solver) -> None:
    solution = bowl.solve({"x": [1.0, 2.0]}, restarts=64, max_steps=100_000)
    assert solution.steps < 100
    assert solution.chains == 16
    assert 7 <= solution.hits <= solution.chains


def test_what_is_said_of_a_minimum_names_no_check_and_claims_no_proof(bowl: gs.Solver) -> None:
    solution = bowl.solve({"x": [1.0, 2.0]})
    assert solution.message == "The descent reached a minimum of the energy; nothing proves that it is the lowest."
    assert "check" not in solution.explanation
    assert "rule" not in solution.explanation
    assert "Nothing proves that it is the lowest." in solution.explanation
    assert not solution.solved
    assert solution.has_answer


def test_a_chain_that_does_not_converge_is_no_answer(bowl: gs.Solver) -> None:
    solution = bowl.solve({"x": [50.0, -50.0]}, max_steps=8)
    assert solution.status is gs.Status.UNSOLVED
    assert solution.answer is None
    assert solution.closest is not None
    assert solution.closest.violations == ()
    assert solution.closest.energy > 0
    assert "had not converged" in solution.explanation


def test_of_several_minima_the_lowest_is_the_answer() -> None:
    for tilt in (0.2, -0.2):
        solution = gs.load(toys.wells(tilt)).solve({}, alternatives=2, restarts=16)
        assert solution.status is gs.Status.SETTLED
        assert solution.answer is not None
        assert np.sign(solution.answer["y"][0]) == -np.sign(tilt)


def test_two_minima_of_equal_energy_are_ambiguous_where_two_are_asked_for(wells: gs.Solver) -> None:
    solution = wells.solve({}, alternatives=2)
    assert solution.status is gs.Status.AMBIGUOUS
    assert not solution.solved
    assert "have about the lowest energy" in solution.message
    found = [solution.answer, *(other.answer for other in solution.alternatives)]
    assert sorted(round(one["y"][0], 3) for one in found if one) == [-1.0, 1.0]
    assert wells.solve({}).status is gs.Status.SETTLED


def test_one_minimum_reached_by_many_chains_is_not_ambiguous(bowl: gs.Solver) -> None:
    for seed in range(20):
        solution = bowl.solve({"x": [0.3, -7.7]}, alternatives=5, restarts=32, seed=seed)
        assert solution.status is gs.Status.SETTLED


def test_seven_chains_at_one_minimum_are_enough_and_two_minima_need_sixteen() -> None:
    """The numbers follow from Boender and Rinnooy Kan's rule by hand: w (n − 1) / (n − w − 2) ≤ w + ½."""
    assert next(n for n in range(100) if all_minima_found(1, n)) == 7
    assert next(n for n in range(100) if all_minima_found(2, n)) == 16
    assert not any(all_minima_found(w, n) for w in range(1, 20) for n in range(w + 3))


def test_numbers_are_the_shortest_decimals_that_mean_them(bowl: gs.Solver) -> None:
    answer = bowl.solve({"x": [0.1, 0.3]}, seed=1).answer
    assert answer is not None
    assert all(len(text) <= 11 for text in json.dumps(answer["y"])[1:-1].split(", "))
    assert [np.float32(y) for y in answer["y"]] == [float(np.float32(y)) or np.float32(y) for y in answer["y"]]


def test_an_energy_without_checks_is_scored_by_its_energy_alone(bowl: gs.Solver) -> None:
    score = bowl.score({"x": [1.0, 2.0]}, {"y": [4.0, 6.0]})
    assert score == gs.Score(None, 25.0, {"energy": 25.0}, ())


def test_a_file_that_can_neither_check_nor_place_says_whose_fault_that_is(wells: gs.Solver) -> None:
    with pytest.raises(gs.ArtefactError, match="'wells' can neither check an answer nor place it in its landscape"):
        wells.score({}, {"y": [1.0]})


@pytest.mark.parametrize("version", [2, 3])
def test_files_of_before_there_was_acceptance_settle_and_are_scored_too(version: int) -> None:
    old = gs.load(toys.bowl(version))
    assert old.header.format == version
    assert old.header.accept == gs.load(toys.bowl()).header.accept
    assert old.solve({"x": [1.0, 2.0]}).status is gs.Status.SETTLED
    assert old.score({"x": [1.0, 2.0]}, {"y": [1.0, 3.0]}).energy == 1.0
