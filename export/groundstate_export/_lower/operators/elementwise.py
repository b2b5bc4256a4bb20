"""Translations of elementwise operators."""

from __future__ import annotations

import math

import numpy as np
import torch

from groundstate_export._ir.dtypes import COMPUTED
from groundstate_export._ir.values import Value, broadcast
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.double import function

_UNARY = {
    "_neg_view": "Neg", "abs": "Abs", "acos": "Acos", "acosh": "Acosh", "asin": "Asin", "asinh": "Asinh", "atan": "Atan",
    "atanh": "Atanh", "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh", "erf": "Erf", "exp": "Exp", "floor": "Floor", "isinf":
    "IsInf", "isnan": "IsNaN", "log": "Log", "neg": "Neg", "reciprocal": "Reciprocal", "relu": "Relu", "round": "Round",
    "sgn": "Sign", "sigmoid": "Sigmoid", "sign": "Sign", "sin": "Sin", "sinh": "Sinh", "sqrt": "Sqrt", "tan": "Tan", "tanh":
    "Tanh",
}  # fmt: skip
_BINARY = {"mul": "Mul", "maximum": "Max", "minimum": "Min"}
_COMPARE = {"eq": "Equal", "gt": "Greater", "lt": "Less", "ge": "GreaterOrEqual", "le": "LessOrEqual"}
_LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
_BITS = {
    "bitwise_and": "And",
    "bitwise_or": "Or",
    "bitwise_xor": "Xor",
    "__and__": "And",
    "__or__": "Or",
    "__xor__": "Xor",
}


def number_like(low: Lowering, x: float, like: Value) -> Value:
    return low.graph.constant(np.asarray(x, like.dtype))


@handles(*_UNARY)
def _unary(low: Lowering, call: Call) -> Entry:
    name = call.name
    if name in {"isnan", "isinf"}:
        return low.entry(call, low.graph.unary(_UNARY[name], low.compact(call.args[0]), np.bool_))
    (x,) = low.operands(call.args[:1], call.dtype)
    decimals = call.kwargs.get("decimals", 0)
    if decimals:
        scale = number_like(low, 10.0**decimals, x)
        return low.entry(
            call, low.graph.binary("Div", low.graph.unary("Round", low.graph.binary("Mul", x, scale)), scale)
        )
    return low.entry(call, function(low.graph, _UNARY[name], x))


@handles(*_BINARY)
def _binary(low: Lowering, call: Call) -> Entry:
    op = _BINARY[call.name]
    dtype = call.dtype
    if dtype == torch.bool:
        op = "And" if op in {"Mul", "Min"} else "Or"
    a, b = low.operands(call.args[:2], dtype)
    return low.entry(call, low.graph.binary(op, a, b))


@handles("add", "sub", "rsub")
def _sum(low: Lowering, call: Call) -> Entry:
    dtype = call.dtype
    first, second = call.args[:2] if call.name != "rsub" else call.args[1::-1]
    a, b = low.operands([first, second], dtype)
    alpha = call.get(2, "alpha", 1)
    if alpha != 1:
        b = low.graph.binary("Mul", b, number_like(low, alpha, b))
    op = "Or" if dtype == torch.bool else "Add" if call.name == "add" else "Sub"
    return low.entry(call, low.graph.binary(op, a, b))


@handles("div")
def _div(low: Lowering, call: Call) -> Entry:
    a, b = low.operands(call.args[:2], call.dtype)
    mode = call.kwargs.get("rounding_mode")
    if mode is None:
        return low.entry(call, low.graph.binary("Div", a, b))
    if mode == "floor":
        return low.entry(call, _floored(low, a, b))
    if np.issubdtype(a.dtype, np.integer):
        return low.entry(call, low.graph.emit("Div", [a, b], broadcast(a.shape, b.shape)))
    return low.entry(call, truncated(low, low.graph.emit("Div", [a, b], broadcast(a.shape, b.shape))))


def truncated(low: Lowering, x: Value) -> Value:
    """Round towards zero: through integers if they are wide enough, because larger floats have no fraction."""
    g = low.graph
    return g.binary("Mul", g.unary("Sign", x), g.unary("Floor", g.unary("Abs", x)))


