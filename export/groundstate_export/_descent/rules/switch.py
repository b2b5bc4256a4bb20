"""First one rule, then another."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from groundstate_export._descent.rules.rule import (
    STEP,
    NoiseTimes,
    Probe,
    Rule,
    Slot,
    State,
    asked,
    chain_slot,
    choose,
    contains,
    merged,
    step_slot,
    ticked,
)

_SWITCHED = "chain.switched"


class Switch(Rule):
    """Moves each chain by ``first``; by ``then`` after ``steps`` updates, or once its energy is below ``below``.

    Both rules keep their slots in the state; the second rule's slots start as at the start of a chain. Each step computes
    both updates and takes one, so a segment costs the sum of the two. If the first phase is long, two stages of the file
    cost less.

    Adam before Gauss–Newton, for diagrams: Y. Chervonyi et al., "Gold-medalist performance in solving olympiad geometry with
    AlphaGeometry2", 2025.

    Args:
        first: The rule at the start.
        then: The rule after the switch.
        steps: Updates after which every chain switches.
        below: The energy below which a chain switches sooner; None for never.

    Raises:
        ValueError: ``steps`` is below 1, a `Switch` is inside, or both rules count the steps of a chain.
    """

    def __init__(self, first: Rule, then: Rule, *, steps: int, below: float | None = None) -> None:
        super().__init__()
        if steps < 1:
            raise ValueError(f"steps is {steps}; it must be at least 1.")
        if contains(first, Switch) or contains(then, Switch):
            raise ValueError(
                "Switch contains another Switch, and the two would share their slot; use stages of the file."
            )
        self.first, self.then, self.steps, self.below = first, then, steps, below
        times = [rule.noise_times for rule in (first, then) if rule.noise_times is not None]
        if len(set(times)) > 1:
            raise ValueError(
                "Both rules of a Switch draw noise, at different steps; give them the same period, or turn off the noise of one."
            )
        self.noise_times: NoiseTimes | None = times[0] if times else None

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        one, two = self.first.slots(state, probe), self.then.slots(state, probe)
        shared = (one.keys() & two.keys()) - {STEP}
        if shared:
            raise ValueError(f"Both rules of a Switch keep the slot {min(shared)!r}; only one of them can.")
        own = {_SWITCHED: chain_slot(state, 0.0, later=(0.0, 1.0))}
        return merged(one, two, step_slot(state, self.steps), own)

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        probe = asked(probe, self)
        late = (state[STEP] >= self.steps) | (state[_SWITCHED] > 0)
        if self.below is not None:
            late = late | probe.lower(probe.energy, torch.full_like(probe.energy, self.below))
        one: State = self.first(state, gradient, noise if self.first.noise_times else None, step_scale, probe)
        two: State = self.then(state, gradient, noise if self.then.noise_times else None, step_scale, probe)
        found: State = {}
        for name, before in state.items():
            moved = [following.get(name, before) for following in (one, two)]
            found[name] = choose(late, moved[1], moved[0])
        found |= ticked(state)
        found[_SWITCHED] = late.to(state[_SWITCHED].dtype)
        return found

    def feasible(self, state: Mapping[str, Tensor], inputs: Mapping[str, Tensor]) -> State:
        return self.then.feasible(self.first.feasible(state, inputs), inputs)
