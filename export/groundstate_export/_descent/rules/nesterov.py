"""Nesterov's accelerated gradient."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from groundstate_export._descent.rules.rule import Probe, State
from groundstate_export._descent.rules.step_sizes import Size, WithMomentum


class Nesterov(WithMomentum):
    """``v ← μ v − η ∇E(y)``, ``y ← y + μ v − η ∇E(y)``: momentum that looks ahead.

    Y. E. Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k²)", 1983; in the
    form of I. Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013, which
    takes the gradient at the stored tensor.

    Args:
        step_size: ``η``: a float, a tensor that broadcasts against the state, a `Schedule`, or a mapping with one for
            each state.
        momentum: ``μ`` in [0, 1): a float, or a tensor that broadcasts against the state.
        learn: Whether ``η`` and ``μ`` are trained (as a logarithm and a logit).
    """

    def __init__(self, step_size: Size, momentum: float | Tensor, *, learn: bool = False) -> None:
        super().__init__(step_size, momentum, learn)

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
            move = self.scaled_step_size(name, slope, step_scale, state) * slope
            velocity = self.momentum * state[f"{name}.velocity"] - move
            following[f"{name}.velocity"] = velocity
            following[name] = state[name] + self.momentum * velocity - move
        return following
