"""Translations of operators that write to, or add to, places of a tensor."""

from __future__ import annotations

import math

import numpy as np

from groundstate_export._ir.dtypes import COMPUTED
from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Batch, Shape, Value, static
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators import maps
from groundstate_export._lower.operators.axes import fixed, literal
from groundstate_export._lower.operators.indexing import ROWS, along, constant_rows, located


def _zero(low: Lowering, entry: Entry) -> bool:
    return low.compact(entry).scalar == 0.0


def _put(low: Lowering, base: Entry, x: Value, new: Value, axis: int, places: maps.Places, *, add: bool) -> Value:
    """``x`` with ``new`` added or written at constant places along an axis."""
    g = low.graph
    size = fixed(x.shape[axis])
    if add:
        moved = maps.scatter(low, new, axis, places, size)
        return moved if _zero(low, base) else g.binary("Add", x, moved)
    source = np.arange(size)
    source[places.reshape(-1)] = size + np.arange(places.size)
    both = g.emit("Concat", [x, new], (*x.shape[:axis], size + places.size, *x.shape[axis + 1 :]), axis=axis)
    return g.emit("Gather", [both, g.constant(source, np.int64)], x.shape, axis=axis)


@handles("index_put", "_unsafe_index_put", "_index_put_impl")
def _index_put(low: Lowering, call: Call) -> Entry:
    base, indices, values = call.args[:3]
    add = bool(call.get(3, "accumulate", False))
    where = located(low, call, base.shape, indices)
    g = low.graph
    x = g.transpose(low.full(base), where.order)
    moved = x.shape
    x = g.reshape(x, (*moved[: where.axis], where.size, *where.rest))
    lead = where.shape[1:] if where.rows else where.shape
    new_shape: Shape = (*moved[: where.axis], *lead, *where.rest)
    new = g.expand(g.unary("Cast", low.aligned(values), COMPUTED[base.dtype]), new_shape)
    many = math.prod(fixed(d) for d in lead)
    new = g.reshape(new, (*moved[: where.axis], many, *where.rest))
    if where.constant is not None and static(lead) and not sized(where.size):
        array = where.constant[0] if where.rows and where.constant.ndim == len(where.shape) else where.constant
        constant = np.broadcast_to(array, [fixed(d) for d in lead]).reshape(-1)
        result = _put(low, base, x, new, where.axis, constant, add=add)
    elif where.rows:
        places = g.constant(where.constant) if where.value is None else where.value
        index = g.reshape(g.expand(places, where.shape), (Batch(), many, *(1,) * len(where.rest)))
        index = g.expand(index, new.shape)
        inputs = [x, index, new]
        result = g.emit("ScatterElements", inputs, x.shape, axis=1, reduction="add" if add else "none")
    elif not any(isinstance(d, Batch) for d in where.shape):
        places = g.constant(where.constant) if where.value is None else where.value
        index = g.reshape(g.expand(places, lead), (many, *(1,) * len(where.rest)))
        inputs = [x, g.expand(index, new.shape), new]
        reduction = "add" if add else "none"
        result = g.emit("ScatterElements", inputs, x.shape, axis=where.axis, reduction=reduction)
    else:
        raise low.refuse(call, f"its places depend on the row; {ROWS}")
    result = g.reshape(result, moved)
    return low.entry(call, g.transpose(result, [where.order.index(i) for i in range(len(where.order))]))


@handles("index_add", "index_copy")
def _index_add(low: Lowering, call: Call) -> Entry:
    base, axis, index, source = call.args[:4]
    axis %= len(base.shape)
    places = low.full(index).array
    if places is None or isinstance(base.shape[axis], Batch):
        raise low.refuse(call, f"its places depend on the input; {ROWS}")
    new = low.full(source)
    alpha = call.kwargs.get("alpha", 1)
    new = low.graph.binary("Mul", new, low.graph.constant(np.asarray(alpha, new.dtype)))
    (size,) = literal([base.shape[axis]])
    places = places.reshape(-1) % size
    return low.entry(call, _put(low, base, low.full(base), new, axis, places, add=call.name == "index_add"))


