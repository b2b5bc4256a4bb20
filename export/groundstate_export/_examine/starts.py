"""Starts of the descents that are examined and compared, and the distance between two results."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from groundstate_export._descent.initial import Constant, Normal
from groundstate_export._descent.rules.rule import State, choose
from groundstate_export._examine.examined import Examined
from groundstate_export._ir.values import Array

_TINY = 1e-30


@dataclass(frozen=True)
class Case:
    """One run of a segment: its start and all its inputs. Scale 0 marks a start that no step moves."""

    batch: int
    seed: int
    scale: float
    inputs: dict[str, Tensor]
    state: State
    noise: State
    step_scale: Tensor

    def feeds(self) -> dict[str, Array]:
        """The graph inputs."""
        named = dict(self.inputs) | {f"state.{k}": v for k, v in self.state.items()}
        named |= {f"noise.{k}": v for k, v in self.noise.items()} | {"step_scale": self.step_scale}
        return {k: np.ascontiguousarray(v.numpy()) for k, v in named.items()}


def resample(tensors: Mapping[str, Tensor], batch: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Rows of the examples, the same ones of every tensor."""
    if not tensors:
        return {}
    rows = next(iter(tensors.values())).shape[0]
    index = torch.arange(batch) % rows if batch <= rows else torch.randint(rows, (batch,), generator=generator)
    return {name: t.detach()[index].contiguous() for name, t in tensors.items()}


def case(examined: Examined, batch: int, seed: int, scale: float) -> Case:
    """A random start: states drawn as the header says, or ``scale`` times as wide, with chains that are under way."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + batch)
    state: State = {}
    for name, start in examined.drawn().items():
        shape = (batch, *examined.state_specs()[name].shape)
        drawn = start.draw(shape, generator).to(examined.state_specs()[name].dtype)
        if scale != 1.0 and name in examined.state:
            drawn = (
                Normal(start.value, 0.1).draw(shape, generator).to(drawn)
                if isinstance(start, Constant)
                else scale * drawn
            )
        state[name] = drawn
    noise = {
        name: torch.randn((batch, len(examined.noisy), *t.shape[1:]), generator=generator, dtype=t.dtype)
        for name, t in examined.state.items()
        if examined.noisy
    }
    step_scale = torch.ones(batch) if seed % 2 == 0 else 0.25 + 0.75 * torch.rand(batch, generator=generator)
    inputs = resample(examined.inputs, batch, generator)
    if seed or scale != 1.0:
        inputs |= {name: _varied(inputs[name], generator) for name in examined.parameters}
    if scale != 1.0 and examined.slots:
        state = _under_way(examined, state, inputs, generator)
    return Case(batch, seed, scale, inputs, state, noise, step_scale)


def _varied(parameter: Tensor, generator: torch.Generator) -> Tensor:
    """Learned numbers that differ from row to row, since a host may give each chain its own."""
    if not parameter.is_floating_point():
        return parameter
    return parameter * (1 + 0.1 * torch.randn(parameter.shape, generator=generator, dtype=parameter.dtype))


def _under_way(examined: Examined, state: State, inputs: dict[str, Tensor], generator: torch.Generator) -> State:
    """Zero, one or two updates of each row, so that slots have realistic values; counts take any of their values."""
    for name, slot in examined.slots.items():
        if slot.later:
            state[name] = torch.tensor(slot.later, dtype=state[name].dtype)[
                torch.randint(len(slot.later), state[name].shape, generator=generator)
            ]
    descent = replace(examined.descent, inputs=inputs)
    age = torch.arange(next(iter(state.values())).shape[0]) % 3
    with torch.no_grad():
        moved = descent.begin(state)
        for updates in (1, 2):
            noise = {
                name: torch.randn(state[name].shape, generator=generator, dtype=state[name].dtype)
                for name in examined.state
                if examined.noisy
            }
            moved, _ = descent.step(moved, noise or None)
            finite = torch.stack([torch.isfinite(t).reshape(len(t), -1).all(1) for t in moved.values()]).all(0)
            state = {name: choose((age == updates) & finite, moved[name], y) for name, y in state.items()}
    return state


def relative(found: Array, wanted: Tensor, size: Tensor | None = None) -> float:
    """The largest difference, relative to the largest element of the reference. Skips rows that are not finite there.

    Args:
        found: The file's output.
        wanted: The reference's output.
        size: Replaces the reference as the scale, of its shape. For a sum it is the sum of its terms' magnitudes, because
            terms that cancel leave their rounding behind. For a residual it is the value before the segment, because at a
            minimum only rounding is left.
    """
    reference = wanted.double()
    finite = torch.isfinite(reference).flatten(1).all(1) if reference.dim() > 1 else torch.isfinite(reference)
    a, b = torch.from_numpy(np.asarray(found)).double()[finite], reference[finite]
    if b.numel() == 0:
        return 0.0
    against = b.abs() if size is None else size.double()[finite]
    error = float((a - b).abs().max() / against.max().clamp_min(_TINY))
    return float("inf") if math.isnan(error) else error


def at_scale_0(examined: Examined, batch: int, seed: int) -> Case:
    """A start that no step moves, as in a host's evaluation: rounding is not amplified, so the comparison is strict."""
    start = case(examined, batch, seed, 1.0)
    noise = {name: torch.zeros_like(t) for name, t in start.noise.items()}
    return replace(start, noise=noise, step_scale=torch.zeros(batch), scale=0.0)
