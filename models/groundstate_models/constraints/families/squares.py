"""Latin squares and their completion, Sudoku with and without cages.

A cell is called ``r1c2``: row 1, column 2. Cells that are filled beforehand have one value.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints.backtracking import solutions
from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.families.example import Example, Request, all_different
from groundstate_models.constraints.problem import Problem

Square = NDArray[np.int64]
Cells = Sequence[tuple[int, int]]
"""Rows and columns from 0."""


def cell_name(row: int, column: int) -> str:
    """What the cell of a row and a column from 0 is called."""
    return f"r{row + 1}c{column + 1}"


def square_values(square: Square) -> dict[str, Value]:
    """A full square as the values of its cells."""
    return {cell_name(r, c): int(number) for (r, c), number in np.ndenumerate(square)}


def latin_square(n: int, rng: np.random.Generator, moves: int | None = None) -> Square:
    """A random Latin square of order n with the numbers 1 to n, shape ``(n, n)``; nearly uniform where ``moves`` are many.

    The Markov chain of M. T. Jacobson and P. Matthews, "Generating uniformly distributed random Latin squares", 1996, started
    from a shuffled cyclic square. A move goes from one Latin square to the next, through as many improper ones as it takes;
    n² of them unless said.
    """
    cyclic = np.add.outer(np.arange(n), np.arange(n)) % n
    square: Square = rng.permutation(n)[cyclic[rng.permutation(n)][:, rng.permutation(n)]]
    # The incidence cube: 1 where a row and a column have a symbol. An improper square has one −1 in it.
    cube = np.zeros((n, n, n), np.int64)
    cube[np.arange(n)[:, None], np.arange(n), square] = 1
    improper: tuple[int, int, int] | None = None
    left = 0 if n < 3 else n**2 if moves is None else moves
    while left > 0 or improper:
        left -= improper is None
        r, c, s = improper or _absent(cube, rng)
        other = _one_of(cube[:, c, s], rng), _one_of(cube[r, :, s], rng), _one_of(cube[r, c, :], rng)
        for i, j, k in product((0, 1), repeat=3):
            cube[(r, other[0])[i], (c, other[1])[j], (s, other[2])[k]] += -1 if (i + j + k) % 2 else 1
        improper = other if cube[other] < 0 else None
    np.argmax(cube, axis=2, out=square)
    square += 1
    return square


def balanced_holes(n: int, holes: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Where a square has holes: as many in every row and column, or one more. Shape ``(n, n)``.

    Such quasigroups are the hardest (H. Kautz, Y. Ruan, D. Achlioptas et al., "Balance and filtering in structured satisfiable
    problems", 2001).
    """
    full, rest = divmod(holes, n)
    ranks = latin_square(n, rng)
    spare = np.argwhere(ranks == full + 1)
    pattern: NDArray[np.bool_] = ranks <= full
    pattern[tuple(rng.permutation(spare)[:rest].T)] = True
    return pattern


def completion(square: Sequence[Sequence[int]]) -> Request:
    """Complete a Latin square, 0 for a hole: quasigroup completion."""
    n = len(square)
    lines = [[(r, c) for c in range(n)] for r in range(n)] + [[(r, c) for r in range(n)] for c in range(n)]
    return _filled(square, lines)


def quasigroup(n: int, holes: int, rng: np.random.Generator) -> Example:
    """A random Latin square of order n with balanced holes."""
    square = latin_square(n, rng)
    request = completion(np.where(balanced_holes(n, holes, rng), 0, square).tolist())
    return Example("quasigroup", request, square_values(square))


def sudoku(grid: Sequence[Sequence[int]], cages: Sequence[tuple[Cells, int]] = ()) -> Request:
    """Sudoku of any size, 0 for an empty cell.

    Cages make it a killer Sudoku: the digits of a cage differ and have its sum.
    """
    n = len(grid)
    high, wide = _box(n)
    lines = [[(r, c) for c in range(n)] for r in range(n)] + [[(r, c) for r in range(n)] for c in range(n)]
    corners = [(r, c) for r in range(0, n, high) for c in range(0, n, wide)]
    boxes = [[(r + i, c + j) for i in range(high) for j in range(wide)] for r, c in corners]
    request = _filled(grid, [*lines, *boxes])
    for cells, total in cages:
        names = [cell_name(r, c) for r, c in cells]
        if len(names) > 1:
            request["constraints"].append(all_different(names))
        request["constraints"].append(
            {"type": "linear", "terms": [{"variable": name} for name in names], "equals": total}
        )
    return request


