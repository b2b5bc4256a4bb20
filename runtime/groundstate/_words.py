"""Words for people: counts, lists, near misses, and JSON schemas in a few words. Every message of the package uses these."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_DEEPEST = 6
"""Levels of a schema that are put into words."""

_LONGEST_WORD, _MOST_WORDS = 80, 1_000
"""Characters of a word, and number of words, that near misses are looked for in."""

_INVISIBLE = {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}
"""Unicode categories that a terminal acts on or that a reader cannot see: control, format (bidirectional marks among them)."""


def plural(count: int, noun: str, nouns: str | None = None) -> str:
    """``1 chain``, ``1,024 chains``. The plural ends in ``s`` unless `nouns` is given."""
    return f"{count:,} {noun if count == 1 else nouns or noun + 's'}"


def listed(items: Iterable[object], last: str = "and") -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    texts = [str(item) for item in items]
    return f" {last} ".join([", ".join(texts[:-1]), texts[-1]] if len(texts) > 1 else texts)


def quoted(items: Iterable[object], last: str = "and") -> str:
    """`listed`, with each item as Python writes it."""
    return listed((repr(item) for item in items), last)


def first(items: Iterable[object], most: int) -> list[str]:
    """The first items as text; where there are more than `most`, how many were left out."""
    texts = [str(item) for item in items]
    return texts if len(texts) <= most else [*texts[:most], f"and {len(texts) - most:,} more"]


def nearest(word: object, known: Iterable[object], cutoff: float = 0.6) -> str | None:
    """The known word that a misspelt one most likely means; None where none is near."""
    import difflib  # 5 ms, and only on the way to an error

    # The time grows with the product of the lengths.
    if not isinstance(word, str) or len(word) > _LONGEST_WORD:
        return None
    words = [one for one in known if isinstance(one, str) and len(one) <= _LONGEST_WORD]
    close = difflib.get_close_matches(word, words[:_MOST_WORDS], n=1, cutoff=cutoff)
    return close[0] if close else None


def did_you_mean(word: object, known: Iterable[object], cutoff: float = 0.6) -> str:
    """`` Did you mean 'sudoku'?``, with the space before it, or nothing."""
    near = nearest(word, known, cutoff)
    return "" if near is None else f" Did you mean {near!r}?"


def shortened(text: str, most: int) -> str:
    """The text, cut with an ellipsis between two words where it is longer than `most` characters."""
    if len(text) <= most:
        return text
    head = text[: most - 1]
    return f"{head[: head.rfind(' ')] if ' ' in head[most // 2 :] else head}…"


def clean(text: str) -> str:
    """Text of unknown origin without the characters that steer a terminal or hide from a reader; line ends and tabs stay."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in "\n\t" or unicodedata.category(c) not in _INVISIBLE)


def cleaned(value: Any) -> Any:
    """JSON with every string, keys too, passed through `clean`."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, Mapping):
        return {cleaned(name): cleaned(item) for name, item in value.items()}
    return [cleaned(item) for item in value] if isinstance(value, list | tuple) else value


def schema_in_words(schema: Any, root: Mapping[str, Any] | None = None, depth: int = _DEEPEST) -> str:
    """A JSON schema in one line: ``{"grid": [9 × [9 × integer 0 to 9]]}``.

    Args:
        root: The document that references point into; the schema itself if None.
        depth: Levels that are written out; what lies deeper is an ellipsis.
    """
    root = schema if root is None else root
    schema = resolved(schema, root)
    if not isinstance(schema, Mapping):
        return "anything"
    if depth == 0:
        return "…"
    if "enum" in schema:
        return " | ".join(map(_literal, schema["enum"]))
    if "const" in schema:
        return _literal(schema["const"])
    for choice in ("anyOf", "oneOf"):
        if choice in schema:
            return _choice(schema[choice], root, depth)
    return _typed(schema, root, depth)


def _typed(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> str:
    match schema.get("type", "anything"):
        case "object":
            return _object(schema, root, depth)
        case "array":
            count = _range(schema.get("minItems", 0), schema.get("maxItems"))
            return f"[{count} × {schema_in_words(schema.get('items'), root, depth - 1)}]"
        case "integer" | "number" as kind:
            low, high = schema.get("minimum"), schema.get("maximum")
            return str(kind) if low is None and high is None else f"{kind} {_range(low, high)}"
        case list() as kinds:
            return " | ".join(schema_in_words({**schema, "type": kind}, root, depth) for kind in kinds)
        case kind:
            return str(kind)


def resolved(schema: Any, root: Mapping[str, Any]) -> Any:
    """A schema, or what it refers to within its document (``#/$defs/name``); None where it refers to nothing."""
    for _ in range(2 * _DEEPEST):
        if not isinstance(schema, Mapping) or not isinstance(schema.get("$ref"), str):
            return schema
        found: Any = root
        for key in schema["$ref"].removeprefix("#/").split("/"):
            found = found.get(key) if isinstance(found, Mapping) else None
        schema = found
    return None


def _object(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> str:
    required = schema.get("required", ())
    parts = [
        f'"{name}"{"" if name in required else " (optional)"}: {schema_in_words(value, root, depth - 1)}'
        for name, value in schema.get("properties", {}).items()
    ]
    if isinstance(others := schema.get("additionalProperties"), Mapping):
        parts.append(f"any name: {schema_in_words(others, root, depth - 1)}")
    return "{" + ", ".join(parts) + "}" if parts else "object"


def _choice(options: Sequence[Any], root: Mapping[str, Any], depth: int) -> str:
    tags = [
        option.get("properties", {}).get("type", {}).get("const") if isinstance(option, Mapping) else None
        for option in options
    ]
    if all(tags):
        return f'{{"type": {" | ".join(map(_literal, tags))}, …}}'
    return " | ".join(dict.fromkeys(schema_in_words(option, root, depth - 1) for option in options))


def _literal(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _range(low: float | None, high: float | None) -> str:
    if low is None:
        return f"up to {high}"
    if high is None:
        return f"{low} or more"
    return str(low) if low == high else f"{low} to {high}"
