"""Parity: the file against PyTorch, a step at a time, and the segment against its steps.

A descent amplifies rounding: on a ridge two correct programs part after a few steps, so comparing where they end proves little,
or refuses what is right. Therefore two comparisons, neither of which lets anything be amplified:

1. Each step of the file against PyTorch, from a state that the file itself reached: energy, gradient and rule, held to the
   tolerance. The steps are models of the very graphs that the file is put together from.
2. The whole segment against these steps, one run after another: wiring, noise, what is recorded, where it stops. That is
   ONNX Runtime against itself, so the two agree to the last bit, but for what it fuses; where that shows, both run unfused, and
   must be equal.

Where PyTorch in float32 is itself further from float64 than the tolerance, float64 is the judge.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import onnxruntime as ort
import torch
from torch import Tensor

from groundstate_export.differentiate import counts
from groundstate_export.draft import Draft
from groundstate_export.errors import BadEnergy, ParityError
from groundstate_export.evaluate import total
from groundstate_export.ir import Array
from groundstate_export.replay import Arrays, Descent, Steps, beginning, run, session
from groundstate_export.rules.base import WORST, choose
from groundstate_export.verify import Case, Ranking, Reference, begun_with, case, descend, relative, still

_ROUNDING = 4.0
"""How much further from float64 than float32 PyTorch a step may be, where an energy cannot be told better in float32: the two
round in different places, so their errors are of one size but not equal."""

_LAST_BITS = 4 * float(np.finfo(np.float32).eps)
"""What adding a small step to a large state rounds away, relative to the state."""


_ENERGIES = {"energy", "trace", "terms"}

_BOLD = 1024.0
"""A rate at which even a small step size moves the state by more than its rounding."""


@dataclass
class Parity:
    """What the comparison found."""

    worst: dict[str, float] = field(default_factory=dict)
    judged: dict[str, float] = field(default_factory=dict)

    def note(self, output: str, error: float) -> None:
        self.worst[output] = max(error, self.worst.get(output, 0.0))

    def include(self, other: Parity) -> None:
        """Take what was found at another example."""
        for output, error in other.worst.items():
            self.note(output, error)
        for output, error in other.judged.items():
            self.judged[output] = max(error, self.judged.get(output, 0.0))


@dataclass(frozen=True)
class _Step:
    """A step of the file beside the reference's: where it begins, what both return, and what the difference is relative to."""

    one: Draft
    start: Case
    found: Arrays
    wanted: dict[str, Tensor]
    sizes: dict[str, Tensor]
    clear: Tensor

    def errors(self) -> dict[str, float]:
        """The relative error of each output."""
        everything = torch.ones_like(self.clear)
        return {name: self.error(name, self.found[name], tensor, everything) for name, tensor in self.wanted.items()}

    def error(self, name: str, found: Array, wanted: Tensor, rows: Tensor) -> float:
        """The largest difference of some rows relative to the output's size; of a state, if only rounding, to the state's."""
        found, wanted = found[rows.numpy()], wanted[rows]
        before = self.start.state.get(name.removeprefix("next.")) if name.startswith("next.") else None
        if before is not None:
            most = max(_largest(before.numpy()), _largest(wanted.numpy()))
            rounded = relative(found, wanted, torch.full_like(wanted, most))
            if rounded <= _LAST_BITS:
                return rounded
        size = self.sizes.get(name)
        return relative(found, wanted, None if size is None else size[rows])


def _largest(array: Array) -> float:
    """The largest entry; what stands for nothing yet, and what is not finite, left out."""
    return float(np.abs(array[np.isfinite(array) & (np.abs(array) < WORST)]).max(initial=0.0))


def verify(draft: Draft, model: bytes) -> Parity:
    """Hold a model against PyTorch.

    Raises:
        ParityError: An output differs.
        BadEnergy: The reference itself is not finite.
    """
    parity = Parity()
    host, steps = session(model), Steps(draft)
    sides = [steps, Steps(draft, low=True)] if draft.precision == "float16" else [steps]
    judge = session(draft.judge) if draft.judge is not None else None
    compared: list[_Step] = []
    for start, whole in _cases(draft):
        feeds = start.feeds()
        descent = steps.segment(feeds, draft.unroll if whole else 1)
        places = _places(draft, start, descent)
        beside = [_beside(draft, one, start, descent, place) for one in sides for place in places]
        _finite(draft, start, beside)
        for step in beside:
            step.sizes["residual"] = begun_with(beside[0].sizes["residual"], step.sizes["residual"])
        compared += beside
        if whole:
            found = run(host, feeds | _limits(draft.unroll))
            _same_as_steps(draft, model, start, found, descent.outputs, parity)
            _unmoved(draft, start, found)
            _exact(draft, start, found, judge, parity)
        if whole and draft.form == "loop" and start.scale:
            _stops(draft, model, start, host, steps, descent, parity)
    _level(compared)
    _settle(draft, compared, parity)
    return parity


