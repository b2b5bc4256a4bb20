"""16×16 Sudoku near its hardest: generated puzzles with 100 to 110 givens, one answer each, beside CP-SAT in the same run.

    python -m benchmarks.sudoku.sixteen [--puzzles 40] [--seconds 10] [--made FILE]

A puzzle has 100 to 110 givens, evenly spread, with a seed that nothing was tuned on. The model gets as many chains as the
time allows. ``--made`` keeps the puzzles: to make one takes about a second. Times are by the clock, from a loaded model.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from itertools import chain
from pathlib import Path

import numpy as np
from benchmarks.problems import exact

import groundstate as gs
from groundstate_models.constraints.problem import Problem
from groundstate_models.sudoku.board import BOARDS
from groundstate_models.sudoku.data import generate

SEED, GIVENS, TARGET, MEDIAN = 7_311_029, range(100, 111), 0.95, 1.0
BOARD = BOARDS[16]


def puzzles(count: int, kept: Path | None) -> list[tuple[list[int], list[int], int]]:
    """Puzzles, their solutions, and the search nodes of a plain solver."""
    if kept is not None and kept.exists():
        return [(given, solution, nodes) for given, solution, nodes in json.loads(kept.read_text())][:count]
    found = []
    for number in range(count):
        made = generate(0, 0, SEED + number, board=BOARD, easy=1, givens=GIVENS[number % len(GIVENS)])
        found.append((made.puzzle[0].tolist(), made.solution[0].tolist(), int(made.nodes[0])))
    if kept is not None:
        kept.write_text(json.dumps(found))
    return found


def exactly(given: list[int], seconds: float) -> tuple[list[int] | None, float]:
    """CP-SAT with one worker."""
    request = {
        "variables": {str(cell): [digit] if digit else {"from": 1, "to": 16} for cell, digit in enumerate(given)},
        "constraints": [{"type": "all_different", "variables": [str(cell) for cell in unit]} for unit in BOARD.units],
    }
    begun = time.perf_counter()
    found = exact.solve(Problem.of(request), limit=seconds)
    values = None if found.values is None else [int(found.values[str(cell)]) for cell in range(len(given))]
    return values, time.perf_counter() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--puzzles", type=int, default=40)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--made", type=Path, help="a file for the puzzles")
    parser.add_argument("--only-make", action="store_true")
    given = parser.parse_args()
    some = puzzles(given.puzzles, given.made)
    if given.only_make:
        return
    solver, times, theirs = gs.load("sudoku_16x16"), [], []
    for place, (puzzle, solution, nodes) in enumerate(some):
        grid = np.array(puzzle).reshape(16, 16).tolist()
        begun = time.perf_counter()
        found = solver.solve({"grid": grid}, deadline=given.seconds, restarts=1024, max_steps=8192, ask=False)
        seconds = time.perf_counter() - begun
        if found.answer is not None and list(chain(*found.answer["grid"])) != solution:
            raise SystemExit(f"Puzzle {place} is called {found.status} with a wrong answer.")
        times.append(seconds if found.answer is not None else float("inf"))
        values, other = exactly(puzzle, given.seconds)
        theirs.append(other if values == solution else float("inf"))
        print(
            f"{place}: {np.count_nonzero(puzzle)} givens, {nodes} nodes: {found.status}, {seconds:.2f} s, "
            f"{found.chains} chains; CP-SAT {theirs[-1]:.2f} s",
            flush=True,
        )
    print("| | target | solved | median | 95th |\n|---|---|---|---|---|")
    for name, one in (("energy", times), ("CP-SAT", theirs)):
        solved = sum(seconds < float("inf") for seconds in one)
        tail = sorted(one)[int(0.95 * (len(one) - 1))]
        print(
            f"| {name} | {TARGET:.0%} in {given.seconds:g} s, median {MEDIAN:g} s | {solved} of {len(one)} | "
            f"{statistics.median(one):.2f} s | {tail:.2f} s |"
        )


if __name__ == "__main__":
    main()
