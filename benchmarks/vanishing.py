"""Clients that cancel or vanish in the middle of a solve: time until nothing computes, and whether the next call is right.

    python benchmarks/vanishing.py [--times 20] [--killed 5]

For MCP over stdin and stdout, MCP over streamable HTTP (both eras of the protocol) and plain HTTP: the client cancels its call,
or is killed. A server process solves a 16×16 Sudoku without end, and a thread in it notes when its engine begins and stops to
compute.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median
from typing import Any

import anyio
from mcp import Client, StdioServerParameters

import groundstate as gs
from groundstate_mcp import build_server
from groundstate_mcp.serving import over_http, over_stdio
from groundstate_serve import Settings, build_app
from groundstate_serve.listening import listen

MODEL = "sudoku_16x16"
TARGET = 20.0
_STILL = 0.1
"""Seconds without a computation after which an engine is idle."""

ERAS = {"2025-11-25": "legacy", "2026-07-28": "auto"}
LONG = {"restarts": 64, "alternatives": 64}
EMPTY: dict[str, Any] = {"grid": [[0] * 16 for _ in range(16)]}
FULL: dict[str, Any] = {"grid": [[(4 * (r % 4) + r // 4 + c) % 16 + 1 for c in range(16)] for r in range(16)]}


# The server


def serve(protocol: str, notes: Path) -> None:
    """Serve in this process, and note when the engine begins and stops to compute."""
    solver = gs.load(MODEL, threads=1)
    engine = solver._engine  # noqa: SLF001 - whether it computes is no business of callers
    file = notes.open("a", encoding="utf-8")

    def note(what: str, value: object) -> None:
        file.write(f"{what} {value}\n")
        file.flush()

    def watch() -> None:
        before = False
        while True:
            if engine.working != before:
                before = not before
                note("working" if before else "free", time.monotonic())
            time.sleep(0.001)

    threading.Thread(target=watch, daemon=True).start()
    note("pid", os.getpid())
    if protocol == "http":
        listen(build_app(solver, Settings(deadline=600)), "127.0.0.1", 0, lambda address: note("address", address))
        return
    server = build_server(solver, improve_for=None, **LONG)
    if protocol == "stdio":
        over_stdio(server)
    else:
        over_http(server, "127.0.0.1", 0, lambda address: note("address", address))


class Notes:
    """The notes of a server."""

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp()) / "notes"
        self.path.touch()

    def read(self, what: str) -> list[str]:
        """The notes of one kind."""
        lines = [line.split(" ", 1) for line in self.path.read_text("utf-8").splitlines()]
        return [line[1] for line in lines if line[0] == what]

    async def working(self, since: float) -> None:
        """Return when the engine has begun to compute since a time."""
        with anyio.fail_after(60):
            while float((self.read("working") or ["0"])[-1]) < since:
                await anyio.sleep(0.002)

    async def idle(self, left: float) -> float:
        """Milliseconds from a time to the last note that the engine stopped, or to the end of its process.

        An engine is idle for moments between the segments of a call, so the last note is one that no other follows.
        """
        with anyio.fail_after(60):
            while True:
                begun, ended = (float((self.read(what) or ["0"])[-1]) for what in ("working", "free"))
                if ended > begun and time.monotonic() - max(ended, left) > _STILL:
                    return 1e3 * max(ended - left, 0.0)
                if _gone(int(self.read("pid")[0])):
                    return 1e3 * (time.monotonic() - left)
                await anyio.sleep(0.0005)


# Clients that cancel


async def cancelled(protocol: str, era: str, times: int) -> tuple[list[float], int]:
    """Milliseconds from a cancellation to a free engine, and how many of the calls that followed were right."""
    notes = Notes()
    command = [__file__, "--serve", protocol, str(notes.path)]
    if protocol == "stdio":
        where: Any = StdioServerParameters(command=sys.executable, args=command)
        return await _cancelled_in(where, era, times, notes)
    with subprocess.Popen([sys.executable, *command], stderr=subprocess.DEVNULL) as process:
        try:
            while not notes.read("address"):
                await asyncio.sleep(0.01)
            if protocol == "http":
                return await _dropped(notes.read("address")[0], times, notes)
            return await _cancelled_in(notes.read("address")[0], era, times, notes)
        finally:
            process.kill()


async def _cancelled_in(where: Any, era: str, times: int, notes: Notes) -> tuple[list[float], int]:
    took, right = [], 0
    async with Client(where, mode=ERAS[era]) as one:
        for _ in range(times):
            begun = time.monotonic()
            async with anyio.create_task_group() as group:
                group.start_soon(one.call_tool, f"solve_{MODEL}", EMPTY)
                await notes.working(begun)
                await anyio.sleep(0.1)
                left = time.monotonic()
                group.cancel_scope.cancel()
            took.append(await notes.idle(left))
            result = await one.call_tool(f"solve_{MODEL}", FULL)
            right += (result.structured_content or {}).get("status") == "solved"
    return took, right


def _post(address: str, body: dict[str, Any]) -> http.client.HTTPConnection:
    one = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
    one.request("POST", f"/models/{MODEL}/solve", json.dumps(body), {"Content-Type": "application/json"})
    return one


async def _dropped(address: str, times: int, notes: Notes) -> tuple[list[float], int]:
    took, right = [], 0
    for _ in range(times):
        begun = time.monotonic()
        one = await asyncio.to_thread(_post, address, {"request": EMPTY, "options": LONG})
        await notes.working(begun)
        await anyio.sleep(0.1)
        left = time.monotonic()
        one.close()
        took.append(await notes.idle(left))
        reply = await asyncio.to_thread(lambda: json.loads(_post(address, {"request": FULL}).getresponse().read()))
        right += reply["status"] == "solved"
    return took, right


# Clients that are killed


def call(protocol: str, era: str, where: str) -> None:
    """Call without end; in a process that will be killed."""
    if protocol == "http":
        _post(where, {"request": EMPTY, "options": LONG}).getresponse()
        return

    async def main() -> None:
        command = [__file__, "--serve", "stdio", where]
        server: Any = StdioServerParameters(command=sys.executable, args=command) if protocol == "stdio" else where
        async with Client(server, mode=ERAS[era]) as one:
            await one.call_tool(f"solve_{MODEL}", EMPTY)

    anyio.run(main)


async def killed(protocol: str, era: str, times: int) -> tuple[list[float], int]:
    """Milliseconds from a client's end to a free engine; and how many later calls were right. Over stdin there are none."""
    took, right = [], 0
    for _ in range(times):
        notes = Notes()
        command = [sys.executable, __file__, "--serve", protocol, str(notes.path)]
        server = None if protocol == "stdio" else subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            while server is not None and not notes.read("address"):
                await asyncio.sleep(0.01)
            where = str(notes.path) if server is None else notes.read("address")[0]
            client = subprocess.Popen(
                [sys.executable, __file__, "--call", protocol, era, where], stderr=subprocess.DEVNULL
            )
            await notes.working(1.0)
            await anyio.sleep(0.1)
            left = time.monotonic()
            client.send_signal(signal.SIGKILL)
            took.append(await notes.idle(left))
            right += server is None or await _next(protocol, era, where)
            client.wait()
        finally:
            if server is not None:
                server.kill()
                server.wait()
    return took, right


