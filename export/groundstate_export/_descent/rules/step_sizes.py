"""Step sizes: constant, scheduled or learned; one for all, for each tensor, or for each element of the last dimension."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from groundstate_export._descent.initial import Constant
from groundstate_export._descent.rules.rule import STEP, Probe, Rule, Slot, State, merged, per_chain, step_slot, ticked
from groundstate_export._descent.rules.schedule import Schedule

Size = float | Tensor | Schedule | Mapping[str, float | Tensor | Schedule]


def parameter(value: float | Tensor, *, learn: bool) -> nn.Parameter:
    """A number or tensor as a parameter, trained or not."""
    tensor = value.detach().clone() if isinstance(value, Tensor) else torch.tensor(float(value), dtype=torch.float32)
    return nn.Parameter(tensor.to(torch.float32) if not tensor.is_floating_point() else tensor, learn)


class Sized(Rule):
    """A rule with a step size for each minimised tensor, positive by construction (its logarithm is the parameter).

    Args:
        step_size: A float, a tensor that broadcasts against the state, a `Schedule`, or a mapping with one for each state.
        learn: Whether step sizes are trained. A schedule has its own flag.
    """

    def __init__(self, step_size: Size, learn: bool) -> None:
        super().__init__()
        sizes = dict(step_size) if isinstance(step_size, Mapping) else {"": step_size}
        plain: dict[str, float | Tensor] = {}
        scheduled: dict[str, Schedule] = {}
        for name, size in sizes.items():
            if isinstance(size, Schedule):
                scheduled[name or "*"] = size
            else:
                _positive(name, size)
                plain[name or "*"] = size
        # A ParameterDict refuses dots and empty names; the key "*" stands for every tensor.
        self.log_step_size = nn.ParameterDict({name: parameter(size, learn=learn) for name, size in plain.items()})
        with torch.no_grad():
            for size in self.log_step_size.values():
                size.log_()
        # A ModuleDict refuses names such as "values".
        self.scheduled, self.schedules = list(scheduled), nn.ModuleList(scheduled.values())

    def schedule(self, name: str) -> Schedule | None:
        """The schedule of a minimised tensor's step size, or None."""
        for key in (name, "*"):
            if key in self.scheduled:
                found = self.schedules[self.scheduled.index(key)]
                assert isinstance(found, Schedule)
                return found
            if key in self.log_step_size:
                return None
        has = sorted([*self.log_step_size, *self.scheduled])
        raise KeyError(f"step_size has no entry for the state {name!r}; it has {has}.")

    def step_size(self, name: str) -> Tensor:
        """The constant step size of a minimised tensor: a scalar, or one for each element of its last dimension."""
        if self.schedule(name) is not None:
            raise KeyError(f"The step size of {name!r} is scheduled, so it is not a single number.")
        size: Tensor = self.log_step_size[name if name in self.log_step_size else "*"]
        return size.exp()

    def scaled_step_size(
        self, name: str, slope: Tensor, step_scale: Tensor | None, state: Mapping[str, Tensor]
    ) -> Tensor:
        """The current step size of a minimised tensor, times the step_scale of each chain: the factor on its gradient."""
        schedule = self.schedule(name)
        size = self.step_size(name) if schedule is None else schedule.fitting(state[STEP], slope)
        return size if step_scale is None else size * per_chain(step_scale, slope)

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        del probe
        found = [schedule for schedule in map(self.schedule, state) if schedule is not None]
        return step_slot(state, max(map(len, found))) if found else {}

    def advanced(self, state: Mapping[str, Tensor]) -> State:
        """The state to build the next one from, with its step count advanced, if it has one."""
        return {**state, **ticked(state)} if STEP in state else dict(state)


class WithMomentum(Sized):
    """A rule with a velocity for each minimised tensor.

    Args:
        step_size: As in `Sized`.
        momentum: In [0, 1): a float, or a tensor that broadcasts against the state.
        learn: Whether both are trained (the momentum as a logit).
    """

    def __init__(self, step_size: Size, momentum: float | Tensor, learn: bool) -> None:
        super().__init__(step_size, learn)
        mu = momentum if isinstance(momentum, Tensor) else torch.tensor(float(momentum), dtype=torch.float32)
        if not (bool((mu >= 0).all()) and bool((mu < 1).all())):
            raise ValueError(f"momentum is {mu.tolist()}; every element must lie in [0, 1).")
        self.momentum_logit = parameter(torch.logit(mu), learn=learn)

    @property
    def momentum(self) -> Tensor:
        return torch.sigmoid(self.momentum_logit)

    def slots(self, state: Mapping[str, Tensor], probe: Probe | None = None) -> dict[str, Slot]:
        velocities = {f"{name}.velocity": Slot(torch.zeros_like(y), Constant(0.0)) for name, y in state.items()}
        return merged(velocities, super().slots(state, probe))


def _positive(name: str, size: float | Tensor) -> None:
    elements = size if isinstance(size, Tensor) else torch.tensor(float(size))
    bad = elements[~((elements > 0) & torch.isfinite(elements))]
    if bad.numel():
        place = f"[{name!r}]" if name else ""
        raise ValueError(f"step_size{place} is {float(bad.flatten()[0]):g}; it must be positive and finite.")


def fraction(name: str, value: float) -> float:
    """Check that a number lies in [0, 1)."""
    if not (0 <= value < 1 and math.isfinite(value)):
        raise ValueError(f"{name} is {value:g}; it must lie in [0, 1).")
    return float(value)


def positive(name: str, value: float) -> float:
    """Check that a number is positive and finite."""
    if not (value > 0 and math.isfinite(value)):
        raise ValueError(f"{name} is {value:g}; it must be positive and finite.")
    return float(value)
