"""Translations of elementwise operators."""

from __future__ import annotations

import math

import numpy as np
import torch

from groundstate_export.ir import Value, broadcast
from groundstate_export.lower import NUMPY, Call, Entry, Lowering, handles

_UNARY = {
    "abs": "Abs", "acos": "Acos", "asin": "Asin", "atan": "Atan", "ceil": "Ceil", "cos": "Cos", "cosh": "Cosh",
    "erf": "Erf", "exp": "Exp", "floor": "Floor", "log": "Log", "neg": "Neg", "reciprocal": "Reciprocal",
    "relu": "Relu", "round": "Round", "sgn": "Sign", "sigmoid": "Sigmoid", "sign": "Sign", "sin": "Sin",
    "sinh": "Sinh", "sqrt": "Sqrt", "tan": "Tan", "tanh": "Tanh", "isnan": "IsNaN", "isinf": "IsInf",
}  # fmt: skip
_BINARY = {"mul": "Mul", "maximum": "Max", "minimum": "Min"}
_COMPARE = {"eq": "Equal", "gt": "Greater", "lt": "Less", "ge": "GreaterOrEqual", "le": "LessOrEqual"}
_LOGIC = {"logical_and": "And", "logical_or": "Or", "logical_xor": "Xor"}
_BITS = {"bitwise_and": "And", "bitwise_or": "Or", "bitwise_xor": "Xor", "__and__": "And", "__or__": "Or"}


def _constant(low: Lowering, x: float, like: Value) -> Value:
    return low.graph.constant(np.asarray(x, like.dtype))


@handles(*_UNARY)
def _unary(low: Lowering, call: Call) -> Entry:
    name = call.name
    if name in {"isnan", "isinf"}:
        return low.entry(call, low.graph.unary(_UNARY[name], low.compact(call.args[0]), np.bool_))
    (x,) = low.operands(call.args[:1], call.dtype)
    return low.entry(call, low.graph.unary(_UNARY[name], x))


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
        b = low.graph.binary("Mul", b, _constant(low, alpha, b))
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
    raise low.refuse(call, "truncating division is translated for integers only.")


@handles("floor_divide")
def _floor_divide(low: Lowering, call: Call) -> Entry:
    return low.entry(call, _floored(low, *low.operands(call.args[:2], call.dtype)))


def _floored(low: Lowering, a: Value, b: Value) -> Value:
    g = low.graph
    if np.issubdtype(a.dtype, np.floating):
        return g.unary("Floor", g.emit("Div", [a, b], broadcast(a.shape, b.shape)))
    # ONNX divides integers towards zero; the remainder of Mod has the divisor's sign, so a - mod divides exactly.
    return g.binary("Div", g.binary("Sub", a, g.binary("Mod", a, b)), b)


@handles("remainder")
def _remainder(low: Lowering, call: Call) -> Entry:
    a, b = low.operands(call.args[:2], call.dtype)
    g = low.graph
    if np.issubdtype(a.dtype, np.floating):
        return low.entry(call, g.binary("Sub", a, g.binary("Mul", b, g.unary("Floor", g.binary("Div", a, b)))))
    return low.entry(call, g.binary("Mod", a, b))


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
        raise low.refuse(call, "bits of integers are not translated; use comparisons and masks.")
    a, b = low.operands(call.args[:2], torch.bool)
    return low.entry(call, low.graph.binary({**_LOGIC, **_BITS}[name], a, b))


@handles("logical_not", "bitwise_not")
def _not(low: Lowering, call: Call) -> Entry:
    (x,) = low.operands(call.args[:1], torch.bool)
    return low.entry(call, low.graph.unary("Not", x))


@handles("where")
def _where(low: Lowering, call: Call) -> Entry:
    a, b = low.operands(call.args[1:3], call.dtype)
    return _select(low, call, low.compact(call.args[0]), a, b)


def _select(low: Lowering, call: Call, condition: Value, a: Value, b: Value) -> Entry:
    shape = broadcast(condition.shape, a.shape, b.shape)
    return low.entry(call, low.graph.emit("Where", [condition, a, b], shape, a.dtype))


@handles("masked_fill")
def _masked_fill(low: Lowering, call: Call) -> Entry:
    x, fill = low.operands([call.args[0], call.args[2]], call.dtype)
    return _select(low, call, low.compact(call.args[1]), fill, x)


