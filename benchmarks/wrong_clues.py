"""Boards with one wrong clue that no rule shows at once: whether the question offers to erase exactly that clue.

    python -m benchmarks.wrong_clues tdoku_forum_hardest_1106.csv … [--count 100]

A clue of a board with one solution gets another digit, which repeats in no row, column or box; CP-SAT says that the board has no
solution then. The table has how many boards end as infeasible, how often the wrong clue is among the options, and how many clues
there are whose removal leaves a solution (CP-SAT): each of them could be the wrong one.
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.loaded import Model
from benchmarks.rates import wilson
from benchmarks.sudoku.exact import solvable
from benchmarks.sudoku.puzzles import Puzzle, digits, read, units


def spoilt(puzzles: list[Puzzle], count: int, seed: int) -> Iterator[tuple[list[int], int]]:
    """Boards with one wrong clue, and its cell."""
    draw = random.Random(seed)
    made = 0
    while made < count:
        given = digits(draw.choice(puzzles).text)
        cell = draw.choice([place for place, digit in enumerate(given) if digit])
        near = {given[other] for unit in units(9) if cell in unit for other in unit}
        if not (free := sorted({*range(1, 10)} - near)):
            continue
        board = [draw.choice(free) if place == cell else digit for place, digit in enumerate(given)]
        if not solvable(board):
            made += 1
            yield board, cell


def without(board: list[int], cell: int) -> list[int]:
    return [0 if place == cell else digit for place, digit in enumerate(board)]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+", help="CSV files of puzzles with one solution")
    parser.add_argument("--count", type=int, default=100, help="boards of each file")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    solver = Model.load("sudoku", 1).solver
    print(
        "| file | boards | infeasible | wrong clue among the options | options, median | possible, median | median time |"
    )
    print("|---|---|---|---|---|---|---|")
    for path in asked.files:
        named = proven = 0
        offered, possible, seconds = [], [], []
        for board, cell in spoilt(read(path), asked.count, asked.seed):
            begun = time.perf_counter()
            solution = solver.solve({"grid": [board[row : row + 9] for row in range(0, 81, 9)]})
            seconds.append(time.perf_counter() - begun)
            assert solution.answer is None, "a board without a solution has an answer"
            proven += solution.status == "infeasible"
            options = [] if solution.question is None else solution.question.options
            erased = [option.apply(solution.request)["grid"][cell // 9][cell % 9] == 0 for option in options]
            named += any(erased)
            offered.append(len(options))
            clues = [place for place, digit in enumerate(board) if digit]
            possible.append(sum(solvable(without(board, place)) for place in clues))
        print(
            f"| {path.stem} | {asked.count} | {proven} | {wilson(named, asked.count)} | {statistics.median(offered):g} | "
            f"{statistics.median(possible):g} | {statistics.median(seconds):.2f} s |",
            flush=True,
        )


if __name__ == "__main__":
    main()
