"""The distributions of a chain's start, from which a host draws each state tensor."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Constant:
    """Every element is ``value``."""

    value: float = 0.0

    def header(self) -> dict[str, object]:
        return {"constant": float(self.value)}

    def draw(self, shape: tuple[int, ...], generator: torch.Generator | None = None) -> Tensor:
        del generator
        return torch.full(shape, float(self.value))


@dataclass(frozen=True)
class Normal:
    """Every element is normal with this mean and standard deviation, independently."""

    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std >= 0):
            raise ValueError(f"Normal({self.mean}, {self.std}): both must be finite, and std 0 or more.")

    def header(self) -> dict[str, object]:
        return {"normal": [float(self.mean), float(self.std)]}

    def draw(self, shape: tuple[int, ...], generator: torch.Generator | None = None) -> Tensor:
        return self.mean + self.std * torch.randn(shape, generator=generator)


@dataclass(frozen=True)
class Uniform:
    """Every element is uniform between ``low`` and ``high``, independently."""

    low: float = 0.0
    high: float = 1.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low <= self.high):
            raise ValueError(f"Uniform({self.low}, {self.high}): both must be finite, and low at most high.")

    def header(self) -> dict[str, object]:
        return {"uniform": [float(self.low), float(self.high)]}

    def draw(self, shape: tuple[int, ...], generator: torch.Generator | None = None) -> Tensor:
        return self.low + (self.high - self.low) * torch.rand(shape, generator=generator)


@dataclass(frozen=True)
class Decoded:
    """The answer ``answer`` of the previous stage, cast to the state's dtype."""

    answer: str

    def header(self) -> dict[str, object]:
        return {"answer": self.answer}


Initial = Constant | Normal | Uniform


def of_example(example: Tensor) -> Initial:
    """The distribution of an example: a constant if all its elements are equal, otherwise a normal with its mean and spread."""
    first = float(example.flatten()[0])
    if bool((example == first).all()):
        return Constant(first)
    return Normal(float(example.mean()), float(example.std()))
