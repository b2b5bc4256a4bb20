"""Converts a system to the inputs of the exported energy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.equilibrium.system import HARD, Floats, System

COARSE = (2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)

MOST_DENSE = 127
"""Points up to which pairs have dense tables."""

FAR = 1e3
"""Offset of rows that stand for nothing: their gap is open."""


def rounded(size: int) -> int:
    """Round up to one of a few sizes, so that problems of similar size share a batch."""
    return next((some for some in COARSE if some >= size), -(-size // 1024) * 1024)


def tensors(system: System) -> dict[str, NDArray[Any]]:
    """The energy's inputs, without the batch, padded to rounded sizes; the padding has no effect."""
    count = len(system.centre)
    triples = rounded(count + 1)
    spare = count
    edges = rounded(len(system.edges))
    rows = rounded(len(system.rows))
    entries = rounded(sum(len(row.entries) for row in system.rows))
    corners, sides = rounded(len(system.corners)), rounded(len(system.sides))
    law, end = np.zeros((edges, 11)), np.full((edges, 2), spare, np.int64)
    law[:, 6] = law[:, 9] = law[:, 10] = 1.0
    if system.edges:
        table = system.law
        law[: len(table)] = table[:, :11]
        hard = np.array([e.hard for e in system.edges])
        law[: len(table)][hard, 0] = HARD
        end[: len(table)] = table[:, 11:13].astype(np.int64)
    stiff, offset, both = np.zeros(rows), np.full(rows, FAR), np.zeros(rows)
    entry_row, entry_triple = np.zeros(entries, np.int64), np.full(entries, spare, np.int64)
    entry = np.zeros((entries, 3))
    place = 0
    for number, row in enumerate(system.rows):
        stiff[number], offset[number], both[number] = row.stiffness, row.offset, float(row.both)
        for triple, c in row.entries:
            entry_row[place], entry_triple[place], entry[place] = number, triple, c
            place += 1
    corner, torsion = np.zeros((corners, 3), np.int64), np.zeros((corners, 3))
    for number, one in enumerate(system.corners):
        corner[number] = one.a, one.b, one.c
        torsion[number] = one.stiffness, np.cos(one.rest), np.sin(one.rest)
    corner[len(system.corners) :] = spare
    side, pressure = np.full((sides, 2), spare, np.int64), np.zeros(sides)
    for number, (a, b, p) in enumerate(system.sides):
        side[number], pressure[number] = (a, b), p
    dense = pairs_alone(system)
    points = triples if dense else 1
    law_of = np.zeros((7, points, points))
    law_of[2] = law_of[5] = law_of[6] = 1.0
    if dense:
        first, second = table[:, 11].astype(np.int64), table[:, 12].astype(np.int64)
        law_of[:, first, second] = law_of[:, second, first] = table[:, 4:11].T
    return {
        "centre": _filled(system.centre, triples),
        "spread": _filled(system.spread, triples),
        "radius": _filled(system.radius, triples),
        "force": _filled(system.force, triples),
        "shake": _filled(system.shake, triples),
        "hops": np.array([0.0 if dense else float(system.hops)]),
        "end": end,
        "law": law,
        "stiff": stiff,
        "offset": offset,
        "both": both,
        "entry_row": entry_row,
        "entry_triple": entry_triple,
        "entry": entry,
        "corner": corner,
        "torsion": torsion,
        "side": side,
        "pressure": pressure,
        "pair_law": law_of,
        "pair_of": np.eye(points, triples),
        "pair_hops": np.array([float(system.hops) if dense else 0.0]),
    }


def pairs_alone(system: System) -> bool:
    """Whether potentials between different pairs are all that acts, among few enough points for dense tables."""
    if not system.edges or len(system.centre) > MOST_DENSE or system.rows or system.corners or system.sides:
        return False
    table = system.law
    ends = np.sort(table[:, 11:13], axis=1)
    several = len(np.unique(ends, axis=0)) < len(ends)
    return not (several or table[:, 0].any() or any(e.hard for e in system.edges) or system.force.any())


def _filled(values: Floats, length: int) -> Floats:
    whole = np.zeros((length, *values.shape[1:]))
    whole[: len(values)] = values
    return whole