def _level(compared: list[_Step]) -> None:
    """An energy's error is relative to the largest energy of all starts of one width: a single row may hold a small one."""
    largest: dict[tuple[str, float], float] = {}
    for step in compared:
        for name in _ENERGIES & step.wanted.keys():
            key = name, step.start.scale
            largest[key] = max(largest.get(key, 0.0), _largest(step.sizes.get(name, step.wanted[name]).numpy()))
    for step in compared:
        for name in _ENERGIES & step.wanted.keys():
            step.sizes[name] = torch.full_like(step.wanted[name], largest[name, step.start.scale])


def segments(draft: Draft) -> list[int]:
    """The batch sizes at which whole segments are run: the two smallest. More rows would only make their sums longer."""
    return sorted(set(draft.batches))[:2]


def _cases(draft: Draft) -> Iterator[tuple[Case, bool]]:
    """Starts, and whether the whole segment is run from them: at the smallest batch for each seed, at the next for one.

    Starts spread wider, and steps that are longer, are there for the energy and its gradient; a step shows those.
    """
    first = draft.seeds[0]
    smallest, *_ = whole = segments(draft)
    for batch in draft.batches:
        yield still(draft, batch, first), batch == smallest
        for seed in draft.seeds:
            yield case(draft, batch, seed, 1.0), batch == smallest or (batch in whole and seed == first)
            yield case(draft, batch, seed, 3.0), False
        bold = case(draft, batch, first, 3.0)
        yield replace(bold, rate=_BOLD * bold.rate), False


def _limits(steps: int, tolerance: float = 0.0) -> Arrays:
    return {"max_steps": np.array(steps, np.int64), "tolerance": np.array(tolerance, np.float32)}


def _places(draft: Draft, start: Case, descent: Descent) -> list[int]:
    """The steps that are compared: the first and the last, with noise and without, and the first not finite.

    At the smallest batch also 1, 4, 16 and so on: what differs from step to step does not depend on the batch.
    """
    made = len(descent.found)
    places = {0, made - 1}
    if start.batch == min(draft.batches):
        places |= {4**n for n in range(made.bit_length())}
    for kicked in (True, False):
        places.update([k for k in range(made) if (k in draft.kicks) == kicked][:1])
    places.update([k for k, f in enumerate(descent.found) if not all(np.isfinite(v).all() for v in f.values())][:1])
    return sorted(k for k in places if k < made)


def _beside(draft: Draft, steps: Steps, start: Case, descent: Descent, index: int) -> _Step:
    """One step of a descent, and what the reference makes of the same state."""
    kicked = index in draft.kicks
    one = replace(draft, unroll=1, kicked=[0] if kicked else [])
    place = draft.kicks.index(index) if kicked else 0
    here = replace(
        start,
        state={name: torch.from_numpy(tensor) for name, tensor in descent.states[index].items()},
        noise={name: tensor[:, place : place + 1] for name, tensor in start.noise.items()} if kicked else {},
    )
    step = steps.step(start.feeds(), descent.states[index], index)
    following = {name: step[f"next.{name}"] for name in draft.state_specs()}
    end = steps.last(start.feeds(), following)
    found = {f"next.{name}": tensor for name, tensor in following.items()} | {"trace": step["energy"][:, None]}
    found |= {name: end[name] for name in ("energy", "terms", "residual")}
    wanted, sizes, clear = descend(one, here)
    if bool((start.rate > 1).any()):  # only how far it moves is of interest, not what the energy is out there
        wanted = {name: t for name, t in wanted.items() if name == "trace" or name.startswith("next.")}
    return _Step(one, here, found, wanted, sizes | _moved(here, wanted, descent), clear)


def _moved(here: Case, wanted: Mapping[str, Tensor], descent: Descent) -> dict[str, Tensor]:
    """What the error of a following state is relative to: the largest move of this step, or of the descent's first one.

    Near a minimum a gradient is what large forces leave of each other, so it is held to the gradient that the descent began with.
    """
    sizes = {}
    for name, before in here.state.items():
        first = descent.found[0][f"next.{name}"] - descent.states[0][name]
        now = (wanted[f"next.{name}"] - before).numpy()
        most = max(_largest(first), _largest(now))
        sizes[f"next.{name}"] = torch.full_like(before, most)
    return sizes


