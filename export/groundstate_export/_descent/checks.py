"""The number of violations of each check, and the largest excess."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

Tolerances = Mapping[str, float | None]
"""The tolerance of each check by name; None, or a missing name, for a check that counts."""


def violations(found: Mapping[str, Tensor], tolerances: Tolerances) -> Tensor:
    """The number of violations of each check, int64 ``(batch, C)``.

    Args:
        found: The results of the caller's checks: counts, or amounts.
        tolerances: An amount is violated unless it is at most the tolerance, so NaN is violated.
    """
    columns = []
    for name, one in found.items():
        tolerance = tolerances.get(name)
        broken = _wide(one) if tolerance is None else ~(_wide(one) <= tolerance)
        columns.append(broken.to(torch.int64).sum(1))
    return torch.stack(columns, dim=1)


def excess(found: Mapping[str, Tensor], tolerances: Tolerances) -> Tensor:
    """The largest excess over each check's tolerance, float32 ``(batch, C)``; for a check that counts, the count."""
    columns = []
    for name, one in found.items():
        tolerance = tolerances.get(name)
        if tolerance is None:
            columns.append(_wide(one).to(torch.int64).sum(1).to(torch.float32))
            continue
        wide = _wide(one)
        above = torch.where(wide > tolerance, wide - tolerance, torch.full_like(wide, torch.inf))
        columns.append(torch.where(wide <= tolerance, torch.zeros_like(wide), above).amax(1).to(torch.float32))
    return torch.stack(columns, dim=1)


def _wide(found: Tensor) -> Tensor:
    return found.reshape(found.shape[0], -1)
