"""The tensor-level descent behind `Solver.minimise`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._arguments import batch_of, fitting, mapping, named, whole, within
from groundstate._errors import OptionError, RequestError
from groundstate._header import Header, NoiseSpec
from groundstate._pool import Pool
from groundstate._problems import Problems
from groundstate._rows import due_slots
from groundstate._segment import segment, unscaled
from groundstate._session import Session, Tensors


def minimise(
    session: Session,
    problems: Problems,
    pool: Pool,
    inputs: Mapping[str, Any],
    state: Mapping[str, Any] | None,
    *,
    steps: int | None,
    seed: int,
    noise: Mapping[str, Any] | None,
) -> Tensors:
    """See `Solver.minimise`."""
    header = problems.header
    steps = header.steps if steps is None else steps
    if isinstance(steps, bool) or not isinstance(steps, int) or steps < 1 or steps % header.steps:
        raise OptionError(f"steps is {steps!r}; it must be a positive multiple of the segment's {header.steps}.")
    seed = whole("seed", seed, 0)
    if state is not None and noise is not None and steps == header.steps and not header.sizes:
        batch = _exact_batch(header, inputs, state, noise)
        if batch:
            return segment(session, header, dict(inputs), dict(state), dict(noise), unscaled(batch), pool)
    random = np.random.Generator(np.random.SFC64(seed))
    for place, tensors in (("inputs", inputs), ("state", state or {}), ("noise", noise or {})):
        mapping(place, tensors)
    given = {**inputs}
    learned = [name for name, spec in header.inputs.items() if spec.default is not None and name not in given]
    named("inputs", given, {name: spec for name, spec in header.inputs.items() if name not in learned})
    place, sample, specs = ("inputs", given, header.inputs) if given else ("state", state or {}, header.state)
    batch = batch_of(place, sample, specs, header.limits["batch"])
    given |= {
        name: np.broadcast_to(_default(header.inputs[name].default), (batch, *header.inputs[name].shape))
        for name in learned
    }
    try:
        header = problems.sized({name: np.asarray(given[name])[0] for name in header.inputs})
    except RequestError as error:
        raise within("inputs", error) from None
    rows = fitting("inputs", given, header.inputs, batch)
    drawn = {
        n: s.initial.draw(random, (batch, *s.shape), s.dtype) for n, s in header.state.items() if n not in (state or {})
    }
    current = fitting("state", {**drawn, **(state or {})}, header.state, batch)
    fixed = fitting("noise", noise, header.noise, batch) if noise is not None else None
    traces, out = [], Tensors()
    for made in range(0, steps, header.steps):
        fresh = fixed or {n: _drawn(random, batch, s, header.steps, made) for n, s in header.noise.items()}
        out = segment(session, header, rows, current, fresh, unscaled(batch), pool)
        current = {name: out[f"next.{name}"] for name in header.state}
        traces.append(out["trace"])
    return {**out, "trace": np.concatenate(traces, axis=1)}


def _exact_batch(header: Header, inputs: Mapping[str, Any], state: Mapping[str, Any], noise: Mapping[str, Any]) -> int:
    """The batch, if all tensors are there as the graph takes them; 0 if they must be checked one by one, or converted."""
    batch = 0
    for given, specs in ((inputs, header.inputs), (state, header.state), (noise, header.noise)):
        if type(given) is not dict or given.keys() != specs.keys():
            return 0
        for name, spec in specs.items():
            tensor = given[name]
            if type(tensor) is not np.ndarray or tensor.dtype != spec.dtype or not tensor.flags.c_contiguous:
                return 0
            batch = batch or len(tensor) if tensor.ndim else 0
            if tensor.shape != (batch, *spec.shape):
                return 0
    return batch if batch <= header.limits["batch"] else 0


def _default(value: NDArray[Any] | None) -> NDArray[Any]:
    assert value is not None, "only inputs with defaults are learned"
    return value


def _drawn(random: np.random.Generator, batch: int, spec: NoiseSpec, steps: int, made: int) -> NDArray[Any]:
    noise = random.standard_normal((batch, *spec.shape), np.float32)
    due = due_slots(steps, spec)(np.array([made]))
    if due is not None:
        noise[:, ~due[0]] = 0
    return noise.astype(spec.dtype, copy=False)
