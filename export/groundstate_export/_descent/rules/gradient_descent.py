"""Plain gradient descent."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from groundstate_export._descent.rules.rule import Probe, State
from groundstate_export._descent.rules.step_sizes import Size, Sized


class GradientDescent(Sized):
    """``y ← y − η ∇E(y)``, with ``η`` a scalar, or one number for each element of the last dimension.

    A.-L. Cauchy, "Méthode générale pour la résolution des systèmes d'équations simultanées", 1847.

    Args:
        step_size: ``η``: a float, a tensor that broadcasts against the state, a `Schedule`, or a mapping with one for
            each state.
        learn: Whether ``η`` is trained (as its logarithm).
    """

    def __init__(self, step_size: Size, *, learn: bool = False) -> None:
        super().__init__(step_size, learn)

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
            following[name] = state[name] - self.scaled_step_size(name, slope, step_scale, state) * slope
        return following
