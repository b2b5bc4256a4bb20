"""Verify or refuse: the file against PyTorch.

The reference is the caller's own energy, differentiated by autograd and moved by the rule, in PyTorch: nothing that the export
captured or rewrote. Where the two differ by more than the tolerance, PyTorch in float64 is the judge: a descent can amplify
rounding, and then float32 PyTorch is as far from the truth as the file is.
"""

from __future__ import annotations

import copy
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor, nn

from groundstate_export.differentiate import counts, named_terms, residual, total
from groundstate_export.draft import Draft
from groundstate_export.errors import BadEnergy, ParityError
from groundstate_export.initial import Constant, Normal
from groundstate_export.ir import Array
from groundstate_export.rules import State

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort  # telemetry must be off before the import

_TINY = 1e-30

_AMPLIFIED = 4.0
"""How much further from float64 than float32 PyTorch a file may be, where a descent amplifies rounding: they round in
different places, so their errors are of one size but not equal. What a wrong gradient does is larger by orders of magnitude."""


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


@dataclass
class Parity:
    """What the comparison found."""

    worst: dict[str, float] = field(default_factory=dict)
    judged: dict[str, float] = field(default_factory=dict)

    def note(self, output: str, error: float) -> None:
        self.worst[output] = max(error, self.worst.get(output, 0.0))


