"""Read requests from an argument, a file or stdin: one per line, a table, JSON lines, or text that spans lines."""

from __future__ import annotations

import csv
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from groundstate import Fault, RequestError, Solver, _words
from groundstate.cli.console import complain

_SUFFIXES = {".txt", ".csv", ".tsv", ".json", ".jsonl", ".ndjson", ".sdk", ".sdm"}
_NO_TEXT = frozenset(range(9))
"""Bytes that occur in binary files but not in text."""

_WHOLE = 100_000
"""Most lines of one JSON request."""

_SEPARATORS = "\t;,"

_COLUMNS = ("request", "puzzle", "puzzles", "quiz", "quizzes", "problem", "grid", "question")
"""Names of request columns, the likeliest first."""

_BESIDE = frozenset({"id", "solution", "solutions", "answer", "difficulty", "clues", "rating", "name", "source", "tag"})
"""Names of other columns. A first line with only known names is a header."""

_WIDEST = 100
"""Cells in a row of the widest board that may span several lines."""

_FAULTS = 4
"""Most faults of one request to print; the rest are counted."""


@dataclass(frozen=True, slots=True)
class Item:
    """A request's text, and its line if it came from a file."""

    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Requests to solve.

    Attributes:
        items: The requests, read lazily.
        name: The file, or ``stdin``; None for an argument.
        count: Number of requests, if known without reading stdin.
    """

    items: Iterator[Item]
    name: str | None = None
    count: int | None = None

    def where(self, item: Item) -> str:
        """``puzzles.csv, line 3: ``; empty for an argument."""
        return f"{self.name}, line {item.line}: " if item.line is not None else ""


def find(solver: Solver, argument: str | None, column: str | None = None) -> Source:
    """The requests of a command-line argument.

    Args:
        solver: The model. Its notation decides whether a line is a board or one row of a board.
        column: The name of the table's request column; None to detect it.

    Raises:
        click.UsageError: If the named file is missing or is not text, or the table has no such column.
    """
    if argument is None or argument == "-":
        if sys.stdin.isatty():
            how = "with an empty line after each" if solver.spans_lines else "one per line"
            click.echo(f"Type requests, {how}; end with Ctrl-D.", err=True)
        return Source(_items(solver, sys.stdin, column, "stdin"), "stdin")
    if argument.startswith("@"):
        return _file(solver, Path(argument[1:]), column)
    text = argument.strip()
    if not text.startswith(("{", "[")):
        kind = _kind_of_path(argument)
        if kind == "file":
            return _file(solver, Path(argument), column)
        if kind == "folder":
            raise click.UsageError(f"{argument!r} is a folder; give the name of a file, or a request.")
        if Path(argument).suffix.lower() in _SUFFIXES or argument.startswith(("/", "./", "../", "~")):
            raise click.UsageError(f"There is no file {argument!r}.")
    return Source(iter([Item(text)]), None, 1)


def one(solver: Solver, argument: str, what: str) -> tuple[Source, Item]:
    """The single request of an argument.

    Raises:
        click.UsageError: If there is no request, or more than one.
    """
    source = find(solver, argument)
    items = list(itertools.islice(source.items, 2))
    if len(items) != 1:
        raise click.UsageError(
            f"{source.name} has {'more than one' if items else 'no'} {what}; this command takes exactly one."
        )
    return source, items[0]


def request(solver: Solver, item: Item) -> dict[str, Any]:
    """The request of a text: JSON, or the task's notation. JSON is coerced to the model's schema, as for a tool.

    Raises:
        RequestError: If the text is neither.
    """
    if not item.text.startswith(("{", "[")):
        return solver.parse(item.text)
    try:
        parsed = json.loads(item.text)
    except RecursionError:
        raise RequestError([Fault("", "The request is nested too deeply to be read as JSON.")]) from None
    except ValueError as error:
        raise RequestError([Fault("", f"The request is not valid JSON: {error}.")]) from None
    if not isinstance(parsed, dict):
        names = _words.quoted(solver.header.request.get("properties", {}))
        message = f"The request is a JSON {_json_kind(parsed)}; it must be an object with {names or 'properties'}."
        raise RequestError([Fault("", message)])
    coerced, _ = solver.coerce(parsed)
    return dict(coerced)


def warn(source: Source, item: Item, error: RequestError) -> None:
    """Print the first faults of one request on stderr, and the number of others."""
    complain(f"{source.where(item)}{' '.join(_words.first(error.faults, _FAULTS))}{_stop(error)}")


def _stop(error: RequestError) -> str:
    return "." if len(error.faults) > _FAULTS else ""


def _json_kind(value: object) -> str:
    return {list: "array", str: "string", bool: "boolean", type(None): "null"}.get(type(value), "number")


def _kind_of_path(argument: str) -> str | None:
    try:
        path = Path(argument)
        return "file" if path.is_file() else "folder" if path.is_dir() and argument.strip(".") else None
    except (OSError, ValueError):  # the name is too long, or has a zero byte
        return None


def _file(solver: Solver, path: Path, column: str | None) -> Source:
    try:
        with path.open("rb") as binary:
            if _NO_TEXT.intersection(binary.read(4096)):
                raise click.UsageError(f"{path} is not a text file; it must have one request per line.")
        count = sum(1 for _ in _read(solver, path, column))
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise click.UsageError(f"{str(path)!r} cannot be read: {reason}.") from None
    return Source(_read(solver, path, column), str(path), count)


def _read(solver: Solver, path: Path, column: str | None) -> Iterator[Item]:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        yield from _items(solver, lines, column, str(path))


def _items(solver: Solver, lines: Iterable[str], column: str | None, name: str) -> Iterator[Item]:
    """The requests in lines of text, in any layout."""
    raw = enumerate(lines, start=1)
    numbered = _written(raw)
    start = next(numbered, None)
    if start is None:
        if column is not None:
            raise click.UsageError(f"{name} is not a table, so it has no column {column!r}.")
        return
    text = start[1]
    separator, cells = _cells(text)
    header = [cell.casefold() for cell in cells]
    if column is not None or _is_header(header):
        place = _column(header, cells, column, name)
        yield from (_cell(text, separator, place, line) for line, text in numbered)
        return
    ahead = itertools.chain([start], numbered)
    if text.startswith("{") and not _is_json(text):
        yield from _spread(list(itertools.islice(ahead, _WHOLE)))
        return
    if text.startswith(("{", "[")):
        yield from (Item(text, line) for line, text in ahead)
        return
    if solver.spans_lines and ";" not in text:
        yield from _paragraphs(itertools.chain([start], raw))
    else:
        yield from _boards(solver, ahead, separator)


def _paragraphs(lines: Iterable[tuple[int, str]]) -> Iterator[Item]:
    """Requests that span lines, with empty lines between them."""
    block: list[tuple[int, str]] = []
    for line, raw in itertools.chain(lines, [(0, "")]):
        text = raw.strip()
        if text and not text.startswith("#"):
            block.append((line, text))
        elif block and not text:
            yield Item("\n".join(text for _, text in block), block[0][0])
            block = []


def _spread(lines: list[tuple[int, str]]) -> Iterator[Item]:
    """One JSON object over several lines; if that is not JSON either, one request per line."""
    whole = "\n".join(text for _, text in lines)
    if _is_json(whole):
        yield Item(whole, lines[0][0])
    else:
        yield from (Item(text, line) for line, text in lines)


def _boards(solver: Solver, lines: Iterator[tuple[int, str]], separator: str | None) -> Iterator[Item]:
    """One request per line; or one board of n lines of n cells, if the model reads the board but not a single line."""
    start = next(lines)
    ahead = itertools.chain([start], lines)
    side = len(_squeezed(start[1]))
    if separator is None and 1 < side <= _WIDEST and not _is_read(solver, start[1]):
        block = list(itertools.islice(ahead, side))
        while _is_read(solver, whole := "".join(_squeezed(text) for _, text in block)):
            yield Item(whole, block[0][0])
            block = list(itertools.islice(ahead, side))
        ahead = itertools.chain(block, ahead)
    for line, text in ahead:
        yield _cell(text, separator, None, line)


def _is_read(solver: Solver, text: str) -> bool:
    try:
        solver.parse(text)
    except RequestError:
        return False
    return True


def _squeezed(text: str) -> str:
    """A row of a board without spaces, rulers and box lines."""
    return "".join(c for c in text if c not in " |+-")


def _written(numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Stripped lines, without empty lines, comments and the rulers of a drawn board."""
    for line, raw in numbered:
        text = raw.lstrip("\ufeff").strip()
        if text and not text.startswith("#") and text.strip("-+=| "):
            yield line, text


