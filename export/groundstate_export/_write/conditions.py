"""Conditions on sizes in the header's form: a remainder, a least and a greatest length of a named size.

A captured function holds only at sizes at which its path is the captured one. The conditions of that path are many and
intricate, such as ``4*((h - 1)//4) + 4 == h``. They are evaluated at many sizes, and described as a whole. The graph still
checks the conditions themselves, so a description that says too little is no danger; one that says too much would refuse
a right request, so it must be exact at every size that was tried.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from groundstate_export._examine.sizes import Sizes
from groundstate_export._ir.program import Condition
from groundstate_export._ir.values import Array

_LONGEST = 512
"""Each size is tried from 1 to this, with the other sizes at an example's."""

_TOGETHER = 4096
"""Random sizes, all at once, at which the description is compared with the conditions."""

_MOST_MULTIPLE = 128


def described_conditions(conditions: Iterable[Condition], sizes: Sizes) -> list[dict[str, Any]]:
    """The conditions on each size, as the header has them; empty if they are not a condition on each size alone."""
    expressions = [one.expression for one in conditions]
    if not expressions:
        return []
    example = sizes.nominal()
    found: dict[str, dict[str, Any]] = {}
    for name in sizes.lengths:
        lengths = np.arange(1, _LONGEST + 1)
        held = _held(expressions, {n: lengths if n == name else np.full_like(lengths, m) for n, m in example.items()})
        one = _described(lengths[held])
        if one is None:
            return []
        if one:
            found[name] = one
    random = np.random.default_rng(0)
    together = {name: random.integers(1, 65, _TOGETHER) for name in sizes.lengths}
    right = np.ones(_TOGETHER, bool)
    for name, one in found.items():
        right &= _fits(together[name], one)
    if (right < _held(expressions, together)).any():
        return []
    return [{"size": name, **one} for name, one in found.items()]


def _described(lengths: Array) -> dict[str, Any] | None:
    """A description that fits exactly these lengths out of all that were tried; None if there is none."""
    if len(lengths) == 0:
        return None
    least, most = int(lengths[0]), int(lengths[-1])
    multiple = math.gcd(*(int(n) - least for n in lengths)) if len(lengths) > 1 else 1
    if not 1 <= multiple <= _MOST_MULTIPLE or (len(lengths) == 1 and most == _LONGEST):
        return None
    one: dict[str, Any] = {}
    if multiple > 1:
        one |= {"multiple": multiple, "remainder": least % multiple}
    if least > (one.get("remainder", 0) or multiple):
        one["least"] = least
    if most <= _LONGEST - multiple:
        one["most"] = most
    tried = np.arange(1, _LONGEST + 1)
    return one if np.array_equal(tried[_fits(tried, one)], lengths) else None


def _fits(lengths: Array, one: Mapping[str, int]) -> Array:
    fits = (lengths >= one.get("least", 1)) & (lengths <= one.get("most", np.iinfo(np.int64).max))
    found: Array = fits & (lengths % one.get("multiple", 1) == one.get("remainder", 0))
    return found


def _held(expressions: Iterable[Any], lengths: Mapping[str, Array]) -> Array:
    """Where all conditions hold."""
    held = np.ones(len(next(iter(lengths.values()))), bool)
    with np.errstate(all="ignore"):
        for expression in expressions:
            try:
                held &= _value(expression, lengths).astype(bool)
            except _UnknownError:
                continue  # the graph checks it
    return held


class _UnknownError(Exception):
    pass


_RELATIONS = {
    "Equality": np.equal, "Unequality": np.not_equal, "StrictLessThan": np.less, "StrictGreaterThan": np.greater,
    "LessThan": np.less_equal, "GreaterThan": np.greater_equal, "Add": np.add, "Mul": np.multiply, "Max": np.maximum,
    "Min": np.minimum, "Mod": np.mod, "PythonMod": np.mod, "FloorDiv": np.floor_divide, "CleanDiv": np.floor_divide,
    "And": np.logical_and, "Or": np.logical_or,
}  # fmt: skip


def _value(expression: Any, lengths: Mapping[str, Array]) -> Array:
    if expression.is_Integer:
        return np.full(len(next(iter(lengths.values()))), int(expression))
    if expression.is_Symbol:
        return lengths[expression.name]
    name = type(expression).__name__
    if name in {"BooleanTrue", "BooleanFalse"}:
        return np.full(len(next(iter(lengths.values()))), name == "BooleanTrue")
    parts = [_value(part, lengths) for part in expression.args]
    if name == "Not":
        found: Array = ~parts[0].astype(bool)
        return found
    if name in {"Pow", "PowByNatural"} and expression.args[1].is_Integer and int(expression.args[1]) >= 0:
        return parts[0] ** int(expression.args[1])
    if name not in _RELATIONS:
        raise _UnknownError
    first, *rest = parts
    for other in rest:
        first = _RELATIONS[name](first, other)
    return first
