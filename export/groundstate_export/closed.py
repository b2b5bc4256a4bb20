"""Closed forms: derivatives that share what the forward pass has, in few nodes and from operators that are fast.

PyTorch's own decompositions are written for kernels that a compiler will fuse. Here every node is a pass over memory, so each
form is arranged such that constants end beside a matrix product, which absorbs them, and that operators which are slow in
ONNX Runtime on a CPU (`Softplus`, `Where`, `Elu`) do not occur.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from groundstate_export.finite import finite
from groundstate_export.ir import Value
from groundstate_export.lower import Call, Entry, Lowering, handles

_ROOT_HALF = math.sqrt(0.5)
_SURELY_LINEAR = 15.0
"""From here on softplus is the identity in float32, so that PyTorch's threshold (20 by default) changes nothing."""


def _number(low: Lowering, x: float, like: Value) -> Value:
    return low.graph.constant(np.asarray(x, like.dtype))


def _affine_tanh(low: Lowering, x: Value) -> tuple[Value, Value, Value]:
    """``1 + tanh(a x + b x³)``, ``a + b x²`` and ``x²`` of the approximate GELU."""
    g = low.graph
    square = g.binary("Mul", x, x)
    a = math.sqrt(2 / math.pi)
    slope = g.binary("Add", g.binary("Mul", square, _number(low, 0.044715 * a, x)), _number(low, a, x))
    return g.binary("Add", g.unary("Tanh", g.binary("Mul", x, slope)), _number(low, 1.0, x)), slope, square


def _affine_erf(low: Lowering, x: Value) -> tuple[Value, Value]:
    """``h = x / √2`` and ``1 + erf(h)``."""
    g = low.graph
    h = g.binary("Mul", x, _number(low, _ROOT_HALF, x))
    return h, g.binary("Add", g.unary("Erf", h), _number(low, 1.0, x))


@handles("gelu")
def _gelu(low: Lowering, call: Call) -> Entry:
    g = low.graph
    x = low.compact(call.args[0])
    if call.get(1, "approximate", "none") == "tanh":
        twice, _, _ = _affine_tanh(low, x)
        return low.entry(call, g.binary("Mul", g.binary("Mul", x, twice), _number(low, 0.5, x)))
    h, twice = _affine_erf(low, x)
    return low.entry(call, g.binary("Mul", g.binary("Mul", h, twice), _number(low, _ROOT_HALF, x)))


@handles("gelu_backward")
def _gelu_backward(low: Lowering, call: Call) -> Entry:
    """``½ (1 + erf h + h exp(ln(2/√π) − h²))`` with ``h = x / √2``: the density's constant costs nothing inside the exponent."""
    g = low.graph
    slope, x = low.operands(call.args[:2])
    if call.get(2, "approximate", "none") == "tanh":
        twice, inner, square = _affine_tanh(low, x)
        # d/dx (a x + b x³) = a + 3 b x²; 1 − tanh² = t (2 − t) with t = 1 + tanh.
        steep = g.binary("Add", inner, g.binary("Mul", square, _number(low, 2 * 0.044715 * math.sqrt(2 / math.pi), x)))
        bend = g.binary("Mul", g.binary("Mul", twice, g.binary("Sub", _number(low, 2.0, x), twice)), steep)
        derivative = g.binary("Add", twice, g.binary("Mul", x, bend))
    else:
        h, twice = _affine_erf(low, x)
        exponent = g.binary("Sub", _number(low, math.log(2 / math.sqrt(math.pi)), x), g.binary("Mul", h, h))
        derivative = g.binary("Add", twice, g.binary("Mul", h, g.unary("Exp", exponent)))
    return low.entry(call, g.binary("Mul", g.binary("Mul", derivative, slope), _number(low, 0.5, x)))


def _scaled(low: Lowering, call: Call, x: Value, first: int) -> tuple[Value, float]:
    beta = float(call.get(first, "beta", 1.0))
    if float(call.get(first + 1, "threshold", 20.0)) < _SURELY_LINEAR:
        raise low.refuse(
            call, f"its threshold must be {_SURELY_LINEAR:g} or more; write the pieces with `torch.where`."
        )
    return low.graph.binary("Mul", x, _number(low, beta, x)), beta


@handles("softplus")
def _softplus(low: Lowering, call: Call) -> Entry:
    """``max(z, 0) + log(1 + exp(−|z|))``, without overflow on either side."""
    g = low.graph
    z, beta = _scaled(low, call, low.compact(call.args[0]), 1)
    small = g.binary("Add", g.unary("Exp", g.unary("Neg", g.unary("Abs", z))), _number(low, 1.0, z))
    value = g.binary("Add", g.unary("Relu", z), g.unary("Log", small))
    return low.entry(call, g.binary("Mul", value, _number(low, 1 / beta, z)))


