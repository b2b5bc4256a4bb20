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
        if function is np.concatenate and not kwargs and len(args) == 1 and isinstance(args[0][0], Resident):
            return args[0][0].with_rows(args[0][1:])
        return function(*_on_host(args), **{name: _on_host(value) for name, value in kwargs.items()})

    def with_rows(self, others: Sequence[Any]) -> Resident:
        """These rows followed by others, which the host holds."""
        more = np.concatenate([np.asarray(other, self.dtype) for other in others])
        new = -1 - len(self._fresh) - np.arange(len(more))
        return Resident(
            self._lease,
            self._name,
            np.concatenate([self._source, new]),
            np.concatenate([self._fresh, more]),
        )


def _on_host(value: Any) -> Any:
    if isinstance(value, Resident):
        return np.asarray(value)
    return type(value)(map(_on_host, value)) if isinstance(value, list | tuple) else value
