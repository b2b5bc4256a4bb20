"""Asking back: when, about what, with options that are real; and what replies do."""

from __future__ import annotations

import itertools
import json
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import groundstate as gs
from tests.support import EASY, EASY_SOLUTION, REPEATED, TWO_SOLUTIONS, rows

Grid = list[list[int]]

SMALL = {"restarts": 16, "max_steps": 256}


@pytest.fixture(scope="module")
def small() -> gs.Solver:
    """The bundled model for 4×4 boards, of which all are known."""
    return gs.load("sudoku_4x4")


@cache
def boards() -> tuple[tuple[int, ...], ...]:
    """Every full 4×4 board."""
    units = [[4 * r + c for c in range(4)] for r in range(4)] + [[4 * r + c for r in range(4)] for c in range(4)]
    units += [[4 * r + c, 4 * r + c + 1, 4 * r + c + 4, 4 * r + c + 5] for r in (0, 2) for c in (0, 2)]
    lines = list(itertools.permutations(range(1, 5)))
    every = (tuple(itertools.chain(*four)) for four in itertools.product(lines, repeat=4))
    return tuple(board for board in every if all(len({board[cell] for cell in unit}) == 4 for unit in units))


def solutions(grid: Grid) -> list[tuple[int, ...]]:
    cells = list(itertools.chain(*grid))
    return [board for board in boards() if all(g in (0, d) for g, d in zip(cells, board, strict=True))]


def flat(answer: dict[str, Any]) -> tuple[int, ...]:
    return tuple(itertools.chain(*answer["grid"]))


EMPTY: Grid = [[0] * 4 for _ in range(4)]
CONTRADICTORY: Grid = [[1, 2, 3, 0], [0, 0, 0, 0], [0, 0, 0, 4], [0, 0, 0, 0]]
"""No digit repeats, and no digit can stand in the corner of the first row."""


@st.composite
def partly_filled(draw: st.DrawFn) -> Grid:
    """Boards with some solutions, or with none because a few digits were changed."""
    board = list(draw(st.sampled_from(boards())))
    hidden = draw(st.sets(st.integers(0, 15), min_size=6, max_size=15))
    for cell in draw(st.sets(st.integers(0, 15), max_size=1)):
        board[cell] = draw(st.integers(1, 4))
    return [[0 if 4 * r + c in hidden else board[4 * r + c] for c in range(4)] for r in range(4)]


@settings(max_examples=60, deadline=None)
@given(partly_filled())
def test_it_asks_when_it_should_and_every_option_is_real(small: gs.Solver, grid: Grid) -> None:
    solution, every = small.solve({"grid": grid}, alternatives=2, **SMALL), solutions(grid)
    assert solution.solved == bool(every)
    if solution.solved:
        assert solution.status is (gs.Status.SOLVED if len(every) == 1 else gs.Status.AMBIGUOUS)
        assert {flat(solution.answer), *(flat(other.answer) for other in solution.alternatives)} <= {*every}
    if solution.unique:
        assert len(every) == 1
    if solution.status is gs.Status.SOLVED:
        assert solution.question is None
        return
    assert solution.question is not None or not solution.solved
    for option in () if solution.question is None else solution.question.options:
        left = solutions(option.apply({"grid": grid})["grid"])
        assert left
        assert not solution.solved or len(left) < len(every)


def test_an_ambiguous_board_is_asked_about_by_one_cell_with_its_digits(small: gs.Solver) -> None:
    solution = small.solve({"grid": EMPTY}, alternatives=2, **SMALL)
    question = solution.question
    assert solution.status is gs.Status.AMBIGUOUS
    assert question is not None
    row, column = (int(index) for index in question.about.removeprefix("grid[").removesuffix("]").split("]["))
    assert question.text == f"Which digit stands in row {row + 1}, column {column + 1}?"
    assert [option.id for option in question.options] == ["1", "2", "3", "4"]
    assert sum(option.answers_left for option in question.options) == question.answers_found > 2
    for option in question.options:
        assert option.apply({"grid": EMPTY})["grid"][row][column] == int(option.id)
    assert all(cell == 0 for row in EMPTY for cell in row)


@pytest.mark.parametrize("number", [0, 17, 101, 287])
def test_following_the_questions_leads_to_the_board_that_was_meant(small: gs.Solver, number: int) -> None:
    meant = boards()[number]
    request: dict[str, Any] = {"grid": EMPTY}
    asked = 0
    while (solution := small.solve(request, alternatives=2, **SMALL)).question is not None:
        asked += 1
        row, column = (int(i) for i in solution.question.about.removeprefix("grid[").removesuffix("]").split("]["))
        request = solution.question.option(str(meant[4 * row + column])).apply(request)
    assert solution.status is gs.Status.SOLVED
    assert flat(solution.answer) == meant
    assert 3 <= asked <= 10


