"""The reference: starts, and the descent from them in PyTorch.

It is the caller's own energy, differentiated by autograd and moved by the rule: nothing that the export captured or rewrote.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from groundstate_export.draft import Draft
from groundstate_export.evaluate import total
from groundstate_export.initial import Constant, Normal
from groundstate_export.ir import Array
from groundstate_export.rules import State
from groundstate_export.rules.base import WORST, choose

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_TINY = 1e-30

_CLOSE = 1e-5
"""Energies that differ by less, relative to their size, may be ranked either way by two ways of rounding."""


@dataclass(frozen=True)
class Case:
    """One run of a segment: where it starts, and what decides it. Scale 0 stands for a start that is not moved."""

    batch: int
    seed: int
    scale: float
    inputs: dict[str, Tensor]
    state: State
    noise: State
    rate: Tensor

    def feeds(self) -> dict[str, Array]:
        """The graph inputs."""
        named = dict(self.inputs) | {f"state.{k}": v for k, v in self.state.items()}
        named |= {f"noise.{k}": v for k, v in self.noise.items()} | {"rate": self.rate}
        return {k: np.ascontiguousarray(v.numpy()) for k, v in named.items()}


def resample(tensors: Mapping[str, Tensor], batch: int, generator: torch.Generator) -> dict[str, Tensor]:
    """Rows of the examples, the same ones of every tensor."""
    if not tensors:
        return {}
    rows = next(iter(tensors.values())).shape[0]
    index = torch.arange(batch) % rows if batch <= rows else torch.randint(rows, (batch,), generator=generator)
    return {name: t.detach()[index].contiguous() for name, t in tensors.items()}


def case(draft: Draft, batch: int, seed: int, scale: float) -> Case:
    """A random start: states drawn as the header says; or ``scale`` times as wide, with chains that are under way."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + batch)
    state: State = {}
    for name, start in draft.starts().items():
        shape = (batch, *draft.state_specs()[name].shape)
        drawn = start.draw(shape, generator)
        if scale != 1.0 and name in draft.state:
            drawn = Normal(start.value, 0.1).draw(shape, generator) if isinstance(start, Constant) else scale * drawn
        state[name] = drawn
    noise = {
        name: torch.randn((batch, len(draft.kicks), *t.shape[1:]), generator=generator)
        for name, t in draft.state.items()
        if draft.kicks
    }
    rate = torch.ones(batch) if seed % 2 == 0 else 0.25 + 0.75 * torch.rand(batch, generator=generator)
    inputs = resample(draft.inputs, batch, generator)
    if scale != 1.0 and draft.slots:
        state = _under_way(draft, state, inputs, generator)
    return Case(batch, seed, scale, inputs, state, noise, rate)


def _under_way(draft: Draft, state: State, inputs: dict[str, Tensor], generator: torch.Generator) -> State:
    """Each row none, one or two updates later, so that slots have values that a rule gives them; counts at any of theirs."""
    for name, slot in draft.slots.items():
        if slot.later:
            state[name] = torch.tensor(slot.later)[
                torch.randint(len(slot.later), state[name].shape, generator=generator)
            ]
    descent = replace(draft.descent, inputs=inputs)
    age = torch.arange(next(iter(state.values())).shape[0]) % 3
    with torch.no_grad():
        moved = descent.begin(state)
        for updates in (1, 2):
            noise = {name: torch.randn(state[name].shape, generator=generator) for name in draft.state if draft.kicks}
            moved, _ = descent.step(moved, noise or None)
            finite = torch.stack([torch.isfinite(t).reshape(len(t), -1).all(1) for t in moved.values()]).all(0)
            state = {name: choose((age == updates) & finite, moved[name], y) for name, y in state.items()}
    return state


class Reference(NamedTuple):
    """A segment in PyTorch, with autograd.

    Attributes:
        found: The outputs.
        sizes: What the difference of an output is relative to, where that is not its own size; see `relative`.
        clear: The chains in which nothing that the rule decided hangs on rounding, bool ``(batch,)``.
    """

    found: dict[str, Tensor]
    sizes: dict[str, Tensor]
    clear: Tensor


