"""One segment: rows of tensors through the graph, some rows at a time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from groundstate._devices._buckets import buckets
from groundstate._errors import ArtefactError
from groundstate._header import Header
from groundstate._pool import Pool
from groundstate._session import Session, Tensors

if TYPE_CHECKING:
    import onnxruntime

CACHED = 1 << 17
"""Largest tensor of a step, in elements, that fits in one core's L2 cache with the others."""

MOST_ROWS = 256
"""Maximum number of rows in one run."""

PARTS = 4
"""Maximum number of parts that a few rows are divided into, so that several threads work on one problem."""

_START = 1 << 21
"""Elements times steps, per row, of a graph large enough for a run with a single row."""


_CROWD = 4
"""Rows of several problems in one run, as a multiple of those that outweigh the start of a run.

Measured with 64 callers of easy 9×9 Sudokus on two cores: 811, 864 and 1093 puzzles a second with runs of 16, 32 and 64 rows.
"""

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


def joins(header: Header) -> bool:
    """Whether rows of several problems may be in one run."""
    return shared(header) if header.batch is None else header.batch % BLOCK == 0


@lru_cache(64)
def unscaled(rows: int) -> NDArray[np.float32]:
    """The step scale of chains that take the steps of the file, ``(rows,)``. Not to be changed."""
    return np.ones(rows, np.float32)


