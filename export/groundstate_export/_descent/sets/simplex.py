"""Non-negative weights with a fixed sum."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.rules.step_sizes import positive
from groundstate_export._descent.sets.set import Set


class Simplex(Set):
    """``y ≥ 0`` and ``Σ y = total`` along the last dimension: the Euclidean projection ``max(y − θ, 0)``.

    ``θ`` comes from sorting: J. Duchi et al., "Efficient Projections onto the ℓ₁-Ball for Learning in High
    Dimensions", ICML 2008, figure 1.

    Args:
        total: The sum of the elements.
    """

    def __init__(self, total: float = 1.0) -> None:
        super().__init__()
        self.total = positive("total", total)

    def forward(self, y: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        del inputs
        size = y.shape[-1]
        # The projection is the same for y plus a constant; with the largest element at 0 the sums lose no digits.
        shifted = y - y.amax(-1, keepdim=True)
        falling, _ = torch.sort(shifted, dim=-1, descending=True)
        places = torch.arange(1, size + 1, dtype=y.dtype, device=y.device)
        thresholds = (falling.cumsum(-1) - self.total) / places
        # Each number k of positive elements suggests a threshold. The greatest one is right: any other number of elements
        # suggests a lower one.
        return torch.relu(shifted - thresholds.amax(-1, keepdim=True))
