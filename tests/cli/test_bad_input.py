"""Bad input: one sentence on stderr, exit code 2, never a traceback."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

import groundstate as gs
from tests.cli.conftest import Groundstate
from tests.support import EASY, rows


def changed(row: int, column: int, value: object) -> str:
    grid: list[list[object]] = [list(one) for one in rows(EASY)]
    grid[row][column] = value
    return json.dumps({"grid": grid})


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sudoku", EASY[:80]], "The puzzle has 80 cells; a 9×9 Sudoku has 81"),
        (["sudoku", "x" + EASY[1:]], "character 1: 'x' is not allowed in a puzzle"),
        (["sudoku", json.dumps({"grid": rows(EASY)[:8]})], "grid: There are 8 entries; there must be exactly 9."),
        (["sudoku", changed(2, 7, 12)], "grid[2][7]: 12 is not allowed here"),
        (["sudoku", changed(2, 7, "two")], "grid[2][7]: 'two' is not allowed here"),
        (["sudoku", changed(2, 7, float("nan"))], "grid[2][7]: nan is not allowed here"),
        (["sudoku", "{}"], "The property 'grid' is missing."),
        (["sudoku", '{"gird": []}'], "did you mean 'grid'?"),
        (["sudoku", '{"grid": '], "The request is not valid JSON"),
        (["sudoku", '{"grid": ' + "[" * 100_000], "JSON"),
        (["sudoku", ""], "The puzzle has 0 cells"),
        (["sudokku", EASY], "There is no installed model 'sudokku', and no file of that name. Did you mean 'sudoku'?"),
        (["nowhere.onnx", EASY], "nowhere.onnx cannot be read: No such file or directory."),
        (["sudoku", "nowhere.csv"], "There is no file 'nowhere.csv'."),
        (["sudoku", "@nowhere"], "'nowhere' cannot be read: No such file or directory."),
        (["sudoku", EASY, "--restarts", "0"], "restarts is 0; it must be a whole number of at least 1"),
        (["sudoku", EASY, "--max-steps", "-5"], "max_steps is -5"),
        (["sudoku", EASY, "--deadline", "nan"], "deadline is nan; it must be a positive number of seconds"),
        (["sudoku", EASY, "--seed", "x"], "Invalid value for '--seed'"),
        (["sudoku", EASY, "--threads", "0"], "threads is 0"),
        (
            ["sudoku", EASY, "--device", "tpu"],
            "device is 'tpu'; it must be 'cpu', 'cuda', 'cuda:1'",
        ),
        (["sudoku", EASY, "--device", "cuda"], "CUDAExecutionProvider"),
        (["sudoku", EASY, "--watch", "--json"], "--watch draws for people and --json prints for programs"),
        (["sudoku", EASY, "--picture", "a.png"], "'a.png' must end in .svg"),
        (["sudoku", EASY, "--picture", "nowhere/a.svg"], "there is no folder 'nowhere'"),
        (["sudoku", EASY, "--frobnicate"], "No such option"),
        ([], "Missing argument 'MODEL'."),
    ],
)
def test_bad_arguments_are_told_in_one_line(arguments: list[str], told: str, groundstate: Groundstate) -> None:
    ran = groundstate("solve", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(r"groundstate: .+\n", ran.err)
    assert told in ran.err


def test_an_error_is_json_where_json_was_asked_for(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", "--json", stdin="# mine\n123\n")
    assert ran.code == 2
    told = json.loads(ran.out)
    assert told["status"] == "error"
    assert told["line"] == 2
    assert told["message"] in ran.err


@pytest.mark.parametrize("stdin", ["", "\n\n# nothing\n", "puzzle\n"])
def test_no_puzzle_at_all_is_told(stdin: str, groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", stdin=stdin)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("groundstate: stdin has no request.")


def test_a_file_that_is_no_text_is_told(groundstate: Groundstate, model: Path) -> None:
    ran = groundstate("solve", "sudoku", str(model))
    assert ran.code == 2
    assert "is not a text file" in ran.err


def damage(model: bytes, how: str) -> bytes:
    match how:
        case "empty":
            return b""
        case "text":
            return b"not a model"
        case "truncated":
            return model[: len(model) // 2]
        case "foreign":
            # The key of the header's metadata entry, by its tag and length, and the length of what follows.
            return re.sub(rb"\x0a\x0bgroundstate\x12", b"\x0a\x0bsomethingel\x12", model)
        case "of the future":
            return re.sub(rb'"format": ?\d\b', lambda m: m.group()[:-1] + b"7", model, count=1)
    raise AssertionError(how)


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("empty", "bad.onnx' is empty"),
        ("text", "damaged or not an ONNX model"),
        ("truncated", "damaged or not an ONNX model"),
        ("foreign", "is not an energy artefact"),
        ("of the future", "is of format 7; this version of groundstate reads the formats 1, 2, 3 and 4."),
    ],
)
@pytest.mark.parametrize("command", [["solve"], ["describe"], ["score"]])
def test_a_bad_artefact_is_told(
    command: list[str], how: str, told: str, groundstate: Groundstate, model: Path, tmp_path: Path
) -> None:
    bad = tmp_path / "bad.onnx"
    bad.write_bytes(damage(model.read_bytes(), how))
    ran = groundstate(*command, str(bad), *{"solve": [EASY], "describe": [], "score": [EASY, EASY]}[command[0]])
    assert (ran.code, ran.out) == (2, "")
    assert re.fullmatch(r"groundstate: .+\n", ran.err)
    assert told in ran.err


def test_a_missing_onnx_runtime_is_told_with_the_remedy(
    groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    ran = groundstate("solve", "sudoku", EASY)
    assert (ran.code, ran.out) == (2, "")
    assert "ONNX Runtime is not installed; install it with: pip install 'groundstate[cpu]'" in ran.err


@pytest.mark.parametrize("missing", ["click", "rich"])
def test_a_missing_click_or_rich_is_told_with_the_remedy(
    missing: str, groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    ran = groundstate("solve", "sudoku", EASY)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == (
        "groundstate: The command line needs click and rich; install them with: pip install 'groundstate[cli]'.\n"
    )


def test_a_picture_that_cannot_be_written_is_told(groundstate: Groundstate, tmp_path: Path) -> None:
    folder = tmp_path / "folder.svg"
    folder.mkdir()
    ran = groundstate("solve", "sudoku", EASY, "--picture", str(folder))
    assert ran.code == 2
    assert "folder.svg" in ran.err


def test_every_exception_of_the_package_becomes_a_sentence(
    groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in (gs.ArtefactError, gs.OptionError, gs.TaskError, gs.ProviderError):

        def fail(*_: object, error: Exception = kind("A reason."), **__: object) -> None:  # noqa: B008
            raise error

        monkeypatch.setattr("groundstate.load", fail)
        ran = groundstate("describe", "sudoku")
        assert (ran.code, ran.err) == (2, "groundstate: A reason.\n")
