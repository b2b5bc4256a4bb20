"""The Sudoku task on every board: its notation, its drawings, its proofs and its exact check."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.sudoku.board import BOARDS, Board
from groundstate_models.sudoku.data import generate
from groundstate_models.sudoku.search import easy_puzzles
from groundstate_models.sudoku.singles import singles
from groundstate_models.sudoku.task import SudokuTask
from tests.support import EASY


def task_of(size: int, model: gs.Solver) -> SudokuTask:
    """The task as an artefact for another board has it."""
    grid = replace(model.header.inputs["grid"], shape=(size, size))
    return SudokuTask(replace(model.header, name=f"sudoku_{size}x{size}", inputs={"grid": grid}))


def example(size: int, seed: int = 0) -> tuple[dict[str, list[list[int]]], dict[str, list[list[int]]]]:
    """A puzzle with some half of its cells given, and its answer."""
    puzzles, solutions, _ = easy_puzzles(1, seed, size**2 // 2, Board.of(size))
    return tuple({"grid": grid.reshape(size, size).tolist()} for grid in (puzzles, solutions))  # type: ignore[return-value]


@pytest.fixture(params=BOARDS)
def task(request: pytest.FixtureRequest, sudoku: gs.Solver) -> SudokuTask:
    return task_of(request.param, sudoku)


def size_of(task: SudokuTask) -> int:
    return task.header.inputs["grid"].shape[0]


def test_what_is_written_or_drawn_is_read_again(task: SudokuTask) -> None:
    puzzle, answer = example(size_of(task))
    assert task.parse(task.read(answer).notation(answer)) == answer
    assert task.parse(task.read(puzzle).draw(answer)) == answer
    assert task.parse(task.read(puzzle).draw(None)) == puzzle
    assert task.parse(task.read(puzzle).draw(None).lower()) == puzzle
    assert task.parse(task.read(puzzle).notation(puzzle).replace("0", "_")) == puzzle


def test_the_drawing_shows_the_boxes_of_the_board(sudoku: gs.Solver) -> None:
    six = {"grid": [[0, 2, 3, 4, 5, 6]] * 6}
    assert task_of(6, sudoku).read(six).draw(None).splitlines()[:4] == [
        "+-------+-------+",
        "| . 2 3 | 4 5 6 |",
        "| . 2 3 | 4 5 6 |",
        "+-------+-------+",
    ]
    sixteen = task_of(16, sudoku).read({"grid": [[*range(16)]] * 16}).draw(None).splitlines()
    assert sixteen[1] == "| . 1 2 3 | 4 5 6 7 | 8 9 A B | C D E F |"
    assert [at for at, line in enumerate(sixteen) if line == "+---------" * 4 + "+"] == [0, 5, 10, 15, 20]


@pytest.mark.parametrize(
    ("size", "text", "sentence"),
    [
        (9, "." * 256, "The puzzle has 256 cells; 'sudoku_9x9' takes a 9×9 board of 81, and the installed model"),
        (9, "G" + "." * 255, "and the installed model 'sudoku_16x16' takes one of 256."),
        (16, EASY, "'sudoku_16x16' takes a 16×16 board of 256, and the installed model 'sudoku' takes one of 81."),
        (4, "." * 36, "and the installed model 'sudoku_6x6' takes one of 36."),
        (9, "." * 625, "'sudoku_9x9' takes a 9×9 board of 81, and boards of 25×25 are not supported."),
        (6, "." * 35, "The puzzle has 35 cells; a 6×6 Sudoku has 36, row by row, with . or 0 for empty."),
        (4, "7" + "." * 15, "character 1: '7' is not allowed in a puzzle; use 1 to 4, and . or 0 for an empty cell."),
        (16, "." * 255 + "h", "character 256: 'h' is not allowed in a puzzle; use 1 to 9 and A to G, and . or 0 for"),
        (16, "F0" + "." * 254, "character 2: 0 and . cannot both stand for empty cells; digits are 1 to 9 and A to G"),
    ],
)
def test_text_that_is_no_puzzle_of_the_board_is_refused_in_a_sentence(
    size: int, text: str, sentence: str, sudoku: gs.Solver
) -> None:
    with pytest.raises(gs.RequestError) as caught:
        task_of(size, sudoku).parse(text)
    assert len(caught.value.faults) == 1
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("grid", "sentence"),
    [
        (np.zeros((16, 16), int), "The board has 256 cells; 'sudoku' takes a 9×9 board of 81, and the installed model"),
        ([[0] * 4] * 4, "and the installed model 'sudoku_4x4' takes one of 16."),
        ([[0] * 25] * 25, "and boards of 25×25 are not supported."),
    ],
)
def test_a_request_with_a_board_of_another_size_is_refused_in_one_sentence(
    grid: object, sentence: str, sudoku: gs.Solver
) -> None:
    for attempt in (
        lambda: sudoku.solve({"grid": grid}),
        lambda: sudoku.score({"grid": grid}, {"grid": [[1] * 9] * 9}),
    ):
        with pytest.raises(gs.RequestError) as caught:
            attempt()
        assert [fault.place for fault in caught.value.faults] == ["grid"]
        assert sentence in str(caught.value)


@pytest.mark.parametrize("shape", [(25, 25), (9, 6), (81,)])
def test_an_artefact_for_another_board_is_refused(shape: tuple[int, ...], sudoku: gs.Solver) -> None:
    grid = replace(sudoku.header.inputs["grid"], shape=shape)
    with pytest.raises(gs.TaskError, match="'sudoku'"):
        SudokuTask(replace(sudoku.header, inputs={"grid": grid}))


def broken(grid: np.ndarray, board: Board) -> dict[str, int]:
    """Digits too many in rows, columns and boxes, counted over slices."""
    n, high, wide = board.size, board.height, board.width
    boxes = [grid[r : r + high, c : c + wide] for r in range(0, n, high) for c in range(0, n, wide)]
    kinds = {"rows": list(grid), "columns": list(grid.T), "boxes": boxes}
    found = {kind: sum(n - len(np.unique(unit)) for unit in units) for kind, units in kinds.items()}
    return {kind: count for kind, count in found.items() if count}


def test_the_check_counts_just_what_an_answer_breaks(task: SudokuTask) -> None:
    size, random = size_of(task), np.random.default_rng(0)
    empty = {"grid": [[0] * size] * size}
    for seed in range(4):
        _, answer = example(size, seed)
        assert task.read(empty).check(answer) == []
        grid = np.array(answer["grid"])
        for _ in range(20):
            one, other = random.integers(0, size, (2, 2))
            grid[tuple(one)], grid[tuple(other)] = grid[tuple(other)], grid[tuple(one)]
            found: dict[str, int] = {}
            for violation in task.read(empty).check({"grid": grid.tolist()}):
                found[violation.check] = found.get(violation.check, 0) + violation.count
            assert found == broken(grid, Board.of(size))


def test_the_check_names_givens_that_were_changed_and_cells_that_are_empty(task: SudokuTask) -> None:
    _, answer = example(size_of(task))
    changed = [row.copy() for row in answer["grid"]]
    changed[1][2] = 0
    found = task.read(answer).check({"grid": changed})
    assert [(violation.check, violation.places) for violation in found] == [
        ("givens", ("grid[1][2]",)),
        ("cells", ("grid[1][2]",)),
    ]


def test_equal_givens_in_a_box_are_a_contradiction_and_both_are_named(sudoku: gs.Solver) -> None:
    grid = np.zeros((16, 16), int)
    grid[4, 9] = grid[7, 11] = 12
    (found,) = task_of(16, sudoku).read({"grid": grid.tolist()}).contradictions
    assert found.check == "boxes"
    assert found.message == "Digit 12 (C) stands 2 times in box 7: grid[4][9] and grid[7][11]."


def test_a_puzzle_with_an_answer_contradicts_nothing(task: SudokuTask) -> None:
    puzzle, answer = example(size_of(task), seed=3)
    assert list(task.read(puzzle).contradictions) == []
    assert task.read(puzzle).check(answer) == []


def test_16x16_boards_are_handed_to_the_energy_with_the_digits_that_follow() -> None:
    board = BOARDS[16]
    made = generate(0, 0, 5, board=board, easy=2, givens=110)
    for puzzle, solution in zip(made.puzzle.tolist(), made.solution.tolist(), strict=True):
        filled = singles(puzzle, board, crossing=True)
        assert filled is not None
        assert sum(map(bool, filled)) > sum(map(bool, puzzle))
        assert all(digit in (0, right) for digit, right in zip(filled, solution, strict=True))
        follows = next(cell for cell, digit in enumerate(filled) if digit and not puzzle[cell])
        wrong = [*puzzle[:follows], filled[follows] % 16 + 1, *puzzle[follows + 1 :]]
        assert singles(wrong, board, crossing=True) is None
