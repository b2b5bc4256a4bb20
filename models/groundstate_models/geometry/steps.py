"""Steps of a construction: some rows of a system over the unknowns that they need."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.system import Tables


@dataclass(frozen=True)
class Step:
    """One step: the unknowns that it places, the equations and inequalities that it must satisfy.

    Attributes:
        unknowns: Reduced unknowns, ``(s,)``.
        tables: The rows, over the unknowns of the step and then those that it knows.
        local: The full unknowns of ``tables``.
        near: Reduced unknowns, of which each new one starts near the mean; by new unknown.
    """

    unknowns: NDArray[np.int64]
    tables: Tables | None
    local: NDArray[np.int64]
    near: list[list[int]]


def places_of(tables: Tables, quantity: int) -> Sequence[int]:
    """The unknowns that a quantity depends on."""
    if quantity < tables.unknowns:
        return (quantity,)
    if quantity < tables.base:
        return ()
    ends, depth = tables.ends[quantity - tables.base], tables.depth[quantity - tables.base]
    every = {int(v) for e in ends for v in (e, e + 1)} | {int(v) for v in depth}
    return [v for v in every if v < tables.unknowns]


def compacted(tables: Tables, rows: NDArray[np.bool_]) -> tuple[Tables, NDArray[np.int64]]:
    """Some rows of a system over the unknowns that they need, and those unknowns. Points keep their coordinates together."""
    edges = rows[tables.row]
    used = np.unique(np.concatenate([tables.first[edges], tables.second[edges]]))
    need: set[int] = set()
    for quantity in used.tolist():
        need.update(places_of(tables, quantity))
        if quantity >= tables.base:
            need.update(int(v) for e in tables.ends[quantity - tables.base] for v in (e, e + 1) if v < tables.unknowns)
    local = np.array(sorted(need), np.int64)
    # Old places to new: unknowns, then the constants, then the measures that are used.
    place = np.zeros(tables.base + len(tables.kind), np.int64)
    place[local] = np.arange(len(local))
    place[tables.unknowns : tables.base] = len(local) + np.arange(tables.base - tables.unknowns)
    measures = used[used >= tables.base]
    base = len(local) + tables.base - tables.unknowns
    place[measures] = base + np.arange(len(measures))
    number = np.cumsum(rows) - 1
    kept = measures - tables.base
    return replace(
        tables,
        unknowns=len(local),
        kind=tables.kind[kept],
        ends=place[tables.ends[kept]].reshape(-1, 4),
        depth=place[tables.depth[kept]].reshape(-1, 4),
        coefficient=tables.coefficient[edges],
        first=place[tables.first[edges]],
        second=place[tables.second[edges]],
        row=number[tables.row[edges]],
        constant=tables.constant[rows],
        least=tables.least[rows],
        source=tables.source[rows],
    ), local
