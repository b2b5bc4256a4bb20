"""Gradient normalisation."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.evaluate import squared_norm
from groundstate_export._descent.rules.rule import Probe, Rule, State, Wrapper, per_chain
from groundstate_export._descent.rules.step_sizes import positive


class Normalised(Wrapper):
    """``∇E ← ∇E / max(‖∇E‖, ε)``, the norm over all minimised tensors of one chain: the step size is the length of a step.

    N. Z. Shor, "Minimization Methods for Non-Differentiable Functions", 1985. With a constant step size it circles
    the minimum at that distance; with a decreasing schedule it converges.

    Args:
        rule: The rule that gets the normalised gradient.
        eps: ``ε``: shorter gradients are only divided by it, so that a converged chain does not move.
    """

    def __init__(self, rule: Rule, *, eps: float = 1e-8) -> None:
        super().__init__(rule)
        self.eps = positive("eps", eps)

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        scale = torch.sqrt(squared_norm(gradient.values()).clamp_min(self.eps**2))
        normalised = {name: slope / per_chain(scale, slope) for name, slope in gradient.items()}
        following: State = self.rule(state, normalised, noise, step_scale, probe)
        return following
