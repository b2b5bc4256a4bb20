"""The value of a tensor after a view of it is overwritten."""

from __future__ import annotations

import numpy as np

from groundstate_export._ir.values import Batch, Value
from groundstate_export._lower.lowering import Lowering, writes
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.axes import fixed, literal
from groundstate_export._lower.operators.maps import flat, places_of, rows_of
from groundstate_export._lower.operators.views import cut, resized


def _entry(base: Entry, value: Value) -> Entry:
    return Entry(base.dtype, base.shape, value)


@writes("alias", "detach", "lift_fresh", "view", "_reshape_alias", "unsqueeze", "squeeze", "_unsafe_view", "reshape")
def _reshaped(low: Lowering, call: Call, new: Entry) -> Entry:
    base: Entry = call.args[0]
    return _entry(base, low.reshape(new, base.shape))


@writes("permute", "transpose", "t")
def _permuted(low: Lowering, call: Call, new: Entry) -> Entry:
    base: Entry = call.args[0]
    rank = len(base.shape)
    order = list(range(rank))
    if call.name == "permute":
        order = [a % rank for a in call.args[1]]
    elif rank > 1:
        a, b = call.args[1:3] if call.name == "transpose" else (0, 1)
        order[a], order[b] = order[b], order[a]
    return _entry(base, low.graph.transpose(low.full(new), [order.index(i) for i in range(rank)]))


@writes("slice", "select", "split", "split_with_sizes", "unbind", "chunk")
def _sliced(low: Lowering, call: Call, new: Entry) -> Entry:
    """A slice without a stride: concatenate the elements before it, the new ones, and the elements after it."""
    base: Entry = call.args[0]
    name, g = call.name, low.graph
    axis = call.get(2 if name.startswith("split") or name == "chunk" else 1, "dim", 0) % len(base.shape)
    size = base.shape[axis]
    if isinstance(size, Batch):
        if new.shape == base.shape:
            return _entry(base, low.full(new))
        raise low.refuse(call, "one row of the batch is written; every row must be treated alone.")
    start, length = _range(call, axis, size)
    x, middle = low.full(base), low.full(new)
    step = call.get(4, "step", 1) if name == "slice" else 1
    if step != 1:
        (long, many) = literal([size, length])
        source = np.arange(long)
        source[start : start + step * many : step] = long + np.arange(many)
        both = g.emit("Concat", [x, middle], resized(x, axis, long + many), axis=axis)
        return _entry(base, g.emit("Gather", [both, g.constant(source, np.int64)], x.shape, axis=axis))
    if name in {"select", "unbind"}:
        middle = g.reshape(middle, resized(x, axis, 1))
    pieces = []
    if start:
        pieces.append(cut(low, x, axis, 0, start, 1, resized(x, axis, start)))
    pieces.append(middle)
    if start + length != size:
        pieces.append(cut(low, x, axis, start + length, size, 1, resized(x, axis, size - start - length)))
    return _entry(base, pieces[0] if len(pieces) == 1 else g.emit("Concat", pieces, x.shape, axis=axis))


def _range(call: Call, axis: int, size: int) -> tuple[int, int]:
    """The view's start along the axis, and its length."""
    if call.name == "select":
        return _from_start(call.args[2], size), 1
    if call.name == "unbind":
        return _from_start(call.kwargs["item"], size), 1
    if call.name == "slice":
        start = min(call.get(2, "start", None) or 0, size)
        return _from_start(start, size), fixed(call.shape[axis])
    lengths = [fixed(call.result(i)[1][axis]) for i in range(len(call.instruction.results))]
    item = call.kwargs["item"]
    return sum(lengths[:item]), lengths[item]


def _from_start(place: int, size: int) -> int:
    return place + size if place < 0 else place


@writes("")
def _anywhere(low: Lowering, call: Call, new: Entry) -> Entry:
    """Any other view that moves elements of a row: concatenate old and new elements, then gather once."""
    base: Entry = call.args[0]
    if call.name == "expand":
        raise low.refuse(call, "it writes to repeated elements; clone the tensor first.")
    places = places_of(call.instruction, base.shape, call.args[1:], call.kwargs)
    times, size = rows_of(base.shape)
    total = times * size
    source = np.arange(total)
    source[places] = total + np.arange(len(places))
    g = low.graph
    both = g.emit("Concat", [flat(low, base), flat(low, new)], (Batch(), total + len(places)), axis=1)
    result = g.emit("Gather", [both, g.constant(source, np.int64)], (Batch(), total), axis=1)
    return _entry(base, g.reshape(result, base.shape))