def _finite(draft: Draft, start: Case, beside: list[_Step]) -> None:
    if start.scale > 1.0:
        return
    for step in beside:
        for name, tensor in step.wanted.items():
            if not bool(torch.isfinite(tensor).all()):
                raise BadEnergy(
                    f"The descent in PyTorch is not finite within {draft.unroll} steps (batch {start.batch}, seed {start.seed}, "
                    f"first seen in {name!r}); a smaller step size, or a term that confines the state, keeps it finite."
                )
            if not np.isfinite(step.found[name]).all():
                raise ParityError(name, start.batch, start.seed, float("inf"), draft.tolerance)


def _settle(draft: Draft, compared: list[_Step], parity: Parity) -> None:
    """Note the errors; where one is beyond the tolerance, let float64 decide.

    How far float32 PyTorch is off is its worst over the batches and seeds of one scale, because a single small batch may be off
    by nothing by chance. Chains in which a decision of this step hangs on rounding may end in another state that is as good:
    their energies must match all the same, and be what PyTorch says of the state that they end in.
    """
    found = [(step, step.errors()) for step in compared]
    suspects = {name for _, errors in found for name, error in errors.items() if error > draft.tolerance}
    for _, errors in found:
        for name, error in errors.items():
            if name not in suspects:
                parity.note(name, error)
    if not suspects:
        return
    if not any(bool(step.clear.any()) for step in compared if step.start.scale):
        raise BadEnergy(
            "The rule chooses between energies that are equal to rounding in every chain that was tried, so the file cannot be "
            "compared; a wider `initial`, or an energy that depends more on the state, tells them apart."
        )
    judged = [one for step in compared for one in _judged(step, suspects)]
    own: dict[tuple[str, float], float] = {}
    for one in judged:
        own[one.kind] = max(own.get(one.kind, 0.0), one.own)
    for one in sorted(judged, key=lambda one: -one.error):
        name, noise, start = one.kind[0], own[one.kind], one.start
        allowed = max(draft.tolerance, _ROUNDING * noise)
        if one.error > allowed:
            detail = f"Float64 PyTorch was the judge; float32 PyTorch is {noise:.3g} from it. " if noise else ""
            raise ParityError(name, start.batch, start.seed, one.error, allowed, detail)
        parity.judged[name] = max(noise, parity.judged.get(name, 0.0))
        parity.note(name, one.error)


class _Judged(NamedTuple):
    """How far an output is from float64: its name and the scale; the start; the file; PyTorch in float32."""

    kind: tuple[str, float]
    start: Case
    error: float
    own: float


def _judged(step: _Step, names: set[str]) -> Iterator[_Judged]:
    truth, _, sure = _truth(step)
    sure = sure & step.clear
    _as_good(step, ~sure)
    for name in sorted(names & step.wanted.keys()):
        rows = torch.ones_like(sure) if name in {"energy", "trace"} else sure
        error = step.error(name, step.found[name], truth[name], rows)
        yield _Judged(
            (name, step.start.scale), step.start, error, step.error(name, step.wanted[name].numpy(), truth[name], rows)
        )


def _truth(step: _Step) -> Reference:
    try:
        return descend(step.one, step.start, torch.float64)
    except (RuntimeError, TypeError):  # a callable that holds float32 tensors of its own cannot be run in float64
        return Reference(step.wanted, step.sizes, step.clear)


def _as_good(step: _Step, rows: Tensor) -> None:
    """The energy that the file gives some chains must be what PyTorch says of the states in which they are."""
    if not bool(rows.any()):
        return
    state = {name: torch.from_numpy(step.found[f"next.{name}"]) for name in step.start.state}
    with torch.no_grad():
        reading = replace(step.one.descent, inputs=step.start.inputs).read(state)
    size = total({name: term.abs() for name, term in reading.terms.items()})
    error = relative(step.found["energy"][rows.numpy()], reading.energy[rows], size[rows])
    if error > step.one.tolerance:
        raise ParityError("energy", step.start.batch, step.start.seed, error, step.one.tolerance)


