"""The generator of puzzles, and keeping test puzzles out of training."""

from __future__ import annotations

import hashlib
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from groundstate_models.sudoku.board import BOARDS, Board
from groundstate_models.sudoku.data import generate, invariant, read_puzzles
from groundstate_models.sudoku.search import easy_puzzles, hard_puzzles, minimal_puzzles, solve
from tests.support import EASY, EASY_SOLUTION, TWO_SOLUTIONS

EASY_GRID = np.array([int(c) for c in EASY], dtype=np.uint8)


def test_the_exact_search_finds_the_one_solution_and_counts_two() -> None:
    count, solution, _ = solve(EASY_GRID)
    assert (count, "".join(map(str, solution))) == (1, EASY_SOLUTION)
    assert solve(np.array([int(c) for c in TWO_SOLUTIONS], dtype=np.uint8), limit=10)[0] == 2
    assert solve(np.array([5, 5, *EASY_GRID[2:]], dtype=np.uint8))[0] == 0


@pytest.mark.parametrize("size", BOARDS)
def test_a_search_that_starts_from_nothing_ends_in_a_full_grid(size: int) -> None:
    board = Board.of(size)
    count, grid, _ = solve(np.zeros(size**2), limit=1, board=board)
    assert count == 1
    assert all(set(grid[list(unit)]) == set(range(1, size + 1)) for unit in board.units)


@pytest.mark.parametrize(("size", "digit"), [(4, 5), (9, 10), (16, 17)])
def test_a_digit_that_the_board_does_not_have_has_no_solution(size: int, digit: int) -> None:
    grid = np.zeros(size**2, dtype=np.uint8)
    grid[3] = digit
    assert solve(grid, board=Board.of(size))[0] == 0


def fewer(puzzle: np.ndarray, cell: int) -> np.ndarray:
    return np.where(np.arange(len(puzzle)) == cell, 0, puzzle)


@pytest.mark.parametrize("size", [4, 6, 9])
def test_minimal_puzzles_have_one_solution_and_lose_it_with_any_clue(size: int) -> None:
    board = Board.of(size)
    puzzles, solutions, _ = minimal_puzzles(5, 1, board)
    assert len(np.unique(solutions, axis=0)) == 5
    for puzzle, stored in zip(puzzles, solutions, strict=True):
        count, found, _ = solve(puzzle, board=board)
        assert count == 1
        assert np.array_equal(found, stored)
        assert all(solve(fewer(puzzle, cell), board=board)[0] == 2 for cell in np.flatnonzero(puzzle))


@pytest.mark.parametrize(("size", "givens"), [(4, 8), (6, 20), (9, 36), (16, 140)])
def test_easy_puzzles_have_as_many_givens_as_asked_for_and_one_solution(size: int, givens: int) -> None:
    board = Board.of(size)
    puzzles, solutions, nodes = easy_puzzles(10, 2, givens, board)
    assert (np.count_nonzero(puzzles, axis=1) == givens).all()
    assert len(np.unique(solutions, axis=0)) == 10
    for puzzle, stored, searched in zip(puzzles, solutions, nodes, strict=True):
        count, found, again = solve(puzzle, board=board)
        assert (count, again) == (1, searched)
        assert np.array_equal(found, stored)
        assert np.array_equal(puzzle[puzzle > 0], stored[puzzle > 0])
        assert all(set(stored[list(unit)]) == set(range(1, size + 1)) for unit in board.units)


def test_easy_puzzles_keep_the_clues_that_one_solution_needs() -> None:
    puzzles, _, _ = easy_puzzles(3, 0, givens=0)
    assert all(solve(fewer(p, cell))[0] == 2 for p in puzzles for cell in np.flatnonzero(p))


def test_random_grids_of_16x16_are_not_symmetric_copies_of_one() -> None:
    """Pairs of rows of a box, as permutations of the digits: their cycle lengths stay in all copies but transposed ones."""
    found = set()
    for _, solution, _ in (easy_puzzles(1, seed, 256, Board.of(16)) for seed in range(4)):
        rows = solution.reshape(16, 16).astype(int) - 1
        lengths = []
        for one, other in itertools.permutations(range(16), 2):
            if one // 4 == other // 4:
                step = np.empty(16, dtype=int)
                step[rows[one]] = rows[other]
                lengths.append(cycles(step))
        found.add(tuple(sorted(lengths)))
    assert len(found) > 2


def cycles(permutation: np.ndarray) -> tuple[int, ...]:
    left, found = set(range(len(permutation))), []
    while left:
        at, length = left.pop(), 1
        while (at := int(permutation[at])) in left:
            left.remove(at)
            length += 1
        found.append(length)
    return tuple(sorted(found))


def test_none_is_an_answer_to_how_many() -> None:
    assert [part.shape for part in minimal_puzzles(0, 0)] == [(0, 81), (0, 81), (0,)]


def test_puzzles_of_9x9_stay_what_they_were() -> None:
    made = {"minimal": minimal_puzzles(50, 7), "hard": hard_puzzles(5, 7)}
    assert {kind: hashlib.sha256(puzzles.tobytes()).hexdigest()[:16] for kind, (puzzles, _, _) in made.items()} == {
        "minimal": "beb1075be8a653b8",
        "hard": "05c494222509e93a",
    }


