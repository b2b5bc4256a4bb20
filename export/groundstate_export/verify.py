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
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from groundstate_export.differentiate import counts
from groundstate_export.draft import Draft
from groundstate_export.errors import BadEnergy, ParityError
from groundstate_export.evaluate import total
from groundstate_export.initial import Constant, Normal
from groundstate_export.ir import Array
from groundstate_export.rules import State
from groundstate_export.rules.base import WORST, choose

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
import onnxruntime as ort  # telemetry must be off before the import

_TINY = 1e-30

_CLOSE = 1e-5
"""Energies that differ by less, relative to their size, may be ranked either way by two ways of rounding."""

_NEIGHBOUR = 3e-2
"""How far apart, relative to the largest entry, two states may be between which such a ranking chose: around a minimum distance
goes with the root of the energy, so a few times the root of `_CLOSE`."""

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
    """A random start: states drawn as the header says; or ``scale`` times as wide, with chains that are under way."""
    generator = torch.Generator().manual_seed(1_000_003 * seed + batch)
    inputs = resample(draft.inputs, batch, generator)
    state: State = {}
    for name, start in draft.starts().items():
        shape = (batch, *draft.state_specs()[name].shape)
        drawn = start.draw(shape, generator)
        if scale != 1.0 and name in draft.state:
            drawn = Normal(start.value, 0.1).draw(shape, generator) if isinstance(start, Constant) else scale * drawn
        state[name] = drawn
    if scale != 1.0:
        state = _under_way(draft, state, inputs, generator)
    noise = {
        name: torch.randn((batch, len(draft.kicks), *t.shape[1:]), generator=generator)
        for name, t in draft.state.items()
        if draft.kicks
    }
    rate = torch.ones(batch) if seed % 2 == 0 else 0.25 + 0.75 * torch.rand(batch, generator=generator)
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


class _Ranking:
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
        return {k: t.to(dtype) if t.is_floating_point() else t for k, t in tensors.items()}

    ranking = _Ranking(start.batch)
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
    found |= {"residual": reading.residual, "trace": torch.stack(trace, 1)}
    size = {"energy": _size(reading.terms), "trace": torch.stack(sizes, 1)}
    size["residual"] = torch.maximum(first, reading.residual)
    # Where nothing moves, either way leads to the same state.
    return Reference(found, size, ranking.clear | (start.scale == 0))


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


Run = tuple[Case, Reference, dict[str, Array]]


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
        reference = descend(draft, start)
        wanted, sizes, _ = reference
        _unmoved(draft, start, found)
        if start.scale <= 1.0 and not all(bool(torch.isfinite(t).all()) for t in wanted.values()):
            raise BadEnergy(
                f"The descent in PyTorch is not finite after {draft.unroll} steps (batch {start.batch}, seed {start.seed}); "
                "a smaller step size, or a term that confines the state, keeps it finite."
            )
        runs.append((start, reference, found))
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
    off by nothing by chance. Chains in which a rule's decision hangs on rounding may end in a neighbouring state that is as
    good: their energies before and after each update must match, be what PyTorch says of the state that they end in, and that
    state be a neighbour.
    """
    own: dict[tuple[str, float, bool], float] = {}
    errors: list[tuple[str, float, Case, bool]] = []
    for start, reference, found in runs:
        try:
            judge = descend(draft, start, torch.float64)
        except (RuntimeError, TypeError):  # a callable that holds float32 tensors of its own cannot be run in float64
            judge = reference
        sure = reference.clear & judge.clear
        _as_good(draft, start, found, ~sure)
        for name in sorted(suspects):
            strict = name in {"energy", "trace"}
            for clear, rows in ((True, sure | strict), (False, ~sure & (not strict))):
                truth, size = judge.found[name][rows], judge.sizes.get(name)
                size = None if size is None else size[rows]
                key = (name, start.scale, clear)
                own[key] = max(own.get(key, 0.0), relative(reference.found[name][rows].numpy(), truth, size))
                errors.append((name, relative(found[name][rows.numpy()], truth, size), start, clear))
    for name, error, start, clear in sorted(errors, key=lambda e: -e[1]):
        noise = own[name, start.scale, clear]
        allowed = max(draft.tolerance if clear else _NEIGHBOUR, _AMPLIFIED * noise)
        if error > allowed:
            detail = f"Float64 PyTorch was the judge; float32 PyTorch is {noise:.3g} from it. " if noise else ""
            raise ParityError(name, start.batch, start.seed, error, allowed, detail)
        parity.judged[name] = max(noise, parity.judged.get(name, 0.0))
        if clear:
            parity.note(name, error)


def _as_good(draft: Draft, start: Case, found: Mapping[str, Array], rows: Tensor) -> None:
    """The energy that the file gives some chains must be what PyTorch says of the states in which they are."""
    if not bool(rows.any()):
        return
    state = {name: torch.from_numpy(found[f"next.{name}"]) for name in start.state}
    with torch.no_grad():
        reading = replace(draft.descent, inputs=start.inputs).read(state)
    error = relative(found["energy"][rows.numpy()], reading.energy[rows], _size(reading.terms)[rows])
    if error > draft.tolerance:
        raise ParityError("energy", start.batch, start.seed, error, draft.tolerance)


def _exact(
    draft: Draft, start: Case, found: Mapping[str, Array], judge: ort.InferenceSession | None, parity: Parity
) -> None:
    """Answers and violations, against PyTorch's reading of the very state and the very answer that the file returned."""
    if draft.decode is None:
        return
    descent = replace(draft.descent, inputs=start.inputs)
    with torch.no_grad():
        answer = _answer(draft, start, found)
        for name, tensor in answer.items():
            _same(draft, parity, f"answer.{name}", found[f"answer.{name}"], tensor, start)
        given = {name: torch.from_numpy(found[f"answer.{name}"]) for name in answer}
        if draft.record:
            first = draft.decode(draft.pack(descent.begin(start.state, start.rate)), **start.inputs)
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


def _answer(draft: Draft, start: Case, found: Mapping[str, Array]) -> dict[str, Tensor]:
    """PyTorch's reading of the state that the file returned; of two equally good ones, of that which the file chose."""
    assert draft.decode is not None
    state = {name: torch.from_numpy(found[f"next.{name}"]) for name in start.state}
    ways = []
    for flipped in (False, True):
        ranking = _Ranking(start.batch, flipped=flipped)
        point = replace(draft.descent, inputs=start.inputs, compare=ranking).shown(state)
        ways.append(draft.decode(draft.pack(point), **start.inputs))
        if bool(ranking.clear.all()):
            return {name: t.detach() for name, t in ways[0].items()}
    answer = {}
    for name, first in ways[0].items():
        given, other = torch.from_numpy(found[f"answer.{name}"]), ways[1][name]
        away = [(given.double() - way.double()).abs().reshape(start.batch, -1).amax(1) for way in (first, other)]
        answer[name] = choose(away[0] <= away[1], first, other)
    return answer


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