class Ranking:
    """Ranks as ``<=`` does, or the other way where two numbers are close; and notes which chains have such."""

    def __init__(self, batch: int, *, flipped: bool = False) -> None:
        self.clear = torch.ones(batch, dtype=torch.bool)
        self.flipped = flipped

    def __call__(self, one: Tensor, other: Tensor, size: Tensor) -> Tensor:
        close = ((one - other).abs() <= _CLOSE * torch.maximum(size, other.abs())) & (one.abs() < WORST)
        self.clear &= ~close
        lower = one <= other
        return lower ^ close if self.flipped else lower


def descend(draft: Draft, start: Case, dtype: torch.dtype = torch.float32) -> Reference:
    """The reference: a segment in PyTorch, with autograd."""
    descent = draft.descent
    if dtype != torch.float32:
        energy = copy.deepcopy(descent.energy).to(dtype) if isinstance(descent.energy, nn.Module) else descent.energy
        descent = replace(descent, energy=energy, rule=copy.deepcopy(descent.rule).to(dtype))

    def cast(tensors: Mapping[str, Tensor]) -> State:
        if dtype == torch.float32:
            return dict(tensors)  # as the caller has them: an input may be of half or of double precision
        return {k: t.to(dtype) if t.is_floating_point() else t for k, t in tensors.items()}

    ranking = Ranking(start.batch)
    descent = replace(descent, inputs=cast(start.inputs), compare=ranking)
    noise, rate = cast(start.noise), start.rate.to(dtype)
    trace, sizes = [], []
    with torch.no_grad():
        state = descent.begin(cast(start.state), rate)
        first = descent.read(state).residual
        for step in range(draft.unroll):
            kick = {k: t[:, draft.kicks.index(step)] for k, t in noise.items()} if step in draft.kicks else None
            state, probe = descent.step(state, kick, rate)
            trace.append(probe.energy)
            sizes.append(_size(probe.terms))
        reading = descent.read(state)
    found = {f"next.{name}": t for name, t in state.items()}
    found |= {"energy": reading.energy, "terms": torch.stack(list(reading.terms.values()), 1)}
    found |= {"residual": reading.residual, "trace": torch.stack(trace[:: draft.trace_every], 1)}
    size = {"energy": _size(reading.terms), "trace": torch.stack(sizes[:: draft.trace_every], 1)}
    size["residual"] = begun_with(first, reading.residual)
    # Where nothing moves, either way leads to the same state.
    return Reference(found, size, ranking.clear | (start.scale == 0))


def begun_with(first: Tensor, now: Tensor) -> Tensor:
    """What a residual is held to: what it was where the descent began, since at the goal nothing but rounding is left of it."""
    return torch.where(torch.isfinite(first), torch.maximum(first, now), now)


def _size(terms: Mapping[str, Tensor]) -> Tensor:
    return total({name: term.abs() for name, term in terms.items()})


def relative(found: Array, wanted: Tensor, size: Tensor | None = None) -> float:
    """The largest difference, relative to the largest entry wanted; rows that are not finite in the reference are left out.

    Args:
        found: What the file says.
        wanted: What the reference says.
        size: Of its shape: what the difference is relative to instead. A sum is given the sum of its terms' magnitudes, because
            terms that cancel leave their rounding behind; the terms themselves are held to their own size. A residual is given
            what it was before the segment, because at the goal nothing but rounding is left of it.
    """
    reference = wanted.double()
    finite = torch.isfinite(reference).flatten(1).all(1) if reference.dim() > 1 else torch.isfinite(reference)
    a, b = torch.from_numpy(np.asarray(found)).double()[finite], reference[finite]
    if b.numel() == 0:
        return 0.0
    against = b.abs() if size is None else size.double()[finite]
    error = float((a - b).abs().max() / against.max().clamp_min(_TINY))
    return float("inf") if math.isnan(error) else error


def still(draft: Draft, batch: int, seed: int) -> Case:
    """A start that no step moves, as hosts evaluate: nothing amplifies rounding, so energy and gradient are held strictly."""
    start = case(draft, batch, seed, 1.0)
    noise = {name: torch.zeros_like(t) for name, t in start.noise.items()}
    return replace(start, noise=noise, rate=torch.zeros(batch), scale=0.0)