def _same_as_steps(
    draft: Draft,
    model: bytes,
    start: Case,
    found: Arrays,
    wanted: Arrays,
    parity: Parity,
    limits: tuple[int, float] | None = None,
) -> None:
    """The segment against its steps, run one after another."""
    steps, tolerance = limits or (draft.unroll, 0.0)
    error = _apart(found, wanted)
    if max(error.values()) > draft.tolerance:
        # Where ONNX Runtime fuses nothing, both compute the same operators on the same numbers.
        feeds = start.feeds()
        plain = run(session(model, plain=True), feeds | _limits(steps, tolerance))
        error = _apart(plain, Steps(draft, plain=True).segment(feeds, steps, tolerance).outputs)
        error |= {n: e for n, e in _begun(draft, start, found, wanted).items() if e > draft.tolerance}
        name = max(error, key=lambda n: error[n])
        if error[name] > 0.0:
            detail = "The segment differs from its own steps. "
            raise ParityError(name, start.batch, start.seed, error[name], 0.0, detail)
    parity.note("segment", max(error.values()))


def _begun(draft: Draft, start: Case, found: Arrays, wanted: Arrays) -> dict[str, float]:
    """How far the energies of the first two steps are apart, where rounding is not amplified yet, whatever is fused."""
    told = math.ceil(2 / draft.trace_every)
    error = _apart({"trace": found["trace"][:, :told]}, {"trace": wanted["trace"][:, :told]})
    if draft.trace_every > 1:
        # The file tells the first of these energies only, so its first two steps run once more, as a segment that ends there.
        first, model = beginning(draft)
        kicks = len(first.kicks)
        feeds = {
            n: np.ascontiguousarray(t[:, :kicks]) if n.startswith("noise.") else t for n, t in start.feeds().items()
        }
        ends = [run(session(model), feeds), Steps(first).segment(feeds, first.unroll).outputs]
        error |= _apart(*({"energy": end["energy"]} for end in ends))
    return error


def _apart(found: Arrays, wanted: Arrays) -> dict[str, float]:
    """The largest difference of each output, relative to its largest entry; infinite where shapes or what is finite differ."""
    errors = {}
    for name, tensor in wanted.items():
        other = found[name]
        if other.shape != tensor.shape or not np.array_equal(np.isfinite(other), np.isfinite(tensor)):
            errors[name] = float("inf")
            continue
        a, b = (t[np.isfinite(tensor)].astype(np.float64) for t in (other, tensor))
        largest = float(np.abs(b).max(initial=0.0))
        errors[name] = float(np.abs(a - b).max(initial=0.0)) / (largest or 1.0)
    return errors


def _stops(
    draft: Draft,
    model: bytes,
    start: Case,
    host: ort.InferenceSession,
    alone: Steps,
    descent: Descent,
    parity: Parity,
) -> None:
    """A loop that is told to stop early, by a tolerance that some chains meet and others do not, against its steps."""
    residuals = np.sort(descent.residuals(), axis=None)
    if residuals[0] <= 0 or not np.isfinite(residuals[-1]):
        return
    gaps = residuals[1:] / residuals[:-1] if len(residuals) > 1 else np.array([1.0])
    middle = slice(len(gaps) // 4, max(len(gaps) // 4 + 1, 3 * len(gaps) // 4))
    place = middle.start + int(np.argmax(gaps[middle]))
    between = float(np.sqrt(residuals[place] * residuals[min(place + 1, len(residuals) - 1)]))
    for steps, tolerance in ((max(1, draft.unroll // 2), 0.0), (draft.unroll, between)):
        feeds = start.feeds()
        found = run(host, feeds | _limits(steps, tolerance))
        wanted = alone.segment(feeds, steps, tolerance).outputs
        _same_as_steps(draft, model, start, found, wanted, parity, (steps, tolerance))


def _exact(
    draft: Draft, start: Case, found: Mapping[str, Array], judge: ort.InferenceSession | None, parity: Parity
) -> None:
    """Answers and violations, against PyTorch's reading of the very state and the very answer that the file returned."""
    if draft.decode is None:
        return
    with torch.no_grad():
        answer = _answer(draft, start, found)
        for name, tensor in answer.items():
            _same(draft, parity, f"answer.{name}", found[f"answer.{name}"], tensor, start)
        given = {name: torch.from_numpy(found[f"answer.{name}"]) for name in answer}
        if draft.record:
            begun = replace(draft.descent, inputs=start.inputs).begin(start.state, start.rate)
            first = draft.decode(draft.pack(begun), **start.inputs)
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
        ranking = Ranking(start.batch, flipped=flipped)
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
