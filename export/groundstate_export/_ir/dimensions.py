"""Products of named sizes, by which a header describes how large a problem is."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sympy  # type: ignore[import-untyped]  # it has no types

from groundstate_export._ir.lengths import Length
from groundstate_export._ir.values import Batch, Dimension

Powers = tuple[tuple[str, int], ...]
"""Sizes by name, each with its power."""

BATCH = "batch"


@dataclass(frozen=True)
class Product:
    """A constant times powers of sizes.

    Attributes:
        times: The constant.
        powers: The sizes, sorted by name.
    """

    times: int
    powers: Powers = ()

    def __str__(self) -> str:
        names = [name for name, power in self.powers for _ in range(power)]
        return "*".join([*([] if self.times == 1 and names else [str(self.times)]), *names])


def product(shape: Iterable[Dimension]) -> Product:
    """The number of elements of a tensor per row of the batch; at least that number, if it is not a product of sizes."""
    found = [_bound(d.times if isinstance(d, Batch) else d) for d in shape]
    powers: dict[str, int] = {}
    for name, power in (pair for one in found for pair in one.powers):
        powers[name] = powers.get(name, 0) + power
    return Product(math.prod(one.times for one in found), tuple(sorted(powers.items())))


def _bound(d: int) -> Product:
    if not isinstance(d, Length):
        return Product(d)
    most: dict[str, int] = {}
    times = 0.0
    for term in sympy.Add.make_args(d.expression):
        factor, powers = _monomial(term)
        times += max(factor, 0.0)
        for name, power in powers.items():
            most[name] = max(most.get(name, 0), power)
    return Product(max(1, math.ceil(times)), tuple(sorted(most.items())))


def _monomial(term: Any) -> tuple[float, dict[str, int]]:
    """A number and powers whose product is at least a term, for sizes of at least 1."""
    if term.is_Number:
        return float(term), {}
    if term.is_Symbol:
        return 1.0, {term.name: 1}
    parts = [_monomial(part) for part in term.args]
    if type(term).__name__ == "FloorDiv":
        total, powers = _sum(parts[:1] if not term.args[0].is_Add else [_monomial(t) for t in term.args[0].args])
        return (total / float(term.args[1]) if term.args[1].is_Number else total), powers
    if term.is_Pow and term.args[1].is_Integer:
        factor, powers = parts[0]
        power = int(term.args[1])
        return factor**power, {name: n * power for name, n in powers.items()}
    if term.is_Mul:
        powers = {}
        for _, each in parts:
            for name, power in each.items():
                powers[name] = powers.get(name, 0) + power
        return math.prod(factor for factor, _ in parts), powers
    return _sum(parts)


def _sum(parts: Iterable[tuple[float, dict[str, int]]]) -> tuple[float, dict[str, int]]:
    total, powers = 0.0, dict[str, int]()
    for factor, each in parts:
        total += max(factor, 0.0)
        for name, power in each.items():
            powers[name] = max(powers.get(name, 0), power)
    return total, powers


def greatest(products: Iterable[Product]) -> list[Product]:
    """The candidates for the greatest product over all sizes."""
    distinct = list(dict.fromkeys(products))
    return [one for one in distinct if not any(one != other and _within(one, other) for other in distinct)]


def _within(one: Product, other: Product) -> bool:
    most = dict(other.powers)
    return one.times <= other.times and all(power <= most.get(name, 0) for name, power in one.powers)
