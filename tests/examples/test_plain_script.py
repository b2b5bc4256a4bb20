"""examples/plain_script.py: a person at the terminal is asked until one answer is left."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import groundstate as gs

SCRIPT = Path(__file__).parents[2] / "examples" / "plain_script.py"


def test_a_person_is_asked_until_one_answer_is_left(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    typed: list[str] = []
    printed = ""

    def person(_prompt: str) -> str:
        """Types nonsense at first, and then always the last of the options on the screen."""
        nonlocal printed
        shown = capsys.readouterr().out
        printed += shown
        typed.append("the left one" if not typed else re.findall(r"^  (\d)  \(", printed, flags=re.MULTILINE)[-1])
        return typed[-1]

    monkeypatch.setattr("builtins.input", person)
    run = runpy.run_path(str(SCRIPT), run_name="__main__")
    printed += capsys.readouterr().out
    assert "'the left one' is none of the options, which are" in printed
    assert (
        len(re.findall(r"^Which digit stands in row \d, column \d\?$", printed, flags=re.MULTILINE)) == len(typed) - 1
    )
    assert len(typed) > 2
    solution, puzzle = run["solution"], run["puzzle"]
    assert solution.status is gs.Status.SOLVED
    assert run["solver"].score(puzzle, solution.answer).valid
    assert run["solver"].draw(puzzle, solution.answer) in printed
    assert sum(digit > 0 for row in solution.request["grid"] for digit in row) == 8 + len(typed) - 1


def test_a_request_with_one_answer_asks_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda _prompt: pytest.fail("There is nothing to ask."))
    script = runpy.run_path(str(SCRIPT))
    solver = gs.load("sudoku_4x4")
    assert script["settle"](solver, {"grid": [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 0, 0]]}).solved
