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
"""Elements of a step's largest tensor that still let its tensors stay in a second-level cache."""

MOST_ROWS = 256
"""Rows in one run, however small they are."""

PARTS = 4
"""Parts that a few rows are cut into at most: threads that work on one problem."""

_START = 1 << 21
"""Elements times steps, per row, of graphs that are worth a run for a single row."""


BLOCK = 4
"""Rows of a problem that small graphs are run with come in multiples of this, and begin at a multiple of it.

Four rows of float32 are a multiple of 16 bytes, however long they are. Kernels align sums to that, so the order of a sum depends
on the place of its row. Laid out so, what a row becomes depends on no other problem. Measured on the bundled models at 1 to 24
rows: the same bit for bit at every multiple of 4, and not at 1, 2, 3, 5, 7 and 23 rows.
"""

SMALL = 1 << 18
"""Elements times steps, per row, up to which problems share runs; rows of larger graphs fill a run by themselves."""


def shared(header: Header) -> bool:
    """Whether problems share runs: where a row is little work. Then runs have whole blocks of rows."""
    return header.largest * header.steps <= SMALL


def rows_per_run(rows: int, header: Header) -> int:
    """Rows in one run, a power of two: they stay in a core's cache, and a run takes longer than its start.

    It depends on the rows and on the file alone, and not on the threads that share the runs.

    Args:
        rows: All of them.
        header: At the problem's sizes.
    """
    elements = max(header.largest, 1)
    most = _power(max(min(CACHED // elements, MOST_ROWS), 1))
    # A run's start costs as much as some rows of a small graph. Measured on graphs of 729 and 4096 elements and 32 steps: the
    # square root of what is missing to a graph that fills a run alone.
    least = 1 << max(round(math.log2(_START / (elements * header.steps)) / 2), 0)
    chunk = min(max(_power(-(-rows // PARTS)), least), most)
    return max(chunk, BLOCK) if shared(header) else chunk


def _power(rows: int) -> int:
    """The greatest power of two that is no more."""
    return 1 << rows.bit_length() - 1


def wanted_outputs(header: Header, session: Session, *, path: bool, trace: bool) -> list[str]:
    """The outputs that the descent reads.

    Args:
        path: Whether somebody asks in which order an answer was decided.
        trace: Whether somebody watches.
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
        scale: What multiplies the step size of each chain, ``(rows,)``.
        fetch: The outputs that are wanted; all, if None.
        owner: The problem of each row, ``(rows,)``; one problem, if None. What a row becomes does not depend on other problems.

    Raises:
        ArtefactError: If the graph fails, or an output has another dtype or shape than the header says.
    """
    feeds = {name: inputs[name] for name in header.inputs} | {header.step_scale: scale}
    feeds |= {f"state.{name}": state[name] for name in header.state}
    feeds |= {f"noise.{name}": noise[name] for name in header.noise}
    # A loop that is to make all steps of a segment makes what the same steps unrolled would.
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
    """How rows are run.

    Attributes:
        order: The row at each place, some of them more than once to fill a run; None where it is that of the rows.
        bounds: The places of each run.
        places: The place of each row.
    """

    order: NDArray[np.intp] | None
    bounds: list[tuple[int, int]]
    places: NDArray[np.intp]


def planned(rows: int, header: Header, owner: NDArray[np.int64] | None = None) -> Plan:
    """Rows in runs, so that no problem has a part in what becomes of another.

    Args:
        rows: All of them.
        header: At the problems' sizes.
        owner: The problem of each row; one problem, if None.
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
    # From the end to the start, so that a row has the first of its places.
    places[order[::-1]] = np.arange(len(order))[::-1]
    same = len(order) == rows and bool((order == np.arange(rows)).all())
    return Plan(None if same else order, bounds, places)


def _filled(rows: NDArray[np.intp], length: int) -> NDArray[np.intp]:
    """Rows, the last one repeated to a multiple of a length."""
    return np.concatenate([rows, np.repeat(rows[-1:], -len(rows) % length)])


def _hold_against(header: Header, out: Tensors, rows: int) -> None:
    for name, (dtype, shape) in header.graph_outputs.items():
        if name in out and (out[name].dtype != dtype or out[name].shape != (rows, *shape)):
            raise ArtefactError(
                f"The artefact {header.name!r} returned {name!r} as {out[name].dtype} of shape {out[name].shape}; "
                f"its header says {dtype} of shape {(rows, *shape)}."
            )
