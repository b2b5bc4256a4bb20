"""Translations of activations and their gradients.

PyTorch's own decompositions assume a compiler that fuses. Here every node is a pass over memory. Each form therefore places
constants next to a matrix product, which absorbs them, and avoids operators that are slow in ONNX Runtime on a CPU (`Softplus`,
`Where`).
"""

from __future__ import annotations

import math

import numpy as np

from groundstate_export._ir.values import Value
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.elementwise import number_like, select


@handles("silu")
def _silu(low: Lowering, call: Call) -> Entry:
    x = low.compact(call.args[0])
    return low.entry(call, low.graph.binary("Mul", x, low.graph.unary("Sigmoid", x)))


@handles("silu_backward")
def _silu_backward(low: Lowering, call: Call) -> Entry:
    """``g (s + u (1 - s))`` with ``s = sigmoid(x)`` and ``u = x s``; the forward pass computes both."""
    g = low.graph
    slope, x = low.operands(call.args[:2])
    s = g.unary("Sigmoid", x)
    u = g.binary("Mul", x, s)
    derivative = g.binary("Add", s, g.binary("Mul", u, g.binary("Sub", number_like(low, 1.0, x), s)))
    return low.entry(call, g.binary("Mul", derivative, slope))


@handles("sigmoid_backward", "tanh_backward")
def _squash_backward(low: Lowering, call: Call) -> Entry:
    g = low.graph
    slope, y = low.operands(call.args[:2])
    one = number_like(low, 1.0, y)
    if "sigmoid" in call.name:
        derivative = g.binary("Mul", y, g.binary("Sub", one, y))
    else:
        derivative = g.binary("Sub", one, g.binary("Mul", y, y))
    return low.entry(call, g.binary("Mul", derivative, slope))


@handles("threshold_backward")
def _threshold_backward(low: Lowering, call: Call) -> Entry:
    g = low.graph
    slope, x = low.operands(call.args[:2])
    # Chosen, not multiplied: an infinity may stand behind a zero slope.
    dead = g.binary("LessOrEqual", x, number_like(low, call.args[2], x), np.bool_)
    return select(low, call, dead, number_like(low, 0.0, slope), slope)


@handles("_prelu_kernel")
def _prelu(low: Lowering, call: Call) -> Entry:
    x, weight = low.operands(call.args[:2])
    condition = low.graph.binary("Greater", x, number_like(low, 0.0, x), np.bool_)
    return select(low, call, condition, x, low.graph.binary("Mul", x, weight))


@handles("_prelu_kernel_backward")
def _prelu_backward(low: Lowering, call: Call) -> list[Entry | None]:
    slope, x, weight = low.operands(call.args[:3])
    condition = low.graph.binary("Greater", x, number_like(low, 0.0, x), np.bool_)
    return [select(low, call, condition, slope, low.graph.binary("Mul", slope, weight)), None]


def _affine_tanh(low: Lowering, x: Value) -> tuple[Value, Value, Value]:
    """``1 + tanh(a x + b x³)``, ``a + b x²`` and ``x²`` of the approximate GELU."""
    g = low.graph
    square = g.binary("Mul", x, x)
    a = math.sqrt(2 / math.pi)
    slope = g.binary("Add", g.binary("Mul", square, number_like(low, 0.044715 * a, x)), number_like(low, a, x))
    return g.binary("Add", g.unary("Tanh", g.binary("Mul", x, slope)), number_like(low, 1.0, x)), slope, square


def _affine_erf(low: Lowering, x: Value) -> tuple[Value, Value]:
    """``h = x / √2`` and ``1 + erf(h)``."""
    g = low.graph
    h = g.binary("Mul", x, number_like(low, math.sqrt(0.5), x))
    return h, g.binary("Add", g.unary("Erf", h), number_like(low, 1.0, x))


@handles("gelu")
def _gelu(low: Lowering, call: Call) -> Entry:
    g = low.graph
    x = low.compact(call.args[0])
    if call.get(1, "approximate", "none") == "tanh":
        twice, _, _ = _affine_tanh(low, x)
        return low.entry(call, g.binary("Mul", g.binary("Mul", x, twice), number_like(low, 0.5, x)))
    h, twice = _affine_erf(low, x)
    return low.entry(call, g.binary("Mul", g.binary("Mul", h, twice), number_like(low, math.sqrt(0.5), x)))


@handles("gelu_backward")
def _gelu_backward(low: Lowering, call: Call) -> Entry:
    """``½ (1 + erf h + h exp(ln(2/√π) − h²))`` with ``h = x / √2``: inside the exponent the density's constant is free."""
    g = low.graph
    slope, x = low.operands(call.args[:2])
    if call.get(2, "approximate", "none") == "tanh":
        twice, inner, square = _affine_tanh(low, x)
        # d/dx (a x + b x³) = a + 3 b x²; 1 − tanh² = t (2 − t) with t = 1 + tanh.
        steep = g.binary(
            "Add", inner, g.binary("Mul", square, number_like(low, 2 * 0.044715 * math.sqrt(2 / math.pi), x))
        )
        bend = g.binary("Mul", g.binary("Mul", twice, g.binary("Sub", number_like(low, 2.0, x), twice)), steep)
        derivative = g.binary("Add", twice, g.binary("Mul", x, bend))
    else:
        h, twice = _affine_erf(low, x)
        exponent = g.binary("Sub", number_like(low, math.log(2 / math.sqrt(math.pi)), x), g.binary("Mul", h, h))
        derivative = g.binary("Add", twice, g.binary("Mul", h, g.unary("Exp", exponent)))
    return low.entry(call, g.binary("Mul", g.binary("Mul", derivative, slope), number_like(low, 0.5, x)))


_SURELY_LINEAR = 15.0
"""Above this, softplus is the identity in float32, so PyTorch's threshold (20 by default) has no effect."""


@handles("softplus")
def _softplus(low: Lowering, call: Call) -> Entry:
    """``max(z, 0) + log(1 + exp(−|z|))`` with ``z = βx``, without overflow; ``x`` itself above the threshold."""
    g = low.graph
    x = low.compact(call.args[0])
    beta, threshold = float(call.get(1, "beta", 1.0)), float(call.get(2, "threshold", 20.0))
    z = g.binary("Mul", x, number_like(low, beta, x))
    small = g.binary("Add", g.unary("Exp", g.unary("Neg", g.unary("Abs", z))), number_like(low, 1.0, z))
    curve = g.binary("Mul", g.binary("Add", g.unary("Relu", z), g.unary("Log", small)), number_like(low, 1 / beta, z))
    if threshold >= _SURELY_LINEAR:
        return low.entry(call, curve)
    return select(low, call, g.binary("Greater", z, number_like(low, threshold, z), np.bool_), x, curve)


@handles("softplus_backward")
def _softplus_backward(low: Lowering, call: Call) -> Entry:
    g = low.graph
    slope, x = low.operands(call.args[:2])
    beta, threshold = float(call.get(2, "beta", 1.0)), float(call.get(3, "threshold", 20.0))
    z = g.binary("Mul", x, number_like(low, beta, x))
    bent = g.binary("Mul", slope, g.unary("Sigmoid", z))
    if threshold >= _SURELY_LINEAR:
        return low.entry(call, bent)
    return select(low, call, g.binary("Greater", z, number_like(low, threshold, z), np.bool_), slope, bent)


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
        y = low.graph.binary("Mul", low.graph.emit("Elu", [x], x.shape, alpha=alpha), number_like(low, scale, x))
    return low.entry(call, y)
