"""A solver that never ends by itself, and a server of it over stdio: for clients that vanish in the middle of a solve."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import groundstate as gs
from groundstate_mcp import build_server
from groundstate_mcp.serving import over_stdio


class Endless(gs.Solver):
    """Solves until its pulse stops it; then `ended` is set."""

    def __init__(self, header: gs.Header) -> None:
        self.header = header
        self.ended = threading.Event()

    @property
    def asks(self) -> bool:
        return False

    @property
    def device(self) -> str:
        return "cpu"

    def mend(self, request: Any) -> tuple[Any, list[str]]:
        return request, []

    def solve(
        self, request: Mapping[str, Any], *, pulse: Callable[[], None] | None = None, **options: Any
    ) -> gs.Solution:
        assert pulse is not None
        breath = threading.Event()
        try:
            while True:
                pulse()
                breath.wait(0.01)
        finally:
            self.ended.set()

    def solve_many(self, requests: Any, **options: Any) -> list[gs.Solution | gs.RequestError]:
        return []


if __name__ == "__main__":
    over_stdio(build_server(Endless(gs.load("sudoku_4x4").header)))