@handles("trunc", "fix", "frac")
def _trunc(low: Lowering, call: Call) -> Entry:
    (x,) = low.operands(call.args[:1], call.dtype)
    whole = truncated(low, x)
    return low.entry(call, whole if call.name != "frac" else low.graph.binary("Sub", x, whole))


@handles("fmod")
def _fmod(low: Lowering, call: Call) -> Entry:
    a, b = low.operands(call.args[:2], call.dtype)
    return low.entry(call, low.graph.emit("Mod", [a, b], broadcast(a.shape, b.shape), fmod=1))


@handles("atan2")
def _atan2(low: Lowering, call: Call) -> Entry:
    y, x = low.operands(call.args[:2], call.dtype)
    return low.entry(call, angle(low, y, x))


def angle(low: Lowering, y: Value, x: Value) -> Value:
    """The angle of a point, as ``atan2``: the octant decides which quotient is at most 1."""
    g = low.graph
    shape = broadcast(x.shape, y.shape)

    def where(condition: Value, a: Value, b: Value) -> Value:
        return g.emit("Where", [condition, a, b], broadcast(condition.shape, a.shape, b.shape), a.dtype)

    zero, one, half, pi = (number_like(low, v, x) for v in (0.0, 1.0, math.pi / 2, math.pi))
    across, up = g.unary("Abs", x), g.unary("Abs", y)
    steep = g.binary("Greater", up, across, np.bool_)
    short, long = g.binary("Min", across, up), g.binary("Max", across, up)
    nowhere = g.binary("Equal", long, zero, np.bool_)
    base = function(g, "Atan", g.emit("Div", [short, where(nowhere, one, long)], shape))
    first = where(steep, g.binary("Sub", half, base), base)
    left = _negative(low, x)
    turned = where(left, g.binary("Sub", pi, first), first)
    below = _negative(low, y)
    return where(below, g.unary("Neg", turned), turned)


def _negative(low: Lowering, x: Value) -> Value:
    """Whether the sign is negative, as in IEEE 754 also for zero: 1 / −0 is negative."""
    g = low.graph
    zero = number_like(low, 0.0, x)
    nothing = g.binary("Equal", x, zero, np.bool_)
    from_below = g.binary("Less", g.unary("Reciprocal", x), zero, np.bool_)
    return g.binary("Or", g.binary("Less", x, zero, np.bool_), g.binary("And", nothing, from_below, np.bool_), np.bool_)


@handles("hypot")
def _hypot(low: Lowering, call: Call) -> Entry:
    g = low.graph
    a, b = low.operands(call.args[:2], call.dtype)
    return low.entry(call, g.unary("Sqrt", g.binary("Add", g.binary("Mul", a, a), g.binary("Mul", b, b))))


@handles("copysign")
def _copysign(low: Lowering, call: Call) -> Entry:
    g = low.graph
    a, b = low.operands(call.args[:2], call.dtype)
    size = g.unary("Abs", a)
    zero = number_like(low, 0.0, b)
    negative = g.binary("Less", b, zero, np.bool_)
    minus_zero = g.binary(
        "And",
        g.binary("Equal", b, zero, np.bool_),
        g.binary("Less", g.unary("Reciprocal", b), zero, np.bool_),
        np.bool_,
    )
    return select(low, call, g.binary("Or", negative, minus_zero, np.bool_), g.unary("Neg", size), size)


@handles("fmax", "fmin")
def _ignoring_nan(low: Lowering, call: Call) -> Entry:
    g = low.graph
    a, b = low.operands(call.args[:2], call.dtype)
    op = "Max" if call.name == "fmax" else "Min"
    either = g.emit(
        "Where", [g.unary("IsNaN", a, np.bool_), b, g.binary(op, a, b)], broadcast(a.shape, b.shape), a.dtype
    )
    return select(low, call, g.unary("IsNaN", b, np.bool_), a, either)


@handles("floor_divide")
def _floor_divide(low: Lowering, call: Call) -> Entry:
    return low.entry(call, _floored(low, *low.operands(call.args[:2], call.dtype)))


def _floored(low: Lowering, a: Value, b: Value) -> Value:
    g = low.graph
    if np.issubdtype(a.dtype, np.floating):
        # The difference divides exactly; a quotient that was rounded up to a whole number would be one too large.
        whole = g.binary("Sub", a, _modulo(low, a, b))
        return g.unary("Round", g.emit("Div", [whole, b], broadcast(a.shape, b.shape)))
    # ONNX divides integers towards zero; the remainder of Mod has the divisor's sign, so a - mod divides exactly.
    return g.binary("Div", g.binary("Sub", a, g.binary("Mod", a, b)), b)


