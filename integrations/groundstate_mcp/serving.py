"""Serving until the client leaves, or somebody stops it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import uvicorn
from mcp.server import MCPServer

import groundstate as gs

PATH = "/mcp"

STOPPED = 130
"""The exit code after Ctrl-C: 128 plus the number of the signal, as shells have it."""

_GRACE = 2
"""Seconds that open connections get to end when a server over HTTP is stopped."""


def over_stdio(server: MCPServer[Any]) -> None:
    """Serve the client that started this process, over stdin and stdout, until it closes them.

    Ctrl-C ends the process at once, with `STOPPED`: a thread that waits for stdin cannot be interrupted, and there is nothing
    to tidy up.
    """
    with _on_interrupt(lambda: os._exit(STOPPED)):
        try:
            server.run("stdio")
        except* BrokenPipeError:
            pass  # the client left while it was being told something


def over_http(server: MCPServer[Any], host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve any number of clients over streamable HTTP, until Ctrl-C.

    Args:
        host: The address to listen on. Anything but this machine's own is open to whoever reaches it.
        port: The port; any free one, if 0.
        ready: Called with the address once connections are accepted.

    Raises:
        OptionError: If host and port cannot be listened on.
    """
    with _listening(host, port) as listener:
        app = server.streamable_http_app(streamable_http_path=PATH, host=host)
        http = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_GRACE))
        with _on_interrupt(lambda: setattr(http, "should_exit", True)):
            shown = f"[{host}]" if ":" in host else host
            ready(f"http://{shown}:{listener.getsockname()[1]}{PATH}")
            anyio.run(lambda: http.serve(sockets=[listener]))


@contextmanager
def _on_interrupt(act: Callable[[], None]) -> Iterator[None]:
    before = signal.signal(signal.SIGINT, lambda *_: act())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        raise gs.OptionError(f"{host!r}, port {port}, cannot be listened on: {reason}.") from None
