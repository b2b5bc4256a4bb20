"""Puzzles of any size from the project's own generator, as a CSV file for `benchmarks.sudoku`, with a seed training does not use.

Minimal puzzles without ``--givens``; for example

    python -m benchmarks.sudoku.made sixteen.csv --size 16 --givens 140 [--puzzles 200]
    python -m benchmarks.sudoku sixteen.csv --model sudoku_16x16
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

from groundstate_models.sudoku.board import SYMBOLS, Board
from groundstate_models.sudoku.data import generate

SEED = 6_000_101


def main() -> None:
    parser = argparse.ArgumentParser(description="Sudoku puzzles of any size.")
    parser.add_argument("file", type=Path, help="the CSV file to write")
    parser.add_argument("--size", type=int, default=9, help="rows of the board (default: %(default)s)")
    parser.add_argument("--givens", type=int, help="easy puzzles with so many (default: minimal ones)")
    parser.add_argument("--puzzles", type=int, default=200)
    options = parser.parse_args()
    board = Board.of(options.size)
    if options.givens is None:
        made = generate(options.puzzles, 0, SEED, board=board)
    else:
        made = generate(0, 0, SEED, board=board, easy=options.puzzles, givens=options.givens)
    with options.file.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("puzzle", "solution", "search_nodes"))
        for puzzle, solution, nodes in zip(made.puzzle, made.solution, made.nodes, strict=True):
            cells = ("".join(("." + SYMBOLS)[digit] for digit in grid) for grid in (puzzle, solution))
            writer.writerow((*cells, int(nodes)))


if __name__ == "__main__":
    main()
