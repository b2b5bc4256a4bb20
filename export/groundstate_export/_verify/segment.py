"""Compare the whole segment of a file with its own steps."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from groundstate_export._errors import ParityError
from groundstate_export._examine.starts import Case, relative
from groundstate_export._ir.values import Array
from groundstate_export._onnxruntime import ort
from groundstate_export._unroll.segment import Segment
from groundstate_export._verify.findings import Parity
from groundstate_export._verify.replay import Arrays, Replayed, Steps, beginning, run, session


def bounds(steps: int, tolerance: float = 0.0) -> Arrays:
    """The extra inputs of a loop: the number of steps, and the residual below which a chain stops moving."""
    return {"max_steps": np.array(steps, np.int64), "tolerance": np.array(tolerance, np.float32)}


def same_as_steps(
    segment: Segment,
    model: bytes,
    start: Case,
    found: Arrays,
    wanted: Arrays,
    parity: Parity,
    limits: tuple[int, float] | None = None,
) -> None:
    """Compare the segment with its steps, run one after another."""
    steps, tolerance = limits or (segment.examined.unroll, 0.0)
    error = _apart(found, wanted)
    if max(error.values()) > segment.examined.tolerance:
        # Without fusion both compute the same operators on the same numbers.
        feeds = start.feeds()
        plain = run(session(model, plain=True), feeds | bounds(steps, tolerance))
        error = _apart(plain, Steps(segment, plain=True).segment(feeds, steps, tolerance).outputs)
        error |= {n: e for n, e in _begun(segment, start, found, wanted).items() if e > segment.examined.tolerance}
        name = max(error, key=lambda n: error[n])
        if error[name] > 0.0:
            detail = "The segment differs from its own steps. "
            raise ParityError(name, start.batch, start.seed, error[name], 0.0, detail)
    parity.note("segment", max(error.values()))


def _begun(segment: Segment, start: Case, found: Arrays, wanted: Arrays) -> dict[str, float]:
    """The difference of the energies of the first two steps, where rounding is not yet amplified, fused or not."""
    columns = math.ceil(2 / segment.examined.trace_every)
    error = _apart({"trace": found["trace"][:, :columns]}, {"trace": wanted["trace"][:, :columns]})
    if segment.examined.trace_every > 1:
        # The file reports only the first of these energies, so its first two steps run again as a separate segment.
        first, model = beginning(segment)
        slots = len(first.examined.noisy)
        feeds = {
            n: np.ascontiguousarray(t[:, :slots]) if n.startswith("noise.") else t for n, t in start.feeds().items()
        }
        ends = [run(session(model), feeds), Steps(first).segment(feeds, first.examined.unroll).outputs]
        error |= _apart(*({"energy": end["energy"]} for end in ends))
    return error


def _apart(found: Arrays, wanted: Arrays) -> dict[str, float]:
    """The relative difference of each output; infinite if the shapes, or the finite elements, differ."""
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


def stops(
    segment: Segment,
    model: bytes,
    start: Case,
    host: ort.InferenceSession,
    alone: Steps,
    descent: Replayed,
    parity: Parity,
) -> None:
    """Compare a loop that stops early with its steps, at a tolerance that only some chains meet."""
    residuals = np.sort(descent.residuals(), axis=None)
    if residuals[0] <= 0 or not np.isfinite(residuals[-1]):
        return
    gaps = residuals[1:] / residuals[:-1] if len(residuals) > 1 else np.array([1.0])
    middle = slice(len(gaps) // 4, max(len(gaps) // 4 + 1, 3 * len(gaps) // 4))
    place = middle.start + int(np.argmax(gaps[middle]))
    between = float(np.sqrt(residuals[place] * residuals[min(place + 1, len(residuals) - 1)]))
    for steps, tolerance in ((max(1, segment.examined.unroll // 2), 0.0), (segment.examined.unroll, between)):
        feeds = start.feeds()
        found = run(host, feeds | bounds(steps, tolerance))
        wanted = alone.segment(feeds, steps, tolerance).outputs
        same_as_steps(segment, model, start, found, wanted, parity, (steps, tolerance))


def silent(segment: Segment, steps: Steps, start: Case, parity: Parity) -> None:
    """Check that a step with zero noise equals the step without noise: slots that are not due contain zeros."""
    if "noisy_step" not in steps.hosts:
        return
    state = steps.begin(start.feeds())
    bound = start.feeds() | {f"state.{name}": tensor for name, tensor in state.items()}
    zeros = {f"noise.{name}": np.zeros_like(state[name]) for name in segment.examined.state}
    error = _apart(run(steps.hosts["noisy_step"], bound | zeros), run(steps.hosts["step"], bound))
    name = max(error, key=lambda n: error[n])
    if error[name] > segment.examined.tolerance:
        detail = "A step with zero noise must equal the step without noise. "
        raise ParityError(name, start.batch, start.seed, error[name], segment.examined.tolerance, detail)
    parity.note("zero noise", error[name])


def unmoved(segment: Segment, start: Case, found: Mapping[str, Array]) -> None:
    """Check that step_scale 0 without noise does not move the state."""
    if start.scale:
        return
    for name in segment.examined.state:
        error = relative(found[f"next.{name}"], start.state[name])
        if error > 0.0:
            detail = "At `step_scale` 0 the state must not move: the rule must multiply its step size by step_scale. "
            raise ParityError(f"next.{name}", start.batch, start.seed, error, 0.0, detail)
