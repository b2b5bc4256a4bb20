"""Many requests: answers on stdout in input order as soon as possible, progress and a summary on stderr."""

from __future__ import annotations

import itertools
import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import click

from groundstate import RequestError, Solution, Solver, Status
from groundstate._words import plural
from groundstate.cli import _report, _requests
from groundstate.cli._requests import Item, Source
from groundstate.cli.console import BAD, NOT_SOLVED, SOLVED, STOPPED, console, duration, speaks_unicode

if TYPE_CHECKING:
    from rich.progress import Progress

_BLOCK = 8192
"""Requests in one call of `Solver.solve_many`, which returns all outcomes at the end."""

Outcome = Solution | RequestError


class _InOrder:
    """Prints outcomes in input order, and buffers early ones."""

    def __init__(self, write: Callable[[Item, Outcome | None], None]) -> None:
        self._write = write
        self._waiting: dict[int, tuple[Item, Outcome]] = {}
        self._items: dict[int, Item] = {}
        self._next = 0

    def expect(self, place: int, item: Item) -> None:
        self._items[place] = item

    def take(self, place: int, outcome: Outcome) -> None:
        self._waiting[place] = (self._items.pop(place), outcome)
        while self._next in self._waiting:
            self._write(*self._waiting.pop(self._next))
            self._next += 1

    def finish(self) -> None:
        """On interrupt: print finished results, and mark the gaps before them as unanswered."""
        while self._waiting:
            self._write(*self._waiting.pop(self._next, (self._items.get(self._next, Item("")), None)))
            self._next += 1


class _Tally:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.seconds: list[float] = []
        self.begun = time.monotonic()

    def add(self, outcome: Outcome) -> None:
        if isinstance(outcome, Solution):
            self.counts[outcome.status.value] += 1
            self.seconds.append(outcome.seconds)
        else:
            self.counts["error"] += 1

    @property
    def code(self) -> int:
        right = sum(self.counts[status.value] for status in (Status.SOLVED, Status.SETTLED, Status.AMBIGUOUS))
        return BAD if self.counts["error"] else SOLVED if right == sum(self.counts.values()) else NOT_SOLVED

    def sentence(self) -> str:
        total, spent = sum(self.counts.values()), time.monotonic() - self.begun
        names = [*(status.value for status in Status), "error"]
        parts = [f"{self.counts[name]:,} {name}" for name in names if self.counts[name]]
        pace = f"{total / spent:,.0f} a second" if spent else "at once"
        text = f"{plural(total, 'request')} in {duration(spent)} ({pace}): {', '.join(parts) or 'none finished'}."
        if self.seconds:
            ranked = sorted(self.seconds)
            late = ranked[min(len(ranked) - 1, int(0.95 * len(ranked)))]
            text += f" Time to answer: median {duration(ranked[len(ranked) // 2])}, 95th percentile {duration(late)}."
        return text


def solve_many(solver: Solver, source: Source, items: Iterator[Item], budget: dict[str, Any], *, as_json: bool) -> int:
    """Solve requests in shared batches and print the outcomes; returns the exit code."""
    tally = _Tally()
    bar = _progress() if sys.stderr.isatty() else None
    # On one terminal the bar's console keeps the bar and the answers apart.
    shared = bar.console if bar is not None and sys.stdout.isatty() else None

    def echo(text: str) -> None:
        if shared is None:
            click.echo(text)
        else:
            shared.print(text, markup=False, soft_wrap=True)

    def write(item: Item, outcome: Outcome | None) -> None:
        if as_json:
            echo(json.dumps({"line": item.line, **_as_json(outcome)}, ensure_ascii=not speaks_unicode()))
        elif isinstance(outcome, Solution):
            echo(_report.line(solver, outcome))
        else:
            echo(f"{'stopped' if outcome is None else 'error':<10} - line {item.line}")

    ordered = _InOrder(write)
    context: AbstractContextManager[Any] = nullcontext() if bar is None else bar
    advance = _advance(bar, source.count)
    interrupted = False
    with context:
        try:
            _run(solver, source, items, budget, ordered, tally, advance, complain=not as_json)
        except KeyboardInterrupt:
            interrupted = True
            ordered.finish()
    if interrupted:
        click.echo("Interrupted. ", err=True, nl=False)
    click.echo(tally.sentence(), err=True)
    return STOPPED if interrupted else tally.code


def _run(
    solver: Solver,
    source: Source,
    items: Iterator[Item],
    budget: dict[str, Any],
    ordered: _InOrder,
    tally: _Tally,
    advance: Callable[[_Tally], None],
    *,
    complain: bool,
) -> None:
    def settle(place: int, item: Item, outcome: Outcome) -> None:
        if complain and isinstance(outcome, RequestError):
            _requests.warn(source, item, outcome)
        tally.add(outcome)
        ordered.take(place, outcome)
        advance(tally)

    numbered = enumerate(items)
    while block := list(itertools.islice(numbered, 1)):
        admitted: list[tuple[int, Item]] = []

        def requests(
            ahead: list[tuple[int, Item]] = block, admitted: list[tuple[int, Item]] = admitted
        ) -> Iterator[dict[str, Any]]:
            for place, item in itertools.chain(ahead, itertools.islice(numbered, _BLOCK - 1)):
                ordered.expect(place, item)
                try:
                    request = _requests.request(solver, item)
                except RequestError as error:
                    settle(place, item, error)
                    continue
                admitted.append((place, item))
                yield request

        def done(index: int, outcome: Outcome, admitted: list[tuple[int, Item]] = admitted) -> None:
            settle(*admitted[index], outcome)

        solver.solve_many(requests(), **budget, done=done)


def _as_json(outcome: Outcome | None) -> dict[str, Any]:
    if outcome is None:
        return {"status": "stopped", "message": "Interrupted before there was an answer."}
    if isinstance(outcome, RequestError):
        return {"status": "error", "message": str(outcome)}
    return outcome.to_json()


def _progress() -> Progress:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeRemainingColumn

    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console(error=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=True,
    )


def _advance(bar: Progress | None, count: int | None) -> Callable[[_Tally], None]:
    if bar is None:
        return lambda _: None
    task = bar.add_task("solving", total=count)

    def advance(tally: _Tally) -> None:
        right = sum(tally.counts[status.value] for status in (Status.SOLVED, Status.SETTLED, Status.AMBIGUOUS))
        bar.update(task, completed=sum(tally.counts.values()), description=f"{right:,} solved")

    return advance
