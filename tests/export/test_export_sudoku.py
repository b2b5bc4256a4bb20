"""The Sudoku energy, at random weights: the first real energy, exported whole."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

from groundstate_export import ExportReport, HeavyBall, Normal, export
from groundstate_models.sudoku.energy import SudokuEnergy

STEPS = 4
DIGITS = torch.arange(1, 10)


def rules(answer: dict[str, Tensor], grid: Tensor) -> dict[str, Tensor]:
    held = (answer["grid"].unsqueeze(-1) == DIGITS).long()
    boxes = held.unflatten(2, (3, 3)).unflatten(1, (3, 3)).sum((2, 4))
    return {
        "givens": ((grid > 0) & (grid != answer["grid"])).flatten(1).sum(1),
        "rows": (held.sum(2) == 0).flatten(1).sum(1),
        "columns": (held.sum(1) == 0).flatten(1).sum(1),
        "boxes": (boxes == 0).flatten(1).sum(1),
    }


@pytest.fixture(scope="module")
def energy() -> SudokuEnergy:
    torch.manual_seed(0)
    return SudokuEnergy(width=8, hidden=16, group=24, intersection=16)


@pytest.fixture(scope="module")
def made(energy: SudokuEnergy, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExportReport]:
    def decode(state: Tensor, grid: Tensor) -> dict[str, Tensor]:
        return {"grid": torch.where(grid > 0, grid, energy.logits(state).argmax(-1) + 1)}

    def embed(answer: dict[str, Tensor], grid: Tensor) -> Tensor:
        held = (answer["grid"].unsqueeze(-1) == DIGITS).float()
        return (2 * held - 1).unsqueeze(-1) * energy.readout

    path = tmp_path_factory.mktemp("sudoku") / "sudoku.onnx"
    report = export(
        energy,
        inputs={"grid": torch.randint(0, 10, (3, 9, 9))},
        state=torch.randn(3, 9, 9, 9, 8),
        rule=HeavyBall(torch.linspace(0.02, 0.1, 8), 0.9, noise=0.3, noise_every=2, temperature=(0.0, 1.0), learn=True),
        unroll=STEPS,
        path=path,
        decode=decode,
        rules=rules,
        embed=embed,
        initial=Normal(0.0, 0.5),
        seeds=(0,),
    )
    return path, report


def test_sudoku_matches_pytorch_in_every_output(made: tuple[Path, ExportReport]) -> None:
    report = made[1]
    assert report.worst <= 1e-5
    exact = {name for name, error in report.errors.items() if error == 0.0}
    assert {"answer.grid", "violations", "judge:violations", "next.y.temperature"} <= exact


def test_a_solved_grid_breaks_no_rule_and_an_empty_one_many(made: Any, host: Any) -> None:
    solved = np.array([[(3 * (r % 3) + r // 3 + c) % 9 + 1 for c in range(9)] for r in range(9)])
    runner = host(made[0])
    feeds = runner.random_feeds(2)
    feeds["grid"] = np.stack([solved, np.zeros_like(solved)]).astype(np.int64)
    found = runner.run(feeds)
    assert found["violations"][0].tolist() == [0, 0, 0, 0]
    assert found["violations"][1].sum() > 10
    np.testing.assert_array_equal(found["answer.grid"][0], solved)


def test_the_step_looks_at_the_givens_once_and_shares_the_sigmoids(made: Any) -> None:
    operators = Counter(node.op_type for node in onnx.load(made[0]).graph.node)
    assert operators["Equal"] <= 12  # the givens and the rules, not a step
    assert operators["Where"] == 1  # the answer keeps the givens; no guards in a step
    # One for each softplus of the energy, and none for what a rule makes of its parameters, which is folded.
    assert operators["Exp"] == 6 * (STEPS + 1)
    assert not operators["Pow"] + operators["Softmax"]
    # One sigmoid for each activation, in forward and gradient together: candidates, four kinds of groups, two of intersections.
    assert operators["Sigmoid"] <= 7 * (STEPS + 1)
