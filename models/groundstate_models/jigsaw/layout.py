"""Layouts: from places in the plane to a lattice, improved as assignments; costs and possible exchanges.

A layout is a grid (rows, columns) of pieces' numbers, -1 for an empty place. Its cost is minus the sum of the log-
odds of its
seams (`seams.Seams.odds`), so an empty place costs nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.matching import assign
from groundstate_models.jigsaw.seams import Matrix

Grid = NDArray[np.int64]

FAR = 60.0
"""A prohibitive cost."""

HOT, COLD = 4.0, 0.3
"""Temperatures of the mean field at the beginning and at the end, in log-odds."""

ROUNDS = 24
BALANCING = 8


def cost(grid: Grid, odds: Matrix) -> float:
    """Minus the sum of the log-odds of the grid's seams."""
    return -float(sum(values.sum() for values in seam_odds(grid, odds)))


def seam_odds(grid: Grid, values: Matrix) -> tuple[Matrix, Matrix]:
    """The value of every seam of a grid, 0 beside empty places: (rows, columns - 1) and (rows - 1, columns)."""
    pairs = ((grid[:, :-1], grid[:, 1:]), (grid[:-1], grid[1:]))
    right, below = (
        np.where((one >= 0) & (other >= 0), value[one, other], 0.0)
        for (one, other), value in zip(pairs, values, strict=True)
    )
    return right, below


def snapped(place: NDArray[np.float64], shape: tuple[int, int], fixed: dict[int, tuple[int, int]]) -> Grid:
    """The grid nearest to places in the plane, shifted so that most pieces lie within it.

    Args:
        place: (pieces, 2): row and column.
        shape: Rows and columns.
        fixed: Known places of some pieces.
    """
    rows, columns = shape
    phase = np.angle(np.exp(2j * np.pi * place).mean(axis=0)) / (2 * np.pi)
    at = place - phase
    middle = np.round(np.median(at, axis=0) - np.array([rows - 1, columns - 1]) / 2)
    best, shift = -1, np.zeros(2)
    if fixed:
        pieces = list(fixed)
        shift = np.round(np.median(at[pieces] - np.array([fixed[piece] for piece in pieces], float), axis=0))
    else:
        for down in range(-2, 3):
            for across in range(-2, 3):
                moved = np.round(at - middle - np.array([down, across]))
                inside = ((moved >= 0) & (moved < (rows, columns))).all(axis=1)
                cells = {tuple(cell) for cell in moved[inside].astype(int).tolist()}
                if len(cells) > best:
                    best, shift = len(cells), middle + np.array([down, across])
    lattice = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1).reshape(-1, 2)
    distance = np.minimum(((at - shift)[:, None] - lattice) ** 2, FAR / 2).sum(axis=2)
    return filled(assign(held(distance, shape, fixed)), shape)


def held(costs: NDArray[np.float64], shape: tuple[int, int], fixed: dict[int, tuple[int, int]]) -> NDArray[np.float64]:
    """Costs of pieces in cells, (pieces, cells), that reserve the cells of fixed pieces for them."""
    costs = costs.copy()
    for piece, (row, column) in fixed.items():
        cell = row * shape[1] + column
        costs[:, cell] += 1e4
        costs[piece] += 1e4
        costs[piece, cell] = 0.0
    return costs


def filled(cell: NDArray[np.int64], shape: tuple[int, int]) -> Grid:
    """The grid from the cell of each piece: cell = row * columns + column."""
    grid = np.full(shape[0] * shape[1], -1)
    grid[cell] = np.arange(len(cell))
    return grid.reshape(shape)


def improved(grid: Grid, odds: Matrix, fixed: dict[int, tuple[int, int]], hot: float = HOT) -> Grid:
    """Improve a grid by descent over assignments: a cooling mean field, with every place taken at most once.

    (C. Peterson and B. Söderberg, "A new method for mapping optimization problems onto neural networks", 1989; the balancing is
    R. Sinkhorn's, 1964.)
    """
    rows, columns = grid.shape
    pieces, cells = odds.shape[1], rows * columns
    share = np.full((cells, cells), 1e-3 / cells, np.float32)  # the last rows are empty places
    order = np.where(grid.ravel() >= 0, grid.ravel(), 0)
    order[grid.ravel() < 0] = pieces + np.arange((grid < 0).sum())
    share[order, np.arange(cells)] = 1.0
    pull = np.zeros((cells, cells), np.float32)
    for step in range(ROUNDS):
        temperature = hot * (COLD / hot) ** (step / (ROUNDS - 1))
        pull[:pieces] = field(share[:pieces], odds, (rows, columns))
        share = 0.5 * share + 0.5 * _balanced(-held(-pull, (rows, columns), fixed) / temperature)
    return filled(assign(held(-np.log(share + 1e-12), (rows, columns), fixed).astype(float))[:pieces], (rows, columns))


