"""Pictures of a descent, and what a solution shows of itself."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

import groundstate as gs
from groundstate._descent import follow
from tests.runtime import toys
from tests.support import EASY, REPEATED, rows


def test_a_descent_is_drawn_and_written(sudoku: gs.Solver, tmp_path: Path) -> None:
    path = tmp_path / "descent.svg"
    text = sudoku.draw_descent({"grid": rows(EASY)}, path, seed=1)
    assert path.read_text(encoding="utf-8") == text
    assert ET.fromstring(text).tag.endswith("svg")
    assert sudoku.draw_descent({"grid": rows(EASY)}, seed=1) == text


def test_an_energy_without_a_task_is_drawn_as_its_curve(tmp_path: Path) -> None:
    for file, request in ((toys.bowl(), {"x": [1.0, 2.0]}), (toys.wells(), {})):
        assert ET.fromstring(gs.load(file).draw_descent(request)).tag.endswith("svg")


def test_what_is_drawn_is_watched_too(sudoku: gs.Solver) -> None:
    seen: list[gs.Segment] = []
    sudoku.draw_descent({"grid": rows(EASY)}, watch=seen.append)
    assert seen


def test_where_nothing_descends_there_is_nothing_to_draw(sudoku: gs.Solver) -> None:
    with pytest.raises(gs.RequestError, match="no descent to draw: the request ended as 'infeasible'"):
        sudoku.draw_descent({"grid": rows(REPEATED)})


def test_a_picture_that_cannot_be_written_is_an_error(sudoku: gs.Solver, tmp_path: Path) -> None:
    with pytest.raises(gs.OptionError, match="cannot be written"):
        sudoku.draw_descent({"grid": rows(EASY)}, tmp_path / "no" / "descent.svg")


def test_a_descent_through_stages_is_followed_from_its_start_to_its_end() -> None:
    solver, seen = gs.load(toys.triangle()), list[gs.Segment]()
    solution = solver.solve({"ac": 1.0, "bc": 0.8, "side": 0.0}, watch=seen.append)
    reading = solver.read(solution.request)
    descent = follow(solver.header, seen, solution, reading.decode, lambda _: None)
    assert descent is not None
    assert descent.steps[0] == 0
    assert list(descent.steps) == sorted(set(descent.steps))
    assert len(descent.steps) == len(descent.energies) == len(descent.answers)
    assert descent.energies[-1] == pytest.approx(0, abs=1e-9)
    assert descent.answers[-1] is not None
    assert np.allclose(np.hypot(*descent.answers[-1]["c"]), 1.0, atol=1e-5)


@pytest.mark.parametrize(
    ("solve", "said"),
    [
        (
            lambda s: s.solve({"grid": rows(EASY)}),
            r"^<Solution solved, energy \d[\d.]*, \d+ steps, \d+ chains, [\d.]+ ms>$",
        ),
        (lambda s: s.solve({"grid": rows(REPEATED)}, ask=False), r"^<Solution infeasible, [\d.]+ ms>$"),
        (
            lambda s: s.solve({"grid": [[0] * 9] * 9}, alternatives=2),
            r"^<Solution ambiguous, energy [\d.]+, 2 answers, asks 'Which digit stands in row \d, column \d\?', .* ms>$",
        ),
        (
            lambda s: s.solve({"grid": rows(EASY)}, restarts=1, max_steps=1, seed=3, ask=False),
            r"^<Solution (unsolved, closest of energy [\d.]+ violates \d+|solved, energy [\d.]+), \d+ steps, 1 chains, .* ms>$",
        ),
    ],
)
def test_a_solution_is_one_readable_line(sudoku: gs.Solver, solve: object, said: str) -> None:
    import re

    assert re.match(said, repr(solve(sudoku)))  # type: ignore[operator]
