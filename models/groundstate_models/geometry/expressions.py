"""Sums of products of lengths, angles, areas, radii, coordinates and named unknowns: one side of an equation.

An `Atom` is a tuple: its kind and its names. Its value is in the user's units, angles in degrees. A `Sum` maps
products of atoms to their coefficients, which are exact fractions as long as the text allows it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

Atom = tuple[str, ...]
Number = Fraction | float
Product = tuple[Atom, ...]

ANGLES = ("angle",)
ATOMS = ("length", "angle", "area", "distance", "radius", "unknown", "x", "y")


def length(a: str, b: str) -> Atom:
    return ("length", *sorted((a, b)))


def angle(a: str, vertex: str, b: str) -> Atom:
    first, last = sorted((a, b))
    return ("angle", first, vertex, last)


@dataclass(frozen=True)
class Sum:
    """``Σ coefficient · product``; the constant is the coefficient of the empty product."""

    terms: Mapping[Product, Number] = field(default_factory=dict)

    @classmethod
    def of(cls, value: Atom | Number | int) -> Sum:
        if isinstance(value, tuple):
            return cls({(value,): Fraction(1)})
        return cls({(): value if isinstance(value, float) else Fraction(value)}) if value != 0 else cls({})

    @property
    def constant(self) -> Number:
        return self.terms.get((), Fraction(0))

    @property
    def is_constant(self) -> bool:
        return all(not product for product in self.terms)

    @property
    def degree(self) -> int:
        return max(map(len, self.terms), default=0)

    def atoms(self) -> Iterator[Atom]:
        """Every atom once, in order."""
        yield from dict.fromkeys(atom for product in self.terms for atom in product)

    def __add__(self, other: Sum) -> Sum:
        terms = dict(self.terms)
        for product, coefficient in other.terms.items():
            total = terms.get(product, Fraction(0)) + coefficient
            terms[product] = total
        return Sum({product: c for product, c in terms.items() if c != 0})

    def __mul__(self, other: Sum | Number | int) -> Sum:
        if not isinstance(other, Sum):
            return Sum({product: c * other for product, c in self.terms.items() if other != 0})
        result = Sum()
        for one, c in self.terms.items():
            result = result + Sum({tuple(sorted((*one, *two))): c * d for two, d in other.terms.items()})
        return result

    def __neg__(self) -> Sum:
        return self * -1

    def __sub__(self, other: Sum) -> Sum:
        return self + (-other)

    def __str__(self) -> str:
        """Readable text: ``2·AB − angle CDE·radius k``."""
        parts = []
        for product, coefficient in self.terms.items():
            size = f"{abs(float(coefficient)):.6g}"
            names = "·".join(map(_told, product))
            text = names if size == "1" and names else "·".join(filter(None, (size, names)))
            parts.append(f"{'−' if coefficient < 0 else '+'} {text}")
        return " ".join(parts).removeprefix("+ ") or "0"

    def value(self, measure: Mapping[Atom, float]) -> float:
        """The value of the sum, from the values of its atoms."""
        total = 0.0
        for product, coefficient in self.terms.items():
            term = float(coefficient)
            for atom in product:
                term *= measure[atom]
            total += term
        return total


def _told(atom: Atom) -> str:
    kind, *names = atom
    if kind in {"length", "unknown"}:
        return "".join(names)
    if kind in {"x", "y"}:
        return f"{names[0]}.{kind}"
    if kind == "distance":
        return f"distance {names[0]} to {names[1]}{names[2]}"
    return f"{kind} {''.join(names)}"
