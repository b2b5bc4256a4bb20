"""Given elements."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.sets.set import Set


class Fixed(Set):
    """``y = values`` wherever ``mask`` is not 0: the givens of a problem, written again after every step.

    Both are inputs of the energy, so each problem has its own. As in Y. Du, J. Mao and J. B. Tenenbaum, "Learning
    Iterative Reasoning through Energy Diffusion" (IRED), ICML 2024.

    Args:
        mask: Name of an input that broadcasts against the state; bool, or numbers with 0 for free elements.
        values: Name of an input that broadcasts against the state.
    """

    def __init__(self, mask: str, values: str) -> None:
        super().__init__()
        self.mask, self.values = mask, values

    def forward(self, y: Tensor, inputs: Mapping[str, Tensor]) -> Tensor:
        for name in (self.mask, self.values):
            if name not in inputs:
                raise KeyError(f"Fixed reads the input {name!r}; the energy has {sorted(inputs)}.")
        return torch.where(inputs[self.mask] != 0, inputs[self.values].to(y.dtype), y)
