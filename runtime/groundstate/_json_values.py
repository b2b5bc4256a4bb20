"""Values as plain JSON: copies, counts, and what JSON does not have."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from groundstate._errors import Fault

_EXACT = 2**53
"""Below this, every whole number is exact in floating point."""

_DEEPEST = 200
"""Levels of a request. The validator takes several of Python's frames for each."""

FIXED = {int, str, bool, type(None)}
SCALARS = {*FIXED, float}


def plain(value: Any, *, whole: bool = False) -> Any:
    """Copy a value as plain JSON: arrays, NumPy scalars and tuples become lists and numbers.

    Args:
        whole: Whether floating-point numbers without a fraction become whole numbers: 5.0 becomes 5.
    """
    if type(value) in FIXED:
        return value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(name): item if type(item) in FIXED else plain(item, whole=whole) for name, item in value.items()}
    if isinstance(value, list | tuple):
        kinds = set(map(type, value))
        if kinds <= SCALARS:
            return [_whole(item) for item in value] if whole and float in kinds else list(value)
        return [plain(item, whole=whole) for item in value]
    return _whole(value) if whole else value


def _whole(value: Any) -> Any:
    return int(value) if type(value) is float and value.is_integer() and abs(value) < _EXACT else value


def count_values(value: Any, most: int) -> int | None:
    """The number of values in JSON: properties, entries, elements of arrays; None if they are nested too deeply.

    Counting stops above ``most``.
    """
    total, level = 0, [value]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for one in level:
            items: Any = ()
            if type(one) is list or isinstance(one, list | tuple):
                total, items = total + len(one), one
            elif isinstance(one, Mapping):
                total, items = total + len(one), one.values()
            else:
                shape = getattr(one, "shape", ())  # of an array
                total += math.prod(shape) if isinstance(shape, tuple) else 1
            if total > most:
                return total
            if not SCALARS.issuperset(map(type, items)):
                below.extend(item for item in items if type(item) not in SCALARS)
        if not below:
            return total
        level = below
    return None


def not_json(value: Any, place: str) -> Fault | None:
    """The fault of the first value that JSON does not have; None if there is none."""
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            inner = f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".lstrip(".")
            if (found := not_json(item, inner)) is not None:
                return found
        return None
    if isinstance(value, int | float | str | None):
        return None
    return Fault(place, f"A value of type {type(value).__name__} is not allowed here; JSON does not have it.")


def not_finite(value: Any, place: str) -> Fault | None:
    """The fault of the first number in plain JSON that is NaN or infinite; None if there is none."""
    if isinstance(value, list) and set(map(type, value)) <= SCALARS - {float}:
        return None
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            inner = f"{place}[{key}]" if isinstance(key, int) else f"{place}.{key}".lstrip(".")
            if (found := not_finite(item, inner)) is not None:
                return found
        return None
    if type(value) is float and not math.isfinite(value):
        return Fault(place, f"{value!r} is not allowed here; a finite number is.")
    return None
