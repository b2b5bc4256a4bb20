"""Servers: in memory, as a process over stdio, as a process over HTTP."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from mcp import StdioServerParameters
from mcp.server import Server

import groundstate as gs
from groundstate_mcp import build_server
from tests.mcp.talking import BUDGET, ERAS

COMMAND = [sys.executable, "-m", "groundstate_mcp", "sudoku_4x4", "--restarts", "16", "--max-steps", "256"]


@pytest.fixture(scope="session")
def small() -> gs.Solver:
    """Sudoku of 4×4, which is fast."""
    return gs.load("sudoku_4x4")


@pytest.fixture
def server(small: gs.Solver) -> Server[Any]:
    return build_server(small, **BUDGET)


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Where a server process listens."""
    process = subprocess.Popen([*COMMAND, "--http", "--port", "0"], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    with process:
        found = re.search(r"http://\S+/mcp", process.stderr.readline())
        assert found is not None
        yield found[0]
        process.terminate()


@pytest.fixture(params=["memory", "stdio", "http"])
def anywhere(request: pytest.FixtureRequest) -> Any:
    """What a client connects to, over each transport."""
    match request.param:
        case "memory":
            return request.getfixturevalue("server")
        case "stdio":
            return StdioServerParameters(command=COMMAND[0], args=COMMAND[1:])
        case _:
            return request.getfixturevalue("address")


@pytest.fixture(params=list(ERAS))
def era(request: pytest.FixtureRequest) -> str:
    return str(request.param)
