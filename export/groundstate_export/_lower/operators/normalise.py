"""Translations of softmax and normalisation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from groundstate_export._ir.values import Value, static
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.axes import literal, product
from groundstate_export._lower.operators.elementwise import number_like
from groundstate_export._optimise.finite import finite


@handles("_softmax", "softmax", "_log_softmax", "log_softmax")
def _softmax(low: Lowering, call: Call) -> Entry:
    op = "LogSoftmax" if "log" in call.name else "Softmax"
    axis = call.args[1] % len(call.args[0].shape)
    x = low.full(call.args[0], [axis])
    return low.entry(call, low.graph.emit(op, [x], x.shape, axis=axis))


@handles("_safe_softmax")
def _safe_softmax(low: Lowering, call: Call) -> Entry:
    """Softmax, with 0 for a row that is all −∞. Attention has such rows if every key is masked."""
    g = low.graph
    axis = call.args[1] % len(call.args[0].shape)
    x = low.full(call.args[0], [axis])
    if _some_open(x, axis):
        return low.entry(call, g.emit("Softmax", [x], x.shape, axis=axis))
    zero, lowest = number_like(low, 0.0, x), number_like(low, -np.inf, x)
    shut = g.binary("Equal", g.reduce("ReduceMax", x, [axis], keepdims=True), lowest, np.bool_)
    opened = g.emit("Where", [shut, zero, x], x.shape, x.dtype)
    weights = g.emit("Softmax", [opened], x.shape, axis=axis)
    return low.entry(call, g.binary("Mul", weights, g.unary("Cast", g.unary("Not", shut), x.dtype)))


def _some_open(x: Value, axis: int) -> bool:
    """Whether no row can be all −∞: it is finite, or finite plus a constant mask with an open element in every row."""
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


@handles("_log_softmax_backward_data")
def _log_softmax_backward(low: Lowering, call: Call) -> Entry:
    g = low.graph
    gradient, y, axis = call.args[:3]
    slope, out = low.aligned(gradient), low.aligned(y)
    axis %= len(y.shape)
    whole = slope if slope.shape[axis] != 1 else low.full(gradient, [axis])
    total = g.reduce("ReduceSum", whole, [axis], keepdims=True)
    return low.entry(call, g.binary("Sub", slope, g.binary("Mul", g.unary("Exp", out), total)))


def _normalise(low: Lowering, x: Value, axes: Sequence[int], eps: float) -> tuple[Value, Value, Value]:
    g = low.graph
    mean = g.reduce("ReduceMean", x, axes, keepdims=True)
    centred = g.binary("Sub", x, mean)
    variance = g.reduce("ReduceMean", g.binary("Mul", centred, centred), axes, keepdims=True)
    rstd = g.unary("Reciprocal", g.unary("Sqrt", g.binary("Add", variance, g.constant(np.asarray(eps, x.dtype)))))
    return g.binary("Mul", centred, rstd), mean, rstd


def _normalised(low: Lowering, x: Value, axes: int, eps: float) -> tuple[Value, Value, Value]:
    """``(x − mean) rstd``, ``mean`` and ``rstd`` over the last axes."""
    ones = low.graph.constant(np.ones(literal(x.shape[-axes:]), x.dtype))
    small = (*x.shape[:-axes], *(1,) * axes)
    results = [(x.dtype, x.shape), (x.dtype, small), (x.dtype, small)]
    y, mean, rstd = low.graph.emit_many("LayerNormalization", [x, ones], results, axis=-axes, epsilon=float(eps))
    return y, mean, rstd


@handles("native_layer_norm")
def _layer_norm(low: Lowering, call: Call) -> list[Entry]:
    entry, shape, weight, bias, eps = call.args
    axes = len(shape)
    x = low.full(entry, range(-axes, 0))
    if static(x.shape[-axes:]):
        y, mean, rstd = _normalised(low, x, axes, eps)
    else:
        y, mean, rstd = _normalise(low, x, range(len(x.shape) - axes, len(x.shape)), eps)
    for op, factor in (("Mul", weight), ("Add", bias)):
        if factor is not None:
            y = low.graph.binary(op, y, low.compact(factor))
    # The backward pass gets mean and rstd but not eps, and finds the node by its rstd.
    return [low.entry(call, v, i) for i, v in enumerate((y, mean, rstd))]


@handles("native_layer_norm_backward")
def _layer_norm_backward(low: Lowering, call: Call) -> list[Any]:
    """``rstd (g − x̂ mean(g x̂))`` with ``g`` the centred gradient; after a matrix product the centring is free."""
    slope, entry, shape, mean, rstd, weight = call.args[:6]
    if any(call.args[7][1:]):
        raise low.refuse(call, "the energy differentiates with respect to the weights of a norm.")
    g = low.graph
    axes = len(shape)
    deviation = low.compact(rstd)
    assert deviation.node is not None
    if deviation.op == "LayerNormalization":
        normal = deviation.node.outputs[0]
    else:
        normal = g.binary("Mul", g.binary("Sub", low.full(entry), low.compact(mean)), deviation)
    rank = len(normal.shape)
    last = list(range(rank - axes, rank))
    gradient = low.full(slope, last)
    if weight is not None:
        gradient = g.binary("Mul", gradient, low.compact(weight))
    centred = g.binary("Sub", gradient, g.reduce("ReduceMean", gradient, last, keepdims=True))
    along = g.reduce("ReduceMean", g.binary("Mul", centred, normal), last, keepdims=True)
    result = g.binary("Mul", g.binary("Sub", centred, g.binary("Mul", normal, along)), deviation)
    return [low.entry(call, result), None, None]


def _by_channel(low: Lowering, parameter: Entry, rank: int) -> Value:
    """A group norm's weight or bias, beside a tensor of this rank."""
    value = low.aligned(parameter)
    return low.graph.reshape(value, (*value.shape, *(1,) * (rank - 2)))


