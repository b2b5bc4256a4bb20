"""Translations of softmax and normalisation."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from groundstate_export.entries import Call, Entry
from groundstate_export.ir import Shape, Value
from groundstate_export.lower import Lowering, handles
from groundstate_export.operators.axes import product


@handles("_softmax", "_safe_softmax", "softmax", "_log_softmax", "log_softmax")
def _softmax(low: Lowering, call: Call) -> Entry:
    op = "LogSoftmax" if "log" in call.name else "Softmax"
    axis = call.args[1] % len(call.args[0].shape)
    x = low.full(call.args[0], [axis])
    return low.entry(call, low.graph.emit(op, [x], x.shape, axis=axis))


@handles("_softmax_backward_data", "_log_softmax_backward_data")
def _softmax_backward(low: Lowering, call: Call) -> Entry:
    g = low.graph
    gradient, y, axis = call.args[:3]
    slope, out = low.aligned(gradient), low.aligned(y)
    axis %= len(y.shape)
    if "log" in call.name:
        total = g.reduce(
            "ReduceSum", slope if slope.shape[axis] != 1 else low.full(gradient, [axis]), [axis], keepdims=True
        )
        return low.entry(call, g.binary("Sub", slope, g.binary("Mul", g.unary("Exp", out), total)))
    weighted = g.binary("Mul", out, slope)
    total = g.reduce("ReduceSum", weighted, [axis], keepdims=True)
    return low.entry(call, g.binary("Sub", weighted, g.binary("Mul", out, total)))


def _normalise(low: Lowering, x: Value, axes: Sequence[int], eps: float) -> tuple[Value, Value, Value]:
    g = low.graph
    mean = g.reduce("ReduceMean", x, axes, keepdims=True)
    centred = g.binary("Sub", x, mean)
    variance = g.reduce("ReduceMean", g.binary("Mul", centred, centred), axes, keepdims=True)
    rstd = g.unary("Reciprocal", g.unary("Sqrt", g.binary("Add", variance, g.constant(np.asarray(eps, x.dtype)))))
    return g.binary("Mul", centred, rstd), mean, rstd


@handles("native_layer_norm")
def _layer_norm(low: Lowering, call: Call) -> list[Entry]:
    entry, shape, weight, bias, eps = call.args
    axes = list(range(len(entry.shape) - len(shape), len(entry.shape)))
    y, mean, rstd = _normalise(low, low.full(entry, axes), axes, eps)
    y = _affine(low, y, weight, bias, ())
    return [low.entry(call, v, i) for i, v in enumerate((y, mean, rstd))]


def _affine(low: Lowering, y: Value, weight: Entry | None, bias: Entry | None, trailing: Shape) -> Value:
    for op, entry in (("Mul", weight), ("Add", bias)):
        if entry is not None:
            value = low.aligned(entry)
            y = low.graph.binary(op, y, low.graph.reshape(value, (*value.shape, *trailing)))
    return y


@handles("native_group_norm")
def _group_norm(low: Lowering, call: Call) -> list[Entry]:
    entry, weight, bias, batch, _, _, groups, eps = call.args
    g = low.graph
    x = low.full(entry)
    inside = product(entry.shape[1:]) // groups
    y, mean, rstd = _normalise(low, g.reshape(x, (batch, groups, inside)), [2], eps)
    y = g.reshape(y, entry.shape)
    y = _affine(low, y, weight, bias, (1,) * (len(entry.shape) - 2))
    statistics = (g.reshape(v, (batch, groups)) for v in (mean, rstd))
    return [low.entry(call, y), *(low.entry(call, v, i) for i, v in enumerate(statistics, 1))]
