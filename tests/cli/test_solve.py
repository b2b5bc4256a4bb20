"""`groundstate solve` with one puzzle."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

import groundstate as gs
from tests.cli.conftest import Groundstate
from tests.support import EASY, EASY_SOLUTION, REPEATED, TWO_SOLUTIONS, rows

NO_SOLUTION = "..............1..2.34...75........6...7...43.2...........67..4..2.4.....1.......8"


def digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit())


def test_a_puzzle_is_drawn_beside_its_answer(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", EASY)
    assert (ran.code, ran.err) == (0, "")
    board = [line for line in ran.out.splitlines() if line.startswith("│")]
    halves = [(line[:25], line[25:]) for line in board]
    assert "".join(digits(answer) for _, answer in halves) == EASY_SOLUTION
    assert "".join(digits(given) for given, _ in halves) == EASY.replace("0", "")
    assert "Solved. The answer passes every check." in ran.out


def test_boards_stand_below_each_other_where_the_terminal_is_narrow(
    groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    ran = groundstate("solve", "sudoku", EASY)
    assert ran.out.index("given") < ran.out.index("answer")
    assert max(map(len, ran.out.splitlines()[:26])) == 25


def test_json_is_the_solution(groundstate: Groundstate, sudoku: gs.Solver) -> None:
    ran = groundstate("solve", "sudoku", EASY, "--json", "--seed", "3")
    assert ran.code == 0
    assert json.loads(ran.out) == sudoku.solve({"grid": rows(EASY)}, seed=3).to_json()


def test_the_same_seed_prints_the_same_bytes(groundstate: Groundstate) -> None:
    first, again = (groundstate("solve", "sudoku", EASY, "--json", "--seed", "7").out for _ in range(2))
    assert first == again


@pytest.mark.parametrize("form", ["notation", "dots", "json", "file", "at file", "json file", "stdin", "dash"])
def test_a_puzzle_may_come_as(form: str, groundstate: Groundstate, tmp_path: Path) -> None:
    plain, spread = tmp_path / "puzzle", tmp_path / "request.json"
    plain.write_text(f"# from the paper\n\n{EASY}\n")
    spread.write_text(json.dumps({"grid": rows(EASY)}, indent=2))
    argument, stdin = {
        "notation": (EASY, ""),
        "dots": (EASY.replace("0", "."), ""),
        "json": (json.dumps({"grid": rows(EASY)}), ""),
        "file": (str(plain), ""),
        "at file": (f"@{plain}", ""),
        "json file": (str(spread), ""),
        "stdin": (None, EASY),
        "dash": ("-", EASY + "\n"),
    }[form]
    ran = groundstate("solve", "sudoku", "--json", *([] if argument is None else [argument]), stdin=stdin)
    assert ran.code == 0
    assert json.loads(ran.out)["answer"] == {"grid": rows(EASY_SOLUTION)}


def test_the_model_may_be_a_path(groundstate: Groundstate, model: Path) -> None:
    assert groundstate("solve", str(model), EASY).code == 0


def test_equal_givens_in_a_row_are_infeasible_and_both_are_named(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", REPEATED)
    assert (ran.code, ran.err) == (1, "")
    assert "Infeasible." in ran.out
    assert "grid[0][0] and grid[0][1]" in ran.out


def test_a_search_without_success_is_unsolved_and_shows_the_closest(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", NO_SOLUTION, "--restarts", "1", "--max-steps", "16")
    assert ran.code == 1
    assert "Unsolved." in ran.out
    assert "closest found" in ran.out


def test_several_right_answers_are_shown_and_count_as_solved(groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", TWO_SOLUTIONS, "--alternatives", "2", "--restarts", "256")
    assert ran.code == 0
    assert "Ambiguous." in ran.out
    assert "answer 2" in ran.out


@pytest.mark.parametrize(("puzzle", "code"), [("." * 81, 0), (EASY_SOLUTION, 0), ("8" + EASY_SOLUTION[:80], 1)])
def test_empty_and_full_grids_are_puzzles_too(puzzle: str, code: int, groundstate: Groundstate) -> None:
    ran = groundstate("solve", "sudoku", puzzle)
    assert (ran.code, ran.err) == (code, "")


def test_interrupting_a_solve_exits_with_130(groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> gs.Solution:
        raise KeyboardInterrupt

    monkeypatch.setattr(gs.Solver, "solve", interrupted)
    ran = groundstate("solve", "sudoku", EASY)
    assert (ran.code, ran.out.strip(), "Traceback" in ran.err) == (130, "", False)


def test_a_process_of_its_own_needs_no_torch_and_exits_with_the_code() -> None:
    program = (
        "import sys; from groundstate.cli import main; code = main();"
        "assert not {'torch', 'onnx', 'rich', 'jsonschema'} & set(sys.modules); sys.exit(code)"
    )
    for puzzle, code in ((EASY, 0), (REPEATED, 1)):
        process = subprocess.run(
            [sys.executable, "-c", program, "solve", "sudoku", puzzle], capture_output=True, text=True, check=False
        )
        assert (process.returncode, process.stderr) == (code, "")


def test_help_shows_an_example_and_the_exit_codes(groundstate: Groundstate) -> None:
    ran = groundstate("--help")
    assert ran.code == 0
    assert "groundstate solve sudoku" in ran.out
    assert "130  interrupted" in ran.out
    for command in ("solve", "list", "describe", "score", "doctor"):
        assert f"groundstate {command}" in groundstate(command, "--help").out


def test_version_is_that_of_the_package(groundstate: Groundstate) -> None:
    assert groundstate("--version").out == f"groundstate {gs.__version__}\n"
