"""`groundstate solve --watch` and `--picture`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import groundstate as gs
from groundstate_models.sudoku.task import SudokuReading
from tests.cli.conftest import Groundstate
from tests.end_to_end.test_from_energy_to_tool import made
from tests.support import EASY, EASY_SOLUTION, REPEATED


def boards(text: str) -> list[str]:
    """The digits of every board in a text, one string a board."""
    lines = re.findall(r"^│.*│$", text, flags=re.MULTILINE)
    digits = ["".join(c for c in line if c.isdigit()) for line in lines]
    return ["".join(digits[i : i + 9]) for i in range(0, len(digits), 9)]


def test_without_a_terminal_a_few_moments_are_printed_from_first_to_answer(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", EASY, "--watch")
    assert ran.code == 0
    steps = [int(step) for step in re.findall(r"^step (\d+) · energy", ran.out, flags=re.MULTILINE)]
    assert steps[0] == 0
    assert steps == sorted(set(steps))
    assert 2 <= len(steps) <= 5
    drawn = boards(ran.out)
    assert drawn[-1] == EASY_SOLUTION
    for board in drawn:
        assert all(given in ("0", shown) for given, shown in zip(EASY, board, strict=True))
    assert "no violation" in ran.out
    assert "Solved." in ran.out


def test_watching_changes_nothing_about_what_is_solved(groundstate: Groundstate) -> None:
    watched = groundstate("solve", "sudoku", EASY, "--watch").out
    quiet = groundstate("solve", "sudoku", EASY).out
    told = r"energy \S+ · \d+ steps · \d+ chains?"
    assert re.findall(told, watched)[-1] == re.findall(told, quiet)[-1]


def test_a_model_without_a_drawing_shows_energy_and_rules_alone(
    groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SudokuReading, "draw", lambda *_: None)
    ran = groundstate("solve", "sudoku", EASY, "--watch")
    assert ran.code == 0
    assert boards(ran.out) == []
    assert re.search(r"^step 0 · energy \S+", ran.out, flags=re.MULTILINE)
    assert re.search(r"^step \d+ · energy \S+ · no violation$", ran.out, flags=re.MULTILINE)


@pytest.mark.parametrize("unroll", [16, 6])
def test_where_not_every_energy_is_told_what_is_shown_has_its_own_step_all_the_same(
    groundstate: Groundstate, tmp_path: Path, unroll: int
) -> None:
    unhurried = {"patience": 1000, "residual_tolerance": 0.0}
    files = {
        every: made(tmp_path / f"{every}.onnx", unhurried, unroll=unroll, trace_every=every, batches=(1,), seeds=(0,))
        for every in (1, 4)
    }
    request = {"given": [1, 1, -1, -1, -1]}  # has no answer, so the one chain goes all the way
    segments: list[gs.Segment] = []
    gs.load(files[1]).solve(request, restarts=1, max_steps=48, watch=segments.append)
    energies = [*np.concatenate([segment.trace[0] for segment in segments]), segments[-1].energy[0]]
    picture = tmp_path / "descent.svg"
    options = ("--restarts", "1", "--max-steps", "48", "--watch", "--picture", str(picture))
    ran = groundstate("solve", str(files[4]), json.dumps(request), *options)
    told = re.findall(r"^step (\d+) · energy (\S+)", ran.out, flags=re.MULTILINE)
    shown = [int(step) for step, _ in told]
    assert (shown[0], shown[-1]) == (0, 48)
    assert all(step % unroll % 4 == 0 for step in shown)
    for step, energy in told:
        assert float(energy) == pytest.approx(energies[int(step)], rel=1e-3)
    drawn = ET.fromstring(picture.read_text(encoding="utf-8"))
    marks = [float(e.attrib["cx"]) for e in drawn.iter() if e.get("class") == "gs-dot"]
    along = [(mark - marks[0]) / (marks[-1] - marks[0]) for mark in marks]
    assert along == pytest.approx([step / 48 for step in shown], abs=1e-3)
    labelled = {e.text for e in drawn.iter() if (e.text or "").startswith("step ")}
    assert {"step 0", "step 48"} <= labelled <= {f"step {step}" for step in shown}


def test_a_chain_that_started_anew_is_shown_from_there(groundstate: Groundstate, tmp_path: Path) -> None:
    impatient = {"patience": 12, "residual_tolerance": 0.0}
    file = made(tmp_path / "own.onnx", impatient, unroll=6, trace_every=4, batches=(1,), seeds=(0,))
    picture = tmp_path / "descent.svg"
    options = ("--restarts", "1", "--max-steps", "30", "--watch", "--picture", str(picture))
    ran = groundstate("solve", str(file), json.dumps({"given": [1, 1, -1, -1, -1]}), *options)
    assert re.findall(r"^step (\d+) · energy", ran.out, flags=re.MULTILINE) == ["0", "4", "6"]
    assert "shown: the last 6 steps of the best chain" in picture.read_text(encoding="utf-8")


def test_a_request_that_never_descends_has_nothing_to_watch(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", REPEATED, "--watch")
    assert ran.code == 1
    assert "Infeasible." in ran.out


def test_many_puzzles_cannot_be_watched(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", "--watch", stdin=f"{EASY}\n{EASY}\n")
    assert (ran.code, ran.out) == (2, "")
    assert "--watch, --picture, --save, --talk and --reply need a single request; stdin has more than one." in ran.err


@pytest.mark.parametrize("drawn", [True, False])
def test_a_picture_is_an_svg_that_needs_no_network(
    drawn: bool, groundstate: Groundstate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not drawn:
        monkeypatch.setattr(SudokuReading, "svg", lambda *_: None)
    path = tmp_path / "descent.svg"
    ran = groundstate("solve", "sudoku", EASY, "--picture", str(path), "--json")
    assert ran.code == 0
    text = path.read_text(encoding="utf-8")
    assert "http" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "@font-face" not in text
    cells = [e.text for e in ET.fromstring(text).iter() if e.get("class") in {"given", "filled", "wrong"}]
    if drawn:
        in_order = "".join(cell for cell in cells if cell is not None)
        assert in_order.endswith(EASY_SOLUTION)
        assert in_order.startswith(EASY.replace("0", ""))
    else:
        assert cells == []


def test_python_draws_the_same_picture(groundstate: Groundstate, tmp_path: Path, sudoku: gs.Solver) -> None:
    typed, called = tmp_path / "typed.svg", tmp_path / "called.svg"
    groundstate("solve", "sudoku", EASY, "--picture", str(typed))
    svg = sudoku.draw_descent(sudoku.parse(EASY), called)
    assert svg == called.read_text(encoding="utf-8") == typed.read_text(encoding="utf-8")
    with pytest.raises(gs.RequestError, match="There is no descent to draw: the request ended as 'infeasible'"):
        sudoku.draw_descent(sudoku.parse(REPEATED))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no pseudo-terminals in the standard library")
def test_in_a_terminal_the_board_settles_in_place() -> None:
    import pty

    leader, follower = pty.openpty()
    environment = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LINES": "40", "PYTHONIOENCODING": "utf-8"}
    process = subprocess.Popen(
        [sys.executable, "-m", "groundstate.cli", "solve", "sudoku", EASY, "--watch"],
        stdout=follower,
        stderr=follower,
        env=environment,
    )
    os.close(follower)
    shown = b""
    while True:
        try:
            part = os.read(leader, 65536)
        except OSError:  # Linux says so when the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(leader)
    assert process.wait() == 0
    text = shown.decode()
    assert text.count("given") > 5  # redrawn many times over
    assert "\x1b[1A" in text  # in place
    assert "Solved." in text
    assert "no violation" in text
