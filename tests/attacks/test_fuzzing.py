"""A few mutants of every kind in each run of the tests; `python -m tests.attacks.fuzzing` tries as many as one likes."""

from __future__ import annotations

import pytest

import groundstate as gs
from tests.attacks.corpus import Sound, corpus
from tests.attacks.fuzzing import Finding, Trial, holds
from tests.attacks.mutants import mutated_file

FULL = {"grid": [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]}


@pytest.fixture(scope="module")
def models() -> tuple[Sound, ...]:
    """Three models of different kinds, which load fast."""
    return tuple(one for one in corpus() if one.name in ("sudoku_4x4", "constraints", "scheduling"))


@pytest.mark.parametrize("kind", ["files", "requests"])
def test_mutants_end_with_a_solution_that_holds_or_with_a_sentence(kind: str, models: tuple[Sound, ...]) -> None:
    trial = Trial(kind, models)
    outcomes = [trial(seed) for seed in range(30)]
    assert len({outcome.split()[0] for outcome in outcomes}) > 1, "all mutants end alike"


def test_every_installed_model_has_a_request_in_the_corpus() -> None:
    assert {one.name for one in corpus()} == set(gs.models())
    assert all(one.requests for one in corpus())


def test_a_mutant_follows_from_its_seed(models: tuple[Sound, ...]) -> None:
    import random

    made = [mutated_file(models[0].data, random.Random(seed)) for seed in (0, 0, 1)]
    assert made[0] == made[1] != made[2]


def test_a_wrong_answer_and_a_wrong_proof_are_findings() -> None:
    solver = gs.load("sudoku_4x4")
    solution = solver.solve(FULL)
    holds(solver, FULL, solution)
    lying = solution.changed(answer={"grid": [[1] * 4] * 4})
    with pytest.raises(Finding, match="called solved, and wrong"):
        holds(solver, FULL, lying)
    with pytest.raises(Finding, match="called infeasible, and has an answer"):
        holds(solver, FULL, solution.changed(status=gs.Status.INFEASIBLE))
