"""Finds text in an artefact that reads like instructions to a language model, or hides something from a reader.

A heuristic for people who decide about a file: `groundstate doctor` shows what it finds. Nothing is refused or rewritten.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from groundstate._header import Header
from groundstate._words import clean, shortened

_SHOWN = 120
_CONTEXT = 40

_SIGNS = {
    "speaks to a model": (
        r"\b(?:system prompt|you are an? (?:ai|assistant|agent|language model)|as an ai|assistants? must"
        r"|the (?:llm|assistant|agent|model) (?:must|should|has to|needs to))\b"
    ),
    "overrides instructions": (
        r"\b(?:ignore|disregard|forget|override)\b.{0,30}"
        r"\b(?:instruction|previous|prior|above|earlier|rule|prompt|guideline)"
    ),
    "orders a call": (
        r"\b(?:before|after|instead of|prior to) (?:any|every|each|all|using|calling|you call|you use)\b.{0,40}"
        r"\b(?:tool|call|function|using|solve)|\balways (?:call|use|run|send|read)\b"
    ),
    "asks for secrecy": (
        r"\b(?:do not|don't|never) (?:tell|mention|inform|reveal|show|ask)\b.{0,30}\b(?:user|human|anyone|person|owner)"
        r"|\bsecretly\b|\bwithout (?:telling|asking|informing)\b"
    ),
    "asks for data": (
        r"\b(?:read|send|upload|post|forward|include|exfiltrate|leak)\b.{0,40}"
        r"\b(?:api key|token|password|secret|credential|environment|conversation|chat history|system message)s?\b"
    ),
    "names a place": r"https?://|\bfile://|~/|\.ssh\b|/etc/|\.env\b|\bid_rsa\b|\b[A-Z]:\\",
    "imitates markup": (r"</?(?:system|assistant|user|important|instructions?|tool_call|function)\b|\[/?INST\]|<\|"),
}
"""For each sign, its pattern. They are matched against the cleaned text, in lower case or not."""

_PATTERNS = {sign: re.compile(pattern, re.IGNORECASE | re.DOTALL) for sign, pattern in _SIGNS.items()}


def suspicious(header: Header) -> list[str]:
    """One sentence for each text of a header that reads like instructions to a model, or has invisible characters."""
    found = []
    for place, text in _texts(header):
        visible = clean(text)
        if visible != text:
            found.append(f"{place} has {len(text) - len(visible)} characters that cannot be seen or steer a terminal.")
        for sign, pattern in _PATTERNS.items():
            if (match := pattern.search(visible)) is not None:
                start = max(match.start() - _CONTEXT, 0)
                part = " ".join(visible[start : match.end() + _CONTEXT].split())
                found.append(f"{place} {sign}: {shortened(part, _SHOWN)!r}.")
    return found


def _texts(header: Header) -> Iterator[tuple[str, str]]:
    """Every text that a language model may come to read, with its place."""
    yield "name", header.name
    yield "title", header.title
    yield "description", header.description
    for term in header.terms:
        yield f"terms.{clean(term.name):.40}", f"{term.name} {term.description}"
    for check in header.checks:
        yield f"checks.{clean(check.name):.40}", f"{check.name} {check.description} {check.unit or ''}"
    yield from _strings("request", header.request)
    yield from _strings("answer", header.answer)
    yield from _strings("knowledge", header.knowledge)


def _strings(place: str, value: Any) -> Iterator[tuple[str, str]]:
    todo = [(place, value)]
    while todo:
        where, one = todo.pop()
        if isinstance(one, str):
            yield where, one
        elif isinstance(one, Mapping):
            todo += [(f"{where}.{clean(str(key)):.40}", item) for key, item in one.items()]
            yield from ((where, str(key)) for key in one)
        elif isinstance(one, list | tuple):
            todo += [(f"{where}[{index}]", item) for index, item in enumerate(one)]