@handles("remainder")
def _remainder(low: Lowering, call: Call) -> Entry:
    a, b = low.operands(call.args[:2], call.dtype)
    g = low.graph
    return low.entry(call, _modulo(low, a, b) if np.issubdtype(a.dtype, np.floating) else g.binary("Mod", a, b))


def _modulo(low: Lowering, a: Value, b: Value) -> Value:
    """The exact remainder of floats, with the divisor's sign: C's, plus the divisor if the two have different signs."""
    g = low.graph
    shape = broadcast(a.shape, b.shape)
    zero = number_like(low, 0.0, a)
    left = g.emit("Mod", [a, b], shape, fmod=1)
    other = g.binary("Xor", g.binary("Less", left, zero, np.bool_), g.binary("Less", b, zero, np.bool_), np.bool_)
    short = g.binary("And", other, g.unary("Not", g.binary("Equal", left, zero, np.bool_)), np.bool_)
    return g.binary("Add", left, g.binary("Mul", g.unary("Cast", short, a.dtype), b))


@handles(*_COMPARE, "ne")
def _compare(low: Lowering, call: Call) -> Entry:
    name = call.name
    a, b = low.operands(call.args[:2])
    if a.dtype == np.bool_ and name not in {"eq", "ne"}:
        a, b = (low.graph.unary("Cast", v, np.int64) for v in (a, b))
    result = low.graph.binary(_COMPARE.get(name, "Equal"), a, b, np.bool_)
    return low.entry(call, low.graph.unary("Not", result) if name == "ne" else result)


@handles(*_LOGIC, *_BITS)
def _logic(low: Lowering, call: Call) -> Entry:
    name = call.name
    if name in _BITS and call.dtype != torch.bool:
        a, b = low.operands(call.args[:2], call.dtype)
        return low.entry(call, low.graph.binary(f"Bitwise{_BITS[name]}", a, b))
    a, b = low.operands(call.args[:2], torch.bool)
    return low.entry(call, low.graph.binary({**_LOGIC, **_BITS}[name], a, b, np.bool_))


@handles("logical_not", "bitwise_not")
def _not(low: Lowering, call: Call) -> Entry:
    if call.dtype != torch.bool:
        return low.entry(call, low.graph.unary("BitwiseNot", low.compact(call.args[0])))
    (x,) = low.operands(call.args[:1], torch.bool)
    return low.entry(call, low.graph.unary("Not", x))


@handles("__lshift__", "__rshift__", "bitwise_left_shift", "bitwise_right_shift")
def _shift(low: Lowering, call: Call) -> Entry:
    """A shift. ONNX shifts only unsigned integers, so it is a product with a power of two, or a quotient rounded down."""
    a, b = low.operands(call.args[:2], call.dtype)
    g = low.graph
    two = np.asarray(2, a.dtype)
    power = g.constant(two**b.array) if b.array is not None else g.emit("Pow", [g.constant(two), b], b.shape)
    if call.name in {"__lshift__", "bitwise_left_shift"}:
        return low.entry(call, g.binary("Mul", a, power))
    return low.entry(call, _floored(low, a, power))


@handles("where")
def _where(low: Lowering, call: Call) -> Entry:
    a, b = low.operands(call.args[1:3], call.dtype)
    return select(low, call, low.compact(call.args[0]), a, b)


def select(low: Lowering, call: Call, condition: Value, a: Value, b: Value) -> Entry:
    shape = broadcast(condition.shape, a.shape, b.shape)
    return low.entry(call, low.graph.emit("Where", [condition, a, b], shape, a.dtype))


@handles("masked_fill")
def _masked_fill(low: Lowering, call: Call) -> Entry:
    x, fill = low.operands([call.args[0], call.args[2]], call.dtype)
    return select(low, call, low.compact(call.args[1]), fill, x)


@handles("_to_copy", "to")
def _cast(low: Lowering, call: Call) -> Entry:
    if call.dtype not in COMPUTED:
        raise low.refuse(call, f"the dtype {call.dtype} is not translated.")
    return low.entry(call, low.compact(call.args[0]))