@handles("_to_copy", "to")
def _cast(low: Lowering, call: Call) -> Entry:
    if call.dtype not in NUMPY:
        raise low.refuse(call, f"the dtype {call.dtype} is not translated.")
    return low.entry(call, low.compact(call.args[0]))


@handles("clone", "detach", "alias", "lift_fresh", "lift_fresh_copy", "contiguous", "positive")
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
    one = _constant(low, 1.0, x)
    if name == "expm1":
        return low.entry(call, g.binary("Sub", g.unary("Exp", x), one))
    if name == "exp2":
        return low.entry(call, g.unary("Exp", g.binary("Mul", x, _constant(low, math.log(2), x))))
    if name == "log1p":
        return low.entry(call, g.unary("Log", g.binary("Add", x, one)))
    scale = 1 / math.log(2 if name == "log2" else 10)
    return low.entry(call, g.binary("Mul", g.unary("Log", x), _constant(low, scale, x)))


@handles("silu")
def _silu(low: Lowering, call: Call) -> Entry:
    x = low.compact(call.args[0])
    return low.entry(call, low.graph.binary("Mul", x, low.graph.unary("Sigmoid", x)))


@handles("silu_backward")
def _silu_backward(low: Lowering, call: Call) -> Entry:
    """``g (s + u (1 - s))`` with ``s = sigmoid(x)`` and ``u = x s``, both of which the forward pass has."""
    g = low.graph
    slope, x = low.operands(call.args[:2])
    s = g.unary("Sigmoid", x)
    u = g.binary("Mul", x, s)
    derivative = g.binary("Add", s, g.binary("Mul", u, g.binary("Sub", _constant(low, 1.0, x), s)))
    return low.entry(call, g.binary("Mul", derivative, slope))


@handles("sigmoid_backward", "tanh_backward")
def _squash_backward(low: Lowering, call: Call) -> Entry:
    g = low.graph
    slope, y = low.operands(call.args[:2])
    one = _constant(low, 1.0, y)
    if "sigmoid" in call.name:
        derivative = g.binary("Mul", y, g.binary("Sub", one, y))
    else:
        derivative = g.binary("Sub", one, g.binary("Mul", y, y))
    return low.entry(call, g.binary("Mul", derivative, slope))


@handles("threshold_backward")
def _threshold_backward(low: Lowering, call: Call) -> Entry:
    g = low.graph
    slope, x = low.operands(call.args[:2])
    mask = g.unary("Cast", g.binary("Greater", x, _constant(low, call.args[2], x), np.bool_), x.dtype)
    return low.entry(call, g.binary("Mul", mask, slope))


@handles("_prelu_kernel")
def _prelu(low: Lowering, call: Call) -> Entry:
    x, weight = low.operands(call.args[:2])
    condition = low.graph.binary("Greater", x, _constant(low, 0.0, x), np.bool_)
    return _select(low, call, condition, x, low.graph.binary("Mul", x, weight))


@handles("_prelu_kernel_backward")
def _prelu_backward(low: Lowering, call: Call) -> list[Entry | None]:
    slope, x, weight = low.operands(call.args[:3])
    condition = low.graph.binary("Greater", x, _constant(low, 0.0, x), np.bool_)
    return [_select(low, call, condition, slope, low.graph.binary("Mul", slope, weight)), None]


@handles("leaky_relu", "elu", "hardsigmoid")
def _activation(low: Lowering, call: Call) -> Entry:
    x = low.compact(call.args[0])
    if call.name == "leaky_relu":
        y = low.graph.emit("LeakyRelu", [x], x.shape, alpha=float(call.get(1, "negative_slope", 0.01)))
    elif call.name == "hardsigmoid":
        y = low.graph.emit("HardSigmoid", [x], x.shape, alpha=1 / 6, beta=0.5)
    else:
        alpha, scale, input_scale = (
            float(call.get(i, n, 1.0)) for i, n in enumerate(("alpha", "scale", "input_scale"), 1)
        )
        if input_scale != 1.0:
            raise low.refuse(call, "its input_scale must be 1; write it with `torch.where`.")
        y = low.graph.binary("Mul", low.graph.emit("Elu", [x], x.shape, alpha=alpha), _constant(low, scale, x))
    return low.entry(call, y)


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
