"""Lenient arguments for language models: unambiguous deviations are coerced and reported."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from groundstate import _words

_WHOLE = re.compile(r"\s*[+-]?\d{1,18}\s*")
_NUMBER = re.compile(r"\s*[+-]?(\d{1,18}(\.\d{0,18})?|\.\d{1,18})([eE][+-]?\d{1,3})?\s*")
_DEEPEST = 12


def coerced(schema: Mapping[str, Any], value: Any, place: str = "") -> tuple[Any, list[str]]:
    """Coerce a value towards a schema; also returns one note per kind of coercion.

    Where the schema wants an object or an array, JSON in a string is parsed. Where it wants a number, digits in a string become
    a number. Where it only allows integers, a float without a fraction becomes an integer. Valid values are not changed, and
    nothing is guessed: the schema refuses the remaining faults. Unchanged parts are not copied.

    Args:
        place: The value's place in the arguments, for the notes.
    """
    notes: dict[str, None] = {}
    return _coerced(schema, schema, value, place, notes, _DEEPEST), list(notes)


def _coerced(schema: Any, root: Mapping[str, Any], value: Any, place: str, notes: dict[str, None], depth: int) -> Any:
    schema = _words.resolved(schema, root)
    if not isinstance(schema, Mapping) or depth == 0:
        return value
    kinds = schema.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if isinstance(value, str) and "string" not in kinds:
        value = _unquoted(value, kinds, place, notes)
    if isinstance(value, float) and "integer" in kinds and "number" not in kinds and value.is_integer():
        return int(value)
    if isinstance(value, Mapping) and "object" in kinds:
        return _coerced_object(schema, root, value, place, notes, depth)
    if isinstance(value, list | tuple) and "array" in kinds:
        return _coerced_array(schema, root, value, place, notes, depth)
    return value


def _coerced_object(
    schema: Mapping[str, Any],
    root: Mapping[str, Any],
    value: Mapping[str, Any],
    place: str,
    notes: dict[str, None],
    depth: int,
) -> Mapping[str, Any]:
    known, changed = schema.get("properties", {}), {}
    for name, item in value.items():
        if name in known:
            new = _coerced(known[name], root, item, f"{place}.{name}".lstrip("."), notes, depth - 1)
            if new is not item:
                changed[name] = new
    return {**value, **changed} if changed else value


def _coerced_array(
    schema: Mapping[str, Any],
    root: Mapping[str, Any],
    value: Sequence[Any],
    place: str,
    notes: dict[str, None],
    depth: int,
) -> Sequence[Any]:
    items: list[Any] | None = None
    for index, item in enumerate(value):
        # One note for all elements of a list, with the place of the list.
        new = _coerced(schema.get("items"), root, item, place, notes, depth - 1)
        if new is not item:
            items = list(value) if items is None else items
            items[index] = new
    return value if items is None else items


def _unquoted(text: str, kinds: tuple[str, ...], place: str, notes: dict[str, None]) -> Any:
    where = place or "The arguments"
    whole = _WHOLE.fullmatch(text) is not None
    if (whole and "integer" in kinds) or ("number" in kinds and _NUMBER.fullmatch(text)):
        notes[f"{where}: numbers came as strings and were read as numbers."] = None
        return int(text) if whole else float(text)
    opens = {"array": "[", "object": "{"}
    if any(kind in opens and text.lstrip().startswith(opens[kind]) for kind in kinds):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        notes[f"{where}: JSON came as a string and was read as JSON."] = None
        return value
    return text
