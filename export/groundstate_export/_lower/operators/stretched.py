"""Linear operators along an axis of any size, as matrices, windows and indices that are computed in the graph."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Shape, Value
from groundstate_export._lower.lowering import Lowering
from groundstate_export._lower.operators.tables import column, counted
from groundstate_export._lower.operators.views import cut, pad, resized


def product(low: Lowering, x: Value, axis: int, matrix: Value) -> Value:
    """The product of an ``(out, in)`` matrix with an axis."""
    g, rank = low.graph, len(x.shape)
    shape = resized(x, axis, matrix.shape[0])
    if axis == rank - 2:
        return g.emit("MatMul", [matrix, x], shape)
    if axis == rank - 1:
        return g.emit("MatMul", [x, g.transpose(matrix, [1, 0])], shape)
    order = [k for k in range(rank) if k != axis] + [axis]
    moved = g.transpose(x, order)
    found = g.emit("MatMul", [moved, g.transpose(matrix, [1, 0])], (*moved.shape[:-1], matrix.shape[0]))
    return g.transpose(found, [order.index(k) for k in range(rank)])


def linear(low: Lowering, x: Value, out: int, inside: int, *, aligned: bool, scale: float | None) -> Value:
    """The matrix of linear interpolation from ``inside`` to ``out`` elements: ``max(0, 1 − |source − element|)``."""
    g, dtype = low.graph, x.dtype

    def number(value: Any) -> Value:
        return g.constant(value, dtype) if sized(value) else g.constant(np.asarray(value, dtype))

    here = g.unary("Cast", counted(low, out), dtype)
    if aligned:
        gaps = g.binary("Max", number(out - 1), number(1.0))
        source = g.binary("Mul", here, g.emit("Div", [number(inside - 1), gaps], ()))
    else:
        ratio = number(1.0 / scale) if scale else g.emit("Div", [number(inside), number(out)], ())
        half = number(0.5)
        source = g.binary("Sub", g.binary("Mul", g.binary("Add", here, half), ratio), half)
    source = g.binary("Min", g.binary("Max", source, number(0.0)), number(inside - 1))
    away = g.unary("Abs", g.binary("Sub", column(low, source), g.unary("Cast", counted(low, inside), dtype)))
    return g.binary("Max", g.binary("Sub", number(1.0), away), number(0.0))


def nearest(low: Lowering, x: Value, axis: int, out: int, scale: float | None) -> Value:
    """Nearest elements along an axis."""
    g, inside = low.graph, x.shape[axis]
    assert isinstance(inside, int)
    times = _times(out, inside)
    if times:
        apart = g.reshape(x, (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :]))
        wide = g.expand(apart, resized(apart, axis + 1, times))
        return g.reshape(wide, resized(x, axis, out))
    return g.emit("Gather", [x, _sources(low, out, inside, scale)], resized(x, axis, out), axis=axis)


def nearest_adjoint(low: Lowering, x: Value, axis: int, inside: int, scale: float | None) -> Value:
    """The adjoint of `nearest`."""
    g, out = low.graph, x.shape[axis]
    assert isinstance(out, int)
    times = _times(out, inside)
    if times:
        apart = g.reshape(x, (*x.shape[:axis], inside, times, *x.shape[axis + 1 :]))
        return g.reduce("ReduceSum", apart, [axis + 1])
    chosen = g.binary("Equal", _sources(low, out, inside, scale), column(low, counted(low, inside)), np.bool_)
    return product(low, x, axis, g.unary("Cast", chosen, x.dtype))


def _times(out: int, inside: int) -> int:
    """How many times longer one length is at every size; 0 if it is not a whole number of times."""
    times = int(out) // int(inside)
    return times if times and inside * times == out else 0


def _sources(low: Lowering, out: int, inside: int, scale: float | None) -> Value:
    """The place of each element's source, in float32 as PyTorch computes it."""
    g = low.graph

    def number(value: Any) -> Value:
        return g.constant(value, np.float32) if sized(value) else g.constant(np.float32(value))

    ratio = number(1.0 / scale) if scale else g.emit("Div", [number(inside), number(out)], ())
    found = g.unary("Floor", g.binary("Mul", g.unary("Cast", counted(low, out), np.float32), ratio))
    return g.unary("Cast", g.binary("Min", found, number(inside - 1)), np.int64)


