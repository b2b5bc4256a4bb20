"""`groundstate solve --watch`: the configuration and its energy, live, or a few frames of them as text."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from groundstate import Segment, Solver
from groundstate._descent import best_row
from groundstate._words import plural
from groundstate.cli import _board, _chart
from groundstate.cli._board import Kind
from groundstate.cli._descent import Shown, violations_text
from groundstate.cli.console import console, number, speaks_unicode

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live
    from rich.text import Text

_FRAMES = 90
_SECONDS = 2.6
_SLOWEST = 0.12
"""Longest time of a frame, in seconds."""

_PATIENCE = 0.3
"""Seconds of search before the display starts; most searches end earlier."""

_RISES = "The energy may rise on the way: momentum, noise and growing multipliers carry a chain out of wrong minima."

_PLAIN_FRAMES = 4
_CHART = (46, 9)

_STYLES = {
    Kind.FRAME: "bright_black",
    Kind.GIVEN: "bold",
    Kind.MOVING: "dim",
    Kind.CHANGED: "bold yellow",
    Kind.SETTLED: "green",
}


@contextmanager
def searching(
    solver: Solver, request: Mapping[str, Any], segments: list[Segment]
) -> Iterator[Callable[[Segment], None]]:
    """Collect segments; on a terminal, show the progress of a long search."""
    if not sys.stdout.isatty():
        yield segments.append
        return
    given, begun, reading = solver.draw(request), time.monotonic(), solver.read(request)
    lowest: list[float] = []
    with _live(transient=True) as live:

        def watch(segment: Segment) -> None:
            segments.append(segment)
            row = best_row(segment)
            lowest.append(float(segment.energy[row]))
            if time.monotonic() - begun < _PATIENCE:
                return
            answer = reading.decode({name: tensor[row] for name, tensor in segment.answer.items()})
            drawing = solver.draw(request, answer)
            cells = None if given is None or drawing is None else _board.classify(given, [drawing])[0]
            facts = [
                f"{plural(segment.steps, 'step')} · {plural(segment.chains, 'chain')}",
                " · ".join(
                    [f"best chain: energy {number(lowest[-1])}", *violations_text(int(segment.violations[row].sum()))]
                ),
            ]
            live.update(_frame("searching", cells, lowest, range(len(lowest)), len(lowest) - 1, facts), refresh=True)

        yield watch


def replay(shown: Shown) -> None:
    """Show a descent at a readable pace; if stdout is not a terminal, show a few moments."""
    if not sys.stdout.isatty():
        _print(shown)
        return
    last = len(shown.descent) - 1
    frames = sorted({round(i * last / max(1, min(last, _FRAMES))) for i in range(min(last, _FRAMES) + 1)})
    pause = min(_SLOWEST, _SECONDS / len(frames))
    with _live(transient=False) as live:
        for moment in frames:
            drawn = time.monotonic()
            live.update(_moment(shown, moment), refresh=True)
            time.sleep(max(0.0, pause - (time.monotonic() - drawn)))


def _live(*, transient: bool) -> Live:
    from rich.live import Live

    # Nothing else prints meanwhile, and a redirected stdout would not report its encoding.
    return Live(
        console=console(), auto_refresh=False, transient=transient, redirect_stdout=False, redirect_stderr=False
    )


def _moment(shown: Shown, moment: int) -> RenderableType:
    descent = shown.descent
    facts = [
        f"step {descent.steps[moment]} of {descent.steps[-1]} · {plural(shown.chains, 'chain')}",
        " · ".join([f"energy {number(descent.energies[moment])}", *violations_text(descent.failed[moment])]),
    ]
    if descent.began:
        facts.append("shown from this chain's last restart")
    cells = shown.boards[moment] if shown.boards else None
    return _frame(shown.title, cells, descent.energies, descent.steps, moment, facts)


def _frame(
    title: str,
    cells: _board.Cells | None,
    energies: Sequence[float],
    places: Sequence[int],
    now: int,
    facts: list[str],
) -> RenderableType:
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    width, height = _CHART
    chart = Text("\n".join(_chart.area(energies, places, width, height, now)), style="cyan")
    beside = Group(Text("energy", style="bright_black"), chart, *(Text(fact) for fact in facts))
    if cells is None:
        return Group(Text(title, style="bold"), beside)
    board = _text(_board.ruled(cells) if speaks_unicode() else cells)
    legend = Text.assemble(
        ("given", _STYLES[Kind.GIVEN]),
        "  ",
        ("settled", _STYLES[Kind.SETTLED]),
        "  ",
        ("moving", _STYLES[Kind.MOVING]),
        "  ",
        ("new", _STYLES[Kind.CHANGED]),
    )
    left = Group(board, legend)
    if console().width < max(map(len, cells)) + width + 4:
        return Group(Text(title, style="bold"), left, beside)
    grid = Table.grid(padding=(0, 2))
    grid.add_row(left, beside)
    return Group(Text(title, style="bold"), grid)


def _text(cells: _board.Cells) -> Text:
    from rich.text import Text

    text = Text()
    for i, row in enumerate(cells):
        if i:
            text.append("\n")
        for part, kind in _board.runs(row):
            text.append(part, _STYLES[kind])
    return text


def _print(shown: Shown) -> None:
    descent = shown.descent
    for moment in sorted({0, *descent.telling(_PLAIN_FRAMES)}):
        click.echo(shown.caption(moment))
        if shown.boards and descent.answers[moment] is not None:
            cells = shown.boards[moment]
            click.echo("\n".join(_board.ansi(_board.ruled(cells) if speaks_unicode() else cells)))
    if speaks_unicode():
        first, last = number(descent.energies[0]), number(descent.energies[-1])
        line = _chart.area(descent.energies, descent.steps, min(60, len(descent)), 1, len(descent) - 1)[0]
        click.echo(f"energy {first} {line} {last}")
    if descent.rises:
        click.echo(click.style(_RISES, dim=True))
