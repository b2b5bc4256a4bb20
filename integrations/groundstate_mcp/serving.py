"""Serve until the client disconnects or the process is stopped."""

from __future__ import annotations

import hmac
import os
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
from mcp.server import Server
from mcp.server.stdio import stdio_server
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

import groundstate as gs
from groundstate_serve import LOCAL
from groundstate_serve.listening import listen, on_interrupt, prompt

PATH = "/mcp"

HEALTH = "/health"
"""For load balancers: needs no token, and says nothing about the models."""

STOPPED = 130
"""The exit code after Ctrl-C: 128 plus the signal number, as in shells."""

Application = Callable[..., Awaitable[None]]
"""An ASGI application."""


def over_stdio(server: Server[Any]) -> None:
    """Serve the client that started this process, over stdin and stdout, until it closes them.

    Ctrl-C ends the process at once, with `STOPPED`: a thread that waits for stdin cannot be interrupted, and there is nothing
    to clean up.
    """

    async def serve() -> None:
        async with stdio_server() as (received, sent):
            await server.run(received, sent, server.create_initialization_options())

    with on_interrupt(lambda: os._exit(STOPPED)), prompt():
        try:
            anyio.run(serve)
        except* BrokenPipeError:
            pass  # the client disconnected during a write


def over_http(
    server: Server[Any],
    host: str,
    port: int,
    ready: Callable[[str], None],
    *,
    token: str | None = None,
    anyone: bool = False,
    hosts: tuple[str, ...] = (),
    origins: tuple[str, ...] = (),
) -> None:
    """Serve any number of clients over streamable HTTP, until Ctrl-C.

    Args:
        host: The address to listen on.
        port: The port; 0 selects a free one.
        ready: Called with the address when the server accepts connections.
        token: The token in ``Authorization: Bearer <token>``.
        anyone: Whether a non-local address may be served without a token.
        hosts: Names under which clients may call the server, besides the address. On a local address other names are refused; on
            others, if `hosts` or `origins` are given.
        origins: Origins of the web pages that may call the server, such as ``https://example.org``.

    Raises:
        OptionError: If the server cannot listen on the address, or the address is not local and `token` and `anyone` are unset.
    """
    if host not in LOCAL and token is None and not anyone:
        raise gs.OptionError(
            f"host is {host!r}, which other machines reach; require a token (--token-file), or allow anyone (--no-auth)."
        )
    app: Application = server.streamable_http_app(
        streamable_http_path=PATH,
        host=host,
        transport_security=_security(host, hosts, origins),
        custom_starlette_routes=[Route(HEALTH, _health)],
    )
    if token is not None:
        app = _guarded(app, token)
    listen(app, host, port, lambda address: ready(address + PATH))


async def _health(_: Request) -> JSONResponse:
    return JSONResponse({"status": "ok"})


def _security(host: str, hosts: tuple[str, ...], origins: tuple[str, ...]) -> TransportSecuritySettings | None:
    """Which Host and Origin headers are accepted; None for the SDK's default, which guards local addresses only."""
    if not hosts and not origins:
        return None
    local = [f"[{name}]" if ":" in name else name for name in LOCAL] if host in LOCAL else []
    names = [*local, f"[{host}]" if ":" in host else host, *hosts]
    pages = [f"http://{name}:*" for name in local]
    return TransportSecuritySettings(
        enable_dns_rebinding_protection=True,
        allowed_hosts=[form for name in names for form in (name, f"{name}:*")],
        allowed_origins=[*pages, *origins],
    )


def _guarded(app: Application, token: str) -> Application:
    """An application that answers 401 to calls without the token."""
    wanted = f"bearer {token}".encode()

    async def guarded(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["path"] != HEALTH:
            given = dict(scope["headers"]).get(b"authorization", b"")
            kind, _, rest = given.partition(b" ")
            if not hmac.compare_digest(kind.lower() + b" " + rest.strip(), wanted):
                headers = [(b"www-authenticate", b"Bearer"), (b"content-type", b"text/plain")]
                await send({"type": "http.response.start", "status": 401, "headers": headers})
                await send({"type": "http.response.body", "body": b"A bearer token is needed."})
                return
        await app(scope, receive, send)

    return guarded
