"""Translations of operators that move elements: views, slices, gathers."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from groundstate_export._ir.dtypes import COMPUTED
from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Batch, Shape, Value, static
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.axes import fixed
from groundstate_export._lower.operators.tables import triangle

_END = 1 << 62


@handles("view", "_unsafe_view", "reshape", "unsqueeze", "squeeze", "unflatten", "flatten", "_reshape_alias")
def _view(low: Lowering, call: Call) -> Entry:
    if call.name == "view" and call.args[1:] and isinstance(call.args[1], torch.dtype):
        raise low.refuse(call, "a tensor cannot be read as another dtype.")
    return low.entry(call, low.reshape(call.args[0], call.shape))


@handles("expand", "expand_as", "broadcast_to")
def _expand(low: Lowering, call: Call) -> Entry:
    return low.entry(call, low.compact(call.args[0]))


@handles("permute", "transpose", "t", "movedim")
def _permute(low: Lowering, call: Call) -> Entry:
    x = low.aligned(call.args[0])
    order = list(range(len(x.shape)))
    if call.name == "permute":
        order = [a % len(order) for a in call.args[1]]
    elif len(order) > 1:
        a, b = call.args[1:3] if call.name == "transpose" else (0, 1)
        order[a], order[b] = order[b], order[a]
    return low.entry(call, low.graph.transpose(x, order))


def cut(low: Lowering, x: Value, axis: int, start: int, end: int, step: int, shape: Shape) -> Value:
    one = [low.graph.constant([n], np.int64) for n in (start, end, axis, step)]
    return low.graph.emit("Slice", [x, *one], shape)


def resized(x: Value, axis: int, size: Any) -> Shape:
    return (*x.shape[:axis], size, *x.shape[axis + 1 :])


@handles("slice")
def _slice(low: Lowering, call: Call) -> Entry:
    axis, start, end, step = (
        call.get(i, n, d) for i, n, d in ((1, "dim", 0), (2, "start", 0), (3, "end", None), (4, "step", 1))
    )
    x = low.aligned(call.args[0])
    axis %= len(x.shape)
    size = call.shape[axis]
    if x.shape[axis] == 1 or size == call.args[0].shape[axis]:
        return low.entry(call, x)
    if isinstance(call.args[0].shape[axis], Batch):
        raise low.refuse(call, "the batch cannot be sliced; every row must be treated alone.")
    stop = _END if end is None or isinstance(end, Batch) or end > _END else end
    return low.entry(call, cut(low, x, axis, start or 0, stop, step, resized(x, axis, size)))


@handles("select")
def _select(low: Lowering, call: Call) -> Entry:
    x = low.aligned(call.args[0])
    axis = call.args[1] % len(x.shape)
    if isinstance(call.args[0].shape[axis], Batch):
        raise low.refuse(call, "one row of the batch cannot be selected; every row must be treated alone.")
    if x.shape[axis] != 1:
        index = call.args[2]
        x = cut(low, x, axis, index, _END if index == -1 else index + 1, 1, resized(x, axis, 1))
    return low.entry(call, low.graph.reshape(x, (*x.shape[:axis], *x.shape[axis + 1 :])))


@handles("split", "split_with_sizes", "unbind", "chunk", "unsafe_split", "unsafe_split_with_sizes", "unsafe_chunk")
def _split(low: Lowering, call: Call) -> list[Entry]:
    name = call.name
    x = low.aligned(call.args[0])
    axis = call.get(1 if name == "unbind" else 2, "dim", 0) % len(x.shape)
    pieces, start = [], 0
    for index in range(len(call.instruction.results)):
        size = 1 if name == "unbind" else call.result(index)[1][axis]
        if isinstance(size, Batch):
            raise low.refuse(call, "the batch cannot be split.")
        piece = x if x.shape[axis] == 1 else cut(low, x, axis, start, start + size, 1, resized(x, axis, size))
        if name == "unbind":
            piece = low.graph.reshape(piece, (*piece.shape[:axis], *piece.shape[axis + 1 :]))
        pieces.append(low.entry(call, piece, index))
        start += size
    return pieces


def pad(
    low: Lowering, x: Value, before: dict[int, int], after: dict[int, int], shape: Shape, fill: float = 0.0
) -> Value:
    """Pad axes with a number; a negative width cuts."""
    if not any(map(bool, (*before.values(), *after.values()))):
        return x
    rank = len(x.shape)
    widths = [before.get(i, 0) for i in range(rank)] + [after.get(i, 0) for i in range(rank)]
    inputs = [x, low.graph.constant(widths, np.int64), low.graph.constant(np.asarray(fill, x.dtype))]
    return low.graph.emit("Pad", inputs, shape, mode="constant")


@handles("slice_backward")
def _slice_backward(low: Lowering, call: Call) -> Entry:
    gradient, _, axis, start, _, step = call.args
    shape = call.shape
    size = shape[axis]
    x = low.full(gradient, [axis])
    if isinstance(size, Batch) or size == gradient.shape[axis]:
        return low.entry(call, x)
    axis %= len(shape)
    length = fixed(gradient.shape[axis])
    start = min(start + size if start < 0 else start, size)
    if step != 1:
        # Zeros between the elements; what is too much at the end is cut off by a negative width.
        g = low.graph
        apart = g.reshape(x, (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :]))
        apart = pad(low, apart, {}, {axis + 1: step - 1}, resized(apart, axis + 1, step))
        x, length = g.reshape(apart, resized(x, axis, length * step)), length * step
    return low.entry(call, pad(low, x, {axis: start}, {axis: size - start - length}, resized(x, axis, size)))


@handles("select_backward")
def _select_backward(low: Lowering, call: Call) -> Entry:
    gradient, _, axis, index = call.args
    shape = call.shape
    axis %= len(shape)
    size = shape[axis]
    if isinstance(size, Batch):
        raise low.refuse(call, "one row of the batch cannot be selected.")
    x = low.aligned(gradient)
    x = low.graph.reshape(x, (*x.shape[:axis], 1, *x.shape[axis:]))
    index = index + size if index < 0 else index
    return low.entry(call, pad(low, x, {axis: index}, {axis: size - index - 1}, resized(x, axis, size)))


@handles("constant_pad_nd")
def _constant_pad(low: Lowering, call: Call) -> Entry:
    pads, shape = call.args[1], call.shape
    rank = len(shape)
    axes = [rank - 1 - i for i in range(len(pads) // 2)]
    x = low.full(call.args[0], axes)
    before = {axis: pads[2 * i] for i, axis in enumerate(axes)}
    after = {axis: pads[2 * i + 1] for i, axis in enumerate(axes)}
    target = tuple(shape[i] if i in axes else d for i, d in enumerate(x.shape))
    return low.entry(call, pad(low, x, before, after, target, call.get(2, "value", 0.0)))


@handles("cat", "stack")
def _cat(low: Lowering, call: Call) -> Entry:
    shape = call.shape
    axis = call.get(1, "dim", 0) % len(shape)
    if isinstance(shape[axis], Batch):
        raise low.refuse(call, "tensors cannot be joined along the batch.")
    elements = [e for e in call.args[0] if 0 not in e.shape]
    parts = []
    for e in elements:
        value = low.graph.unary("Cast", low.full(e), COMPUTED[call.dtype])
        if call.name == "stack":
            value = low.graph.reshape(value, (*value.shape[:axis], 1, *value.shape[axis:]))
        parts.append(value)
    if len(parts) == 1:
        return low.entry(call, parts[0])
    if call.name == "cat" and sized(list(shape)):
        padded = _padded(low, call, elements, parts, axis)
        if padded is not None:
            return low.entry(call, padded)
    return low.entry(call, low.graph.emit("Concat", parts, shape, axis=axis))


def _padded(low: Lowering, call: Call, elements: list[Entry], parts: list[Value], axis: int) -> Value | None:
    """A tensor between zeros, as a padding; None if there is not exactly one."""
    inside = [k for k, e in enumerate(elements) if low.compact(e).scalar != 0.0]
    if len(inside) != 1 or any(isinstance(e.shape[axis], Batch) for e in elements):
        return None
    (place,) = inside
    before, after = (sum(fixed(e.shape[axis]) for e in some) for some in (elements[:place], elements[place + 1 :]))
    return pad(low, parts[place], {axis: before}, {axis: after}, call.shape)


@handles("repeat")
def _repeat(low: Lowering, call: Call) -> Entry:
    entry: Entry = call.args[0]
    if any(isinstance(n, Batch) for n in call.args[1]):
        return _repeated_by_batch(low, call, entry)
    lead = len(call.args[1]) - len(entry.shape)
    x = low.graph.reshape(low.full(entry), (1,) * lead + entry.shape)
    return low.entry(call, low.graph.emit("Tile", [x, low.graph.constant(call.args[1], np.int64)], call.shape))


def _repeated_by_batch(low: Lowering, call: Call, entry: Entry) -> Entry:
    """Repeat a tensor that depends on no row, once for every row."""
    if static(entry.shape) and call.args[1][0] == Batch() and all(n == 1 for n in call.args[1][1:]):
        shape: Shape = (Batch(), *entry.shape)
        lead = low.graph.reshape(low.full(entry), (1, *entry.shape))
        return low.entry(call, low.graph.reshape(low.graph.expand(lead, shape), call.shape))
    raise low.refuse(call, "a tensor cannot be repeated along the batch.")


@handles("flip")
def _flip(low: Lowering, call: Call) -> Entry:
    x = low.aligned(call.args[0])
    for axis in call.args[1]:
        if x.shape[axis] != 1:
            x = cut(low, x, axis % len(x.shape), -1, -_END, -1, x.shape)
    return low.entry(call, x)


@handles("tril", "triu")
def _triangle(low: Lowering, call: Call) -> Entry:
    rows, columns = call.shape[-2:]
    if isinstance(rows, Batch) or isinstance(columns, Batch):
        raise low.refuse(call, "it cuts the batch into a triangle.")
    mask = triangle(low, rows, columns, call.get(1, "diagonal", 0), lower=call.name == "tril")
    x = low.full(call.args[0], [-1, -2])
    if x.dtype == np.bool_:
        return low.entry(call, low.graph.binary("And", x, mask, np.bool_))
    return low.entry(
        call, low.graph.emit("Where", [mask, x, low.graph.constant(np.asarray(0, x.dtype))], x.shape, x.dtype)
    )
