"""Numbers of a request, with their units."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from groundstate_models.equilibrium.parts import Vector
from groundstate_models.equilibrium.structure import Structure
from groundstate_models.equilibrium.words import NUMBER, MisreadError

LENGTHS = {"mm": 0.001, "cm": 0.01, "m": 1.0, "km": 1000.0, "in": 0.0254, "ft": 0.3048}
MASSES = {"g": 0.001, "kg": 1.0, "t": 1000.0, "lb": 0.45359237}
FORCES = {"N": 1.0, "kN": 1000.0}
ANGLES = {"deg": 1.0, "degrees": 1.0, "°": 1.0}
TABLES = {"length": LENGTHS, "mass": MASSES, "force": FORCES, "angle": ANGLES}

LEAST, MOST = 1e-30, 1e30
"""Bounds of a length, a stiffness or a mass; no number is larger. Products of several then neither vanish nor overflow."""

MOST_NOTICES = 10


class Quantities:
    """Reads numbers; ``structure`` gets the notices of conversions, and three dimensions with the first place in space.

    Every method raises `MisreadError` for what it cannot read.

    Args:
        unit: The unit of length of the request.
        structure: What is read so far.
    """

    def __init__(self, unit: str | None, structure: Structure) -> None:
        self.unit, self.structure = unit, structure

    def number(self, value: Any, kind: str | None) -> float:
        """A number, with its unit converted: ``kind`` is length, mass, force, angle, or None for a plain number."""
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise MisreadError(f"{str(value)[:40]!r} is not a number.")
        if isinstance(value, str):
            match = re.fullmatch(rf"\s*({NUMBER})\s*([A-Za-z°]*)\s*", value)
            if match is None:
                raise MisreadError(f"{value[:40]!r} is not a number.")
            found, unit = float(match[1]), match[2]
            if unit:
                table = TABLES.get(kind or "", {})
                if unit not in table:
                    raise MisreadError(f"{value!r} has the unit {unit!r}; {kind or 'a plain number'} is needed here.")
                found *= table[unit]
                if kind == "length":
                    found /= LENGTHS.get(self.unit or "m", 1.0)
                    if unit != (self.unit or "m"):
                        notice = f"{value.strip()} was read as {found:g} {self.unit or 'm'}."
                        if notice not in self.structure.notices and len(self.structure.notices) < MOST_NOTICES:
                            self.structure.notices.append(notice)
        else:
            found = float(value) if abs(value) <= MOST or value != value else math.inf
        if math.isnan(found):
            raise MisreadError(f"{value} is not finite.")
        if abs(found) > MOST:
            raise MisreadError(f"{str(value)[:20]} is too large; numbers go up to {MOST:g}.")
        return found

    def positive(self, value: Any, kind: str | None, what: str) -> float:
        found = self.number(value, kind)
        if found <= 0:
            raise MisreadError(f"The {what} is {found:g}; it must be positive.")
        if found < LEAST:
            raise MisreadError(f"The {what} is {found:g}; it must be at least {LEAST:g}.")
        return found

    def vector(self, value: Any, kind: str | None = "length") -> Vector:
        """Two or three numbers."""
        if isinstance(value, str) or not isinstance(value, Sequence) or len(value) not in {2, 3}:
            raise MisreadError(f"{str(value)[:40]} is not a place; give two or three numbers, such as [0, 2.5].")
        found = [self.number(v, kind) for v in value]
        if len(found) == 3:
            self.structure.dimensions = 3
        return (found[0], found[1], found[2] if len(found) == 3 else 0.0)

    def friction(self, value: Any) -> None:
        found = self.number(value, None)
        if found < 0:
            raise MisreadError(f"The friction is {found:g}; it must be at least 0.")
        self.structure.friction = found
