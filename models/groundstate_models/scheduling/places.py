"""Places of a request, as faults and contradictions name them: ``people.Ada.busy[1]``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any


def steps(place: str) -> list[str | int]:
    """The steps to a place: ``["people", "Ada", "busy", 1]``."""
    return [int(step) if step.isdecimal() else step for step in re.findall(r"[^.\[\]]+", place)]


def at(request: Any, path: Sequence[str | int]) -> Any:
    """The value at a place; None if there is none."""
    value = request
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value