def field(share: Matrix, odds: Matrix, shape: tuple[int, int]) -> Matrix:
    """The gain of each piece in each cell, from the shares of its neighbours: (pieces, cells)."""
    rows, columns = shape
    pieces = len(share)
    there = share.reshape(pieces, rows, columns)
    right, below = odds
    gain = np.zeros((pieces, rows, columns), np.float32)
    gain[:, :, :-1] += (right @ there[:, :, 1:].reshape(pieces, -1)).reshape(pieces, rows, columns - 1)
    gain[:, :, 1:] += (right.T @ there[:, :, :-1].reshape(pieces, -1)).reshape(pieces, rows, columns - 1)
    gain[:, :-1] += (below @ there[:, 1:].reshape(pieces, -1)).reshape(pieces, rows - 1, columns)
    gain[:, 1:] += (below.T @ there[:, :-1].reshape(pieces, -1)).reshape(pieces, rows - 1, columns)
    flat: Matrix = gain.reshape(pieces, rows * columns)
    return flat


def _balanced(logits: NDArray[np.floating]) -> Matrix:
    """Shares whose rows and columns add up to 1."""
    shares: Matrix = np.exp(np.maximum(logits - logits.max(axis=1, keepdims=True), -60.0)).astype(np.float32) + 1e-20
    for _ in range(BALANCING):
        shares /= shares.sum(axis=1, keepdims=True)
        shares /= shares.sum(axis=0, keepdims=True)
    return shares


def exchanges(grid: Grid, odds: Matrix, within: float) -> list[tuple[float, int, int]]:
    """Pairs of pieces whose exchange would cost at most `within` more, cheapest first: (cost, one, other)."""
    shape = grid.shape
    cells = np.flatnonzero(grid.ravel() >= 0)
    piece = grid.ravel()[cells]
    share = np.zeros((odds.shape[1], grid.size), np.float32)
    share[piece, cells] = 1.0
    gain = field(share, odds, (shape[0], shape[1]))[np.ix_(piece, cells)]
    own = np.diag(gain)
    rough = own[:, None] + own[None] - gain - gain.T
    found = []
    before = cost(grid, odds)
    row, column = np.divmod(cells, shape[1])
    beside = np.abs(row[:, None] - row) + np.abs(column[:, None] - column) == 1
    for i, j in zip(*np.nonzero(np.triu((rough <= within + 1e-3) | beside, 1)), strict=True):
        other = grid.copy().ravel()
        other[cells[i]], other[cells[j]] = piece[j], piece[i]
        more = cost(other.reshape(shape), odds) - before
        if more <= within:
            found.append((more, int(piece[i]), int(piece[j])))
    return sorted(found)


def exchanged(grid: Grid, one: int, other: int) -> Grid:
    """The grid with two pieces exchanged."""
    found = grid.copy()
    found[grid == one], found[grid == other] = other, one
    return found


def moves(grid: Grid, odds: Matrix, within: float) -> list[tuple[float, int]]:
    """Pieces that would cost at most `within` more in some empty place, cheapest first: (cost, piece)."""
    empty = np.argwhere(grid < 0)
    if not len(empty):
        return []
    shape = grid.shape
    cells = np.flatnonzero(grid.ravel() >= 0)
    piece = grid.ravel()[cells]
    share = np.zeros((odds.shape[1], grid.size), np.float32)
    share[piece, cells] = 1.0
    gain = field(share, odds, (shape[0], shape[1]))
    before = cost(grid, odds)
    found = []
    for row, column in empty.tolist():
        rough = gain[piece, cells] - gain[piece, row * shape[1] + column]
        beside = np.abs(cells // shape[1] - row) + np.abs(cells % shape[1] - column) == 1
        for place in np.flatnonzero((rough <= within + 1e-3) | beside).tolist():
            other = grid.copy()
            other.ravel()[cells[place]], other[row, column] = -1, piece[place]
            if (more := cost(other, odds) - before) <= within:
                found.append((more, int(piece[place])))
    return sorted(found)


def frames(grid: Grid, odds: Matrix) -> list[tuple[float, int, int]]:
    """Layouts that are cut elsewhere, rows or columns from one end going to the other: (cost, rows, columns) as of `np.roll`.

    A layout in the wrong frame has only one row or one column of wrong seams.
    """
    found = []
    for axis, one, other in ((0, grid, np.roll(grid, -1, 0)), (1, grid, np.roll(grid, -1, 1))):
        values = odds[1 - axis][one, other] * ((one >= 0) & (other >= 0))
        sums = values.sum(axis=1 - axis)
        for place, value in enumerate(sums[:-1].tolist()):
            move = len(sums) - 1 - place
            found.append((value - float(sums[-1]), move if axis == 0 else 0, move if axis == 1 else 0))
    return sorted(found)
