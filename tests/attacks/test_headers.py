"""What a file says about itself is not believed: each attack on a header, a schema or a checker has its own refusal."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import groundstate as gs
from tests.attacks.files import Attack, sound
from tests.attacks.headers import HEADERS, IN_USE, SCORING

OPEN = {"grid": [[1, 0, 0, 0], [0, 0, 0, 2], [0, 3, 0, 0], [0, 0, 4, 0]]}
FULL = {"grid": [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]}

SECONDS = 1.0
"""Processor time of a refusal on a slow machine; benchmarks/attacks.py measures it."""


def refused(attack: Attack, error: Exception) -> None:
    assert isinstance(error, gs.ArtefactError | gs.TaskError | gs.RequestError)
    assert str(error).endswith(".")
    assert len(str(error)) < 1000


@pytest.mark.parametrize("attack", HEADERS, ids=lambda attack: attack.name)
def test_a_file_is_refused_by_its_own_sentence_when_it_is_loaded(attack: Attack) -> None:
    data = attack.build()
    begun = time.process_time()
    with pytest.raises(gs.GroundstateError, match=attack.says) as refusal:
        gs.load(data)
    assert time.process_time() - begun < SECONDS
    refused(attack, refusal.value)


@pytest.mark.parametrize("attack", IN_USE, ids=lambda attack: attack.name)
def test_a_file_that_loads_is_refused_when_a_request_is_read(attack: Attack) -> None:
    solver = gs.load(attack.build())
    with pytest.raises(gs.GroundstateError, match=attack.says) as refusal:
        solver.solve(OPEN)
    refused(attack, refusal.value)


@pytest.mark.parametrize("attack", SCORING, ids=lambda attack: attack.name)
def test_a_checker_that_does_not_check_makes_no_answer_valid(attack: Attack) -> None:
    solver = gs.load(attack.build())
    with pytest.raises(gs.ArtefactError, match=attack.says):
        solver.score(FULL, FULL)


def test_ceilings_are_the_hosts_and_a_caller_can_move_them() -> None:
    solver = gs.load(sound(), ceilings=gs.Ceilings(restarts=8, max_steps=64, batch=4))
    assert {name: solver.header.limits[name] for name in ("restarts", "max_steps", "batch")} == {
        "restarts": 8,
        "max_steps": 64,
        "batch": 4,
    }
    assert (solver.header.defaults["restarts"], solver.header.defaults["max_steps"]) == (8, 64)
    with pytest.raises(gs.OptionError, match="at most 8"):
        solver.solve(OPEN, restarts=9)
    assert solver.solve(FULL).solved
    with pytest.raises(gs.ArtefactError, match="One chain of the artefact 'sudoku_4x4' takes"):
        gs.load(sound(), ceilings=gs.Ceilings(memory=100))
    few = gs.load(sound(), ceilings=gs.Ceilings(memory=100_000)).header.limits["restarts"]
    assert 1 <= few < 100
    with pytest.raises(gs.ArtefactError, match=r"a header of .* characters; at most 100 are accepted"):
        gs.load(sound(), ceilings=gs.Ceilings(header=100))
    with pytest.raises(gs.ArtefactError, match="bytes; at most 1,000 are accepted"):
        gs.load(sound(), ceilings=gs.Ceilings(file=1000))
    with pytest.raises(gs.ArtefactError, match="bytes of metadata"):
        gs.load(sound(), ceilings=gs.Ceilings(metadata=1000))


@pytest.mark.parametrize("name", ["restarts", "max_steps", "batch", "memory", "header", "metadata", "file"])
def test_a_ceiling_is_a_whole_number_above_zero(name: str) -> None:
    for value in (0, -1, 1.5, True, None, "8"):
        with pytest.raises(gs.OptionError, match=rf"ceilings\.{name} is"):
            gs.Ceilings(**{name: value})
    with pytest.raises(gs.OptionError, match=r"it must be a groundstate\.Ceilings"):
        gs.load(sound(), ceilings={"restarts": 8})  # type: ignore[arg-type]


def test_a_ceiling_is_no_excuse_for_a_file_that_wants_less() -> None:
    limits = gs.load(sound()).header.limits
    assert (
        gs.load(sound(), ceilings=gs.Ceilings(restarts=1 << 30, batch=1 << 30, memory=1 << 50)).header.limits == limits
    )


def test_what_is_no_regular_file_is_not_read(tmp_path: Path) -> None:
    for path in ("/dev/zero", "/dev/null"):
        if Path(path).exists():
            with pytest.raises(gs.ArtefactError, match="is not a regular file"):
                gs.load(Path(path))
    with pytest.raises(gs.ArtefactError, match="cannot be read"):
        gs.load(tmp_path)


def test_a_file_that_is_replaced_while_it_is_loaded_changes_nothing(tmp_path: Path) -> None:
    import pickle

    path = tmp_path / "model.onnx"
    path.write_bytes(sound())
    solver = gs.load(path)
    path.write_bytes(b"something else")
    assert solver.solve(FULL).solved
    assert pickle.loads(pickle.dumps(solver)).solve(FULL).solved
    path.unlink()
    assert solver.solve(FULL).solved