def sudoku_board(n: int, rng: np.random.Generator) -> Square:
    """A full board, from a regular one whose rows, columns and digits are shuffled and whose digits are then mixed by threes."""
    high, wide = _box(n)
    shift = [(r % high) * wide + r // high for r in range(n)]
    regular = np.array([[(shift[r] + c) % n for c in range(n)] for r in range(n)])
    rows = [high * band + r for band in rng.permutation(n // high) for r in rng.permutation(high)]
    columns = [wide * stack + c for stack in rng.permutation(n // wide) for c in rng.permutation(wide)]
    full: Square = 1 + rng.permutation(n)[regular[rows][:, columns]]
    for _ in range(n):
        few = rng.choice(n, 3, replace=False) + 1
        request = sudoku(np.where(np.isin(full, few), 0, full).tolist())
        for domain in request["variables"].values():
            if len(domain) > 1:
                domain[:] = few.tolist()
        [found] = solutions(Problem.of(request), 1, rng)
        full = np.array([[found[cell_name(r, c)] for c in range(n)] for r in range(n)], int)
    return full


def random_sudoku(n: int, givens: int, rng: np.random.Generator, *, caged: bool = False) -> Example:
    """A Sudoku with random givens, which may have several solutions; ``caged`` covers the board with cages of up to 4 cells."""
    full = sudoku_board(n, rng)
    shown = np.zeros(n * n, int)
    chosen = rng.choice(n * n, givens, replace=False)
    shown[chosen] = full.ravel()[chosen]
    cages = [(cells, sum(int(full[cell]) for cell in cells)) for cells in _cages(full, rng)] if caged else []
    family = "killer sudoku" if caged else "sudoku"
    return Example(family, sudoku(shown.reshape(n, n).tolist(), cages), square_values(full))


def minimal_sudoku(n: int, rng: np.random.Generator) -> Example:
    """A Sudoku with one solution, which loses that with any of its givens. One of 9×9 takes about a second to make."""
    full = sudoku_board(n, rng)
    shown = full.copy()
    for cell in rng.permutation(n * n):
        place = divmod(int(cell), n)
        shown[place] = 0
        if len(solutions(Problem.of(sudoku(shown.tolist())), 2, rng)) > 1:
            shown[place] = full[place]
    return Example("minimal sudoku", sudoku(shown.tolist()), square_values(full))


def _box(n: int) -> tuple[int, int]:
    """Rows and columns of a box: as square as the size of the board allows, 2×3 on 6×6."""
    high = next(high for high in range(math.isqrt(n), 0, -1) if n % high == 0)
    return high, n // high


def _filled(square: Sequence[Sequence[int]], groups: Sequence[Cells]) -> Request:
    """Numbers of 1 to n, different in each group of cells; those above 0 stand already."""
    n = len(square)
    return {
        "variables": {
            cell_name(r, c): [number] if number else list(range(1, n + 1))
            for r, row in enumerate(square)
            for c, number in enumerate(row)
        },
        "constraints": [all_different([cell_name(r, c) for r, c in group]) for group in groups],
    }


def _absent(cube: Square, rng: np.random.Generator) -> tuple[int, int, int]:
    """A random cell and a symbol that it has not."""
    n = len(cube)
    r, c, step = (int(x) for x in rng.integers((0, 0, 1), n))
    return r, c, (int(cube[r, c].argmax()) + step) % n


def _one_of(line: Square, rng: np.random.Generator) -> int:
    """Where a line of the cube has a 1, either place where it has two."""
    ones = np.flatnonzero(line == 1)
    return int(ones[0] if len(ones) == 1 else ones[rng.integers(len(ones))])


def _cages(full: Square, rng: np.random.Generator) -> list[Cells]:
    """The board cut into connected cages of at most 4 cells with different digits."""
    n = len(full)
    free = {divmod(int(cell), n): None for cell in rng.permutation(n * n)}
    cages: list[Cells] = []
    while free:
        cage = [next(iter(free))]
        size = int(rng.integers(2, 5))
        while len(cage) < size:
            digits = {full[cell] for cell in cage}
            steps = [(r + a, c + b) for r, c in cage for a, b in ((0, 1), (1, 0), (0, -1), (-1, 0))]
            around = [cell for cell in steps if cell in free and cell not in cage and full[cell] not in digits]
            if not around:
                break
            cage.append(around[int(rng.integers(len(around)))])
        for cell in cage:
            del free[cell]
        cages.append(sorted(cage))
    return cages