def bins(low: Lowering, x: Value, first: Value, end: Value, inside: int) -> Value:
    """The matrix of means over the elements from ``first`` to ``end``, exclusive; some may lie outside."""
    g, place = low.graph, counted(low, inside)
    a, b = column(low, first), column(low, end)
    within = g.binary(
        "And", g.binary("GreaterOrEqual", place, a, np.bool_), g.binary("Less", place, b, np.bool_), np.bool_
    )
    many = g.unary("Cast", g.binary("Sub", b, a), x.dtype)
    return g.emit("Div", [g.unary("Cast", within, x.dtype), many], within.shape)


def windows(low: Lowering, x: Value, axis: int, count: int, size: int, step: int, dilation: int = 1) -> Value:
    """``count`` windows of ``size`` elements along an axis, as two axes."""
    g = low.graph
    starts = g.binary("Mul", column(low, counted(low, count)), g.constant(np.int64(step)))
    places = g.binary("Add", starts, g.constant(np.arange(size) * dilation))
    return g.emit("Gather", [x, places], (*x.shape[:axis], count, size, *x.shape[axis + 1 :]), axis=axis)


def overlapped(low: Lowering, x: Value, axis: int, length: int, step: int, dilation: int = 1) -> Value:
    """The adjoint of `windows`: one axis of ``length`` elements, each the sum of its places in all windows."""
    g = low.graph
    count, size = x.shape[axis], x.shape[axis + 1]
    assert isinstance(count, int)
    assert isinstance(size, int)
    if size == step and dilation == 1:
        whole = g.reshape(x, (*x.shape[:axis], count * size, *x.shape[axis + 2 :]))
        return pad(low, whole, {}, {axis: length - count * size}, resized(whole, axis, length))
    total: Value | None = None
    for k in range(size):
        part = g.reshape(
            cut(low, x, axis + 1, k, k + 1, 1, resized(x, axis + 1, 1)), (*x.shape[: axis + 1], *x.shape[axis + 2 :])
        )
        spread = dilated(low, part, axis, step)
        long = count * step
        moved = pad(
            low, spread, {axis: k * dilation}, {axis: length - long - k * dilation}, resized(part, axis, length)
        )
        total = moved if total is None else g.binary("Add", total, moved)
    assert total is not None
    return total


def dilated(low: Lowering, x: Value, axis: int, step: int) -> Value:
    """Zeros after each element along an axis."""
    if step == 1:
        return x
    g, length = low.graph, x.shape[axis]
    assert isinstance(length, int)
    apart = g.reshape(x, (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :]))
    apart = pad(low, apart, {}, {axis + 1: step - 1}, resized(apart, axis + 1, step))
    return g.reshape(apart, resized(x, axis, length * step))


def rolled(low: Lowering, x: Value, axis: int, shift: int) -> Value:
    """The elements moved along an axis, those at the end to the front."""
    length = x.shape[axis]
    assert isinstance(length, int)
    start = (-shift) % length
    parts = [
        cut(low, x, axis, start, length, 1, resized(x, axis, length - start)),
        cut(low, x, axis, 0, start, 1, resized(x, axis, start)),
    ]
    return low.graph.emit("Concat", parts, x.shape, axis=axis)


def reflected_adjoint(low: Lowering, x: Value, axis: int, before: int, after: int, *, replicate: bool) -> Value:
    """The adjoint of a padding of one axis by reflection or replication: the edges are added where they came from."""
    g, long = low.graph, x.shape[axis]
    assert isinstance(long, int)
    length = long - before - after
    shape: Shape = resized(x, axis, length)
    total = cut(low, x, axis, before, before + length, 1, shape)
    for width, start, place in ((before, 0, 0), (after, before + length, 1)):
        if not width:
            continue
        edge = cut(low, x, axis, start, start + width, 1, resized(x, axis, width))
        if replicate:
            edge = g.reduce("ReduceSum", edge, [axis], keepdims=True)
            front, behind = (0, length - 1) if place == 0 else (length - 1, 0)
        else:
            edge = cut(low, edge, axis, -1, -(1 << 62), -1, edge.shape)
            front, behind = (1, length - width - 1) if place == 0 else (length - width - 1, 1)
        total = g.binary("Add", total, pad(low, edge, {axis: front}, {axis: behind}, shape))
    return total
