"""Take only steps that lower the energy."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.rules.landscapes import Landscapes
from groundstate_export._descent.rules.rule import Probe, Rule, Slot, State, Wrapper, asked, chain_slot, choose, merged
from groundstate_export._descent.rules.step_sizes import positive

_SCALE = "chain.step_factor"
_ROUNDING = 4 * torch.finfo(torch.float32).eps


class Rejecting(Wrapper):
    """A chain stays for one step if the step would raise its energy or make it NaN.

    It costs one more evaluation of the objective per step. Y. Du, J. Mao and J. B. Tenenbaum, "Learning Iterative
    Reasoning through Energy Diffusion" (IRED), ICML 2024. A rejection resets the inner rule's velocity, so that the
    next step starts straight down: B. O'Donoghue and E. Candès, "Adaptive Restart for Accelerated Gradient Schemes", 2015.
    The inner rule's other slots are updated.

    A rule without momentum or noise would try the same step again for ever. With ``shrink`` each rejection multiplies the
    step size of the chain by it, and each step taken by ``grow`` (up to the original size): the "bold driver" of
    R. Battiti, "Accelerated Backpropagation Learning: Two Optimization Methods", 1989.

    Args:
        rule: The rule that proposes the steps.
        shrink: In (0, 1]; 1 leaves step sizes alone.
        grow: 1 or more.

    Raises:
        ValueError: A factor is out of range, or another `Rejecting`, or a `Landscapes` that rescales, is inside.
    """

    def __init__(self, rule: Rule, *, shrink: float = 1.0, grow: float = 1.1) -> None:
        super().__init__(rule, once=True)
        if not 0 < shrink <= 1:
            raise ValueError(f"shrink is {shrink:g}; it must lie in (0, 1].")
        if not (grow >= 1 and math.isfinite(grow)):
            raise ValueError(f"grow is {grow:g}; it must be 1 or more, and finite.")
        if any(isinstance(m, Landscapes) and m.rescales for m in rule.modules()):
            raise ValueError(
                "Rejecting contains a Landscapes that rescales the state, which may rightly raise the energy; put it "
                "inside: Landscapes(Rejecting(…), …)."
            )
        self.shrink, self.grow = positive("shrink", shrink), grow

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        own = {_SCALE: chain_slot(state, 1.0)} if self.shrink < 1 else {}
        return merged(self.rule.slots(state, probe), own)

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        probe = asked(probe, self)
        scale = state.get(_SCALE)
        slowed = step_scale if scale is None else scale if step_scale is None else step_scale * scale
        following: State = self.rule(state, gradient, noise, slowed, probe)
        there = probe.at({**state, **{name: following[name] for name in gradient}})
        risen, before = there.objective, probe.objective
        accepted = there.lower(risen, before)
        following |= {name: choose(accepted, following[name], state[name]) for name in gradient}
        for velocity in (f"{name}.velocity" for name in gradient if f"{name}.velocity" in state):
            following[velocity] = choose(accepted, following[velocity], torch.zeros_like(state[velocity]))
        if scale is not None:
            # At a minimum a step may raise the energy by rounding, which must not shrink the step size.
            rounding = _ROUNDING * torch.maximum(probe.size, before.abs())
            grown = (scale * self.grow).clamp_max(1.0)
            following[_SCALE] = torch.where(there.lower(risen - rounding, before), grown, scale * self.shrink)
        return following
