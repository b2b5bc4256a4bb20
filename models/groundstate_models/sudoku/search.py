"""Exact search on 9×9 Sudoku grids: count solutions, rate difficulty, generate minimal puzzles.

Used to make training data and to judge answers in benchmarks; the energy never sees it. Grids are flat ``uint8`` arrays of
81 digits, 0 for empty, row by row. Needs numba (extra ``groundstate[train]``).
"""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray

Grid = NDArray[np.uint8]

_ALL = 0x1FF


def _units() -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The 27 units of nine cells, and each cell's 20 peers."""
    cells = np.arange(81).reshape(9, 9)
    boxes = cells.reshape(3, 3, 3, 3).swapaxes(1, 2).reshape(9, 9)
    units = np.concatenate([cells, cells.T, boxes])
    peers = [sorted({int(p) for unit in units if c in unit for p in unit} - {c}) for c in range(81)]
    return np.ascontiguousarray(units), np.array(peers)


_UNITS, _PEERS = _units()
_COUNT = np.array([mask.bit_count() for mask in range(512)], dtype=np.int64)


@numba.njit
def _assign(cand: NDArray[np.int64], cell: int, bit: int) -> bool:
    """Fix a cell and strike its value from the peers; follow naked singles. False on a contradiction."""
    queue = np.empty(81, dtype=np.int64)
    cand[cell] = bit
    queue[0] = cell
    head, tail = 0, 1
    while head < tail:
        current = queue[head]
        head += 1
        value = cand[current]
        for i in range(20):
            peer = _PEERS[current, i]
            before = cand[peer]
            if before & value:
                after = before & ~value
                if after == 0:
                    return False
                cand[peer] = after
                if _COUNT[after] == 1:
                    queue[tail] = peer
                    tail += 1
    return True


@numba.njit
def _propagate(cand: NDArray[np.int64]) -> bool:
    """Hidden singles until nothing changes. False on a contradiction."""
    changed = True
    while changed:
        changed = False
        for unit in range(27):
            once, twice = 0, 0
            for i in range(9):
                mask = cand[_UNITS[unit, i]]
                twice |= once & mask
                once |= mask
            if once != _ALL:
                return False
            only = once & ~twice
            if only == 0:
                continue
            for i in range(9):
                cell = _UNITS[unit, i]
                bit = cand[cell] & only
                if bit and _COUNT[cand[cell]] > 1:
                    if _COUNT[bit] > 1 or not _assign(cand, cell, bit):
                        return False
                    changed = True
    return True


@numba.njit
def _search(grid: Grid, limit: int, seed: int, solution: Grid) -> tuple[int, int]:
    """Count solutions up to ``limit``; the first one is written to ``solution``. Returns (count, nodes)."""
    if seed >= 0:
        np.random.seed(seed)
    stack = np.empty((82, 81), dtype=np.int64)
    stack[0, :] = _ALL
    for cell in range(81):
        if grid[cell]:
            bit = 1 << (int(grid[cell]) - 1)
            if not stack[0, cell] & bit or not _assign(stack[0], cell, bit):
                return 0, 1
    choice = np.empty(82, dtype=np.int64)
    remaining = np.zeros(82, dtype=np.int64)
    depth, nodes, count = 0, 0, 0
    fresh = True
    while depth >= 0:
        if fresh:
            nodes += 1
            fresh = False
            remaining[depth] = 0
            if _propagate(stack[depth]):
                best, fewest = -1, 10
                for cell in range(81):
                    n = _COUNT[stack[depth, cell]]
                    if 1 < n < fewest:
                        best, fewest = cell, n
                if best < 0:
                    if count == 0:
                        for cell in range(81):
                            solution[cell] = 1 + int(round(np.log2(stack[depth, cell])))
                    count += 1
                    if count >= limit:
                        return count, nodes
                else:
                    choice[depth] = best
                    remaining[depth] = stack[depth, best]
        if remaining[depth] == 0:
            depth -= 1
            continue
        bit = remaining[depth] & -remaining[depth]
        if seed >= 0:
            skip = np.random.randint(0, _COUNT[remaining[depth]])
            options = remaining[depth]
            for _ in range(skip):
                options &= options - 1
            bit = options & -options
        remaining[depth] ^= bit
        stack[depth + 1] = stack[depth]
        if _assign(stack[depth + 1], choice[depth], bit):
            depth += 1
            fresh = True
    return count, nodes


