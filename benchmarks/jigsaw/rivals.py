"""What a user would pick instead: the best compatibility made by hand, with a greedy tree or with linear programs.

* `greedy_tree`: seams in order of confidence, each joining two groups if nothing overlaps (A. Gallagher, "Jigsaw puzzles with
  pieces of unknown orientation", CVPR 2012, upright pieces), then the largest group trimmed to the frame, and holes filled best
  piece first.
* `linear_programs`: places from weighted least absolute deviations of the best matches, in turns with the removal of those that
  do not fit (R. Yu, C. Russell and L. Agapito, "Solving jigsaw puzzles with linear programming", BMVC 2016), then filled the
  same way.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.strips import BOTTOM, LEFT, RIGHT, TOP, expectation, mismatch, strips

STEPS = ((0, 1), (1, 0))


def ratios(pieces: NDArray[np.uint8]) -> NDArray[np.float64]:
    """MGC divided by the second best of either side: (2, pieces, pieces), right neighbour and neighbour below."""
    sides = [expectation(strip, 0) for strip in strips(pieces)]
    found = []
    for one, other in ((RIGHT, LEFT), (BOTTOM, TOP)):
        values = mismatch(sides[one], sides[other])
        np.fill_diagonal(values, np.inf)
        rows, columns = np.partition(values, 1, axis=1)[:, 1], np.partition(values, 1, axis=0)[1]
        found.append(values / (np.minimum(rows[:, None], columns[None]) + 1e-9))
    return np.array(found)


def greedy_tree(pieces: NDArray[np.uint8], shape: tuple[int, int]) -> NDArray[np.int64]:
    """The grid that the greedy tree comes to, (rows, columns)."""
    cost = ratios(pieces)
    count = len(pieces)
    order = np.argsort(cost.ravel())
    group = list(range(count))
    members: dict[int, dict[int, tuple[int, int]]] = {piece: {piece: (0, 0)} for piece in range(count)}
    for flat in order[: 40 * count].tolist():
        way, rest = divmod(flat, count * count)
        one, other = divmod(rest, count)
        if group[one] == group[other]:
            continue
        here, there = members[group[one]], members[group[other]]
        down, across = STEPS[way]
        shift = (here[one][0] + down - there[other][0], here[one][1] + across - there[other][1])
        moved = {piece: (place[0] + shift[0], place[1] + shift[1]) for piece, place in there.items()}
        if set(moved.values()) & set(here.values()):
            continue
        gone = group[other]
        here.update(moved)
        for piece in moved:
            group[piece] = group[one]
        del members[gone]
        if len(members) == 1:
            break
    largest = max(members.values(), key=len)
    return _filled(largest, cost, shape)


def linear_programs(pieces: NDArray[np.uint8], shape: tuple[int, int], rounds: int = 5) -> NDArray[np.int64]:
    """The grid that successive linear programs come to, (rows, columns)."""
    cost = ratios(pieces)
    count = len(pieces)
    active = np.ones_like(cost, dtype=bool)
    place = np.zeros((count, 2))
    for _ in range(rounds):
        alive = np.where(active, cost, np.inf)
        first, second, way = [], [], []
        for direction in range(2):
            best = alive[direction].argmin(axis=1)
            back = alive[direction].argmin(axis=0)
            pairs = {(one, int(best[one])) for one in range(count)} | {(int(back[one]), one) for one in range(count)}
            for one, other in sorted(pairs):
                if np.isfinite(alive[direction, one, other]):
                    first.append(one)
                    second.append(other)
                    way.append(direction)
        i, j, d = np.array(first), np.array(second), np.array(way)
        weight = 1 / (cost[d, i, j] + 0.1)
        place = np.stack(
            [_least_absolute(i, j, (d == axis ^ 1).astype(float), weight, count) for axis in (0, 1)], axis=1
        )
        gap = np.abs(place[j] - place[i] - np.array(STEPS)[d]).max(axis=1)
        wrong = gap > 1e-3
        if not wrong.any():
            break
        active[d[wrong], i[wrong], j[wrong]] = False
    cells: dict[tuple[int, int], int] = {}
    rounded = np.round(place - np.median(place % 1, axis=0)).astype(int)
    for piece, cell in enumerate(map(tuple, rounded.tolist())):
        cells.setdefault(cell, piece)
    return _filled({piece: cell for cell, piece in cells.items()}, cost, shape)


def _least_absolute(
    i: NDArray[np.int64], j: NDArray[np.int64], step: NDArray[np.float64], weight: NDArray[np.float64], count: int
) -> NDArray[np.float64]:
    """Coordinates with the least weighted sum of ``|x_j − x_i − step|``."""
    from ortools.linear_solver import pywraplp

    solver = pywraplp.Solver.CreateSolver("GLOP")
    coordinate = [solver.NumVar(-1000, 1000, "") for _ in range(count)]
    solver.Add(coordinate[0] == 0)
    objective = solver.Objective()
    for one, other, wanted, heavy in zip(i.tolist(), j.tolist(), step.tolist(), weight.tolist(), strict=True):
        above, below = solver.NumVar(0, solver.infinity(), ""), solver.NumVar(0, solver.infinity(), "")
        solver.Add(coordinate[other] - coordinate[one] - above + below == wanted)
        objective.SetCoefficient(above, heavy)
        objective.SetCoefficient(below, heavy)
    objective.SetMinimization()
    solver.Solve()
    return np.array([one.solution_value() for one in coordinate])


def _filled(group: dict[int, tuple[int, int]], cost: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.int64]:
    """A group trimmed to the frame where most of it fits, and the other pieces put into the holes, best first."""
    rows, columns = shape
    at = np.array(list(group.values()))
    low, high = at.min(axis=0), at.max(axis=0)
    best: tuple[int, int, int] = (-1, 0, 0)
    for top in range(low[0] - rows + 1, high[0] + 1):
        for left in range(low[1] - columns + 1, high[1] + 1):
            inside = ((at >= (top, left)) & (at < (top + rows, left + columns))).all(axis=1).sum()
            best = max(best, (int(inside), -top, -left))
    top, left = -best[1], -best[2]
    grid = np.full(shape, -1)
    for piece, (row, column) in group.items():
        if 0 <= row - top < rows and 0 <= column - left < columns:
            grid[row - top, column - left] = piece
    loose = set(range(cost.shape[1])) - set(grid.ravel().tolist())
    while loose and (grid < 0).any():
        chosen: tuple[float, float, int, int, int] | None = None
        for row, column in np.argwhere(grid < 0).tolist():
            around = _neighbours(grid, row, column)
            for piece in loose:
                values = [
                    cost[way, other, piece] if before else cost[way, piece, other] for way, other, before in around
                ]
                mean = float(np.mean(values)) if values else np.inf
                candidate = (-len(values), mean, row, column, piece)
                chosen = candidate if chosen is None else min(chosen, candidate)
        assert chosen is not None
        grid[chosen[2], chosen[3]] = chosen[4]
        loose.discard(chosen[4])
    return grid


def _neighbours(grid: NDArray[np.int64], row: int, column: int) -> list[tuple[int, int, bool]]:
    """Pieces around a place: direction, piece, and whether the piece stands before the place."""
    found = []
    for way, (down, across) in enumerate(STEPS):
        for sign, before in ((-1, True), (1, False)):
            r, c = row + sign * down, column + sign * across
            if 0 <= r < grid.shape[0] and 0 <= c < grid.shape[1] and grid[r, c] >= 0:
                found.append((way, int(grid[r, c]), before))
    return found
