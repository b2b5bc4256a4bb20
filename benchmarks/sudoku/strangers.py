"""Minimal puzzles with one solution from a generator that is independent of the training's.

    python -m benchmarks.sudoku.strangers strangers.csv [--puzzles 1000] [--seed 0]

The project's `search` fills a board and takes clues away. This generator works bottom-up: from the empty board, a random digit
in a random cell, again and again, as long as a solution remains, until exactly one remains; then redundant clues are removed in
random order. Puzzles found bottom-up are distributed differently from those found top-down (D. Berthier, "Unbiased statistics
of a CSP: a controlled-bias generator", 2009). Whether a solution remains, and whether it is the only one, is decided by a SAT
solver (package python-sat), so that not even the search is shared. The puzzles depend on the seed alone.
"""

from __future__ import annotations

import argparse
import csv
import random
import sys
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path

from benchmarks.journal import Progress
from benchmarks.sudoku.puzzles import units

SIZE = 9
CELLS = SIZE * SIZE
LITERALS = CELLS * SIZE
"""Literal ``9 · cell + digit`` means that a cell contains a digit of 1 to 9."""


def _exactly_one(literals: list[int]) -> Iterator[list[int]]:
    yield literals
    for first, second in combinations(literals, 2):
        yield [-first, -second]


def _rules() -> Iterator[list[int]]:
    for cell in range(CELLS):
        yield from _exactly_one([SIZE * cell + digit for digit in range(1, SIZE + 1)])
    for unit in units(SIZE):
        for digit in range(1, SIZE + 1):
            yield from _exactly_one([SIZE * cell + digit for cell in unit])


class Oracle:
    """Tests clues with a SAT solver. Clues are literals."""

    def __init__(self) -> None:
        from pysat.solvers import Glucose4

        self._solver = Glucose4(bootstrap_with=list(_rules()))
        self._spare = LITERALS

    def solution(self, clues: list[int]) -> list[int] | None:
        """The literals that hold in some solution, or None where there is none."""
        if not self._solver.solve(assumptions=clues):
            return None
        return [literal for literal in self._solver.get_model()[:LITERALS] if literal > 0]

    def unique(self, clues: list[int], solution: list[int]) -> bool:
        """Whether a solution of the clues is the only one."""
        self._spare += 1
        self._solver.add_clause([-self._spare, *(-literal for literal in solution)])
        other = self._solver.solve(assumptions=[*clues, self._spare])
        self._solver.add_clause([-self._spare])
        return not other

    def implied(self, clue: int, clues: list[int]) -> bool:
        """Whether a clue follows from others."""
        return not self._solver.solve(assumptions=[*clues, -clue])


def grow(oracle: Oracle, chance: random.Random) -> tuple[list[int], list[int]]:
    """Random clues with exactly one solution, and that solution."""
    order = chance.sample(range(1, LITERALS + 1), LITERALS)
    clues: list[int] = []
    taken: set[int] = set()
    for literal in order:
        cell = (literal - 1) // SIZE
        if cell in taken or (solution := oracle.solution([*clues, literal])) is None:
            continue
        clues.append(literal)
        taken.add(cell)
        if oracle.unique(clues, solution):
            return clues, solution
    raise AssertionError("every cell got a clue, and more than one solution was left")


def thin(oracle: Oracle, clues: list[int], chance: random.Random) -> list[int]:
    """Remove clues that follow from the rest, in random order, until none does."""
    left = set(clues)
    for clue in chance.sample(clues, len(clues)):
        if oracle.implied(clue, sorted(left - {clue})):
            left.remove(clue)
    return sorted(left)


def written(literals: list[int]) -> str:
    board = ["."] * CELLS
    for literal in literals:
        cell, digit = divmod(literal - 1, SIZE)
        board[cell] = str(digit + 1)
    return "".join(board)


def strangers(n: int, seed: int) -> Iterator[tuple[str, str]]:
    """Minimal puzzles and their solutions, of 81 characters each, ``.`` for empty; no two puzzles are the same."""
    oracle, chance = Oracle(), random.Random(seed)
    seen: set[str] = set()
    while len(seen) < n:
        clues, solution = grow(oracle, chance)
        puzzle = written(thin(oracle, clues, chance))
        if puzzle not in seen:
            seen.add(puzzle)
            yield puzzle, written(solution)


def main() -> int:
    parser = argparse.ArgumentParser(description="Minimal Sudoku puzzles, bottom-up, by a SAT solver.")
    parser.add_argument("file", type=Path, help="the CSV file to write")
    parser.add_argument("--puzzles", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    progress, rows = Progress("puzzles", options.puzzles), []
    for row in strangers(options.puzzles, options.seed):
        rows.append(row)
        progress()
    with options.file.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("puzzle", "solution"))
        writer.writerows(rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
