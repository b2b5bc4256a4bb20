"""Reads examples from a file or from memory: one configuration per row, missing values as None."""

from __future__ import annotations

import csv
import json
import math
import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundstate_training._errors import TrainingError

Value = int | float | str
Row = list[Value | None]

FEWEST = 5
"""Smallest number of examples."""

MOST_ROWS = 20_000
"""Largest number of examples; of more, a random sample of this size."""

MOST_COLUMNS = 2_000
MISSING = frozenset({"", ".", "?", "_", "na", "nan", "none", "null"})
"""Texts for a missing value, in any case."""

_BLANK = frozenset(".?_ ")


@dataclass(frozen=True)
class Examples:
    """Configurations as given.

    Attributes:
        names: The variables.
        rows: Their values, one list per example.
        grid: Rows and columns, if each example is a grid with names ``r1c1`` ….
        total: Number of examples in the source; `rows` may be a sample.
    """

    names: tuple[str, ...]
    rows: list[Row]
    grid: tuple[int, int] | None = None
    total: int = 0


def read_examples(source: Any, grid: tuple[int, int] | None = None) -> Examples:
    """Read examples.

    Args:
        source: A path to a ``.csv``, ``.jsonl``, ``.json`` or ``.txt`` file, or the examples themselves: mappings from names to
            values, lists of values, lists of rows of a grid, texts with one character a cell, or an array of two or three axes.
        grid: Rows and columns of each example, if it is a grid.

    Raises:
        TrainingError: If there are too few examples, or one of them has another length, names or kind; with its place.
    """
    if isinstance(source, str | Path):
        return _of_rows(_lines(Path(source)), grid, str(source))
    if hasattr(source, "tolist"):
        source = source.tolist()
    if isinstance(source, Mapping) or not isinstance(source, Iterable):
        raise TrainingError(
            f"The examples are a {type(source).__name__}; give a path, or a list with one example an entry."
        )
    return _of_rows(((f"example {k}", one) for k, one in enumerate(source, 1)), grid, "the examples")


def _lines(path: Path) -> Iterator[tuple[str, Any]]:
    kind = path.suffix.lower()
    if kind not in (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".txt"):
        raise TrainingError(f"The file {path} ends in {kind!r}; give a .csv, .tsv, .jsonl, .json or .txt file.")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if kind in (".csv", ".tsv"):
                reader = csv.reader(file, delimiter="\t" if kind == ".tsv" else ",")
                header = next(reader, None)
                if header is None:
                    raise TrainingError(f"The file {path} is empty.")
                names = [name.strip() or f"column {k}" for k, name in enumerate(header, 1)]
                if twice := next((name for name in names if names.count(name) > 1), None):
                    raise TrainingError(
                        f"The header of {path} has the column {twice!r} twice; the first line must name the variables."
                    )
                for row in reader:
                    if not row:
                        continue
                    if len(row) != len(names):
                        place = f"line {reader.line_num} of {path}"
                        raise TrainingError(
                            f"There are {len(row)} values in {place}; the header has {len(names)} columns."
                        )
                    yield f"line {reader.line_num} of {path}", dict(zip(names, map(_parsed, row), strict=True))
            elif kind == ".json":
                found = json.load(file)
                if not isinstance(found, list):
                    raise TrainingError(
                        f"The file {path} holds a {type(found).__name__}; it must hold a list of examples."
                    )
                yield from ((f"example {k} of {path}", one) for k, one in enumerate(found, 1))
            else:
                for number, line in enumerate(file, 1):
                    text = line.strip("\r\n")
                    if text.strip():
                        place = f"line {number} of {path}"
                        yield place, (text.strip() if kind == ".txt" else _json(text, place))
    except (OSError, UnicodeDecodeError, csv.Error, json.JSONDecodeError) as error:
        raise TrainingError(f"The file {path} cannot be read ({error}).") from None


