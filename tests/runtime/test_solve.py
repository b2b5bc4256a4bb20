"""Solving, as a caller sees it."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import groundstate as gs
from tests.support import EASY, EASY_SOLUTION, MEDIUM, REPEATED, TWO_SOLUTIONS, rows


def is_valid(grid: list[list[int]]) -> bool:
    a = np.array(grid)
    units = [*a, *a.T, *a.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)]
    return all(set(unit.tolist()) == set(range(1, 10)) for unit in units)


def test_an_easy_puzzle_ends_in_its_solution(sudoku: gs.Solver) -> None:
    solution = sudoku.solve({"grid": rows(EASY)})
    assert solution.status is gs.Status.SOLVED
    assert solution.answer == {"grid": rows(EASY_SOLUTION)}
    assert solution.violations == ()
    assert solution.energy is not None
    assert np.isfinite(solution.energy)


@pytest.mark.parametrize(
    "grid", [np.array(rows(EASY)), np.array(rows(EASY), dtype=np.int8), tuple(map(tuple, rows(EASY)))]
)
def test_arrays_and_tuples_are_welcome(sudoku: gs.Solver, grid: object) -> None:
    assert sudoku.solve({"grid": grid}).answer == {"grid": rows(EASY_SOLUTION)}


def test_the_same_request_and_seed_give_the_same_solution(sudoku: gs.Solver) -> None:
    first, again = (sudoku.solve({"grid": rows(MEDIUM)}, seed=5) for _ in range(2))
    assert first == again
    assert json.dumps(first.to_json()) == json.dumps(again.to_json())


def test_an_empty_grid_ends_in_some_valid_grid(sudoku: gs.Solver) -> None:
    solution = sudoku.solve({"grid": [[0] * 9] * 9})
    assert solution.status is gs.Status.SOLVED
    assert is_valid(solution.answer["grid"])


def test_a_right_full_grid_is_its_own_answer(sudoku: gs.Solver) -> None:
    solution = sudoku.solve({"grid": rows(EASY_SOLUTION)})
    assert (solution.status, solution.answer) == (gs.Status.SOLVED, {"grid": rows(EASY_SOLUTION)})


def test_a_wrong_full_grid_is_infeasible(sudoku: gs.Solver) -> None:
    wrong = EASY_SOLUTION[1] + EASY_SOLUTION[0] + EASY_SOLUTION[2:]
    assert sudoku.solve({"grid": rows(wrong)}).status is gs.Status.INFEASIBLE


def test_two_equal_givens_are_infeasible_and_both_are_named(sudoku: gs.Solver) -> None:
    solution = sudoku.solve({"grid": rows(REPEATED)})
    assert solution.status is gs.Status.INFEASIBLE
    assert solution.answer is None
    assert solution.violations[0].places == ("grid[0][0]", "grid[0][1]")
    assert "grid[0][0] and grid[0][1]" in solution.message


def test_a_spent_budget_is_unsolved_with_the_rules_that_the_best_configuration_breaks(sudoku: gs.Solver) -> None:
    solution = sudoku.solve({"grid": rows(MEDIUM)}, restarts=1, max_steps=1)
    assert solution.status is gs.Status.UNSOLVED
    assert solution.violations
    assert all(v.count > 0 and v.message for v in solution.violations)
    assert solution.answer is None
    assert solution.closest is not None
    assert solution.closest.violations == solution.violations
    assert not is_valid(solution.closest.answer["grid"])


def test_a_deadline_ends_the_search_with_the_best_so_far(sudoku: gs.Solver) -> None:
    hopeless = rows(TWO_SOLUTIONS)
    solution = sudoku.solve({"grid": hopeless}, deadline=0.5, alternatives=64, restarts=64)
    assert solution.steps >= sudoku.header.steps
    assert solution.closest is not None or solution.answer is not None


def test_a_deadline_that_passes_while_the_request_is_read_ends_the_call_without_a_descent(sudoku: gs.Solver) -> None:
    solution = sudoku.solve({"grid": rows(TWO_SOLUTIONS)}, deadline=1e-6)
    assert (solution.status, solution.steps, solution.closest) == ("unsolved", 0, None)
    assert "deadline" in solution.explanation


def test_a_puzzle_with_two_solutions_is_ambiguous_when_two_are_asked_for(sudoku: gs.Solver) -> None:
    solution = sudoku.solve({"grid": rows(TWO_SOLUTIONS)}, alternatives=2, restarts=256)
    assert solution.status is gs.Status.AMBIGUOUS
    answers = [solution.answer, *(other.answer for other in solution.alternatives)]
    assert len(answers) == 2
    assert answers[0] != answers[1]
    assert all(is_valid(answer["grid"]) for answer in answers)


def test_a_puzzle_with_one_solution_is_not_called_ambiguous(sudoku: gs.Solver) -> None:
    assert sudoku.solve({"grid": rows(EASY)}, alternatives=2).status is gs.Status.SOLVED


def test_one_bad_request_costs_only_its_own_place(sudoku: gs.Solver) -> None:
    good = {"grid": rows(EASY)}
    outcomes = sudoku.solve_many([good, {"grid": "no"}, {"grid": rows(REPEATED)}, good])
    assert [type(o).__name__ for o in outcomes] == ["Solution", "RequestError", "Solution", "Solution"]
    assert [o.status.value for o in outcomes if isinstance(o, gs.Solution)] == ["solved", "infeasible", "solved"]


def test_no_requests_give_no_solutions(sudoku: gs.Solver) -> None:
    assert sudoku.solve_many([]) == []


def test_more_problems_than_fit_in_flight_are_all_solved_and_reported(sudoku: gs.Solver) -> None:
    seen: list[int] = []
    outcomes = sudoku.solve_many(({"grid": rows(EASY)} for _ in range(300)), done=lambda index, _: seen.append(index))
    assert sorted(seen) == list(range(300))
    assert all(isinstance(o, gs.Solution) and o.answer == {"grid": rows(EASY_SOLUTION)} for o in outcomes)


def test_two_hundred_callers_at_once_each_get_their_own_answer(sudoku: gs.Solver) -> None:
    requests = [rows(EASY), rows(EASY_SOLUTION), rows("0" + EASY[1:])]
    alone = [sudoku.solve({"grid": grid}).answer for grid in requests]
    with ThreadPoolExecutor(200) as callers:
        answers = list(callers.map(lambda i: sudoku.solve({"grid": requests[i % 3]}).answer, range(200)))
    assert answers == [alone[i % 3] for i in range(200)]


async def test_asolve_leaves_the_event_loop_free(sudoku: gs.Solver) -> None:
    solutions = await asyncio.gather(*(sudoku.asolve({"grid": rows(EASY)}) for _ in range(8)))
    assert {s.status for s in solutions} == {gs.Status.SOLVED}


def test_a_plain_function_carries_name_description_and_schema(sudoku: gs.Solver) -> None:
    function = sudoku.as_function()
    assert function.__name__ == "solve_sudoku"
    assert function.schema["parameters"]["required"] == ["grid"]
    assert function(grid=rows(EASY))["answer"] == {"grid": rows(EASY_SOLUTION)}


def test_watching_shows_every_segment_and_changes_nothing(sudoku: gs.Solver) -> None:
    seen: list[gs.Segment] = []
    watched = sudoku.solve({"grid": rows(EASY)}, watch=seen.append)
    assert watched == sudoku.solve({"grid": rows(EASY)})
    segment = sudoku.header.steps
    assert [s.steps for s in seen] == list(range(segment, watched.steps + 1, segment))
    assert seen[-1].path["grid"].shape == (seen[-1].chains, len(sudoku.header.traced), 9, 9)
    assert (seen[-1].violations.sum(1) == 0).any()


def test_what_a_pulse_raises_ends_the_descent(sudoku: gs.Solver) -> None:
    with pytest.raises(TimeoutError, match="gone"):
        sudoku.solve({"grid": rows(EASY)}, heartbeat=_gone)


def test_a_pulse_also_ends_the_trying_of_options(sudoku: gs.Solver) -> None:
    segments: list[gs.Segment] = []
    pulses: list[None] = []

    def pulse() -> None:
        pulses.append(None)
        if len(pulses) > len(segments) + 1:  # a segment that is not watched: an option is tried
            _gone()

    with pytest.raises(TimeoutError, match="gone"):
        sudoku.solve({"grid": rows(TWO_SOLUTIONS)}, alternatives=2, watch=segments.append, heartbeat=pulse)
    assert segments


def _gone() -> None:
    raise TimeoutError("gone")


def test_watching_many_tells_of_each_problem_by_its_place(sudoku: gs.Solver) -> None:
    seen: list[gs.Segment] = []
    requests = [{"grid": rows(EASY)}, {"grid": []}, {"grid": rows(EASY)}]
    outcomes = sudoku.solve_many(requests, watch=seen.append)
    unwatched = sudoku.solve_many(requests)
    for place in (0, 2):
        assert outcomes[place] == unwatched[place]
        made, segment = outcomes[place].steps, sudoku.header.steps
        assert [s.steps for s in seen if s.index == place] == list(range(segment, made + 1, segment))
    assert {s.index for s in seen} == {0, 2}


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("restarts", 0),
        ("restarts", 10**9),
        ("restarts", 1.5),
        ("restarts", True),
        ("max_steps", 0),
        ("max_steps", "many"),
        ("deadline", -1),
        ("deadline", float("nan")),
        ("seed", -1),
        ("alternatives", 0),
    ],
)
def test_an_option_out_of_range_is_named_with_what_is_allowed(sudoku: gs.Solver, option: str, value: object) -> None:
    with pytest.raises(gs.OptionError, match=rf"^{option} is .*; it must be"):
        sudoku.solve({"grid": rows(EASY)}, **{option: value})
