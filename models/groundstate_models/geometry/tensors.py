"""Converts a system to the inputs of the exported energy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.system import CONSTANTS, MEASURES, Floats, Tables

VALUE = len(MEASURES)
"""The kind of a measure that is just an unknown or a constant."""

COARSE = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)


def rounded(size: int) -> int:
    """Round up to one of a few sizes, so that problems of similar size share a batch."""
    return next((some for some in COARSE if some >= size), -(-size // 512) * 512)


Sizes = tuple[int, int, int, int]
"""Unknowns, measures, rows and edges."""


def needed(tables: Tables) -> Sizes:
    """The smallest sizes that fit a system."""
    used = {int(q) for q in (*tables.first, *tables.second) if q < tables.base}
    measures = max(len(tables.kind) + len(used), 1)
    return tables.base + 1, measures, max(len(tables.constant), 1), max(len(tables.row), 1)


def tensors(tables: Tables, sizes: Sizes | None = None) -> dict[str, NDArray[Any]]:
    """The energy's inputs, without the batch, padded to rounded sizes; the padding has no effect."""
    n, base = tables.unknowns, tables.base
    used = sorted({int(q) for q in (*tables.first, *tables.second) if q < base})
    place = np.full(base + len(tables.kind), 0)
    place[base:] = np.arange(len(tables.kind))
    place[used] = len(tables.kind) + np.arange(len(used))
    unknowns, measures, rows, edges = sizes or [rounded(size) for size in needed(tables)]
    free, fixed = np.zeros(unknowns), np.zeros(unknowns)
    free[:n] = 1.0
    fixed[n:base] = CONSTANTS
    zero, x, y = n + 1, n + 3, n + 5
    ends = np.tile(np.array([zero, x, zero, y]), (measures, 1))
    kind = np.zeros((measures, VALUE + 1))
    kind[np.arange(len(tables.kind)), tables.kind] = 1.0
    ends[: len(tables.kind)] = tables.ends
    for number, quantity in enumerate(used, start=len(tables.kind)):
        kind[number, VALUE] = 1.0
        ends[number, :2] = zero, quantity
    first, second = _filled(place[tables.first], edges), _filled(place[tables.second], edges)
    row = _filled(tables.row, edges)
    return {
        "free": free,
        "fixed": fixed,
        "kind": kind,
        "ends": ends,
        "first": first,
        "second": second,
        "row": row,
        "into_first": row * measures + first,
        "into_second": row * measures + second,
        "coefficient": _filled(tables.coefficient, edges),
        "constant": _filled(tables.constant, rows),
        "least": _filled(tables.least, rows),
    }


def _filled(values: NDArray[Any], length: int) -> NDArray[Any]:
    whole = np.zeros(length, values.dtype)
    whole[: len(values)] = values
    return whole


def unknowns(tables: Tables, values: NDArray[Any]) -> Floats:
    """Extract the system's unknowns from an answer's tensor."""
    return np.asarray(values, np.float64)[..., : tables.unknowns]


def values(tables: Tables, y: Floats, length: int) -> Floats:
    """Build an answer's tensor from the system's unknowns."""
    whole = np.zeros(length)
    whole[: tables.unknowns] = y
    whole[tables.unknowns : tables.base] = CONSTANTS
    return whole