def session(model: bytes) -> ort.InferenceSession:
    """A session on one thread of the CPU."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_mem_reuse = False
    return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])


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


def _cases(draft: Draft) -> Iterator[Case]:
    for batch in draft.batches:
        yield still(draft, batch, draft.seeds[0])
        for seed in draft.seeds:
            for scale in (1.0, 3.0):
                yield case(draft, batch, seed, scale)


def still(draft: Draft, batch: int, seed: int) -> Case:
    """A start that no step moves, as hosts evaluate: nothing amplifies rounding, so energy and gradient are held strictly."""
    start = case(draft, batch, seed, 1.0)
    noise = {name: torch.zeros_like(t) for name, t in start.noise.items()}
    return replace(start, noise=noise, rate=torch.zeros(batch), scale=0.0)


Run = tuple[Case, dict[str, Tensor], dict[str, Array]]


def verify(draft: Draft, model: bytes) -> Parity:
    """Hold a model against PyTorch.

    Raises:
        ParityError: An output differs.
        BadEnergy: The reference itself is not finite.
    """
    parity = Parity()
    runs: list[Run] = []
    suspects: set[str] = set()
    run = session(model)
    judge = session(draft.judge) if draft.judge is not None else None
    names = [o.name for o in run.get_outputs()]
    for start in _cases(draft):
        found = dict(zip(names, run.run(None, start.feeds()), strict=True))
        wanted, sizes = descend(draft, start)
        _unmoved(draft, start, found)
        if start.scale <= 1.0 and not all(bool(torch.isfinite(t).all()) for t in wanted.values()):
            raise BadEnergy(
                f"The descent in PyTorch is not finite after {draft.unroll} steps (batch {start.batch}, seed {start.seed}); "
                "a smaller step size, or a term that confines the state, keeps it finite."
            )
        runs.append((start, wanted, found))
        for name, tensor in wanted.items():
            error = relative(found[name], tensor, sizes.get(name))
            if error > draft.tolerance:
                suspects.add(name)
            else:
                parity.note(name, error)
        _exact(draft, start, found, judge, parity)
    if suspects:
        _settle(draft, suspects, runs, parity)
    return parity


def _settle(draft: Draft, suspects: set[str], runs: list[Run], parity: Parity) -> None:
    """Let float64 decide: the file may be no further from it than the tolerance, or `_AMPLIFIED` times as far as float32 PyTorch.

    How far float32 PyTorch is off is its worst over the batches and seeds of one scale, because a single small batch may be
    off by nothing by chance.
    """
    own: dict[tuple[str, float], float] = {}
    errors: list[tuple[str, float, Case]] = []
    for start, wanted, found in runs:
        try:
            truth, sizes = descend(draft, start, torch.float64)
        except (RuntimeError, TypeError):  # a callable that holds float32 tensors of its own cannot be run in float64
            truth, sizes = wanted, descend(draft, start)[1]
        for name in sorted(suspects):
            key = (name, start.scale)
            own[key] = max(own.get(key, 0.0), relative(wanted[name].numpy(), truth[name], sizes.get(name)))
            errors.append((name, relative(found[name], truth[name], sizes.get(name)), start))
    for name, error, start in sorted(errors, key=lambda e: -e[1]):
        noise = own[name, start.scale]
        allowed = max(draft.tolerance, _AMPLIFIED * noise)
        if error > allowed:
            detail = f"Float64 PyTorch was the judge; float32 PyTorch is {noise:.3g} from it. " if noise else ""
            raise ParityError(name, start.batch, start.seed, error, allowed, detail)
        parity.judged[name] = max(noise, parity.judged.get(name, 0.0))
        parity.note(name, error)


def _exact(
    draft: Draft, start: Case, found: Mapping[str, Array], judge: ort.InferenceSession | None, parity: Parity
) -> None:
    """Answers and violations, against PyTorch's reading of the very state and the very answer that the file returned."""
    if draft.decode is None:
        return
    state = {name: torch.from_numpy(found[f"next.{name}"]) for name in draft.state}
    with torch.no_grad():
        answer = {k: t.detach() for k, t in draft.decode(draft.pack(state), **start.inputs).items()}
        for name, tensor in answer.items():
            _same(draft, parity, f"answer.{name}", found[f"answer.{name}"], tensor, start)
        given = {name: torch.from_numpy(found[f"answer.{name}"]) for name in answer}
        if draft.record:
            first = draft.decode(draft.pack(start.state), **start.inputs)
            for name, tensor in first.items():
                # Where nothing moves every answer is the first one; elsewhere the rest of the path has no state to be held to.
                shown = found[f"path.{name}"] if start.scale == 0 else found[f"path.{name}"][:, :1]
                _same(draft, parity, f"path.{name}", shown, tensor.unsqueeze(1).expand(shown.shape), start)
        verdicts: dict[str, Tensor] = {}
        if draft.rules is not None:
            verdicts["violations"] = counts(draft, given, start.inputs)
            _same(draft, parity, "violations", found["violations"], verdicts["violations"], start)
        if judge is None:
            return
        if draft.embed is not None:
            place = draft.embed(given, **start.inputs)
            named = {"y": place} if isinstance(place, Tensor) else dict(place)
            verdicts |= {f"state.{name}": t for name, t in named.items()}
    tensors = start.inputs | {f"answer.{name}": t for name, t in given.items()}
    wanted = {i.name for i in judge.get_inputs()}
    feeds = {name: np.ascontiguousarray(t.numpy()) for name, t in tensors.items() if name in wanted}
    outputs = dict(zip([o.name for o in judge.get_outputs()], judge.run(None, feeds), strict=True))
    for name, tensor in verdicts.items():
        _same(draft, parity, f"judge:{name}", outputs[name], tensor, start)


def _same(draft: Draft, parity: Parity, name: str, found: Array, wanted: Tensor, start: Case) -> None:
    error = relative(found, wanted)
    allowed = draft.tolerance if wanted.is_floating_point() else 0.0
    if error > allowed:
        raise ParityError(name, start.batch, start.seed, error, allowed)
    parity.note(name, error)


def _unmoved(draft: Draft, start: Case, found: Mapping[str, Array]) -> None:
    """A rate of 0, without noise, must leave the state where it is."""
    if start.scale:
        return
    for name in draft.state:
        error = relative(found[f"next.{name}"], start.state[name])
        if error > 0.0:
            detail = "With `rate` 0 and no noise the state must stay: the rule must multiply its step size by `rate`. "
            raise ParityError(f"next.{name}", start.batch, start.seed, error, 0.0, detail)