def _json(text: str, place: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise TrainingError(f"The {place} is no JSON ({error.msg}).") from None


def _parsed(text: str) -> Value | None:
    """A value from text: a whole number, a number, a word, or None."""
    word = text.strip()
    if word.lower() in MISSING:
        return None
    try:
        return int(word)
    except ValueError:
        pass
    try:
        number = float(word)
    except ValueError:
        return word
    return number if math.isfinite(number) else None


def _of_rows(entries: Iterator[tuple[str, Any]], grid: tuple[int, int] | None, where: str) -> Examples:
    names: list[str] | None = None
    rows: list[Row] = []
    total = 0
    draw = random.Random(0)  # noqa: S311 - a sample, nothing secret
    for place, one in entries:
        mine, values, found = _one(one, place)
        grid = grid or found
        if names is None:
            names = mine
            if len(names) > MOST_COLUMNS:
                raise TrainingError(f"There are {len(names)} variables in {place}; up to {MOST_COLUMNS} are allowed.")
        if len(values) != len(names):
            raise TrainingError(f"There are {len(values)} values in {place}; the first example has {len(names)}.")
        if set(mine) != set(names):
            odd = min(set(mine) ^ set(names))
            raise TrainingError(f"The variable {odd!r} is in {place} or in the first example, but not in both.")
        if mine != names:
            by_name = dict(zip(mine, values, strict=True))
            values = [by_name[name] for name in names]
        total += 1
        if len(rows) < MOST_ROWS:
            rows.append(values)
        elif (slot := draw.randrange(total)) < MOST_ROWS:
            rows[slot] = values
    if names is None or total < FEWEST:
        raise TrainingError(
            f"There {'is 1 example' if total == 1 else f'are {total} examples'} in {where}; learning needs {FEWEST}."
        )
    grid = grid or _grid_of(names)
    if grid is not None:
        if grid[0] * grid[1] != len(names):
            raise TrainingError(
                f"A grid of {grid[0]} × {grid[1]} has {grid[0] * grid[1]} cells; the examples have {len(names)}."
            )
        names = _cells_of(*grid)
    return Examples(tuple(names), rows, grid, total)


def _grid_of(names: list[str]) -> tuple[int, int] | None:
    """The grid of variables ``r1c1``, ``r1c2``, …; None if they have other names."""
    last = re.fullmatch(r"r(\d{1,4})c(\d{1,4})", names[-1])
    shape = (int(last[1]), int(last[2])) if last else (0, 0)
    regular = shape[0] * shape[1] == len(names) and min(shape) > 1 and names == _cells_of(*shape)
    return shape if regular else None


def _cells_of(rows: int, columns: int) -> list[str]:
    return [f"r{r + 1}c{c + 1}" for r in range(rows) for c in range(columns)]


def _one(one: Any, place: str) -> tuple[list[str], Row, tuple[int, int] | None]:
    """Names, values and grid of one example."""
    if isinstance(one, Mapping):
        return [str(name) for name in one], [_value(v, f"{name!r} in {place}") for name, v in one.items()], None
    if isinstance(one, str):
        side = math.isqrt(len(one))
        cells: Row = [None if c in _BLANK else int(c) if c.isdigit() else c for c in one]
        return _numbered(len(cells)), cells, (side, side) if side * side == len(one) and side > 1 else None
    if isinstance(one, Sequence) and one:
        if all(isinstance(line, Sequence) and not isinstance(line, str) for line in one):
            wide = {len(line) for line in one}
            if len(wide) > 1:
                raise TrainingError(f"The rows of the grid in {place} have different lengths: {sorted(wide)}.")
            cells = [_value(v, place) for line in one for v in line]
            return _numbered(len(cells)), cells, (len(one), wide.pop())
        return _numbered(len(one)), [_value(v, place) for v in one], None
    raise TrainingError(f"The {place} is {one!r:.40}; an example is a mapping, a list, a grid or a text.")


def _numbered(many: int) -> list[str]:
    return [f"v{k + 1}" for k in range(many)]


def _value(value: Any, place: str) -> Value | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str):
        return None if value.strip().lower() in MISSING else value
    if isinstance(value, int | float):
        return int(value) if isinstance(value, float) and value.is_integer() else value
    raise TrainingError(f"The value of {place} is a {type(value).__name__}; a value is a number, a word or null.")