def rows_per_run(rows: int, header: Header) -> int:
    """Rows in one run, a power of two: few enough for a core's cache, and enough to outweigh the start of a run.

    It depends on the rows and on the file only, not on the number of threads.

    Args:
        rows: Total number of rows.
        header: The header at the problem's sizes.
    """
    least, most = _least_and_most(header)
    chunk = min(max(_power(-(-rows // PARTS)), least), most)
    return max(chunk, BLOCK) if shared(header) else chunk


def rows_at_once(header: Header) -> int:
    """Rows of several problems in one run, at most.

    More than one problem has by itself: with many callers, Python's lock is the limit, and fewer runs leave more of it.
    """
    if header.batch is not None:
        return header.batch
    least, most = _least_and_most(header)
    return max(min(_CROWD * least, most), BLOCK)


def _least_and_most(header: Header) -> tuple[int, int]:
    return _limits(header.largest, header.steps)


@lru_cache(1024)
def _limits(largest: int, steps: int) -> tuple[int, int]:
    elements = max(largest, 1)
    most = _power(max(min(CACHED // elements, MOST_ROWS), 1))
    # Starting a run costs as much as some rows of a small graph. Measured on graphs of 729 and 4096 elements and 32 steps: the
    # square root of the ratio to a graph that fills a run alone.
    return 1 << max(round(math.log2(_START / (elements * steps)) / 2), 0), most


def _power(rows: int) -> int:
    """The greatest power of two that is at most `rows`."""
    return 1 << rows.bit_length() - 1


def wanted_outputs(header: Header, session: Session, *, path: bool, trace: bool) -> list[str]:
    """The outputs that the descent reads.

    Args:
        path: Whether the order in which an answer was decided is needed.
        trace: Whether the descent is watched.
    """
    if (known := session.wanted.get((path, trace))) is None:
        known = [name for name in header.graph_outputs if name not in ("terms", "steps")]
        known += ["trace"] if trace else []
        known += [name for name in session.outputs if path and name.startswith("path.")]
        session.wanted[path, trace] = known  # a session runs one graph, whose outputs are those of every size
    return known


@dataclass(slots=True, eq=False)
class Work:
    """One segment of one problem's rows.

    Attributes:
        session: Runs the graph.
        header: The header at the problem's sizes.
        feeds: The graph's inputs with the batch first, `padded` rows each.
        rows: Number of rows; further ones repeat the last one, to fill a block or a fixed batch.
        padded: Number of rows with those.
        fetch: The outputs to return; None means all.
    """

    session: Session
    header: Header
    feeds: Tensors
    rows: int
    padded: int
    fetch: list[str] | None

    @classmethod
    def of(
        cls,
        session: Session,
        header: Header,
        inputs: Tensors,
        state: Tensors,
        noise: Tensors,
        scale: NDArray[np.float32],
        fetch: list[str] | None,
    ) -> Work:
        """Work on tensors with the batch first.

        Args:
            scale: The step scale of each chain, ``(rows,)``.
        """
        feeds = {name: inputs[name] for name in header.inputs}
        feeds[header.step_scale] = scale
        for name in header.state:
            feeds[f"state.{name}"] = state[name]
        for name in header.noise:
            feeds[f"noise.{name}"] = noise[name]
        rows = len(scale)
        whole = 1 if not joins(header) and header.batch is None else BLOCK if joins(header) else header.batch or 1
        # A device fills its buckets by itself.
        spare = -rows % whole if session.resident is None else 0
        if spare:
            feeds = {name: _filled(tensor, spare) for name, tensor in feeds.items()}
        return cls(session, header, feeds, rows, rows + spare, fetch)

    @property
    def bounds(self) -> list[tuple[int, int]]:
        """The rows of each run if no other problem shares them."""
        if self.session.resident is not None:
            return [(0, self.padded)]  # a device computes all rows at once
        length = self.header.batch or rows_per_run(self.padded, self.header)
        return [(start, min(start + length, self.padded)) for start in range(0, self.padded, length)]

    @property
    def at_once(self) -> int:
        """Rows of several problems in one run."""
        return rows_at_once(self.header) if self.session.resident is None else buckets(self.header)[-1]

    def result(self, parts: list[Tensors]) -> Tensors:
        """The outputs for all rows, from those of its parts in order."""
        if len(parts) > 1:
            out = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
        else:
            (out,) = parts
        if self.padded == self.rows:
            return out
        return {name: tensor[: self.rows] for name, tensor in out.items()}


class Slice(NamedTuple):
    """Rows of a work: from `start` to before `stop`."""

    work: Work
    start: int
    stop: int


def run_slices(slices: Sequence[Slice], options: onnxruntime.RunOptions | None = None) -> list[Tensors]:
    """Run slices of works with the same graph and header at once. Returns the outputs of each slice.

    Args:
        options: Options of the run; another thread may end it by them.

    Raises:
        StoppedRunError: If the run was ended by its options.
        ArtefactError: If the graph fails, or an output's dtype or shape differs from the header.
    """
    work = slices[0].work
    header, rows = work.header, sum(part.stop - part.start for part in slices)
    if len(slices) == 1 and rows == work.padded:
        feeds = dict(work.feeds)
    elif len(slices) == 1:
        feeds = {name: tensor[slices[0].start : slices[0].stop] for name, tensor in work.feeds.items()}
    else:
        feeds = {
            name: np.concatenate([part.work.feeds[name][part.start : part.stop] for part in slices])
            for name in work.feeds
        }
    if work.session.resident is not None:
        return _on_device(work.session, slices, feeds, rows)
    if header.batch is not None and rows < header.batch:
        feeds = {name: _filled(tensor, header.batch - rows) for name, tensor in feeds.items()}
    if header.form == "loop":
        # A loop that runs all steps of a segment gives the same result as the unrolled steps.
        feeds["max_steps"], feeds["tolerance"] = np.array(header.steps, np.int64), np.array(0.0, np.float32)
    out = work.session.run(feeds, _fetched(slices), options)
    _hold_against(header, out, rows if header.batch is None else header.batch)
    if len(slices) == 1 and header.batch in (None, rows):
        return [out]
    return _parted(out, slices)


def _fetched(slices: Sequence[Slice]) -> list[str] | None:
    """The outputs that any of the slices needs."""
    fetch = slices[0].work.fetch
    if fetch is not None and len(slices) > 1:
        fetch = list(dict.fromkeys(name for part in slices for name in part.work.fetch or ()))
    return fetch


def _parted(out: Tensors, slices: Sequence[Slice]) -> list[Tensors]:
    found, start = [], 0
    for part in slices:
        stop = start + part.stop - part.start
        found.append({name: out[name][start:stop] for name in part.work.fetch or out})
        start = stop
    return found


def _on_device(session: Session, slices: Sequence[Slice], feeds: Tensors, rows: int) -> list[Tensors]:
    """Run slices on a device, where their state stays."""
    header = slices[0].work.header
    assert session.resident is not None, "the caller has looked"
    state = {name: feeds[f"state.{name}"] for name in header.state}
    noise = {name: feeds[f"noise.{name}"] for name in header.noise}
    inputs = {name: feeds[name] for name in header.inputs}
    try:
        out = session.resident.segment(header, inputs, state, noise, feeds[header.step_scale], _fetched(slices))
    except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
        raise session.failure(error, inputs) from None
    _hold_against(header, out, rows)
    return [out] if len(slices) == 1 else _parted(out, slices)


def divided(works: list[Work]) -> list[list[Slice]]:
    """Divide works into runs, so that no problem affects the result of another."""
    runs: list[list[Slice]] = []
    together: dict[tuple[int, int], list[Work]] = {}
    for work in works:
        if len(works) > 1 and joins(work.header):
            together.setdefault((id(work.session), id(work.header)), []).append(work)
        else:
            runs += [[Slice(work, *bounds)] for bounds in work.bounds]
    for some in together.values():
        runs += _joined(some, some[0].header)
    return runs


def _joined(works: list[Work], header: Header) -> list[list[Slice]]:
    length = header.batch or rows_per_run(sum(work.padded for work in works), header)
    runs: list[list[Slice]] = [[]]
    room = length
    for work in works:
        start = 0
        while start < work.padded:
            if not room:
                runs.append([])
                room = length
            stop = min(work.padded, start + room)
            runs[-1].append(Slice(work, start, stop))
            room -= stop - start
            start = stop
    return runs


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
    """Run one segment for every row of a problem, some rows at a time, over the threads of a pool.

    Args:
        scale: The step scale of each chain, ``(rows,)``.
        fetch: The outputs to return; None means all.

    Raises:
        ArtefactError: If the graph fails, or an output's dtype or shape differs from the header.
    """
    work = Work.of(session, header, inputs, state, noise, scale, fetch)
    bounds = work.bounds
    if len(bounds) == 1:
        return work.result(run_slices([Slice(work, *bounds[0])]))
    return work.result(pool.map(lambda part: run_slices([Slice(work, *part)])[0], bounds))


def _filled(tensor: NDArray[np.generic], rows: int) -> NDArray[np.generic]:
    """Repeat the last row."""
    return np.concatenate([tensor, np.repeat(tensor[-1:], rows, axis=0)])


def _hold_against(header: Header, out: Tensors, rows: int) -> None:
    expected = header.graph_outputs
    for name, tensor in out.items():
        if name not in expected:
            continue
        dtype, shape = expected[name]
        if tensor.dtype != dtype or tensor.shape[1:] != shape or tensor.shape[:1] != (rows,):
            raise ArtefactError(
                f"The artefact {header.name!r} returned {name!r} as {tensor.dtype} of shape {tensor.shape}; "
                f"its header says {dtype} of shape {(rows, *shape)}."
            )
