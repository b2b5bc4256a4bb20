"""Translations of activations and their gradients."""

from __future__ import annotations

import numpy as np

from groundstate_export.entries import Call, Entry
from groundstate_export.lower import Lowering, handles
from groundstate_export.operators.elementwise import number_like, select


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
    # Chosen, not multiplied: behind a zero slope there may be an infinity.
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


@handles("softplus")
def _softplus(low: Lowering, call: Call) -> Entry:
    """``log(1 + exp(βx)) / β``, and ``x`` itself beyond the threshold, where float32 no longer tells them apart by default."""
    g = low.graph
    x = low.compact(call.args[0])
    beta = number_like(low, call.get(1, "beta", 1.0), x)
    threshold = call.get(2, "threshold", 20.0)
    scaled = g.binary("Mul", x, beta)
    curve = g.binary("Div", g.unary("Softplus", scaled), beta)
    if threshold >= 20.0:
        return low.entry(call, curve)
    linear = g.binary("Greater", scaled, number_like(low, threshold, x), np.bool_)
    return select(low, call, linear, x, curve)


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
