"""A step of the file beside the same step of PyTorch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from groundstate_export._descent.evaluate import total
from groundstate_export._descent.rules.rule import WORST
from groundstate_export._errors import ParityError
from groundstate_export._examine.examined import Examined
from groundstate_export._examine.starts import Case, relative
from groundstate_export._ir.graph import Array
from groundstate_export._verify.reference import Reference, descend
from groundstate_export._verify.replay import Arrays, Replayed, Steps

_LAST_BITS = 4.0
"""What adding a small step to a large state rounds away, relative to the state, in units of its dtype's rounding."""


BOLD = 1024.0
"""A step_scale at which even a small step size moves the state by more than its rounding."""


@dataclass(frozen=True)
class Step:
    """A step of the file beside the reference's: where it begins, what both return, and what the difference is relative to."""

    one: Examined
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
            most = max(largest(before.numpy()), largest(wanted.numpy()))
            rounded = relative(found, wanted, torch.full_like(wanted, most))
            if rounded <= _LAST_BITS * torch.finfo(before.dtype).eps:
                return rounded
        size = self.sizes.get(name)
        return relative(found, wanted, None if size is None else size[rows])


def largest(array: Array) -> float:
    """The largest element; what stands for nothing yet, and what is not finite, left out."""
    return float(np.abs(array[np.isfinite(array) & (np.abs(array) < WORST)]).max(initial=0.0))


def beside(examined: Examined, steps: Steps, start: Case, descent: Replayed, index: int) -> Step:
    """One step of a descent, and what the reference makes of the same state."""
    noisy = index in examined.noisy
    one = replace(examined, unroll=1, noisy=(0,) if noisy else ())
    place = examined.noisy.index(index) if noisy else 0
    here = replace(
        start,
        state={name: torch.from_numpy(tensor) for name, tensor in descent.states[index].items()},
        noise={name: tensor[:, place : place + 1] for name, tensor in start.noise.items()} if noisy else {},
    )
    step = steps.step(start.feeds(), descent.states[index], index)
    following = {name: step[f"next.{name}"] for name in examined.state_specs()}
    evaluated = (
        start.step_scale == 0
    ).numpy()  # the segment keeps the state of such a chain, whatever its steps make of it
    for name, before in here.state.items():
        if name in examined.state:
            mask = evaluated.reshape(-1, *(1,) * (before.dim() - 1))
            following[name] = np.where(mask, before.numpy(), following[name])
    end = steps.last(start.feeds(), following)
    found = {f"next.{name}": tensor for name, tensor in following.items()} | {"trace": step["energy"][:, None]}
    found |= {name: end[name] for name in ("energy", "terms", "residual")}
    wanted, sizes, clear = descend(one, here)
    if bool((start.step_scale > 1).any()):  # only how far it moves is of interest, not what the energy is out there
        wanted = {name: t for name, t in wanted.items() if name == "trace" or name.startswith("next.")}
    return Step(one, here, found, wanted, sizes | _moved(here, wanted, descent), clear)


def _moved(here: Case, wanted: Mapping[str, Tensor], descent: Replayed) -> dict[str, Tensor]:
    """What the error of a following state is relative to: the largest move of this step, or of the descent's first one.

    Near a minimum a gradient is what large forces leave of each other, so it is held to the gradient that the descent began with.
    """
    sizes = {}
    for name, before in here.state.items():
        first = descent.found[0][f"next.{name}"] - descent.states[0][name]
        now = (wanted[f"next.{name}"] - before).numpy()
        most = max(largest(first), largest(now))
        sizes[f"next.{name}"] = torch.full_like(before, most)
    return sizes


class _Judged(NamedTuple):
    """How far an output is from float64: its name and the scale; the start; the file; PyTorch in float32."""

    kind: tuple[str, float]
    start: Case
    error: float
    own: float


def judged(step: Step, names: set[str]) -> Iterator[_Judged]:
    truth, _, sure = _truth(step)
    sure = sure & step.clear
    _as_good(step, ~sure)
    for name in sorted(names & step.wanted.keys()):
        rows = torch.ones_like(sure) if name in {"energy", "trace"} else sure
        error = step.error(name, step.found[name], truth[name], rows)
        yield _Judged(
            (name, step.start.scale), step.start, error, step.error(name, step.wanted[name].numpy(), truth[name], rows)
        )


def _truth(step: Step) -> Reference:
    try:
        return descend(step.one, step.start, torch.float64)
    except (RuntimeError, TypeError):  # a callable that holds float32 tensors of its own cannot be run in float64
        return Reference(step.wanted, step.sizes, step.clear)


def _as_good(step: Step, rows: Tensor) -> None:
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
