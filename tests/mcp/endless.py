"""A solver that never ends by itself, and servers of it: for clients that vanish in the middle of a solve.

python tests/mcp/endless.py          # over stdio
python tests/mcp/endless.py http     # over HTTP; says on stderr where, and when a solve has ended
"""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import Callable, Mapping
from typing import Any

import groundstate as gs
from groundstate_mcp import build_server
from groundstate_mcp.serving import over_http, over_stdio


class Endless(gs.Solver):
    """Solves until the call is cancelled; then `ended` is set."""

    def __init__(self, header: gs.Header) -> None:
        self.header = header
        self.ended = threading.Event()

    @property
    def asks(self) -> bool:
        return False

    @property
    def device(self) -> str:
        return "cpu"

    def coerce(self, request: Any) -> tuple[Any, list[str]]:
        return request, []

    async def asolve(
        self, request: Mapping[str, Any], *, heartbeat: Callable[[], None] | None = None, **options: Any
    ) -> gs.Solution:
        assert heartbeat is not None
        try:
            while True:
                heartbeat()
                await asyncio.sleep(0.01)
        finally:
            self.ended.set()

    def solve_many(self, requests: Any, **options: Any) -> list[gs.Solution | gs.RequestError]:
        return []


def main() -> None:
    solver = Endless(gs.load("sudoku_4x4").header)
    server = build_server(solver)
    if sys.argv[1:] != ["http"]:
        over_stdio(server)
        return

    def tell() -> None:
        solver.ended.wait()
        print("ended", file=sys.stderr, flush=True)

    threading.Thread(target=tell, daemon=True).start()
    over_http(server, "127.0.0.1", 0, lambda address: print(address, file=sys.stderr, flush=True))


if __name__ == "__main__":
    main()
