"""Arguments as language models send them: what is meant beyond doubt is taken so, and that is said."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_WHOLE = re.compile(r"\s*[+-]?\d{1,18}\s*")
_DEEPEST = 12


def mended(schema: Mapping[str, Any], value: Any) -> tuple[Any, list[str]]:
    """A value closer to what a schema asks for, and a sentence for each kind of thing that was read differently than sent.

    JSON in a string becomes what it spells where an object or an array is asked for, and digits in a string a number where a
    whole number is. Nothing that the schema allows is touched, and nothing is guessed: what remains wrong is for it to refuse.
    """
    notes: dict[str, None] = {}
    return _mend(schema, schema, value, "", notes, _DEEPEST), list(notes)


def _mend(schema: Any, root: Mapping[str, Any], value: Any, place: str, notes: dict[str, None], depth: int) -> Any:
    schema = _resolved(schema, root)
    if not isinstance(schema, Mapping) or depth == 0:
        return value
    kinds = schema.get("type", ())
    kinds = (kinds,) if isinstance(kinds, str) else tuple(kinds)
    if isinstance(value, str) and "string" not in kinds:
        value = _unquoted(value, kinds, place, notes)
    if isinstance(value, Mapping) and "object" in kinds:
        known = schema.get("properties", {})
        return {
            name: _mend(known[name], root, item, f"{place}.{name}".lstrip("."), notes, depth - 1)
            if name in known
            else item
            for name, item in value.items()
        }
    if isinstance(value, list | tuple) and "array" in kinds:
        # One sentence for all entries of a list: their place is that of the list.
        return [_mend(schema.get("items"), root, item, place, notes, depth - 1) for item in value]
    return value


def _unquoted(text: str, kinds: tuple[str, ...], place: str, notes: dict[str, None]) -> Any:
    where = place or "The arguments"
    if "integer" in kinds and _WHOLE.fullmatch(text):
        notes[f"{where}: numbers came as strings and were read as numbers."] = None
        return int(text)
    opens = {"array": "[", "object": "{"}
    if any(kind in opens and text.lstrip().startswith(opens[kind]) for kind in kinds):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        notes[f"{where}: JSON came as a string and was read as JSON."] = None
        return value
    return text


def _resolved(schema: Any, root: Mapping[str, Any]) -> Any:
    for _ in range(_DEEPEST):
        if not isinstance(schema, Mapping) or not isinstance(schema.get("$ref"), str):
            return schema
        found: Any = root
        for key in schema["$ref"].removeprefix("#/").split("/"):
            found = found.get(key) if isinstance(found, Mapping) else None
        schema = found
    return schema
