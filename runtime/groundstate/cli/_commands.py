"""Arguments, options and help of the runtime's own commands. Each command's code is in a separate module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from groundstate.cli.console import example

_Command = TypeVar("_Command", bound=Callable[..., Any])

_PUZZLE = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
_ANSWER = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"


def _together(*decorators: Callable[[_Command], _Command]) -> Callable[[_Command], _Command]:
    def apply(command: _Command) -> _Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
_model = click.argument("model")
_column = click.option("--column", metavar="NAME", help="Name of the table's request column.")
_place = _together(
    click.option(
        "--device", default="cpu", show_default=True, help="Device to run on: cpu or cuda. There is no fallback."
    ),
    click.option("--threads", type=int, help="Threads to spread chains over.  [default: all processors]"),
)


@click.command(
    epilog=example(
        f"groundstate solve sudoku --watch \\\n  {_PUZZLE}",
        f"groundstate solve sudoku --talk \\\n  {_PUZZLE.replace('3', '.')}",
        "groundstate solve sudoku puzzles.csv --json > answers.jsonl",
    ),
)
@_model
@click.argument("request", required=False)
@click.option("--restarts", type=int, help="Largest number of chains for each problem.")
@click.option("--max-steps", type=int, help="Largest number of steps for each chain.")
@click.option("--deadline", type=float, help="Seconds for each problem; then the best so far is returned.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of every random draw.")
@click.option("--alternatives", type=int, help="Number of different answers to look for.  [default: 1; with --talk 2]")
@click.option("--talk", is_flag=True, help="Ask you each question, until no question is open.")
@click.option("--reply", metavar="ID=OPTION", multiple=True, help="Reply to a question from an earlier call.")
@_place
@_column
@click.option("--watch", is_flag=True, help="Draw the descent as it runs.")
@click.option("--picture", type=click.Path(), metavar="FILE.svg", help="Write a picture of the descent.")
@click.option(
    "--save", type=click.Path(), metavar="FILE", help="Write the answer to a file; its ending selects the format."
)
@_json
def solve(request: str | None, **options: Any) -> int:
    """Solve one request, a file of them, or stdin.

    MODEL is an installed name or the path of an .onnx file. REQUEST is JSON, or text in the model's notation (81 characters for
    Sudoku). It may also be a file, or @FILE, with one request per line, a table (CSV, semicolons or tabs), or JSON lines. With -
    or nothing, requests are read from stdin.
    """
    from groundstate.cli._solve import Options, solve

    return solve(request, Options(**options))


@click.command(name="list", epilog=example("groundstate list --json"))
@_json
def list_models(as_json: bool) -> int:
    """List the installed models."""
    from groundstate.cli._models import show_list

    return show_list(as_json=as_json)


@click.command(epilog=example("groundstate describe sudoku"))
@_model
@_json
def describe(model: str, as_json: bool) -> int:
    """Show a model's purpose, request and answer.

    Prints the description of MODEL, the shapes of its request and answer, its energy terms, checks, defaults and limits.
    """
    from groundstate.cli._models import show_description

    return show_description(model, as_json=as_json)


@click.command(epilog=example(f"groundstate score sudoku \\\n  {_PUZZLE} \\\n  {_ANSWER}"))
@_model
@click.argument("request")
@click.argument("answer")
@_place
@_json
def score(model: str, request: str, answer: str, device: str, threads: int | None, as_json: bool) -> int:
    """Check an answer from elsewhere, and compute its energy.

    Prints whether ANSWER to REQUEST is valid, its energy, and the checks it violates. Both arguments are JSON, text in the
    model's notation, or @FILE. Exits with 0 if the answer is valid, or if MODEL has no checks; with 1 if it is invalid.
    """
    from groundstate.cli._score import show_score

    return show_score(model, request, answer, device, threads, as_json=as_json)


@click.command(epilog=example("groundstate doctor", "groundstate doctor theirs.onnx"))
@click.argument("files", metavar="[FILE]...", nargs=-1)
@_json
def doctor(files: tuple[str, ...], as_json: bool) -> int:
    """Check this installation, and files from others.

    Prints versions and execution providers, and runs the self-test of every installed model. Each FILE is loaded and tested the
    same way, and its text is searched for what reads like instructions to a language model. Exits with 1 if a check fails.
    """
    from groundstate.cli._doctor import examine

    return examine(files, as_json=as_json)


@click.command(epilog=example("groundstate bench sudoku puzzles.csv", "groundstate bench scheduling --rounds 20"))
@_model
@click.argument("source", metavar="REQUESTS", required=False)
@click.option(
    "--rounds", type=click.IntRange(1), default=5, show_default=True, help="Number of solves for each request."
)
@click.option("--restarts", type=int, help="Largest number of chains for each problem.")
@click.option("--max-steps", type=int, help="Largest number of steps for each chain.")
@_place
@_column
@_json
def bench(source: str | None, **options: Any) -> int:
    """Measure how often and how fast a model solves.

    Solves each of REQUESTS (as in `groundstate solve`; the model's own self-test if left out) with the seeds 0, 1, 2 and so on,
    one at a time, and prints the rate of answers and the median, 95th percentile and longest time.
    """
    from groundstate.cli._bench import Options, measure

    return measure(source, Options(**options))


@click.command(epilog=example("groundstate new my-model", "groundstate new my-model --into ~/models"))
@click.argument("name")
@click.option("--into", type=click.Path(), default=".", help="The folder for the package.  [default: here]")
@click.option("--export/--no-export", default=True, help="Write the artefact too, if the exporter is installed.")
def new(name: str, into: str, export: bool) -> int:
    """Create a package for your own model.

    It contains an energy in PyTorch, a task, tests, a card and entry points: a small example that works in Python, on the
    command line and as a tool. Replace it with your own. docs/tasks.md explains each part.
    """
    from groundstate.cli._new import create

    return create(name, into, export=export)
