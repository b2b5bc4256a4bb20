"""The reference: starts, and the descent from them in PyTorch.

It is the caller's own energy, differentiated by autograd and moved by the rule: nothing that the export captured or rewrote.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from groundstate_export.differentiate import named_terms, residual, total
from groundstate_export.draft import Draft
from groundstate_export.initial import Constant, Normal
from groundstate_export.ir import Array
from groundstate_export.rules import State

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

_TINY = 1e-30


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
    """A random start: states drawn as the header says, or ``scale`` times as wide."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + batch)
    state: State = {}
    for name, start in draft.starts().items():
        shape = (batch, *draft.state_specs()[name].shape)
        drawn = start.draw(shape, generator)
        if scale != 1.0:
            drawn = Normal(start.value, 0.1).draw(shape, generator) if isinstance(start, Constant) else scale * drawn
        state[name] = drawn
    noise = {
        name: torch.randn((batch, len(draft.kicks), *t.shape[1:]), generator=generator)
        for name, t in draft.state.items()
        if draft.kicks
    }
    rate = torch.ones(batch) if seed % 2 == 0 else 0.25 + 0.75 * torch.rand(batch, generator=generator)
    return Case(batch, seed, scale, resample(draft.inputs, batch, generator), state, noise, rate)


def descend(
    draft: Draft, start: Case, dtype: torch.dtype = torch.float32
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The reference: a segment in PyTorch, with autograd; and the size of what each sum among the outputs adds up."""
    energy, rule = draft.energy, draft.rule
    if dtype != torch.float32:
        energy = copy.deepcopy(energy).to(dtype) if isinstance(energy, nn.Module) else energy
        rule = copy.deepcopy(rule).to(dtype)

    def cast(tensors: Mapping[str, Tensor]) -> State:
        if dtype == torch.float32:
            return dict(tensors)  # as the caller has them: an input may be of half or of double precision
        return {k: t.to(dtype) if t.is_floating_point() else t for k, t in tensors.items()}

    inputs, state, noise, rate = cast(start.inputs), cast(start.state), cast(start.noise), start.rate.to(dtype)

    def evaluate() -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        with torch.enable_grad():
            leaves = {name: state[name].detach().requires_grad_() for name in draft.state}
            terms = named_terms(energy(draft.pack(leaves), **inputs))
            slopes = torch.autograd.grad(total(terms).sum(), list(leaves.values()))
        return {k: t.detach() for k, t in terms.items()}, dict(zip(leaves, slopes, strict=True))

    trace, sizes = [], []
    for step in range(draft.unroll):
        terms, slopes = evaluate()
        trace.append(total(terms))
        sizes.append(_size(terms))
        kick = {k: t[:, draft.kicks.index(step)] for k, t in noise.items()} if step in draft.kicks else None
        with torch.no_grad():
            state = dict(rule(state, slopes, kick, rate))
    terms, slopes = evaluate()
    found = {f"next.{name}": t for name, t in state.items()}
    found |= {"energy": total(terms), "terms": torch.stack(list(terms.values()), 1)}
    found |= {"residual": residual(slopes), "trace": torch.stack(trace, 1)}
    size = {"energy": _size(terms), "trace": torch.stack(sizes, 1)}
    return {k: t.detach() for k, t in found.items()}, size


def _size(terms: Mapping[str, Tensor]) -> Tensor:
    return total({name: term.abs() for name, term in terms.items()})


def relative(found: Array, wanted: Tensor, size: Tensor | None = None) -> float:
    """The largest difference, relative to the largest entry wanted; rows that are not finite in the reference are left out.

    Args:
        found: What the file says.
        wanted: What the reference says.
        size: Of its shape: what the difference is relative to instead. A sum is given the sum of its terms' magnitudes, because
            terms that cancel leave their rounding behind; the terms themselves are held to their own size.
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
