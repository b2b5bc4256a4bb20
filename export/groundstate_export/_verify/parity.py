"""Parity: compare the file with PyTorch one step at a time, and the segment with its steps.

A descent amplifies rounding: on a ridge two correct programs diverge after a few steps. Comparing their ends would prove little,
or refuse a correct file. Two comparisons avoid any amplification:

1. Each step of the file against PyTorch, from a state that the file itself reached: energy, gradient and rule, within the
   tolerance. The steps are models of the same graphs that make up the file.
2. The whole segment against these steps, run one after another: wiring, noise, recorded values, stopping. Both run in ONNX
   Runtime, so they are bit-identical except for fusion. Where fusion makes a difference, both run without it and must be
   equal.

If float32 PyTorch differs from float64 by more than the tolerance, float64 decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import torch

from groundstate_export._errors import BadEnergy, ParityError
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.starts import Case, at_scale_0, case
from groundstate_export._unroll.segment import Segment
from groundstate_export._verify.answers import exact
from groundstate_export._verify.findings import Parity
from groundstate_export._verify.reference import begun_with
from groundstate_export._verify.replay import Replayed, Steps, run, session
from groundstate_export._verify.segment import bounds, same_as_steps, silent, stops, unmoved
from groundstate_export._verify.step import BOLD, FromFloat64, Step, beside, from_float64, largest, noise_nearby

_ROUNDING = 4.0
"""The allowed ratio of the file's error to float32 PyTorch's, both against float64, for an energy that float32 cannot compute
more exactly. The two round in different places, so their errors have the same size but are not equal."""

_ILL = (
    "The energy is ill-conditioned there, so that its rounding is magnified: a root or an angle near its end, a difference of "
    "large numbers, a nearly singular matrix. Rewrite that part, or export it with a float64 state."
)

_NEARBY = 8
"""Points around each compared state at which the rounding of float32 PyTorch is measured, where one point does not explain the
file's error."""

_ENERGIES = {"energy", "trace", "terms"}


class Hosts:
    """The sessions of a model, its steps and its checker; all examples share them.

    Attributes:
        model: The model, serialised.
    """

    def __init__(self, segment: Segment, model: bytes, checker: bytes | None) -> None:
        self.model = model
        self.whole = session(model)
        low = segment.examined.precision == "float16"
        self.sides = [Steps(segment), *([Steps(segment, low=True)] if low else [])]
        self.checker = session(checker) if checker is not None else None


def verify(segment: Segment, hosts: Hosts) -> Parity:
    """Compare a model, and its checker, with PyTorch.

    Raises:
        ParityError: An output differs.
        BadEnergy: The reference itself is not finite.
    """
    parity, examined, model = Parity(), segment.examined, hosts.model
    host, check = hosts.whole, hosts.checker
    sides = [one.of(examined) for one in hosts.sides]
    steps = sides[0]
    compared: list[Step] = []
    for start, whole in _cases(examined):
        feeds = start.feeds()
        descent = steps.segment(feeds, examined.unroll if whole else 1)
        places = _places(examined, start, descent)
        pairs = [beside(examined, one, start, descent, place, known=one is steps) for one in sides for place in places]
        _finite(examined, start, pairs)
        for step in pairs:
            step.sizes["residual"] = begun_with(pairs[0].sizes["residual"], step.sizes["residual"])
        compared += pairs
        if whole:
            found = run(host, feeds | bounds(examined.unroll))
            same_as_steps(segment, model, start, found, descent.outputs, parity)
            unmoved(segment, start, found)
            silent(segment, steps, start, parity)
            exact(examined, start, found, check, parity)
        if whole and examined.form == "loop" and start.scale:
            stops(segment, model, start, host, steps, descent, parity)
    _level(compared)
    _settle(examined, compared, parity)
    return parity


def _level(compared: list[Step]) -> None:
    """Make an energy's error relative to the largest energy of all starts of one width: a single row may have a small one."""
    widest: dict[tuple[str, float], float] = {}
    for step in compared:
        for name in _ENERGIES & step.wanted.keys():
            key = name, step.start.scale
            widest[key] = max(widest.get(key, 0.0), largest(step.sizes.get(name, step.wanted[name]).numpy()))
    for step in compared:
        for name in _ENERGIES & step.wanted.keys():
            step.sizes[name] = torch.full_like(step.wanted[name], widest[name, step.start.scale])


def segments(examined: Examined) -> list[int]:
    """The batch sizes at which whole segments are run: the two smallest. More rows would only cost time."""
    return sorted(set(examined.batches))[:2]


