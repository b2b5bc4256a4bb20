"""Numbers that change from step to step: step sizes and temperatures."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from groundstate_export._descent.rules.rule import looked_up


class Schedule(nn.Module):
    """A number for each step of a chain, counted from the chain's start; the last number after the end.

    It is a table, so every shape of schedule has the same graph, and any list of numbers may be learned (unrolled
    optimisers: K. Gregor and Y. LeCun, "Learning Fast Approximations of Sparse Coding", ICML 2010; M. Andrychowicz et
    al., "Learning to learn by gradient descent by gradient descent", NeurIPS 2016).

    Args:
        values: ``(steps,)``, or ``(steps, n)`` with a number for each element of the last dimension. 0 or more.
        learn: Whether the values are trained (as their logarithms; they must then be positive).

    Raises:
        ValueError: A value is negative or not finite, or 0 with ``learn``.
    """

    log_values: nn.Parameter
    fixed: Tensor

    def __init__(self, values: Sequence[float] | Tensor, *, learn: bool = False) -> None:
        super().__init__()
        table = torch.as_tensor(values, dtype=torch.get_default_dtype()).detach().clone()
        if table.dim() not in {1, 2} or table.numel() == 0:
            raise ValueError(
                f"A schedule has shape {tuple(table.shape)}; it must be (steps,) or (steps, n), with at least one step."
            )
        if not bool(torch.isfinite(table).all()) or float(table.min()) < 0 or (learn and float(table.min()) == 0):
            least = "positive, because it is learned as a logarithm" if learn else "0 or more"
            raise ValueError(f"A schedule has values from {float(table.min()):g}; each must be finite and {least}.")
        self.learn = learn
        if learn:
            self.log_values = nn.Parameter(table.log())
        else:
            self.register_buffer("fixed", table, persistent=False)

    @classmethod
    def cosine(cls, start: float, end: float, steps: int) -> Schedule:
        """From ``start`` to ``end`` along half a cosine.

        I. Loshchilov and F. Hutter, "SGDR: Stochastic Gradient Descent with Warm Restarts", ICLR 2017.
        """
        return cls._sampled(steps, lambda part: end + (start - end) * (1 + math.cos(math.pi * part)) / 2)

    @classmethod
    def linear(cls, start: float, end: float, steps: int) -> Schedule:
        """From ``start`` to ``end`` in equal differences."""
        return cls._sampled(steps, lambda part: start + (end - start) * part)

    @classmethod
    def exponential(cls, start: float, end: float, steps: int) -> Schedule:
        """From ``start`` to ``end``, both positive, in equal ratios.

        S. Kirkpatrick, C. D. Gelatt and M. P. Vecchi, "Optimization by Simulated Annealing", Science 220, 1983.
        """
        if not (start > 0 and end > 0):
            raise ValueError(f"An exponential schedule from {start:g} to {end:g}; both must be positive.")
        return cls._sampled(steps, lambda part: start * (end / start) ** part)

    @classmethod
    def _sampled(cls, steps: int, at: Callable[[float], float]) -> Schedule:
        if steps < 1:
            raise ValueError(f"A schedule of {steps} steps; it needs at least 1.")
        return cls([at(step / steps) for step in range(steps + 1)])

    def warmed_up(self, steps: int) -> Schedule:
        """This schedule after ``steps`` warm-up steps: ``1/(steps+1)``, ``2/(steps+1)``, … of its first value.

        P. Goyal et al., "Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour", 2017, section 2.2.
        """
        if steps < 1:
            raise ValueError(f"A warm-up of {steps} steps; it needs at least 1.")
        table = self.table.detach()
        rise = torch.arange(1, steps + 1, dtype=table.dtype).div(steps + 1)
        return type(self)(torch.cat([rise.reshape(-1, *(1,) * (table.dim() - 1)) * table[0], table]), learn=self.learn)

    @property
    def table(self) -> Tensor:
        """The current values."""
        return self.log_values.exp() if self.learn else self.fixed

    def __len__(self) -> int:
        return int(self.table.shape[0])

    def forward(self, step: Tensor) -> Tensor:
        """The value for each chain's step, ``(batch,)`` or ``(batch, n)``."""
        return looked_up(self.table, step)

    def fitting(self, step: Tensor, like: Tensor) -> Tensor:
        """The value for each chain's step, shaped to broadcast against ``like``."""
        value: Tensor = self(step)
        return value.reshape(value.shape[0], *(1,) * (like.dim() - value.dim()), *value.shape[1:])
