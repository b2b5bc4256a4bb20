"""What a solve tells while it runs, and how it learns that nobody waits for it any more."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Self, TypeVar

import anyio
import anyio.to_thread
from mcp.server.mcpserver import Context

_T = TypeVar("_T")

_EVERY = 0.25
"""Seconds between two words of progress."""


class Abandoned(Exception):  # noqa: N818
    """Ends a solve in its thread. Nobody is there to catch it."""


class Pulse:
    """Counts the updates of a call's descents, in the threads that make them. Outside of its ``with`` block it stops them.

    Args:
        steps: Updates in a segment.
    """

    def __init__(self, steps: int) -> None:
        self._steps = steps
        self._told = self._made = 0
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True

    def __call__(self) -> None:
        if self._ended:
            raise Abandoned
        self._made += self._steps

    async def tell(self, context: Context[Any, Any]) -> None:
        """Report the updates made since the last word, if there are any: progress must increase."""
        made = self._made
        if made > self._told:
            self._told = made
            await context.report_progress(made, message=f"{made} updates of the descent")


async def reported(solve: Callable[[], _T], pulse: Pulse, context: Context[Any, Any]) -> _T:
    """Run a solve in a thread of its own and report its progress. When the call is cancelled, the thread is left to the pulse."""
    if context.protocol_version is None:  # called within the process, outside of any request: nobody to tell
        return await anyio.to_thread.run_sync(solve)

    async def report() -> None:
        while True:
            await anyio.sleep(_EVERY)
            await pulse.tell(context)

    try:
        async with anyio.create_task_group() as beside:
            beside.start_soon(report)
            found = await anyio.to_thread.run_sync(solve, abandon_on_cancel=True)
            beside.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None  # what the solve raised, as if there were no group
    await pulse.tell(context)
    return found
