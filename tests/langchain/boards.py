"""Small boards, and what may be said of them whatever the energy."""

from __future__ import annotations

from typing import Any

import groundstate as gs

Grid = list[list[int]]

OPEN: Grid = [[1, 2, 0, 0], [3, 4, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]]
"""Of several solutions."""

OTHER: Grid = [[1, 0, 0, 0], [0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0]]
"""Of several others."""

TWICE: Grid = [[1, 1, 0, 0], [0, 0, 2, 0], [0, 0, 0, 0], [0, 0, 0, 3]]
"""Of none: a digit stands twice in a row."""

FINISHED: Grid = [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]
"""A solution of `OPEN`."""

OTHER_FINISHED: Grid = [[1, 3, 2, 4], [2, 4, 1, 3], [3, 2, 4, 1], [4, 1, 3, 2]]
"""A solution of `OTHER`."""


def digit(question: dict[str, Any] | gs.Question, finished: Grid) -> str:
    """The reply of one who thinks of a finished board: the digit that stands there where the question points to."""
    about = question.about if isinstance(question, gs.Question) else question["about"]
    row, column = (int(index) for index in about.removeprefix("grid[").removesuffix("]").split("]["))
    return str(finished[row][column])


def fits(grid: Grid, given: Grid) -> bool:
    """Whether a board is a solution of another."""
    lines = [*grid, *map(list, zip(*grid, strict=True))]
    lines += [[grid[r + i][c + j] for i in (0, 1) for j in (0, 1)] for r in (0, 2) for c in (0, 2)]
    kept = all(was in (0, now) for row, old in zip(grid, given, strict=True) for now, was in zip(row, old, strict=True))
    return kept and all(sorted(line) == [1, 2, 3, 4] for line in lines)
