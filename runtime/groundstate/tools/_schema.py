"""The JSON schema of a tool's arguments: the artefact's request schema, and what the tool adds, in as few tokens as will do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from groundstate import _words
from groundstate._header import Header

_EXAMPLE = 240
"""Words and signs of an example. A longer one, such as a 16×16 board, costs more tokens than it is worth."""

_REPLIES: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "Replies to questions in earlier results, {question id: option id}; send the rest unchanged.",
}

_ACTION: dict[str, Any] = {"enum": ["solve", "score"], "description": "score: check `answer` instead of solving."}

_ANSWER: dict[str, Any] = {"type": "object", "description": "Only with action score."}


def of_arguments(header: Header, *, replies: bool, answers: bool) -> dict[str, Any]:
    """The artefact's request schema with the tool's own arguments, and one short example if there is any.

    Args:
        replies: Whether replies to questions may be sent along, as ``replies``.
        answers: Whether an answer may be sent to be scored, as ``action`` and ``answer``.
    """
    schema: dict[str, Any] = {key: value for key, value in _words.cleaned(header.request).items() if key[:1] != "$"}
    if "$defs" in header.request:
        schema["$defs"] = _words.cleaned(header.request["$defs"])
    examples = list(schema.pop("examples", ()))
    if header.self_test and "request" in header.self_test:
        examples.append(header.self_test["request"])
    if (short := next((example for example in examples if _size(example) <= _EXAMPLE), None)) is not None:
        schema["examples"] = [short]
    schema["properties"] = {
        **schema.get("properties", {}),
        **({"replies": _REPLIES} if replies else {}),
        **({"action": _ACTION, "answer": _ANSWER} if answers else {}),
    }
    return schema


def prefixed(schema: Any, part: str) -> Any:
    """A schema whose references to its definitions carry a prefix, so that they can stand beside those of another schema."""
    if isinstance(schema, Mapping):
        return {
            key: value.replace("#/$defs/", f"#/$defs/{part}_", 1)
            if key == "$ref" and isinstance(value, str)
            else prefixed(value, part)
            for key, value in schema.items()
        }
    return [prefixed(item, part) for item in schema] if isinstance(schema, list) else schema


def _size(example: Any) -> int:
    """About as many as its tokens, without a tokenizer."""
    return len(re.findall(r"\w+|[^\w\s]", json.dumps(example)))
