"""The training of the starts: problems that have layouts, a run that resumes, numbers that reach the artefact."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.layout import settings as kept
from groundstate_models.layout.families import room, world
from groundstate_models.layout.learned import Settings
from groundstate_models.layout.moves import Moves
from groundstate_models.layout.proofs import contradiction
from groundstate_models.layout.request import read
from groundstate_models.layout.train import DIMENSIONS, SHARES, main, moves_of

pytest.importorskip("cma")


def test_the_origin_of_the_search_is_the_hand_written_search() -> None:
    assert moves_of(np.zeros(DIMENSIONS)).numbers() == pytest.approx(Moves().numbers())


@pytest.mark.parametrize("size", [-3.0, 3.0])
def test_every_point_is_a_valid_search(size: float) -> None:
    moves = moves_of(np.full(DIMENSIONS, size))
    assert all(0 < getattr(moves, name) < 1 for name in SHARES)
    assert moves.beside + moves.along < 1
    assert 8 <= moves.candidates <= 120


@pytest.mark.parametrize("seed", range(3))
def test_generated_problems_are_not_contradictory(seed: int) -> None:
    draw = np.random.default_rng(seed)
    for request in (room(draw), world(draw, 6)):
        assert contradiction(read(request)) is None


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert main(["--preset", "smoke", "--out", str(whole), "--threads", "1"]) == 0
    for stop in ("1", "2"):
        assert main(["--preset", "smoke", "--out", str(halves), "--threads", "1", "--stop-after", stop]) == 0
    assert Settings.read(whole / "settings.json") == Settings.read(halves / "settings.json")
    assert len((halves / "log.jsonl").read_text().splitlines()) == 4


def test_the_artefact_brings_the_numbers_of_the_settings() -> None:
    with gs.load("layout") as solver:
        assert solver.header.knowledge["moves"] == json.loads(kept().read_text())["moves"]
