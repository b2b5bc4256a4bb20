"""`groundstate bench`: rates and times of one model on this machine."""

from __future__ import annotations

import itertools
import statistics
import time
from dataclasses import dataclass
from typing import Any

import click

import groundstate
from groundstate import RequestError, Solver
from groundstate.cli import _requests
from groundstate.cli.console import SOLVED, console, duration, echo_json

_MOST = 1000
"""Most requests to measure; later lines of a file are ignored."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command, as they were typed."""

    model: str
    rounds: int
    restarts: int | None
    max_steps: int | None
    device: str
    threads: int | None
    column: str | None
    as_json: bool


def measure(source: str | None, options: Options) -> int:
    """Solve each request with several seeds and print rates and times; returns the exit code."""
    solver = groundstate.load(options.model, device=options.device, threads=options.threads)
    requests = _self_test(solver) if source is None else _read(solver, source, options.column)
    solver.solve(requests[0], seed=0, ask=False)  # the first run allocates
    seconds: list[float] = []
    statuses: list[str] = []
    for request, seed in itertools.product(requests, range(options.rounds)):
        begun = time.perf_counter()
        solution = solver.solve(request, seed=seed, ask=False, restarts=options.restarts, max_steps=options.max_steps)
        seconds.append(time.perf_counter() - begun)
        statuses.append(solution.status.value)
    seconds.sort()
    figures: dict[str, Any] = {
        "model": solver.header.name,
        "version": solver.header.version,
        "device": solver.device,
        "requests": len(requests),
        "solves": len(seconds),
        "statuses": {status: statuses.count(status) for status in sorted(set(statuses))},
        "seconds": {
            "median": statistics.median(seconds),
            "p95": seconds[min(len(seconds) - 1, int(0.95 * len(seconds)))],
            "longest": seconds[-1],
        },
    }
    if options.as_json:
        echo_json(figures)
    else:
        _show(figures)
    return SOLVED


def _self_test(solver: Solver) -> list[dict[str, Any]]:
    test = solver.header.self_test
    if test is None:
        raise click.UsageError(f"{solver.header.name!r} has no self-test to measure; give it a file of requests.")
    return [test["request"]]


def _read(solver: Solver, argument: str, column: str | None) -> list[dict[str, Any]]:
    source = _requests.find(solver, argument, column)
    requests = []
    for item in itertools.islice(source.items, _MOST):
        try:
            requests.append(_requests.request(solver, item))
        except RequestError as error:
            raise click.UsageError(f"{source.where(item)}{error}") from None
    if not requests:
        raise click.UsageError(f"{source.name} has no request.")
    return requests


def _show(figures: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    statuses = ", ".join(f"{count} {status}" for status, count in figures["statuses"].items())
    table.add_row("model", f"{figures['model']} {figures['version']} on {figures['device']}")
    table.add_row("solves", f"{figures['solves']:,} of {figures['requests']:,} requests: {statuses}")
    for name, value in figures["seconds"].items():
        table.add_row(name, duration(value))
    console().print(table)
