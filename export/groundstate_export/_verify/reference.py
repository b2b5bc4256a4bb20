"""The reference: starts, and the descent from them in PyTorch.

It is the caller's own energy, differentiated by autograd and moved by the rule: nothing that the export captured or rewrote.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

import torch
from torch import Tensor

from groundstate_export._descent.evaluate import total
from groundstate_export._descent.rules.rule import WORST, State
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.starts import Case
from groundstate_export._examine.twin import in_dtype

_CLOSE = 1e-5
"""Energies that differ by less, relative to their size, may be ranked either way by two ways of rounding."""


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


def descend(examined: Examined, start: Case, dtype: torch.dtype | None = None) -> Reference:
    """The reference: a segment in PyTorch, with autograd, in another dtype than the caller's where one is given."""
    descent = examined.descent
    if dtype is not None:
        descent = replace(descent, energy=in_dtype(descent.energy, dtype), rule=in_dtype(descent.rule, dtype))

    def cast(tensors: Mapping[str, Tensor]) -> State:
        if dtype is None:
            return dict(tensors)  # as the caller has them: an input may be of half or of double precision
        return {k: t.to(dtype) if t.is_floating_point() else t for k, t in tensors.items()}

    ranking = Ranking(start.batch)
    descent = replace(descent, inputs=cast(start.inputs), compare=ranking)
    kind = dtype or examined.dtype
    noise, step_scale = {k: t.to(kind) for k, t in start.noise.items()}, start.step_scale.to(kind)
    trace, sizes = [], []
    with torch.no_grad():
        state = descent.begin(cast(start.state), step_scale)
        first = descent.read(state).residual
        for step in range(examined.unroll):
            slot = examined.noisy.index(step) if step in examined.noisy else None
            drawn = None if slot is None else {k: t[:, slot] for k, t in noise.items()}
            state, probe = descent.step(state, drawn, step_scale)
            trace.append(probe.energy)
            sizes.append(_size(probe.terms))
        reading = descent.read(state)
    found = {f"next.{name}": t for name, t in state.items()}
    found |= {"energy": reading.energy, "terms": torch.stack(list(reading.terms.values()), 1)}
    found |= {"residual": reading.residual, "trace": torch.stack(trace[:: examined.trace_every], 1)}
    size = {"energy": _size(reading.terms), "trace": torch.stack(sizes[:: examined.trace_every], 1)}
    size["residual"] = begun_with(first, reading.residual)
    # Where nothing moves, either way leads to the same state.
    return Reference(found, size, ranking.clear | (start.scale == 0))


def begun_with(first: Tensor, now: Tensor) -> Tensor:
    """What a residual is held to: what it was where the descent began, since at the goal nothing but rounding is left of it."""
    return torch.where(torch.isfinite(first), torch.maximum(first, now), now)


def _size(terms: Mapping[str, Tensor]) -> Tensor:
    return total({name: term.abs() for name, term in terms.items()})
