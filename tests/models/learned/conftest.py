"""Tools that were learned for these tests, once for all of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import groundstate as gs
from groundstate_training import learn
from groundstate_training.learning import RulesModel, TableModel
from tests.training.grids import groups_of, solved

GROUPS = groups_of(6, 2, 3)


@pytest.fixture(scope="session")
def board_model() -> RulesModel:
    model = learn((solved(40, 0, GROUPS, 6) + 1).reshape(-1, 6, 6))
    assert isinstance(model, RulesModel)
    return model


@pytest.fixture(scope="session")
def board(board_model: RulesModel, tmp_path_factory: pytest.TempPathFactory) -> gs.Solver:
    path = tmp_path_factory.mktemp("learned") / "board.onnx"
    board_model.export(path)
    return gs.load(path)


def rows(many: int, seed: int) -> list[dict[str, Any]]:
    """Weight follows height; a kind decides whether speed is high or low, which a hidden coin decides where it is 'odd'."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(many):
        kind = str(random.choice(["low", "high", "odd"]))
        height = random.normal(170, 10)
        speed = {"low": 20.0, "high": 80.0, "odd": float(random.choice([20.0, 80.0]))}[kind] + random.normal(0, 2)
        weight = 70 + (height - 170) * 0.9 + random.normal(0, 2)
        found.append({"kind": kind, "height": round(height, 2), "weight": round(weight, 2), "speed": round(speed, 2)})
    return found


@pytest.fixture(scope="session")
def table_model() -> TableModel:
    model = learn(rows(300, 0), kind="table", effort=0.8)
    assert isinstance(model, TableModel)
    return model


@pytest.fixture(scope="session")
def table(table_model: TableModel, tmp_path_factory: pytest.TempPathFactory) -> tuple[gs.Solver, Path]:
    path = tmp_path_factory.mktemp("learned") / "people.onnx"
    table_model.export(path)
    return gs.load(path), path
