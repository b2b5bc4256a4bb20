"""Calls functions at given times: ends runs whose deadline passes while they are computed."""

from __future__ import annotations

import heapq
import os
import threading
import time
from collections.abc import Callable
from itertools import count

_STALE = 1024
"""Cancelled alarms are removed when there are more than this many, and more than half."""


class Alarm:
    """A call at a time. Made by `Watchdog.at`."""

    __slots__ = ("call", "when")

    def __init__(self, when: float, call: Callable[[], object]) -> None:
        self.when = when
        self.call: Callable[[], object] | None = call

    def cancel(self) -> None:
        """Do not call. A call that has begun continues."""
        self.call = None


class Watchdog:
    """One daemon thread that waits for the next of many times. It starts with the first alarm.

    Times are those of `time.monotonic`, which no change of the clock affects.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """In a forked child: drop the parent's thread, lock and alarms."""
        self._changed = threading.Condition(threading.Lock())
        self._alarms: list[tuple[float, int, Alarm]] = []
        self._order = count()
        self._thread: threading.Thread | None = None

    def at(self, when: float, call: Callable[[], object]) -> Alarm:
        """Call a function at a time. It must be short and must not raise."""
        alarm = Alarm(when, call)
        with self._changed:
            if len(self._alarms) > _STALE:
                self._drop_cancelled()
            heapq.heappush(self._alarms, (when, next(self._order), alarm))
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="groundstate_watchdog", daemon=True)
                self._thread.start()
            elif self._alarms[0][2] is alarm:
                self._changed.notify()
        return alarm

    def _drop_cancelled(self) -> None:
        live = [entry for entry in self._alarms if entry[2].call is not None]
        if 2 * len(live) < len(self._alarms):
            heapq.heapify(live)
            self._alarms = live

    def _watch(self) -> None:
        while True:
            with self._changed:
                while not self._alarms or (wait := self._alarms[0][0] - time.monotonic()) > 0:
                    self._changed.wait(None if not self._alarms else min(wait, threading.TIMEOUT_MAX))
                call = heapq.heappop(self._alarms)[2].call
            if call is not None:
                call()
            call = None


WATCHDOG = Watchdog()

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=WATCHDOG.forget)
