"""Step sizes from the running mean of squared gradients."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.initial import Constant
from groundstate_export._descent.rules.rule import Probe, Slot, State, merged
from groundstate_export._descent.rules.step_sizes import Size, Sized, fraction, positive

_LEAST = 1e-30
"""Added under a root: far smaller than ``eps``, and keeps the root's derivative finite at 0."""


def root(square: Tensor) -> Tensor:
    """The square root of running squares, with a finite derivative at 0."""
    return torch.sqrt(square.clamp_min(_LEAST))


class RMSProp(Sized):
    """``s ← α s + (1 − α) ∇E²``, ``y ← y − η ∇E / (√s + ε)``, element by element.

    T. Tieleman and G. Hinton, "Lecture 6.5: RMSProp", COURSERA Neural Networks for Machine Learning, 2012.

    Args:
        step_size: ``η``: a float, a tensor that broadcasts against the state, a `Schedule`, or a mapping with one for
            each state.
        smoothing: ``α`` in [0, 1).
        eps: ``ε``, positive.
        learn: Whether ``η`` is trained (as its logarithm).
    """

    def __init__(self, step_size: Size, *, smoothing: float = 0.99, eps: float = 1e-8, learn: bool = False) -> None:
        super().__init__(step_size, learn)
        self.smoothing, self.eps = fraction("smoothing", smoothing), positive("eps", eps)

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        squares = {f"{name}.square": Slot(torch.zeros_like(y), Constant(0.0)) for name, y in state.items()}
        return merged(squares, super().slots(state, probe))

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        del noise, probe
        following = self.advanced(state)
        for name, slope in gradient.items():
            square = self.smoothing * state[f"{name}.square"] + (1 - self.smoothing) * slope * slope
            following[f"{name}.square"] = square
            step_size = self.scaled_step_size(name, slope, step_scale, state)
            following[name] = state[name] - step_size * slope / (root(square) + self.eps)
        return following
