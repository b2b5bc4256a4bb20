"""Compare a step of the file with the same step of PyTorch."""

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
from groundstate_export._ir.values import Array
from groundstate_export._verify.reference import Reference, descend
from groundstate_export._verify.replay import Arrays, Replayed, Steps

_LAST_BITS = 4.0
"""The relative rounding error of adding a small step to a large state, in units of its dtype's rounding."""


BOLD = 1024.0
"""A step_scale at which even a small step size moves the state by more than its rounding."""


@dataclass(frozen=True)
class Step:
    """A step of the file and of the reference: the start, both results, and the scale of the relative error."""

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
        """The largest relative difference over some rows; a state's rounding is relative to the state itself."""
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
    """The largest finite element, without placeholder values."""
    return float(np.abs(array[np.isfinite(array) & (np.abs(array) < WORST)]).max(initial=0.0))


def beside(
    examined: Examined, steps: Steps, start: Case, descent: Replayed, index: int, *, known: bool = False
) -> Step:
    """One step of a descent, and the reference's step from the same state.

    Args:
        examined: The export.
        steps: The file's steps.
        start: The start of the descent.
        descent: The descent.
        index: The step.
        known: Whether these steps made the descent, so that its results need not be computed again.
    """
    noisy = index in examined.noisy
    one = replace(examined, unroll=1, noisy=(0,) if noisy else ())
    place = examined.noisy.index(index) if noisy else 0
    here = replace(
        start,
        state={name: torch.from_numpy(tensor) for name, tensor in descent.states[index].items()},
        noise={name: tensor[:, place : place + 1] for name, tensor in start.noise.items()} if noisy else {},
    )
    step = descent.found[index] if known else steps.step(start.feeds(), descent.states[index], index)
    following = {name: step[f"next.{name}"] for name in examined.state_specs()}
    evaluated = (
        start.step_scale == 0
    ).numpy()  # the segment keeps the state of such a chain, whatever its steps compute
    for name, before in here.state.items():
        if name in examined.state:
            mask = evaluated.reshape(-1, *(1,) * (before.dim() - 1))
            following[name] = np.where(mask, before.numpy(), following[name])
    ended = known and index == len(descent.found) - 1 and examined.form != "loop" and not evaluated.any()
    end = descent.outputs if ended else steps.last(start.feeds(), following)
    found = {f"next.{name}": tensor for name, tensor in following.items()} | {"trace": step["energy"][:, None]}
    found |= {name: end[name] for name in ("energy", "terms", "residual")}
    wanted, sizes, clear = descend(one, here)
    if bool((start.step_scale > 1).any()):  # only the move matters here, not the energy after it
        wanted = {name: t for name, t in wanted.items() if name == "trace" or name.startswith("next.")}
    return Step(one, here, found, wanted, sizes | _moved(here, wanted, descent), clear)


def _moved(here: Case, wanted: Mapping[str, Tensor], descent: Replayed) -> dict[str, Tensor]:
    """The scale of a following state's error: the largest move of this step, or of the descent's first step.

    Near a minimum a gradient is the difference of large forces, so its scale is the gradient at the start of the descent.
    """
    sizes = {}
    for name, before in here.state.items():
        first = descent.found[0][f"next.{name}"] - descent.states[0][name]
        now = (wanted[f"next.{name}"] - before).numpy()
        most = max(largest(first), largest(now))
        sizes[f"next.{name}"] = torch.full_like(before, most)
    return sizes


class FromFloat64(NamedTuple):
    """The error of an output against float64: its name and scale, the start, the file's error, PyTorch float32's error."""

    kind: tuple[str, float]
    start: Case
    error: float
    own: float


def from_float64(step: Step, names: set[str]) -> Iterator[FromFloat64]:
    truth, _, sure = _truth(step)
    sure = sure & step.clear
    _as_good(step, ~sure)
    for name in sorted(names & step.wanted.keys()):
        rows = torch.ones_like(sure) if name in {"energy", "trace"} else sure
        error = step.error(name, step.found[name], truth[name], rows)
        yield FromFloat64(
            (name, step.start.scale), step.start, error, step.error(name, step.wanted[name].numpy(), truth[name], rows)
        )


def noise_nearby(step: Step, names: set[str], points: int) -> Iterator[tuple[tuple[str, float], float]]:
    """The error of float32 PyTorch against float64 at points as close as rounding, by output and scale.

    At a single point an ill-conditioned energy may have little error by chance.
    """
    generator = torch.Generator().manual_seed(step.start.seed)
    for _ in range(points):
        here = replace(
            step.start,
            state=_rounded_apart(step.start.state, generator),
            inputs=_rounded_apart(step.start.inputs, generator),
        )
        found, sizes, clear = descend(step.one, here)
        near = replace(step, start=here, wanted={name: found[name] for name in step.wanted}, sizes=sizes | step.sizes)
        truth, _, sure = _truth(near)
        for name in sorted(names & step.wanted.keys()):
            rows = torch.ones_like(sure) if name in {"energy", "trace"} else sure & clear
            yield (name, step.start.scale), near.error(name, near.wanted[name].numpy(), truth[name], rows)


def _rounded_apart(tensors: Mapping[str, Tensor], generator: torch.Generator) -> dict[str, Tensor]:
    """The tensors, each floating-point number moved by a few units in its last place."""
    return {
        name: t
        * (1 + _LAST_BITS * torch.finfo(t.dtype).eps * (2 * torch.rand(t.shape, generator=generator) - 1)).to(t.dtype)
        if t.is_floating_point()
        else t
        for name, t in tensors.items()
    }


def _truth(step: Step) -> Reference:
    try:
        return descend(step.one, step.start, torch.float64)
    except (RuntimeError, TypeError):  # a callable with its own float32 tensors cannot run in float64
        return Reference(step.wanted, step.sizes, step.clear)


def _as_good(step: Step, rows: Tensor) -> None:
    """Check that the energy in the file matches PyTorch's energy of the state that each of these chains ends in."""
    if not bool(rows.any()):
        return
    state = {name: torch.from_numpy(step.found[f"next.{name}"]) for name in step.start.state}
    with torch.no_grad():
        reading = replace(step.one.descent, inputs=step.start.inputs).read(state)
    size = total({name: term.abs() for name, term in reading.terms.items()})
    error = relative(step.found["energy"][rows.numpy()], reading.energy[rows], size[rows])
    if error > step.one.tolerance:
        raise ParityError("energy", step.start.batch, step.start.seed, error, step.one.tolerance)
