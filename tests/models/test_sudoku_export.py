"""From settings to artefacts: all of them or none, and a sentence for whatever holds no settings."""

from __future__ import annotations

from pathlib import Path
from typing import NoReturn

import pytest

from groundstate_models.sudoku import export as command
from groundstate_models.sudoku.energy import UNTRAINED
from groundstate_models.sudoku.learned import RULE, Settings

MINE = Settings(UNTRAINED | {"log_box": 0.25}, RULE | {"noise": 0.1}, 0.4)


@pytest.fixture
def stored(tmp_path: Path) -> Path:
    path = tmp_path / "learned.json"
    MINE.keep(path)
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder where older files stand."""
    folder = tmp_path / "models"
    folder.mkdir()
    for name in ("sudoku.onnx", "sudoku_4x4.onnx", "settings.json"):
        (folder / name).write_bytes(b"the last good one")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def run(settings: Path, out: Path, *options: str) -> int:
    return command.main(["--settings", str(settings), "--out", str(out), *options])


def test_the_kept_settings_make_the_same_file_again(
    stored: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(stored, out, "--size", "6", "--steps", "2") == 0
    assert str(out / "sudoku_6x6.onnx") in capsys.readouterr().out
    made = contents(out)
    assert made["sudoku_4x4.onnx"] == b"the last good one"
    assert Settings.read(out / "settings.json") == MINE
    assert run(out / "settings.json", out, "--size", "6", "--steps", "2") == 0
    assert contents(out) == made


def test_a_damaged_file_is_refused_in_a_sentence(stored: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stored.write_text("not settings", encoding="utf-8")
    refused(run(stored, out), f"{stored} is damaged, or holds no settings", out, capsys)


def refused(code: int, told: str, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line that says it, and nothing in the folder but what was there."""
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    (line,) = said.err.splitlines()
    assert line.startswith("export: ")
    assert told in line
    assert set(contents(out).values()) == {b"the last good one"}
    assert len(contents(out)) == 3


@pytest.mark.parametrize("name", ["nowhere.json", "models"])
def test_settings_that_are_not_there_are_told(
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
            "mine.onnx is one file, but 4 are to be exported (sudoku_4x4.onnx, sudoku_6x6.onnx, sudoku.onnx, ",
        ),
        (["--out", "nowhere", "--size", "9"], "The folder nowhere does not exist."),
        (
            ["--temperature", "3", "1"],
            "temperature is (3.0, 1.0); it must be (low, high) with 0 <= low <= high, finite.",
        ),
        (["--size", "4", "--steps", "0"], "unroll is 0"),
    ],
)
def test_options_that_cannot_be_met_are_told(
    options: list[str], told: str, stored: Path, out: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refused(run(stored, out, *options), told, out, capsys)


def full_disk(*_: object, **__: object) -> NoReturn:
    raise OSError(28, "No space left on device")


def test_a_full_disk_costs_a_sentence_and_no_file(
    stored: Path, out: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("groundstate_models._export.export", full_disk)
    told = f"{out} cannot be written: No space left on device. Nothing there was changed."
    refused(run(stored, out, "--size", "4"), told, out, capsys)
