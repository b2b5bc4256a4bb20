"""JSON schemas of tool results: for hosts that check results, and for models that plan with them."""

from __future__ import annotations

from typing import Any

from groundstate import _words
from groundstate._header import Header
from groundstate._solution import Status
from groundstate.tools import _schema
from groundstate.tools._content import Detail

_TEXT: dict[str, Any] = {"type": "string"}
_TEXTS: dict[str, Any] = {"type": "array", "items": _TEXT}
_OBJECTS: dict[str, Any] = {"type": "array", "items": {"type": "object"}}


def _object(properties: dict[str, Any], *required: str) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


_OPTION = _object({"id": _TEXT, "label": _TEXT, "answers_left": {"type": "integer"}}, "id")
_QUESTION = _object(
    {"id": _TEXT, "text": _TEXT, "options": {"type": "array", "items": _OPTION}, "reply": _TEXT},
    "id",
    "text",
    "options",
)


def of_solution(header: Header, detail: Detail) -> dict[str, Any]:
    """The schema of `_content.of_solution` and `_content.of_score`. Answers fit the artefact's schema; attempts need not."""
    answer = _schema.prefixed(_words.cleaned(header.answer), "answer")
    definitions = {f"answer_{name}": definition for name, definition in answer.pop("$defs", {}).items()}
    answer.pop("$schema", None)
    right = {"$ref": "#/$defs/answer"}
    brief = {
        "answer": right,
        "closest": {
            "type": "object",
            "description": "The closest attempt. It is not an answer: it violates checks, or has not converged.",
        },
        "alternatives": {"type": "array", "items": right},
        "further_alternatives": {"type": "integer"},
        "violations": _TEXTS,
        "question": _QUESTION,
    }
    full = {
        "answer": {"anyOf": [right, {"type": "object"}, {"type": "null"}]},
        "closest": {"type": ["object", "null"]},
        "violations": _OBJECTS,
        "alternatives": {"type": "array", "items": _object({"answer": right}, "answer")},
        "question": {"anyOf": [_QUESTION, {"type": "null"}]},
        "terms": {"type": "object", "additionalProperties": {"type": "number"}},
    }
    record = {
        "status": {"enum": [status.value for status in Status]},
        "message": _TEXT,
        "explanation": _TEXT,
        "optimal": {"type": "boolean", "description": "Whether it is proven that no answer costs less."},
        "bound": {"type": ["number", "null"], "description": "A proven lower bound on the cost of every answer."},
        "read_as": {**_TEXTS, "description": "How arguments were read where not as they were sent."},
        "asked": {
            "type": "array",
            "items": _object({"id": _TEXT, "text": _TEXT, "reply": _TEXT}, "id", "text", "reply"),
            "description": "Questions that were replied to during the call; the answer respects the replies.",
        },
        "valid": {"type": ["boolean", "null"], "description": "Only when an answer was scored."},
        "energy": {"type": ["number", "null"], "description": "Lower is better."},
    }
    return _object(record | (full if detail == "full" else brief)) | {"$defs": {"answer": answer, **definitions}}


OF_DESCRIPTION: dict[str, Any] = {
    "type": "object",
    "properties": {"models": _OBJECTS, "name": _TEXT, "title": _TEXT, "description": _TEXT},
}
"""The schema of `DescribeTool` results: all models in one line each, or one model."""
