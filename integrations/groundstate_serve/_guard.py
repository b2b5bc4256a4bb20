"""Access control before the routes: token, host, origin and size of the body."""

from __future__ import annotations

import hmac
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from groundstate_serve._settings import Settings

_OPEN = frozenset({"/health"})
"""Routes without a token, for load balancers."""


def guard(app: Starlette, settings: Settings) -> Starlette:
    """The application behind its guard."""
    app.user_middleware.insert(0, Middleware(_Guard, settings))
    return app


class _TooLargeError(Exception):
    pass


class _Guard:
    """Refuses calls before their body is read."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app, self._settings = app, settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope["path"], Headers(scope=scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        begun = False

        async def sending(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, _limited(receive, self._settings.body), sending)
        except _TooLargeError:
            if not begun:
                await _answer(413, f"The body has more than {self._settings.body:,} bytes.")(scope, receive, send)

    def _refusal(self, path: str, headers: Headers) -> JSONResponse | None:
        settings = self._settings
        host = _name(headers.get("host", ""))
        if settings.hosts is not None and host not in settings.hosts:
            return _answer(421, f"This server is not {host!r:.80}; it is called {', '.join(sorted(settings.hosts))}.")
        origin = headers.get("origin")
        if origin is not None and origin not in settings.origins:
            return _answer(403, f"Pages of {origin!r:.80} may not call this server.")
        if settings.token is not None and path not in _OPEN and not _knows(headers, settings.token):
            return _answer(401, "Send the token as 'Authorization: Bearer …'.", {"WWW-Authenticate": "Bearer"})
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > settings.body:
            return _answer(413, f"The body has {int(length):,} bytes; at most {settings.body:,} are accepted.")
        return None


def _limited(receive: Receive, most: int) -> Receive:
    taken = 0

    async def counting() -> Message:
        nonlocal taken
        message = await receive()
        taken += len(message.get("body", b""))
        if taken > most:
            raise _TooLargeError
        return message

    return counting


def _knows(headers: Headers, token: str) -> bool:
    scheme, _, sent = headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(sent.strip().encode(), token.encode())


def _name(host: str) -> str:
    """The value of a Host header without its port."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _answer(status: int, message: str, headers: dict[str, Any] | None = None) -> JSONResponse:
    return JSONResponse({"error": message}, status, headers)
