"""One segment: rows of tensors through the graph, some rows at a time."""

from __future__ import annotations

import math
from typing import Any

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


def rows_per_run(rows: int, header: Header) -> int:
    """Rows in one run, a power of two: they stay in a core's cache, and a run takes longer than its start.

    It depends on the rows and on the file alone, and not on the threads that share the runs: the rounding of a matrix product may
    change with its rows, and a seed gives the same answer on any number of threads.

    Args:
        rows: All of them.
        header: At the problem's sizes.
    """
    elements = max(header.largest, 1)
    most = _power(max(min(CACHED // elements, MOST_ROWS), 1))
    # A run's start costs as much as some rows of a small graph. Measured on graphs of 729 and 4096 elements and 32 steps: the
    # square root of what is missing to a graph that fills a run alone.
    least = 1 << max(round(math.log2(_START / (elements * header.steps)) / 2), 0)
    return min(max(_power(-(-rows // PARTS)), least), most)


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
) -> Tensors:
    """Run one segment for every row, some rows at a time, over the threads of a pool.

    Args:
        scale: What multiplies the step size of each chain, ``(rows,)``.
        fetch: The outputs that are wanted; all, if None.

    Raises:
        ArtefactError: If the graph fails, or an output has another dtype or shape than the header says.
    """
    rows = len(scale)
    chunk = header.batch or rows_per_run(rows, header)
    feeds = {name: inputs[name] for name in header.inputs} | {header.step_scale: scale}
    feeds |= {f"state.{name}": state[name] for name in header.state}
    feeds |= {f"noise.{name}": noise[name] for name in header.noise}
    # A loop that is to make all steps of a segment makes what the same steps unrolled would.
    whole: Tensors = {}
    if header.form == "loop":
        whole = {"max_steps": np.array(header.steps, np.int64), "tolerance": np.array(0.0, np.float32)}

    def run(start: int) -> Tensors:
        part = {name: tensor[start : start + chunk] for name, tensor in feeds.items()}
        present = len(part[header.step_scale])
        if header.batch is None or present == chunk:
            return session.run({**part, **whole}, fetch)
        padded = {name: _padded(tensor, chunk) for name, tensor in part.items()}
        return {name: tensor[:present] for name, tensor in session.run({**padded, **whole}, fetch).items()}

    if rows <= chunk:
        out = run(0)
    else:
        parts = pool.map(run, range(0, rows, chunk))
        out = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    _hold_against(header, out, rows)
    return out


def _padded(tensor: NDArray[Any], rows: int) -> NDArray[Any]:
    """The tensor with its last row repeated: what a graph of a fixed batch gets where there are fewer chains."""
    return np.concatenate([tensor, np.repeat(tensor[-1:], rows - len(tensor), axis=0)])


def _hold_against(header: Header, out: Tensors, rows: int) -> None:
    for name, (dtype, shape) in header.graph_outputs.items():
        if name in out and (out[name].dtype != dtype or out[name].shape != (rows, *shape)):
            raise ArtefactError(
                f"The artefact {header.name!r} returned {name!r} as {out[name].dtype} of shape {out[name].shape}; "
                f"its header says {dtype} of shape {(rows, *shape)}."
            )
