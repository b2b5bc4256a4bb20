"""Detects pieces from more than one picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.layout import Grid
from groundstate_models.jigsaw.seams import Matrix

TRUSTED = 0.9
SHARE = 0.2
"""Smallest share of all pieces that counts as a separate picture."""


def sources_of(grid: Grid, odds: Matrix, likely: Matrix) -> str:
    """A sentence if the pieces form groups that fit within but not to each other; otherwise empty."""
    count = int((grid >= 0).sum())
    right, below = ((likely > TRUSTED) & (odds > 0)).astype(np.float32)
    # A seam is a link only in a loop of four: borders of two pictures sometimes fit by chance.
    looped = [
        right * (below @ right @ below.T + below.T @ right @ below),
        below * (right @ below @ right.T + right.T @ below @ right),
    ]
    linked = (looped[0] + looped[1]) > 0
    groups = _groups(np.asarray(linked | linked.T))
    large = [group for group in groups if len(group) >= max(SHARE * count, 3)]
    if len(large) < 2:
        return ""
    listed = " and ".join(f"{len(group)} pieces ({', '.join(map(str, group[:3]))}, …)" for group in large)
    return f"The pieces fall into {len(large)} groups without a likely seam between them: {listed}. Are these several pictures?"


def _groups(linked: NDArray[np.bool_]) -> list[list[int]]:
    """Connected pieces, largest group first."""
    label = np.arange(len(linked))
    while True:
        lowest = np.where(linked | np.eye(len(linked), dtype=bool), label[None], len(linked)).min(axis=1)
        if (lowest == label).all():
            break
        label = lowest
    return sorted(([int(i) for i in np.flatnonzero(label == one)] for one in np.unique(label)), key=len, reverse=True)
