"""The arguments of the tool that learns: their schema for a language model, and their check before anything starts."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import groundstate as gs
from groundstate_models.learned.process import Budget

_TEXTS: dict[str, Any] = {"type": "array", "items": {"type": "string"}}
_CASES: dict[str, Any] = {"type": "array", "items": {"type": "object"}}

_NAME = "^[A-Za-z_][A-Za-z0-9_]{0,40}$"

FEWEST = 5
"""Smallest number of examples."""

LONGEST = 80
"""Largest number of characters of a variable's name: names come back in schemas, which every caller reads."""

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "examples": {
            "type": "array",
            "minItems": FEWEST,
            "description": "One complete example an entry: an object of names and values, or the rows of a grid.",
            "items": {"type": ["object", "array", "string"]},
        },
        "name": {"type": "string", "pattern": _NAME, "description": "Name of the new tool."},
        "kind": {"enum": ["rules", "table"], "description": "Default: decided by the values."},
        "known": {"type": "array", "items": {"type": "object"}, "description": "Constraints that certainly hold."},
        "possible": {**_CASES, "description": "Cases that may be: replies to questions."},
        "impossible": {**_CASES, "description": "Cases that never are: replies to questions."},
        "forget": {"type": "string", "description": "Instead of all others: the learned tool to delete."},
    },
    "additionalProperties": False,
}

RETURNS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "tool": {"type": "string", "description": "Name of the new tool."},
        "arguments": {"type": "object", "description": "The schema of its arguments."},
        "report": _TEXTS,
        "questions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"text": {"type": "string"}, "case": {"type": "object"}},
                "required": ["text", "case"],
            },
        },
        "message": {"type": "string"},
    },
    "required": ["tool", "report", "message"],
}


def check_arguments(arguments: Any, budget: Budget) -> None:
    """Check arguments before a process starts.

    Raises:
        RequestError: With the place and what is allowed.
    """
    if not isinstance(arguments, Mapping) or (extra := arguments.keys() - SCHEMA["properties"].keys()):
        odd = f" There is no {str(min(extra, key=str))[:60]!r}." if isinstance(arguments, Mapping) else ""
        raise fault("", f"The arguments are `examples` and options.{odd}")
    if "forget" in arguments:
        if len(arguments) > 1 or not isinstance(arguments["forget"], str):
            raise fault("forget", "This must be the name of a learned tool, without other arguments.")
        return
    _check_size(arguments, budget)
    _check_examples(arguments.get("examples"), budget)
    name = arguments.get("name")
    if name is not None and not (isinstance(name, str) and re.fullmatch(_NAME, name)):
        raise fault("name", f"{str(name)[:60]!r} is not a word of up to 41 letters, digits and underscores.")
    if arguments.get("kind") not in (None, "rules", "table"):
        raise fault("kind", "This must be 'rules' or 'table'.")
    for part in ("known", "possible", "impossible"):
        given = arguments.get(part, [])
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise fault(part, "This must be a list of objects.")


def fault(where: str, message: str) -> gs.RequestError:
    """A refusal with one fault."""
    return gs.RequestError([gs.Fault(where, message)])


def _check_size(arguments: Mapping[str, Any], budget: Budget) -> None:
    try:
        size = len(json.dumps(dict(arguments), ensure_ascii=False))
    except (TypeError, ValueError, RecursionError):
        raise fault("", "The arguments must be JSON: lists, objects, numbers, texts and null.") from None
    if size > budget.characters:
        allowed = f"up to {budget.characters:,} are allowed. Send a sample of the examples."
        raise fault("", f"The arguments have {size:,} characters; {allowed}")


def _check_examples(examples: Any, budget: Budget) -> None:
    if not isinstance(examples, list):
        raise fault("examples", "This must be a list with one example an entry.")
    if len(examples) < FEWEST:
        are = "is 1 example" if len(examples) == 1 else f"are {len(examples)} examples"
        raise fault("examples", f"There {are}; learning needs {FEWEST}.")
    for place, example in enumerate(examples, 1):
        if isinstance(example, Mapping) and (odd := next(filter(_unfit, example), None)) is not None:
            message = (
                f"The name {str(odd)[:30]!r} in example {place} is not allowed: a name has up to {LONGEST} printable "
                "characters in one line."
            )
            raise fault("examples", message)
    cells = _cells(examples)
    if cells > budget.cells:
        message = f"There are {cells} values; up to {budget.cells} are allowed. Send a sample of the examples."
        raise fault("examples", message)


def _unfit(name: object) -> bool:
    return not isinstance(name, str) or len(name) > LONGEST or not name.isprintable()


def _cells(examples: list[Any]) -> int:
    """The number of values; a text is a value, or one for each character if it may be a board."""
    found, left = 0, list(examples)
    while left:
        one = left.pop()
        if isinstance(one, Mapping):
            left.extend(one.values())
        elif isinstance(one, list):
            left.extend(one)
        else:
            found += len(one) if isinstance(one, str) and len(one) > 8 else 1
    return found
