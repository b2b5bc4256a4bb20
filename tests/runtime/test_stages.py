"""Stages: a search, then a finish; polishing; noise by the chain's own step count."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import groundstate as gs
from tests.runtime import toys

REQUEST = {"ac": 1.0, "bc": 0.8, "side": 0.0}


@pytest.fixture(scope="module")
def triangle() -> gs.Solver:
    return gs.load(toys.triangle())


def off(request: dict[str, float], c: list[float]) -> float:
    """By how much the distances of C miss what was asked for."""
    ac, bc = np.hypot(*c), np.hypot(c[0] - 1, c[1])
    return float(max(abs(ac - request["ac"]), abs(bc - request["bc"])))


@settings(max_examples=40, deadline=None)
@given(st.floats(0.7, 1.3), st.floats(0.7, 1.3), st.sampled_from([-1.0, 0.0, 1.0]))
def test_an_answer_within_tolerance_is_polished_beyond_it(
    triangle: gs.Solver, ac: float, bc: float, side: float
) -> None:
    request = {"ac": ac, "bc": bc, "side": side}
    solution = triangle.solve(request)
    assert solution.status is gs.Status.SOLVED
    assert solution.answer is not None
    assert off(request, solution.answer["c"]) < 1e-6
    assert side * solution.answer["c"][1] >= 0


def test_without_polish_the_first_answer_within_tolerance_is_taken() -> None:
    rough = gs.load(toys.triangle(accept={"checks": "all", "converged": False, "polish": 0}))
    errors = [off(REQUEST, rough.solve(REQUEST, seed=seed).answer["c"]) for seed in range(8)]  # type: ignore[index]
    assert 1e-6 < max(errors) <= 1e-3


def test_a_chain_goes_through_the_stages_in_their_order(triangle: gs.Solver) -> None:
    seen: list[gs.Segment] = []
    solution = triangle.solve(REQUEST, restarts=1, watch=seen.append)
    names = [name for name, _ in itertools.groupby(segment.stage for segment in seen)]
    assert names == ["search", ""]
    assert {int(segment.chain[0]) for segment in seen} == {0}
    assert [segment.steps for segment in seen if not segment.stage][-1] == solution.steps
    assert solution.steps == sum(1 if not segment.stage else 8 for segment in seen)


def test_a_later_stage_starts_as_the_answer_of_the_one_before(triangle: gs.Solver) -> None:
    seen: list[gs.Segment] = []
    triangle.solve(REQUEST, restarts=1, watch=seen.append)
    search, finish = next((a, b) for a, b in itertools.pairwise(seen) if a.stage and not b.stage)
    out = triangle.minimise(
        {name: np.array([value], np.float32) for name, value in REQUEST.items()}, {"y": search.answer["c"]}
    )
    assert np.array_equal(out["answer.c"], finish.answer["c"])


def test_a_stage_that_does_not_get_near_hands_on_after_its_steps() -> None:
    hopeless: dict[str, Any] = {"ac": 1.0, "bc": 3.0, "side": 0.0}
    seen: list[gs.Segment] = []
    solution = gs.load(toys.triangle()).solve(hopeless, restarts=1, max_steps=80, watch=seen.append)
    assert solution.status is gs.Status.UNSOLVED
    assert sum(segment.stage == "search" for segment in seen) >= 8
    assert any(segment.stage == "" for segment in seen)


def test_what_a_check_measures_is_said_with_its_unit(triangle: gs.Solver) -> None:
    # One update of the search, and one of the finish: near, and not near enough.
    solution = triangle.solve({"ac": 1.3, "bc": 0.7, "side": 0.0}, restarts=1, max_steps=9, seed=3)
    seeds = range(40)
    found = [triangle.solve(REQUEST, restarts=1, max_steps=17, seed=seed) for seed in seeds]
    closest = [one.closest for one in (solution, *found) if one.closest is not None and one.closest.violations]
    assert closest
    for attempt in closest:
        (violation, *_) = attempt.violations
        assert violation.check == "distances"
        assert violation.unit == "m"
        assert violation.amount is not None
        assert violation.amount == pytest.approx(off(REQUEST, attempt.answer["c"]) - 1e-3, abs=1e-5) or attempt is (
            solution.closest
        )
        assert "The tolerance of 0.001 m is exceeded by" in violation.message


@st.composite
def rhythms(draw: st.DrawFn) -> tuple[int, list[int]]:
    period = draw(st.sampled_from([1, 2, 4, 8, 16]))
    return period, sorted(draw(st.sets(st.integers(0, period - 1), min_size=1, max_size=4)))


def walk(steps: int, period: int, offsets: list[int], seed: int) -> dict[int, float]:
    """Where the first chain is after every 16 steps."""
    solver, seen = gs.load(toys.drunkard(steps, period, offsets), threads=1), list[gs.Segment]()
    solver.solve({}, restarts=1, max_steps=64, seed=seed, watch=seen.append)
    return {s.steps: float(s.answer["y"][0, 0]) for s in seen if s.steps % 16 == 0}


@settings(max_examples=25, deadline=None)
@given(rhythms(), st.integers(0, 99))
def test_the_length_of_a_segment_changes_nothing_in_what_a_chain_does(rhythm: tuple[int, list[int]], seed: int) -> None:
    period, offsets = rhythm
    walks = [walk(steps, period, offsets, seed) for steps in (1, 2, 8, 16)]
    assert walks[0].keys() == {16, 32, 48, 64}
    for other in walks[1:]:
        assert other == pytest.approx(walks[0], abs=1e-5)


def test_noise_comes_at_its_steps_and_at_no_others() -> None:
    solver, seen = gs.load(toys.drunkard(1, 8, [0, 3])), list[gs.Segment]()
    solver.solve({}, restarts=1, max_steps=32, watch=seen.append)
    places = [float(segment.answer["y"][0, 0]) for segment in seen]
    moved = [at + 1 for at, (before, after) in enumerate(itertools.pairwise(places)) if before != after]
    assert moved == [3, 8, 11, 16, 19, 24, 27]  # at step 0 too, before the first that is seen


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 99), st.integers(2, 40))
def test_company_changes_nothing_in_what_a_chain_does(seed: int, company: int) -> None:
    solver = gs.load(toys.drunkard(2, 2, [1]))
    assume(solver.header.noise)
    alone, together = list[gs.Segment](), list[gs.Segment]()
    solver.solve({}, restarts=2, max_steps=16, seed=seed, watch=alone.append)
    solver.solve_many([{}] * company, restarts=2, max_steps=16, seed=seed, watch=together.append)
    for index in range(company):
        mine = [segment for segment in together if segment.index == index]
        assert all(np.array_equal(a.answer["y"], b.answer["y"]) for a, b in zip(alone, mine, strict=True))


def test_the_number_of_threads_changes_nothing(sudoku: gs.Solver) -> None:
    several = {threads: gs.load("sudoku_16x16", threads=threads) for threads in (1, 3, 8)}
    empty = {"grid": [[0] * 16] * 16}
    records = [solver.solve(empty, alternatives=4, max_steps=256, ask=False).to_json() for solver in several.values()]
    assert records[0] == records[1] == records[2]


@pytest.mark.parametrize("name", ["sudoku", "sudoku_4x4", "sudoku_16x16", "constraints", "scheduling"])
def test_company_changes_no_bit_of_what_a_bundled_model_does(name: str) -> None:
    solver = gs.load(name)
    request = solver.header.self_test["request"]  # type: ignore[index]
    if name.startswith("sudoku"):
        request = {"grid": [[0] * len(request["grid"])] * len(request["grid"])}
    alone, together = list[gs.Segment](), list[gs.Segment]()
    options: dict[str, Any] = {"alternatives": 3, "max_steps": 96, "restarts": 6, "seed": 3}
    solver.solve(request, ask=False, watch=alone.append, **options)
    solver.solve_many([request] * 5, watch=together.append, **options)
    assert alone
    for index in range(5):
        mine = [segment for segment in together if segment.index == index]
        for one, other in zip(alone, mine, strict=True):
            assert np.array_equal(one.energy, other.energy)
            assert np.array_equal(one.trace, other.trace)
            assert all(np.array_equal(tensor, other.answer[key]) for key, tensor in one.answer.items())
