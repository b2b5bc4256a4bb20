"""Compute lengths in a graph, from the shapes of its inputs."""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any, Protocol

import numpy as np

from groundstate_export._ir.lengths import Length, Number
from groundstate_export._ir.values import Value


class Graph(Protocol):
    """What is needed of `graph.Graph`, which computes lengths by this module."""

    inputs: dict[str, Value]

    def constant(self, *args: Any, **kwargs: Any) -> Value: ...
    def unary(self, *args: Any, **kwargs: Any) -> Value: ...
    def binary(self, *args: Any, **kwargs: Any) -> Value: ...
    def reshape(self, *args: Any, **kwargs: Any) -> Value: ...
    def emit(self, *args: Any, **kwargs: Any) -> Value: ...


def whole(graph: Graph, expression: Any) -> Value:
    """An expression of whole numbers as an int64 tensor of shape ``(1,)``."""
    if expression.is_Integer:
        return graph.constant([int(expression)], np.int64)
    if expression.is_Symbol:
        return _size(graph, expression)
    name, of = type(expression).__name__, [whole(graph, part) for part in expression.args]
    if name in {"Add", "Mul", "Max", "Min"}:
        # Sums begin with a positive term.
        return reduce(lambda a, b: graph.binary(name, a, b), sorted(of, key=lambda v: v.array is not None))
    if name in {"Pow", "PowByNatural"}:
        return reduce(lambda a, b: graph.binary("Mul", a, b), of[:1] * int(expression.args[1]))
    if name in {"Mod", "PythonMod"}:
        return graph.binary("Mod", *of)
    if name in {"FloorDiv", "CleanDiv"}:
        a, b = of
        # ONNX divides towards zero; the remainder has the divisor's sign.
        return graph.binary("Div", graph.binary("Sub", a, graph.binary("Mod", a, b)), b)
    if name in _ROUNDED:
        number = real(graph, expression.args[0])
        if rounded := _ROUNDED[name]:
            number = graph.unary(rounded, number)
        return graph.reshape(graph.unary("Cast", number, np.int64), (1,))
    raise ValueError(f"{name} of sizes has no translation")


def real(graph: Graph, expression: Any) -> Value:
    """An expression as a float64 tensor of shape ``()``."""
    if expression.is_Float or expression.is_Rational or expression.is_NumberSymbol:
        return graph.constant(np.float64(float(expression)))
    name = type(expression).__name__
    if name == "ToFloat" or expression.is_Symbol or name in {"FloorDiv", "Mod"}:
        inner = expression.args[0] if name == "ToFloat" else expression
        return graph.reshape(graph.unary("Cast", whole(graph, inner), np.float64), ())
    of = [real(graph, part) for part in expression.args]
    if name in {"FloatTrueDiv", "IntTrueDiv"}:
        return graph.emit("Div", of, ())
    if name in {"Add", "Mul", "Max", "Min"}:
        return reduce(lambda a, b: graph.emit(name, [a, b], ()), of)
    if name in {"Pow", "FloatPow", "PowByNatural"}:
        return graph.emit("Pow", of, ())
    if name in _FUNCTIONS:
        return graph.unary(_FUNCTIONS[name], of[0])
    raise ValueError(f"{name} of sizes has no translation")


def truth(graph: Graph, conditions: Iterable[Any]) -> Value:
    """Whether conditions on whole numbers hold, as a boolean tensor of shape ``(1,)``."""
    return reduce(lambda a, b: graph.binary("And", a, b, np.bool_), [_holds(graph, one) for one in conditions])


def _holds(graph: Graph, condition: Any) -> Value:
    name = type(condition).__name__
    if name == "Not":
        return graph.unary("Not", _holds(graph, condition.args[0]))
    if name in {"And", "Or"}:
        parts = [_holds(graph, part) for part in condition.args]
        return reduce(lambda a, b: graph.binary(name, a, b, np.bool_), parts)
    if name not in _RELATIONS:
        raise ValueError(f"the condition {condition} has no translation")
    a, b = (whole(graph, part) for part in condition.args)
    found = graph.binary(_RELATIONS[name], a, b, np.bool_)
    return graph.unary("Not", found) if name == "Unequality" else found


_RELATIONS = {
    "Equality": "Equal", "Unequality": "Equal", "StrictLessThan": "Less", "StrictGreaterThan": "Greater",
    "LessThan": "LessOrEqual", "GreaterThan": "GreaterOrEqual",
}  # fmt: skip
_ROUNDED = {"FloorToInt": "Floor", "CeilToInt": "Ceil", "TruncToInt": "", "RoundToInt": "Round"}  # a cast truncates
_FUNCTIONS = {
    "OpaqueUnaryFn_sqrt": "Sqrt", "OpaqueUnaryFn_log": "Log", "OpaqueUnaryFn_exp": "Exp", "log": "Log", "exp": "Exp",
}  # fmt: skip


def _size(graph: Graph, symbol: Any) -> Value:
    """A named size: the length of an axis of an input, or of the state if no input has it."""
    for name, value in sorted(graph.inputs.items(), key=lambda item: "." in item[0]):
        for axis, d in enumerate(value.shape):
            if isinstance(d, Length) and d.expression == symbol:
                return graph.emit("Shape", [graph.inputs[name]], (1,), np.int64, start=axis, end=axis + 1)
    raise ValueError(f"no input has an axis of the length {symbol}")


def number(graph: Graph, value: Length | Number, dtype: Any) -> Value:
    """A number that depends on sizes, as a tensor of shape ``()``."""
    if isinstance(value, Length):
        return graph.reshape(graph.unary("Cast", whole(graph, value.expression), dtype), ())
    return graph.unary("Cast", real(graph, value.expression), dtype)


def vector(graph: Graph, values: Iterable[int]) -> Value:
    """Whole numbers, some of which depend on sizes, as an int64 tensor of one axis."""
    pieces: list[Value] = []
    plain: list[int] = []

    def close() -> None:
        if plain:
            pieces.append(graph.constant(list(plain), np.int64))
            plain.clear()

    for value in values:
        if isinstance(value, Length):
            close()
            pieces.append(whole(graph, value.expression))
        else:
            plain.append(value)
    close()
    total = sum(v.shape[0] for v in pieces if isinstance(v.shape[0], int))
    return pieces[0] if len(pieces) == 1 else graph.emit("Concat", pieces, (total,), axis=0)
