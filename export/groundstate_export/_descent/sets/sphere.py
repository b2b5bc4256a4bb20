"""Directions."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.rules.step_sizes import positive
from groundstate_export._descent.sets.set import Set

_LEAST = 1e-30


class Sphere(Set):
    """``‖y‖ = radius`` along the last dimension: ``y · radius / ‖y‖``.

    The projection of 0, which is equally near to all points, has equal elements. As in T. Miyato et al.,
    "Artificial Kuramoto Oscillatory Neurons" (AKOrN), ICLR 2025.

    Args:
        radius: Its radius.
    """

    def __init__(self, radius: float = 1.0) -> None:
        super().__init__()
        self.radius = positive("radius", radius)

    def forward(self, y: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        del inputs
        # Divided by the largest element first, so that no square is lost or overflows.
        largest = y.abs().amax(-1, keepdim=True)
        nowhere = largest < _LEAST
        scaled = torch.where(nowhere, torch.ones_like(y), y / torch.where(nowhere, torch.ones_like(largest), largest))
        return scaled * (self.radius / torch.sqrt((scaled * scaled).sum(-1, keepdim=True)))
