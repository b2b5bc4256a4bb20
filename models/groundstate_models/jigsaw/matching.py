"""One place for each piece: the assignment of lowest cost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def assign(cost: NDArray[np.float64]) -> NDArray[np.int64]:
    """The column of each row in an assignment of lowest total cost.

    Shortest augmenting paths with dual prices (R. Jonker and A. Volgenant, "A shortest augmenting path algorithm for dense
    and sparse
    linear assignment problems", 1987), a row at a time.

    Args:
        cost: (rows, columns), finite, with at least as many columns as rows.

    Returns:
        (rows,), all different.
    """
    rows, columns = cost.shape
    prices = cost.min(axis=0).copy() if rows == columns else np.zeros(columns)
    of_column = np.full(columns, -1)
    of_row = np.full(rows, -1)
    reduced = cost - prices
    for row in range(rows):  # every row's cheapest column, if it is free
        column = int(reduced[row].argmin())
        if of_column[column] < 0 and reduced[row, column] == reduced[row].min():
            of_column[column], of_row[row] = row, column
    potential = np.array([(cost[row] - prices).min() for row in range(rows)])
    for row in np.flatnonzero(of_row < 0).tolist():
        _augment(cost, row, prices, potential, of_column, of_row)
    return of_row


def _augment(
    cost: NDArray[np.float64],
    start: int,
    prices: NDArray[np.float64],
    potential: NDArray[np.float64],
    of_column: NDArray[np.int64],
    of_row: NDArray[np.int64],
) -> None:
    """Assign one more row along the shortest augmenting path, in place."""
    columns = cost.shape[1]
    distance = np.full(columns, np.inf)
    before = np.full(columns, -1)
    done = np.zeros(columns, bool)
    row, reached, end = start, 0.0, -1
    while end < 0:
        step = reached + cost[row] - potential[row] - prices
        nearer = ~done & (step < distance - 1e-15)
        distance[nearer] = step[nearer]
        before[nearer] = row
        column = int(np.where(done, np.inf, distance).argmin())
        reached = float(distance[column])
        done[column] = True
        if of_column[column] < 0:
            end = column
        else:
            row = int(of_column[column])
    settled = np.flatnonzero(done)
    settled = settled[settled != end]
    potential[start] += reached
    potential[of_column[settled]] += reached - distance[settled]
    prices[settled] -= reached - distance[settled]
    while True:
        row = int(before[end])
        of_column[end] = row
        of_row[row], end = end, int(of_row[row])
        if row == start:
            return
