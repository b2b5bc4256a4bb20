"""Where puzzles come from: an argument, a file or stdin; one a line, CSV or JSON lines."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from groundstate import Fault, RequestError, Solver
from groundstate.cli._console import complain

_SUFFIXES = {".txt", ".csv", ".json", ".jsonl", ".ndjson", ".sdk", ".sdm"}
_NO_TEXT = frozenset(range(9))
"""Bytes that text does not hold and binary files do."""

_WHOLE = 100_000
"""Lines over which one JSON request may be spread."""


@dataclass(frozen=True, slots=True)
class Item:
    """A puzzle as it was written, and its line, where it came from a file."""

    text: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Puzzles to solve.

    Attributes:
        items: The puzzles, read as they are taken.
        name: The file, or ``stdin``; None for an argument.
        count: How many there are, where that is known without reading stdin.
    """

    items: Iterator[Item]
    name: str | None = None
    count: int | None = None

    def where(self, item: Item) -> str:
        """``puzzles.csv, line 3: ``, or nothing for an argument."""
        return f"{self.name}, line {item.line}: " if item.line is not None else ""


def find(argument: str | None) -> Source:
    """The puzzles that a PUZZLE argument means.

    Raises:
        click.UsageError: If it names a file that is not there or is no text.
    """
    if argument is None or argument == "-":
        if sys.stdin.isatty():
            click.echo("Type puzzles, one a line; end with Ctrl-D.", err=True)
        return Source(_items(sys.stdin), "stdin")
    if argument.startswith("@"):
        return _file(Path(argument[1:]))
    if not argument.lstrip().startswith("{") and _is_file(argument):
        return _file(Path(argument))
    if Path(argument).suffix.lower() in _SUFFIXES or argument.startswith(("/", "./", "../", "~")):
        raise click.UsageError(f"There is no file {argument!r}.")
    return Source(iter([Item(argument.strip())]), None, 1)


def request(solver: Solver, item: Item) -> dict[str, Any]:
    """The request that a puzzle's text means.

    Raises:
        RequestError: If it is neither JSON nor the task's notation.
    """
    if not item.text.startswith("{"):
        return solver.parse(item.text)
    try:
        parsed: dict[str, Any] = json.loads(item.text)
    except RecursionError:
        raise RequestError([Fault("", "The request is nested too deeply to be read as JSON.")]) from None
    except ValueError as error:
        raise RequestError([Fault("", f"The request is not valid JSON: {error}.")]) from None
    return parsed


def _is_file(argument: str) -> bool:
    try:
        return Path(argument).is_file()
    except (OSError, ValueError):  # too long a name, or a zero byte in it
        return False


def _file(path: Path) -> Source:
    try:
        with path.open("rb") as binary:
            if _NO_TEXT.intersection(binary.read(4096)):
                raise click.UsageError(f"{path} is not a text file; it must hold one puzzle a line.")
        with path.open(encoding="utf-8-sig", errors="replace") as lines:
            count = sum(1 for _ in _items(lines))
        return Source(_read(path), str(path), count)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise click.UsageError(f"{str(path)!r} cannot be read: {reason}.") from None


def _read(path: Path) -> Iterator[Item]:
    with path.open(encoding="utf-8-sig", errors="replace") as lines:
        yield from _items(lines)


def _items(lines: Iterable[str]) -> Iterator[Item]:
    numbered = enumerate(lines, start=1)
    first = True
    for line, text in _written(numbered):
        if first and text.lower().lstrip('"').startswith("puzzle"):
            first = False
            continue
        if first and text.startswith("{") and not _is_json(text):
            rest = list(itertools.islice(numbered, _WHOLE))
            whole = "\n".join([text, *(more for _, more in rest)])
            if _is_json(whole):
                yield Item(whole, line)
                return
            yield Item(text, line)
            yield from (_item(more, at) for at, more in _written(rest))
            first = False
            continue
        first = False
        yield _item(text, line)


def _written(numbered: Iterable[tuple[int, str]]) -> Iterator[tuple[int, str]]:
    """Lines that hold something, without what surrounds it."""
    for line, raw in numbered:
        text = raw.strip()
        if text and not text.startswith("#"):
            yield line, text


def _item(text: str, line: int) -> Item:
    return Item(text if text.startswith("{") else text.split(",", 1)[0].strip(' "'), line)


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def one(argument: str, what: str) -> tuple[Source, Item]:
    """The single puzzle that an argument means.

    Raises:
        click.UsageError: If there is none, or more than one.
    """
    source = find(argument)
    items = list(itertools.islice(source.items, 2))
    if len(items) != 1:
        raise click.UsageError(
            f"{source.name} holds {'more than one' if items else 'no'} {what}; this command takes exactly one."
        )
    return source, items[0]


def warn(source: Source, item: Item, error: Exception) -> None:
    """Report one bad puzzle of many on stderr."""
    complain(f"{source.where(item)}{error}")
