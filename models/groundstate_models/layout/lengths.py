"""Lengths as people write them: numbers, or numbers with a unit, in the unit of the request."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

MILLIMETRES = {
    "mm": 1.0,
    "cm": 10.0,
    "dm": 100.0,
    "m": 1000.0,
    "in": 25.4,
    '"': 25.4,
    "inch": 25.4,
    "inches": 25.4,
    "ft": 304.8,
    "'": 304.8,
    "feet": 304.8,
    "foot": 304.8,
    "pt": 25.4 / 72,
}
PIXELS = {"px", "pixel", "pixels"}

NUMBER = r"-?\d+(?:\.\d+)?"
UNIT = r"(?:mm|cm|dm|m|inches|inch|in|feet|foot|ft|pt|pixels|pixel|px)"
LENGTH = rf"{NUMBER}\s*{UNIT}?\b"


class MisreadError(Exception):
    """Something that cannot be read; the text is a sentence for the user."""


@dataclass
class Lengths:
    """Reads lengths, and converts them to one unit.

    Attributes:
        unit: Of the request: the one given, or else the first that is seen; empty for plain numbers.
        converted: Texts that were converted.
    """

    unit: str = ""
    converted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._stated = bool(self.unit)
        self._units: dict[str, str] = {}
        self._plain = ""

    @property
    def mixed(self) -> str | None:
        """A sentence if a number may be in either of several units: it has none, and neither has the request."""
        if self._stated or not self._plain or len(self._units) < 2:
            return None
        first, second, *_ = self._units
        return (
            f"The {self._units[first]} is in {first}, the {self._units[second]} in {second}, and the {self._plain} has no unit; "
            f'write such as "unit": "{first}", the unit of numbers without one.'
        )

    def read(self, value: Any, what: str = "length") -> float:
        """A finite number in the request's unit.

        Raises:
            MisreadError: If it is none, or of a unit that cannot be converted.
        """
        if isinstance(value, bool) or value is None:
            raise MisreadError(f"The {what} is {value!r}; write a number, such as 60 or '60 cm'.")
        if isinstance(value, list | dict):
            raise MisreadError(f"The {what} is {value!r}; write a number, such as 60 or '60 cm'.")
        if isinstance(value, int | float):
            if not math.isfinite(value):
                raise MisreadError(f"The {what} is {value!r}; it must be finite.")
            self._seen_plain(value, what)
            return float(value)
        match = re.fullmatch(rf"\s*({NUMBER})\s*({UNIT}|\"|')?\s*", str(value), re.IGNORECASE)
        if match is None:
            raise MisreadError(f"The {what} is {value!r}; write a number, such as 60 or '60 cm'.")
        number, unit = float(match[1]), (match[2] or "").lower()
        unit = "px" if unit in PIXELS else unit
        if not unit:
            self._seen_plain(number, what)
            return number
        self._units.setdefault(unit, what)
        if not self.unit:
            self.unit = unit
        if unit == self.unit:
            return number
        if unit not in MILLIMETRES or self.unit not in MILLIMETRES:
            raise MisreadError(
                f"The {what} is in {unit}, and the request is in {self.unit}; neither converts to the other."
            )
        self.converted.append(f"{match[0].strip()} was converted to {self.unit}.")
        return number * MILLIMETRES[unit] / MILLIMETRES[self.unit]

    def _seen_plain(self, value: float, what: str) -> None:
        # Zero is the same in every unit.
        if value and not self._plain:
            self._plain = what

    @staticmethod
    def number(value: Any, what: str) -> float:
        """A finite number without a unit."""
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise MisreadError(f"The {what} is {value!r}; it must be a number.")
        return float(value)

    def positive(self, value: Any, what: str) -> float:
        found = self.read(value, what)
        if found <= 0:
            raise MisreadError(f"The {what} is {value!r}; it must be positive.")
        return found

    def area(self, value: Any, what: str) -> float:
        """A positive area in the square of the request's unit: a number, or text such as ``"16 m²"``."""
        match = re.fullmatch(
            rf"\s*({NUMBER})\s*(?:({UNIT})\s*(?:\^?2|²)|(?:sq|square)\s+({UNIT}))\s*", str(value), re.IGNORECASE
        )
        if match is None:
            if not isinstance(value, str) or re.fullmatch(rf"\s*{NUMBER}\s*", value):
                return self.positive(value, what)
            raise MisreadError(f"The {what} is {value!r}; write a number, or such as '16 m²'.")
        # A side of the square of one unit, in the request's unit.
        before = len(self.converted)
        side = self.positive(f"1 {match[2] or match[3]}", what)
        if len(self.converted) > before:
            self.converted[-1] = f"{match[0].strip()} was converted to {self.unit}²."
        return self.positive(float(match[1]), what) * side * side

    def size(self, value: Any, what: str) -> tuple[float, float]:
        """Width and depth: two numbers, ``"60 x 40 cm"``, or an object with width and depth (or height)."""
        if isinstance(value, str):
            parts = re.split(r"\s*(?:x|×|by|\*)\s*", value.strip(), flags=re.IGNORECASE)
            unit = re.search(rf"{UNIT}\s*$", parts[-1], re.IGNORECASE) if len(parts) == 2 else None
            if unit and not re.search(UNIT, parts[0], re.IGNORECASE):
                parts[0] += " " + unit[0]
            value = parts
        if isinstance(value, dict):
            value = [value.get("width"), value.get("depth", value.get("height", value.get("length")))]
        if not isinstance(value, list | tuple) or len(value) < 2:
            raise MisreadError(f"The size of {what} is {value!r}; write width and depth, such as [60, 40].")
        return self.positive(value[0], f"width of {what}"), self.positive(value[1], f"depth of {what}")

    def place(self, value: Any, what: str) -> tuple[float, float]:
        if isinstance(value, dict):
            value = [value.get("x"), value.get("y")]
        if not isinstance(value, list | tuple) or len(value) != 2:
            raise MisreadError(f"The place of {what} is {value!r}; write two numbers, such as [100, 80].")
        return self.read(value[0], f"x of {what}"), self.read(value[1], f"y of {what}")
