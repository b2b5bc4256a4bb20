"""Checks that a JSON schema in a file is usable: no references to the outside, and only what a validator accepts.

Regular expressions are allowed as far as Python's engine matches them in a time that does not explode.

`jsonschema` checks more, but its import takes a tenth of a second, and most requests do not need it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from groundstate._errors import ArtefactError
from groundstate._schema_work import DATA, NAMES, WorkError, examine_work

LONGEST_MATCHED = 1_000
"""Characters of a text that is matched with a regular expression of a file."""

_DEEPEST = 64
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef", "$id", "id")
_TYPES = {"integer", "number", "array", "object", "string", "boolean", "null"}


def examine(schema: Mapping[str, Any], noun: str) -> None:
    """Refuse a schema that refers to anything outside of it, or that a validator cannot use.

    Args:
        noun: Name of the validated value, for the message.

    Raises:
        ArtefactError: With the keyword that is wrong.
    """
    try:
        _examine(schema, _DEEPEST)
        examine_work(schema)
    except (_UnusableError, WorkError) as error:
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
        if key not in DATA or key in _CHECKS:
            _examine_keyword(key, value, depth)


def _examine_keyword(key: str, value: Any, depth: int) -> None:
    if key not in NAMES:
        if (check := _CHECKS.get(key)) is not None:
            check(key, value)
        if key not in DATA:
            _examine(value, depth - 1)
        return
    if not isinstance(value, Mapping):
        raise _UnusableError(f"its {key} {value!r:.80} maps no names to schemas")
    for name, one in value.items():
        if key == "patternProperties":
            _pattern(key, name)
        _schema(f"{key}.{name:.40}", one)
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
        reason = unsafe(str(value))
    except (re.error, RecursionError, OverflowError) as error:
        raise _UnusableError(f"its {key} {value!r:.80} is not a regular expression ({error!s:.80})") from None
    if reason is not None:
        raise _UnusableError(f"its {key} {value!r:.80} has {reason}, so that matching may take for ever")


def unsafe(pattern: str) -> str | None:
    """What may make a match take time that grows faster than the square of the text; None if nothing does.

    Python's engine goes back and tries again. With repeats side by side that takes a power of the text's length, with repeats
    inside of repeats an exponential.

    Raises:
        re.error: If it is not a regular expression.
    """
    re.compile(pattern)
    # The standard library's own reader, which has no public name.
    return _unsafe(import_module("re._parser").parse(pattern), [1])


def _unsafe(parsed: Any, tries: list[int], *, repeated: bool = False) -> str | None:
    """As `unsafe`. `tries` counts how often the engine may go back, at most, for a text of `LONGEST_MATCHED` characters."""
    for operator, argument in parsed:
        name = str(operator)
        if name in ("GROUPREF", "GROUPREF_EXISTS", "ASSERT", "ASSERT_NOT"):
            return "a reference to a group or a look around"
        if repeated and ("REPEAT" in name or name == "BRANCH"):
            return "a repeat or a choice within a repeat"
        if "REPEAT" in name:
            tries[0] *= min(int(argument[1]) - int(argument[0]) + 1, LONGEST_MATCHED)
            if tries[0] > LONGEST_MATCHED**2:
                return "too many repeats of any length"
        for part in _inner(argument):
            if (reason := _unsafe(part, tries, repeated=repeated or "REPEAT" in name)) is not None:
                return reason
    return None


def _inner(argument: Any) -> list[Any]:
    """The expressions within an operator's argument."""
    if hasattr(argument, "getwidth"):
        return [argument]
    if isinstance(argument, list | tuple):
        return [part for one in argument for part in _inner(one)]
    return []


def _names(key: str, value: object) -> None:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _UnusableError(f"its {key} is {value!r:.80}; it must be a list of names")


def _list(key: str, value: object) -> None:
    if not isinstance(value, list) or not value:
        raise _UnusableError(f"its {key} is {value!r:.80}; it must be a list that is not empty")


def _schemas(key: str, value: object) -> None:
    _list(key, value)
    assert isinstance(value, list)
    for one in value:
        _schema(key, one)


def _schema(key: str, value: object) -> None:
    if not isinstance(value, Mapping | bool):
        raise _UnusableError(f"its {key} is {value!r:.80}; it must be a schema")


def _boolean(key: str, value: object) -> None:
    if not isinstance(value, bool):
        raise _UnusableError(f"its {key} is {value!r:.80}; it must be true or false")


_LIMITS = [
    f"{end}{what}" for end in ("min", "max") for what in ("imum", "Length", "Items", "Properties", "Contains")
] + ["exclusiveMinimum", "exclusiveMaximum"]
_CHECKS: dict[str, Callable[[str, object], None]] = {
    **dict.fromkeys(_REFERENCES, _within),
    **dict.fromkeys(_LIMITS, _number),
    "type": _type,
    "multipleOf": _above_zero,
    "pattern": _pattern,
    "required": _names,
    "enum": _list,
    "uniqueItems": _boolean,
    **dict.fromkeys(("anyOf", "oneOf", "allOf", "prefixItems"), _schemas),
    **dict.fromkeys(
        (
            "items",
            "additionalProperties",
            "propertyNames",
            "contains",
            "not",
            "if",
            "then",
            "else",
            "unevaluatedItems",
            "unevaluatedProperties",
        ),
        _schema,
    ),
}
