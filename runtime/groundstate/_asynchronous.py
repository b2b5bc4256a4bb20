"""Calls of coroutines: the engine's own thread advances them, so that no caller needs a thread. Imported when first used."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from groundstate._engine import Engine
from groundstate._errors import BusyError
from groundstate._group import Call, abandon, inside
from groundstate._watchdog import WATCHDOG, Alarm

_Result = TypeVar("_Result")


async def arun(engine: Engine, due: float | None, work: Callable[[Call], Coroutine[None, None, _Result]]) -> _Result:
    """Advance a call in the engine's own thread, and await its result. If the task is cancelled, so is the call.

    Args:
        engine: The engine of a solver.
        due: When the call's deadline passes (`time.monotonic`), or None.
        work: Makes the coroutine of the call, which waits for the engine alone.

    Raises:
        BusyError: If too many calls are waiting.
    """
    call = _AsyncCall(engine, due, work)
    try:
        taken = engine.calls.take(call)
    except BusyError:
        abandon(call.work)
        raise
    if taken:
        call.notify()
    elif due is not None:
        call.alarm = WATCHDOG.at(due, lambda: engine.calls.hurry(call))
    try:
        result: _Result = await call.future
    except asyncio.CancelledError:
        call.cancel()
        raise
    return result


async def in_front(engine: Engine, function: Callable[[], _Result]) -> _Result:
    """Call a function in the engine's own thread, and await its result."""

    async def work(_: Call) -> _Result:
        return function()

    return await arun(engine, None, work)


class _AsyncCall(Call):
    """A call of a coroutine.

    Attributes:
        future: Its result, in the caller's event loop.
        work: The coroutine that computes the result.
        alarm: Takes it up at its deadline if it still waits then.
    """

    def __init__(self, engine: Engine, due: float | None, work: Callable[[Call], Coroutine[None, None, Any]]) -> None:
        super().__init__(engine, due)
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self._loop.create_future()
        self.work = work(self)
        self.alarm: Alarm | None = None
        self._context = contextvars.copy_context()
        self._cancelled = self._ended = self._scheduled = False
        self._guard = threading.Lock()

    @property
    def crowded(self) -> bool:
        return True  # the thread that advances it must not compute

    def clear(self) -> None:
        pass

    def cancel(self) -> None:
        """End the call, in the thread of its event loop."""
        self._cancelled = True
        self.engine.leave_groups(self)
        self.notify()

    def notify(self) -> None:
        with self._guard:
            if self._scheduled:
                return
            self._scheduled = True
        self.engine.front.start(self._advance)

    def _advance(self) -> None:
        with self._guard:
            self._scheduled = False
        if self._ended:
            return
        if self._cancelled:
            self._end()
            return
        try:
            self._context.run(inside, self.work.send, None)
        except StopIteration as end:
            self._end()
            self._send(end.value, None)
        except BaseException as error:  # noqa: BLE001 - it rises in the caller's coroutine
            self._end()
            self._send(None, error)

    def _end(self) -> None:
        self._ended = True
        if self.alarm is not None:
            self.alarm.cancel()
        self._context.run(abandon, self.work)
        self.engine.calls.leave(self)

    def _send(self, value: Any, error: BaseException | None) -> None:
        try:
            self._loop.call_soon_threadsafe(self._set, value, error)
        except RuntimeError:
            return  # the loop is closed, so that nobody waits

    def _set(self, value: Any, error: BaseException | None) -> None:
        if self.future.done():
            return
        if error is None:
            self.future.set_result(value)
        elif isinstance(error, asyncio.CancelledError):
            self.future.cancel()
        else:
            self.future.set_exception(error)
