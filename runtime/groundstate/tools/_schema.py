"""The JSON schema of a tool's arguments: the artefact's request schema and the tool's own arguments, in few tokens.

The runtime validates requests against the artefact's full schema; the schema for a language model may be shorter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from groundstate import _words
from groundstate._header import Header

_EXAMPLE = 70
"""Most words and signs of an example. A longer one, such as a board, costs too many tokens."""

_MOST = 800
"""Most words and signs of a schema, about 550 tokens. Above, objects in optional properties become words, largest first."""

_MANY = 100
"""Upper limits from this value on are omitted: language models do not send such large requests."""

_LEAST, _WIDE = 0.001, 10_000
"""Limits of numbers that are omitted: no language model sends numbers beyond them."""

_REPLIES: dict[str, Any] = {"type": "object", "description": "To earlier questions: {question id: option id}."}

_ACTION: dict[str, Any] = {"enum": ["solve", "score"]}

_ANSWER: dict[str, Any] = {"type": "object", "description": "To score."}


def of_arguments(header: Header, *, replies: bool, answers: bool) -> dict[str, Any]:
    """The artefact's request schema with the tool's own arguments.

    Args:
        replies: Whether the arguments include ``replies`` to questions.
        answers: Whether the arguments include ``action`` and ``answer``, to score an answer.
    """
    schema: dict[str, Any] = dict(_words.cleaned(header.request))
    schema["properties"] = {
        **schema.get("properties", {}),
        **({"replies": {**_REPLIES, "additionalProperties": {"type": "string"}}} if replies else {}),
        **({"action": _ACTION, "answer": _ANSWER} if answers else {}),
    }
    return schema


def shown(header: Header, schema: Mapping[str, Any]) -> dict[str, Any]:
    """A tool's schema for a language model: shortened, with one short example if available.

    Args:
        schema: From `of_arguments`.
    """
    slim: dict[str, Any] = _slim({key: value for key, value in schema.items() if key != "examples"})
    slim["additionalProperties"] = False
    if "replies" in slim["properties"] and "replies" not in header.request.get("properties", {}):
        slim["properties"]["replies"] = _REPLIES
    required = schema.get("required", ())
    optional = [name for name in header.request.get("properties", {}) if name not in required]
    for name in sorted(optional, key=lambda name: -_size(slim["properties"][name])):
        if _size(slim) <= _MOST:
            break
        slim["properties"][name] = _in_words(slim["properties"][name])
    if _size(slim) > _MOST:
        _put_in_words(slim, optional)
    examples = list(schema.get("examples", ()))
    if header.self_test and "request" in header.self_test:
        examples.append(header.self_test["request"])
    short = next((example for example in examples if _size(example) <= _EXAMPLE), None)
    return slim if short is None else {**slim, "examples": [short]}


def _put_in_words(slim: dict[str, Any], optional: list[str]) -> None:
    """Replace shared objects that only optional properties refer to by words, which the first of them has."""
    for shared, meant in list(slim.get("$defs", {}).items()):
        ref = f"#/$defs/{shared}"
        using = [name for name in optional if slim["properties"][name].get("items") == {"$ref": ref}]
        everywhere = json.dumps(slim).count(f'"{ref}"')
        if "properties" not in meant or not using or len(using) != everywhere:
            continue
        del slim["$defs"][shared]
        for name in using:
            one = slim["properties"][name]
            if name == using[0]:
                slim["properties"][name] = _in_words({**one, "items": meant})
            else:
                known = f"{one.get('description', '')} Each as in `{using[0]}`.".lstrip()
                slim["properties"][name] = {**one, "items": {"type": meant.get("type", "object")}, "description": known}


def prefixed(schema: Any, part: str) -> Any:
    """A schema with prefixed definitions, which can be combined with another schema's definitions."""
    if isinstance(schema, Mapping):
        return {
            key: value.replace("#/$defs/", f"#/$defs/{part}_", 1)
            if key == "$ref" and isinstance(value, str)
            else prefixed(value, part)
            for key, value in schema.items()
        }
    return [prefixed(item, part) for item in schema] if isinstance(schema, list) else schema


def _slim(schema: Any) -> Any:
    """A schema without the keywords that a language model does not need: trivial limits, titles, closed objects."""
    if isinstance(schema, list):
        return [_slim(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    kept: dict[str, Any] = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            kept[key] = {name: _slim(part) for name, part in value.items()}
        elif key in ("enum", "const", "default", "examples"):
            kept[key] = value
        elif not _trivial(key, value) and not _implied(key, value, schema):
            kept[key] = _slim(value)
    return kept


def _implied(key: str, value: Any, schema: Mapping[str, Any]) -> bool:
    """Whether the rest of a schema makes a keyword unnecessary."""
    if key == "type":
        return "description" in schema and _scalars(value)
    return key == "minimum" and value in (0, 1) and "maximum" not in schema


def _scalars(kinds: Any) -> bool:
    """Whether a type means one of several kinds of scalars, as for durations: the description shows how to write them."""
    return isinstance(kinds, list) and {*kinds} <= {"integer", "number", "string", "boolean", "null"}


def _trivial(key: str, value: Any) -> bool:
    match key:
        case "title" | "$schema" | "$id" | "$comment" | "minLength" | "maxLength" | "minProperties" | "maxProperties":
            return True
        case "additionalProperties" | "items" if isinstance(value, Mapping) and [*value] == ["type"]:
            return _scalars(value["type"])
        case "additionalProperties" | "uniqueItems":
            return isinstance(value, bool)
        case "required":
            return not value
        case "minimum" | "exclusiveMinimum" if isinstance(value, float):
            return bool(0 <= value <= _LEAST)
        case "minimum":
            return bool(value <= -_WIDE)
        case "maximum":
            return bool(value >= _WIDE)
        case "minItems":
            return bool(value <= 1)
        case "maxItems":
            return bool(value >= _MANY)
    return False


def _in_words(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A property with its inner objects written as a line in its description."""
    description = schema.get("description", "")
    kept = dict(schema)
    for key, noun in (("items", "Each"), ("additionalProperties", "By name")):
        inner = kept.get(key)
        either = isinstance(inner, Mapping) and [*inner] == ["anyOf"] and inner["anyOf"][0] == {"type": "string"}
        if isinstance(inner, Mapping) and either:
            inner = {**inner["anyOf"][-1], "type": ["string", "object"]}
        if isinstance(inner, Mapping) and "properties" in inner:
            required = inner.get("required", ())
            parts = [
                f"{name}{'' if name in required else '?'}{_kind(part)}{_note(part)}"
                for name, part in inner["properties"].items()
            ]
            kept[key] = {"type": inner.get("type", "object")}
            description = f"{description} {'Or each' if either else noun}: {{{', '.join(parts)}}}.".lstrip()
    return {**kept, "description": description} if description else kept


def _kind(schema: Mapping[str, Any]) -> str:
    """The type of a property, if its name does not imply it."""
    if "enum" in schema:
        return f": {'|'.join(map(str, schema['enum']))}"
    return f": {schema['type']}" if schema.get("type") in ("integer", "number", "boolean") else ""


def _note(schema: Mapping[str, Any]) -> str:
    """The description of a property, in brackets."""
    text = str(schema.get("description", "")).rstrip(".")
    return f" ({text})" if text else ""


def _size(value: Any) -> int:
    """The number of words and signs: about one and a half times the number of tokens."""
    return len(re.findall(r"\w+|[^\w\s]", json.dumps(value, ensure_ascii=False)))
