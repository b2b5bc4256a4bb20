"""`groundstate list` and `groundstate describe`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

import groundstate
from groundstate import GroundstateError, RequestError, Solver, _words
from groundstate._catalog import locate
from groundstate.cli.console import BAD, SOLVED, complain, console, echo_json

if TYPE_CHECKING:
    from rich.table import Table

_WIDEST = 100
_EXAMPLE = 1000
"""Most characters of an example to print."""


def show_list(*, as_json: bool) -> int:
    """List the installed models. A model that cannot be loaded is listed with the reason."""
    entries: list[dict[str, Any]] = []
    code = SOLVED
    for name in groundstate.models(every=True):
        try:
            path = locate(name)
            header = groundstate.load(path).header
        except GroundstateError as error:
            complain(f"{name}: {error}")
            entries.append({"name": name, "error": str(error)})
            code = BAD
            continue
        entries.append(
            {
                "name": name,
                "title": header.title,
                "version": header.version,
                "description": header.description,
                "path": str(path),
            }
        )
    if as_json:
        echo_json(entries)
    elif not entries:
        click.echo("No model is installed.")
    else:
        for entry in entries:
            _entry(_words.cleaned(entry))
    return code


def _entry(entry: Mapping[str, Any]) -> None:
    if "error" in entry:
        click.echo(f"{click.style(entry['name'], bold=True)}  cannot be loaded")
        return
    click.echo(f"{click.style(entry['name'], bold=True)}  {entry['title']}, version {entry['version']}")
    click.echo(f"    {_first_sentence(entry['description'])}")
    click.echo(click.style(f"    {entry['path']}", dim=True))


def _first_sentence(text: str) -> str:
    head, dot, _ = " ".join(text.split()).partition(". ")
    return head + dot.strip()


def show_description(model: str, *, as_json: bool) -> int:
    """Print what an artefact contains."""
    solver = groundstate.load(model)
    if as_json:
        echo_json(solver.describe())
        return SOLVED
    about = _words.cleaned(solver.describe())
    click.echo(
        click.style(f"{about['title']}", bold=True) + f"  {about['name']} {about['version']}, {about['licence']}"
    )
    click.echo(textwrap.fill(" ".join(about["description"].split()), min(console().width, _WIDEST)))
    test = solver.header.self_test or {}
    _schema("Request", about["request"], test.get("request"), solver)
    _schema("Answer", about["answer"], test.get("answer"), solver)
    _rows("Energy terms", about["terms"])
    _rows("Checks of an answer", {name: _check_text(check) for name, check in about["checks"].items()})
    _rows("Defaults", {**about["defaults"], "steps_per_segment": about["steps_per_segment"]})
    _rows("Limits", about["limits"])
    _parity(about["parity"])
    _rows("Built with", about["built_with"])
    return SOLVED


def _heading(text: str) -> None:
    click.echo()
    click.echo(click.style(text, fg="cyan", bold=True))


def _rows(title: str, values: Mapping[str, Any]) -> None:
    if not values:
        return
    _heading(title)
    table = _table()
    for name, value in values.items():
        table.add_row(name, _value_text(value))
    console().print(table)


def _parity(parity: Mapping[str, Any]) -> None:
    """The tolerance of the parity proof, and the largest difference; the JSON has the whole record."""
    numbers = {name: value for name, value in parity.items() if isinstance(value, int | float | str)}
    _rows("Parity with PyTorch", numbers)


def _check_text(check: Mapping[str, Any]) -> str:
    """A check's description, with its tolerance if it has one."""
    if check["tolerance"] is None:
        return str(check["description"])
    unit = "" if check["unit"] is None else f" {check['unit']}"
    return f"{check['description']} Tolerance: {check['tolerance']:g}{unit}."


def _table() -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _value_text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_value_text(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_value_text, value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _schema(title: str, schema: Mapping[str, Any], example: Mapping[str, Any] | None, solver: Solver) -> None:
    from rich.markup import escape

    _heading(title)
    table = _table()
    required = schema.get("required", [])
    for name, one in schema.get("properties", {}).items():
        shape = _words.schema_in_words(one, schema)
        optional = "" if name in required else "Optional."
        table.add_row(name, escape(" ".join(filter(None, [f"{shape}.", one.get("description"), optional]))))
    console().print(table)
    if example is None:
        return
    texts = filter(None, [_notation(solver, example), json.dumps(example, separators=(",", ":"))])
    for text in texts:
        click.echo(click.style("example  ", dim=True) + _words.clean(_words.shortened(text, _EXAMPLE)))


def _notation(solver: Solver, example: Mapping[str, Any]) -> str | None:
    """An example in the task's notation, if the notation is equivalent."""
    try:
        text = solver.notation(example, example)
        return text if text is not None and solver.parse(text) == example else None
    except (RequestError, KeyError):  # a request may lack properties of an answer
        return None
