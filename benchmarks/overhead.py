"""Overhead of the LangChain tool over `Solver.solve`: medians over the same requests in one process.

    python benchmarks/overhead.py --calls 300

Every round solves each request by the solver and by the tool in every way of calling it, in a new random order, so
that other load affects all alike. The overhead is the median of the differences within rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import inspect
import random
import time
from collections.abc import Callable
from statistics import median, quantiles
from typing import Any

from langchain_core.callbacks import BaseCallbackHandler

import groundstate as gs
from langchain_groundstate import EnergyTool

EASY = "820000060000000000409028005500800030290700000000090008000000900032540001080307006"
REQUESTS = (
    ("an easy 9×9 puzzle, solved", "sudoku", EASY),
    ("an easy 4×4 puzzle, solved", "sudoku_4x4", "1..43..22..34..1"),
    ("a 9×9 puzzle, proven contradictory without a descent", "sudoku", "55" + EASY[2:]),
)


class Listener(BaseCallbackHandler):
    """Receives progress and ignores it."""

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        del name, data, kwargs


def ways(tool: EnergyTool, solver: gs.Solver, grid: list[list[int]]) -> dict[str, Callable[[], Any]]:
    """The ways of solving a request, the solver's own first."""
    call = {"type": "tool_call", "name": tool.name, "args": {"grid": grid}, "id": "1"}
    listening: Any = {"callbacks": [Listener()]}
    return {
        "solver.solve": lambda: solver.solve({"grid": grid}, alternatives=2, ask=False),
        "solver.asolve": lambda: solver.asolve({"grid": grid}, alternatives=2, ask=False),
        "groundstate.tools alone": lambda: tool.tool.call({"grid": grid}),
        "tool.invoke": lambda: tool.invoke(call),
        "tool.invoke with a listener": lambda: tool.invoke(call, listening),
        "tool.ainvoke": lambda: tool.ainvoke(call),
    }


async def measured(called: dict[str, Callable[[], Any]], calls: int) -> dict[str, list[float]]:
    """Milliseconds of each way in each round; a few rounds before that are not counted."""
    spent: dict[str, list[float]] = {name: [] for name in called}
    order = random.Random(0)
    for round_ in range(-10, calls):
        for name in order.sample(list(called), len(called)):
            begun = time.perf_counter()
            result = called[name]()
            if inspect.isawaitable(result):
                await result
            if round_ >= 0:
                spent[name].append(1e3 * (time.perf_counter() - begun))
    return spent


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=300, help="rounds for each request")
    parser.add_argument("--threads", type=int, default=1, help="threads of the solver")
    options = parser.parse_args()
    for title, model, text in REQUESTS:
        solver = gs.load(model, threads=options.threads)
        tool = EnergyTool.from_model(solver, ask=False)
        grid = solver.parse(text)["grid"]
        spent = await measured(ways(tool, solver, grid), options.calls)
        own, *others = spent
        print(f"{title}; milliseconds, medians of {options.calls} rounds")
        print(f"  {own:28} {median(spent[own]):7.3f}")
        for name in others:
            beyond = [there - here for here, there in zip(spent[own], spent[name], strict=True)]
            low, _, high = quantiles(beyond, n=4)
            print(
                f"  {name:28} {median(spent[name]):7.3f}, beyond it {median(beyond):6.3f} "
                f"(middle half {low:6.3f} to {high:6.3f})"
            )


if __name__ == "__main__":
    asyncio.run(main())
