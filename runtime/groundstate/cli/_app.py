"""The commands, their options and help; how errors become sentences and exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

from groundstate._errors import GroundstateError
from groundstate._version import __version__
from groundstate.cli._console import BAD, PIPE_CLOSED, STOPPED, complain

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _example(*commands: str) -> str:
    """Commands to copy, kept from being wrapped."""
    return "\n\n".join(
        "\b\nExample:\n" + "\n".join(f"  {line}" for line in command.splitlines()) for command in commands
    )


_PUZZLE = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
_ANSWER = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"

_EXIT_CODES = """\b
Exit codes:
  0    solved (also when several answers are right), or all checks passed
  1    not solved, invalid, an export refused, or a check failed
  2    bad usage, bad request, unknown model or bad artefact
  130  interrupted"""

_SOLVE = f"groundstate solve sudoku \\\n  {_PUZZLE}"


class _Group(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            outcome = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # Whoever read has gone, `head` say: what is left in the buffer must not fail again when Python exits.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(PIPE_CLOSED) from None
        return outcome


def run(arguments: Sequence[str] | None) -> int:
    """Run a command and return its exit code; every expected error becomes one sentence on stderr."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure") and stream.encoding.lower() != "utf-8":
            stream.reconfigure(errors="replace")
    try:
        code = app.main(None if arguments is None else list(arguments), "groundstate", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return BAD
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "groundstate"
        complain(f"{error.format_message()} See: {command} --help")
        return BAD
    except click.ClickException as error:
        complain(error.format_message())
        return BAD
    except GroundstateError as error:
        complain(str(error))
        return BAD
    except (click.Abort, KeyboardInterrupt):
        return STOPPED
    return code if isinstance(code, int) else 0


def _together(*decorators: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    def apply(command: _Command) -> _Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_model = click.argument("model")
_place = _together(
    click.option("--device", default="cpu", show_default=True, help="cpu or cuda; never another than you name."),
    click.option("--threads", type=int, help="Threads to spread chains over.  [default: all processors]"),
)


@click.group(
    cls=_Group,
    epilog=f"{_example(_SOLVE)}\n\n{_EXIT_CODES}",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, message="groundstate %(version)s")
def app() -> None:
    """Solve problems by descent on energies: one ONNX file a model, every answer checked."""


@app.command(
    epilog=_example(
        f"groundstate solve sudoku --watch \\\n  {_PUZZLE}",
        f"groundstate solve sudoku --talk \\\n  {_PUZZLE.replace('3', '.')}",
        "groundstate solve sudoku puzzles.csv --json > answers.jsonl",
    ),
    short_help="Solve one puzzle, a file of them, or stdin.",
)
@_model
@click.argument("puzzle", required=False)
@click.option("--restarts", type=int, help="Chains that may be started for a puzzle.")
@click.option("--max-steps", type=int, help="Updates that each chain may make.")
@click.option("--deadline", type=float, help="Seconds for a puzzle, then the best so far.")
@click.option("--seed", type=int, default=0, show_default=True, help="Decides every random draw.")
@click.option("--alternatives", type=int, help="Different answers to look for.  [default: 1; with --talk 2]")
@click.option("--talk", is_flag=True, help="Put questions to you until none is open.")
@click.option("--reply", metavar="ID=OPTION", multiple=True, help="Reply to a question that the puzzle brought before.")
@_place
@click.option("--watch", is_flag=True, help="Draw the descent: the board settling, the energy falling.")
@click.option("--picture", type=click.Path(dir_okay=False), metavar="FILE.svg", help="Write a picture of the descent.")
@click.option(
    "--save",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write the answer as a file of the kind that its ending names: of a schedule .ics or .svg.",
)
@_json
def solve(puzzle: str | None, **options: Any) -> int:
    """Solve PUZZLE with MODEL, an installed name or the path of an .onnx file.

    PUZZLE is in the model's notation (81 characters for Sudoku) or a JSON request; or the name of a file, @FILE, with
    one puzzle a line, CSV or JSON lines; or - or nothing for stdin.
    """
    from groundstate.cli._solve import Options, solve

    return solve(puzzle, Options(**options))


@app.command(name="list", epilog=_example("groundstate list --json"), short_help="List the installed models.")
@_json
def list_models(as_json: bool) -> int:
    """List the installed models."""
    from groundstate.cli._models import show_list

    return show_list(as_json=as_json)


@app.command(epilog=_example("groundstate describe sudoku"), short_help="Say what a model does and expects.")
@_model
@_json
def describe(model: str, as_json: bool) -> int:
    """Say what MODEL does, what it takes and gives, its energy terms, rules and limits."""
    from groundstate.cli._models import show_description

    return show_description(model, as_json=as_json)


@app.command(
    epilog=_example(f"groundstate score sudoku \\\n  {_PUZZLE} \\\n  {_ANSWER}"),
    short_help="Judge somebody else's answer.",
)
@_model
@click.argument("puzzle")
@click.argument("answer")
@_place
@_json
def score(model: str, puzzle: str, answer: str, device: str, threads: int | None, as_json: bool) -> int:
    """Judge ANSWER to PUZZLE: valid or not, its energy, the rules it breaks and where.

    Both are in the model's notation, JSON, or @FILE. Exits with 0 if the answer is valid and 1 if not.
    """
    from groundstate.cli._score import show_score

    return show_score(model, puzzle, answer, device, threads, as_json=as_json)


@app.command(epilog=_example("groundstate doctor"), short_help="Check this installation.")
@_json
def doctor(as_json: bool) -> int:
    """Check this installation: versions, providers, and a self-test of every installed model.

    Exits with 1 if any check fails.
    """
    from groundstate.cli._doctor import examine

    return examine(as_json=as_json)


@app.command(
    epilog=_example(
        "groundstate export mymodels.points:export -o points.onnx",
        "groundstate export points.py:export --unroll 32 --form loop --json",
    ),
    short_help="Turn an energy in PyTorch into a file.",
)
@click.argument("target", metavar="MODULE:FUNCTION")
@click.option("--output", "-o", metavar="FILE.onnx", help="The file to write.  [default: FUNCTION.onnx]")
@click.option("--unroll", type=int, help="Steps in a segment.")
@click.option(
    "--trace-every", type=int, metavar="N", help="Tell the energy before every N-th of them only, which is faster."
)
@click.option("--form", help="unrolled, or loop: an ONNX Loop whose limits are inputs.")
@click.option("--batch", type=int, help="The one batch size to take, every shape static.")
@click.option("--precision", help="float32, or float16 for products of matrices.")
@click.option("--tolerance", type=float, help="Relative error allowed between file and PyTorch.")
@_json
@click.option("--quiet", is_flag=True, help="Print nothing but errors.")
def export(target: str, **options: Any) -> int:
    """Export the energy that a function returns, verified against PyTorch, or not at all.

    MODULE:FUNCTION, or FILE.py:FUNCTION, names a function without arguments. It returns the arguments of
    groundstate_export.export as a mapping or a dataclass: energy, inputs, state, rule, unroll and what else is wanted.
    Options override them.
    """
    from groundstate.cli._export import Options, export

    return export(target, Options(**options))


@app.command(
    epilog=_example("groundstate serve --mcp sudoku", "groundstate serve --mcp sudoku scheduling --http --port 8000"),
    short_help="Serve models to language models, over MCP.",
)
@click.argument("models", nargs=-1)
@click.option("--mcp", is_flag=True, help="Speak the Model Context Protocol.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False), help="Serve every .onnx file in a folder too.")
@click.option("--http", is_flag=True, help="Serve streamable HTTP at /mcp.  [default: stdin and stdout]")
@click.option("--host", help="With --http: the address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="With --http: the port; 0 is any.  [default: 8000]")
@click.option(
    "--on-question", help="elicit: ask the user where the client can; return: in the result.  [default: elicit]"
)
@click.option("--detail", help="How much of an outcome is told: brief or full.  [default: brief]")
@click.option("--restarts", type=int, help="Chains that may be started for a problem.")
@click.option("--max-steps", type=int, help="Updates that each chain may make.")
@click.option("--deadline", type=float, help="Seconds for a problem, then the best so far.")
@click.option("--alternatives", type=int, help="Different answers to look for.  [default: 2]")
@click.option("--device", default="cpu", show_default=True, help="cpu or cuda; never another than you name.")
def serve(**options: Any) -> int:
    """Serve MODELS as tools: names, or paths of .onnx files; all that are installed, if none is given.

    Over stdin and stdout the client starts this command; with --http it runs for any number of clients.
    """
    from groundstate.cli._serve import Options, serve

    return serve(Options(**options))
