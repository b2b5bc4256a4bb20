"""Converts a system to the inputs of the exported energy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.presolve import Reduction
from groundstate_models.geometry.system import CONSTANTS, MEASURES, Tables

VALUE = len(MEASURES)
"""The kind of a measure that is just an unknown or a constant."""

COARSE = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)


def rounded(size: int) -> int:
    """Round up to one of a few sizes, so that problems of similar size share a batch."""
    return next((some for some in COARSE if some >= size), -(-size // 512) * 512)


Sizes = tuple[int, int, int, int, int]
"""Unknowns, places (unknowns and constants before they were merged), measures, rows and edges."""


def needed(tables: Tables, reduction: Reduction) -> Sizes:
    """The smallest sizes that fit a system."""
    _, measures, rows, edges = _used(tables, reduction)
    return max(reduction.size, 1), tables.base, max(measures, 1), max(rows, 1), max(edges, 1)


def _used(tables: Tables, reduction: Reduction) -> tuple[NDArray[np.int64], int, int, int]:
    """The quantities in the rows that are left, except unknowns and constants; and the numbers of measures, rows and edges."""
    edges = reduction.rows[tables.row] if len(tables.row) else np.zeros(0, bool)
    used = np.unique(np.concatenate([tables.first[edges], tables.second[edges]]))
    return used, len(used), int(reduction.rows.sum()), int(edges.sum())


def tensors(tables: Tables, reduction: Reduction, sizes: Sizes | None = None) -> dict[str, NDArray[Any]]:
    """The energy's inputs, without the batch, padded to rounded sizes; the padding has no effect."""
    n, base = tables.unknowns, tables.base
    used = _used(tables, reduction)[0]
    place = np.zeros(base + len(tables.kind), np.int64)
    place[used] = np.arange(len(used))
    unknowns, places, measures, rows, edges = sizes or [rounded(size) for size in needed(tables, reduction)]
    open_, free, fixed, alias = np.zeros(unknowns), np.zeros(places), np.zeros(places), np.zeros(places, np.int64)
    open_[: reduction.size] = 1.0
    free[:n], fixed[:n], alias[:n] = reduction.factor, reduction.offset, reduction.alias
    fixed[n:base] = CONSTANTS
    zero, x, y = n + 1, n + 3, n + 5
    ends, depth = np.tile(np.array([zero, x, zero, y]), (measures, 1)), np.full((measures, 4), zero)
    kind = np.zeros((measures, VALUE + 1))
    for number, quantity in enumerate(used.tolist()):
        if quantity < base:
            kind[number, VALUE] = 1.0
            ends[number, :2] = zero, quantity
        else:
            kind[number, tables.kind[quantity - base]] = 1.0
            ends[number], depth[number] = tables.ends[quantity - base], tables.depth[quantity - base]
    left = reduction.rows[tables.row] if len(tables.row) else np.zeros(0, bool)
    number_of = np.cumsum(reduction.rows) - 1
    first, second = _filled(place[tables.first[left]], edges), _filled(place[tables.second[left]], edges)
    row = _filled(number_of[tables.row[left]], edges)
    return {
        "open": open_,
        "free": free,
        "fixed": fixed,
        "alias": alias,
        "kind": kind,
        "ends": ends,
        "depth": depth,
        "first": first,
        "second": second,
        "row": row,
        "into_first": row * measures + first,
        "into_second": row * measures + second,
        "coefficient": _filled(tables.coefficient[left], edges),
        "constant": _filled(tables.constant[reduction.rows], rows),
        "least": _filled(tables.least[reduction.rows], rows),
    }


def _filled(values: NDArray[Any], length: int) -> NDArray[Any]:
    whole = np.zeros(length, values.dtype)
    whole[: len(values)] = values
    return whole
