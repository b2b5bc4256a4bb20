"""`groundstate solve` with many puzzles."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

import groundstate as gs
from tests.cli.conftest import Groundstate
from tests.support import EASY, EASY_SOLUTION, REPEATED, rows


@pytest.fixture
def mixed(tmp_path: Path) -> str:
    """Good and bad lines: lines 3, 5, 8 and 9 hold puzzles, 6 and 7 hold none."""
    path = tmp_path / "puzzles.csv"
    request = json.dumps({"grid": rows(EASY)})
    lines = ["puzzle,clues", "# easy", f"{EASY},27", "", f'"{EASY}"', "abc", '{"grid": [[1]]}', request, REPEATED]
    path.write_text("\n".join(lines))
    return str(path)


def test_every_puzzle_has_its_line_in_the_order_of_the_file(mixed: str, groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", mixed)
    solved = ["solved", EASY_SOLUTION]
    assert [line.split()[:2] for line in ran.out.splitlines()] == [
        solved, solved, ["error", "-"], ["error", "-"], solved, ["infeasible", "-"],
    ]  # fmt: skip


def test_bad_lines_are_reported_with_their_number_and_cost_the_others_nothing(
    mixed: str, groundstate: Groundstate
) -> None:
    ran = groundstate("solve", "sudoku", mixed)
    assert ran.code == 2
    assert f"groundstate: {mixed}, line 6: The puzzle has 3 cells" in ran.err
    assert f"groundstate: {mixed}, line 7: grid: The board has 1 cells" in ran.err
    assert "3 solved, 1 infeasible, 2 error." in ran.err


def test_json_lines_say_their_line(mixed: str, groundstate: Groundstate, sudoku: gs.Solver) -> None:
    ran = groundstate("solve", "sudoku", mixed, "--json")
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert [(one["line"], one["status"]) for one in told] == [
        (3, "solved"), (5, "solved"), (6, "error"), (7, "error"), (8, "solved"), (9, "infeasible"),
    ]  # fmt: skip
    alone = sudoku.solve({"grid": rows(EASY)}).to_json()
    assert told[0] == {
        "line": 3,
        **alone,
        "energy": pytest.approx(alone["energy"], rel=1e-5),
    }  # its company rounds differently
    assert "The puzzle has 3 cells" in told[2]["message"]


@pytest.mark.parametrize(("last", "code"), [(EASY, 0), (REPEATED, 1), ("5" * 80, 2)])
def test_the_exit_code_is_that_of_the_worst_line(last: str, code: int, groundstate: Groundstate) -> None:
    assert groundstate("solve", "sudoku", stdin=f"{EASY}\n{last}\n").code == code


def test_a_file_of_only_bad_lines_is_no_disaster(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", "-", stdin="abc\nabc\n")
    assert ran.code == 2
    assert ran.out.splitlines() == ["error      - line 1", "error      - line 2"]


def test_a_broken_json_line_costs_the_others_nothing(groundstate: Groundstate) -> None:
    request = json.dumps({"grid": rows(EASY)})
    ran = groundstate("solve", "sudoku", "--json", stdin=f'{{"grid":\n{request}\n')
    told = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 2
    assert [(one["line"], one["status"]) for one in told] == [(1, "error"), (2, "solved")]


def test_interrupting_prints_what_was_solved(groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch) -> None:
    solve_many = gs.Solver.solve_many

    def interrupted(
        self: gs.Solver, requests: Iterable[Any], *, done: Callable[[int, Any], None], **options: Any
    ) -> list[Any]:
        first, _, third = requests
        solve_many(self, [first], done=lambda _, outcome: done(0, outcome), **options)
        solve_many(self, [third], done=lambda _, outcome: done(2, outcome), **options)
        raise KeyboardInterrupt

    monkeypatch.setattr(gs.Solver, "solve_many", interrupted)
    ran = groundstate("solve", "sudoku", stdin=f"{EASY}\n{EASY}\n{EASY}\n")
    assert ran.code == 130
    assert [line.split()[0] for line in ran.out.splitlines()] == ["solved", "stopped", "solved"]
    assert "Interrupted. 2 requests" in ran.err


def test_a_reader_that_leaves_early_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "groundstate.cli", "solve", "sudoku"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    process.stdin.write(f"{EASY}\n" * 3)
    process.stdin.close()
    told = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert "Traceback" not in told
    assert "Exception" not in told