@handles("native_group_norm")
def _group_norm(low: Lowering, call: Call) -> list[Entry]:
    entry, weight, bias, batch, _, _, groups, eps = call.args
    g = low.graph
    x = low.full(entry)
    inside = product(entry.shape[1:]) // groups
    grouped = g.reshape(x, (batch, groups, inside))
    if static((inside,)):
        normal, mean, rstd = _normalised(low, grouped, 1, eps)
    else:
        normal, mean, rstd = _normalise(low, grouped, [2], eps)
    y = g.reshape(normal, entry.shape)
    for op, parameter in (("Mul", weight), ("Add", bias)):
        if parameter is not None:
            y = g.binary(op, y, _by_channel(low, parameter, len(entry.shape)))
    statistics = (g.reshape(v, (batch, groups)) for v in (mean, rstd))
    return [low.entry(call, y), *(low.entry(call, v, i) for i, v in enumerate(statistics, 1))]


@handles("native_group_norm_backward")
def _group_norm_backward(low: Lowering, call: Call) -> list[Any]:
    """``rstd (w g − mean(w g) − x̂ mean(w g x̂))``; both means are taken of channels first, and weighted after it.

    Only two sums and five passes are as large as the picture; the rest has a number for each channel.
    """
    slope, entry, mean, rstd, weight, batch, channels, _, groups, mask = call.args
    if any(mask[1:]):
        raise low.refuse(call, "the energy differentiates with respect to the weights of a norm.")
    g = low.graph
    gradient, shape = low.full(slope), entry.shape
    inside = product(shape[1:]) // groups
    deviation = g.reshape(low.compact(rstd), (batch, groups, 1))
    if deviation.op == "LayerNormalization" and deviation.node:
        normal = deviation.node.outputs[0]
    else:
        grouped = g.reshape(low.full(entry), (batch, groups, inside))
        centred = g.binary("Sub", grouped, g.reshape(low.compact(mean), (batch, groups, 1)))
        normal = g.binary("Mul", centred, deviation)
    each = (groups, channels // groups)
    if weight is not None:
        scale = g.reshape(low.full(weight), (1, *each))
    else:
        scale = g.constant(np.ones((1, 1, 1), gradient.dtype))

    def weighted(x: Value) -> Value:
        """The mean over a group of a gradient, weighted by channel: ``(batch, groups, 1)``."""
        places = g.reshape(x, (batch, channels, product(shape[2:])))
        by_channel = g.reshape(g.reduce("ReduceMean", places, [2]), (batch, *each))
        return g.reduce("ReduceMean", g.binary("Mul", by_channel, scale), [2], keepdims=True)

    axes = (1,) * (len(shape) - 2)
    wide = g.reshape(g.binary("Mul", deviation, scale), (batch, channels if weight is not None else groups, 1))
    along = weighted(g.binary("Mul", gradient, g.reshape(normal, shape)))
    moved = g.binary("Mul", normal, g.binary("Mul", along, deviation))
    moved = g.binary("Add", moved, g.binary("Mul", weighted(gradient), deviation))
    if weight is not None:
        first = g.binary("Mul", gradient, g.reshape(wide, (batch, channels, *axes)))
    else:
        first = g.reshape(g.binary("Mul", g.reshape(gradient, (batch, groups, inside)), wide), shape)
    return [low.entry(call, g.binary("Sub", first, g.reshape(moved, shape))), None, None]
