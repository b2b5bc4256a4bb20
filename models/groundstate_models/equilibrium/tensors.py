"""Converts a system to the inputs of the exported energy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.equilibrium.system import HARD, Floats, System

COARSE = (2, 4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048)

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
    return {
        "centre": _filled(system.centre, triples),
        "spread": _filled(system.spread, triples),
        "radius": _filled(system.radius, triples),
        "force": _filled(system.force, triples),
        "shake": _filled(system.shake, triples),
        "hops": np.array([float(system.hops)]),
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
    }


def _filled(values: Floats, length: int) -> Floats:
    whole = np.zeros((length, *values.shape[1:]))
    whole[: len(values)] = values
    return whole
