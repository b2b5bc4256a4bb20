"""An exact solver beside an energy: CP-SAT, from the package ortools."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from benchmarks.sudoku.puzzles import Puzzle, digits, units


def seconds(puzzle: Puzzle) -> float:
    """From the puzzle to its solution, or the proof that there is none, by one worker, including building the model."""
    begun = time.perf_counter()
    solvable(digits(puzzle.text))
    return time.perf_counter() - begun


def solvable(given: Sequence[int]) -> bool:
    """Whether a board has a solution, by one worker.

    Args:
        given: Its cells row by row, 0 for empty.
    """
    from ortools.sat.python import cp_model

    model, size = cp_model.CpModel(), math.isqrt(len(given))
    cells = [model.new_int_var(digit or 1, digit or size, f"cell {i}") for i, digit in enumerate(given)]
    for unit in units(size):
        model.add_all_different([cells[cell] for cell in unit])
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    status = solver.solve(model)
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE, cp_model.INFEASIBLE):
        raise SystemExit(f"CP-SAT ended a board as {solver.status_name(status)}: {list(given)}")
    return bool(status != cp_model.INFEASIBLE)


def times(puzzles: Sequence[Puzzle]) -> list[float]:
    return [seconds(puzzle) for puzzle in puzzles]
