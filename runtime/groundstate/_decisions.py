"""When the elements of the answers of chains were decided: the update since which each has kept its value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._header import Header
from groundstate._session import Tensors

_NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True, eq=False)
class _Segment:
    """What a segment says about an answer tensor; nobody changes the arrays.

    Attributes:
        steps: Updates that the chains had made before, ``(chains,)``.
        path: The tensor before some updates, ``(chains, points, …)``; None if the graph has no path.
        end: The tensor at the end, ``(chains, …)``.
    """

    steps: NDArray[np.int64]
    path: NDArray[Any] | None
    end: NDArray[Any]


@dataclass(slots=True, eq=False)
class _Track:
    """One answer tensor of some chains.

    Attributes:
        last: Its value after the segments that are accounted for; None for chains without one.
        since: The update since which each element has kept it.
        segment: A further segment, which is accounted for when that is needed.
    """

    last: NDArray[np.int64] | None = None
    since: NDArray[np.int32] | None = None
    segment: _Segment | None = None


class Decisions:
    """For each element of the answer's integer tensors, the update since which each chain has kept its value.

    Most problems end with their first segment, and nobody asks; so a segment is accounted for when the next one comes.

    Args:
        header: The stage's header, at the problem's sizes.
        tracks: Whether anything is to be recorded.
    """

    def __init__(self, header: Header, *, tracks: bool) -> None:
        self._header = header
        self._tracks = {name: _Track() for name in header.tracked} if tracks else {}

    def advance(self, out: Mapping[str, NDArray[Any]], steps: NDArray[np.int64]) -> None:
        """Take a segment's outputs.

        Args:
            steps: Updates that the chains had made before it, ``(chains,)``; not to be changed later.
        """
        for name, track in self._tracks.items():
            self._account(track)
            track.segment = _Segment(steps, out.get(f"path.{name}"), out[f"answer.{name}"])

    def of(self, row: int) -> Since:
        """The record of the chain in a row as it is now."""
        return Since(
            self._header.steps,
            self._header.trace_every,
            {name: _row(track, slice(row, row + 1)) for name, track in self._tracks.items()},
        )

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Drop all other rows."""
        for name, track in self._tracks.items():
            self._tracks[name] = _row(track, mask)

    def clear(self) -> None:
        """Drop all rows."""
        self._tracks = {name: _Track() for name in self._tracks}

    def add(self, before: int, count: int) -> None:
        """Append chains with no record.

        Args:
            before: Number of chains so far.
            count: Number of further ones.
        """
        if not before:
            return
        for track in self._tracks.values():
            self._account(track)
            if track.last is None or track.since is None:
                continue
            shape = (count, *track.last.shape[1:])
            track.last = np.concatenate([track.last, np.full(shape, _NEVER, np.int64)])
            track.since = np.concatenate([track.since, np.zeros(shape, np.int32)])

    def restart(self, row: int) -> None:
        """Forget the values of a chain."""
        for track in self._tracks.values():
            self._account(track)
            if track.last is not None:
                track.last = track.last.copy()
                track.last[row] = _NEVER

    def _account(self, track: _Track) -> None:
        if track.segment is not None:
            track.last, track.since = _accounted(track, self._header.steps, self._header.trace_every)
            track.segment = None


@dataclass(frozen=True, slots=True, eq=False)
class Since:
    """The record of one chain, computed when it is needed."""

    steps: int
    trace_every: int
    tracks: dict[str, _Track]

    def __call__(self) -> Tensors:
        """The update since which each element has kept its value, without the batch axis."""
        found: Tensors = {}
        for name, track in self.tracks.items():
            since = track.since if track.segment is None else _accounted(track, self.steps, self.trace_every)[1]
            if since is not None:
                found[name] = since[0]
        return found


def _row(track: _Track, rows: Any) -> _Track:
    """A copy of some rows."""
    last = None if track.last is None else track.last[rows].copy()
    since = None if track.since is None else track.since[rows].copy()
    segment = track.segment
    if segment is not None:
        path = None if segment.path is None else segment.path[rows].copy()
        segment = _Segment(segment.steps[rows].copy(), path, segment.end[rows].copy())
    return _Track(last, since, segment)


def _accounted(track: _Track, steps: int, trace_every: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The values and the updates after the segment that is not accounted for; new arrays."""
    segment = track.segment
    assert segment is not None, "the caller has looked"
    end, path = segment.end, segment.path
    before: NDArray[Any] = np.full(end.shape, _NEVER, np.int64) if track.last is None else track.last
    since = np.zeros(end.shape, np.int32) if track.since is None else track.since.copy()
    # The path begins at the segment's first state: a new start, with nothing decided, or the end of the previous segment.
    points = [] if path is None else [(k * trace_every, path[:, k]) for k in range(1, path.shape[1])]
    made = segment.steps.astype(np.int32).reshape(-1, *[1] * (end.ndim - 1))
    for count, now in [*points, (steps, end)]:
        np.copyto(since, made + np.int32(count), where=now != before)
        before = now
    return before.astype(np.int64), since
