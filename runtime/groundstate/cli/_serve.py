"""`groundstate serve`: models as tools of language models, until the client leaves or somebody stops it."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import dataclass
from typing import Any

import click

import groundstate
from groundstate.cli._console import SOLVED, STOPPED

_HOST, _PORT = "127.0.0.1", 8000


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command, as they were typed."""

    models: tuple[str, ...]
    mcp: bool
    folder: str | None
    http: bool
    host: str | None
    port: int | None
    on_question: str | None
    detail: str | None
    restarts: int | None
    max_steps: int | None
    deadline: float | None
    alternatives: int | None
    device: str

    def check(self) -> None:
        """Refuse what does not go together, before anything is loaded.

        Raises:
            click.UsageError: If it does not.
        """
        if not self.mcp:
            raise click.UsageError("Say what to speak: --mcp, the Model Context Protocol.")
        if not self.http and (self.host is not None or self.port is not None):
            raise click.UsageError("--host and --port are for --http; without it the client starts this command.")
        if importlib.util.find_spec("mcp") is None:
            raise click.ClickException("Serving needs mcp; install it with: pip install 'groundstate[mcp]'.")

    @property
    def served(self) -> list[str]:
        """The models, and the folder of models."""
        named = [*self.models, *([self.folder] if self.folder else [])]
        return named or groundstate.models()

    @property
    def settings(self) -> dict[str, Any]:
        """What `groundstate_mcp.build_server` takes and was given."""
        names = ("on_question", "detail", "restarts", "max_steps", "deadline", "alternatives", "device")
        return {name: value for name in names if (value := getattr(self, name)) is not None}


def serve(options: Options) -> int:
    """Serve until the client leaves or somebody stops it; returns the exit code. stdout carries the protocol and nothing else."""
    options.check()
    from groundstate_mcp import build_server, serving

    server = build_server(options.served, **options.settings)
    if options.http:
        serving.over_http(server, options.host or _HOST, _PORT if options.port is None else options.port, _ready)
        return STOPPED
    if sys.stdin.isatty():
        click.echo(
            "groundstate: speaking MCP over stdin and stdout, to the client that starts this. Ctrl-C ends it.", err=True
        )
    serving.over_stdio(server)
    return SOLVED


def _ready(address: str) -> None:
    click.echo(f"groundstate: serving MCP at {address}. Ctrl-C ends it.", err=True)