async def _next(protocol: str, era: str, where: str) -> bool:
    if protocol == "http":
        reply = await asyncio.to_thread(lambda: json.loads(_post(where, {"request": FULL}).getresponse().read()))
        return bool(reply["status"] == "solved")
    async with Client(where, mode=ERAS[era]) as one:
        result = await one.call_tool(f"solve_{MODEL}", FULL)
    return (result.structured_content or {}).get("status") == "solved"


def _gone(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text("utf-8").rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state in ("Z", "X")


def main() -> int:
    """Measure every way to leave."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20, help="cancelled calls of each protocol")
    parser.add_argument("--killed", type=int, default=5, help="killed clients of each protocol")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--call", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve[0], Path(options.serve[1]))
        return 0
    if options.call:
        call(*options.call)
        return 0
    ways: list[tuple[str, Callable[[str, str, int], Awaitable[tuple[list[float], int]]], int]] = [
        ("cancels", cancelled, options.times),
        ("is killed", killed, options.killed),
    ]
    print("| protocol | the client | free after ms: median | most | next call right |\n|---|---|---|---|---|")
    missed = 0
    for protocol, era in [*((p, e) for p in ("stdio", "mcp") for e in ERAS), ("http", "")]:
        shown = {"stdio": "MCP, stdio", "mcp": "MCP, HTTP", "http": "plain HTTP"}[protocol] + (
            f", {era}" if era else ""
        )
        for way, measure, times in ways:
            took, right = asyncio.run(measure(protocol, era, times))  # type: ignore[arg-type]
            missed += max(took) > TARGET or right < times
            print(f"| {shown} | {way} | {median(took):.1f} | {max(took):.1f} | {right} of {times} |", flush=True)
    print(f"\n{missed} above {TARGET:g} ms, or followed by a wrong call.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
