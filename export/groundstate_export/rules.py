"""Rules of descent: how the gradient of the energy moves the state.

A rule is a small `torch.nn.Module`. The same object trains (its step sizes may be learned), runs the reference descent in
PyTorch, and is captured into the exported graph. What it keeps between steps (a velocity) is part of the state, under the
name ``<tensor>.<slot>``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from groundstate_export.initial import Constant, Initial, Uniform

State = dict[str, Tensor]
Size = float | Tensor | Mapping[str, float | Tensor]


class Slot(NamedTuple):
    """A tensor that a rule keeps between steps: as it starts, batch first, and how a host draws it."""

    tensor: Tensor
    initial: Initial


def per_chain(x: Tensor, like: Tensor) -> Tensor:
    """One number a chain, ``(batch,)``, shaped to broadcast against ``like``."""
    return x.reshape(-1, *(1,) * (like.dim() - 1))


class Rule(nn.Module, ABC):
    """One update of the state.

    Attributes:
        noise_every: A kick of standard normal noise is drawn at every step whose index within the segment is a multiple of
            this, except in the segment's last ``noise_every`` steps, so that a segment ends settled. 0: the rule takes no
            noise.
    """

    noise_every: int = 0

    def slots(self, state: Mapping[str, Tensor]) -> dict[str, Slot]:
        """What the rule adds to a state of minimised tensors: a slot for each new name."""
        del state
        return {}

    @abstractmethod
    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        rate: Tensor | None = None,
    ) -> State:
        """The next state.

        Args:
            state: Everything the descent carries, slots included.
            gradient: The energy's gradient, one tensor for each minimised name, of its shape.
            noise: Standard normal tensors of the same names and shapes, on the steps that draw noise; else None.
            rate: Multiplies the step size of each chain, ``(batch,)``; None for 1.
        """

    def kicks(self, steps: int) -> list[int]:
        """The steps of a segment of ``steps`` at which noise is drawn."""
        return list(range(0, steps - self.noise_every, self.noise_every)) if self.noise_every else []


def _parameter(value: float | Tensor, learn: bool) -> nn.Parameter:
    tensor = value.detach().clone() if isinstance(value, Tensor) else torch.tensor(float(value))
    return nn.Parameter(tensor.to(torch.get_default_dtype()) if not tensor.is_floating_point() else tensor, learn)


class _Sized(Rule):
    """A rule with a step size for each minimised tensor, positive by construction (its logarithm is the parameter)."""

    def __init__(self, step_size: Size, learn: bool) -> None:
        super().__init__()
        sizes = dict(step_size) if isinstance(step_size, Mapping) else {"": step_size}
        for name, size in sizes.items():
            smallest = float(size.min()) if isinstance(size, Tensor) else float(size)
            if not (smallest > 0 and math.isfinite(smallest)):
                raise ValueError(
                    f"step_size{f'[{name!r}]' if name else ''} is {smallest:g}; it must be positive and finite."
                )
        # A ParameterDict refuses dots and empty names; the key "*" stands for every tensor.
        self.log_step_size = nn.ParameterDict({name or "*": _parameter(size, learn) for name, size in sizes.items()})
        with torch.no_grad():
            for parameter in self.log_step_size.values():
                parameter.log_()

    def step_size(self, name: str) -> Tensor:
        """The step size of a minimised tensor: a scalar, or one for each entry of its last dimension."""
        sizes = self.log_step_size
        if name not in sizes and "*" not in sizes:
            raise KeyError(f"step_size has no entry for the state {name!r}; it has {sorted(sizes)}.")
        size: Tensor = sizes[name if name in sizes else "*"]
        return size.exp()

    def scaled_step_size(self, name: str, slope: Tensor, rate: Tensor | None) -> Tensor:
        """The step size of a minimised tensor times the rate of each chain, to multiply its gradient with."""
        size = self.step_size(name)
        return size if rate is None else size * per_chain(rate, slope)


class GradientDescent(_Sized):
    """``y ← y − η ∇E(y)``, with ``η`` a scalar, or one number for each entry of the last dimension.

    Args:
        step_size: ``η``: a float, a tensor that broadcasts against the state, or a mapping with one for each state.
        learn: Whether ``η`` is trained (as its logarithm).
    """

    def __init__(self, step_size: Size, *, learn: bool = False) -> None:
        super().__init__(step_size, learn)

    def forward(
        self,
        state: State,
        gradient: Mapping[str, Tensor],
        noise: Mapping[str, Tensor] | None = None,
        rate: Tensor | None = None,
    ) -> State:
        del noise
        return {
            name: y - self.scaled_step_size(name, y, rate) * gradient[name] if name in gradient else y
            for name, y in state.items()
        }


class HeavyBall(_Sized):
    """``v ← μ v − η ∇E(y) + σ T ξ``, ``y ← y + v``: gradient descent with momentum, kicked by noise where asked.

    B. T. Polyak, "Some methods of speeding up the convergence of iteration methods", 1964.

    Args:
        step_size: ``η``: a float, a tensor that broadcasts against the state, or a mapping with one for each state.
        momentum: ``μ`` in [0, 1): a float, or a tensor that broadcasts against the state.
        noise: ``σ``, the standard deviation of a kick to the velocity; 0 for none. The noise itself is an input, so a seed
            decides everything.
        noise_every: Steps from one kick to the next.
        temperature: ``T``, one number a chain that scales its kicks: drawn uniformly between the two when the chain starts, and
            kept in the slot ``<tensor>.temperature``. Chains of several temperatures search coarsely and finely at once.
        learn: Whether ``η`` and ``μ`` are trained (as a logarithm and a logit).
    """

    def __init__(
        self,
        step_size: Size,
        momentum: float | Tensor,
        *,
        noise: float = 0.0,
        noise_every: int = 1,
        temperature: tuple[float, float] = (1.0, 1.0),
        learn: bool = False,
    ) -> None:
        super().__init__(step_size, learn)
        mu = momentum if isinstance(momentum, Tensor) else torch.tensor(float(momentum))
        if not (bool((mu >= 0).all()) and bool((mu < 1).all())):
            raise ValueError(f"momentum is {mu.tolist()}; every entry must lie in [0, 1).")
        if noise < 0 or noise_every < 1:
            raise ValueError(f"noise is {noise} every {noise_every} steps; it must be 0 or more, every 1 step or more.")
        low, high = temperature
        if not (0 <= low <= high and math.isfinite(high)):
            raise ValueError(f"temperature is {temperature}; it must be (low, high) with 0 <= low <= high, finite.")
        self.momentum_logit = _parameter(torch.logit(mu), learn)
        self.noise = noise
        self.temperature = (low, high)
        self.noise_every = noise_every if noise else 0

    @property
    def momentum(self) -> Tensor:
        return torch.sigmoid(self.momentum_logit)

    def slots(self, state: Mapping[str, Tensor]) -> dict[str, Slot]:
        slots = {f"{name}.velocity": Slot(torch.zeros_like(y), Constant(0.0)) for name, y in state.items()}
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
        rate: Tensor | None = None,
    ) -> State:
        following = dict(state)
        for name, slope in gradient.items():
            velocity = self.momentum * state[f"{name}.velocity"] - self.scaled_step_size(name, slope, rate) * slope
            if noise is not None:
                kick = self.noise * per_chain(state[f"{name}.temperature"], slope)
                velocity = velocity + kick * noise[name]
            following[f"{name}.velocity"] = velocity
            following[name] = state[name] + velocity
        return following
