"""Hidden contradictions of givens are proven, and the wrong given is among the options."""

from __future__ import annotations

import pytest

import groundstate as gs
from groundstate_models.sudoku.board import BOARDS
from groundstate_models.sudoku.refuting import Refuter, contradiction, likeliest

SOLVED = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
PUZZLE = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"


def given(text: str) -> list[int]:
    return [int(character) if character.isdigit() else 0 for character in text]


def test_a_puzzle_with_an_answer_is_never_refuted() -> None:
    for text in (PUZZLE, SOLVED, "." * 81):
        assert not Refuter(BOARDS[9], 2_000).refutes(given(text))
        assert contradiction(given(text), BOARDS[9], 2_000) is None


def test_answers_are_counted_up_to_a_limit() -> None:
    assert Refuter(BOARDS[9], 2_000).answers(given(PUZZLE), 2) == 1
    assert Refuter(BOARDS[9], 2_000).answers([0] * 81, 2) == 2
    assert Refuter(BOARDS[9], 3).answers([0] * 81, 2) is None


def test_a_contradiction_is_fewer_givens_than_all_and_proven_from_them_alone() -> None:
    board = given(PUZZLE)
    board[2] = 1  # a 4 belongs there; a 1 repeats in no row, column or box
    cells = contradiction(board, BOARDS[9], 2_000)
    assert cells is not None
    assert 2 in cells
    only = [digit if cell in cells else 0 for cell, digit in enumerate(board)]
    assert Refuter(BOARDS[9], 20_000).refutes(only)
    assert len(cells) < sum(map(bool, board))
    assert 2 in likeliest(board, BOARDS[9], cells, 4_000)[: len(cells)]


@pytest.mark.parametrize(("cell", "digit"), [(2, 1), (78, 4)])
def test_the_wrong_given_is_among_the_options(cell: int, digit: int) -> None:
    board = given(PUZZLE)
    board[cell] = digit
    grid = [board[row : row + 9] for row in range(0, 81, 9)]
    solution = gs.load("sudoku").solve({"grid": grid})
    assert solution.status is gs.Status.INFEASIBLE
    assert f"grid[{cell // 9}][{cell % 9}]" in solution.violations[0].places
    assert solution.question is not None
    erased = [option.apply(solution.request)["grid"][cell // 9][cell % 9] for option in solution.question.options]
    assert 0 in erased