def test_all_replies_at_once_do_what_one_after_another_do(small: gs.Solver) -> None:
    request, replies = {"grid": EMPTY}, dict[str, str]()
    solution = small.solve(request, alternatives=2, **SMALL)
    while solution.question is not None:
        replies[solution.question.id] = solution.question.options[-1].id
        solution = small.solve(request, alternatives=2, replies=replies, **SMALL)
    assert solution.status is gs.Status.SOLVED
    fresh = gs.load("sudoku_4x4").solve(request, alternatives=2, replies=replies, **SMALL)
    assert json.dumps(fresh.to_json()) == json.dumps(solution.to_json())
    given_cells = sum(cell > 0 for row in solution.request["grid"] for cell in row)
    assert given_cells == len(replies)


def test_the_same_request_brings_the_same_question_byte_for_byte(small: gs.Solver) -> None:
    texts = {
        json.dumps(gs.load("sudoku_4x4").solve({"grid": grid}, alternatives=3, seed=7, **SMALL).to_json())
        for grid in (EMPTY, tuple(map(tuple, EMPTY)), np.zeros((4, 4), int))
    }
    assert len(texts) == 1


def test_a_hidden_contradiction_is_proven_and_asks_which_given_may_go(small: gs.Solver) -> None:
    solution = small.solve({"grid": CONTRADICTORY}, **SMALL)
    assert solution.status is gs.Status.INFEASIBLE
    assert solution.violations
    assert solution.question is not None
    assert "There may be" not in solution.question.text
    for option in solution.question.options:
        assert option.id.startswith("without grid[")
        assert option.label.startswith("Without the ")
        assert solutions(option.apply({"grid": CONTRADICTORY})["grid"])


def test_a_repeated_digit_is_infeasible_and_one_of_the_two_may_go(sudoku: gs.Solver) -> None:
    solution = sudoku.solve({"grid": rows(REPEATED)})
    assert solution.status is gs.Status.INFEASIBLE
    assert solution.question is not None
    assert {option.id for option in solution.question.options} <= {"without grid[0][0]", "without grid[0][1]"}
    assert "There may be" not in solution.question.text
    after = sudoku.solve(solution.question.options[0].apply({"grid": rows(REPEATED)}))
    assert after.status is gs.Status.SOLVED


def test_two_contradictions_at_once_are_offered_as_pairs(small: gs.Solver) -> None:
    grid = [[1, 1, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 2, 2]]
    solution = small.solve({"grid": grid}, **SMALL)
    assert solution.question is not None
    for option in solution.question.options:
        changed = option.apply({"grid": grid})["grid"]
        assert sum(cell > 0 for row in changed for cell in row) == 2
        assert solutions(changed)


def test_a_puzzle_with_one_solution_is_not_asked_about_and_said_to_be_the_only_one(sudoku: gs.Solver) -> None:
    solution = sudoku.solve({"grid": rows(EASY)}, alternatives=2)
    assert (solution.status, solution.question, solution.unique) == (gs.Status.SOLVED, None, True)
    assert "It is the only answer, which is proven." in solution.explanation


def test_one_answer_is_enough_unless_more_are_asked_for(small: gs.Solver) -> None:
    solution = small.solve({"grid": EMPTY}, **SMALL)
    assert (solution.status, solution.question) == (gs.Status.SOLVED, None)


def test_nothing_is_asked_where_nothing_is_to_be_asked(small: gs.Solver) -> None:
    for grid in (EMPTY, CONTRADICTORY):
        assert small.solve({"grid": grid}, alternatives=2, ask=False, **SMALL).question is None
    several = small.solve_many([{"grid": EMPTY}, {"grid": CONTRADICTORY}], alternatives=2, **SMALL)
    assert [one.question for one in several] == [None, None]
    asked = small.solve_many([{"grid": EMPTY}, {"grid": CONTRADICTORY}], alternatives=2, ask=True, **SMALL)
    assert all(one.question is not None for one in asked)


def test_a_spent_deadline_leaves_no_time_to_ask(small: gs.Solver) -> None:
    assert small.solve({"grid": CONTRADICTORY}, deadline=1e-9).question is None


# Replies


def test_a_reply_by_label_or_in_another_case_is_taken(small: gs.Solver) -> None:
    question = small.solve({"grid": CONTRADICTORY}, **SMALL).question
    assert question is not None
    option = question.options[0]
    for reply in (option.id, option.id.upper(), option.label, f" {option.id} "):
        assert question.option(reply) is option


@pytest.mark.parametrize("reply", ["5", "", "none", "grid[0][0]"])
def test_a_reply_that_is_no_option_is_refused_with_the_options(small: gs.Solver, reply: str) -> None:
    question = small.solve({"grid": EMPTY}, alternatives=2, **SMALL).question
    assert question is not None
    with pytest.raises(gs.RequestError, match=r"is none of the options, which are '1', '2', '3', '4'") as refused:
        small.solve({"grid": EMPTY}, alternatives=2, replies={question.id: reply}, **SMALL)
    assert refused.value.faults[0].place == f"replies.{question.id}"


