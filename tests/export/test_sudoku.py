"""The Sudoku energy, exported whole: what the file computes, and what it does not compute at every step."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from groundstate_export import ExportReport, Normal, export
from groundstate_models.sudoku.board import BOARDS
from groundstate_models.sudoku.energy import SudokuEnergy, checks
from groundstate_models.sudoku.learned import Settings

STEPS = 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExportReport]:
    energy, path = SudokuEnergy(BOARDS[9]), tmp_path_factory.mktemp("sudoku") / "sudoku.onnx"
    report = export(
        energy,
        inputs={"grid": torch.randint(0, 10, (3, 9, 9))},
        state=torch.randn(3, 9, 81),
        rule=Settings().descent(energy),
        unroll=STEPS,
        path=path,
        decode=energy.decode,
        checks=checks,
        encode_answer=energy.encode_answer,
        initial=Normal(0.0, 0.5),
        seeds=(0,),
    )
    return path, report


def test_sudoku_matches_pytorch_in_every_output(made: tuple[Path, ExportReport]) -> None:
    report = made[1]
    assert report.worst <= 1e-5
    exact = {name for name, error in report.errors.items() if error == 0.0}
    assert {"answer.grid", "violations", "checker:violations", "next.y.temperature"} <= exact


def test_a_solved_grid_breaks_no_rule_and_an_empty_one_many(made: Any, host: Any) -> None:
    solved = np.array([[(3 * (r % 3) + r // 3 + c) % 9 + 1 for c in range(9)] for r in range(9)])
    runner = host(made[0])
    feeds = runner.random_feeds(2)
    feeds["grid"] = np.stack([solved, np.zeros_like(solved)]).astype(np.int64)
    found = runner.run(feeds)
    assert found["violations"][0].tolist() == [0, 0, 0, 0]
    assert found["violations"][1].sum() > 10
    np.testing.assert_array_equal(found["answer.grid"][0], solved)


def test_a_step_looks_at_the_givens_not_at_all_and_at_each_probability_once(made: Any) -> None:
    operators = Counter(node.op_type for node in onnx.load(made[0]).graph.node)
    assert operators["Equal"] <= 6  # the givens and the rules, not a step
    # One exponential of the logits for energy, gradient and weights together, and three of what the givens decide.
    assert operators["Exp"] == STEPS + 1 + 3
    # One product with the units there and one back, for the energy's gradient and Breakout's together; the rest once.
    assert operators["MatMul"] <= 2 * (STEPS + 1) + 5
    assert (
        not operators["Sign"] + operators["Softmax"] + operators["Where"] - 2
    )  # the answer keeps the givens; a chain that is only evaluated stays