def _cells(text: str) -> tuple[str | None, list[str]]:
    """The separator of a table's line (if any), and its cells."""
    if text.startswith(("{", "[")):
        return None, [text]
    separator = next((mark for mark in _SEPARATORS if mark in text), None)
    return separator, [cell.strip() for cell in _split(text, separator)]


def _split(text: str, separator: str | None) -> list[str]:
    return next(csv.reader([text], delimiter=separator or ",", skipinitialspace=True), [])


def _is_header(names: Sequence[str]) -> bool:
    known = sum(name in _COLUMNS for name in names)
    return known > 0 and all(name in _COLUMNS or name in _BESIDE or name.isidentifier() for name in names)


def _column(header: Sequence[str], written: Sequence[str], column: str | None, name: str) -> int:
    if column is not None:
        if column.casefold() not in header:
            raise click.UsageError(f"{name} has no column {column!r}; its columns are {_words.quoted(written)}.")
        return header.index(column.casefold())
    return next(header.index(known) for known in _COLUMNS if known in header)


def _cell(text: str, separator: str | None, place: int | None, line: int) -> Item:
    """The request in a line of a table: the column's cell, or the longest cell if there is no header."""
    if text.startswith("{") and _is_json(text):
        return Item(text, line)
    cells = [cell.strip() for cell in _split(text, separator)] if separator else [text.strip('" ')]
    if place is not None:
        return Item(cells[place] if place < len(cells) else "", line)
    # The puzzle is longer than an identifier or a rating. Its solution is as long, and comes after it.
    return Item(max(cells, key=len) if cells else "", line)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
