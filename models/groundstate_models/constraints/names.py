"""Suggestions for misspelt names."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from groundstate_models.constraints.factors import Value

_MOST = 5_000
"""Most names to compare."""


def nearest(word: Value, words: Sequence[Value]) -> str:
    """A suggestion with the nearest name, after a blank: " Did you mean 'x'?"; or an empty text."""
    spelt = {str(other): other for other in words[:_MOST]}
    close = difflib.get_close_matches(str(word), list(spelt), n=1)
    return f" Did you mean {spelt[close[0]]!r}?" if close else ""


def hinted(word: Value, words: Sequence[Value]) -> str:
    """`nearest` as the end of a clause: "; did you mean 'x'?", or an empty text."""
    close = nearest(word, words)
    return f"; d{close[2:]}" if close else ""
