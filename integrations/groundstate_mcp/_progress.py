"""Report the progress of a running solve, and cancel a solve whose client has disconnected."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.context import ServerRequestContext

from groundstate.tools import Conversation, Replier, Reply

Context = ServerRequestContext[Any, Any]

_EVERY = 0.25
"""Seconds between two reports of progress."""


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
        await _departure(context)
        left = True
        scope.cancel()

    async def keep_reporting() -> None:
        while True:
            await anyio.sleep(_EVERY)
            await report()

    reply: Reply | None = None
    try:
        async with anyio.create_task_group() as beside:
            beside.start_soon(watch, beside.cancel_scope)
            beside.start_soon(keep_reporting)
            reply = await conversation.arun(replier)
            beside.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None  # unwrap the solve's own exception
    if left or reply is None:
        raise ClientLeftError
    await report()
    return reply


async def _departure(context: Context) -> None:
    """Return when the call's HTTP connection has closed: results are not replayed, so this one could not arrive."""
    receive = getattr(context.request, "receive", None)
    if receive is None:  # no connection of its own
        await anyio.sleep_forever()
        return
    while (await receive())["type"] != "http.disconnect":
        pass