@handles("copy")
def _copy(low: Lowering, call: Call) -> Entry:
    return low.entry(call, low.compact(call.args[1]))


@handles("fill", "zero")
def _fill(low: Lowering, call: Call) -> Entry:
    fill = call.args[1] if call.name == "fill" else 0
    return low.entry(call, low.operands([fill], call.dtype)[0])


@handles(
    "clone", "resolve_conj", "resolve_neg", "detach", "alias", "lift_fresh", "lift_fresh_copy", "contiguous", "positive"
)
def _same(low: Lowering, call: Call) -> Entry:
    return low.entry(call, low.compact(call.args[0]))


@handles("clamp", "clamp_min", "clamp_max", "hardtanh")
def _clamp(low: Lowering, call: Call) -> Entry:
    default = 1.0 if call.name == "hardtanh" else None
    least = call.get(1, "min", None if default is None else -default) if call.name != "clamp_max" else None
    most = call.get(1 if call.name == "clamp_max" else 2, "max", default) if call.name != "clamp_min" else None
    (x,) = low.operands(call.args[:1], call.dtype)
    for op, bound in (("Max", least), ("Min", most)):
        if bound is not None:
            x = low.graph.binary(op, x, low.operands([bound], call.dtype)[0])
    return low.entry(call, x)


@handles("pow")
def _pow(low: Lowering, call: Call) -> Entry:
    g = low.graph
    exponent = call.args[1] if not isinstance(call.args[1], Entry) else None
    if isinstance(call.args[1], Entry) and call.args[1].tensor is not None and call.args[1].tensor.numel() == 1:
        exponent = call.args[1].tensor.item()
    a, b = low.operands(call.args[:2], call.dtype)
    if exponent == 2:
        return low.entry(call, g.binary("Mul", a, a))
    if exponent == 3:
        return low.entry(call, g.binary("Mul", g.binary("Mul", a, a), a))
    if exponent == 1:
        return low.entry(call, a)
    if exponent == 0.5:
        return low.entry(call, g.unary("Sqrt", a))
    if exponent == -0.5:
        return low.entry(call, g.unary("Reciprocal", g.unary("Sqrt", a)))
    if exponent == -1:
        return low.entry(call, g.unary("Reciprocal", a))
    return low.entry(call, g.binary("Pow", a, b))


@handles("square")
def _square(low: Lowering, call: Call) -> Entry:
    x = low.compact(call.args[0])
    return low.entry(call, low.graph.binary("Mul", x, x))


@handles("rsqrt")
def _rsqrt(low: Lowering, call: Call) -> Entry:
    return low.entry(call, low.graph.unary("Reciprocal", low.graph.unary("Sqrt", low.compact(call.args[0]))))


@handles("log1p", "expm1", "log2", "log10", "exp2")
def _logs(low: Lowering, call: Call) -> Entry:
    name = call.name
    g = low.graph
    (x,) = low.operands(call.args[:1], call.dtype)
    one = number_like(low, 1.0, x)
    if name == "expm1":
        # tanh(x/2) (1 + exp x), which is accurate near 0.
        half = g.unary("Tanh", g.binary("Mul", x, number_like(low, 0.5, x)))
        return low.entry(call, g.binary("Mul", half, g.binary("Add", g.unary("Exp", x), one)))
    if name == "exp2":
        return low.entry(call, g.unary("Exp", g.binary("Mul", x, number_like(low, math.log(2), x))))
    if name == "log1p":
        return low.entry(call, g.unary("Log", g.binary("Add", x, one)))
    scale = 1 / math.log(2 if name == "log2" else 10)
    return low.entry(call, g.binary("Mul", g.unary("Log", x), number_like(low, scale, x)))


@handles("full", "zeros", "ones", "empty", "scalar_tensor", "full_like", "zeros_like", "ones_like", "empty_like", "new_zeros",
         "new_ones", "new_full", "new_empty", "new_empty_strided", "empty_permuted", "empty_strided")  # fmt: skip
def _filled(low: Lowering, call: Call) -> Entry:
    name = call.name
    dtype = call.dtype
    fill = 1 if "ones" in name else 0
    if "full" in name:
        fill = call.args[2] if name == "new_full" else call.args[1]
    elif name == "scalar_tensor":
        fill = call.args[0]
    return low.entry(call, low.operands([fill], dtype)[0])
