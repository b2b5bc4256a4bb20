"""`groundstate list` and `groundstate describe`."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

import groundstate
from groundstate import GroundstateError, RequestError, Solver
from groundstate._catalog import locate
from groundstate.cli._console import BAD, SOLVED, complain, console, echo_json

if TYPE_CHECKING:
    from rich.table import Table


def show_list(*, as_json: bool) -> int:
    """List the installed models; one that cannot be loaded is listed with the reason."""
    entries: list[dict[str, Any]] = []
    code = SOLVED
    for name in groundstate.models():
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
            _entry(entry)
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
    """Print what an artefact says about itself."""
    solver = groundstate.load(model)
    about = solver.describe()
    if as_json:
        echo_json(about)
        return SOLVED
    out = console()
    click.echo(
        click.style(f"{about['title']}", bold=True) + f"  {about['name']} {about['version']}, {about['licence']}"
    )
    click.echo(textwrap.fill(" ".join(about["description"].split()), min(out.width, 100)))
    test = solver.header.self_test or {}
    _schema("Request", about["request"], test.get("request"), solver)
    _schema("Answer", about["answer"], test.get("answer"), solver)
    _rows("Energy terms", about["terms"])
    _rows("Checks", {name: check["description"] for name, check in about["checks"].items()})
    _rows("Defaults", {**about["defaults"], "steps_per_segment": about["steps_per_segment"]})
    _rows("Limits", about["limits"])
    _rows("Parity with PyTorch", about["parity"])
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
        table.add_row(name, _told(value))
    console().print(table)


def _table() -> Table:
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _told(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_told(item)}" for name, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(_told, value))
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _schema(title: str, schema: Mapping[str, Any], example: Mapping[str, Any] | None, solver: Solver) -> None:
    _heading(title)
    table = _table()
    required = schema.get("required", [])
    for name, one in schema.get("properties", {}).items():
        said = [_kind(one), one.get("description", "")]
        if name not in required:
            said.append("May be left out.")
        table.add_row(name, " ".join(part for part in said if part))
    console().print(table)
    if example is None:
        return
    for text in filter(None, [_notation(solver, example), json.dumps(example, separators=(",", ":"))]):
        click.echo(click.style("example  ", dim=True) + text)


def _notation(solver: Solver, example: Mapping[str, Any]) -> str | None:
    """An example in the task's notation, where that says the same."""
    try:
        text = solver.notation(example, example)
        return text if text is not None and solver.parse(text) == example else None
    except (RequestError, KeyError):  # a request may lack what an answer has
        return None


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"One of {', '.join(map(repr, schema['enum']))}."
    if "anyOf" in schema:
        tags = [one.get("properties", {}).get("type", {}).get("const") for one in schema["anyOf"]]
        if all(tags):
            return f"Object, by its type: {', '.join(tags)}."
        return _either([_kind(one) for one in schema["anyOf"]])
    kind = schema.get("type", "anything")
    if isinstance(kind, list):
        return _either([_kind({**schema, "type": one}) for one in kind])
    if kind == "array":
        least, most = schema.get("minItems", 0), schema.get("maxItems")
        if most is None:
            count = f"{least} or more × " if least else ""
        else:
            count = f"{least} × " if least == most else f"{least} to {most} × " if least else f"up to {most} × "
        return f"Array of {count}{_kind(schema.get('items', {})).lower()}"
    if kind in {"integer", "number"} and "minimum" in schema and "maximum" in schema:
        return f"{kind.capitalize()} from {schema['minimum']} to {schema['maximum']}."
    return f"{str(kind).capitalize()}."


def _either(kinds: list[str]) -> str:
    """Several kinds as one sentence."""
    first, *others = dict.fromkeys(kind.rstrip(".") for kind in kinds)
    return " or ".join([first, *(kind[0].lower() + kind[1:] for kind in others)]) + "."