def solve(grid: Grid, limit: int = 2) -> tuple[int, Grid, int]:
    """Count the solutions of a grid, up to ``limit``.

    Returns:
        The count, the first solution found (81 digits; undefined where the count is 0), and the number of search nodes: a
        difficulty that does not depend on the machine (1 means that singles alone solve the grid).
    """
    solution = np.zeros(81, dtype=np.uint8)
    count, nodes = _search(np.ascontiguousarray(grid, dtype=np.uint8).reshape(81), limit, -1, solution)
    return int(count), solution, int(nodes)


@numba.njit
def _minimal(seed: int, puzzle: Grid, solution: Grid) -> int:
    """One random full grid, and a random minimal puzzle of it. Returns the search nodes of the puzzle."""
    scratch = np.zeros(81, dtype=np.uint8)
    puzzle[:] = 0
    _search(puzzle, 1, seed, solution)
    puzzle[:] = solution
    for cell in np.random.permutation(81):
        kept = puzzle[cell]
        puzzle[cell] = 0
        count, _ = _search(puzzle, 2, -1, scratch)
        if count != 1:
            puzzle[cell] = kept
    _, nodes = _search(puzzle, 2, -1, scratch)
    return int(nodes)


@numba.njit
def _minimals(seeds: NDArray[np.int64], puzzles: Grid, solutions: Grid, nodes: NDArray[np.int64]) -> None:
    for i in range(len(seeds)):
        nodes[i] = _minimal(seeds[i], puzzles[i], solutions[i])


def minimal_puzzles(n: int, seed: int) -> tuple[Grid, Grid, NDArray[np.int64]]:
    """Random minimal puzzles: exactly one solution, and none without any one of the clues.

    Returns:
        Puzzles ``(n, 81)``, their solutions ``(n, 81)``, and their search nodes ``(n,)``. The same arguments give the same
        puzzles on every machine.
    """
    seeds = np.random.default_rng(seed).integers(0, 2**31 - 1, size=n)
    puzzles = np.zeros((n, 81), dtype=np.uint8)
    solutions = np.zeros((n, 81), dtype=np.uint8)
    nodes = np.zeros(n, dtype=np.int64)
    _minimals(seeds, puzzles, solutions, nodes)
    return puzzles, solutions, nodes


@numba.njit
def _harden(seed: int, rounds: int, puzzle: Grid, solution: Grid) -> int:
    """Climb towards difficulty: give some clues back, take others away, keep what needs no fewer search nodes."""
    nodes = _minimal(seed, puzzle, solution)
    scratch = np.zeros(81, dtype=np.uint8)
    trial = np.zeros(81, dtype=np.uint8)
    for _ in range(rounds):
        trial[:] = puzzle
        for _ in range(np.random.randint(1, 4)):
            cell = np.random.randint(0, 81)
            trial[cell] = solution[cell]
        for cell in np.random.permutation(81):
            kept = trial[cell]
            if kept == 0:
                continue
            trial[cell] = 0
            count, _ = _search(trial, 2, -1, scratch)
            if count != 1:
                trial[cell] = kept
        _, harder = _search(trial, 2, -1, scratch)
        if harder >= nodes:
            nodes = harder
            puzzle[:] = trial
    return int(nodes)


@numba.njit
def _hards(seeds: NDArray[np.int64], rounds: int, puzzles: Grid, solutions: Grid, nodes: NDArray[np.int64]) -> None:
    for i in range(len(seeds)):
        nodes[i] = _harden(seeds[i], rounds, puzzles[i], solutions[i])


def hard_puzzles(n: int, seed: int, rounds: int = 40) -> tuple[Grid, Grid, NDArray[np.int64]]:
    """Minimal puzzles made hard by ``rounds`` of hill climbing on their search nodes. Returns what `minimal_puzzles` does."""
    seeds = np.random.default_rng((seed, 1)).integers(0, 2**31 - 1, size=n)
    puzzles = np.zeros((n, 81), dtype=np.uint8)
    solutions = np.zeros((n, 81), dtype=np.uint8)
    nodes = np.zeros(n, dtype=np.int64)
    _hards(seeds, rounds, puzzles, solutions, nodes)
    return puzzles, solutions, nodes
