"""Parses text into sums: ``2 AB + x``, ``angle ABC - 30°``, ``area ABCD``, ``|AB|^2 / 4``, ``radius of k``, ``5√3 cm``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

from groundstate_models.geometry.expressions import Number, Sum, angle, length
from groundstate_models.geometry.names import MisreadError, Names

LENGTHS = {
    "mm": Fraction(1, 1000), "cm": Fraction(1, 100), "dm": Fraction(1, 10), "m": Fraction(1), "km": Fraction(1000),
    "in": Fraction(254, 10000), "inch": Fraction(254, 10000), "inches": Fraction(254, 10000),
    "ft": Fraction(3048, 10000), "feet": Fraction(3048, 10000), "yd": Fraction(9144, 10000),
    "px": Fraction(1), "unit": Fraction(1), "units": Fraction(1),
}  # fmt: skip
"""Units of length, in metres; pixels and units stand alone."""

DEGREE = {"°", "deg", "degree", "degrees"}
RADIAN = {"rad", "radian", "radians"}

_TOKEN = re.compile(
    r"\s*(?:(?P<number>\d+(?:\.\d+)?(?:[eE][-+]?\d+)?|\.\d+)|(?P<word>[^\W\d_][\w'′]*(?:\.[\w'′.]+)?)|(?P<mark>\*\*|[-+*/·×÷:^()|,∠√π°²³−|]))"
)
_WORDS = {
    "angle", "area", "perimeter", "radius", "diameter", "circumference", "distance", "length", "dist", "sqrt", "sin", "cos",
    "tan", "pi", "directed", "len",
}  # fmt: skip
_FILL = {
    "of",
    "the",
    "triangle",
    "quadrilateral",
    "polygon",
    "circle",
    "segment",
    "line",
    "from",
    "between",
    "rectangle",
    "square",
}

LARGEST = 1e12
_UNKNOWN = re.compile(r"[^\W\d_](?:_?\w|\d{1,3})?|alpha|beta|gamma|delta|theta|phi|psi|omega")

Ratio = tuple[Sum, Sum]


@dataclass
class Formula:
    """A parsed side of an equation: numerator, denominator, and whether it was written in radians or degrees."""

    over: Sum
    under: Sum
    radians: bool = False
    degrees: bool = False


class Parser:
    """Reads formulas. Unknown names become unknowns.

    Args:
        names: Points, circles and lines; new names are added.
        unit: The length unit that coordinates are in, or None if lengths are plain numbers so far.
    """

    def __init__(self, names: Names, unit: str | None = None) -> None:
        self.names, self.unit = names, unit
        self.converted: list[str] = []

    def parse(self, text: str) -> Formula:
        """Parse a side of an equation.

        Raises:
            MisreadError: If the text is not a formula.
        """
        self.text, self.tokens, self.at = text, self._tokens(text), 0
        self.radians = self.degrees = False
        if not self.tokens:
            raise MisreadError("A side of an equation is empty.")
        over, under = self._sum()
        if self.at < len(self.tokens):
            raise MisreadError(f"{text.strip()!r} is not understood from {self.tokens[self.at]!r} on.")
        return Formula(over, under, self.radians, self.degrees)

    def _tokens(self, text: str) -> list[str]:
        found, at = [], 0
        text = text.rstrip()
        while at < len(text):
            match = _TOKEN.match(text, at)
            if match is None:
                raise MisreadError(f"{text.strip()!r} holds {text[at:].strip()[:1]!r}, which is not understood.")
            found.append(match.group().strip())
            at = match.end()
        return found

    def _peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else ""

    def _take(self) -> str:
        self.at += 1
        return self.tokens[self.at - 1] if self.at <= len(self.tokens) else ""

    def _sum(self) -> Ratio:
        over, under = self._product()
        while self._peek() in {"+", "-", "−"}:
            sign = -1 if self._take() in {"-", "−"} else 1
            two, down = self._product()
            if under.terms == down.terms:
                over = over + two * sign
            else:
                over, under = over * down + two * under * sign, under * down
        return over, under

    def _product(self) -> Ratio:
        over, under = self._factor()
        while True:
            mark = self._peek()
            if mark in {"*", "·", "×"}:
                self._take()
                two, down = self._factor()
                over, under = over * two, under * down
            elif mark in {"/", "÷", ":"}:
                self._take()
                two, down = self._factor()
                if not two.terms:
                    raise MisreadError(f"{self.text.strip()!r} divides by 0.")
                over, under = over * down, under * two
            elif mark and (mark == "(" or mark in {"√", "π", "∠"} or mark[0].isalnum() or mark[0] == "."):
                two, down = self._factor()
                over, under = over * two, under * down
            else:
                return self._plain(over, under)

    def _plain(self, over: Sum, under: Sum) -> Ratio:
        if under.is_constant and under.terms:
            return over * (1 / under.constant), Sum.of(1)
        return over, under

    def _factor(self) -> Ratio:
        if self._peek() in {"-", "−"}:
            self._take()
            over, under = self._factor()
            return -over, under
        if self._peek() == "+":
            self._take()
        over, under = self._atom()
        power = 1
        if self._peek() in {"²", "³"}:
            power = "²³".index(self._take()) + 2
        elif self._peek() in {"^", "**"}:
            self._take()
            exponent = self._take()
            if exponent not in {"1", "2", "3", "4"}:
                raise MisreadError(f"{self.text.strip()!r} has the power {exponent!r}; 2, 3 and 4 are understood.")
            power = int(exponent)
        one = (over, under)
        for _ in range(power - 1):
            over, under = over * one[0], under * one[1]
        return over, under

    def _atom(self) -> Ratio:
        symbol = self._take()
        one = Sum.of(1)
        if not symbol:
            raise MisreadError(f"{self.text.strip()!r} ends too early.")
        if symbol == "(":
            inner = self._sum()
            self._close(")")
            return inner
        if symbol == "|":
            inside = []
            while self._peek() not in {"|", ""}:
                inside.append(self._take())
            self._close("|")
            return Sum.of(length(*self.names.line(" ".join(inside)))), one
        if symbol[0].isdigit() or symbol[0] == ".":
            return self._number(symbol), one
        if symbol == "√" or symbol == "sqrt":
            over, under = self._atom()
            ratio = self._constant(over, under)
            if ratio < 0:
                raise MisreadError(f"{self.text.strip()!r} takes the root of a negative number.")
            if isinstance(ratio, Fraction):
                root = math.isqrt(ratio.numerator), math.isqrt(ratio.denominator)
                if root[0] ** 2 == ratio.numerator and root[1] ** 2 == ratio.denominator:
                    return Sum.of(Fraction(*root)), one
            return Sum.of(math.sqrt(ratio)), one
        if symbol in {"sin", "cos", "tan"}:
            over, under = self._atom()
            return Sum.of(getattr(math, symbol)(math.radians(self._constant(over, under)))), one
        if symbol in {"π", "pi"}:
            self.radians = True
            return Sum.of(math.pi), one
        if symbol == "∠":
            return self._measure("angle"), one
        if symbol in _WORDS:
            return self._measure(symbol), one
        return self._name(symbol), one

    def _close(self, mark: str) -> None:
        if self._take() != mark:
            raise MisreadError(f"{self.text.strip()!r} lacks a {mark!r}.")

    def _constant(self, over: Sum, under: Sum) -> Number:
        if not over.is_constant or not under.is_constant:
            raise MisreadError(
                f"{self.text.strip()!r} takes a root or an angle's sine of something that is not a number."
            )
        return over.constant / under.constant

    def _number(self, symbol: str) -> Sum:
        number: Number = Fraction(symbol)
        if number > LARGEST:
            raise MisreadError(f"{symbol} is too large; numbers are at most {LARGEST:.0e}.")
        unit = self._peek()
        if unit in DEGREE:
            self._take()
            self.degrees = True
        elif unit in RADIAN:
            self._take()
            self.degrees = True
            number = float(number) * 180.0 / math.pi
        elif unit in LENGTHS and unit not in self.names.problem.points and unit not in self.names.problem.unknowns:
            self._take()
            number = self._in_units(Fraction(number), unit)
        elif len(unit) > 2 and unit.isalpha() and unit.islower() and not self._known(unit):
            units = ", ".join(one for one in LENGTHS if len(one) < 3)
            raise MisreadError(
                f"{unit!r} in {self.text.strip()!r} is no unit; lengths are in {units}, angles in degrees."
            )
        elif unit == "%":
            raise MisreadError(f"{self.text.strip()!r} is in per cent; give a number.")
        return Sum.of(number)

    def _known(self, word: str) -> bool:
        """Whether a word after a number is a factor: a function, a unit of angles, an unknown."""
        known = self.names.problem
        plain = word in _WORDS or word in DEGREE or word in RADIAN or word in _FILL
        return plain or word in known.unknowns or word in known.points or bool(_UNKNOWN.fullmatch(word))

    def _in_units(self, number: Fraction, unit: str) -> Fraction:
        if self.unit is None:
            self.unit = unit
        if unit == self.unit:
            return number
        if {unit, self.unit} & {"px", "unit", "units"}:
            raise MisreadError(
                f"{self.text.strip()!r} is in {unit}, and other lengths are in {self.unit}; they cannot be compared."
            )
        found = number * LENGTHS[unit] / LENGTHS[self.unit]
        self.converted.append(f"{float(number):g} {unit} was read as {float(found):g} {self.unit}.")
        return found

    def _words(self) -> str:
        """The names that follow: ``ABC``, ``(A, B, C)``, ``of A B C``."""
        while self._peek() in _FILL:
            self._take()
        if self._peek() == "(":
            self._take()
            words = []
            while self._peek() not in {")", ""}:
                word = self._take()
                if word != ",":
                    words.append(word)
            self._close(")")
            return " ".join(words)
        words = [self._take()]
        while self.names.is_points(words[-1]) and len(self.names.split(words[-1])) == 1:
            if self._peek() in {",", "and", "to", "-"} and self.names.is_points(self._peek(1)):
                self._take()
                words.append(self._take())
            elif self._peek() and self._peek()[0].isalpha() and self.names.is_points(self._peek()):
                words.append(self._take())
            else:
                break
        return " ".join(words)

    def _measure(self, word: str) -> Sum:
        if word == "angle":
            self.degrees = True
            return Sum.of(angle(*self.corner(self._words())))
        if word in {"radius", "diameter", "circumference"}:
            name = self.names.circle(self._words())
            factor = {"radius": 1, "diameter": 2, "circumference": 2 * math.pi}[word]
            return Sum.of(("radius", name)) * factor
        if word in {"length", "dist", "len"}:
            return Sum.of(length(*self.names.line(self._words())))
        if word == "distance":
            return self._distance()
        if word in {"area", "perimeter"}:
            return self._polygon(word, self._words())
        raise MisreadError(f"{self.text.strip()!r} is not understood from {word!r} on.")

    def _distance(self) -> Sum:
        words = self._words()
        if self._peek() in {"to", "and", "from"}:
            self._take()
            words += " " + self._words()
        parts = words.split()
        found = [self.names.lines.get(part) or tuple(self.names.points(part)) for part in parts]
        flat = [name for names in found for name in names]
        if len(flat) == 2:
            return Sum.of(length(flat[0], flat[1]))
        if len(flat) == 3 and len(found[0]) == 1:
            return Sum.of(("distance", *flat))
        if len(flat) == 3 and len(found[-1]) == 1:
            return Sum.of(("distance", flat[2], flat[0], flat[1]))
        raise MisreadError(
            f"A distance is between two points, or a point and a line; {words!r} names {len(flat)} points."
        )

    def _polygon(self, word: str, text: str) -> Sum:
        if self.names.is_circle(text):
            radius = Sum.of(("radius", self.names.circle(text)))
            return radius * radius * math.pi if word == "area" else radius * (2 * math.pi)
        corners = self.names.points(text, 3)
        if word == "area":
            return Sum.of(("area", *corners))
        total = Sum()
        for a, b in zip(corners, [*corners[1:], corners[0]], strict=True):
            total = total + Sum.of(length(a, b))
        return total

    def corner(self, text: str) -> tuple[str, str, str]:
        """The arm, vertex and other arm of an angle; ``B`` alone is enough if exactly one polygon has that corner.

        Raises:
            MisreadError: If it is not an angle, or is ambiguous.
        """
        names = self.names.points(text)
        if len(names) == 3:
            if len(set(names)) < 3:
                raise MisreadError(f"angle {text} names a point twice; an angle has three different points.")
            return names[0], names[1], names[2]
        if len(names) == 1:
            found = set()
            for corners in self.names.polygons:
                if names[0] in corners:
                    at = corners.index(names[0])
                    found.add((*sorted((corners[at - 1], corners[(at + 1) % len(corners)])),))
            if len(found) == 1:
                a, b = next(iter(found))
                return a, names[0], b
            reason = "no polygon has that corner" if not found else f"{len(found)} angles are there"
            raise MisreadError(f"angle {names[0]} is not clear: {reason}; name three points, such as angle ABC.")
        raise MisreadError(f"angle {text} names {len(names)} points; an angle has three, its vertex in the middle.")

    def _name(self, symbol: str) -> Sum:
        names, known = self.names, self.names.problem
        stem, _, coordinate = symbol.rpartition(".")
        if coordinate in ({"x", "y", "z"} if known.solid else {"x", "y"}) and stem:
            return Sum.of((coordinate, names.point(self._centre(stem))))
        if coordinate in {"radius", "r"} and stem:
            return Sum.of(("radius", names.circle(stem)))
        if symbol in known.unknowns:
            return Sum.of(("unknown", symbol))
        points = names.split(symbol)
        if len(points) == 2 and symbol not in known.points:
            return Sum.of(length(*names.line(symbol)))
        if symbol in names.lines:
            return Sum.of(length(*names.lines[symbol]))
        if len(points) >= 3:
            raise MisreadError(
                f"{symbol!r} names {len(points)} points; write angle {symbol}, area {symbol} or perimeter {symbol}."
            )
        if points or symbol in known.circles:
            what = "a point" if points else "a circle"
            raise MisreadError(f"{symbol!r} is {what}, not a number; write a length such as AB, or radius of k.")
        if symbol in LENGTHS or symbol in DEGREE or not _UNKNOWN.fullmatch(symbol):
            raise MisreadError(
                f"{symbol!r} is not understood in {self.text.strip()!r}; unknowns have names such as x, y1 or alpha."
            )
        known.unknowns.append(symbol)
        return Sum.of(("unknown", symbol))

    def _centre(self, stem: str) -> str:
        if stem.endswith((".center", ".centre")):
            return self.names.problem.circles[self.names.circle(stem[:-7])]
        return stem
