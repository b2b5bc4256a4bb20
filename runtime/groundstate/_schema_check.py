"""Checks that a JSON schema in a file is usable: no references to the outside, and only what a validator accepts.

`jsonschema` checks more, but its import takes a tenth of a second, and most requests do not need it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from groundstate._errors import ArtefactError

_DEEPEST = 64
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef", "$id", "id")
_TYPES = {"integer", "number", "array", "object", "string", "boolean", "null"}
_NAMES = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
"""Keywords whose value maps names to schemas; the names are not keywords."""

_DATA = {"const", "enum", "default", "examples", "required", "title", "description", "$comment"}
"""Keywords whose value contains no schema."""


def examine(schema: Mapping[str, Any], noun: str) -> None:
    """Refuse a schema that refers to anything outside of it, or that a validator cannot use.

    Args:
        noun: Name of the validated value, for the message.

    Raises:
        ArtefactError: With the keyword that is wrong.
    """
    try:
        _examine(schema, _DEEPEST)
    except _UnusableError as error:
        raise ArtefactError(f"The artefact's schema of the {noun} cannot be used: {error}.") from None


class _UnusableError(Exception):
    pass


def _examine(schema: Any, depth: int) -> None:
    if depth == 0:
        raise _UnusableError(f"it is nested more than {_DEEPEST} deep")
    if isinstance(schema, list):
        for one in schema:
            _examine(one, depth - 1)
    for key, value in schema.items() if isinstance(schema, Mapping) else ():
        if key not in _DATA:
            _examine_keyword(key, value, depth)


def _examine_keyword(key: str, value: Any, depth: int) -> None:
    if key not in _NAMES:
        if (check := _CHECKS.get(key)) is not None:
            check(key, value)
        _examine(value, depth - 1)
        return
    if not isinstance(value, Mapping):
        raise _UnusableError(f"its {key} {value!r:.80} maps no names to schemas")
    for one in value.values():
        _examine(one, depth - 1)


def _within(key: str, value: object) -> None:
    if not isinstance(value, str) or not value.startswith("#"):
        raise _UnusableError(
            f"its {key} {value!r:.80} leads out of the document; only a place within it may be named, as '#/…'"
        )


def _type(key: str, value: object) -> None:
    del key
    for kind in value if isinstance(value, list) else [value]:
        if not isinstance(kind, str) or kind not in _TYPES:
            raise _UnusableError(f"the type {kind!r:.80} is unknown")


def _above_zero(key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not value > 0:
        raise _UnusableError(f"its {key} is {value!r:.80}; it must be above 0")


def _number(key: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _UnusableError(f"its {key} is {value!r:.80}; it must be a number")


def _pattern(key: str, value: object) -> None:
    try:
        re.compile(str(value))
    except (re.error, RecursionError, OverflowError) as error:
        raise _UnusableError(f"its {key} {value!r:.80} is no regular expression ({error})") from None


_LIMITS = [
    f"{end}{what}" for end in ("min", "max") for what in ("imum", "Length", "Items", "Properties", "Contains")
] + ["exclusiveMinimum", "exclusiveMaximum"]
_CHECKS: dict[str, Callable[[str, object], None]] = {
    **dict.fromkeys(_REFERENCES, _within),
    **dict.fromkeys(_LIMITS, _number),
    "type": _type,
    "multipleOf": _above_zero,
    "pattern": _pattern,
}