def test_the_same_seed_gives_the_same_puzzles_and_another_seed_others() -> None:
    first, again, other = (generate(4, 2, seed) for seed in (3, 3, 4))
    assert np.array_equal(first.puzzle, again.puzzle)
    assert not np.array_equal(first.puzzle, other.puzzle)


def test_climbing_makes_puzzles_harder() -> None:
    assert hard_puzzles(20, seed=0)[2].mean() > 2 * minimal_puzzles(20, seed=0)[2].mean()


def symmetric_copy(puzzle: np.ndarray, random: np.random.Generator) -> np.ndarray:
    board = Board.of(math.isqrt(len(puzzle)))
    n, high, wide = board.size, board.height, board.width

    def lines(band: int) -> np.ndarray:
        return np.concatenate([band * place + random.permutation(band) for place in random.permutation(n // band)])

    grid = puzzle.reshape(n, n)[lines(high)][:, lines(wide)]
    names = np.concatenate([[0], 1 + random.permutation(n)])
    return names[grid.T if high == wide and random.random() < 0.5 else grid].astype(np.uint8).ravel()


@pytest.mark.parametrize("size", BOARDS)
def test_a_symmetric_copy_has_the_same_invariant(size: int) -> None:
    random = np.random.default_rng(size)
    puzzles, _, _ = easy_puzzles(4, 0, size**2 // 2, Board.of(size))
    for puzzle in puzzles:
        assert {invariant(symmetric_copy(puzzle, random)) for _ in range(8)} == {invariant(puzzle)}


def test_a_transposed_board_is_another_puzzle_where_boxes_are_not_square() -> None:
    puzzle = easy_puzzles(1, 0, 18, Board.of(6))[0][0]
    assert invariant(puzzle.reshape(6, 6).T.ravel()) != invariant(puzzle)


def test_a_board_that_is_not_played_has_no_invariant() -> None:
    with pytest.raises(ValueError, match="25×25"):
        invariant(np.zeros(625, dtype=np.uint8))


@pytest.mark.parametrize("size", BOARDS)
def test_puzzles_that_differ_in_one_clue_have_different_invariants(size: int) -> None:
    puzzle = easy_puzzles(1, 0, size**2 // 2, Board.of(size))[0][0]
    assert len({invariant(fewer(puzzle, cell)) for cell in np.flatnonzero(puzzle)}) > 1
    assert invariant(puzzle) not in {invariant(fewer(puzzle, cell)) for cell in np.flatnonzero(puzzle)}


def test_different_puzzles_have_different_invariants() -> None:
    puzzles = generate(60, 0, seed=9).puzzle
    assert len({invariant(puzzle) for puzzle in puzzles}) == 60


def test_a_symmetric_copy_of_a_test_puzzle_stays_out_of_training() -> None:
    everything = generate(6, 0, seed=5)
    banned = symmetric_copy(everything.puzzle[2], np.random.default_rng(0))
    kept = generate(6, 0, seed=5, exclude=[banned])
    assert np.array_equal(kept.puzzle, np.delete(everything.puzzle, 2, axis=0))


def test_a_mix_holds_puzzles_of_every_kind_that_was_asked_for() -> None:
    puzzles = generate(3, 2, 0, board=Board.of(6), easy=4, givens=20)
    assert puzzles.puzzle.shape == puzzles.solution.shape == (9, 36)
    assert (np.count_nonzero(puzzles.puzzle, axis=1) == 20).tolist() == [False] * 5 + [True] * 4


def test_puzzles_are_read_from_csv(tmp_path: Path) -> None:
    path = tmp_path / "puzzles.csv"
    path.write_text(f"puzzle,solution,search_nodes\n{EASY.replace('0', '.')},{EASY_SOLUTION},7\n", encoding="utf-8")
    puzzles = read_puzzles(path)
    assert np.array_equal(puzzles.puzzle[0], EASY_GRID)
    assert puzzles.nodes.tolist() == [7]


def test_puzzles_of_16x16_are_read_with_letters_and_without_solutions(tmp_path: Path) -> None:
    path = tmp_path / "puzzles.csv"
    path.write_text(f"puzzle\n{'.9Ag' * 64}\n", encoding="utf-8")
    puzzles = read_puzzles(path)
    assert puzzles.puzzle.tolist() == [[0, 9, 10, 16] * 64]
    assert not puzzles.solution.any()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("puzzle\n", "has no puzzle"),
        (f"grid\n{EASY}\n", "must have a column 'puzzle'"),
        (f"puzzle\n{EASY}\n{EASY[1:]}\n", "line 3: .* is not a grid of 9×9 cells"),
        (f"puzzle\n{EASY}\n{'A' + EASY[1:]}\n", "line 3: .* written with 1 to 9, and . or 0 for an empty cell"),
        (f"puzzle\n{'.' * 64}\n", "8×8 cells are not supported"),
    ],
)
def test_a_file_that_holds_no_puzzles_of_one_board_is_refused(text: str, sentence: str, tmp_path: Path) -> None:
    path = tmp_path / "puzzles.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        read_puzzles(path)
