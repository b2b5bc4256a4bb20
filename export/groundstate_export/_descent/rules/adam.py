"""Adam."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.initial import Constant
from groundstate_export._descent.rules.rmsprop import root
from groundstate_export._descent.rules.rule import Probe, Slot, State, chain_slot, merged, per_chain
from groundstate_export._descent.rules.step_sizes import Size, Sized, fraction, positive


class Adam(Sized):
    """``m ← β₁ m + (1 − β₁) ∇E``, ``s ← β₂ s + (1 − β₂) ∇E²``, ``y ← y − η m̂ / (√ŝ + ε)``, with the bias of both removed.

    D. P. Kingma and J. Ba, "Adam: A Method for Stochastic Optimization", ICLR 2015.

    The corrections ``1 − βᵗ`` are stored as running means of ones, to which they are equal: the difference of 1 and a
    power of a number near 1 would lose four of float32's seven digits. Each chain has its own, and a restart of the
    chain restarts them.

    Args:
        step_size: ``η``: a float, a tensor that broadcasts against the state, a `Schedule`, or a mapping with one for
            each state.
        betas: ``(β₁, β₂)``, both in [0, 1).
        eps: ``ε``, positive.
        learn: Whether ``η`` is trained (as its logarithm).
    """

    def __init__(
        self, step_size: Size, *, betas: tuple[float, float] = (0.9, 0.999), eps: float = 1e-8, learn: bool = False
    ) -> None:
        super().__init__(step_size, learn)
        self.betas = (fraction("betas[0]", betas[0]), fraction("betas[1]", betas[1]))
        self.eps = positive("eps", eps)

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        zeros = {n: Slot(torch.zeros_like(y), Constant(0.0)) for n, y in state.items()}
        moments = {f"{name}.{moment}": slot for name, slot in zeros.items() for moment in ("mean", "square")}
        weights = {f"chain.{moment}_weight": chain_slot(state, 0.0) for moment in ("mean", "square")}
        return merged(moments, weights, super().slots(state, probe))

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        del noise, probe
        first, second = self.betas
        following = self.advanced(state)
        weight = first * state["chain.mean_weight"] + (1 - first)
        square_weight = second * state["chain.square_weight"] + (1 - second)
        following |= {"chain.mean_weight": weight, "chain.square_weight": square_weight}
        for name, slope in gradient.items():
            mean = first * state[f"{name}.mean"] + (1 - first) * slope
            square = second * state[f"{name}.square"] + (1 - second) * slope * slope
            following |= {f"{name}.mean": mean, f"{name}.square": square}
            scale = root(square / per_chain(square_weight, slope)) + self.eps
            step_size = self.scaled_step_size(name, slope, step_scale, state)
            following[name] = state[name] - step_size * (mean / per_chain(weight, slope)) / scale
        return following
