"""Elements between bounds."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.sets.set import Set


class Box(Set):
    """``low ≤ y ≤ high``, element by element.

    Args:
        low: A float, or a tensor that broadcasts against the state; ``-inf`` for none.
        high: Likewise; ``inf`` for none.

    Raises:
        ValueError: A bound is NaN, or ``low`` exceeds ``high`` somewhere.
    """

    low: Tensor
    high: Tensor

    def __init__(self, low: float | Tensor, high: float | Tensor) -> None:
        super().__init__()
        bounds = [torch.as_tensor(b, dtype=torch.get_default_dtype()).detach().clone() for b in (low, high)]
        if not bool((bounds[0] <= bounds[1]).all()):
            raise ValueError(f"Box from {low} to {high}; low must be at most high everywhere.")
        self.register_buffer("low", bounds[0], persistent=False)
        self.register_buffer("high", bounds[1], persistent=False)

    def forward(self, y: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        del inputs
        return torch.minimum(torch.maximum(y, self.low), self.high)
