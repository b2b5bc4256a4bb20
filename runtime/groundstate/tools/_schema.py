"""JSON schemas as language models read them: with an example, two in one, and in a single line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from groundstate._header import Header

_LONGEST = 400
_DEEPEST = 6


REPLIES: dict[str, Any] = {
    "type": "object",
    "additionalProperties": {"type": "string"},
    "description": "Only to reply to questions in earlier results: {id of the question: id of the option}, with earlier replies "
    "kept. Send everything else unchanged.",
}


def of_request(header: Header, *, replies: bool) -> dict[str, Any]:
    """The artefact's request schema; with the request that it tests itself with as example, where it brings none.

    Args:
        replies: Whether replies to questions may be sent along, as ``replies``.
    """
    schema = dict(header.request)
    if header.self_test and "request" in header.self_test:
        schema.setdefault("examples", [header.self_test["request"]])
    if replies:
        schema["properties"] = {**schema.get("properties", {}), "replies": REPLIES}
    return schema


def of_score(header: Header) -> dict[str, Any]:
    """A schema of ``{"request": …, "answer": …}``. References stay right: definitions move to the top under new names."""
    parts = {"request": dict(header.request), "answer": dict(header.answer)}
    said = {"request": "The problem, as it was given.", "answer": "The answer to judge; it may be wrong."}
    definitions: dict[str, Any] = {}
    properties: dict[str, Any] = {}
    for part, schema in parts.items():
        moved = prefixed(schema, part)
        definitions |= {f"{part}_{name}": definition for name, definition in moved.pop("$defs", {}).items()}
        moved.pop("$schema", None)
        properties[part] = {"description": said[part], **moved}
    schema = {
        "type": "object",
        "properties": properties,
        "required": list(parts),
        "additionalProperties": False,
    }
    return schema | ({"$defs": definitions} if definitions else {})


def in_a_line(schema: Mapping[str, Any]) -> str:
    """What a schema allows, short enough for an error message: ``{"grid": [9 × [9 × integer 0 to 9]]}``."""
    line = _said(schema, schema, _DEEPEST)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


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


def _said(schema: Any, root: Mapping[str, Any], depth: int) -> str:
    if not isinstance(schema, Mapping) or depth == 0:
        return "anything"
    if "$ref" in schema:
        return _said(_target(str(schema["$ref"]), root), root, depth - 1)
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return " | ".join(_said(option, root, depth - 1) for option in schema[choice])
    return _typed(schema, root, depth)


def _typed(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> str:
    match schema.get("type", "anything"):
        case "object":
            required = schema.get("required", ())
            entries = (
                f'"{name}"{"" if name in required else " (optional)"}: {_said(value, root, depth - 1)}'
                for name, value in schema.get("properties", {}).items()
            )
            others = schema.get("additionalProperties")
            any_name = [f"any name: {_said(others, root, depth - 1)}"] if isinstance(others, Mapping) else []
            return "{" + ", ".join([*entries, *any_name]) + "}"
        case "array":
            inner = _said(schema.get("items"), root, depth - 1)
            return f"[{_range(schema.get('minItems', 0), schema.get('maxItems'))} × {inner}]"
        case "integer" | "number" as kind:
            low, high = schema.get("minimum"), schema.get("maximum")
            return kind if low is None and high is None else f"{kind} {_range(low, high)}"
        case list() as kinds:
            return " | ".join(map(str, kinds))
        case kind:
            return str(kind)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"up to {high}"
    if high is None:
        return f"{low} or more"
    return str(low) if low == high else f"{low} to {high}"


def _target(reference: str, root: Mapping[str, Any]) -> Any:
    found: Any = root
    for key in reference.removeprefix("#/").split("/"):
        found = found.get(key) if isinstance(found, Mapping) else None
    return found
