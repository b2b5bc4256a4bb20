"""Report the best state instead of the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from groundstate_export._descent.initial import Constant
from groundstate_export._descent.rules.rule import (
    WORST,
    Probe,
    Rule,
    Slot,
    State,
    Wrapper,
    asked,
    chain_slot,
    choose,
    merged,
)

_MERIT = "chain.best_merit"


class Best(Wrapper):
    """Reports each chain's state of lowest merit since its start. The descent itself does not change.

    ``energy``, ``terms``, ``residual``, answers and violations are those of that state; of equally good states the latest
    is taken. A state with a NaN merit is never taken. The merit is the energy, unless an inner rule defines another: see
    `AugmentedLagrangian` and `Landscapes`. Best-iterate tracking as in Y. Du et al., "Learning
    Iterative Reasoning through Energy Minimization" (IREM), ICML 2022.

    Args:
        rule: The rule that moves the state.

    Raises:
        ValueError: Another `Best` is inside.
    """

    def __init__(self, rule: Rule) -> None:
        super().__init__(rule, once=True)

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        best = {f"{name}.best": Slot(torch.zeros_like(y), Constant(0.0)) for name, y in state.items()}
        return merged(self.rule.slots(state, probe), best, {_MERIT: chain_slot(state, WORST)})

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        probe = asked(probe, self)
        merit = probe.merit
        following: State = self.rule(state, gradient, noise, step_scale, probe)
        better = probe.lower(merit, state[_MERIT])
        following |= {f"{n}.best": choose(better, state[n], state[f"{n}.best"]) for n in gradient}
        following[_MERIT] = torch.where(better, merit, state[_MERIT])
        return following

    def reported(self, state: Mapping[str, Tensor], at: Callable[[Mapping[str, Tensor]], Probe]) -> State:
        best, here = state[_MERIT], at(state)
        # A chain without a ranked state reports its current one, even if it is NaN.
        latest = here.lower(here.merit, best) | (best >= WORST)
        names = [name for name in state if f"{name}.best" in state]
        return {n: choose(latest, state[n], state[f"{n}.best"]) for n in names}
