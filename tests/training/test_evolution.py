"""Evolution: it learns, it is deterministic, and a resumed run goes on bit for bit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from groundstate_training import Evolution, EvolutionPreset, Point, TrainingError, evolve_command, resume
from groundstate_training import _run as running

PRESET = EvolutionPreset(iterations=30, candidates=8, validate_every=10)
TARGET = np.array([0.5, -1.0, 0.25])


class Kept:
    def __init__(self, point: Point) -> None:
        self.point = point

    def keep(self, path: Path) -> None:
        path.write_text(json.dumps(self.point.tolist()), encoding="utf-8")


class Bowl(Evolution):
    """Candidates are better the closer they are to `TARGET`."""

    def __init__(self, preset: EvolutionPreset, seed: int, threads: int) -> None:
        super().__init__(preset, seed, threads, len(TARGET))

    @property
    def settings(self) -> Kept:
        return Kept(self.mean)

    def fitness(self, points: Sequence[Point]) -> list[float]:
        return self.map(lambda x: -float(((x - TARGET) ** 2).sum()), points)

    def validate(self) -> dict[str, Any]:
        return {"held": round(float(abs(self.mean - TARGET).max()), 4)}


def evolve(out: Path, *options: str) -> int:
    return evolve_command("bowl", {"cpu": PRESET}, Bowl, ["--out", str(out), "--threads", "1", *options])


def entries(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "log.jsonl").read_text(encoding="utf-8").splitlines()]


def test_a_run_learns_and_logs(tmp_path: Path) -> None:
    assert evolve(tmp_path) == 0
    held = [entry["held"] for entry in entries(tmp_path) if "held" in entry]
    assert len(held) == 3
    assert held[-1] < 0.05 < held[0]
    assert np.allclose(json.loads((tmp_path / "settings.json").read_text()), TARGET, atol=0.05)


def test_a_stopped_run_goes_on_bit_for_bit(tmp_path: Path) -> None:
    evolve(tmp_path / "straight")
    evolve(tmp_path / "stopped", "--stop-after", "7")
    assert (tmp_path / "straight/settings.json").read_text() != (tmp_path / "stopped/settings.json").read_text()
    evolve(tmp_path / "stopped", "--stop-after", "19")
    evolve(tmp_path / "stopped")
    assert (tmp_path / "straight/settings.json").read_bytes() == (tmp_path / "stopped/settings.json").read_bytes()
    steps = [entry["iteration"] for entry in entries(tmp_path / "stopped") if "best" in entry]
    assert steps == list(range(1, 31))


def test_more_iterations_may_be_asked_for_later(tmp_path: Path) -> None:
    evolve(tmp_path, "--iterations", "5")
    assert evolve(tmp_path, "--iterations", "9") == 0
    assert entries(tmp_path)[-1]["iteration"] == 9


def test_another_seed_or_preset_does_not_go_on_from_a_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evolve(tmp_path, "--stop-after", "3")
    before = (tmp_path / "checkpoint.npz").read_bytes()
    assert evolve(tmp_path, "--seed", "1") == 2
    assert "another seed or version made them" in capsys.readouterr().err
    evolution = Bowl(replace(PRESET, spread=0.5), 0, 1)
    with pytest.raises(TrainingError, match="another preset; it differs in spread"):
        resume(evolution, tmp_path / "checkpoint.npz")
    assert evolution.iteration == 0
    assert (tmp_path / "checkpoint.npz").read_bytes() == before


def test_a_checkpoint_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evolve(tmp_path, "--stop-after", "1")
    monkeypatch.setattr(Bowl, "format", Bowl.format + 1)
    with pytest.raises(TrainingError, match="of another version"):
        resume(Bowl(PRESET, 0, 1), tmp_path / "checkpoint.npz")


def test_a_full_disk_leaves_the_previous_checkpoint(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    evolve(tmp_path, "--stop-after", "1")
    before = (tmp_path / "checkpoint.npz").read_bytes()

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    assert evolve(tmp_path) == 2
    message = capsys.readouterr().err
    assert "No space left on device" in message
    assert "the previous file is unchanged" in message
    assert (tmp_path / "checkpoint.npz").read_bytes() == before


def test_a_signal_ends_the_run_after_the_generation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    handlers: dict[int, Any] = {}
    monkeypatch.setattr(running.signal, "signal", handlers.setdefault)
    monkeypatch.setattr(Bowl, "validate", lambda self: handlers[running.signal.SIGTERM](15, None) or {"held": 0.0})
    assert evolve(tmp_path) == 0
    assert [entry["iteration"] for entry in entries(tmp_path) if "best" in entry][-1] == 10
    monkeypatch.undo()
    assert evolve(tmp_path) == 0
    assert entries(tmp_path)[-1]["iteration"] == 30
