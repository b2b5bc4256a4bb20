"""What the Sudoku benchmarks count by: a judge of answers, records that last, rates, neighbours, and the hand-written energy."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from benchmarks.journal import Journal
from benchmarks.loaded import Model
from benchmarks.rates import interval, percentile
from benchmarks.sudoku.curve import any_of, one_after_another
from benchmarks.sudoku.judge import auroc
from benchmarks.sudoku.knowing import Knowing, Settings
from benchmarks.sudoku.neighbours import MUTATIONS, hardest, swaps
from benchmarks.sudoku.puzzles import Puzzle, digits, read, right, units
from benchmarks.sudoku.solving import Budget, key, recorded, solve

from tests.support import EASY, EASY_SOLUTION, rows

PUZZLE = Puzzle("easy", 0, EASY, EASY_SOLUTION, 0)
GIVEN, BOARD = (np.array(digits(text)) for text in (EASY, EASY_SOLUTION))


def _answer(board: np.ndarray) -> dict[str, list[list[int]]]:
    return {"grid": board.reshape(9, 9).tolist()}


def test_only_the_solution_is_right() -> None:
    assert right(PUZZLE, {"grid": rows(EASY_SOLUTION)})
    assert not right(PUZZLE, {"grid": rows(EASY)})
    renamed = np.array([0, 2, 1, 3, 4, 5, 6, 7, 8, 9])[BOARD]  # breaks no unit, only givens
    assert not right(PUZZLE, _answer(renamed))
    empty = Puzzle("empty", 0, "." * 81, EASY_SOLUTION, 0)
    assert not right(empty, _answer(renamed)), "another grid than the stored solution"
    assert right(Puzzle("empty", 0, "." * 81, "", 0), _answer(renamed)), "any grid, where no solution is stored"


@pytest.mark.parametrize(("size", "box"), [(4, (2, 2)), (6, (2, 3)), (9, (3, 3)), (16, (4, 4))])
def test_units_are_rows_columns_and_boxes_of_every_board(size: int, box: tuple[int, int]) -> None:
    found = units(size)
    assert len(found) == 3 * size
    assert all(len(set(unit)) == size for unit in found)
    high, wide = box
    assert found[2 * size] == [size * r + c for r in range(high) for c in range(wide)]
    assert sorted(cell for unit in found[2 * size :] for cell in unit) == list(range(size * size))


def test_an_interval_is_wilsons() -> None:
    low, high = interval(81, 263)  # R. G. Newcombe, "Two-sided confidence intervals for the single proportion", 1998
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert interval(0, 20)[0] == 0.0


def test_a_percentile_is_one_of_the_values() -> None:
    assert [percentile([3, 1, 2, 4], share) for share in (0.25, 0.5, 0.95, 1.0)] == [1, 2, 4, 4]


def test_a_file_without_puzzles_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.csv"
    path.write_text("grid\n" + EASY + "\n")
    with pytest.raises(SystemExit, match="column 'puzzle'"):
        read(path)


def test_a_journal_keeps_records_and_forgets_a_line_cut_short(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "journal.jsonl"
    Journal(path).add({"row": 1}, {"right": True})
    with path.open("a") as file:
        file.write('{"key": {"row": 2}, "val')
    again = Journal(path)
    assert again.get({"row": 1}) == {"right": True}
    assert again.get({"row": 2}) is None
    again.add({"row": 2}, {"right": False})
    assert Journal(path).get({"row": 2}) == {"right": False}


def test_a_journal_that_is_none_is_refused_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(json.dumps({"key": {}, "value": {}}) + "\nnonsense\n")
    with pytest.raises(SystemExit, match="Line 2"):
        Journal(path)


def test_solving_counts_the_updates_of_all_chains_and_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, journal, budget = Model.load("sudoku"), Journal(tmp_path / "journal.jsonl"), Budget(2, 512)
    solve(model, [PUZZLE], budget, journal)
    [(_, record)] = recorded(model, [PUZZLE], budget, journal)
    outcome = model.solver.solve({"grid": rows(EASY)}, restarts=2, max_steps=512)
    assert record["right"]
    assert record["claimed"]
    assert record["updates"] == outcome.steps * outcome.chains
    assert journal.get(key(model, PUZZLE, Budget(2, 512, seed=1))) is None
    monkeypatch.setattr(model.solver, "parse", lambda _: pytest.fail("a puzzle was solved again"))
    solve(model, [PUZZLE], budget, Journal(tmp_path / "journal.jsonl"))


def test_the_chance_that_any_of_some_runs_is_right_is_that_of_all_ways_to_draw_them() -> None:
    runs = [True, False, False, True, False]
    draws = list(itertools.combinations(runs, 3))
    assert any_of(5, 2, 3) == pytest.approx(sum(map(any, draws)) / len(draws))


def test_chains_one_after_another_spend_what_the_failed_ones_spent() -> None:
    runs = [{"right": False, "updates": 64}, {"right": True, "updates": 32}, {"right": True, "updates": 16}]
    assert one_after_another(runs) == 96
    assert one_after_another(runs[:1]) is None


def test_auroc_is_the_share_of_pairs_in_order_with_ties_as_half() -> None:
    right_, wrong = np.array([0.0, 1.0, 1.0, 5.0]), np.array([1.0, 2.0, -1.0])
    pairs = [(w > r) + 0.5 * (w == r) for r in right_ for w in wrong]
    assert auroc(right_, wrong) == pytest.approx(np.mean(pairs))


@pytest.mark.parametrize("kind", MUTATIONS)
def test_a_mutation_is_wrong_and_leaves_the_right_board_alone(kind: str) -> None:
    for seed in range(20):
        before = BOARD.copy()
        changed = MUTATIONS[kind](GIVEN, BOARD, np.random.default_rng(seed))
        assert np.array_equal(BOARD, before)
        assert not right(PUZZLE, _answer(changed))


def test_the_hardest_neighbour_is_the_lowest_of_all_swaps() -> None:
    weight = np.random.default_rng(0).standard_normal(81)
    found = hardest(GIVEN, BOARD, lambda boards: boards @ weight, rounds=1)
    energies = []
    for a, b in swaps(GIVEN, BOARD):
        board = BOARD.copy()
        board[[a, b]] = board[[b, a]]
        energies.append(board @ weight)
    assert found @ weight == pytest.approx(min(energies))
    assert not (GIVEN[found != BOARD]).any()


@pytest.mark.parametrize("penalty", [0.0, 1.0])
def test_the_hand_written_energy_is_zero_at_the_solution_alone(penalty: float) -> None:
    energy = Knowing(Settings(1.0, 0.9, 0.0, 4.0, 0.5, 0.0, penalty=penalty))
    grid = torch.from_numpy(GIVEN).reshape(1, 9, 9)
    boards = torch.from_numpy(np.stack([BOARD, MUTATIONS["one swap in a row"](GIVEN, BOARD, np.random.default_rng(0))]))
    y = 10.0 * torch.nn.functional.one_hot(boards.reshape(-1, 9, 9) - 1, 9).float()
    broken = energy.constraints(y, grid.expand(2, -1, -1)).abs().sum(1)
    assert broken[0] < 1e-3
    assert broken[1] > 3.9
    total = sum(energy(y, grid.expand(2, -1, -1)).values())
    assert total[0].abs() < 1e-3
    assert total[1] > 3.9 or penalty