@handles("index_fill")
def _index_fill(low: Lowering, call: Call) -> Entry:
    base, axis, index, fill = call.args[:4]
    axis %= len(base.shape)
    places = low.full(index).array
    if places is None or isinstance(base.shape[axis], Batch):
        raise low.refuse(call, f"its places depend on the input; {ROWS}")
    mask = np.zeros([*literal([base.shape[axis]]), *(1,) * (len(base.shape) - axis - 1)], np.bool_)
    mask[places.reshape(-1)] = True
    x = low.full(base, [axis])
    (value,) = low.operands([fill], base.dtype)
    return low.entry(call, low.graph.emit("Where", [low.graph.constant(mask), value, x], x.shape, x.dtype))


_REDUCE = {"sum": "add", "mean": "add", "prod": "mul", "amax": "max", "amin": "min"}
_NEUTRAL = {"sum": 0.0, "mean": 0.0, "prod": 1.0, "amax": -np.inf, "amin": np.inf}


@handles("scatter", "scatter_add", "scatter_reduce")
def _scatter(low: Lowering, call: Call) -> Entry:
    base, axis, index, source = call.args[:4]
    axis %= len(base.shape)
    if isinstance(base.shape[axis], Batch):
        raise low.refuse(call, f"it writes to rows of the batch; {ROWS}")
    kind = "sum" if call.name == "scatter_add" else call.get(4, "reduce", "") if call.name == "scatter_reduce" else ""
    kind = {"add": "sum", "multiply": "prod"}.get(call.kwargs.get("reduce", kind), kind)
    new = _updates(low, base, index, source)
    rows = constant_rows(low, index)
    if (
        rows is not None
        and kind in {"", "sum"}
        and base.shape[0] == index.shape[0] == Batch()
        and static(base.shape[1:])
        and call.kwargs.get("include_self", True)
    ):
        places = along(rows, [fixed(d) for d in base.shape[1:]], axis - 1)
        flat = low.graph.reshape(new, (Batch(), places.size))
        result = _put(low, base, maps.flat(low, base), flat, 1, places, add=kind == "sum")
        return low.entry(call, low.graph.reshape(result, call.shape))
    index_value = low.graph.unary("Cast", low.full(index), np.int64)
    return low.entry(call, _scattered(low, call, low.full(base), index_value, new, axis, kind))


def _scattered(low: Lowering, call: Call, x: Value, places: Value, new: Value, axis: int, kind: str) -> Value:
    g = low.graph

    def scatter(onto: Value, values: Value, reduction: str) -> Value:
        return g.emit("ScatterElements", [onto, places, values], onto.shape, axis=axis, reduction=reduction)

    def filled(value: float, shape: Shape) -> Value:
        return g.expand(g.constant(np.asarray(value, x.dtype)), shape)

    if not kind:
        return scatter(x, new, "none")
    own = bool(call.get(5, "include_self", True))
    start = x if own else scatter(x, filled(_NEUTRAL[kind], new.shape), "none")
    result = scatter(start, new, _REDUCE[kind])
    if kind != "mean":
        return result
    counts = scatter(filled(1.0, x.shape), filled(1.0, new.shape), "add")
    if not own:
        touched = scatter(filled(0.0, x.shape), filled(1.0, new.shape), "add")
        counts = g.binary("Max", touched, g.constant(np.asarray(1.0, x.dtype)))
    return g.binary("Div", result, counts)


def _updates(low: Lowering, base: Entry, index: Entry, source: Entry | float) -> Value:
    """The updates, cut to the size of the index, which may be smaller than its source."""
    g = low.graph
    if not isinstance(source, Entry) or not source.shape:
        (value,) = low.operands([source], base.dtype)
        return g.expand(value, index.shape)
    x = g.unary("Cast", low.full(source), COMPUTED[base.dtype])
    for axis, (size, have) in enumerate(zip(index.shape, source.shape, strict=True)):
        if size != have:
            one = [g.constant([n], np.int64) for n in (0, fixed(size), axis, 1)]
            x = g.emit("Slice", [x, *one], (*x.shape[:axis], size, *x.shape[axis + 1 :]))
    return x
