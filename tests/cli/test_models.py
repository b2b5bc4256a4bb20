"""`groundstate list`, `describe`, `score` and `doctor`."""

from __future__ import annotations

import hashlib
import json
import re
import sys
from pathlib import Path

import pytest

import groundstate as gs
from tests.cli.conftest import Groundstate
from tests.support import EASY, EASY_SOLUTION, rows

GIVEN = next(i for i, digit in enumerate(EASY) if digit != "0")
WRONG = EASY_SOLUTION[:GIVEN] + str(int(EASY[GIVEN]) % 9 + 1) + EASY_SOLUTION[GIVEN + 1 :]


def test_list_names_the_bundled_model(groundstate: Groundstate, model: Path) -> None:
    ran = groundstate("list")
    assert (ran.code, ran.err) == (0, "")
    assert re.search(r"^sudoku  ", ran.out, flags=re.MULTILINE)
    entries = json.loads(groundstate("list", "--json").out)
    entry = next(one for one in entries if one["name"] == "sudoku")
    assert entry.keys() == {"name", "title", "version", "description", "path"}
    assert Path(entry["path"]) == model


def test_describe_says_what_the_model_takes_and_checks(groundstate: Groundstate, sudoku: gs.Solver) -> None:
    ran = groundstate("describe", "sudoku")
    about = sudoku.describe()
    assert ran.code == 0
    for name in (about["title"], *about["terms"], *about["checks"], *about["defaults"], *about["limits"], "tolerance"):
        assert name in ran.out
    assert "[9 × [9 × integer 0 to 9]]" in ran.out
    assert re.search(r"^example  \d{81}$", ran.out, flags=re.MULTILINE)


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("constraints", 'All must hold. Texts: "a != b"'),
        ("scheduling", "[1 to 500 × {"),
    ],
)
def test_describe_says_what_richer_requests_hold(model: str, said: str, groundstate: Groundstate) -> None:
    ran = groundstate("describe", model)
    assert (ran.code, ran.err) == (0, "")
    assert said in " ".join(ran.out.split())


def test_describe_as_json_is_what_the_library_says(groundstate: Groundstate, sudoku: gs.Solver) -> None:
    assert json.loads(groundstate("describe", "sudoku", "--json").out) == json.loads(json.dumps(sudoku.describe()))


def test_a_right_answer_is_valid(groundstate: Groundstate) -> None:
    ran = groundstate("score", "sudoku", EASY, EASY_SOLUTION)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("Valid.")


def test_a_wrong_answer_is_invalid_and_every_place_is_named(groundstate: Groundstate) -> None:
    ran = groundstate("score", "sudoku", EASY, WRONG)
    assert ran.code == 1
    assert ran.out.startswith("Invalid.")
    place = f"grid[{GIVEN // 9}][{GIVEN % 9}]"
    assert f"{place} is {WRONG[GIVEN]}, but {EASY[GIVEN]} is given there." in ran.out


def test_score_as_json_is_what_the_library_says(groundstate: Groundstate, sudoku: gs.Solver, tmp_path: Path) -> None:
    puzzle, answer = tmp_path / "puzzle.txt", tmp_path / "answer.json"
    puzzle.write_text(EASY)
    answer.write_text(json.dumps({"grid": rows(WRONG)}))
    ran = groundstate("score", "sudoku", f"@{puzzle}", str(answer), "--json")
    assert ran.code == 1
    verdict = sudoku.score({"grid": rows(EASY)}, {"grid": rows(WRONG)})
    assert json.loads(ran.out) == verdict.to_json()


@pytest.mark.parametrize(
    ("puzzle", "answer", "told"),
    [
        (EASY, EASY_SOLUTION[:80], "answer: The puzzle has 80 cells"),
        (EASY, EASY, "answer.grid[0][2]: 0 is not allowed here"),
        (EASY[:80], EASY_SOLUTION, "The puzzle has 80 cells"),
        (EASY, "nowhere.txt", "There is no file 'nowhere.txt'."),
        ("-", EASY_SOLUTION, "stdin has no request"),
    ],
)
def test_what_cannot_be_judged_is_told(puzzle: str, answer: str, told: str, groundstate: Groundstate) -> None:
    ran = groundstate("score", "sudoku", puzzle, answer)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert ran.err.count("\n") == 1


def test_doctor_finds_a_sound_installation(groundstate: Groundstate, model: Path) -> None:
    ran = groundstate("doctor")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.endswith("Everything works.\n")
    told = json.loads(groundstate("doctor", "--json").out)
    assert told["sound"] is True
    assert told["versions"]["groundstate"] == gs.__version__
    one = next(check for check in told["checks"] if check["name"] == "model sudoku")
    assert one["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()


def test_doctor_fails_without_onnx_runtime(groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    ran = groundstate("doctor")
    assert ran.code == 1
    assert "checks failed." in ran.out


def test_doctor_fails_when_a_model_answers_otherwise_than_stored(
    groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch, model: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.onnx"
    stored = re.compile(rb'("self_test".*?"answer": ?\{"grid": ?\[\[)(\d)', flags=re.DOTALL)
    changed, times = stored.subn(lambda m: m[1] + str(int(m[2]) % 9 + 1).encode(), model.read_bytes(), count=1)
    assert times == 1
    other.write_bytes(changed)
    monkeypatch.setattr("groundstate_models.sudoku.artefact", lambda: other)
    ran = groundstate("doctor", "--json")
    assert ran.code == 1
    one = next(check for check in json.loads(ran.out)["checks"] if check["name"] == "model sudoku")
    assert one["passed"] is False
    assert "another answer than the stored one" in one["detail"]


def test_list_goes_on_after_a_model_that_cannot_be_loaded(
    groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("groundstate_models.sudoku.artefact", lambda: tmp_path / "gone.onnx")
    ran = groundstate("list")
    assert ran.code == 2
    assert "sudoku  cannot be loaded" in ran.out
    assert "gone.onnx cannot be read" in ran.err
