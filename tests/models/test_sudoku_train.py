"""Training: one command, resumable, and what it leaves behind can be exported."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from groundstate_models.sudoku import train


def run(out: Path, *options: str) -> dict[str, object]:
    assert train.main(["--preset", "smoke", "--no-compile", "--threads", "1", "--out", str(out), *options]) == 0
    state: dict[str, object] = torch.load(out / "checkpoint.pt", weights_only=False)
    return state


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    return run(tmp_path_factory.mktemp("straight"))


def test_a_run_that_was_stopped_goes_on_as_if_it_had_not(straight: dict[str, object], tmp_path: Path) -> None:
    run(tmp_path, "--stop-after", "4")
    resumed = run(tmp_path)
    assert resumed["iteration"] == straight["iteration"] == 6
    for name, value in straight["model"].items():  # type: ignore[attr-defined]
        assert torch.equal(resumed["model"][name], value), name  # type: ignore[index]


def test_the_log_says_what_a_run_did(tmp_path: Path) -> None:
    run(tmp_path)
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    validated = [entry for entry in entries if "minimal" in entry]
    assert validated
    assert all(
        0.0 <= entry[kind][of] <= 1.0 for entry in validated for kind in ("easy", "hard") for of in ("one", "any")
    )


def test_a_checkpoint_of_another_shape_is_refused_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=False)
    state["preset"]["width"] = 99
    torch.save(state, tmp_path / "checkpoint.pt")
    assert train.main(["--preset", "smoke", "--no-compile", "--out", str(tmp_path)]) == 2
    assert "was made by another preset" in capsys.readouterr().err


def test_a_damaged_checkpoint_is_refused_and_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    checkpoint.write_bytes(b"not a checkpoint")
    assert train.main(["--preset", "smoke", "--no-compile", "--out", str(tmp_path)]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert checkpoint.read_bytes() == b"not a checkpoint"


def test_boards_of_other_sizes_join_in_the_second_half(straight: dict[str, object]) -> None:
    assert set(straight["lanes"]) - {9}  # type: ignore[call-overload]


def test_a_full_disk_costs_a_sentence_and_not_the_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, "--stop-after", "2")
    before = (tmp_path / "checkpoint.pt").read_bytes()

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(torch, "save", full)
    assert train.main(["--preset", "smoke", "--no-compile", "--threads", "1", "--out", str(tmp_path)]) == 2
    said = capsys.readouterr().err
    assert "No space left on device" in said
    assert "the last good one is kept" in said
    assert (tmp_path / "checkpoint.pt").read_bytes() == before


def test_a_device_that_is_not_there_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train.main(["--preset", "smoke", "--no-compile", "--out", str(tmp_path), "--device", "cuda:7"]) == 2
    assert "cuda:7" in capsys.readouterr().err
