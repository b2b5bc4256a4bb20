"""Progress of a solve while it runs, and the end of a solve that nobody waits for any more."""

from __future__ import annotations

from typing import Any

import anyio
from mcp.server.context import ServerRequestContext

from groundstate.tools import Conversation, Replier, Reply

Context = ServerRequestContext[Any, Any]

_EVERY = 0.25
"""Seconds between two reports of progress."""


class ClientLeftError(Exception):
    """The client's connection has closed; nobody reads what is returned."""


async def solved(conversation: Conversation, replier: Replier | None, context: Context) -> Reply:
    """Run a conversation and report its progress. It is cancelled with the call, and when the client's connection closes.

    Raises:
        ClientLeftError: If the connection has closed.
        Exception: What the conversation or the replier raises.
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
        while True:
            await anyio.sleep(_EVERY)
            if await _has_left(context):
                left = True
                scope.cancel()
                return
            await report()

    reply: Reply | None = None
    try:
        async with anyio.create_task_group() as beside:
            beside.start_soon(watch, beside.cancel_scope)
            reply = await conversation.arun(replier)
            beside.cancel_scope.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None  # what the solve raised, as if there were no group
    if left or reply is None:
        raise ClientLeftError
    await report()
    return reply


async def _has_left(context: Context) -> bool:
    """Whether the HTTP connection of the call has closed. Nothing is replayed here, so its result could not arrive any more."""
    is_disconnected = getattr(context.request, "is_disconnected", None)
    return is_disconnected is not None and bool(await is_disconnected())