@handles("softplus_backward")
def _softplus_backward(low: Lowering, call: Call) -> Entry:
    slope, x = low.operands(call.args[:2])
    z, _ = _scaled(low, call, x, 2)
    return low.entry(call, low.graph.binary("Mul", slope, low.graph.unary("Sigmoid", z)))


@handles("_safe_softmax")
def _safe_softmax(low: Lowering, call: Call) -> Entry:
    """Softmax, and 0 in a row that is −∞ throughout, which attention has where every key is masked."""
    g = low.graph
    axis = call.args[1] % len(call.args[0].shape)
    x = low.full(call.args[0], [axis])
    if _some_open(x, axis):
        return low.entry(call, g.emit("Softmax", [x], x.shape, axis=axis))
    zero, lowest = _number(low, 0.0, x), _number(low, -np.inf, x)
    shut = g.binary("Equal", g.reduce("ReduceMax", x, [axis], keepdims=True), lowest, np.bool_)
    opened = g.emit("Where", [shut, zero, x], x.shape, x.dtype)
    weights = g.emit("Softmax", [opened], x.shape, axis=axis)
    return low.entry(call, g.binary("Mul", weights, g.unary("Cast", g.unary("Not", shut), x.dtype)))


def _some_open(x: Value, axis: int) -> bool:
    """Whether no row can be −∞ throughout: it is finite, or finite with a constant mask that leaves every row an entry."""
    if finite(x):
        return True
    if x.op != "Add" or x.node is None:
        return False
    for value, mask in (x.node.inputs, x.node.inputs[::-1]):
        if mask.array is not None and finite(value):
            place = axis - len(x.shape) + mask.array.ndim
            rows = mask.array if place >= 0 else mask.array[None]
            return bool(np.isfinite(rows).any(max(place, 0)).all()) and not bool(np.isposinf(mask.array).any())
    return False


@handles("_softmax_backward_data")
def _softmax_backward(low: Lowering, call: Call) -> Entry:
    """``y (g − Σ y g)``."""
    g = low.graph
    slope, y, axis = low.aligned(call.args[0]), low.aligned(call.args[1]), call.args[2]
    total = g.reduce("ReduceSum", g.binary("Mul", y, slope), [axis % len(y.shape)], keepdims=True)
    return low.entry(call, g.binary("Mul", y, g.binary("Sub", slope, total)))


def _normalised(low: Lowering, x: Value, axes: int, eps: float) -> tuple[Value, Value, Value]:
    """``(x − mean) rstd``, ``mean`` and ``rstd`` over the last axes."""
    ones = low.graph.constant(np.ones([int(d) for d in x.shape[-axes:]], x.dtype))  # type: ignore[arg-type]  # not the batch
    small = (*x.shape[:-axes], *(1,) * axes)
    results = [(x.dtype, x.shape), (x.dtype, small), (x.dtype, small)]
    y, mean, rstd = low.graph.emit_many("LayerNormalization", [x, ones], results, axis=-axes, epsilon=float(eps))
    return y, mean, rstd


@handles("native_layer_norm")
def _layer_norm(low: Lowering, call: Call) -> list[Entry]:
    entry, shape, weight, bias, eps = call.args
    axes = len(shape)
    y, mean, rstd = _normalised(low, low.full(entry, range(-axes, 0)), axes, eps)
    for op, factor in (("Mul", weight), ("Add", bias)):
        if factor is not None:
            y = low.graph.binary(op, y, low.compact(factor))
    # The backward pass is handed mean and rstd but not eps, and finds the node by its rstd.
    return [low.entry(call, v, i) for i, v in enumerate((y, mean, rstd))]


@handles("native_layer_norm_backward")
def _layer_norm_backward(low: Lowering, call: Call) -> list[Any]:
    """``rstd (g − x̂ mean(g x̂))`` with ``g`` the centred gradient; to centre it costs nothing behind a matrix product."""
    slope, _, shape, _, rstd, weight = call.args[:6]
    if any(call.args[7][1:]):
        raise low.refuse(call, "the energy differentiates with respect to the weights of a norm.")
    g = low.graph
    axes = len(shape)
    deviation = low.compact(rstd)
    assert deviation.node is not None
    normal = deviation.node.outputs[0]
    rank = len(normal.shape)
    last = list(range(rank - axes, rank))
    gradient = low.full(slope, last)
    if weight is not None:
        gradient = g.binary("Mul", gradient, low.compact(weight))
    centred = g.binary("Sub", gradient, g.reduce("ReduceMean", gradient, last, keepdims=True))
    along = g.reduce("ReduceMean", g.binary("Mul", centred, normal), last, keepdims=True)
    result = g.binary("Mul", g.binary("Sub", centred, g.binary("Mul", normal, along)), deviation)
    return [low.entry(call, result), None, None]
