"""Whether forces can balance a load: a phase-1 simplex with a certificate either way, checked before it is returned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundstate_models.equilibrium.system import Floats

PIVOT = 1e-9
"""Smallest entry that the method pivots on."""

TOLERANCE = 1e-8
"""Largest error of a certificate, relative to the load."""

ABSURD = 1e5
"""Sum of the forces, relative to the load, that no balance needs."""

MOST_PIVOTS = 5000


@dataclass(frozen=True)
class Verdict:
    """The outcome, with one certificate or, if rounding leaves both open, none.

    Attributes:
        forces: Non-negative ``f`` with ``A f = b``, ``(n,)``; or None.
        motion: ``v`` with ``v·A ≥ 0`` and ``v·b < 0``, ``(m,)``, largest entry 1; or None (J. Farkas, 1902).
    """

    forces: Floats | None
    motion: Floats | None


def balanced(matrix: Floats, load: Floats) -> Verdict:
    """Find non-negative ``f`` with ``A f = b``, or prove that there are none.

    G. B. Dantzig's revised simplex method on the sum of the artificial variables; R. G. Bland's rule, which cannot cycle, where
    the objective stands still. "New finite pivoting rules for the simplex method", 1977.

    Args:
        matrix: ``A``, ``(m, n)``.
        load: ``b``, ``(m,)``.
    """
    m, n = matrix.shape
    size = max(float(np.abs(load).max(initial=0.0)), 1e-300)
    if not np.abs(load).max(initial=0.0) > 0:
        return Verdict(np.zeros(n), None)
    lengths = np.maximum(np.sqrt((matrix * matrix).sum(0)), 1e-12)
    sign = np.where(load < 0, -1.0, 1.0)
    columns = sign[:, None] * matrix / lengths
    # The inverse of the basis and the values of its variables; below, 1 − the prices of the rows, and minus the objective.
    table = np.zeros((m + 1, m + 1))
    table[:m, :m] = np.eye(m)
    table[:m, m] = np.abs(load) / size
    table[m, m] = -table[:m, m].sum()
    basis = np.arange(n, n + m)
    column = np.empty(m + 1)
    still, before = 0, np.inf
    for _ in range(MOST_PIVOTS if n else 0):
        if -table[m, m] < 1e-13:
            break
        costs = (table[m, :m] - 1.0) @ columns
        entering = int(costs.argmin()) if still < 30 else int((costs < -1e-10).argmax())
        cost = float(costs[entering])
        if cost >= -1e-10:
            break
        np.dot(table[:m, :m], columns[:, entering], out=column[:m])
        column[m] = cost
        rows = np.flatnonzero(column[:m] > PIVOT)
        if not len(rows):
            break
        ratios = table[rows, m] / column[rows]
        ties = rows[ratios <= ratios.min() + 1e-13]
        leaving = int(ties[np.argmin(basis[ties])]) if still >= 30 else int(ties[np.argmax(column[ties])])
        _pivot(table, leaving, column)
        basis[leaving] = entering
        value = -float(table[m, m])
        still = still + 1 if value > before - 1e-13 else 0
        before = value
    return _verdict(matrix, load, table, basis, sign, lengths, size)


def _pivot(table: Floats, leaving: int, column: Floats) -> None:
    row = table[leaving] / column[leaving]
    table -= column[:, None] * row
    table[leaving] = row


def _verdict(
    matrix: Floats, load: Floats, table: Floats, basis: Floats, sign: Floats, lengths: Floats, size: float
) -> Verdict:
    m, n = matrix.shape
    used = [int(k) for k in basis if k < n]
    forces = np.zeros(n)
    if used:
        chosen = matrix[:, used] / lengths[used]
        found = np.linalg.lstsq(chosen, load, rcond=1e-13)[0]
        forces[used] = np.maximum(found, 0.0) / lengths[used]
    if float(np.abs(matrix @ forces - load).max()) <= TOLERANCE * size:
        return Verdict(forces, None)
    dual = 1.0 - table[m, :m]
    motion = -dual * sign
    motion = motion / max(float(np.abs(motion).max()), 1e-300)
    opened, work = motion @ (matrix / lengths), float(motion @ load) / size
    # Forces f that balanced the load would give v·b = Σ f (v·A) ≥ −error · Σ f: the work must be beyond that for any forces that
    # are not absurd.
    error = max(-float(opened.min(initial=0.0)), 1e-13)
    if error <= TOLERANCE and work < -max(1e-6, ABSURD * error):
        return Verdict(None, motion)
    return Verdict(None, None)
