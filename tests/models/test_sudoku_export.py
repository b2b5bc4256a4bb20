"""From a checkpoint to artefacts: all of them or none, and a sentence for whatever is no checkpoint."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch

from groundstate_export.rules import HeavyBall
from groundstate_models.sudoku import export as command
from groundstate_models.sudoku.board import BOARDS, Board
from groundstate_models.sudoku.checkpoint import restore
from groundstate_models.sudoku.data import Puzzles
from groundstate_models.sudoku.energy import SudokuEnergy
from groundstate_models.sudoku.search import easy_puzzles

WIDTH = 4


@pytest.fixture(scope="module")
def stored() -> dict[str, Any]:
    """What a run's checkpoint holds for the export, of a small energy without training."""
    torch.manual_seed(0)
    energy = SudokuEnergy(WIDTH, 4, 4, 4)
    rule = HeavyBall(torch.full((WIDTH,), 0.1), torch.full((WIDTH,), 0.8), learn=True)
    averaged = torch.nn.ModuleDict({"energy": energy, "rule": rule}).state_dict()
    averaged["energy.readout"].neg_()
    return {"format": 2, "config": energy.config, "noise": 0.1, "averaged": averaged}


@pytest.fixture
def checkpoint(stored: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "checkpoint.pt"
    torch.save(stored, path)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder where older files stand."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("sudoku.onnx", "sudoku_4x4.onnx", "weights.npz"):
        (folder / name).write_bytes(b"the last good one")
    return folder


@pytest.fixture
def nearly_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Puzzles that lack one digit, some of which an energy without training completes."""

    def generate(*_: object, board: Board = BOARDS[9], **__: object) -> Puzzles:
        return Puzzles(*easy_puzzles(8, 0, board.size**2 - 1, board))

    monkeypatch.setattr(command, "generate", generate)


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def run(checkpoint: Path, out: Path, *options: str) -> int:
    return command.main(["--checkpoint", str(checkpoint), "--out", str(out), *options])


@pytest.mark.usefixtures("nearly_full")
def test_the_kept_weights_make_the_same_file_again(
    checkpoint: Path, out: Path, stored: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(checkpoint, out, "--size", "9", "--steps", "2") == 0
    assert str(out / "sudoku.onnx") in capsys.readouterr().out
    made = contents(out)
    assert made["sudoku_4x4.onnx"] == b"the last good one"
    energy, rule = restore(out / "weights.npz", (0.0, 1.0))
    assert rule.noise == 0.1
    for name, tensor in stored["averaged"].items():
        part, _, rest = name.partition(".")
        assert torch.equal({"energy": energy, "rule": rule}[part].state_dict()[rest], tensor)
    assert run(out / "weights.npz", out, "--size", "9", "--steps", "2") == 0
    assert contents(out) == made


def damaged(how: str, stored: dict[str, Any], good: bytes) -> object:
    averaged = stored["averaged"]
    return {
        "empty": b"",
        "text": b"not a checkpoint",
        "truncated": good[: len(good) // 2],
        "a list": [1, 2],
        "weights alone": dict(averaged),
        "former": {"format": 1, "preset": {"width": WIDTH}, "averaged": averaged},
        "unknown part": stored | {"config": {**stored["config"], "heads": 8}},
        "other width": stored | {"config": {**stored["config"], "hidden": 5}},
        "no config": {name: part for name, part in stored.items() if name != "config"},
        "weight missing": stored | {"averaged": {n: w for n, w in averaged.items() if n != "energy.w2"}},
    }[how]


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("empty", "is damaged, or no checkpoint"),
        ("text", "is damaged, or no checkpoint"),
        ("truncated", "is damaged, or no checkpoint"),
        ("a list", "is no checkpoint of groundstate_models.sudoku.train."),
        ("weights alone", "is no checkpoint of groundstate_models.sudoku.train."),
        ("former", "is a checkpoint of format 1; this version takes format 2 alone."),
        ("unknown part", "holds an energy of another architecture than this version's"),
        ("other width", "holds an energy of another architecture than this version's"),
        ("no config", "holds an energy of another architecture than this version's"),
        ("weight missing", "holds an energy of another architecture than this version's"),
    ],
)
def test_what_is_no_checkpoint_is_refused_in_a_sentence(
    how: str, told: str, stored: dict[str, Any], checkpoint: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad = damaged(how, stored, checkpoint.read_bytes())
    if isinstance(bad, bytes):
        checkpoint.write_bytes(bad)
    else:
        torch.save(bad, checkpoint)
    refused(run(checkpoint, out), f"{checkpoint} {told}", out, capsys)


def refused(code: int, told: str, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says it, and nothing in the folder but what was there."""
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    (line,) = (line for line in said.err.splitlines() if "one chain without noise" not in line)
    assert line.startswith("export: ")
    assert told in line
    assert set(contents(out).values()) == {b"the last good one"}
    assert len(contents(out)) == 3


def kept(how: str, path: Path) -> None:
    arrays: dict[str, Any] = {"energy.w1": np.zeros((4, 4), np.float32)}
    if how != "no preset":
        arrays["preset"] = np.array(json.dumps({"width": 4, "noise": 0.1}) if how == "former" else "{")
    np.savez(path, **arrays)
    if how == "truncated":
        path.write_bytes(path.read_bytes()[:-40])


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("former", "is a checkpoint of format 1"),
        ("no JSON", "is damaged, or no checkpoint"),
        ("no preset", "is damaged, or no checkpoint"),
        ("truncated", "is damaged, or no checkpoint"),
    ],
)
def test_weights_of_another_version_and_damaged_ones_are_refused_in_a_sentence(
    how: str, told: str, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "weights.npz"
    kept(how, path)
    refused(run(path, out), f"{path} {told}", out, capsys)


@pytest.mark.parametrize("name", ["nowhere.pt", "nowhere.npz", "models"])
def test_a_checkpoint_that_is_not_there_is_told(
    name: str, out: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(run(tmp_path / name, out), f"{tmp_path / name} cannot be read: ", out, capsys)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (
            ["--size", "9", "25"],
            "Sudoku boards of 25×25 cells are not supported; those of 4×4, 6×6, 9×9 and 16×16 are.",
        ),
        (
            ["--out", "mine.onnx"],
            "mine.onnx is one file, and 4 sizes are to be exported; name a folder with --out, or one",
        ),
        (["--out", "nowhere", "--size", "9"], "The folder of 'nowhere/sudoku.onnx' does not exist."),
        (
            ["--temperature", "3", "1"],
            "temperature is (3.0, 1.0); it must be (low, high) with 0 <= low <= high, finite.",
        ),
    ],
)
def test_options_that_cannot_be_met_are_told(
    options: list[str], told: str, checkpoint: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(run(checkpoint, out, *options), told, out, capsys)


@pytest.mark.usefixtures("nearly_full")
def test_a_segment_without_updates_is_told(checkpoint: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    refused(run(checkpoint, out, "--size", "9", "--steps", "0"), "unroll is 0", out, capsys)


def test_an_energy_that_solves_nothing_is_not_exported(
    checkpoint: Path, out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "generate", lambda *_, **__: Puzzles(*easy_puzzles(2, 0, 20)))
    refused(run(checkpoint, out, "--size", "9"), "The energy solves none of 2 9×9 puzzles", out, capsys)


def full_disk(*_: object, **__: object) -> NoReturn:
    raise OSError(28, "No space left on device")


@pytest.mark.usefixtures("nearly_full")
@pytest.mark.parametrize("place", ["numpy.savez", "groundstate_models.sudoku.export.export"])
def test_a_full_disk_costs_a_sentence_and_no_file(
    place: str, checkpoint: Path, out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, full_disk)
    told = f"{out} cannot be written: No space left on device. Nothing there was changed."
    refused(run(checkpoint, out, "--size", "9"), told, out, capsys)