def test_a_stale_reply_is_refused_and_told_what_is_asked_now(small: gs.Solver) -> None:
    question = small.solve({"grid": EMPTY}, alternatives=2, **SMALL).question
    assert question is not None
    other = [[1, 2, 3, 4], [3, 4, 1, 2], [0, 0, 0, 0], [0, 0, 0, 0]]
    with pytest.raises(gs.RequestError, match="There is no such question: the request now brings the question 'q"):
        small.solve({"grid": other}, alternatives=2, replies={question.id: "1"}, **SMALL)
    with pytest.raises(gs.RequestError, match="the request now ends as 'solved' and asks nothing"):
        small.solve({"grid": other}, replies={question.id: "1"}, **SMALL)


def test_an_option_of_another_request_is_refused_and_changes_nothing(small: gs.Solver) -> None:
    question = small.solve({"grid": EMPTY}, alternatives=2, **SMALL).question
    assert question is not None
    full = {"grid": [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]}
    with pytest.raises(gs.RequestError, match="is of another request than this one"):
        question.options[0].apply(full)


@pytest.mark.parametrize("answers", [["q1"], "q1", 5])
def test_replies_that_are_no_mapping_are_refused(small: gs.Solver, answers: Any) -> None:
    with pytest.raises(gs.RequestError, match="it must map the ids of questions to the ids of options"):
        small.solve({"grid": EMPTY}, alternatives=2, replies=answers, **SMALL)


def test_what_a_caller_does_to_an_outcome_reaches_nobody_else(small: gs.Solver) -> None:
    first = small.solve({"grid": EMPTY}, alternatives=2, **SMALL)
    before = json.dumps(first.to_json())
    first.answer["grid"][0][0] = 99
    first.request["grid"][0][0] = 99
    again = small.solve({"grid": EMPTY}, alternatives=2, **SMALL)
    assert json.dumps(again.to_json()) == before


def test_dialogues_in_many_threads_do_not_meet(small: gs.Solver) -> None:
    def talk(number: int) -> tuple[int, ...]:
        meant, replies = boards()[number], dict[str, str]()
        solution = small.solve({"grid": EMPTY}, alternatives=2, **SMALL)
        while solution.question is not None:
            row, column = (int(i) for i in solution.question.about.removeprefix("grid[").removesuffix("]").split("]["))
            replies[solution.question.id] = str(meant[4 * row + column])
            solution = small.solve({"grid": EMPTY}, alternatives=2, replies=replies, **SMALL)
        return flat(solution.answer)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(talk, range(0, 280, 20))) == [boards()[number] for number in range(0, 280, 20)]


# What is said


def test_the_explanation_says_what_was_asked_found_checked_and_decided(sudoku: gs.Solver) -> None:
    solution = sudoku.solve({"grid": rows(EASY)}, alternatives=2)
    said = solution.explanation
    assert said.startswith("Asked: a 9×9 Sudoku with 26 givens. Found by descent: an answer of energy ")
    assert f"after {solution.steps} updates, passing every check (givens, rows, columns, boxes)." in said
    assert f"by update {min(solution.decided.values())}" in said
    assert f"by update {max(solution.decided.values())}." in said


def test_several_answers_are_said_to_be_several(sudoku: gs.Solver) -> None:
    said = sudoku.solve({"grid": rows(TWO_SOLUTIONS)}, alternatives=2, ask=False).explanation
    assert "Found by descent: 2 different answers so far, passing every check" in said


def test_decisions_are_those_of_the_chain_that_found_the_answer(sudoku: gs.Solver) -> None:
    segments = list[gs.Segment]()
    solution = sudoku.solve({"grid": rows(EASY)}, restarts=1, watch=segments.append)
    assert flat(solution.answer) == tuple(map(int, EASY_SOLUTION))
    points = []
    for segment in segments:
        path = segment.path["grid"][0][1:]
        points += [(segment.steps - 8 * (len(path) - k), grid) for k, grid in enumerate(path)]
        points.append((segment.steps, segment.answer["grid"][0]))
    final = np.array(solution.answer["grid"])
    for place, step in solution.decided.items():
        row, column = (int(i) for i in place.removeprefix("grid[").removesuffix("]").split("]["))
        kept = [at for at, grid in reversed(points) if (grid[row, column] == final[row, column])]
        broken = [at for at, grid in points if grid[row, column] != final[row, column]]
        assert step == min(at for at in kept if at > max(broken, default=0))


def test_an_infeasible_request_is_explained_without_a_descent(sudoku: gs.Solver) -> None:
    said = sudoku.solve({"grid": rows(REPEATED)}, ask=False).explanation
    assert said.endswith("No descent was made: the request contradicts itself, which is proven.")


def test_a_record_carries_everything_and_no_times(small: gs.Solver) -> None:
    record = small.solve({"grid": EMPTY}, alternatives=3, **SMALL).to_json()
    assert json.loads(json.dumps(record)) == record
    assert {"explanation", "question", "decided", "runner_up", "unique", "closest", "alternatives"} <= record.keys()
    assert "seconds" not in record
    assert all(other["hits"] >= 1 for other in record["alternatives"])
