"""Whether pieces come from more than one picture."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from groundstate_models.jigsaw.layout import Grid
from groundstate_models.jigsaw.seams import Matrix

TRUSTED = 0.9
SHARE = 0.2
"""Of all pieces, what a picture of its own must have at least."""


def sources_of(grid: Grid, odds: Matrix, likely: Matrix) -> str:
    """A sentence where pieces fall into groups that fit well within, and hardly at all to each other; else nothing."""
    count = int((grid >= 0).sum())
    right, below = ((likely > TRUSTED) & (odds > 0)).astype(np.float32)
    # A seam counts as a link where it is part of a loop of four: borders of two pictures fit by chance now and then.
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
