"""Words for people: counts, lists, near misses, cleaned text, schemas in a line."""

from __future__ import annotations

import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from groundstate import _words


def test_counts_and_lists_read_as_english() -> None:
    assert [_words.plural(n, "chain") for n in (0, 1, 2, 1024)] == ["0 chains", "1 chain", "2 chains", "1,024 chains"]
    assert _words.plural(2, "property", "properties") == "2 properties"
    assert [_words.listed(items) for items in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
    assert _words.quoted(["a", 1], "or") == "'a' or 1"
    assert _words.first("abcd", 2) == ["a", "b", "and 2 more"]
    assert _words.first("ab", 2) == ["a", "b"]


def test_near_misses_are_named_and_others_are_not() -> None:
    assert _words.did_you_mean("sudokku", ["sudoku", "chess"]) == " Did you mean 'sudoku'?"
    assert _words.did_you_mean("zebra", ["sudoku", "chess"]) == ""
    assert _words.did_you_mean(5, ["sudoku"]) == ""


@given(st.text(), st.integers(20, 200))
def test_shortened_text_is_short_and_begins_as_it_did(text: str, most: int) -> None:
    short = _words.shortened(text, most)
    assert len(short) <= most
    assert text.startswith(short.removesuffix("…"))
    assert short == text or len(text) > most


@given(st.text(st.characters(exclude_categories=())))
def test_cleaned_text_has_nothing_that_steers_a_terminal(text: str) -> None:
    clean = _words.clean(text)
    clean.encode()
    assert all(c in "\n\t" or unicodedata.category(c)[0] != "C" or unicodedata.category(c) == "Cn" for c in clean)
    assert _words.clean(clean) == clean
    assert [c for c in text if c.isalnum()] == [c for c in clean if c.isalnum()]


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 0, "maximum": 9}, "integer 0 to 9"),
        ({"type": "number", "minimum": 0}, "number 0 or more"),
        ({"type": ["string", "null"]}, "string | null"),
        ({"enum": ["a", 1, None]}, '"a" | 1 | null'),
        ({"type": "array", "items": {"type": "string"}, "minItems": 2, "maxItems": 2}, "[2 × string]"),
        ({"type": "object"}, "object"),
        ({"type": "object", "additionalProperties": {"type": "string"}}, "{any name: string}"),
        ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, "anything"),
        ({"anyOf": [{"properties": {"type": {"const": kind}}} for kind in "ab"]}, '{"type": "a" | "b", …}'),
        (True, "anything"),
    ],
)
def test_schemas_are_put_into_a_line(schema: Any, words: str) -> None:
    assert _words.schema_in_words(schema) == words
