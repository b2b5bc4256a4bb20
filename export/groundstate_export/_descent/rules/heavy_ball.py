"""Gradient descent with momentum and optional noise."""

from __future__ import annotations

import math
from collections.abc import Mapping

from torch import Tensor

from groundstate_export._descent.initial import Constant, Uniform
from groundstate_export._descent.rules.rule import NoiseTimes, Probe, Slot, State, per_chain
from groundstate_export._descent.rules.step_sizes import Size, WithMomentum


class HeavyBall(WithMomentum):
    """``v ← μ v − η ∇E(y) + σ T ξ``, ``y ← y + v``: gradient descent with momentum and optional noise.

    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.

    Args:
        step_size: ``η``: a float, a tensor that broadcasts against the state, a `Schedule`, or a mapping with one for
            each state.
        momentum: ``μ`` in [0, 1): a float, or a tensor that broadcasts against the state.
        noise: ``σ``, the standard deviation of the noise added to the velocity; 0 for none. The noise is an input of the
            graph, so a seed decides everything.
        noise_every: Steps from one draw of noise to the next.
        noise_period: Period of the noise in steps. Its last ``noise_every`` steps draw no noise, so that a chain converges
            before it is read; None draws noise without pauses. With 16 and ``noise_every`` 4: noise at 0, 4, 8, 16, 20, 24, ….
        temperature: The range of ``T``, a factor on each chain's noise. It is drawn uniformly when the chain starts and kept
            in the slot ``<tensor>.temperature``. Chains of several temperatures search coarsely and
            finely at once.
        learn: Whether ``η`` and ``μ`` are trained (as a logarithm and a logit).
    """

    def __init__(
        self,
        step_size: Size,
        momentum: float | Tensor,
        *,
        noise: float = 0.0,
        noise_every: int = 1,
        noise_period: int | None = None,
        temperature: tuple[float, float] = (1.0, 1.0),
        learn: bool = False,
    ) -> None:
        super().__init__(step_size, momentum, learn)
        if noise < 0 or noise_every < 1:
            raise ValueError(f"noise is {noise} every {noise_every} steps; it must be 0 or more, every 1 step or more.")
        low, high = temperature
        if not (0 <= low <= high and math.isfinite(high)):
            raise ValueError(f"temperature is {temperature}; it must be (low, high) with 0 <= low <= high, finite.")
        self.noise = noise
        self.temperature = (low, high)
        if noise_period is not None and (noise_period < 1 or noise_period % noise_every):
            raise ValueError(
                f"noise_period is {noise_period}; it must be a multiple of noise_every, which is {noise_every}."
            )
        period = noise_every if noise_period is None else noise_period
        offsets = tuple(range(0, max(1, period - noise_every), noise_every))
        self.noise_times = NoiseTimes(period, offsets) if noise else None

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        slots = super().slots(state, probe)
        if self.noise:
            low, high = self.temperature
            start = Constant(low) if low == high else Uniform(low, high)
            for name, y in state.items():
                slots[f"{name}.temperature"] = Slot(y.new_full((y.shape[0],), (low + high) / 2), start)
        return slots

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
            step_size = self.scaled_step_size(name, slope, step_scale, state)
            velocity = self.momentum * state[f"{name}.velocity"] - step_size * slope
            if noise is not None:
                scale = self.noise * per_chain(state[f"{name}.temperature"], slope)
                velocity = velocity + scale * noise[name]
            following[f"{name}.velocity"] = velocity
            following[name] = state[name] + velocity
        return following
