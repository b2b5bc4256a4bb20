"""The reference: starts, and the descent from them in PyTorch.

It runs the caller's own energy, autograd and the rule, and nothing that the export captured or rewrote.
"""

from __future__ import annotations

import contextlib
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
from groundstate_export._verify.wide import Wide

_CLOSE = 1e-5
"""Two energies with a smaller relative difference may be ranked either way, because two programs round differently."""


class Reference(NamedTuple):
    """A segment in PyTorch, with autograd.

    Attributes:
        found: The outputs.
        sizes: For some outputs the scale of the relative error, if it is not the output's own size; see `relative`.
        clear: The chains without a decision of the rule that depends on rounding, bool ``(batch,)``.
    """

    found: dict[str, Tensor]
    sizes: dict[str, Tensor]
    clear: Tensor


class Ranking:
    """Ranks like ``<=``, or the opposite way for two close numbers, and records the chains with such a pair."""

    def __init__(self, batch: int, *, flipped: bool = False) -> None:
        self.clear = torch.ones(batch, dtype=torch.bool)
        self.flipped = flipped

    def __call__(self, one: Tensor, other: Tensor, size: Tensor) -> Tensor:
        close = ((one - other).abs() <= _CLOSE * torch.maximum(size, other.abs())) & (one.abs() < WORST)
        self.clear &= ~close
        lower = one <= other
        return lower ^ close if self.flipped else lower


def descend(examined: Examined, start: Case, dtype: torch.dtype | None = None) -> Reference:
    """The reference: a segment in PyTorch with autograd, optionally in another dtype than the caller's."""
    descent = examined.descent
    if dtype is not None:
        descent = replace(descent, energy=in_dtype(descent.energy, dtype), rule=in_dtype(descent.rule, dtype))

    def cast(tensors: Mapping[str, Tensor]) -> State:
        if dtype is None:
            return dict(tensors)  # in the caller's dtypes: an input may have half or double precision
        return {k: t.to(dtype) if t.is_floating_point() else t for k, t in tensors.items()}

    ranking = Ranking(start.batch)
    descent = replace(descent, inputs=cast(start.inputs), compare=ranking)
    kind = dtype or examined.dtype
    noise, step_scale = {k: t.to(kind) for k, t in start.noise.items()}, start.step_scale.to(kind)
    trace, sizes = [], []
    with torch.no_grad(), Wide() if dtype == torch.float64 else contextlib.nullcontext():
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
    # Without a move, either decision leads to the same state.
    return Reference(found, size, ranking.clear | (start.scale == 0))


def begun_with(first: Tensor, now: Tensor) -> Tensor:
    """The scale of a residual: its value at the start of the descent, since at a minimum only rounding is left."""
    return torch.where(torch.isfinite(first), torch.maximum(first, now), now)


def _size(terms: Mapping[str, Tensor]) -> Tensor:
    return total({name: term.abs() for name, term in terms.items()})
