"""A thread pool for runs of a graph."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from threading import Lock
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakSet

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class Pool:
    """A thread pool that starts on first use, and restarts in a forked child, which has none of its parent's threads.

    Args:
        threads: Number of threads; None means the processors available to this process.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = threads or _processors()
        self._executor: ThreadPoolExecutor | None = None
        self._lock = Lock()
        _POOLS.add(self)

    def map(self, run: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """The results for all items, in order. One thread or one item runs on the calling thread."""
        listed = list(items)
        if self.threads == 1 or len(listed) == 1:
            return [run(item) for item in listed]
        return list(self._running().map(run, listed))

    def close(self) -> None:
        """End the threads. The next use starts them again."""
        with self._lock:
            executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown()

    def forget(self) -> None:
        """In a forked child: drop the parent's threads and lock."""
        self._executor, self._lock = None, Lock()

    def _running(self) -> ThreadPoolExecutor:
        with self._lock:
            if self._executor is None:
                from concurrent.futures import ThreadPoolExecutor

                self._executor = ThreadPoolExecutor(self.threads, thread_name_prefix="groundstate")
            return self._executor


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


_POOLS: WeakSet[Pool] = WeakSet()


def _after_fork() -> None:
    for pool in list(_POOLS):
        pool.forget()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
