"""The features of a table's rows that the experts compare: one scale for each ordered column, indicators for each level else."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from groundstate_training.learning._network import Shape


def sources(shape: Shape) -> list[int]:
    """The column of each feature."""
    found = list(range(shape.numbers))
    for k, (many, points) in enumerate(zip(shape.levels, _points(shape), strict=True)):
        found += [shape.numbers + k] * (1 if points else many)
    return found


def features(shape: Shape, numbers: Tensor, levels: Sequence[Tensor]) -> Tensor:
    """The features of rows, ``(…, features)``.

    Args:
        shape: Columns of the table.
        numbers: On the normal scale, ``(…, numbers)``.
        levels: Probabilities of the levels of each further column, ``(…, levels)``.
    """
    parts = [numbers]
    for level, points in zip(levels, _points(shape), strict=True):
        parts.append((level * torch.tensor(points)).sum(-1, keepdim=True) if points else level)
    return torch.cat(parts, -1)


def _points(shape: Shape) -> Sequence[tuple[float, ...]]:
    return shape.points or [()] * len(shape.levels)
