"""What every command prints with: exit codes, JSON, one sentence for an error."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console

SOLVED, NOT_SOLVED, BAD, STOPPED, PIPE_CLOSED = 0, 1, 2, 130, 141
"""Exit codes. The last two are 128 plus the number of the signal, as shells have it."""


def complain(message: str) -> None:
    """Say what went wrong on stderr, in one sentence, without a traceback."""
    click.echo(f"groundstate: {message}", err=True)


def echo_json(value: Any) -> None:
    """One value as one line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=not speaks_unicode()))


def speaks_unicode() -> bool:
    """Whether stdout can carry box-drawing characters."""
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "") == "utf8"


def console(*, error: bool = False) -> Console:
    """A rich console on the present stdout or stderr."""
    from rich.console import Console

    return Console(stderr=error, highlight=False)


def plural(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def number(value: float | None) -> str:
    """An energy for people: four significant digits at most, with a true minus sign."""
    if value is None:
        return "unknown"
    if abs(value) < 5e-4:
        return "0"
    return f"{value:,.{max(0, 4 - len(str(int(abs(value)))))}f}".replace("-", "−")


def duration(seconds: float) -> str:
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.1f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
