"""The smallest changes of bounds that undo a contradiction: "A2 + 4 <= 10 instead of A2 + 4 <= 9"."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from groundstate import Change, pointer

MOST_BOUNDS = 8
"""Bounds of a contradiction that are loosened, each alone."""

MOST_MORE = 1 << 20
"""Largest change of a bound."""

_ENDS = re.compile(r"(?P<left>.*[^<>=!\s])\s*(?P<sign><=|>=)\s*(?P<bound>-?\d+)\s*")
_BOUNDS = (("at_most", 1), ("at_least", -1))


def loosened(
    request: Mapping[str, Any], named: Sequence[int], refuted: Callable[[Mapping[str, Any]], bool]
) -> list[Change]:
    """Changes of single bounds among some constraints, those by the least first.

    Args:
        request: The request.
        named: Indices of the constraints.
        refuted: Whether a request is proven to have no answer, by a short search.
    """
    found: list[tuple[int, Change]] = []
    for index in named:
        for make in _ways(request["constraints"][index]):
            if len(found) == MOST_BOUNDS:
                break
            more = _least(lambda step, i=index, way=make: refuted(_with(request, i, way(step))))  # type: ignore[misc]
            if more is not None:
                found.append((more, _change(request, index, make(more))))
    return [change for _, change in sorted(found, key=lambda one: one[0])]


def _ways(one: Any) -> Iterator[Callable[[int], Any]]:
    """Functions from a step to a constraint whose bound is looser by it."""
    if isinstance(one, str) and (match := _ENDS.fullmatch(one)):
        sign, bound = match["sign"], int(match["bound"])
        yield lambda step: f"{match['left']} {sign} {bound + step if sign == '<=' else bound - step}"
    if isinstance(one, Mapping):
        for key, direction in _BOUNDS:
            given = one.get(key)
            if isinstance(given, int) and not isinstance(given, bool):
                yield lambda step, key=key, low=given, way=direction: {**one, key: low + way * step}  # type: ignore[misc]


def _least(refuted: Callable[[int], bool]) -> int | None:
    """The least step that is not refuted, by doubling and halving; None if a bound is not what is in the way."""
    high = 1
    while refuted(high):
        high *= 2
        if high > MOST_MORE:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if refuted(middle) else (low, middle)
    return high


def _with(request: Mapping[str, Any], index: int, constraint: Any) -> Mapping[str, Any]:
    constraints = list(request["constraints"])
    constraints[index] = constraint
    return {**request, "constraints": constraints}


def _change(request: Mapping[str, Any], index: int, constraint: Any) -> Change:
    before, path = request["constraints"][index], pointer("constraints", index)
    patch = ({"op": "test", "path": path, "value": before}, {"op": "replace", "path": path, "value": constraint})
    name = constraint.get("name") if isinstance(constraint, Mapping) else None
    name = name or f"constraint {index + 1}"
    if isinstance(constraint, str):
        label = f"{constraint} instead of {before.strip()}."
    else:
        key = next(key for key, _ in _BOUNDS if before.get(key) != constraint.get(key))
        label = f"{name} with {key.replace('_', ' ')} {constraint[key]} instead of {before[key]}."
    return Change(f"loosen {name}", label, patch)