def _cases(examined: Examined) -> Iterator[tuple[Case, bool]]:
    """Starts, and whether to run the whole segment from them: at the smallest batch for each seed, at the next for one.

    Wider starts and longer steps test the energy and its gradient; a single step is enough for them. Rows do not influence
    each other, which the examination proved, so larger batches repeat what smaller ones show: one start each, at both widths
    in turn.
    """
    first = examined.seeds[0]
    smallest, *_ = whole = segments(examined)
    for place, batch in enumerate(examined.batches):
        if batch not in whole:
            yield case(examined, batch, first, (1.0, 3.0)[place % 2]), False
            continue
        yield at_scale_0(examined, batch, first), batch == smallest
        for seed in examined.seeds:
            yield case(examined, batch, seed, 1.0), batch == smallest or (batch in whole and seed == first)
            yield case(examined, batch, seed, 3.0), False
        bold = case(examined, batch, first, 3.0)
        yield replace(bold, step_scale=BOLD * bold.step_scale), False


def _places(examined: Examined, start: Case, descent: Replayed) -> list[int]:
    """The steps to compare: the first and the last, with noise and without, and the first non-finite one.

    At the smallest batch also 1, 4, 16 and so on: differences between steps do not depend on the batch.
    """
    made = len(descent.found)
    places = {0, made - 1}
    if start.batch == min(examined.batches):
        places |= {4**n for n in range(made.bit_length())}
    for noisy in (True, False):
        places.update([k for k in range(made) if (k in examined.noisy) == noisy][:1])
    places.update([k for k, f in enumerate(descent.found) if not all(np.isfinite(v).all() for v in f.values())][:1])
    return sorted(k for k in places if k < made)


def _finite(examined: Examined, start: Case, pairs: list[Step]) -> None:
    if start.scale > 1.0:
        return
    for step in pairs:
        for name, tensor in step.wanted.items():
            if not bool(torch.isfinite(tensor).all()):
                raise BadEnergy(
                    f"The descent in PyTorch is not finite within {examined.unroll} steps (batch {start.batch}, "
                    f"seed {start.seed}, first in {name!r}). Use a smaller step size, "
                    "or add a term that confines the state."
                )
            if not np.isfinite(step.found[name]).all():
                raise ParityError(name, start.batch, start.seed, float("inf"), examined.tolerance)


def _settle(examined: Examined, compared: list[Step], parity: Parity) -> None:
    """Record the errors; decide any error beyond the tolerance by float64.

    A chain with a decision that depends on rounding may end in another, equally good state: its energy must match all the same,
    and must be PyTorch's energy of that state.
    """
    found = [(step, step.errors()) for step in compared]
    suspects = {name for _, errors in found for name, error in errors.items() if error > examined.tolerance}
    for _, errors in found:
        for name, error in errors.items():
            if name not in suspects:
                parity.note(name, error)
    if not suspects:
        return
    if not any(bool(step.clear.any()) for step in compared if step.start.scale):
        raise BadEnergy(
            "The rule chooses between energies that are equal to rounding in every tested chain, so the file cannot be "
            "compared. Use a wider `initial`, or an energy that depends more on the state."
        )
    verdicts = [one for step in compared for one in from_float64(step, suspects)]
    own = _own(examined, compared, suspects, verdicts)
    for one in sorted(verdicts, key=lambda one: -one.error):
        name, noise, start = one.kind[0], own[one.kind], one.start
        allowed = max(examined.tolerance, _ROUNDING * noise)
        if one.error > allowed:
            detail = f"Float64 PyTorch decided; float32 PyTorch is {noise:.3g} from it. " if noise else ""
            cause = _ILL if noise > examined.tolerance / _ROUNDING else ""
            raise ParityError(name, start.batch, start.seed, one.error, allowed, detail, cause)
        parity.judged[name] = max(noise, parity.judged.get(name, 0.0))
        parity.note(name, one.error)


def _own(
    examined: Examined, compared: list[Step], suspects: set[str], verdicts: list[FromFloat64]
) -> dict[tuple[str, float], float]:
    """The error of float32 PyTorch against float64, by output and scale.

    It is the worst over the batches and seeds of one scale because a single small batch may have none by chance; where that
    does not explain the file's error, also over points nearby.
    """
    own: dict[tuple[str, float], float] = {}
    for one in verdicts:
        own[one.kind] = max(own.get(one.kind, 0.0), one.own)
    if any(one.error > max(examined.tolerance, _ROUNDING * own[one.kind]) for one in verdicts):
        for step in compared:
            for kind, error in noise_nearby(step, suspects, _NEARBY):
                own[kind] = max(own.get(kind, 0.0), error)
    return own
