"""Functions in float64 that ONNX Runtime's CPU computes in float32 only, from those that it has in both.

Every formula is stable where its result is small, so errors are relative: a few units of rounding.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce

import numpy as np

from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Value, broadcast


class _Number:
    """A float64 value with arithmetic."""

    def __init__(self, graph: Graph, value: Value) -> None:
        self.graph, self.value = graph, value

    def _of(self, other: _Number | float) -> Value:
        return other.value if isinstance(other, _Number) else self.graph.constant(np.float64(other))

    def _apply(self, op: str, a: Value, b: Value) -> _Number:
        return _Number(self.graph, self.graph.binary(op, a, b))

    def __add__(self, other: _Number | float) -> _Number:
        return self._apply("Add", self.value, self._of(other))

    def __sub__(self, other: _Number | float) -> _Number:
        return self._apply("Sub", self.value, self._of(other))

    def __mul__(self, other: _Number | float) -> _Number:
        return self._apply("Mul", self.value, self._of(other))

    def __truediv__(self, other: _Number | float) -> _Number:
        return self._apply("Div", self.value, self._of(other))

    def over(self, other: float) -> _Number:
        """A number divided by this value."""
        return self._apply("Div", self._of(other), self.value)

    def of(self, op: str) -> _Number:
        """A function that ONNX Runtime has in float64."""
        return _Number(self.graph, self.graph.unary(op, self.value))

    def at_most(self, bound: float) -> _Number:
        return self._apply("Min", self.value, self._of(bound))

    def where(self, op: str, bound: float, then: _Number, otherwise: _Number) -> _Number:
        """``then`` where this value compares with a bound."""
        g = self.graph
        chosen = g.binary(op, self.value, self._of(bound), np.bool_)
        shape = broadcast(chosen.shape, then.value.shape, otherwise.value.shape)
        return _Number(g, g.emit("Where", [chosen, then.value, otherwise.value], shape, np.float64))

    def signed(self, size: _Number) -> _Number:
        """A size with this value's sign."""
        return self.of("Sign") * size


def _polynomial(x: _Number, coefficients: Sequence[float]) -> _Number:
    """By Horner's rule, the highest power first."""
    first, second, *rest = coefficients
    return reduce(lambda total, c: total * x + c, rest, x * first + second)


_ARCTANGENT = [(-1.0) ** k / (2 * k + 1) for k in reversed(range(14))]


def _atan(x: _Number) -> _Number:
    """The argument is reduced to at most tan(π/16) by its reciprocal and two half angles; then the series."""
    size = x.of("Abs")
    inverse = size.where("Greater", 1.0, size.over(1.0), size)
    for _ in range(2):
        inverse = inverse / ((inverse * inverse + 1.0).of("Sqrt") + 1.0)
    angle = inverse * _polynomial(inverse * inverse, _ARCTANGENT) * 4.0
    return x.signed(size.where("Greater", 1.0, angle * -1.0 + math.pi / 2, angle))


def _asin(x: _Number) -> _Number:
    other = ((x * -1.0 + 1.0) * (x + 1.0)).of("Sqrt")
    return _atan(x / (other + 1.0)) * 2.0


def _acos(x: _Number) -> _Number:
    return _atan(((x * -1.0 + 1.0) / (x + 1.0)).of("Sqrt")) * 2.0


def _tan(x: _Number) -> _Number:
    return x.of("Sin") / x.of("Cos")


def _expm1(x: _Number) -> _Number:
    """W. Kahan: the rounding error of the exponential is that of its logarithm."""
    grown = x.of("Exp")
    log = grown.of("Log")
    small = (log - 0.0).where("Equal", 0.0, x, (grown - 1.0) * x / log.where("Equal", 0.0, log + 1.0, log))
    return x.of("Abs").where("Greater", 1.0, grown - 1.0, small)


def _sinh(x: _Number) -> _Number:
    grown = _expm1(x.of("Abs"))
    return x.signed((grown + grown / (grown + 1.0)) * 0.5)


def _cosh(x: _Number) -> _Number:
    size = x.of("Abs")
    return (size.of("Exp") + (size * -1.0).of("Exp")) * 0.5


def _log1p(x: _Number) -> _Number:
    """W. Kahan."""
    one = x + 1.0
    gone = one - 1.0
    return gone.where("Equal", 0.0, x, one.of("Log") * x / gone.where("Equal", 0.0, gone + 1.0, gone))


def _asinh(x: _Number) -> _Number:
    size = x.of("Abs")
    square = size * size
    return x.signed(_log1p(size + square / ((square + 1.0).of("Sqrt") + 1.0)))


def _acosh(x: _Number) -> _Number:
    above = x - 1.0
    return _log1p(above + (above * (x + 1.0)).of("Sqrt"))


def _atanh(x: _Number) -> _Number:
    size = x.of("Abs")
    return x.signed(_log1p(size * 2.0 / (size * -1.0 + 1.0)) * 0.5)


_A = (
    1.85777706184603153e-1,
    3.16112374387056560e00,
    1.13864154151050156e02,
    3.77485237685302021e02,
    3.20937758913846947e03,
)
_B = (1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03, 2.84423683343917062e03)
_C = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e01, 2.98635138197400131e02,
    8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03, 1.23033935479799725e03,
)  # fmt: skip
_D = (
    1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02, 1.62138957456669019e03, 3.29079923573345963e03,
    4.36261909014324716e03, 3.43936767414372164e03, 1.23033935480374942e03,
)  # fmt: skip


def _erf(x: _Number) -> _Number:
    """W. J. Cody, "Rational Chebyshev approximations for the error function", 1969; from 4 on the rest is below rounding."""
    size = x.of("Abs").at_most(6.0)
    square = size * size
    small = size * _polynomial(square, _A) / _polynomial(square, _B)
    rest = (square * -1.0).of("Exp") * _polynomial(size, _C) / _polynomial(size, _D)
    return x.signed(size.where("LessOrEqual", 0.46875, small, rest * -1.0 + 1.0))


_FUNCTIONS: dict[str, Callable[[_Number], _Number]] = {
    "Atan": _atan, "Asin": _asin, "Acos": _acos, "Tan": _tan, "Sinh": _sinh, "Cosh": _cosh, "Asinh": _asinh,
    "Acosh": _acosh, "Atanh": _atanh, "Erf": _erf,
}  # fmt: skip


def function(graph: Graph, op: str, x: Value) -> Value:
    """An operator of one tensor; in float64, where ONNX Runtime has no kernel, by its formula."""
    if x.dtype == np.float64 and op in _FUNCTIONS:
        return _FUNCTIONS[op](_Number(graph, x)).value
    return graph.unary(op, x)
