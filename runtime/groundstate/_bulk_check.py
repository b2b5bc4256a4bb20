"""Checks of whole lists of numbers at once: the fast path of a valid request."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import chain
from typing import Any

Bounds = tuple[frozenset[type], float, float]
"""Allowed types, least value and greatest value of an element."""

_KINDS_OF: dict[str, frozenset[type]] = {
    "integer": frozenset((int,)),
    "number": frozenset((int, float)),
    "string": frozenset((str,)),
}


def _scalar(schema: Any) -> Bounds | None:
    """The bounds in the schema of a number or an unrestricted string; None for other kinds or other keywords."""
    if not isinstance(schema, Mapping) or schema.keys() - {"type", "minimum", "maximum", "description", "title"}:
        return None
    named = schema.get("type")
    kinds = frozenset[type]()
    for name in [named] if isinstance(named, str) else named or [""]:
        if name not in _KINDS_OF:
            return None
        kinds |= _KINDS_OF[name]
    low, high = schema.get("minimum"), schema.get("maximum")
    if str in kinds and (low, high) != (None, None):
        return None
    return kinds, -math.inf if low is None else low, math.inf if high is None else high


def bounds_of(schema: Any, shape: tuple[int, ...]) -> Bounds | None:
    """The bounds of the elements, if the schema is nested arrays of exactly this shape of bounded numbers; else None."""
    for size in shape:
        if not isinstance(schema, Mapping) or schema.keys() - {"description", "title", "examples"} != {
            "type",
            "items",
            "minItems",
            "maxItems",
        }:
            return None
        if schema["type"] != "array" or schema["minItems"] != size or schema["maxItems"] != size:
            return None
        schema = schema["items"]
    bounds = _scalar(schema)
    return None if bounds is None or str in bounds[0] else bounds


def copy_within(value: Any, shape: tuple[int, ...], bounds: Bounds, *, whole: bool) -> Any:
    """A copy of nested lists of exactly this shape and numbers within bounds; None if it is not that, or must be converted.

    It makes no Python call for each element: a board of 81 cells takes a few microseconds.

    Args:
        whole: As in `plain`: then floating-point numbers must be converted.
    """
    level = [value]
    for size in shape:
        if set(map(type, level)) - {list} or set(map(len, level)) - {size}:
            return None
        level = list(chain.from_iterable(level))
    kinds, low, high = bounds
    present = set(map(type, level))
    if not present <= kinds or (float in present and (whole or not all(map(math.isfinite, level)))):
        return None
    if level and not (low <= min(level) and max(level) <= high):
        return None
    return _copy_nested(value, len(shape))


def _copy_nested(value: Any, depth: int) -> Any:
    if depth == 0:
        return value
    return value.copy() if depth == 1 else [_copy_nested(item, depth - 1) for item in value]


def within(value: Any, shape: tuple[int, ...], bounds: Bounds) -> bool:
    if not shape:
        kinds, low, high = bounds
        return type(value) in kinds and low <= value <= high and math.isfinite(value)
    if not isinstance(value, list) or len(value) != shape[0]:
        return False
    if len(shape) == 1:
        return _row_within(value, bounds)
    return all(within(item, shape[1:], bounds) for item in value)


def _row_within(row: list[Any], bounds: Bounds) -> bool:
    kinds, low, high = bounds
    if not row:
        return True
    present = set(map(type, row))
    if not present <= kinds or (float in present and not all(map(math.isfinite, row))):
        return False
    bounded = low > -math.inf or high < math.inf
    return not bounded or (low <= min(row) and max(row) <= high)


def all_within(values: list[Any], schema: Any) -> bool:
    """Whether a bulk check shows that the schema allows every element of a list; False if it cannot tell."""
    bounds = _scalar(schema)
    return bounds is not None and _row_within(values, bounds)
