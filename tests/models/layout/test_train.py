"""The training of the starts: problems that have layouts, a run that resumes, numbers that reach the artefact."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

import groundstate as gs
from groundstate_export import Probe, Rule
from groundstate_models.layout import settings as kept
from groundstate_models.layout.descent_training import CHAINS, UPDATES, Case, RowDescent, numbers_of, work
from groundstate_models.layout.energy import LayoutEnergy
from groundstate_models.layout.export import example
from groundstate_models.layout.families import disturbed, packed, room, turning, world
from groundstate_models.layout.learned import RULE, SEGMENT, Settings
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
    for request in (
        room(draw),
        world(draw, 6),
        packed(draw, 8),
        packed(draw, 7, 0.4),
        turning(draw, 5),
        disturbed(draw),
    ):
        assert contradiction(read(request)) is None


def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    assert main(["--preset", "smoke", "--out", str(whole), "--threads", "1"]) == 0
    for stop in ("1", "2"):
        assert main(["--preset", "smoke", "--out", str(halves), "--threads", "1", "--stop-after", stop]) == 0
    assert Settings.read(whole / "settings.json") == Settings.read(halves / "settings.json")
    assert len((halves / "log.jsonl").read_text().splitlines()) == 4


def test_the_origin_of_the_search_for_the_descent_is_the_hand_written_one() -> None:
    assert numbers_of(np.zeros(len(RULE) + 1)) == pytest.approx({**RULE, "start": 1.0})


@pytest.mark.parametrize("size", [-3.0, 3.0])
def test_every_point_is_a_valid_descent(size: float) -> None:
    numbers = numbers_of(np.full(len(RULE) + 1, size))
    assert 0 < numbers["down"] < 1 < numbers["up"]
    assert min(numbers.values()) > 0


@pytest.mark.parametrize("size", [0.0, 0.5])
def test_training_descends_as_the_file_does(size: float) -> None:
    """A row of `RowDescent` with some numbers makes the updates of the rule that is exported with them."""
    numbers = numbers_of(np.full(len(RULE) + 1, size))
    energy = LayoutEnergy()
    inputs, state = example((5, 7, 17, 29, 11, 37), batch=3)
    rule = Settings(rule={name: numbers[name] for name in RULE}).descent(energy)
    rows = RowDescent(energy, {name: torch.full((3,), value, dtype=state.dtype) for name, value in numbers.items()})
    mine = theirs = {"y": state, "chain.damping": torch.full((3,), numbers["damping"], dtype=state.dtype)}
    noise = {"y": torch.randn(state.shape, dtype=state.dtype, generator=torch.Generator().manual_seed(0))}
    for step in range(3):
        drawn = noise if step == 0 else None
        mine, theirs = (
            one.forward(at, {"y": at["y"]}, drawn, probe=probe(one, at, inputs))
            for one, at in ((rows, mine), (rule, theirs))
        )
        for name, tensor in theirs.items():
            torch.testing.assert_close(mine[name], tensor, rtol=1e-12, atol=1e-12)


def probe(rule: Rule, state: dict[str, torch.Tensor], inputs: dict[str, torch.Tensor]) -> Probe:
    def at(_: Mapping[str, torch.Tensor]) -> Probe:
        raise AssertionError

    return Probe(rule=rule, state=state, point=state["y"], inputs=inputs, terms={}, at=at)


def test_work_ends_at_the_first_answer_that_the_exact_check_accepts() -> None:
    """A repair of two boxes that overlap takes one segment; three boxes that cannot fit are never an answer."""
    header = gs.load("layout").header
    items = {name: {"size": [4, 4], "at": [x, 5]} for name, x in (("a", 4), ("b", 5))}
    easy = Case(header, {"area": [10, 10], "items": items, "repair": True}, 0, 4)
    crowd = {name: {"size": [6, 6], "at": [x, 5]} for name, x in (("a", 4), ("b", 5))}
    hopeless = Case(header, {"area": [10, 10], "items": crowd, "repair": True}, 0, 4)
    found = work([numbers_of(np.zeros(len(RULE) + 1))] * 2, [easy, hopeless], 0)
    assert (found[:, 0] == CHAINS * SEGMENT).all()
    assert (found[:, 1] == 2 * CHAINS * UPDATES).all()


@pytest.mark.nightly
def test_a_run_for_the_descent_goes_on_where_it_stopped(tmp_path: Path) -> None:
    whole, halves = tmp_path / "whole", tmp_path / "halves"
    command = ["--numbers", "descent", "--preset", "smoke", "--threads", "1", "--out"]
    assert main([*command, str(whole)]) == 0
    for stop in ("1", "2"):
        assert main([*command, str(halves), "--stop-after", stop]) == 0
    assert Settings.read(whole / "settings.json") == Settings.read(halves / "settings.json")


def test_the_artefact_brings_the_numbers_of_the_settings() -> None:
    with gs.load("layout") as solver:
        assert solver.header.knowledge["moves"] == json.loads(kept().read_text())["moves"]
