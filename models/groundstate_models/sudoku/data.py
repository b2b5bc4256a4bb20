"""Training and validation puzzles, from the project's own generator."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from groundstate_models.sudoku.search import Grid, hard_puzzles, minimal_puzzles

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Puzzles:
    """Puzzles and solutions, ``(n, 81)`` uint8, with their search nodes ``(n,)``."""

    puzzle: Grid
    solution: Grid
    nodes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.puzzle)

    def take(self, rows: NDArray[np.int64] | slice) -> Puzzles:
        return Puzzles(self.puzzle[rows], self.solution[rows], self.nodes[rows])


def invariant(puzzle: Grid) -> bytes:
    """A fingerprint that all symmetric copies of a puzzle share (digits renamed, rows, columns, bands swapped, transposed).

    Colour refinement (Weisfeiler and Leman, 1968) of the graph that joins cells to the lines and boxes they lie in and to
    their digits. Equal puzzles up to symmetry always agree, so dropping whatever agrees with a test puzzle is safe.
    """
    grid = np.asarray(puzzle).reshape(9, 9)
    given = grid > 0
    row, column = np.indices((9, 9))
    box = row // 3 * 3 + column // 3
    cell = given.astype(np.uint64)

    def mix(*parts: NDArray[np.uint64]) -> NDArray[np.uint64]:
        total = np.zeros_like(parts[0])
        for part in parts:
            total = (total ^ part) * np.uint64(0x9E3779B97F4A7C15)
            total ^= total >> np.uint64(29)
        return total

    for _ in range(6):
        shade = mix(cell)
        lines = [shade.sum(1), shade.sum(0)]
        boxes = np.array([shade[box == b].sum() for b in range(9)], dtype=np.uint64)
        digits = np.array([shade[grid == d].sum() for d in range(10)], dtype=np.uint64)
        digits[0] = 0
        bands = [mix(line).reshape(3, 3).sum(1).repeat(3) for line in lines]
        rows, columns = (mix(line, band) for line, band in zip(lines, bands, strict=True))
        crossing = mix(rows)[:, None] + mix(columns)[None, :]  # symmetric under transposition
        cell = mix(cell, crossing, mix(boxes)[box], mix(digits)[grid])
    return int(np.sort(mix(cell).ravel()).sum(dtype=np.uint64)).to_bytes(8, "little")


def generate(minimal: int, hard: int, seed: int, exclude: Iterable[Grid] = ()) -> Puzzles:
    """A seeded mix of random minimal puzzles and of puzzles made hard, without symmetric copies of ``exclude``."""
    parts = [minimal_puzzles(minimal, seed), hard_puzzles(hard, seed)]
    puzzles = Puzzles(*(np.concatenate(column) for column in zip(*parts, strict=True)))
    banned = {invariant(puzzle) for puzzle in exclude}
    if banned:
        puzzles = puzzles.take(np.array([invariant(p) not in banned for p in puzzles.puzzle]).nonzero()[0])
    return puzzles


def read_puzzles(path: Path) -> Puzzles:
    """Read a CSV file with the columns ``puzzle`` (``.`` or 0 for empty) and, where known, ``solution`` and ``search_nodes``."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def digits(text: str) -> list[int]:
        return [0 if c == "." else int(c) for c in text]

    return Puzzles(
        np.array([digits(r["puzzle"]) for r in rows], dtype=np.uint8).reshape(-1, 81),
        np.array([digits(r.get("solution") or "." * 81) for r in rows], dtype=np.uint8).reshape(-1, 81),
        np.array([int(r.get("search_nodes") or 0) for r in rows]),
    )
