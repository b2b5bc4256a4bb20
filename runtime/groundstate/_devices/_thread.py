"""The one thread that talks to a device."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import get_ident
from typing import TypeVar

from groundstate._errors import ProviderError

_Result = TypeVar("_Result")


class DeviceThread:
    """Runs functions one after another on a thread of its own.

    It is the device's lock. A lock alone would not do: graphs that ONNX Runtime captures belong to the capturing thread.

    Args:
        name: What the device is called, for messages.
    """

    def __init__(self, name: str) -> None:
        self._name, self._process = name, os.getpid()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"groundstate {name}")
        self._ident: int | None = None

    @property
    def alive(self) -> bool:
        """Whether this process made it: a forked child has none of its parent's threads."""
        return os.getpid() == self._process

    def call(self, function: Callable[[], _Result]) -> _Result:
        """Run a function on the thread, and wait for its result.

        Raises:
            ProviderError: In a forked child, which has no such thread and cannot use its parent's device.
        """
        if not self.alive:
            raise ProviderError(
                f"This process was forked from one that uses {self._name!r}, and a device cannot be used across a fork. "
                "Start the process with 'spawn', or load the model in the child only."
            )
        if get_ident() == self._ident:
            return function()
        return self._executor.submit(self._run, function).result()

    def _run(self, function: Callable[[], _Result]) -> _Result:
        self._ident = get_ident()
        return function()


_THREADS: dict[str, DeviceThread] = {}


def thread_of(device: str) -> DeviceThread:
    """The thread of a device: one a process, since another thread that synchronises breaks a capture."""
    found = _THREADS.get(device)
    if found is None or not found.alive:
        found = _THREADS[device] = DeviceThread(device)
    return found
