"""Puzzles from CSV files, and whether an answer to one is right."""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Puzzle:
    """A puzzle of a file.

    Attributes:
        source: The file's name without its ending.
        row: Its place in the file, from 0.
        text: Its cells row by row: ``.`` or ``0`` for empty, 10 and above as letters from ``A``.
        solution: The same for its solution; empty if missing.
        nodes: Search nodes in the file; 0 if missing.
    """

    source: str
    row: int
    text: str
    solution: str
    nodes: int

    @property
    def clues(self) -> int:
        return sum(digit > 0 for digit in digits(self.text))


def read(path: Path, limit: int | None = None) -> list[Puzzle]:
    """All puzzles of a CSV file with the column ``puzzle`` and, where known, ``solution`` and ``search_nodes``.

    Args:
        path: The file.
        limit: A seeded sample of this many, in the file's order.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or "puzzle" not in rows[0]:
        raise SystemExit(f"{path} holds no puzzles; it must be a CSV file with a column 'puzzle'.")
    puzzles = [
        Puzzle(path.stem, i, row["puzzle"], row.get("solution") or "", int(row.get("search_nodes") or 0))
        for i, row in enumerate(rows)
    ]
    return puzzles if limit is None else sorted(sample(puzzles, limit, seed=0), key=lambda puzzle: puzzle.row)


def sample(puzzles: Sequence[Puzzle], most: int, seed: int) -> list[Puzzle]:
    """At most ``limit`` puzzles, drawn without replacement."""
    return random.Random(seed).sample(puzzles, min(most, len(puzzles)))


def digits(text: str) -> list[int]:
    """The cells of a board written on one line, 0 for empty."""
    return [0 if character == "." else int(character, 36) for character in text]


def units(size: int) -> list[list[int]]:
    """The cells of each row, column and box of a board of ``size`` × ``size`` cells, numbered row by row from 0.

    A box has ``⌊√size⌋`` rows.
    """
    height = math.isqrt(size)
    width = size // height
    rows = [[size * r + c for c in range(size)] for r in range(size)]
    columns = [[size * r + c for r in range(size)] for c in range(size)]
    boxes = [
        [size * (top + r) + left + c for r in range(height) for c in range(width)]
        for top in range(0, size, height)
        for left in range(0, size, width)
    ]
    return rows + columns + boxes


def right(puzzle: Puzzle, answer: dict[str, Any]) -> bool:
    """Whether an answer is a full grid that keeps the givens, breaks no rule, and is the stored solution where there is one.

    Independent of the library's own checks.
    """
    given, cells = digits(puzzle.text), [digit for row in answer["grid"] for digit in row]
    size = math.isqrt(len(given))
    every = set(range(1, size + 1))
    kept = len(cells) == len(given) and all(g in (0, d) for g, d in zip(given, cells, strict=True))
    full = kept and all({cells[cell] for cell in unit} == every for unit in units(size))
    return full and (not puzzle.solution or digits(puzzle.solution) == cells)
