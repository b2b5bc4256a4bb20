"""The raw operation: tensors in, tensors out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._chains import Pool, segment
from groundstate._checks import batch_of, fitting, mapping, named, whole, within
from groundstate._errors import OptionError, RequestError
from groundstate._problems import Problems
from groundstate._session import Session, Tensors


def minimise(
    session: Session,
    problems: Problems,
    pool: Pool,
    inputs: Mapping[str, NDArray[Any]],
    state: Mapping[str, NDArray[Any]] | None,
    *,
    steps: int | None,
    seed: int,
    noise: Mapping[str, NDArray[Any]] | None,
) -> Tensors:
    """See `Solver.minimise`."""
    header = problems.header
    steps = header.steps if steps is None else steps
    if not isinstance(steps, int) or steps < 1 or steps % header.steps:
        raise OptionError(f"steps is {steps!r}; it must be a positive multiple of the segment's {header.steps}.")
    random = np.random.Generator(np.random.SFC64(whole("seed", seed, 0)))
    for place, tensors in (("inputs", inputs), ("state", state or {}), ("noise", noise or {})):
        mapping(place, tensors)
    batch = batch_of(inputs if header.inputs else state or {}, header.limits["batch"])
    named("inputs", inputs, header.inputs)
    try:
        header = problems.sized({name: np.asarray(inputs[name])[0] for name in header.inputs})
    except RequestError as error:
        raise within("inputs", error) from None
    given = fitting("inputs", inputs, header.inputs, batch)
    drawn = {
        n: s.initial.draw(random, (batch, *s.shape), s.dtype) for n, s in header.state.items() if n not in (state or {})
    }
    current = fitting("state", {**drawn, **(state or {})}, header.state, batch)
    kicks = fitting("noise", noise, header.noise, batch) if noise is not None else None
    traces, out = [], Tensors()
    for _ in range(steps // header.steps):
        fresh = kicks or {n: random.standard_normal((batch, *s.shape), np.float32) for n, s in header.noise.items()}
        out = segment(session, header, given, current, fresh, np.ones(batch, np.float32), pool)
        current = {name: out[f"next.{name}"] for name in header.state}
        traces.append(out["trace"])
    return {**out, "trace": np.concatenate(traces, axis=1)}
