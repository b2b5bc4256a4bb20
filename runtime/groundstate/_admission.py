"""How many calls of a solver are in progress: further ones wait their turn, and too many are refused."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from typing import TYPE_CHECKING

from groundstate._errors import BusyError

if TYPE_CHECKING:
    from groundstate._group import Call

MOST_WAITING = 16_384
"""Default maximum number of calls that wait to be taken up."""

YOUNG = 64
"""A further call is taken up while fewer than this many calls in progress are young: few enough to bound memory, and enough to
fill the runs. Calls that have had many rounds do not count, so that hard problems cannot keep easy ones waiting."""

OLD_AFTER = 16
"""Rounds after which a call is no longer young."""

MOST_ACTIVE = 512
"""Maximum number of calls in progress."""


class Admission:
    """Takes calls up in the order in which they came. Safe to share between threads.

    Args:
        most_waiting: Maximum number of calls that wait to be taken up.

    Attributes:
        active: Number of calls in progress.
    """

    def __init__(self, most_waiting: int = MOST_WAITING) -> None:
        self.most_waiting = most_waiting
        self.forget()

    def forget(self) -> None:
        """In a forked child: drop the calls of the parent's threads."""
        self._lock = threading.Lock()
        self.active = 0
        self._young = 0
        self._waiting: OrderedDict[Call, None] = OrderedDict()
        self._calls: set[Call] = set()

    def enter(self, call: Call, *, nested: bool = False) -> None:
        """Wait until a call is taken up, at most until its deadline.

        Args:
            nested: Whether it is made within another call, and so must not wait for that one's place.

        Raises:
            BusyError: If too many calls are waiting.
        """
        if self.take(call, at_once=nested):
            return
        try:
            while not call.admitted:
                call.clear()
                left = None if call.due is None else call.due - time.monotonic()
                if call.admitted or (left is not None and left <= 0):
                    break
                call.wait(left)
        except BaseException:
            self.leave(call)
            raise
        with self._lock:
            if not call.admitted:
                self._waiting.pop(call, None)
                self._count(call)

    def take(self, call: Call, *, at_once: bool = False) -> bool:
        """Take a call up if there is room. If not, it waits until it is notified.

        Raises:
            BusyError: If too many calls are waiting.
        """
        with self._lock:
            if at_once or (not self._waiting and self._has_room()):
                self._count(call)
                return True
            if len(self._waiting) >= self.most_waiting:
                raise BusyError(len(self._calls), len(self._waiting), self.most_waiting)
            self._waiting[call] = None
            return False

    def hurry(self, call: Call) -> None:
        """Take a waiting call up at once, because its deadline has passed."""
        with self._lock:
            if call not in self._waiting:
                return
            del self._waiting[call]
            self._count(call)
        call.notify()

    def leave(self, call: Call) -> None:
        """End a call, and take up those that wait."""
        with self._lock:
            if call in self._calls:
                self._calls.discard(call)
                self.active -= 1
                self._young -= not call.aged
            else:
                self._waiting.pop(call, None)
            self._take_up()

    def end_round(self, call: Call) -> None:
        """Count a round of a call: after many, it does not keep others waiting."""
        call.rounds += 1
        if call.rounds != OLD_AFTER:
            return
        with self._lock:
            if call in self._calls and not call.aged:
                call.aged = True
                self._young -= 1
                self._take_up()

    def _has_room(self) -> bool:
        return self._young < YOUNG and self.active < MOST_ACTIVE

    def _count(self, call: Call) -> None:
        call.admitted = True
        self._calls.add(call)
        self.active += 1
        self._young += 1

    def _take_up(self) -> None:
        while self._waiting and self._has_room():
            call, _ = self._waiting.popitem(last=False)
            self._count(call)
            call.notify()
