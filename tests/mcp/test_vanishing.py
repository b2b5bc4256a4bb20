"""Clients that vanish in the middle of a solve leave nothing behind."""

from __future__ import annotations

import http.client
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import anyio
import anyio.to_thread
import pytest

import groundstate as gs
from groundstate_mcp import build_server
from tests.mcp.conftest import COMMAND
from tests.mcp.endless import Endless
from tests.mcp.talking import OPEN, TOOL, client

ENDLESS = [sys.executable, str(Path(__file__).with_name("endless.py"))]

SECONDS = 60
"""After which a test is given up: nothing here takes long unless it hangs."""


async def call_and_leave(server: Any, era: str) -> None:
    """Call the tool, and cancel the call when it is known to be under way."""
    async with client(server, era) as one:
        with anyio.fail_after(SECONDS):
            async with anyio.create_task_group() as group:

                async def leave(*_: Any) -> None:
                    group.cancel_scope.cancel()

                async def call() -> None:
                    await one.call_tool(TOOL, OPEN, progress_callback=leave)

                group.start_soon(call)


async def test_a_solve_whose_call_is_cancelled_stops(small: gs.Solver, era: str) -> None:
    solver = Endless(small.header)
    await call_and_leave(build_server(solver), era)
    assert await anyio.to_thread.run_sync(solver.ended.wait, SECONDS)


async def test_a_solve_whose_call_is_cancelled_over_http_stops(era: str) -> None:
    with subprocess.Popen([*ENDLESS, "http"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            await call_and_leave(process.stderr.readline().strip(), era)
            with anyio.fail_after(SECONDS):
                told = await anyio.to_thread.run_sync(_until_ended, process, abandon_on_cancel=True)
        finally:
            process.kill()
        assert told == "ended\n"


def test_a_solve_whose_connection_drops_stops_in_the_handshake_era_too() -> None:
    """Up to 2025-11-25 a client that is gone sends no cancellation: its connection just closes."""
    with subprocess.Popen([*ENDLESS, "http"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            address = urlsplit(process.stderr.readline().strip())
            one = http.client.HTTPConnection(address.hostname or "", address.port, timeout=SECONDS)
            headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}

            def post(message: dict[str, Any]) -> http.client.HTTPResponse:
                one.request("POST", address.path, json.dumps({"jsonrpc": "2.0", **message}), headers)
                return one.getresponse()

            hello = {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {"name": "test", "version": "1"},
            }
            greeted = post({"id": 1, "method": "initialize", "params": hello})
            headers["Mcp-Session-Id"] = greeted.headers["Mcp-Session-Id"]
            greeted.read()
            post({"method": "notifications/initialized"}).read()
            params = {"name": TOOL, "arguments": OPEN, "_meta": {"progressToken": "token"}}
            assert b"event" in post({"id": 2, "method": "tools/call", "params": params}).readline()
            one.close()
            assert _until_ended(process) == "ended\n"
        finally:
            process.kill()


def _until_ended(process: subprocess.Popen[str]) -> str:
    """What the server says at last; the SDK may say before it that whom it answered has gone."""
    assert process.stderr is not None
    for line in process.stderr:
        if line == "ended\n":
            return line
    return ""


def conversation(command: list[str], call: bool) -> subprocess.Popen[str]:
    """A server process that has been greeted, and is in the middle of a solve if there is to be a call."""
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    hello = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    messages: list[dict[str, Any]] = [
        {"id": 1, "method": "initialize", "params": hello},
        {"method": "notifications/initialized"},
    ]
    if call:
        params = {"name": TOOL, "arguments": OPEN, "_meta": {"progressToken": "token"}}
        messages.append({"id": 2, "method": "tools/call", "params": params})
    for message in messages:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    process.stdin.flush()
    assert json.loads(process.stdout.readline())["id"] == 1
    if call:
        assert json.loads(process.stdout.readline())["method"] == "notifications/progress"
    return process


@pytest.mark.parametrize("call", [False, True])
def test_a_server_ends_quietly_when_its_client_has_gone(call: bool) -> None:
    with conversation(ENDLESS if call else COMMAND, call) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdout.close()
        process.stdin.close()
        assert process.wait(SECONDS) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("call", [False, True])
def test_ctrl_c_ends_a_server_over_stdio(call: bool) -> None:
    with conversation(ENDLESS if call else COMMAND, call) as process:
        assert process.stderr is not None
        process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 130
        assert process.stderr.read() == ""


def test_ctrl_c_ends_a_server_over_http() -> None:
    with subprocess.Popen([*COMMAND, "--http", "--port", "0"], stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert "serving MCP at http://127.0.0.1:" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        assert (process.wait(SECONDS), process.stderr.read()) == (130, "")


def test_only_the_protocol_is_on_stdout() -> None:
    with conversation(COMMAND, call=False) as process:
        out, _ = process.communicate(json.dumps({"jsonrpc": "2.0", "id": 3, "method": "tools/list"}) + "\n", SECONDS)
        (line,) = out.splitlines()
        assert json.loads(line)["result"]["tools"][0]["name"] == TOOL
