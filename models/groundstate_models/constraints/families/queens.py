"""Queens on a board that do not attack each other."""

from __future__ import annotations

import numpy as np

from groundstate_models.constraints.families.example import Example, Request, all_different


def queens(n: int, rng: np.random.Generator | None = None, *, placed: int = 0) -> Example:
    """A queen in every row of an n×n board, none on another's column or diagonal; the value of a row is its queen's column.

    The solution is that of B. Bernhardsson, "Explicit solutions to the n-queens problem for all n", 1991; with ``rng`` it is a
    random one. Of its queens, ``placed`` stand already.

    Raises:
        ValueError: If n is 2 or 3, for which there is no solution, or less than 1, or queens are to be placed without ``rng``.
    """
    if n < 1 or n in (2, 3):
        raise ValueError(f"There is no way to place {n} queens on {n}×{n} squares; 1, and 4 or more, can be placed.")
    if placed and rng is None:
        raise ValueError(f"Which {placed} queens stand already is drawn at random; give rng.")
    columns = _explicit(n)
    given: set[int] = set()
    if rng is not None:
        columns = _random(n, rng)
        given = set(rng.choice(n, placed, replace=False).tolist())
    names = [f"row {r + 1}" for r in range(n)]
    request: Request = {
        "variables": {name: [columns[r]] if r in given else {"from": 1, "to": n} for r, name in enumerate(names)},
        "constraints": [
            all_different(names),
            {**all_different(names), "plus": list(range(n))},
            {**all_different(names), "plus": [-r for r in range(n)]},
        ]
        if n > 1
        else [],
    }
    return Example("queens", request, dict(zip(names, columns, strict=True)))


def _explicit(n: int) -> list[int]:
    """Columns from 1, row by row."""
    if n % 2:
        return [*_explicit(n - 1), n] if n > 1 else [1]
    half = range(n // 2)
    if n % 6 != 2:
        return [*(2 * j + 2 for j in half), *(2 * j + 1 for j in half)]
    upper = [1 + (2 * j + n // 2 - 1) % n for j in half]
    return [*upper, *(n + 1 - column for column in reversed(upper))]


def _random(n: int, rng: np.random.Generator) -> list[int]:
    """A random solution, by the min-conflicts heuristic (S. Minton et al., "Minimizing conflicts", 1992) with new starts."""
    rows, every = np.arange(n), np.arange(n)
    while True:
        columns = rng.permutation(n)
        for _ in range(20 * n):
            lines = (columns, rows + columns, rows - columns + n)
            counts = [np.bincount(line, minlength=2 * n) for line in lines]
            attacked = np.flatnonzero(sum(count[line] > 1 for count, line in zip(counts, lines, strict=True)))
            if not len(attacked):
                return [1 + int(column) for column in columns]
            row = int(rng.choice(attacked))
            for count, line in zip(counts, lines, strict=True):
                count[line[row]] -= 1
            conflicts = counts[0][every] + counts[1][row + every] + counts[2][row - every + n]
            columns[row] = rng.choice(np.flatnonzero(conflicts == conflicts.min()))
