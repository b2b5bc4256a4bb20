"""Checks that the references of a JSON schema lead somewhere, and do not multiply the work on a value.

``{"allOf": [{"$ref": "#/$defs/b"}, {"$ref": "#/$defs/b"}]}``, forty times over, is short and means 2^40 checks of one value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote

MOST = 1_000
"""Maximum number of schemas that apply to one value. The bundled models have at most three."""

DEEPEST = 200
"""Maximum number of references that follow one another."""

_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_ONE = ("not", "if", "then", "else")
_SEVERAL = ("allOf", "anyOf", "oneOf")
"""Keywords whose schemas apply to the same value as the schema that has them."""

_NAMED = ("dependentSchemas",)


NAMES = frozenset({"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"})
"""Keywords whose value maps names to schemas; the names are not keywords."""

DATA = frozenset({"const", "enum", "default", "examples", "required", "title", "description", "$comment"})
"""Keywords whose value contains no schema."""


class WorkError(Exception):
    """The schema cannot be used. The text is a clause whose subject is part of the schema."""


def examine_work(schema: Mapping[str, Any]) -> None:
    """Refuse a schema whose references lead nowhere, go round in a circle, or multiply.

    Raises:
        WorkError: It is one of these.
    """
    document = _Document(schema)
    for one in _schemas(schema):
        document.count(one)


class _Document:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._counts: dict[int, int] = {}
        self._open: set[int] = set()
        self._anchors = {
            str(one[name]): one for one in _schemas(root) for name in ("$anchor", "$dynamicAnchor") if name in one
        }

    def count(self, schema: Any) -> int:
        """The number of schemas that apply to a value to which this one applies."""
        if not isinstance(schema, Mapping):
            return 0
        key = id(schema)
        if key in self._counts:
            return self._counts[key]
        if key in self._open:
            raise WorkError("a reference in it goes round in a circle")
        if len(self._open) > DEEPEST:
            raise WorkError(f"more than {DEEPEST} references in it follow one another")
        self._open.add(key)
        total = 1 + sum(map(self.count, self._applied(schema)))
        self._open.remove(key)
        if total > MOST:
            raise WorkError(f"its references multiply: more than {MOST:,} schemas apply to one value")
        self._counts[key] = total
        return total

    def _applied(self, schema: Mapping[str, Any]) -> Iterator[Any]:
        """The schemas that apply to the same value, as often as they do."""
        for name in _REFERENCES:
            if name in schema:
                yield self._found(str(schema[name]))
        for name in _ONE:
            yield schema.get(name)
        for name in _SEVERAL:
            yield from value if isinstance(value := schema.get(name), list) else ()
        for name in _NAMED:
            yield from value.values() if isinstance(value := schema.get(name), Mapping) else ()

    def _found(self, reference: str) -> Any:
        """What a reference within the document leads to."""
        place = unquote(reference.removeprefix("#"))
        found: Any = self._root
        if place and not place.startswith("/"):
            found = self._anchors.get(place)
        for step in place.split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            if isinstance(found, list):
                found = found[int(name)] if name.isdecimal() and int(name) < len(found) else None
            else:
                found = found.get(name) if isinstance(found, Mapping) else None
        if not isinstance(found, Mapping | bool):
            raise WorkError(f"it refers to a place {reference!r:.80} that it does not have")
        return found


def _schemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every schema in a schema."""
    todo: list[tuple[Any, bool]] = [(schema, False)]
    while todo:
        one, names = todo.pop()
        if isinstance(one, list):
            todo += ((item, False) for item in one)
        elif isinstance(one, Mapping):
            if not names:
                yield one
            todo += ((item, key in NAMES and not names) for key, item in one.items() if names or key not in DATA)
