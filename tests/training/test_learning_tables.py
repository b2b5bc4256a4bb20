"""A table's training continues where it stopped, survives a full disk, and refuses the checkpoint of other examples."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundstate_models.learned.columns import Column, grown
from groundstate_training import TrainingError, learn
from groundstate_training.learning import TableModel, _tables
from groundstate_training.learning._calibration import needed
from groundstate_training.learning._tables import typed


def rows(seed: int = 0) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    x = random.normal(size=40)
    return [
        {"x": float(a), "y": float(2 * a + b), "kind": "ab"[int(a > 0)]}
        for a, b in zip(x, random.normal(size=40), strict=True)
    ]


class Stopped(Exception):
    """Stands for a killed process."""


def test_a_training_that_was_stopped_continues_bit_by_bit(tmp_path: Path) -> None:
    whole = learn(rows(), kind="table", effort=0.2)

    def stop(text: str) -> None:
        if text.startswith("Step 100"):
            raise Stopped

    with pytest.raises(Stopped):
        learn(rows(), kind="table", effort=0.2, folder=tmp_path, progress=stop)
    assert (tmp_path / "table.npz").is_file()
    said: list[str] = []
    model = learn(rows(), kind="table", effort=0.2, folder=tmp_path, progress=said.append)
    assert [line.split(":")[0] for line in said if line.startswith("Step")] == ["Step 150 of 150"]
    assert isinstance(model, TableModel)
    assert isinstance(whole, TableModel)
    assert model.knowledge() == whole.knowledge()
    assert all((a == b).all() for a, b in zip(model.experts.parameters(), whole.experts.parameters(), strict=True))
    with pytest.raises(TrainingError, match="is of other examples or settings"):
        learn(rows(1), kind="table", effort=0.2, folder=tmp_path)


def test_a_disk_that_fills_costs_the_checkpoint_and_not_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(_tables, "write_checkpoint", full)
    said: list[str] = []
    model = learn(rows(), kind="table", effort=0.1, folder=tmp_path, progress=said.append)
    assert isinstance(model, TableModel)
    (line,) = (one for one in said if "without a checkpoint" in one)
    assert "No space left on device" in line


def test_a_full_disk_leaves_the_previous_tool_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "tool.onnx"
    model = learn([[1, 2, 3], [2, 3, 1], [3, 1, 2]] * 4, kind="rules")
    model.export(path)
    before = path.read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(TrainingError, match="the previous file is unchanged"):
        model.export(path)
    assert path.read_bytes() == before


def test_an_effort_that_means_nothing_is_refused() -> None:
    with pytest.raises(TrainingError, match="The effort 0 must be more than 0"):
        learn(rows(), kind="table", effort=0)


def test_designed_columns_have_levels_and_rounded_measurements_are_numbers() -> None:
    assert typed("speed", [0.5, 1.0, 2.0] * 20).kind == "levels"
    measured = np.random.default_rng(0).normal(3, 0.4, 100).round(1).tolist()
    assert typed("width", measured).kind == "number"


def test_levels_are_in_the_order_of_their_values_whatever_their_types() -> None:
    column = typed("angle", [2.7, 0, 1.5, 3, 12.6, 4] * 10)
    assert column.levels == (0.0, 1.5, 2.7, 3.0, 4.0, 12.6)


def test_an_interval_of_levels_grows_from_the_likeliest_until_it_is_probable_enough() -> None:
    chances = np.array([0.05, 0.2, 0.5, 0.15, 0.1])
    assert grown(chances, 0.4) == (2, 2)
    assert grown(chances, 0.6) == (1, 2)
    assert grown(chances, 0.9) == (1, 4)
    assert grown(chances, 1.0) == (0, 4)
    assert needed(chances, 2) == 0.0
    assert needed(chances, 1) == pytest.approx(0.5)
    assert needed(chances, 4) == pytest.approx(0.85)
    assert Column("x", "levels", (1, 2), mass=0.7) == Column.from_json(
        Column("x", "levels", (1, 2), mass=0.7).to_json()
    )
