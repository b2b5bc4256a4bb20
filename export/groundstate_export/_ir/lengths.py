"""Lengths that depend on a problem's named sizes.

A `Length` is a whole number, so code that computes with shapes needs no second form for it: it has the value of one example,
by which decisions of order are made, and the expression behind the value, which arithmetic carries along. Two lengths are
equal only if their expressions are, so that a chance equality of two sizes decides nothing.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Self

import sympy  # type: ignore[import-untyped]  # it has no types
from torch.utils._sympy.functions import CleanDiv, FloorDiv, Mod, PythonMod

_USUAL = 24
"""The length of every size in decisions of cost, so that the example's sizes decide nothing."""


def size(name: str) -> sympy.Symbol:
    """The symbol of a named size."""
    return sympy.Symbol(name, integer=True, positive=True)


def _expression(number: Any) -> Any:
    return number.expression if isinstance(number, Length) else sympy.Integer(number)


def length(value: int, expression: Any) -> int:
    """A length, or a plain number if the expression depends on no size."""
    if expression.has(CleanDiv, FloorDiv):
        expression = expression.replace(CleanDiv, _quotient).replace(FloorDiv, _quotient)
    expression = sympy.expand(expression)
    return int(expression) if expression.is_Integer else Length(value, expression)


class Length(int):
    """A whole number that depends on sizes.

    Attributes:
        expression: Its expression.
    """

    expression: Any

    def __new__(cls, value: int, expression: Any) -> Self:
        made = super().__new__(cls, value)
        made.expression = expression
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Length) and bool(self.expression == other.expression)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.expression)

    def __bool__(self) -> bool:
        return True  # it may be 0 at the example, and is not at other sizes

    def __str__(self) -> str:
        return _text(self.expression)

    def __format__(self, _: str) -> str:
        return str(self)

    __repr__ = __str__

    def __reduce__(self) -> Any:
        return Length, (int(self), self.expression)

    def __deepcopy__(self, _: Any) -> Length:
        return self

    def _with(self, other: Any, apply: Callable[[Any, Any], Any], symbolic: Callable[[Any, Any], Any]) -> Any:
        if not isinstance(other, int):
            return NotImplemented
        return length(apply(int(self), int(other)), symbolic(self.expression, _expression(other)))

    def __add__(self, other: int) -> int:
        return self._with(other, operator.add, operator.add)  # type: ignore[no-any-return]

    def __radd__(self, other: int) -> int:
        return self + other

    def __sub__(self, other: int) -> int:
        return self._with(other, operator.sub, operator.sub)  # type: ignore[no-any-return]

    def __rsub__(self, other: int) -> int:
        return -self + other

    def __neg__(self) -> int:
        return length(-int(self), -self.expression)

    def __mul__(self, other: int) -> int:
        return self._with(other, operator.mul, operator.mul)  # type: ignore[no-any-return]

    def __rmul__(self, other: int) -> int:
        return self * other

    def __floordiv__(self, other: int) -> int:
        return self._with(other, operator.floordiv, _quotient)  # type: ignore[no-any-return]

    def __rfloordiv__(self, other: int) -> int:
        return length(other // int(self), _quotient(sympy.Integer(other), self.expression))

    def __mod__(self, other: int) -> int:
        return self._with(other, operator.mod, _modulo)  # type: ignore[no-any-return]

    def __rmod__(self, other: int) -> int:
        return length(other % int(self), _modulo(sympy.Integer(other), self.expression))

    def at(self, sizes: Mapping[str, int]) -> int:
        """The value at given sizes."""
        return evaluated(self.expression, sizes)

    @property
    def usual(self) -> int:
        """The value that decisions of cost use."""
        return max(1, _usual(self.expression))


class Number(float):
    """A floating-point number that depends on sizes, such as the ``1/n`` of a mean."""

    expression: Any

    def __new__(cls, value: float, expression: Any) -> Self:
        made = super().__new__(cls, value)
        made.expression = _fraction(expression)
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Number) and bool(self.expression == other.expression)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return hash(self.expression)


def _fraction(expression: Any) -> Any:
    """A quotient of lengths without common factors, as those of two batch sizes have; other expressions as they are."""
    plain = expression.replace(lambda e: type(e).__name__ == "ToFloat", lambda e: e.args[0])
    plain = plain.replace(lambda e: type(e).__name__ in {"FloatTrueDiv", "IntTrueDiv"}, lambda e: e.args[0] / e.args[1])
    plain = plain.replace(lambda e: e.is_Float and float(e).is_integer(), lambda e: sympy.Integer(int(e)))
    if plain.has(sympy.Float) or not plain.is_rational_function(*plain.free_symbols):
        return expression
    return sympy.cancel(plain)


def sized(number: Any) -> bool:
    """Whether a number, or a number in a nested list, depends on sizes."""
    return any(map(sized, number)) if isinstance(number, (list, tuple)) else isinstance(number, (Length, Number))


def _quotient(a: Any, b: Any) -> Any:
    """A quotient rounded down, as a polynomial where it has no remainder."""
    exact = sympy.cancel(a / b)
    if exact.is_polynomial() and all(c.is_Integer for c in exact.as_coefficients_dict().values()):
        return exact
    return FloorDiv(a, b)


def _modulo(a: Any, b: Any) -> Any:
    remainder = sympy.expand(a)
    if b.is_Integer and remainder.is_polynomial():
        kept = [term for term in sympy.Add.make_args(remainder) if not _divides(int(b), term)]
        remainder = sympy.Add(*kept)
        if remainder.is_Integer:
            return remainder % b
    return Mod(a, b) if a.is_nonnegative and b.is_nonnegative else PythonMod(a, b)


def _divides(divisor: int, term: Any) -> bool:
    coefficient, _ = term.as_coeff_Mul()
    return bool(coefficient.is_Integer) and int(coefficient) % divisor == 0


def evaluated(expression: Any, sizes: Mapping[str, int]) -> int:
    """The value of an expression at given sizes."""
    return int(expression.xreplace({size(name): sympy.Integer(value) for name, value in sizes.items()}))


@cache
def _usual(expression: Any) -> int:
    return evaluated(expression, {symbol.name: _USUAL for symbol in expression.free_symbols})


def _factors(expression: Any) -> Iterator[str]:
    times, rest = expression.as_coeff_Mul()
    if times != 1:
        yield str(times)
    powers: list[tuple[str, int]] = []
    for factor in sympy.Mul.make_args(rest):
        base, power = factor.as_base_exp()
        if not base.is_Symbol or not power.is_Integer or power < 1 or times < 1:
            raise ValueError("it is not a product")
        powers.append((base.name, int(power)))
    for name, power in sorted(powers):
        yield from [name] * power


def _text(expression: Any) -> str:
    """An expression as a header has it: a product of sizes, such as ``2*columns*rows``; otherwise as Python has it."""
    try:
        return "*".join(_factors(expression))
    except ValueError:
        return str(expression).replace(" ", "")


def is_product(number: int) -> bool:
    """Whether a length is a plain number or a product of sizes, which a header can describe."""
    try:
        return not isinstance(number, Length) or bool(list(_factors(number.expression)))
    except ValueError:
        return False
