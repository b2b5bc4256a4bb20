"""Exact search on Sudoku grids of any board: count solutions, rate difficulty, generate puzzles.

Used to make training data and to check answers in benchmarks; the energy never uses it. Grids are flat ``uint8`` arrays of
``size²`` digits, 0 for empty, row by row. Needs numba (extra ``groundstate[train]``).
Long because compiled functions that call each other are compiled together.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from groundstate_models.sudoku.board import BOARDS, Board

Grid = NDArray[np.uint8]
Made = tuple[Grid, Grid, NDArray[np.int64]]
"""Puzzles ``(n, size²)``, their solutions ``(n, size²)``, and their search nodes ``(n,)``."""

_PATIENCE = 1_000
"""Nodes after which the search for a random full grid restarts; about one in 1,500 does on 16×16, none up to 9×9."""


class _Tables(NamedTuple):
    """A board for compiled code."""

    units: NDArray[np.int64]
    peers: NDArray[np.int64]


@cache
def _tables(board: Board) -> _Tables:
    return _Tables(np.array(board.units), np.array(board.peers))


@numba.njit
def _count(mask: int) -> int:
    """Number of bits set in a mask of at most 16."""
    mask -= (mask >> 1) & 0x5555
    mask = (mask & 0x3333) + ((mask >> 2) & 0x3333)
    mask = (mask + (mask >> 4)) & 0x0F0F
    return (mask + (mask >> 8)) & 0x1F


@numba.njit
def _assign(tables: _Tables, cand: NDArray[np.int64], cell: int, bit: int) -> bool:
    """Fix a cell and remove its value from the peers; follow naked singles. False on a contradiction."""
    peers = tables.peers
    queue = np.empty(len(cand), dtype=np.int64)
    cand[cell] = bit
    queue[0] = cell
    head, tail = 0, 1
    while head < tail:
        current = queue[head]
        head += 1
        value = cand[current]
        for i in range(peers.shape[1]):
            peer = peers[current, i]
            before = cand[peer]
            if before & value:
                after = before & ~value
                if after == 0:
                    return False
                cand[peer] = after
                if after & (after - 1) == 0:
                    queue[tail] = peer
                    tail += 1
    return True


@numba.njit
def _propagate(tables: _Tables, cand: NDArray[np.int64]) -> bool:
    """Hidden singles until nothing changes. False on a contradiction."""
    units = tables.units
    every = (1 << units.shape[1]) - 1
    changed = True
    while changed:
        changed = False
        for unit in range(units.shape[0]):
            once, twice = 0, 0
            for i in range(units.shape[1]):
                mask = cand[units[unit, i]]
                twice |= once & mask
                once |= mask
            if once != every:
                return False
            only = once & ~twice
            if only == 0:
                continue
            for i in range(units.shape[1]):
                cell = units[unit, i]
                mask = cand[cell]
                bit = mask & only
                if bit and mask & (mask - 1):
                    if bit & (bit - 1) or not _assign(tables, cand, cell, bit):
                        return False
                    changed = True
    return True


@numba.njit
def _search(tables: _Tables, grid: Grid, limit: int, solution: Grid, shuffled: bool) -> tuple[int, int]:
    """Count solutions up to ``limit``; the first one is written to ``solution``.

    ``shuffled`` tries digits in random order, and stops after `_PATIENCE` nodes.

    Returns:
        The count and the nodes.
    """
    cells = len(grid)
    stack = np.empty((cells + 1, cells), dtype=np.int64)
    stack[0, :] = (1 << tables.units.shape[1]) - 1
    for cell in range(cells):
        if grid[cell]:
            bit = 1 << (int(grid[cell]) - 1)
            if not stack[0, cell] & bit or not _assign(tables, stack[0], cell, bit):
                return 0, 1
    choice = np.empty(cells + 1, dtype=np.int64)
    remaining = np.zeros(cells + 1, dtype=np.int64)
    depth, nodes, count = 0, 0, 0
    fresh = True
    while depth >= 0:
        if fresh:
            if shuffled and nodes == _PATIENCE:
                return count, nodes
            nodes += 1
            fresh = False
            remaining[depth] = 0
            if _propagate(tables, stack[depth]):
                best, fewest = -1, 17
                for cell in range(cells):
                    mask = stack[depth, cell]
                    if mask & (mask - 1):
                        n = _count(mask)
                        if n < fewest:
                            best, fewest = cell, n
                if best < 0:
                    if count == 0:
                        for cell in range(cells):
                            solution[cell] = 1 + _count(stack[depth, cell] - 1)
                    count += 1
                    if count >= limit:
                        return count, nodes
                else:
                    choice[depth] = best
                    remaining[depth] = stack[depth, best]
        options = remaining[depth]
        if options == 0:
            depth -= 1
            continue
        if shuffled:
            for _ in range(np.random.randint(0, _count(options))):
                options &= options - 1
        bit = options & -options
        remaining[depth] ^= bit
        stack[depth + 1] = stack[depth]
        if _assign(tables, stack[depth + 1], choice[depth], bit):
            depth += 1
            fresh = True
    return count, nodes


def solve(grid: Grid, limit: int = 2, board: Board = BOARDS[9]) -> tuple[int, Grid, int]:
    """Count the solutions of a grid, up to ``limit``.

    Returns:
        The count, the first solution found (``size²`` digits; undefined if the count is 0), and the number of search nodes:
        a machine-independent difficulty (1: singles alone solve the grid).
    """
    flat = np.array(grid, dtype=np.uint8).reshape(board.size**2)
    solution = np.zeros_like(flat)
    count, nodes = _search(_tables(board), flat, limit, solution, shuffled=False)
    return int(count), solution, int(nodes)


@numba.njit
def _fill(tables: _Tables, grid: Grid) -> None:
    """A random full grid."""
    empty = np.zeros_like(grid)
    count = 0
    while count != 1:
        count, _ = _search(tables, empty, 1, grid, shuffled=True)


@numba.njit
def _thin(tables: _Tables, puzzle: Grid, givens: int, scratch: Grid) -> None:
    """Remove clues in random order, down to ``givens`` or until every remaining clue is necessary."""
    left = np.count_nonzero(puzzle)
    for cell in np.random.permutation(len(puzzle)):
        if left <= givens:
            return
        kept = puzzle[cell]
        if kept == 0:
            continue
        puzzle[cell] = 0
        count, _ = _search(tables, puzzle, 2, scratch, shuffled=False)
        if count == 1:
            left -= 1
        else:
            puzzle[cell] = kept


@numba.njit
def _harden(tables: _Tables, rounds: int, puzzle: Grid, solution: Grid, scratch: Grid) -> int:
    """Climb towards difficulty: restore some clues, remove others, keep puzzles that need no fewer search nodes."""
    _, nodes = _search(tables, puzzle, 2, scratch, shuffled=False)
    trial = np.empty_like(puzzle)
    for _ in range(rounds):
        trial[:] = puzzle
        for _ in range(np.random.randint(1, 4)):
            cell = np.random.randint(0, len(puzzle))
            trial[cell] = solution[cell]
        _thin(tables, trial, 0, scratch)
        _, harder = _search(tables, trial, 2, scratch, shuffled=False)
        if harder >= nodes:
            nodes = harder
            puzzle[:] = trial
    return int(nodes)


@numba.njit
def _exchanged(tables: _Tables, puzzle: Grid, trial: Grid, solution: Grid, scratch: Grid, most: int) -> int:
    """A minimal puzzle, by an exchange of ``most`` clues or fewer, and its solution. Returns its search nodes, 0 if it fails."""
    trial[:] = puzzle
    clues = np.flatnonzero(puzzle)
    for _ in range(np.random.randint(1, most + 1)):
        trial[clues[np.random.randint(0, len(clues))]] = 0
    count, _ = _search(tables, trial, 1, solution, shuffled=True)
    if count == 0:
        return 0
    count, _ = _search(tables, trial, 2, scratch, shuffled=False)
    for cell in np.random.permutation(len(puzzle)):
        if count == 1:
            break
        if trial[cell] == 0:
            trial[cell] = solution[cell]
            count, _ = _search(tables, trial, 2, scratch, shuffled=False)
    _thin(tables, trial, 0, scratch)
    _, nodes = _search(tables, trial, 2, scratch, shuffled=False)
    return int(nodes)


@numba.njit(nogil=True)
def _relatives(tables: _Tables, seed: int, puzzles: Grid, exchanged: NDArray[np.int64]) -> None:
    """Turn every puzzle into another minimal one by an exchange of a few clues, if one is found soon."""
    np.random.seed(seed)
    trial, solution, scratch = np.empty_like(puzzles[0]), np.empty_like(puzzles[0]), np.empty_like(puzzles[0])
    for i in range(len(puzzles)):
        for _ in range(_PATIENCE):
            if _exchanged(tables, puzzles[i], trial, solution, scratch, exchanged[i]) and not np.array_equal(
                trial, puzzles[i]
            ):
                puzzles[i] = trial
                break


@numba.njit
def _climb(tables: _Tables, rounds: int, puzzle: Grid, solution: Grid) -> int:
    """Climb by exchanges, which may change the solution; sometimes accept a puzzle with fewer search nodes."""
    scratch, trial, other = np.empty_like(puzzle), np.empty_like(puzzle), np.empty_like(puzzle)
    _, nodes = _search(tables, puzzle, 2, scratch, shuffled=False)
    for _ in range(rounds):
        found = _exchanged(tables, puzzle, trial, other, scratch, 4)
        if found >= nodes or (found > 0 and np.random.random() < 0.3 * (found / nodes) ** 12):
            nodes = found
            puzzle[:] = trial
            solution[:] = other
    return int(nodes)


@numba.njit
def _sparser(tables: _Tables, rounds: int, puzzle: Grid, solution: Grid) -> None:
    """Climb by exchanges towards fewer clues; sometimes accept one more clue."""
    trial, other, scratch = np.empty_like(puzzle), np.empty_like(puzzle), np.empty_like(puzzle)
    for _ in range(rounds):
        if _exchanged(tables, puzzle, trial, other, scratch, 4):
            more = np.count_nonzero(trial) - np.count_nonzero(puzzle)
            if more <= 0 or (more == 1 and np.random.random() < 0.02):
                puzzle[:] = trial
                solution[:] = other


@numba.njit
def _thinned(tables: _Tables, seed: int, rounds: int, puzzles: Grid, solutions: Grid, nodes: NDArray[np.int64]) -> None:
    np.random.seed(seed)
    scratch = np.empty_like(puzzles[0])
    for i in range(len(puzzles)):
        _sparser(tables, rounds, puzzles[i], solutions[i])
        _, nodes[i] = _search(tables, puzzles[i], 2, scratch, shuffled=False)


@numba.njit
def _breed(
    tables: _Tables,
    seed: int,
    children: int,
    rounds: int,
    puzzles: Grid,
    solutions: Grid,
    nodes: NDArray[np.int64],
) -> None:
    """Replace the easiest puzzles by children of the hardest quarter, each climbed for some rounds."""
    np.random.seed(seed)
    for _ in range(children):
        order = np.argsort(-nodes)
        parent = order[np.random.randint(0, max(1, len(order) // 4))]
        puzzle, solution = puzzles[parent].copy(), solutions[parent].copy()
        found = _climb(tables, rounds, puzzle, solution)
        known = False
        for i in range(len(puzzles)):
            known |= np.array_equal(puzzles[i], puzzle)
        place = order[-1]
        if not known and found > nodes[place]:
            nodes[place] = found
            puzzles[place] = puzzle
            solutions[place] = solution


@numba.njit
def _make(
    tables: _Tables,
    seeds: NDArray[np.int64],
    givens: int,
    rounds: int,
    puzzles: Grid,
    solutions: Grid,
    nodes: NDArray[np.int64],
) -> None:
    scratch = np.empty(puzzles.shape[1], dtype=np.uint8)
    for i in range(len(seeds)):
        np.random.seed(seeds[i])
        _fill(tables, solutions[i])
        puzzles[i] = solutions[i]
        _thin(tables, puzzles[i], givens, scratch)
        nodes[i] = _harden(tables, rounds, puzzles[i], solutions[i], scratch)


def _made(random: np.random.Generator, n: int, givens: int, rounds: int, board: Board) -> Made:
    puzzles, solutions = np.zeros((2, n, board.size**2), dtype=np.uint8)
    nodes = np.zeros(n, dtype=np.int64)
    _make(_tables(board), random.integers(0, 2**31 - 1, size=n), givens, rounds, puzzles, solutions, nodes)
    return puzzles, solutions, nodes


def minimal_puzzles(n: int, seed: int, board: Board = BOARDS[9]) -> Made:
    """Random minimal puzzles: exactly one solution, and every clue is necessary.

    Their full grids come from a randomised search of the empty board, not from the symmetries of one pattern. A thousand 9×9
    puzzles take a second; one 16×16 puzzle takes seconds.

    Returns:
        Puzzles ``(n, size²)``, their solutions ``(n, size²)``, and their search nodes ``(n,)``. The same arguments give the
        same puzzles on every machine.
    """
    return _made(np.random.default_rng(seed), n, 0, 0, board)


def hard_puzzles(n: int, seed: int, rounds: int = 40, board: Board = BOARDS[9]) -> Made:
    """Minimal puzzles made hard by ``rounds`` of hill climbing on their search nodes. Returns what `minimal_puzzles` does.

    On 16×16 a round takes as long as a minimal puzzle, or longer for harder puzzles.
    """
    return _made(np.random.default_rng((seed, 1)), n, 0, rounds, board)


def hardest_puzzles(n: int, seed: int, children: int = 4, rounds: int = 200) -> Made:
    """9×9 puzzles with many times the search nodes of `hard_puzzles`, similar to the hardest known puzzles.

    A population: children of the hardest puzzles replace the easiest puzzles, and climb from there. ``children`` is their number
    for each puzzle, ``rounds`` the length of each climb. A child takes about a quarter of a second, 64 puzzles take a minute.
    Puzzles of one family resemble each other. Returns the same as `minimal_puzzles`.
    """
    random = np.random.default_rng((seed, 3))
    puzzles, solutions, nodes = _made(random, n, 0, 40, BOARDS[9])
    _breed(_tables(BOARDS[9]), int(random.integers(2**31 - 1)), children * n, rounds, puzzles, solutions, nodes)
    return puzzles, solutions, nodes


def sparse_puzzles(n: int, seed: int, rounds: int = 500) -> Made:
    """9×9 puzzles with few clues, usually 20 to 22: minimal puzzles after ``rounds`` of exchanges.

    A puzzle takes about a second. Returns the same as `minimal_puzzles`.
    """
    random = np.random.default_rng((seed, 5))
    made = _made(random, n, 0, 0, BOARDS[9])
    _thinned(_tables(BOARDS[9]), int(random.integers(2**31 - 1)), rounds, *made)
    return made


def relatives(puzzles: Grid, random: np.random.Generator) -> Grid:
    """For each puzzle, another minimal one with almost the same clues, ``(n, 81)``; most have another solution.

    A puzzle is unchanged in the rare case that none is found.
    """
    found = puzzles.astype(np.uint8)
    if len(found):
        exchanged = np.where(random.random(len(found)) < 0.7, 2, 4)
        _relatives(_tables(BOARDS[9]), int(random.integers(2**31 - 1)), found, exchanged)
    return found


def easy_puzzles(n: int, seed: int, givens: int, board: Board = BOARDS[9]) -> Made:
    """Random full grids with cells emptied down to ``givens``, or as far as the solution stays unique.

    Returns what `minimal_puzzles` does.
    """
    return _made(np.random.default_rng((seed, 2)), n, givens, 0, board)
