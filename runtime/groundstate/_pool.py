"""Daemon threads that run tasks, and the number of processors that a process may use."""

from __future__ import annotations

import atexit
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count
from typing import Generic, TypeVar
from weakref import WeakSet, finalize

from groundstate._processors import processors

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

Task = Callable[[], object]

_EXIT = 2.0
"""Seconds that the interpreter waits at its exit for tasks to end."""


class Pool:
    """Daemon threads that start when needed, end with the pool, and start again in a forked child.

    Args:
        threads: Maximum number of threads; None means the processors available to this process.
        name: Name of the threads.
    """

    def __init__(self, threads: int | None = None, name: str = "groundstate") -> None:
        self.threads, self._name = threads or processors(), name
        self._crew = _Crew(self.threads, name)
        self._end = finalize(self, _Crew.stop, self._crew)
        self._end.atexit = False  # `_at_exit` ends all pools, and waits for them
        _POOLS.add(self)

    def start(self, task: Task) -> None:
        """Run a task, which must not raise, in one of the threads."""
        self._crew.start(task)

    def map(self, run: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """The results for all items, in order. The calling thread takes part; one item, or one thread, needs no other."""
        listed = list(items)
        if self.threads == 1 or len(listed) == 1:
            return [run(item) for item in listed]
        shared = _Shared(run, listed)
        for _ in range(min(self.threads, len(listed)) - 1):
            self._crew.start(shared.take)
        return shared.finish()

    def close(self) -> None:
        """End the threads, after the tasks that were started. The next use starts others."""
        crew = self._renew()
        crew.stop()
        crew.join(None)

    def forget(self) -> None:
        """In a forked child: drop the parent's threads and locks."""
        self._renew()

    def _renew(self) -> _Crew:
        self._end.detach()
        crew, self._crew = self._crew, _Crew(self.threads, self._name)
        self._end = finalize(self, _Crew.stop, self._crew)
        self._end.atexit = False
        return crew


class _Crew:
    """The threads and the tasks of a pool. The threads refer to this and not to the pool, so that a pool may be collected."""

    def __init__(self, most: int, name: str) -> None:
        self._most, self._name = most, name
        self._changed = threading.Condition(threading.Lock())
        self._tasks: deque[Task] = deque()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._stopped = False

    def start(self, task: Task) -> None:
        with self._changed:
            self._tasks.append(task)
            if len(self._tasks) <= self._idle or len(self._threads) >= self._most:
                self._changed.notify()
                return
            thread = threading.Thread(target=self._run, name=f"{self._name}_{len(self._threads)}", daemon=True)
            self._threads.append(thread)
        thread.start()

    def stop(self) -> None:
        """Let the threads end when no task is left."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()

    def join(self, seconds: float | None) -> None:
        """Wait for the threads."""
        for thread in self._threads:
            if thread is not threading.current_thread() and thread.ident is not None:
                thread.join(seconds)

    def _run(self) -> None:
        while True:
            with self._changed:
                while not self._tasks:
                    if self._stopped:
                        return
                    self._idle += 1
                    self._changed.wait()
                    self._idle -= 1
                task = self._tasks.popleft()
            task()
            del task  # what it refers to must not live until the next one


class _Shared(Generic[_Item, _Result]):
    """Items that several threads take one after another."""

    def __init__(self, run: Callable[[_Item], _Result], items: list[_Item]) -> None:
        self._run, self._items = run, items
        self._results: list[_Result | None] = [None] * len(items)
        self._errors: dict[int, BaseException] = {}
        self._next, self._done = count(), count(1)
        self._all = threading.Event()

    def take(self) -> None:
        # A step of `count` is atomic.
        while (place := next(self._next)) < len(self._items):
            try:
                self._results[place] = self._run(self._items[place])
            except BaseException as error:  # noqa: BLE001 - raised again by `finish`, in the calling thread
                self._errors[place] = error
            if next(self._done) == len(self._items):
                self._all.set()

    def finish(self) -> list[_Result]:
        self.take()
        self._all.wait()
        if self._errors:
            raise self._errors[min(self._errors)]
        return self._results  # type: ignore[return-value]  # each place holds a result


_POOLS: WeakSet[Pool] = WeakSet()


def _after_fork() -> None:
    for pool in list(_POOLS):
        pool.forget()


def _at_exit() -> None:
    # A daemon thread that returns from a run while the interpreter is torn down would abort the process.
    crews = [pool._crew for pool in list(_POOLS)]  # noqa: SLF001 - an attribute of this module's class
    for crew in crews:
        crew.stop()
    for crew in crews:
        crew.join(_EXIT)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
atexit.register(_at_exit)
