"""Wrong boards near a right one. Boards are flat int64 arrays of ``size²`` digits; every function returns a new one."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from benchmarks.sudoku.puzzles import units
from numpy.typing import NDArray

Board = NDArray[np.int64]
Chance = np.random.Generator


def swaps(puzzle: Board, board: Board) -> NDArray[np.int64]:
    """All pairs of cells ``(pairs, 2)`` that share a unit, are not given and hold different digits."""
    cells = [[cell for cell in unit if not puzzle[cell]] for unit in units(math.isqrt(len(puzzle)))]
    pairs = {(a, b) for unit in cells for i, a in enumerate(unit) for b in unit[i + 1 :] if board[a] != board[b]}
    return np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2)


def swapped(board: Board, pairs: NDArray[np.int64]) -> NDArray[np.int64]:
    """One board for each pair, with the digits of its cells exchanged, ``(pairs, size²)``."""
    boards = np.repeat(board[None], len(pairs), axis=0)
    every = np.arange(len(pairs))[:, None]
    boards[every, pairs] = boards[every, pairs[:, ::-1]]
    return boards


def one_swap(puzzle: Board, board: Board, chance: Chance) -> Board:
    """Two cells of a row, neither of them given, exchange their digits."""
    size = math.isqrt(len(puzzle))
    pairs = swaps(puzzle, board)
    return swapped(board, chance.choice(pairs[pairs[:, 0] // size == pairs[:, 1] // size], 1))[0]


def two_swaps(puzzle: Board, board: Board, chance: Chance) -> Board:
    """The same twice, never back to the start."""
    first = one_swap(puzzle, board, chance)
    while np.array_equal(second := one_swap(puzzle, first, chance), board):
        pass
    return second


def one_cell(puzzle: Board, board: Board, chance: Chance) -> Board:
    """A cell that is not given holds another digit."""
    changed = board.copy()
    cell = chance.choice(np.flatnonzero(puzzle == 0))
    changed[cell] = chance.choice([d for d in range(1, math.isqrt(len(puzzle)) + 1) if d != board[cell]])
    return changed


def rectangle(puzzle: Board, board: Board, chance: Chance) -> Board:
    """Two rows exchange their digits in two columns, givens included."""
    size = math.isqrt(len(puzzle))
    rows, columns = (chance.choice(size, 2, replace=False) for _ in range(2))
    changed = board.reshape(size, size).copy()
    changed[np.ix_(rows, columns)] = changed[np.ix_(rows[::-1], columns)]
    return changed.ravel()


def two_digits(puzzle: Board, board: Board, chance: Chance) -> Board:
    """Two digits, one of them given somewhere, are exchanged on the whole board: no unit is wrong, only givens are."""
    one = chance.choice(np.unique(puzzle[puzzle > 0]))
    other = chance.choice([d for d in range(1, math.isqrt(len(puzzle)) + 1) if d != one])
    renamed = np.arange(board.max() + 1)
    renamed[[one, other]] = other, one
    return renamed[board]


def two_rows(puzzle: Board, board: Board, chance: Chance) -> Board:
    """Two rows of a band, one of them with a given, change places: no unit is wrong, only givens are."""
    size = math.isqrt(len(puzzle))
    height = math.isqrt(size)
    first = chance.choice(np.unique(np.flatnonzero(puzzle) // size))
    band = first // height * height
    second = chance.choice([row for row in range(band, band + height) if row != first])
    changed = board.reshape(size, size).copy()
    changed[[first, second]] = changed[[second, first]]
    return changed.ravel()


def hardest(
    puzzle: Board, board: Board, energies: Callable[[NDArray[np.int64]], NDArray[np.float64]], rounds: int
) -> Board:
    """The wrong board of lowest energy on a greedy path of swaps that keep the givens.

    Each round evaluates all boards one swap away, except the right one and visited ones, and moves to the lowest.

    Args:
        energies: Energies ``(n,)`` of boards ``(n, size²)``.
    """
    visited, here = {board.tobytes()}, board
    best, lowest = board, math.inf
    for _ in range(rounds):
        near = [b for b in swapped(here, swaps(puzzle, here)) if b.tobytes() not in visited]
        values = energies(np.stack(near))
        here = near[int(values.argmin())]
        visited.add(here.tobytes())
        if values.min() < lowest:
            best, lowest = here, float(values.min())
    return best


MUTATIONS: dict[str, Callable[[Board, Board, Chance], Board]] = {
    "one swap in a row": one_swap,
    "two swaps in rows": two_swaps,
    "one cell changed": one_cell,
    "a rectangle turned over": rectangle,
    "two digits exchanged everywhere": two_digits,
    "two rows of a band exchanged": two_rows,
}
