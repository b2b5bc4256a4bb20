"""Eliminates equations of one or two coordinates: fixed places, coincident points, horizontal and vertical lines, equal radii.

Every unknown becomes ``factor · z + offset`` of one of fewer unknowns ``z``, and the rows that hold by construction leave the
energy. Checks, proofs and reports keep all rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.system import CONSTANTS, Floats, Tables

EXACT = 1e-12
"""Size of a constant below which a row without unknowns holds, relative to its terms."""

MOST_FACTOR = 1e3
"""Bound on the ratio of two unknowns that are merged."""


@dataclass(frozen=True)
class Reduction:
    """Unknowns ``y = factor · z[alias] + offset``, and the rows that are left.

    Attributes:
        size: Number of unknowns ``z``.
        alias: For each unknown, its ``z``; 0 if it is fixed, ``(N,)``.
        factor: 0 if it is fixed, ``(N,)``.
        offset: ``(N,)``.
        rows: Rows that do not hold by construction, ``(K,)``.
    """

    size: int
    alias: NDArray[np.int64]
    factor: Floats
    offset: Floats
    rows: NDArray[np.bool_]

    def expand(self, z: Floats) -> Floats:
        """The unknowns ``(…, N)`` from the reduced ones, ``(…, size)``."""
        if not self.size:
            return np.broadcast_to(self.offset, (*z.shape[:-1], len(self.offset))).copy()
        return np.asarray(z[..., self.alias] * self.factor + self.offset)

    def reduce(self, y: Floats) -> Floats:
        """The reduced unknowns ``(…, size)`` of which the unknowns ``(…, N)`` are closest to the given ones, one by one."""
        z = np.zeros((*y.shape[:-1], self.size))
        for k in np.flatnonzero(self.factor)[::-1]:
            z[..., self.alias[k]] = (y[..., k] - self.offset[k]) / self.factor[k]
        return z


def reduction(tables: Tables) -> Reduction:
    """Merge unknowns by the equations of one or two unknowns, until no such equation is left."""
    merged = _Merged(tables.unknowns)
    linear = _linear_rows(tables)
    waiting = list(linear)
    while True:
        left = [row for row in waiting if not merged.take(*linear[row])]
        if len(left) == len(waiting):
            break
        waiting = left
    kept = np.ones(len(tables.constant), bool)
    kept[[row for row in linear if row not in set(waiting)]] = False
    every = [merged.root(k) for k in range(tables.unknowns)]
    roots, factor, offset = ([one[part] for one in every] for part in range(3))
    number = {root: place for place, root in enumerate(sorted({r for r, f in zip(roots, factor, strict=True) if f}))}
    alias = np.array([number[r] if f else 0 for r, f in zip(roots, factor, strict=True)], np.int64)
    return Reduction(len(number), alias, np.array(factor, np.float64), np.array(offset, np.float64), kept)


def _linear_rows(tables: Tables) -> dict[int, tuple[dict[int, float], float]]:
    """The equations that are linear in the unknowns: coefficients by unknown, and the constant."""
    n, base = tables.unknowns, tables.base
    constants = dict(enumerate(CONSTANTS, start=n))
    found: dict[int, tuple[dict[int, float], float]] = {}
    curved = set(np.flatnonzero(tables.least > 0).tolist())
    for c, i, j, row in zip(tables.coefficient, tables.first, tables.second, tables.row, strict=True):
        if row in curved:
            continue
        if i >= base or j >= base or (i < n and j < n):
            curved.add(int(row))
            continue
        terms, constant = found.get(int(row), ({}, float(tables.constant[row])))
        if i >= n and j >= n:
            constant += c * constants[int(i)] * constants[int(j)]
        else:
            unknown, other = (int(i), int(j)) if i < n else (int(j), int(i))
            terms[unknown] = terms.get(unknown, 0.0) + float(c) * constants[other]
        found[int(row)] = (terms, constant)
    return {row: one for row, one in found.items() if row not in curved}


class _Merged:
    """Union–find with affine relations: every unknown is ``factor · root + offset``; a fixed one has factor 0."""

    def __init__(self, n: int) -> None:
        self.parent = list(range(n))
        self.factor = [1.0] * n
        self.offset = [0.0] * n

    def root(self, k: int) -> tuple[int, float, float]:
        factor, offset = 1.0, 0.0
        while self.parent[k] != k:
            factor, offset = factor * self.factor[k], factor * self.offset[k] + offset
            k = self.parent[k]
        return k, factor * self.factor[k], factor * self.offset[k] + offset

    def take(self, terms: dict[int, float], constant: float) -> bool:
        """Use a row; False if it has more than two unknowns, or contradicts the others."""
        left: dict[int, float] = {}
        size = abs(constant)
        for k, c in terms.items():
            root, factor, offset = self.root(k)
            constant += c * offset
            size = max(size, abs(c * offset), abs(c * factor))
            left[root] = left.get(root, 0.0) + c * factor
        left = {k: c for k, c in left.items() if abs(c) > EXACT * max(size, 1e-300)}
        if not left:
            return abs(constant) <= EXACT * size
        if len(left) == 1:
            ((k, c),) = left.items()
            self.factor[k], self.offset[k] = 0.0, -constant / c
            return True
        if len(left) == 2:
            (k, c), (m, d) = left.items()
            if max(abs(c), abs(d)) <= MOST_FACTOR * min(abs(c), abs(d)):
                self.parent[m], self.factor[m], self.offset[m] = k, -c / d, -constant / d
                return True
        return False
