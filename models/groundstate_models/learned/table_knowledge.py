"""The columns of a learned table: what a request may say about them, and the inputs of the energy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from groundstate import Fault, RequestError
from groundstate_models.learned.columns import Column, Value


@dataclass(frozen=True)
class TableKnowledge:
    """Columns of a learned table.

    Attributes:
        columns: The columns in the order of the file.
        order: Their indices in the order of the network, columns of numbers first.
        rows: Number of training rows.
    """

    columns: tuple[Column, ...]
    order: tuple[int, ...]
    rows: int

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Self:
        """The knowledge in a header."""
        return cls(tuple(map(Column.from_json, raw["columns"])), tuple(raw["order"]), raw["rows"])

    @cached_property
    def index(self) -> dict[str, int]:
        """The index of each column in the file."""
        return {column.name: place for place, column in enumerate(self.columns)}

    @cached_property
    def place(self) -> dict[int, int]:
        """The index of each column in the network."""
        return {k: place for place, k in enumerate(self.order)}

    @cached_property
    def numbers(self) -> int:
        """Columns of numbers."""
        return sum(column.kind == "number" for column in self.columns)

    @cached_property
    def slices(self) -> dict[int, slice]:
        """The slice of each column of levels among all levels."""
        found, first = {}, 0
        for k in self.order[self.numbers :]:
            found[k] = slice(first, first + len(self.columns[k].levels))
            first = found[k].stop
        return found


def table_request(columns: Sequence[Column]) -> dict[str, Any]:
    """The JSON schema of requests about a table."""
    values = {column.name: _value_schema(column) for column in columns}
    numbers = [column.name for column in columns if column.ordered]
    bounds = {
        "type": "object",
        "description": "The least and the largest number that a missing value may be, by column.",
        "properties": {
            name: {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2} for name in numbers
        },
        "additionalProperties": False,
    }
    if len(numbers) > 8:
        bounds["properties"], bounds["additionalProperties"] = {}, {"type": "array", "items": {"type": "number"}}
    total = {
        "type": "object",
        "description": "Columns whose values must add up to a number.",
        "properties": {
            "columns": {"type": "array", "items": {"enum": numbers}, "minItems": 2, "uniqueItems": True},
            "equals": {"type": "number"},
        },
        "required": ["columns", "equals"],
        "additionalProperties": False,
    }
    properties: dict[str, Any] = {
        "row": {
            "type": "object",
            "description": "The known values by column; leave out what should be found.",
            "properties": values,
            "additionalProperties": False,
        },
        "between": bounds,
    }
    if len(numbers) > 1:
        properties["sum"] = total
    return {"type": "object", "properties": properties, "required": ["row"], "additionalProperties": False}


def table_answer(columns: Sequence[Column]) -> dict[str, Any]:
    """The JSON schema of answers about a table."""
    del columns
    value = {"type": ["number", "string"]}
    return {
        "type": "object",
        "properties": {
            "row": {"type": "object", "description": "The completed row.", "additionalProperties": value},
            "cells": {
                "type": "array",
                "description": "For each value that was missing: the likeliest, the 90 % interval, and what else it may be.",
                "items": {"type": "object"},
            },
            "odd": {
                "type": "array",
                "description": "Given values that do not fit the others, with what would fit.",
                "items": {"type": "object"},
            },
        },
        "required": ["row"],
        "additionalProperties": False,
    }


def _value_schema(column: Column) -> dict[str, Any]:
    if column.kind == "levels" and len(column.levels) <= 12:
        return {"enum": [*column.levels, None]}
    kind = "string" if column.kind == "levels" and isinstance(column.levels[0], str) else "number"
    return {"type": [kind, "null"]}


def inputs_of(knowledge: TableKnowledge, known: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """The inputs of the energy."""
    given = np.zeros(len(knowledge.columns), np.float32)
    found: dict[str, NDArray[Any]] = {"given": given}
    if knowledge.numbers:
        found["known_numbers"] = np.zeros(knowledge.numbers, np.float32)
    if knowledge.slices:
        found["known_levels"] = np.zeros(max(part.stop for part in knowledge.slices.values()), np.float32)
    for name, value in known.items():
        k = knowledge.index[name]
        column, place = knowledge.columns[k], knowledge.place[k]
        given[place] = 1.0
        if column.kind == "number":
            found["known_numbers"][place] = float(column.to_normal(np.array([float(value)]))[0].clip(-5, 5))
        else:
            found["known_levels"][knowledge.slices[k].start + column.index[known_level(column, value)]] = 1.0
    return found


def level_of(column: Column, value: Any) -> Value | None:
    """The level that is equal to a value; None if there is none."""
    return next((level for level in column.levels if level == value), None)


def known_level(column: Column, value: Any) -> Value:
    level = level_of(column, value)
    if level is None:
        raise RequestError([Fault(f"row.{column.name}", f"No example has {value!r} here.")])
    return level
