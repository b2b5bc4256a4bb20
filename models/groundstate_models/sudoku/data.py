"""Training and validation puzzles, from the project's own generator."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from groundstate_models.sudoku.board import BOARDS, EMPTY, Board
from groundstate_models.sudoku.search import Grid, easy_puzzles, hard_puzzles, minimal_puzzles

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Puzzles:
    """Puzzles and solutions, ``(n, size²)`` uint8, with their search nodes ``(n,)``."""

    puzzle: Grid
    solution: Grid
    nodes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.puzzle)

    def take(self, rows: NDArray[np.int64] | slice) -> Puzzles:
        return Puzzles(self.puzzle[rows], self.solution[rows], self.nodes[rows])


@dataclass(frozen=True)
class Boards:
    """Puzzles of one board, in the energy's format.

    Attributes:
        board: Their board.
        grid: ``(puzzles, n, n)`` int64, 0 for empty.
    """

    board: Board
    grid: NDArray[np.int64]

    @classmethod
    def of(cls, board: Board, puzzle: NDArray[Any]) -> Boards:
        """From flat puzzles."""
        return cls(board, np.asarray(puzzle).reshape(-1, board.size, board.size).astype(np.int64))

    def __len__(self) -> int:
        return len(self.grid)

    def take(self, places: NDArray[np.int64]) -> Boards:
        """A subset."""
        return Boards(self.board, self.grid[places])


def invariant(puzzle: Grid) -> bytes:
    """A fingerprint that all symmetric copies of a puzzle share.

    Symmetries rename digits and swap rows, columns, bands and stacks; where boxes are square, they transpose too. Colour
    refinement (Weisfeiler and Leman, 1968) of the graph that joins cells to the lines and boxes they lie in and to their
    digits. Equal puzzles up to symmetry always agree, so it is safe to drop every puzzle that agrees with a test puzzle.

    Raises:
        ValueError: If the board's size is not supported.
    """
    board = Board.of(math.isqrt(np.size(puzzle)))
    n, high, wide = board.size, board.height, board.width
    grid = np.asarray(puzzle).reshape(n, n)
    row, column = np.indices((n, n))
    box = row // high * high + column // wide
    cell = (grid > 0).astype(np.uint64)

    def mix(*parts: NDArray[np.uint64]) -> NDArray[np.uint64]:
        total = np.zeros_like(parts[0])
        for part in parts:
            total = (total ^ part) * np.uint64(0x9E3779B97F4A7C15)
            total ^= total >> np.uint64(29)
        return total

    def shade_of(lines: NDArray[np.uint64], band: int) -> NDArray[np.uint64]:
        return mix(mix(lines, mix(lines).reshape(-1, band).sum(1).repeat(band)))

    for _ in range(6):
        shade = mix(cell)
        boxes = np.array([shade[box == b].sum() for b in range(n)], dtype=np.uint64)
        digits = np.array([shade[grid == d].sum() for d in range(n + 1)], dtype=np.uint64)
        digits[0] = 0
        rows, columns = shade_of(shade.sum(1), high), shade_of(shade.sum(0), wide)
        # The sum of the two is symmetric in rows and columns, because transposition is a symmetry.
        crossing = rows[:, None] + (columns if high == wide else mix(columns))[None, :]
        cell = mix(cell, crossing, mix(boxes)[box], mix(digits)[grid])
    return int(np.sort(mix(cell).ravel()).sum(dtype=np.uint64)).to_bytes(8, "little")


def generate(
    minimal: int,
    hard: int,
    seed: int,
    exclude: Iterable[Grid] = (),
    board: Board = BOARDS[9],
    *,
    easy: int = 0,
    givens: int = 0,
) -> Puzzles:
    """A seeded mix of puzzles of one board, without symmetric copies of ``exclude``.

    Args:
        minimal: Random minimal puzzles.
        hard: Puzzles made hard.
        seed: Seed of all puzzles.
        exclude: Puzzles to keep out.
        board: Their board.
        easy: Puzzles of about ``givens`` clues.
        givens: See `easy_puzzles`.
    """
    parts = [
        minimal_puzzles(minimal, seed, board),
        hard_puzzles(hard, seed, board=board),
        easy_puzzles(easy, seed, givens, board),
    ]
    puzzles = Puzzles(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    banned = {invariant(puzzle) for puzzle in exclude}
    if banned:
        puzzles = puzzles.take(np.array([invariant(p) not in banned for p in puzzles.puzzle]).nonzero()[0])
    return puzzles


def read_puzzles(path: Path) -> Puzzles:
    """Read a CSV file of puzzles of one board.

    Its columns are ``puzzle`` and optionally ``solution`` and ``search_nodes``; digits are written 1 to 9, then A to G,
    empty cells ``.`` or 0.

    Raises:
        ValueError: If there is no puzzle, or one does not fit the first puzzle's board. The message has its line.
    """
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        rows = [(reader.line_num, row) for row in reader]
    if not rows or "puzzle" not in rows[0][1]:
        raise ValueError(f"{path} has no puzzle; it must have a column 'puzzle' with one puzzle per line.")
    board = Board.of(math.isqrt(len(rows[0][1]["puzzle"])))

    def digits(line: int, text: str) -> list[int]:
        if len(text) != board.size**2 or set(text.upper()) - set(board.symbols + EMPTY):
            raise ValueError(
                f"{path}, line {line}: {text!r} is not a grid of {board.size}×{board.size} cells, written with "
                f"{board.spelt}, and . or 0 for an empty cell."
            )
        return [board.symbols.find(character) + 1 for character in text.upper()]

    empty = "." * board.size**2
    return Puzzles(
        np.array([digits(line, row["puzzle"]) for line, row in rows], dtype=np.uint8),
        np.array([digits(line, row.get("solution") or empty) for line, row in rows], dtype=np.uint8),
        np.array([int(row.get("search_nodes") or 0) for _, row in rows]),
    )
