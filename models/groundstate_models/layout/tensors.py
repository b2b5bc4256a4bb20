"""Converts a system to the inputs of the exported energy."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.layout.rows import Atom, Clause, Pair, System
from groundstate_models.layout.shapes import Convex

ALTERNATIVES, ATOMS, ENDS = 8, 4, 3
"""Alternatives of a clause, atoms of an alternative, ends of an atom. `energy` has the same."""

FAR = 1e3
"""A bound that nothing reaches."""

COARSE = (2, 4, 6, 8, 10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 384, 512, 768, 1024)

TURNINGS = ("none", "quarter", "free")

Sizes = tuple[int, int, int, int, int, int]
"""Items, parts, pairs, atoms, clauses and rows."""

Arrays = dict[str, NDArray[Any]]


def rounded(size: int) -> int:
    """Round up to one of a few sizes, so that problems of similar size share a batch."""
    return next((some for some in COARSE if some >= size), -(-size // 512) * 512)


def needed(system: System) -> Sizes:
    """The smallest sizes that fit a system."""
    atoms = len({atom for clause in system.clauses for one in clause.alternatives for atom in one})
    pairs, clauses = len(system.pairs), len(system.clauses)
    return len(system.bodies), len(system.parts), max(pairs, 1), atoms + 1, max(clauses, 1), pairs + clauses + 1


def tensors(system: System, sizes: Sizes | None = None) -> Arrays:
    """The energy's inputs, without the batch, padded to rounded sizes; the padding has no effect."""
    items, parts, pairs, atoms, clauses, rows = sizes or [rounded(size) for size in needed(system)]
    return {
        **_bodies(system, items),
        **_parts(system, parts),
        **_pairs(system, pairs, rows),
        **_clauses(system, atoms, clauses, rows),
        **_rows(system, rows),
    }


def _bodies(system: System, items: int) -> Arrays:
    anchor, spread = np.zeros((items, 2)), np.zeros((items, 2))
    turning, facing = np.zeros((items, 3)), np.zeros((items, 2))
    turning[:, 0], facing[:, 0] = 1.0, 1.0
    for k, body in enumerate(system.bodies):
        anchor[k], spread[k] = body.anchor, body.spread
        turning[k] = [body.turning == name for name in TURNINGS]
        facing[k] = math.cos(body.angle), math.sin(body.angle)
    return {"anchor": anchor, "spread": spread, "turning": turning, "facing": np.round(facing, 15) + 0.0}


def faces(shape: Convex) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Four corners ``(4, 2)``, outward normals ``(4, 2)`` and their levels ``(4,)``, radius included."""
    given = list(shape.corners)
    corners = np.array([given[min(k, len(given) - 1)] for k in range(4)])
    normals = np.array([[0.0, -1.0], [1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    if len(given) > 1:
        for k, (a, b) in enumerate(zip(given, [*given[1:], given[0]], strict=True)):
            size = math.dist(a, b)
            normals[k] = (b[1] - a[1]) / size, (a[0] - b[0]) / size
        normals[len(given) :] = normals[0]
    return corners, normals, (corners @ normals.T).max(0) + shape.radius


def _parts(system: System, count: int) -> Arrays:
    owner, radius = np.zeros(count, np.int64), np.zeros(count)
    corners, normals, levels = np.zeros((count, 4, 2)), np.zeros((count, 4, 2)), np.zeros((count, 4))
    normals[:] = faces(Convex(((0.0, 0.0),)))[1]
    for k, part in enumerate(system.parts):
        owner[k], radius[k] = part.item, part.shape.radius
        corners[k], normals[k], levels[k] = faces(part.shape)
    return {
        "owner": owner,
        "corners": corners.reshape(count, 8),
        "normals": normals.reshape(count, 8),
        "levels": levels,
        "radius": radius,
    }


def _weights(strength: float) -> tuple[float, float]:
    """A row's weight, and whether it is required."""
    return (1.0, 1.0) if math.isinf(strength) else (WISH * math.sqrt(strength), 0.0)


WISH = 0.05
"""The weight of a wish of strength 1 beside what is required."""


def _rows(system: System, count: int) -> Arrays:
    """Bounds and weights of the pairs' rows, then of the clauses'. The last row is free, for the padding."""
    bounds, weight = np.tile([-FAR, FAR], (count, 1)), np.zeros((count, 2))
    some: list[Pair | Clause] = [*system.pairs, *system.clauses]
    for k, row in enumerate(some):
        bounds[k] = max(row.low, -FAR), min(row.high, FAR)
        weight[k] = _weights(row.strength)
    return {"bounds": bounds, "weight": weight}


def _pairs(system: System, count: int, rows: int) -> Arrays:
    first, second = np.zeros(count, np.int64), np.zeros(count, np.int64)
    row = np.full(count, rows - 1)
    row[: len(system.pairs)] = np.arange(len(system.pairs))
    for k, pair in enumerate(system.pairs):
        first[k], second[k] = pair.first, pair.second
    return {"first": first, "second": second, "pair_row": row}


def _clauses(system: System, atoms: int, clauses: int, rows: int) -> Arrays:
    table: dict[Atom, int] = {}
    index = np.full((clauses, ALTERNATIVES, ATOMS), 0, np.int64)
    row = np.full(clauses, rows - 1)
    row[: len(system.clauses)] = len(system.pairs) + np.arange(len(system.clauses))
    for k, clause in enumerate(system.clauses):
        for a in range(ALTERNATIVES):
            some = clause.alternatives[min(a, len(clause.alternatives) - 1)]
            for c in range(ATOMS):
                index[k, a, c] = table.setdefault(some[min(c, len(some) - 1)], len(table) + 1)
    frame, level = np.zeros(atoms, np.int64), np.zeros(atoms)
    toward = np.tile([1.0, 0.0], (atoms, 1))
    ends, sides = np.zeros((atoms, ENDS), np.int64), np.zeros((atoms, ENDS), np.int64)
    shares = np.zeros((atoms, ENDS))
    for atom, k in table.items():
        frame[k], toward[k], level[k] = atom.frame, atom.toward, atom.level
        for e, end in enumerate(atom.ends):
            ends[k, e], sides[k, e], shares[k, e] = end.part, end.side, end.share
    return {
        "frame": frame,
        "toward": toward,
        "ends": ends,
        "sides": sides,
        "shares": shares,
        "level": level,
        "clause": index.reshape(clauses, ALTERNATIVES * ATOMS),
        "clause_row": row,
    }
