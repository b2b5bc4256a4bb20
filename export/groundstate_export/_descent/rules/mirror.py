"""Multiplicative descent on the simplex."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.rules.rule import Probe, State, where_moving
from groundstate_export._descent.rules.step_sizes import Size, Sized
from groundstate_export._descent.sets.simplex import Simplex

_LEAST = 1e-30


class MirrorDescent(Sized):
    """``y ← y · exp(−η ∇E) / Σ y · exp(−η ∇E)`` along the last dimension: descent on the simplex without a projection.

    A. Nemirovski and D. Yudin, "Problem Complexity and Method Efficiency in Optimization", 1983; with the entropy as
    in J. Kivinen and M. K. Warmuth, "Exponentiated Gradient versus Gradient Descent for Linear Predictors", 1997. All
    minimised tensors lie on the simplex. Elements stay positive; an element that is 0 stays 0. A segment starts from
    the elements above 0, divided by their sum. ``residual`` is the norm of ``y − P(y − ∇E)`` with the Euclidean
    projection ``P``.

    Args:
        step_size: ``η``: a float, a tensor that broadcasts against the state, a `Schedule`, or a mapping with one for
            each state.
        learn: Whether ``η`` is trained (as its logarithm).
    """

    def __init__(self, step_size: Size, *, learn: bool = False) -> None:
        super().__init__(step_size, learn)
        self._simplex = Simplex()

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
            y = state[name]
            logits = torch.log(y.clamp_min(_LEAST)) - self.scaled_step_size(name, slope, step_scale, state) * slope
            moved = torch.where(y > 0, torch.softmax(logits, dim=-1), torch.zeros_like(y))
            following[name] = where_moving(step_scale, _shared_out(moved), y)
        return following

    def feasible(self, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        del inputs
        return {name: y if "." in name else _shared_out(y.clamp_min(_LEAST)) for name, y in state.items()}

    def residuals(self, probe: Probe, gradient: Mapping[str, Tensor]) -> dict[str, Tensor]:
        points = {name: probe.state[name] for name in gradient}
        return {name: y - self._simplex(y - gradient[name], probe.inputs) for name, y in points.items()}


def _shared_out(y: Tensor) -> Tensor:
    return y / y.sum(-1, keepdim=True)
