"""Small quadratic programs: the least squared move that satisfies linear inequalities and equalities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_REGULAR = 1e-11


def least_move(
    slopes: Floats, least: Floats, equal: NDArray[np.bool_], give: Floats, most: int = 400
) -> tuple[Floats, Floats]:
    """Minimise ``½‖d‖² + ½ Σ s²/give`` subject to ``slopes @ d + s ≥ least`` (or ``=``), with ``s = 0`` where ``give`` is 0.

    The dual, ``½ λᵀ H λ − λᵀ least`` with ``λ ≥ 0``, is solved by an active set (C. L. Lawson and R. J. Hanson, "Solving Least
    Squares Problems", 1974, chapter 23).

    Args:
        slopes: ``(m, n)``.
        least: ``(m,)``.
        equal: Whether a row is an equation, ``(m,)``.
        give: How soft each row is, ``(m,)``.
        most: Steps at most.

    Returns:
        ``d`` and ``λ``. If the rows contradict each other, some are violated.
    """
    # A row that nothing moves says nothing about the move.
    moving = np.abs(slopes).max(1, initial=0.0) > 1e-12
    if not moving.all():
        multiplier = np.zeros(len(least))
        move, multiplier[moving] = least_move(slopes[moving], least[moving], equal[moving], give[moving], most)
        return move, multiplier
    m = len(least)
    if m == 0:
        return np.zeros(slopes.shape[1]), np.zeros(0)
    h = slopes @ slopes.T
    h[np.diag_indices(m)] += give + _REGULAR * max(1.0, float(np.abs(h).max(initial=0.0)))
    active = equal.copy()
    multiplier = np.zeros(m)
    if active.any():
        multiplier[active] = np.linalg.solve(h[np.ix_(active, active)], least[active])
    for _ in range(most):
        lack = least - h @ multiplier
        lack[active] = -1.0
        worst = int(lack.argmax())
        if lack[worst] <= 1e-12:
            break
        active[worst] = True
        for _ in range(m + 1):
            where = np.flatnonzero(active)
            tried = np.zeros(m)
            tried[where] = np.linalg.solve(h[np.ix_(where, where)], least[where])
            bad = where[(tried[where] <= 0) & ~equal[where]]
            if not len(bad):
                multiplier = tried
                break
            before = multiplier[bad]
            ratio = before / np.maximum(before - tried[bad], 1e-300)
            step = float(ratio.min())
            multiplier = multiplier + step * (tried - multiplier)
            gone = bad[ratio <= step * (1 + 1e-12) + 1e-300]
            active[gone] = False
            multiplier[gone] = 0.0
    return slopes.T @ multiplier, multiplier
