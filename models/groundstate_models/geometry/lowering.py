"""Maps named points and circles to the indices of a `System`; constraints write their rows with it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from groundstate_models.geometry.expressions import Atom, Product, Sum
from groundstate_models.geometry.system import AT_LEAST, EQUAL, System

APART = 1e-3
"""Distance kept between distinct points, and of a point from the border of its side, relative to the scale."""

DEGREES = 180.0 / math.pi


@dataclass
class Lowering:
    """Maps names to a system and writes its rows.

    Attributes:
        scale: Length of one unit of the system.
        circles: The name of the centre of each circle.
        units: Size of one unit of each scalar, by name.
        solid: Whether points have a third coordinate.
    """

    points: Sequence[str]
    circles: Mapping[str, str]
    arcs: Mapping[str, tuple[str, str, str]]
    unknowns: Sequence[str]
    scale: float
    units: Mapping[str, float]
    solid: bool = False
    system: System = field(init=False)
    source: int = -1
    products: dict[Product, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.places = {name: 2 * number for number, name in enumerate(self.points)}
        self.scalars = dict.fromkeys((*(f"radius {k}" for k in self.circles), *self.unknowns), 0)
        self.hidden = 0
        self.system = System(len(self.points), len(self.scalars), self.solid)
        for number, name in enumerate(self.scalars):
            self.scalars[name] = self.system.scalar(number)

    # -- quantities ------------------------------------------------------------------------------------------------------

    @property
    def one(self) -> int:
        return self.system.one

    def measure(self, kind: str, *names: str) -> int:
        """A measure of the vector a → b, or of a → b and c → d."""
        return self.system.measure(kind, *(self.places[name] for name in names))

    def coordinates(self, name: str) -> tuple[int, ...]:
        """The indices of a point's coordinates."""
        place = self.places[name]
        return (place, place + 1, self.system.height(place // 2)) if self.solid else (place, place + 1)

    def radius(self, circle: str) -> int:
        return self.scalars[f"radius {circle}"]

    def atom(self, atom: Atom) -> list[tuple[float, int]]:
        """An atom as a sum of quantities, each with the size of one unit in the user's units."""
        kind, *names = atom
        unit = self.scale
        if kind == "length":
            return [(unit, self.measure("length", *names))]
        if kind == "angle":
            a, vertex, b = names
            return [(DEGREES, self.measure("angle", vertex, a, vertex, b))]
        if kind == "area":
            return self.area(names)
        if kind == "distance":
            p, a, b = names
            return [(unit, self.measure("height size", a, b, a, p))]
        if kind == "radius":
            return [(unit, self.radius(names[0]))]
        if kind == "unknown":
            return [(self.units.get(names[0], 1.0), self.scalars[names[0]])]
        return [(unit, self.coordinates(names[0])["xyz".index(kind)])]

    def area(self, names: Sequence[str]) -> list[tuple[float, int]]:
        unit = self.scale**2 / 2
        if len(names) > 3 and self.solid:
            raise ValueError("In space only the area of a triangle is understood.")
        if len(names) == 4:
            a, b, c, d = names
            return [(unit, self.measure("cross size", a, c, b, d))]
        first = names[0]
        return [(unit, self.measure("cross size", first, one, first, two)) for one, two in pairwise(names[1:])]

    def terms(self, value: Sum) -> list[tuple[float, int, int]]:
        """The terms of a sum's products of at most two atoms, without its constant."""
        found = []
        for product, coefficient in value.terms.items():
            if not product:
                continue
            parts = [self.atom(atom) for atom in product]
            if len(parts) == 1:
                parts.append([(1.0, self.one)])
            found += [(float(coefficient) * u * v, i, j) for u, i in parts[0] for v, j in parts[1]]
        return found

    # -- rows ------------------------------------------------------------------------------------------------------------

    def equal(self, *terms: tuple[float, int, int], constant: float = 0.0, scale: float = 1.0) -> None:
        self.system.row(terms, constant, self.source, scale=scale, kind=EQUAL)

    def at_least(self, *terms: tuple[float, int, int], constant: float = 0.0, scale: float = 1.0) -> None:
        self.system.row(terms, constant, self.source, scale=scale, kind=AT_LEAST)

    def zero(self, quantity: int) -> None:
        self.equal((1.0, quantity, self.one))

    def aligned(self, a: str, b: str, c: str, d: str, *, parallel: bool = False) -> None:
        """Write rows: the vectors a → b and c → d are parallel.

        In the plane that is one row: the height of d over the line ab, or the sine. In space it is the three components of the
        cross product, since its size has no slope at 0.
        """
        if not self.solid:
            self.zero(self.measure("sine" if parallel else "height", a, b, c, d))
            return
        p, q, r, s = (self.coordinates(name) for name in (a, b, c, d))
        for i, j in ((0, 1), (1, 2), (2, 0)):
            ends = [
                (sign * other, q_[i], s_[j])
                for sign, q_ in ((1.0, q), (-1.0, p))
                for other, s_ in ((1.0, s), (-1.0, r))
            ]
            ends += [
                (-sign * other, q_[j], s_[i])
                for sign, q_ in ((1.0, q), (-1.0, p))
                for other, s_ in ((1.0, s), (-1.0, r))
            ]
            self.equal(*ends)

    def positive(self, *quantities: int, sign: float = 1.0, margin: float = APART) -> None:
        """Write a row: the product of one or two quantities is at least a margin."""
        self.at_least((sign, quantities[0], (*quantities, self.one)[1]), constant=-margin)
