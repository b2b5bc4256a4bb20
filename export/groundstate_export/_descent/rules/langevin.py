"""Langevin dynamics: descent that samples."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.rules.rule import STEP, NoiseTimes, Probe, Slot, State, merged, per_chain, step_slot
from groundstate_export._descent.rules.schedule import Schedule
from groundstate_export._descent.rules.step_sizes import Size, Sized, positive


class Langevin(Sized):
    """``y ← y − η ∇E(y) + √(2 η T) ξ``, or with ``noise`` given ``y ← y − η ∇E(y) + σ √T ξ``.

    The first form samples from ``exp(−E/T)`` as ``η → 0``: M. Welling and Y. W. Teh, "Bayesian Learning via
    Stochastic Gradient Langevin Dynamics", ICML 2011. The second, with a separate smaller ``σ``, is the common sampler
    of energy-based models: Y. Du and I. Mordatch, "Implicit Generation and Modeling with Energy-Based
    Models" (IGEBM), NeurIPS 2019; A. Gladstone et al., "Energy-Based Transformers" (EBT), 2025. An annealed
    temperature ends as descent: S. Geman and D. Geman, 1984.

    The noise is an input of the graph at every step, so that a seed decides everything. The step scale of a chain scales
    ``η`` in the noise too.

    Args:
        step_size: ``η``: a float, a tensor that broadcasts against the state, a `Schedule`, or a mapping with one for
            each state.
        temperature: ``T``, 0 or more: a float, or a `Schedule` over the steps of a chain.
        noise: ``σ``, the standard deviation of a step's noise at temperature 1; None for ``√(2 η)``.
        learn: Whether ``η`` is trained (as its logarithm).
    """

    def __init__(
        self,
        step_size: Size,
        *,
        temperature: float | Schedule = 1.0,
        noise: float | None = None,
        learn: bool = False,
    ) -> None:
        super().__init__(step_size, learn)
        if not isinstance(temperature, Schedule) and not (temperature >= 0 and math.isfinite(temperature)):
            raise ValueError(f"temperature is {temperature}; it must be 0 or more and finite.")
        self.temperature = temperature
        self.noise = None if noise is None else positive("noise", noise)
        self.noise_times = NoiseTimes(1)

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        annealed = step_slot(state, len(self.temperature)) if isinstance(self.temperature, Schedule) else {}
        return merged(annealed, super().slots(state, probe))

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        del probe
        following = self.advanced(state)
        for name, slope in gradient.items():
            following[name] = state[name] - self.scaled_step_size(name, slope, step_scale, state) * slope
            if noise is not None:
                following[name] = following[name] + self._deviation(name, slope, step_scale, state) * noise[name]
        return following

    def _deviation(self, name: str, slope: Tensor, step_scale: Tensor | None, state: Mapping[str, Tensor]) -> Tensor:
        """Standard deviation of the noise."""
        # Roots are taken one by one: only the step size's root needs a derivative, and a learned step size is never 0.
        if self.noise is None:
            spread = math.sqrt(2) * torch.sqrt(self.scaled_step_size(name, slope, None, state))
        else:
            spread = slope.new_full((), self.noise)
        if isinstance(self.temperature, Schedule):
            spread = spread * torch.sqrt(self.temperature.fitting(state[STEP], slope))
        else:
            spread = spread * math.sqrt(self.temperature)
        return spread if step_scale is None else spread * per_chain(torch.sqrt(step_scale), slope)
