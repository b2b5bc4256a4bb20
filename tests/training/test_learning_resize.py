"""Rules learned on one size of grid, used on another."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.learned.layout import Layout
from groundstate_models.learned.rules import Count, Different, Pairs
from groundstate_models.sudoku.board import Board
from groundstate_models.sudoku.search import easy_puzzles
from groundstate_training import TrainingError, learn
from groundstate_training.learning import RulesModel
from groundstate_training.learning._resize import tiles


@pytest.fixture(scope="module")
def six() -> RulesModel:
    grids = np.asarray(easy_puzzles(60, 0, 30, Board.of(6))[1]).reshape(-1, 6, 6)
    model = learn(grids)
    assert isinstance(model, RulesModel)
    return model


def test_rules_of_six_by_six_solve_nine_by_nine(six: RulesModel, tmp_path: Path) -> None:
    nine = six.resized((9, 9))
    assert nine.layout.values == tuple(range(1, 10))
    assert "learned on 6 × 6" in nine.report
    groups = {group for rule in nine.rules if isinstance(rule, Different) for group in rule.groups}
    board = Board.of(9)
    assert groups == {tuple(unit) for unit in board.units}
    nine.export(tmp_path / "nine.onnx")
    puzzle = "..3.2.6..9..3.5..1..18.64....81.29..7.......8..67.82....26.95..8..2.3..9..5.1.3.."
    solver = gs.load(tmp_path / "nine.onnx")
    solution = solver.solve(solver.parse(puzzle))
    assert solution.status == "solved"
    assert "".join(str(v) for row in solution.answer["grid"] for v in row).startswith("483921657967345821")


def test_tiles_are_as_nearly_square_as_possible_and_no_higher_than_wide() -> None:
    def shape(side: int) -> tuple[int, int] | None:
        found = tiles(Layout.of_grid(side, side, range(1, side + 1)))
        return None if found is None else (len({i // side for i in found[0]}), len({i % side for i in found[0]}))

    assert {side: shape(side) for side in (4, 6, 9, 12, 7)} == {4: (2, 2), 6: (2, 3), 9: (3, 3), 12: (3, 4), 7: None}


def test_a_rule_about_tiles_has_no_meaning_where_there_are_none(six: RulesModel) -> None:
    with pytest.raises(TrainingError, match=r"each of 6 groups of 6 .* has no meaning on a grid of 7 × 7"):
        six.resized((7, 7))


def test_counts_and_windows_keep_their_length_and_shares_follow_the_line() -> None:
    layout = Layout.of_grid(6, 6, (0, 1))
    rows = tuple(layout.groups("row").values())
    half = Count("half", groups=rows, values=(1,), low=3, high=3, pattern={"same": "row"})
    windows = tuple(tuple(row[k : k + 3]) for row in rows for k in range(4))
    mixed = Count("mixed", groups=windows, values=(1,), low=1, high=2, pattern={"window": 3, "along": "row"})
    model = RulesModel(layout, (half, mixed)).resized((8, 8))
    first, second = model.rules
    assert isinstance(first, Count)
    assert isinstance(second, Count)
    assert (first.low, first.high, len(first.groups)) == (4, 4, 8)
    assert (second.low, second.high, len(second.groups), len(second.groups[0])) == (1, 2, 48, 3)
    assert "has exactly 4" in first.text


def test_relations_of_neighbours_follow_the_grid_and_its_values() -> None:
    layout = Layout.of_grid(4, 4, (1, 2, 3, 4))
    beside = tuple((4 * r + c, 4 * r + c + 1) for r in range(4) for c in range(3))
    near = tuple((a, b) for a in range(4) for b in range(4) if abs(a - b) == 1)
    rule = Pairs("not consecutive", pairs=beside, forbidden=near, pattern={"offsets": [[0, 1]]})
    (found,) = RulesModel(layout, (rule,)).resized((6, 6)).rules
    assert isinstance(found, Pairs)
    assert len(found.pairs) == 30
    assert set(found.forbidden) == {(a, b) for a in range(6) for b in range(6) if abs(a - b) == 1}


def test_rules_of_named_variables_and_missing_labels_are_refused(six: RulesModel) -> None:
    line = RulesModel(Layout.of_sequence(("a", "b", "c"), (1, 2)), ())
    with pytest.raises(TrainingError, match="named variables"):
        line.resized((3, 3))
    labelled = RulesModel(Layout.of_grid(2, 2, (1, 2), {"colour": (0, 1, 1, 0)}), ())
    with pytest.raises(TrainingError, match="'colour' has no labels"):
        labelled.resized((4, 4))
    with pytest.raises(TrainingError, match="too small or too large"):
        six.resized((0, 9))


def test_a_single_pair_of_cells_cannot_be_carried_over() -> None:
    rule = Pairs("r1c1 and r1c2 rise", pairs=((0, 1),), forbidden=((1, 0),))
    with pytest.raises(TrainingError, match="r1c1 and r1c2 rise"):
        RulesModel(Layout.of_grid(2, 2, (1, 2)), (rule,)).resized((4, 4))
