"""Gradient clipping."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.evaluate import squared_norm
from groundstate_export._descent.rules.rule import Probe, Rule, State, Wrapper, per_chain
from groundstate_export._descent.rules.step_sizes import positive

_EPS = 1e-6
"""As in `torch.nn.utils.clip_grad_norm_`."""


class Clipped(Wrapper):
    """The gradient's elements clipped to ``[−c, c]``, or the gradient of a chain scaled to a norm of at most ``c``, or both.

    The norm is over all minimised tensors of one chain: ``∇E ← ∇E · min(1, c / (‖∇E‖ + 10⁻⁶))``. NaN stays
    NaN. R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural
    networks", ICML 2013; by value in Y. Du and I. Mordatch, "Implicit Generation and Modeling with Energy-Based
    Models" (IGEBM), NeurIPS 2019.

    Args:
        rule: The rule that gets the clipped gradient.
        value: ``c`` for elements; clipped first.
        norm: ``c`` for the norm.

    Raises:
        ValueError: Neither is given, or one is not positive.
    """

    def __init__(self, rule: Rule, *, value: float | None = None, norm: float | None = None) -> None:
        super().__init__(rule)
        if value is None and norm is None:
            raise ValueError("Clipped has nothing to clip; give it value=…, norm=… or both.")
        self.value = None if value is None else positive("value", value)
        self.norm = None if norm is None else positive("norm", norm)

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        clipped = dict(gradient)
        if self.value is not None:
            clipped = {name: slope.clamp(-self.value, self.value) for name, slope in clipped.items()}
        if self.norm is not None:
            length = torch.sqrt(squared_norm(clipped.values()).clamp_min(_EPS**2))
            scale = (self.norm / (length + _EPS)).clamp_max(1.0)
            clipped = {name: slope * per_chain(scale, slope) for name, slope in clipped.items()}
        following: State = self.rule(state, clipped, noise, step_scale, probe)
        return following
