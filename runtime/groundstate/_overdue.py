"""Ends Python code of a task when a deadline passes: reading a large request, a search for a proof."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from groundstate._watchdog import WATCHDOG, Alarm

_Result = TypeVar("_Result")

_AGAIN = 0.002
"""Seconds after which the error is raised again, if it has had no effect."""


class OverdueError(BaseException):
    """The deadline passed. Not an `Exception`, so that code that handles its own errors lets it pass. Internal."""


def in_time(due: float | None, call: Callable[..., _Result], *arguments: object) -> _Result:
    """Call a function, and end it where it is if the deadline passes. Calls of C code are ended when they return.

    What the function was changing may be left half done, so it must not be used afterwards.

    Args:
        due: The deadline (`time.monotonic`), or None.

    Raises:
        OverdueError: If the deadline has passed.
    """
    if due is None:
        return call(*arguments)
    watch = _Watch()
    alarm = WATCHDOG.at(due, watch.end)
    try:
        return watch.over(call, *arguments)
    finally:
        alarm.cancel()


class Deadline:
    """Ends the calls of one problem's task when a time comes that may be moved. One thread at a time makes calls through it.

    Args:
        due: The time (`time.monotonic`).
    """

    def __init__(self, due: float) -> None:
        self._due = due
        self._lock = threading.Lock()
        self._alarm: Alarm | None = None
        self._watch: _Watch | None = None
        self.passed = False

    def move(self, due: float) -> None:
        """Set another time."""
        self.close()
        self._due, self.passed = due, False

    def close(self) -> None:
        """Take the alarm back."""
        with self._lock:
            if self._alarm is not None:
                self._alarm.cancel()
                self._alarm = None

    def call(self, function: Callable[..., _Result], *arguments: object) -> _Result:
        """As `in_time`, for less than a tenth of its time.

        Raises:
            OverdueError: If the time has come.
        """
        if self._watch is not None:  # a call within a call
            return function(*arguments)
        if time.monotonic() >= self._due:
            self.passed = True
            raise OverdueError
        watch = _Watch()
        with self._lock:
            self._watch = watch
            if self._alarm is None:
                self._alarm = WATCHDOG.at(self._due, self._end)
        try:
            return watch.over(function, *arguments)
        finally:
            self._watch = None

    def _end(self) -> None:
        with self._lock:
            self.passed, watch = True, self._watch
        if watch is not None:
            watch.end()


class _Watch:
    """Raises `OverdueError` in the thread that made it, until it is left."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._raised = self._left = False

    def over(self, call: Callable[..., _Result], *arguments: object) -> _Result:
        """Call a function, and leave the watch."""
        try:
            try:
                return call(*arguments)
            finally:
                self.leave()
        except OverdueError:
            self.leave()  # again: the error may have come while the watch was being left
            raise

    def end(self) -> None:
        """Have the error raised. For the thread of the watchdog."""
        with self._lock:
            if self._left:
                return
            self._raised = True
            _raise_in(self._thread, OverdueError)
        # Python drops an error that comes while it finalises an object, or in a callback of a weak reference.
        WATCHDOG.at(time.monotonic() + _AGAIN, self.end)

    def leave(self) -> None:
        """From now on nothing is raised. An error that has not been raised yet is taken back."""
        with self._lock:
            self._left = True
            if self._raised:
                self._raised = False
                _raise_in(self._thread, None)
                _lower_flag()


class _FlagError(BaseException):
    pass


def _lower_flag() -> None:
    """Have the interpreter forget that there is an error to raise.

    To take one back leaves the flag that one is pending. While it is up, CPython 3.11 looks for errors before each instruction,
    and loops forever in code that is traced or profiled. Only an error that is raised lowers it.
    """
    with suppress(_FlagError):
        _raise_in(threading.get_ident(), _FlagError)
        for _ in range(1_000_000):  # it comes at once
            pass


def _raise_in(thread: int, error: type[BaseException] | None) -> None:
    import ctypes  # numpy has imported it

    raising = getattr(getattr(ctypes, "pythonapi", None), "PyThreadState_SetAsyncExc", None)
    if raising is not None:
        raising(ctypes.c_ulong(thread), None if error is None else ctypes.py_object(error))
