"""A sequence of landscapes, from smooth to sharp."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from groundstate_export._descent.rules.rule import (
    STEP,
    WORST,
    Probe,
    Rule,
    Slot,
    State,
    Wrapper,
    asked,
    choose,
    looked_up,
    merged,
    per_chain,
    step_slot,
    ticked,
    where_moving,
)
from groundstate_export._descent.rules.step_sizes import positive


class Landscapes(Wrapper):
    """The energy gets each chain's landscape in the keyword ``landscape`` (int64, ``(batch,)``).

    A chain takes ``steps`` steps on each landscape in turn and stays on the last one. Each landscape may scale the step size,
    and the state when a chain enters it. Y. Du, J. Mao and J. B. Tenenbaum, "Learning Iterative Reasoning through Energy
    Diffusion" (IRED), ICML 2024; graduated non-convexity: A. Blake and A. Zisserman, "Visual Reconstruction", 1987.

    At the end of a segment ``energy``, ``terms`` and ``residual`` are always those of the last landscape, so that chains
    compare. So is the merit by which `Best` ranks: states on earlier landscapes are not
    ranked. ``trace`` is the energy on each chain's own landscape.

    Args:
        rule: The rule that moves the state.
        order: The landscapes in turn: a count for 0, 1, …, or the list of their indices.
        steps: Steps on each landscape: one number, or one for each.
        rates: The factor on the step size for each landscape.
        rescale: The factor on the minimised tensors at the entry to each landscape but the first (so one
            number fewer). An inner `Projected` then projects the state again.

    Raises:
        ValueError: A number is out of range, a list has the wrong length, or another `Landscapes` is inside.
    """

    landscape: Tensor
    rate: Tensor
    factor: Tensor

    def __init__(
        self,
        rule: Rule,
        order: int | Sequence[int],
        *,
        steps: int | Sequence[int],
        rates: Sequence[float] | None = None,
        rescale: Sequence[float] | None = None,
    ) -> None:
        super().__init__(rule, once=True)
        indices = list(range(order)) if isinstance(order, int) else list(order)
        if not indices or min(indices) < 0:
            raise ValueError(f"order is {order}; it must name at least one landscape, by numbers from 0.")
        counts = [steps] * len(indices) if isinstance(steps, int) else list(steps)
        scales = _listed("rates", rates, len(indices))
        entered = [1.0, *_listed("rescale", rescale, len(indices) - 1)]
        if len(counts) != len(indices) or min(counts) < 1:
            raise ValueError(f"steps is {steps}; it must be 1 or more, for each of {len(indices)} landscapes.")
        self.rescales = rescale is not None
        self.rescaling = rates is not None
        self.final = indices[-1]
        # Tables by step; the update that enters a landscape rescales.
        rows = [(k, scales[i]) for i, k in enumerate(indices) for _ in range(counts[i])]
        factors = [entered[i] if first else 1.0 for i, n in enumerate(counts) for first in (True, *[False] * (n - 1))]
        real = torch.get_default_dtype()
        # The step from which a chain stays on the last landscape.
        self.arrival = max((step + 1 for step, (k, _) in enumerate(rows) if k != self.final), default=0)
        self.register_buffer("landscape", torch.tensor([k for k, _ in rows]), persistent=False)
        self.register_buffer("rate", torch.tensor([r for _, r in rows], dtype=real), persistent=False)
        self.register_buffer("factor", torch.tensor([*factors[1:], 1.0], dtype=real), persistent=False)

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        return merged(self.rule.slots(state, probe), step_slot(state, len(self.landscape)))

    def keywords(self, state: Mapping[str, Tensor], *, last: bool = False) -> dict[str, Tensor]:
        inner = self.rule.keywords(state, last=last)
        example = next(iter(state.values()))
        final = torch.full((example.shape[0],), self.final, dtype=torch.int64, device=example.device)
        return {**inner, "landscape": final if last else looked_up(self.landscape, state[STEP])}

    def merit(self, probe: Probe) -> Tensor:
        merit = self.rule.merit(probe)
        on_last = probe.state[STEP] >= self.arrival
        return torch.where(on_last, merit, torch.full_like(merit, WORST))

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        step_scale: Tensor | None = None,
        probe: Probe | None = None,
    ) -> State:
        scaled = step_scale
        if self.rescaling:
            own = looked_up(self.rate, state[STEP])
            scaled = own if step_scale is None else own * step_scale
        following: State = self.rule(state, gradient, noise, scaled, probe)
        if self.rescales:
            following |= self._rescaled(state, following, list(gradient), step_scale, asked(probe, self))
        return following | ticked(state)

    def _rescaled(
        self, state: State, following: State, names: list[str], step_scale: Tensor | None, probe: Probe
    ) -> State:
        factor = looked_up(self.factor, state[STEP])
        scaled = {name: following[name] * per_chain(factor, following[name]) for name in names}
        nearest = self.rule.feasible(scaled, probe.inputs)
        entering = factor != 1
        moved = {name: choose(entering, nearest[name], following[name]) for name in names}
        return {name: where_moving(step_scale, moved[name], following[name]) for name in names}


def _listed(name: str, values: Sequence[float] | None, count: int) -> list[float]:
    listed = [1.0] * count if values is None else list(values)
    if len(listed) != count:
        raise ValueError(f"{name} has {len(listed)} numbers; it needs {count}.")
    return [positive(name, value) for value in listed]
