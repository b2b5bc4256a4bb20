"""Serve models over MCP or plain HTTP: `groundstate serve`."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click

import groundstate
from groundstate.cli.console import SOLVED, STOPPED, example
from groundstate_mcp import build_server, serving
from groundstate_models.learned.learning import LearnTool
from groundstate_serve import build_app, settings_for
from groundstate_serve.listening import listen

_HOST, _PORT = "127.0.0.1", 8000

_OF_MCP = ("on_question", "detail", "restarts", "max_steps", "alternatives", "improve_for")


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command, as they were typed."""

    models: tuple[str, ...]
    mcp: bool
    folder: str | None
    http: bool
    host: str | None
    port: int | None
    token_file: str | None
    no_auth: bool
    allow_host: tuple[str, ...]
    allow_origin: tuple[str, ...]
    on_question: str | None
    detail: str | None
    restarts: int | None
    max_steps: int | None
    deadline: float | None
    improve_for: float | None
    alternatives: int | None
    device: str
    learn: bool
    learn_folder: str | None

    def check(self) -> None:
        """Refuse contradictory options, before any model is loaded.

        Raises:
            click.UsageError: If options contradict each other.
        """
        if not self.mcp and not self.http:
            raise click.UsageError(
                "Name the protocol: --mcp, the Model Context Protocol, or --http, plain HTTP; or both."
            )
        if not self.mcp and (chosen := [name for name in _OF_MCP if getattr(self, name) is not None]):
            names = ", ".join("--" + name.replace("_", "-") for name in chosen)
            raise click.UsageError(f"{names} can only be given with --mcp; plain HTTP takes options with each call.")
        if not self.mcp and (self.learn or self.learn_folder):
            raise click.UsageError("--learn and --learn-folder can only be given with --mcp.")
        called = self.allow_host or self.allow_origin or None
        alone = (self.host, self.port, self.token_file, self.no_auth or None, called)
        if not self.http and any(option is not None for option in alone):
            raise click.UsageError(
                "--host, --port, --token-file, --no-auth, --allow-host and --allow-origin are for --http; "
                "without it the client starts this command."
            )
        if self.token_file is not None and self.no_auth:
            raise click.UsageError("--token-file and --no-auth contradict each other; give one of them.")

    @property
    def token(self) -> str | None:
        """The bearer token.

        Raises:
            click.UsageError: If its file cannot be read, or is empty.
        """
        if self.token_file is None:
            return None
        try:
            token = Path(self.token_file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise click.UsageError(f"--token-file {self.token_file!r} cannot be read: {error}.") from None
        if not token or not token.isascii():
            raise click.UsageError(f"--token-file {self.token_file!r} must hold one line of ASCII characters.")
        return token

    @property
    def served(self) -> list[str]:
        """The models, and the folder of models."""
        named = [*self.models, *([self.folder] if self.folder else [])]
        return named or groundstate.models()

    @property
    def settings(self) -> dict[str, Any]:
        """The options for `groundstate_mcp.build_server` that were given."""
        names = ("on_question", "detail", "restarts", "max_steps", "deadline", "improve_for", "alternatives", "device")
        chosen = {name: value for name in names if (value := getattr(self, name)) is not None}
        if self.learn or self.learn_folder:
            chosen["learn"] = LearnTool(self.learn_folder)
        return chosen


@click.command(
    name="serve",
    epilog=example(
        "groundstate serve --mcp sudoku",
        "groundstate serve --mcp sudoku scheduling --http --port 8000",
        "groundstate serve --http sudoku",
    ),
)
@click.argument("models", nargs=-1)
@click.option("--mcp", is_flag=True, help="Use the Model Context Protocol.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False), help="Serve every .onnx file in a folder too.")
@click.option(
    "--http",
    is_flag=True,
    help="With --mcp: serve streamable HTTP at /mcp.  [default: stdin and stdout]  Without --mcp: plain HTTP, for apps.",
)
@click.option("--host", help="With --http: the address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port", type=click.IntRange(0, 65535), help="With --http: the port; 0 selects a free one.  [default: 8000]"
)
@click.option("--token-file", metavar="FILE", help="With --http: a file with the bearer token that clients must send.")
@click.option("--no-auth", is_flag=True, help="With --http: serve other machines without a token.")
@click.option("--allow-host", multiple=True, metavar="NAME", help="With --http: a further name of this server.")
@click.option(
    "--allow-origin", multiple=True, metavar="ORIGIN", help="With --http: web pages that may call, https://…."
)
@click.option(
    "--on-question", help="elicit: ask the user where the client can; return: in the result.  [default: elicit]"
)
@click.option("--detail", help="How much of an outcome is returned: brief or full.  [default: brief]")
@click.option("--restarts", type=int, help="Largest number of chains for each problem.")
@click.option("--max-steps", type=int, help="Largest number of steps for each chain.")
@click.option("--deadline", type=float, help="Seconds for each problem; then the best so far is returned.")
@click.option("--improve-for", type=float, help="Seconds for the search for cheaper answers.  [default: 1.8]")
@click.option("--alternatives", type=int, help="Number of different answers to look for.  [default: 2]")
@click.option("--learn", is_flag=True, help="Offer a tool that learns tools from examples of the conversation.")
@click.option(
    "--learn-folder",
    type=click.Path(file_okay=False),
    help="Keep learned tools in a folder; implies --learn.  [default: a temporary folder]",
)
@click.option("--device", default="cpu", show_default=True, help="Device to run on: cpu or cuda. There is no fallback.")
def command(**options: Any) -> int:
    """Serve models to language models over MCP, or to apps over plain HTTP.

    MODELS are installed names or paths of .onnx files; default: all installed models. Over stdin and stdout the client
    starts this command; with --http it serves any number of clients.
    """
    return serve(Options(**options))


def serve(options: Options) -> int:
    """Serve until the client disconnects or the process is stopped; returns the exit code. stdout is for the protocol only."""
    options.check()
    token = options.token
    host, port = options.host or _HOST, _PORT if options.port is None else options.port
    if not options.mcp:
        plain_http(options, host, port, token)
        return STOPPED
    # Callers over HTTP may be on other machines, and have no business with the files of this one.
    server = build_server(options.served, ceilings=groundstate.Ceilings(files=not options.http), **options.settings)
    if options.http:
        serving.over_http(
            server,
            host,
            port,
            _ready,
            token=token,
            anyone=options.no_auth,
            hosts=options.allow_host,
            origins=options.allow_origin,
        )
        return STOPPED
    if sys.stdin.isatty():
        click.echo(
            "groundstate: using MCP over stdin and stdout, to the client that starts this. Ctrl-C ends it.", err=True
        )
    serving.over_stdio(server)
    return SOLVED


def plain_http(options: Options, host: str, port: int, token: str | None) -> None:
    """Serve plain HTTP until Ctrl-C."""
    settings = settings_for(host, token, no_auth=options.no_auth, allowed=options.allow_host)
    settings = replace(settings, origins=frozenset(options.allow_origin))
    if options.deadline is not None:
        settings = replace(settings, deadline=options.deadline)
    app = build_app(options.served, settings, device=options.device)
    message = "groundstate: serving plain HTTP at {}. Ctrl-C ends it."
    listen(app, host, port, lambda address: click.echo(message.format(address), err=True))


def _ready(address: str) -> None:
    click.echo(f"groundstate: serving MCP at {address}. Ctrl-C ends it.", err=True)
