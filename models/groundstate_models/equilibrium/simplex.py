"""Whether forces can balance a load: a phase-1 simplex with a certificate either way, checked before it is returned."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundstate_models.equilibrium.system import Floats

PIVOT = 1e-9
"""Smallest entry that the method pivots on."""

TOLERANCE = 1e-8
"""Largest error of a certificate, relative to the load."""

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

    G. B. Dantzig's simplex method on the sum of the artificial variables; R. G. Bland's rule, which cannot cycle, where the
    objective stands still. "New finite pivoting rules for the simplex method", 1977.

    Args:
        matrix: ``A``, ``(m, n)``.
        load: ``b``, ``(m,)``.
    """
    m, n = matrix.shape
    size = max(float(np.abs(load).max(initial=0.0)), 1e-300)
    if not np.abs(load).max(initial=0.0) > 0:
        return Verdict(np.zeros(n), None)
    lengths = np.maximum(np.linalg.norm(matrix, axis=0), 1e-12)
    sign = np.where(load < 0, -1.0, 1.0)
    table = np.zeros((m + 1, n + m + 1))
    table[:m, :n] = sign[:, None] * matrix / lengths
    table[:m, n : n + m] = np.eye(m)
    table[:m, -1] = np.abs(load) / size
    table[m, :n] = -table[:m, :n].sum(0)
    table[m, -1] = -table[:m, -1].sum()
    basis = np.arange(n, n + m)
    still, before = 0, np.inf
    for _ in range(MOST_PIVOTS):
        costs = table[m, :n]
        entering = int(np.argmin(costs)) if still < 30 else int(np.argmax(costs < -1e-10))
        if costs[entering] >= -1e-10 or -table[m, -1] < 1e-13:
            break
        column = table[:m, entering]
        able = column > PIVOT
        if not able.any():
            break
        ratios = np.where(able, table[:m, -1] / np.where(able, column, 1.0), np.inf)
        least = float(ratios.min())
        ties = np.flatnonzero(ratios <= least + 1e-13)
        leaving = int(ties[np.argmin(basis[ties])]) if still >= 30 else int(ties[np.argmax(column[ties])])
        _pivot(table, leaving, entering)
        basis[leaving] = entering
        value = -float(table[m, -1])
        still = still + 1 if value > before - 1e-13 else 0
        before = value
    return _verdict(matrix, load, table, basis, sign, lengths, size)


def _pivot(table: Floats, leaving: int, entering: int) -> None:
    table[leaving] /= table[leaving, entering]
    factors = table[:, entering].copy()
    factors[leaving] = 0.0
    table -= np.outer(factors, table[leaving])


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
    dual = 1.0 - table[m, n : n + m]
    motion = -dual * sign
    motion = motion / max(float(np.abs(motion).max()), 1e-300)
    opened, work = motion @ (matrix / lengths), float(motion @ load) / size
    if opened.min(initial=0.0) >= -TOLERANCE and work < -1e-6:
        return Verdict(None, motion)
    return Verdict(None, None)
