"""`groundstate bench`: rates and times of a model."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Groundstate
from tests.support import EASY, REPEATED


def test_requests_of_a_file_are_solved_with_several_seeds(groundstate: Groundstate, tmp_path: Path) -> None:
    path = tmp_path / "puzzles.txt"
    path.write_text(f"{EASY}\n{REPEATED}\n")
    ran = groundstate("bench", "sudoku", str(path), "--rounds", "3", "--json")
    figures = json.loads(ran.out)
    assert (ran.code, figures["requests"], figures["solves"]) == (0, 2, 6)
    assert figures["statuses"] == {"infeasible": 3, "solved": 3}
    assert 0 < figures["seconds"]["median"] <= figures["seconds"]["p95"] <= figures["seconds"]["longest"]


def test_without_requests_the_self_test_is_measured(groundstate: Groundstate) -> None:
    ran = groundstate("bench", "sudoku_4x4", "--rounds", "2")
    assert ran.code == 0
    assert "2 of 1 requests: 2 solved" in " ".join(ran.out.split())


def test_a_bad_request_is_refused_with_its_line(groundstate: Groundstate, tmp_path: Path) -> None:
    path = tmp_path / "puzzles.txt"
    path.write_text(f"{EASY}\nabc\n")
    ran = groundstate("bench", "sudoku", str(path))
    assert (ran.code, ran.out) == (2, "")
    assert f"{path}, line 2: The puzzle has 3 cells" in ran.err
