"""Learn a tool from a file of examples: `groundstate learn`."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from groundstate.cli.console import NOT_SOLVED, SOLVED, complain, example


@dataclass(frozen=True, slots=True)
class Options:
    """The options of the command, as they were typed."""

    output: Path | None
    kind: str | None
    grid: str | None
    use_on: str | None
    known: Path | None
    replies: Path | None
    seed: int
    folder: Path | None
    name: str | None
    as_json: bool
    quiet: bool


@click.command(
    name="learn",
    epilog=example(
        "groundstate learn solved.txt -o mine.onnx",
        "groundstate learn table.csv -o table.onnx --json",
        "groundstate learn rosters.jsonl --grid 8x7 --replies replies.json -o roster.onnx",
    ),
)
@click.argument("examples", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), metavar="FILE.onnx", help="Path of the tool to write.")
@click.option(
    "--kind", type=click.Choice(["rules", "table"]), help="Kind of model to learn.  [default: decided by the values]"
)
@click.option("--grid", metavar="ROWSxCOLUMNS", help="Shape of each example, such as 9x9.")
@click.option(
    "--use-on",
    metavar="ROWSxCOLUMNS",
    help="Another size of grid for the tool: rules learned on 6x6 can be used on 9x9.",
)
@click.option(
    "--known", type=click.Path(path_type=Path), metavar="FILE", help="JSON list of constraints that certainly hold."
)
@click.option(
    "--replies",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="File of replies to questions. With a terminal, questions are asked and replies are added.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of every random draw.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Folder of the checkpoint of a table's training; the same command continues a stopped one.",
)
@click.option("--name", help="Name of the tool.  [default: the file's name]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
@click.option("--quiet", is_flag=True, help="Print no progress.")
def command(examples: Path, **options: Any) -> int:
    """Learn a tool from examples.

    EXAMPLES is a .csv, .jsonl, .json or .txt file with one solved configuration a row. Prints the rules that were found, with
    evidence, or how well a table's columns are predicted. The tool completes, checks and asks, and needs no torch.
    """
    return learn_command(examples, Options(**options))


def learn_command(examples: Path, options: Options) -> int:
    """Run the command; returns the exit code."""
    from groundstate_export import ExportError
    from groundstate_training import TrainingError, learn

    def say(text: str) -> None:
        if not options.quiet and not options.as_json:
            print(text, file=sys.stderr, flush=True)

    try:
        replies = _stored(options.replies) if options.replies else {}
        known = json.loads(options.known.read_text(encoding="utf-8")) if options.known else []
        model: Any = learn(
            examples,
            kind=options.kind,
            grid=_grid(options.grid),
            known=known,
            possible=replies.get("possible", []),
            impossible=replies.get("impossible", []),
            seed=options.seed,
            folder=options.folder,
            progress=say,
        )
        if options.replies and sys.stdin.isatty():
            model = _asked(model, options.replies)
        if options.use_on:
            model = _resized(model, options.use_on)
        written = model.export(options.output, name=options.name) if options.output else None
    except (TrainingError, ExportError, OSError, ValueError, TypeError) as error:
        complain(str(error))
        return NOT_SOLVED
    if options.as_json:
        questions = [question.to_json() for question in model.questions]
        record = {
            "report": model.report.splitlines(),
            "questions": questions,
            "file": str(options.output) if written else None,
        }
        print(json.dumps(record, ensure_ascii=False))
    else:
        print(model.report)
        if written:
            print(f"Written: {options.output}. Try: groundstate describe {options.output}")
    return SOLVED


def _grid(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    rows, _, columns = text.lower().replace("×", "x").partition("x")
    if not rows.isdigit() or not columns.isdigit():
        raise ValueError(f"The grid {text!r} must be rows x columns, such as 9x9.")
    return int(rows), int(columns)


def _resized(model: Any, text: str) -> Any:
    if not hasattr(model, "resized"):
        raise ValueError("A table has one size; --use-on is for the rules of a grid.")
    return model.resized(_grid(text))


def _stored(path: Path) -> dict[str, Any]:
    """The stored replies; empty if the file does not exist yet."""
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(found, dict):
        raise TypeError(f"The file {path} must hold an object with 'possible' and 'impossible'.")
    return found


def _asked(model: Any, path: Path) -> Any:
    """Ask every open question on the terminal; keep each reply at once."""
    while questions := model.questions:
        question = questions[0]
        click.echo(question.text, err=True)
        reply = click.prompt("yes, no, or stop", type=click.Choice(["yes", "no", "stop"]), err=True)
        if reply == "stop":
            break
        model = model.reply(question.id, reply)
        path.write_text(
            json.dumps({"possible": model.possible, "impossible": model.impossible}, indent=1) + "\n", encoding="utf-8"
        )
    return model
