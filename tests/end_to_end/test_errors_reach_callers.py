"""A full queue, a closed solver and a file whose graph fails reach each kind of caller in its own way, and nothing raw does."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from starlette.testclient import TestClient

import groundstate as gs
from groundstate.tools import SolveTool
from groundstate_mcp import build_server
from groundstate_serve import build_app
from langchain_groundstate import EnergyTool
from tests.mcp.talking import ERAS, client, text

FULL = {"grid": [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]}

BUSY = gs.BusyError(64, 16, 16)
AGAIN = "did nothing: 64 calls are in progress. Call it again with the same arguments in a second."
ERRORS = [
    (BUSY, AGAIN),
    (gs.ClosedError(), "did nothing: it was restarted. Call it again with the same arguments in a second."),
    (
        gs.ArtefactError("The artefact's graph failed: \x1b[2Jno index."),
        "failed, and not by these arguments: The artefact's graph failed: [2Jno index. Tell the user; do not retry.",
    ),
    (
        gs.TaskError("The task 'x' raised KeyError: 'y'."),
        "The task 'x' raised KeyError: 'y'. Tell the user; do not retry.",
    ),
]


class Failing(gs.Solver):
    """A solver whose every call ends with an error."""

    def __init__(self, error: gs.GroundstateError) -> None:
        self.__dict__.update(gs.load("sudoku_4x4").__dict__)
        self.error = error

    def solve(self, *_: Any, **__: Any) -> gs.Solution:
        raise self.error

    async def asolve(self, *_: Any, **__: Any) -> gs.Solution:
        raise self.error


@pytest.mark.parametrize(("error", "told"), ERRORS, ids=lambda one: type(one).__name__)
def test_a_tool_answers_with_text(error: gs.GroundstateError, told: str) -> None:
    tool = SolveTool(Failing(error))
    assert tool.respond(FULL).startswith("solve_sudoku_4x4 ")
    assert told in tool.respond(FULL)


@pytest.mark.parametrize(("error", "told"), ERRORS, ids=lambda one: type(one).__name__)
async def test_langchain_gets_a_message_of_the_tool(error: gs.GroundstateError, told: str) -> None:
    tool = EnergyTool(Failing(error))
    call = {"name": tool.name, "args": FULL, "id": "1", "type": "tool_call"}
    for message in (tool.invoke(call), await tool.ainvoke(call)):
        assert isinstance(message, ToolMessage)
        assert message.status == "error"
        assert told in str(message.content)


@pytest.mark.parametrize("era", list(ERAS))
@pytest.mark.parametrize(("error", "told"), ERRORS, ids=lambda one: type(one).__name__)
async def test_mcp_gets_a_result_that_is_an_error(error: gs.GroundstateError, told: str, era: str) -> None:
    async with client(build_server(Failing(error)), era) as one:
        result = await one.call_tool("solve_sudoku_4x4", FULL)
    assert result.is_error
    assert told in text(result)


@pytest.mark.parametrize(
    ("error", "status", "after"),
    [(BUSY, 503, "1"), (gs.ClosedError(), 503, "1"), (gs.TaskError("It failed."), 500, None)],
    ids=lambda one: type(one).__name__,
)
def test_http_gets_a_status_and_when_to_come_again(error: gs.GroundstateError, status: int, after: str | None) -> None:
    with TestClient(build_app(Failing(error)), base_url="http://localhost", raise_server_exceptions=False) as one:
        reply = one.post("/models/sudoku_4x4/solve", json={"request": FULL})
    assert (reply.status_code, reply.headers.get("retry-after")) == (status, after)
    assert reply.json()["error"] == str(error)


def test_a_queue_that_is_full_reaches_langchain_as_text() -> None:
    """The real error, from an engine that has room for one call."""
    solver = gs.load("sudoku_4x4", max_waiting=0, threads=1)
    tool = EnergyTool(solver, restarts=8)
    messages = tool.batch([{"name": tool.name, "args": FULL, "id": str(n), "type": "tool_call"} for n in range(4)])
    assert {message.status for message in messages} <= {"success", "error"}
    assert all("in progress" in str(message.content) for message in messages if message.status == "error")
