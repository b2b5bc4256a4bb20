"""Overhead of a call over MCP over its solve: the same request to a solver, and through a client in memory.

    python benchmarks/overhead_mcp.py [--runs 200] [--model sudoku]

The two take turns in one process, on one thread, so that other load affects both alike. The output has the medians of
each, and the median difference over turns, in milliseconds, for each protocol version; then the same for `score`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

from mcp import Client

import groundstate as gs
from groundstate.tools import SolveTool
from groundstate_mcp import build_server

ERAS = {"2026-07-28": "auto", "2025-11-25": "legacy"}


async def compared(direct: Callable[[], object], called: Callable[[], Awaitable[Any]], runs: int) -> dict[str, float]:
    """Medians of two ways to the same, which take turns, and of what the second takes longer."""
    one: list[float] = []
    other: list[float] = []
    for turn in range(runs + 5):
        begin = time.perf_counter()
        direct()
        middle = time.perf_counter()
        result = await called()
        end = time.perf_counter()
        if result.is_error:
            raise SystemExit(f"The call failed: {result.content}")
        if turn >= 5:  # the first few warm caches up
            one.append(1000 * (middle - begin))
            other.append(1000 * (end - middle))
    extra = [b - a for a, b in zip(one, other, strict=True)]
    medians = {"direct": statistics.median(one), "mcp": statistics.median(other), "overhead": statistics.median(extra)}
    return {name: round(value, 2) for name, value in medians.items()}


async def measured(model: str, runs: int) -> None:
    """Print a line of JSON for each era and tool."""
    solver = gs.load(model, threads=1)
    if solver.header.self_test is None:
        raise SystemExit(f"{model} has no self-test request.")
    request, answer = solver.header.self_test["request"], solver.header.self_test["answer"]
    solve = SolveTool(solver)
    scored = {**request, "action": "score", "answer": answer}
    server = build_server(solver)
    for era, mode in ERAS.items():
        async with Client(server, mode=mode) as client:
            ways: dict[str, tuple[Callable[[], object], Callable[[], Awaitable[Any]]]] = {
                solve.name: (
                    lambda: solver.solve(request, alternatives=2),
                    lambda: client.call_tool(solve.name, request),
                ),
                "score": (lambda: solver.score(request, answer), lambda: client.call_tool(solve.name, scored)),
            }
            for name, (direct, called) in ways.items():
                figures = await compared(direct, called, runs)
                print(json.dumps({"tool": name, "era": era, "runs": runs, "unit": "ms", **figures}), flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--model", default="sudoku")
    given = parser.parse_args()
    asyncio.run(measured(given.model, given.runs))
