"""Training the constraints energy: one command, resumable, and what it leaves behind can be exported."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from groundstate_models.constraints import train
from groundstate_models.constraints.learned import Settings


def run(out: Path, *options: str) -> Settings:
    assert train.main(["--preset", "smoke", "--threads", "1", "--out", str(out), *options]) == 0
    return Settings.read(out / "settings.json")


def test_the_origin_of_the_search_is_what_is_written_by_hand() -> None:
    found, hand = train.settings_of(np.zeros(train.DIMENSIONS)), Settings()
    assert found.energy == hand.energy
    assert found.rule == pytest.approx(dict(hand.rule))
    assert found.start == pytest.approx(hand.start)


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    straight = run(tmp_path / "straight")
    run(tmp_path / "stopped", "--stop-after", "1")
    assert run(tmp_path / "stopped") == straight != Settings()
    entries = [json.loads(line) for line in (tmp_path / "stopped" / "log.jsonl").read_text().splitlines()]
    assert [entry["iteration"] for entry in entries if "best" in entry] == [1, 2]
    assert all(0.0 <= entry["held"] <= 1.0 for entry in entries if "held" in entry)


def test_a_checkpoint_that_does_not_fit_is_refused_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = tmp_path / "checkpoint.npz"
    checkpoint.write_bytes(b"torn")
    assert train.main(["--preset", "smoke", "--out", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert checkpoint.read_bytes() == b"torn"
