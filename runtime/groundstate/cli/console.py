"""Exit codes and output of every command: JSON, numbers for people, one line for an error."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import shell_complete

from groundstate import _words
from groundstate._errors import GroundstateError

if TYPE_CHECKING:
    from rich.console import Console

SOLVED, NOT_SOLVED, BAD, STOPPED, PIPE_CLOSED = 0, 1, 2, 130, 141
"""Exit codes. The last two are 128 plus the signal number, as in shells."""

_COMPLETE = "_GROUNDSTATE_COMPLETE"
"""The environment variable with which a shell requests completions; see click."""


def run(command: click.Command, arguments: Sequence[str] | None = None, name: str = "groundstate") -> int:
    """Run a command and return its exit code. Every expected error becomes one line on stderr.

    `click.Command.main` is not used: it ends the process with 1 if the reader of stdout has gone.
    """
    _never_fail_on_characters()
    if instruction := os.environ.get(_COMPLETE):
        return shell_complete(command, {}, name, _COMPLETE, instruction)
    try:
        with command.make_context(name, list(sys.argv[1:] if arguments is None else arguments)) as context:
            code = command.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as error:
        return error.exit_code
    except BrokenPipeError:
        # The reader, for example `head`, is gone. The rest of the buffer must not fail again when Python exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PIPE_CLOSED
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD
    except click.ClickException as error:
        where = error.ctx.command_path if isinstance(error, click.UsageError) and error.ctx else name
        help_ = f" See: {where} --help" if isinstance(error, click.UsageError) else ""
        complain(f"{error.format_message()}{help_}")
        return BAD
    except GroundstateError as error:
        complain(str(error))
        return BAD
    except (click.Abort, KeyboardInterrupt):
        return STOPPED
    return code if isinstance(code, int) else 0


def _never_fail_on_characters() -> None:
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and stream.encoding.lower() != "utf-8":
            stream.reconfigure(errors="replace")


def example(*commands: str) -> str:
    """Commands to copy, for the end of a help page, without wrapping."""
    return "\n\n".join(
        "\b\nExample:\n" + "\n".join(f"  {line}" for line in command.splitlines()) for command in commands
    )


def complain(message: str) -> None:
    """Print an error on stderr, on one line, without a traceback."""
    click.echo(f"groundstate: {_words.clean(message)}", err=True)


def echo_json(value: Any) -> None:
    """Print one value as one line of JSON."""
    click.echo(json.dumps(value, ensure_ascii=not speaks_unicode()))


def speaks_unicode() -> bool:
    """Whether stdout can carry box-drawing characters."""
    return (getattr(sys.stdout, "encoding", None) or "ascii").lower().replace("-", "") == "utf8"


def console(*, error: bool = False) -> Console:
    """A rich console on the present stdout or stderr."""
    from rich.console import Console

    return Console(stderr=error, highlight=False)


def number(value: float | None) -> str:
    """An energy for people: four significant digits at most, with a true minus sign."""
    if value is None:
        return "unknown"
    if value == 0:
        return "0"
    if abs(value) < 5e-4:
        return f"{value:.2g}".replace("-", "−", 1) if value < 0 else f"{value:.2g}"
    return f"{value:,.{max(0, 4 - len(str(int(abs(value)))))}f}".replace("-", "−")


def duration(seconds: float) -> str:
    """A time for people: ``3.1 ms``, ``420 ms``, ``2.5 s``, ``3.0 min``."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms" if seconds >= 0.01 else f"{1000 * seconds:.1f} ms"
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.1f} min"
