"""Checks of solutions by the definition of each family. Variables have the generators' names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchmarks.problems.instance import Values
from benchmarks.sudoku.puzzles import Puzzle, right

from groundstate_models.constraints.families.graphs import Edge
from groundstate_models.constraints.families.logic import Clause


def coloured(nodes: int, edges: Iterable[Edge], colours: int, values: Values) -> bool:
    """Every node has a colour of 1 to ``colours``, and the ends of every edge have different ones."""
    colour = [values[f"node {node}"] for node in range(1, nodes + 1)]
    allowed = set(range(1, colours + 1))
    return allowed.issuperset(colour) and all(colour[one - 1] != colour[other - 1] for one, other in edges)


def peaceful(n: int, values: Values) -> bool:
    """Of n queens, one a row, no two share a column or a diagonal."""
    squares = [(row, int(values[f"row {row}"])) for row in range(1, n + 1)]
    lines = ([column for _, column in squares], [r + c for r, c in squares], [r - c for r, c in squares])
    return all(1 <= c <= n for c in lines[0]) and all(len(set(line)) == n for line in lines)


def completed(square: Sequence[Sequence[int]], values: Values) -> bool:
    """A Latin square, 0 for a hole, is filled: each number occurs once in every row and column, and the given numbers stay."""
    n = len(square)
    full = [[values[f"r{r + 1}c{c + 1}"] for c in range(n)] for r in range(n)]
    kept = all(given in (0, full[r][c]) for r, row in enumerate(square) for c, given in enumerate(row))
    every = set(range(1, n + 1))
    return kept and all(set(line) == every for line in (*full, *zip(*full, strict=True)))


def satisfied(clauses: Iterable[Clause], values: Values) -> bool:
    """Every clause has a literal that is true: ``x3`` is 1 for 3, 0 for −3."""
    return all(any(values[f"x{abs(x)}"] == int(x > 0) for x in clause) for clause in clauses)


def filled(puzzle: Puzzle, values: Values) -> bool:
    """A Sudoku is solved."""
    n = round(len(puzzle.text) ** 0.5)
    grid = [[values[f"r{r + 1}c{c + 1}"] for c in range(n)] for r in range(n)]
    return right(puzzle, {"grid": grid})


def same(solution: Values, values: Values) -> bool:
    """The values are the known unique solution."""
    return dict(values) == dict(solution)
