"""One segment: rows of tensors through the graph, some rows at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundstate._errors import ArtefactError
from groundstate._header import Header
from groundstate._pool import Pool
from groundstate._session import Session, Tensors

CACHED = 1 << 17
"""Largest tensor of a step, in elements, that fits in one core's L2 cache with the others."""

MOST_ROWS = 256
"""Maximum number of rows in one run."""

PARTS = 4
"""Maximum number of parts that a few rows are divided into, so that several threads work on one problem."""

_START = 1 << 21
"""Elements times steps, per row, of a graph large enough for a run with a single row."""


BLOCK = 4
"""In runs of small graphs, each problem has a multiple of this many rows, and starts at a multiple of it.

Four rows of float32 of any length are a multiple of 16 bytes. Kernels align sums to that, so the order of a sum depends on the
place of its row. With this layout, the result of a row does not depend on other problems. Measured on the bundled models at 1 to
24 rows: bit-identical at every multiple of 4, and not at 1, 2, 3, 5, 7 and 23 rows.
"""

SMALL = 1 << 18
"""Problems share runs up to this many elements times steps per row; rows of larger graphs fill a run alone."""


def shared(header: Header) -> bool:
    """Whether problems share runs: for graphs with little work per row. Runs then have whole blocks of rows."""
    return header.largest * header.steps <= SMALL


def rows_per_run(rows: int, header: Header) -> int:
    """Rows in one run, a power of two: few enough for a core's cache, and enough to outweigh the start of a run.

    It depends on the rows and on the file only, not on the number of threads.

    Args:
        rows: Total number of rows.
        header: The header at the problem's sizes.
    """
    elements = max(header.largest, 1)
    most = _power(max(min(CACHED // elements, MOST_ROWS), 1))
    # Starting a run costs as much as some rows of a small graph. Measured on graphs of 729 and 4096 elements and 32 steps: the
    # square root of the ratio to a graph that fills a run alone.
    least = 1 << max(round(math.log2(_START / (elements * header.steps)) / 2), 0)
    chunk = min(max(_power(-(-rows // PARTS)), least), most)
    return max(chunk, BLOCK) if shared(header) else chunk


def _power(rows: int) -> int:
    """The greatest power of two that is at most `rows`."""
    return 1 << rows.bit_length() - 1


def wanted_outputs(header: Header, session: Session, *, path: bool, trace: bool) -> list[str]:
    """The outputs that the descent reads.

    Args:
        path: Whether the order in which an answer was decided is needed.
        trace: Whether the descent is watched.
    """
    names = [name for name in header.graph_outputs if name not in ("terms", "steps")]
    names += ["trace"] if trace else []
    return names + [name for name in session.outputs if path and name.startswith("path.")]


def segment(
    session: Session,
    header: Header,
    inputs: Tensors,
    state: Tensors,
    noise: Tensors,
    scale: NDArray[np.float32],
    pool: Pool,
    fetch: list[str] | None = None,
    owner: NDArray[np.int64] | None = None,
) -> Tensors:
    """Run one segment for every row, some rows at a time, over the threads of a pool.

    Args:
        scale: The step scale of each chain, ``(rows,)``.
        fetch: The outputs to return; None means all.
        owner: The problem of each row, ``(rows,)``; None means one problem. A row's result does not depend on other problems.

    Raises:
        ArtefactError: If the graph fails, or an output's dtype or shape differs from the header.
    """
    if session.resident is not None:
        try:
            out = session.resident.segment(header, inputs, state, noise, scale, fetch)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            raise session.failure(error, inputs) from None
        _hold_against(header, out, len(scale))
        return out
    feeds = {name: inputs[name] for name in header.inputs} | {header.step_scale: scale}
    feeds |= {f"state.{name}": state[name] for name in header.state}
    feeds |= {f"noise.{name}": noise[name] for name in header.noise}
    # A loop that runs all steps of a segment gives the same result as the unrolled steps.
    whole: Tensors = {}
    if header.form == "loop":
        whole = {"max_steps": np.array(header.steps, np.int64), "tolerance": np.array(0.0, np.float32)}

    plan = planned(len(scale), header, owner)
    if plan.order is not None:
        feeds = {name: tensor[plan.order] for name, tensor in feeds.items()}

    def run(bounds: tuple[int, int]) -> Tensors:
        part = {name: tensor[slice(*bounds)] for name, tensor in feeds.items()}
        return session.run({**part, **whole}, fetch)

    if len(plan.bounds) == 1:
        out = run(plan.bounds[0])
    else:
        parts = pool.map(run, plan.bounds)
        out = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if plan.order is not None:
        out = {name: tensor[plan.places] for name, tensor in out.items()}
    _hold_against(header, out, len(scale))
    return out


@dataclass(frozen=True, slots=True)
class Plan:
    """The layout of rows in runs.

    Attributes:
        order: The row at each place, repeated where needed to fill a run; None means the order of the rows.
        bounds: The places of each run.
        places: The place of each row.
    """

    order: NDArray[np.intp] | None
    bounds: list[tuple[int, int]]
    places: NDArray[np.intp]


def planned(rows: int, header: Header, owner: NDArray[np.int64] | None = None) -> Plan:
    """Divide rows into runs, so that no problem affects the result of another.

    Args:
        rows: Total number of rows.
        header: The header at the problems' sizes.
        owner: The problem of each row; None means one problem.
    """
    owner = np.zeros(rows, np.int64) if owner is None else owner
    found, starts = np.unique(owner, return_index=True)
    mine = [np.flatnonzero(owner == one) for one in found[np.argsort(starts)]]
    if header.batch is not None:
        order = _filled(np.arange(rows), header.batch)
        chunks = [(0, len(order), header.batch)]
    elif shared(header):
        order = np.concatenate([_filled(some, BLOCK) for some in mine])
        chunks = [(0, len(order), rows_per_run(len(order), header))]
    else:
        order = np.concatenate(mine)
        ends = np.cumsum([len(some) for some in mine]).tolist()
        chunks = [(end - len(some), end, rows_per_run(len(some), header)) for end, some in zip(ends, mine, strict=True)]
    bounds = [(start, min(start + length, end)) for begin, end, length in chunks for start in range(begin, end, length)]
    places = np.empty(rows, np.intp)
    # In reverse, so that a row gets the first of its places.
    places[order[::-1]] = np.arange(len(order))[::-1]
    same = len(order) == rows and bool((order == np.arange(rows)).all())
    return Plan(None if same else order, bounds, places)


def _filled(rows: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Pad rows to a multiple of a length by repeating the last one."""
    return np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % length)])


def _hold_against(header: Header, out: Tensors, rows: int) -> None:
    for name, (dtype, shape) in header.graph_outputs.items():
        if name in out and (out[name].dtype != dtype or out[name].shape != (rows, *shape)):
            raise ArtefactError(
                f"The artefact {header.name!r} returned {name!r} as {out[name].dtype} of shape {out[name].shape}; "
                f"its header says {dtype} of shape {(rows, *shape)}."
            )
