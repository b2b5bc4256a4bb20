"""Rows of a tensor that stay on a device, for code that keeps books about rows in NumPy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from groundstate._devices._residency import Lease


class Resident:
    """Rows of a tensor: some in a device's memory, and some that the host wrote since the last run.

    It behaves as an array where the bookkeeping of chains needs one: rows are selected, written and appended, and nothing is
    copied until the next run puts them together on the device. Everything else that NumPy does with it copies the rows to the
    host first, which is right and slow.

    Args:
        lease: The buffers on the device, which are not reused while this exists.
        name: The tensor's name in the graph.
        source: For each row, its row in the buffer; or, below zero, ``-1 - k`` for the k-th of the fresh rows.
        fresh: Rows that the host wrote.
    """

    __slots__ = ("_fresh", "_lease", "_name", "_source")

    def __init__(self, lease: Lease, name: str, source: NDArray[np.int64], fresh: NDArray[Any]) -> None:
        self._lease, self._name, self._source, self._fresh = lease, name, source, fresh

    @property
    def lease(self) -> Lease:
        """The buffers that the rows are in."""
        return self._lease

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the elements."""
        return self._fresh.dtype

    @property
    def shape(self) -> tuple[int, ...]:
        """Rows, and the shape of one."""
        return (len(self._source), *self._fresh.shape[1:])

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return self._fresh.ndim

    def __len__(self) -> int:
        return len(self._source)

    @property
    def untouched(self) -> bool:
        """Whether these are all the rows of the last run, in order."""
        return len(self) == self._lease.rows and bool((self._source == np.arange(len(self))).all())

    def parts(self, length: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """The fresh rows, at least one, and the index for `Driver.gather`, padded to a length.

        Args:
            length: Rows to gather; those beyond the own ones repeat the last.
        """
        held = self._lease.length
        index = np.where(self._source < 0, held - 1 - self._source, self._source)
        index = np.concatenate([index, np.repeat(index[-1:], length - len(index))])
        fresh = self._fresh if len(self._fresh) else np.zeros((1, *self._fresh.shape[1:]), self.dtype)
        return np.ascontiguousarray(fresh), index

    def __getitem__(self, key: Any) -> Any:
        chosen = self._source[key]
        if np.ndim(chosen) == 0:
            return np.asarray(Resident(self._lease, self._name, np.array([chosen]), self._fresh))[0]
        return Resident(self._lease, self._name, chosen, self._fresh)

    def __setitem__(self, key: Any, value: Any) -> None:
        rows = np.atleast_1d(np.arange(len(self))[key])
        written = np.broadcast_to(np.asarray(value, self.dtype), (len(rows), *self.shape[1:]))
        source = self._source.copy()
        source[rows] = -1 - len(self._fresh) - np.arange(len(rows))
        self._source, self._fresh = source, np.concatenate([self._fresh, written])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        del copy  # the rows are copied in any case
        held = self._lease.download(self._name) if (self._source >= 0).any() else self._fresh[:0]
        rows = np.concatenate([held, self._fresh])
        index = np.where(self._source < 0, len(held) - 1 - self._source, self._source)
        found: NDArray[Any] = rows[index]
        return found if dtype is None else found.astype(dtype, copy=False)

    def __array_function__(self, function: Callable[..., Any], _types: Any, args: Any, kwargs: Any) -> Any:
        if function is np.concatenate and not kwargs and len(args) == 1:
            return joined(args[0])
        return function(*_on_host(args), **{name: _on_host(value) for name, value in kwargs.items()})


def joined(parts: Sequence[Any]) -> Resident:
    """Rows one after another. Those that are not in the buffers of the most go over the host."""
    residents = [part for part in parts if isinstance(part, Resident)]
    rows: dict[int, int] = {}
    for part in residents:
        rows[id(part.lease)] = rows.get(id(part.lease), 0) + len(part)
    first = max(residents, key=lambda part: rows[id(part.lease)])
    sources, fresh, count = [], [first._fresh[:0]], 0  # noqa: SLF001 - of this class
    for part in parts:
        if isinstance(part, Resident) and part.lease is first.lease:
            new, source = part._fresh, part._source  # noqa: SLF001
            sources.append(np.where(source < 0, source - count, source))
        else:
            new = np.asarray(part, first.dtype)
            sources.append(-1 - count - np.arange(len(new)))
        fresh.append(new)
        count += len(new)
    return Resident(first.lease, first._name, np.concatenate(sources), np.concatenate(fresh))  # noqa: SLF001


def _on_host(value: Any) -> Any:
    if isinstance(value, Resident):
        return np.asarray(value)
    return type(value)(map(_on_host, value)) if isinstance(value, list | tuple) else value
