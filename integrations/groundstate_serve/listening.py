"""Serve an ASGI application on a socket, until Ctrl-C."""

from __future__ import annotations

import gc
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import anyio
import uvicorn

import groundstate as gs

_TURN = 0.0005
"""Seconds after which a thread lets others run."""

_GRACE = 2
"""Grace period of open connections when a server stops, in seconds."""


def listen(app: Any, host: str, port: int, ready: Callable[[str], None]) -> None:
    """Serve an ASGI application until Ctrl-C.

    Args:
        app: The application.
        host: The address to listen on.
        port: The port; 0 selects a free one.
        ready: Called with the address, such as ``http://127.0.0.1:8000``, when the server accepts connections.

    Raises:
        OptionError: If the server cannot listen on host and port.
    """
    with _socket(host, port) as listener:
        http = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=_GRACE))
        with on_interrupt(lambda: setattr(http, "should_exit", True)), prompt():
            shown = f"[{host}]" if ":" in host else host
            ready(f"http://{shown}:{listener.getsockname()[1]}")
            anyio.run(lambda: http.serve(sockets=[listener]))


@contextmanager
def prompt() -> Iterator[None]:
    """Let threads take turns every half millisecond, instead of Python's five, and keep loaded models out of garbage collection.

    A solve computes in a thread of its own. The event loop must get its turn soon: a client that leaves is noticed in several
    steps, each of which waits for one. A full collection stops all threads for 20 ms and more if it visits all that was loaded.
    """
    before = sys.getswitchinterval()
    sys.setswitchinterval(_TURN)
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        sys.setswitchinterval(before)


@contextmanager
def on_interrupt(act: Callable[[], None]) -> Iterator[None]:
    """Handle Ctrl-C without an exception."""
    before = signal.signal(signal.SIGINT, lambda *_: act())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _socket(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason = (error.strerror or str(error)).partition(" (")[0]
        raise gs.OptionError(f"{host!r}, port {port}, cannot be listened on: {reason}.") from None
