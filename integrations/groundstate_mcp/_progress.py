"""Report the progress of a running solve, and cancel a solve whose client has disconnected."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.context import ServerRequestContext

from groundstate.tools import Conversation, Replier, Reply

Context = ServerRequestContext[Any, Any]

_EVERY = 0.25
"""Seconds between two reports of progress."""

_LOOK = 0.01
"""Seconds between two looks whether the client of an HTTP connection has left, so that its solve ends within twice as many."""


class ClientLeftError(Exception):
    """The client's connection has closed."""


async def solved(conversation: Conversation, replier: Replier | None, context: Context) -> Reply:
    """Run a conversation and report its progress. It ends when the call is cancelled or the connection closes.

    Raises:
        ClientLeftError: If the connection has closed.
        Exception: Any error of the conversation or the replier.
    """
    reported = 0
    left = False

    async def report() -> None:
        nonlocal reported
        if (updates := conversation.updates) > reported:  # progress must increase
            reported = updates
            await context.session.report_progress(updates, message=f"{updates} updates of the descent")

    async def watch(scope: anyio.CancelScope) -> None:
        nonlocal left
        due = anyio.current_time() + _EVERY
        while True:
            await anyio.sleep(_LOOK if _can_leave(context) else _EVERY)
            if await _has_left(context):
                left = True
                scope.cancel()
                return
            if anyio.current_time() >= due:
                due += _EVERY
                await report()

    reply: Reply | None = None
    try:
        async with anyio.create_task_group() as beside:
            beside.start_soon(watch, beside.cancel_scope)
            reply = await conversation.arun(replier)
            beside.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None  # unwrap the solve's own exception
    if left or reply is None:
        raise ClientLeftError
    await report()
    return reply


def _can_leave(context: Context) -> bool:
    """Whether the call came over a connection that says when it closes."""
    return getattr(context.request, "is_disconnected", None) is not None


async def _has_left(context: Context) -> bool:
    """Whether the call's HTTP connection has closed. Results are not replayed, so this one could not arrive."""
    is_disconnected = getattr(context.request, "is_disconnected", None)
    return is_disconnected is not None and bool(await is_disconnected())
