"""Words that name no exact time, and what to write instead."""

from __future__ import annotations

import re

_WORDS = (
    (
        r"(?:around|about|approximately|roughly|circa|ca\.|approx\.?|sharp-?ish|ish)(?![a-z])|~",
        'is not exact; write a window, such as "9:30-10:30".',
    ),
    (
        r"(?:asap|as\s+soon\s+as\s+possible)\b",
        'is a preference, not a time: {"type": "earlier", "activities": ...} under "preferences".',
    ),
    (r"(?:over)?nights?\b", 'passes midnight; write "mon 22:00 - tue 6:00".'),
    (r"(?:a\s+)?(?:couple|few)\b", 'is not a number; write "2 days" or a date.'),
    (
        r"(?:whenever|later)\b",
        'names no time; leave the window out if any time will do, or write "after 14:00".',
    ),
    (r"(?:first|last)\s+thing\b", 'is not exact; write "9:00-10:00" or "before 10:00".'),
    (r"(?:monthly|quarterly|yearly)\b", 'is no window; write each date, or "first Monday of June".'),
)

VAGUE = tuple(pattern for pattern, _ in _WORDS)
"""Patterns of these words."""


def vague(word: str) -> str:
    """The rest of the sentence that refuses a word, which is its subject."""
    return next(said for pattern, said in _WORDS if re.match(pattern, word))
