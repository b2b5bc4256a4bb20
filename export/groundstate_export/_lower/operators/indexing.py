"""Translations of indexing operators."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Array, Batch, Dimension, Shape, Value, broadcast, static
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.axes import fixed
from groundstate_export._lower.operators.maps import flat, gather

ROWS = "every row must be treated alone; index with `torch.arange(batch)` first, or use `gather`."


def constant_rows(low: Lowering, entry: Entry) -> Array | None:
    """The constant that every row of an integer tensor equals, if there is one."""
    value = low.aligned(entry)
    if value.array is None or not entry.shape or not isinstance(entry.shape[0], Batch):
        return None
    if not static(entry.shape[1:]):
        return None
    return np.broadcast_to(value.array[0], [fixed(d) for d in entry.shape[1:]])


@dataclass
class Where:
    """The target of an index: axes ``axis, …, axis + count - 1`` of a tensor, flattened into one.

    Attributes:
        x: The tensor's shape, with the indexed axes next to each other.
        order: The permutation of its axes that makes them so.
        axis: The first indexed axis.
        count: The number of indexed axes.
        size: The number of elements along them all.
        shape: The shape of the index, rows included.
        constant: The places, if they are the same for every row.
        value: The places ``(batch, …)`` in the graph, if they are not.
        rows: Whether the index differs from row to row.
    """

    x: Shape
    order: list[int]
    axis: int
    count: int
    size: int
    shape: Shape
    constant: Array | None
    value: Value | None
    rows: bool

    @property
    def rest(self) -> Shape:
        """The axes after the indexed ones."""
        return self.x[self.axis + self.count :]


def located(low: Lowering, call: Call, shape: Shape, indices: list[Entry | None]) -> Where:
    """Read the indices of `index` or `index_put`."""
    used = [(axis, i) for axis, i in enumerate(indices) if i is not None]
    rows = used[0][0] == 0 and isinstance(shape[0], Batch) and used[0][1].rows
    lead = broadcast(*(i.shape for _, i in used))
    if rows:
        if not isinstance(lead[0], Batch) or any(
            len(i.shape) < len(lead) and isinstance(i.shape[0], Batch) for _, i in used
        ):
            raise low.refuse(call, f"its index mixes rows of the batch; {ROWS}")
        used = used[1:]
    axes = [axis for axis, _ in used]
    if any(isinstance(shape[a], Batch) for a in axes):
        raise low.refuse(call, f"it selects rows of the batch; {ROWS}")
    order = list(range(len(shape)))
    first = axes[0] if axes else 1
    if axes and axes != list(range(axes[0], axes[0] + len(axes))):
        first = 1 if rows else 0
        order = [*([0] if rows else []), *axes, *(a for a in order if a not in axes and not (rows and a == 0))]
    elif rows and axes and axes[0] != 1:
        order = [0, *axes, *(a for a in order if a not in axes and a != 0)]
        first = 1
    sizes = [fixed(shape[a]) for a in axes]
    constant, value = _linear(low, [i for _, i in used], sizes)
    moved = tuple(shape[a] for a in order)
    return Where(moved, order, first, len(axes), math.prod(sizes), lead, constant, value, rows)


def _linear(low: Lowering, indices: list[Entry], sizes: list[int]) -> tuple[Array | None, Value | None]:
    """Combine several indices into one over their flattened axes; negative indices count from the end."""
    g = low.graph
    total: Value | None = None
    for entry, size in zip(indices, sizes, strict=True):
        index = g.unary("Cast", low.compact(entry), np.int64)
        length = g.constant(size, np.int64)
        if index.array is not None and (not sized(size) or not (index.array < 0).any()):
            index = g.constant(index.array if sized(size) else index.array % size)
        elif _negative(index):
            below = g.binary("Less", index, g.constant(np.int64(0)), np.bool_)
            index = g.emit("Where", [below, g.binary("Add", index, length), index], index.shape, np.int64)
        total = index if total is None else g.binary("Add", g.binary("Mul", total, length), index)
    if total is None:
        return np.zeros((), np.int64), None
    return (total.array, None) if total.array is not None else (None, total)


def _negative(index: Value) -> bool:
    """Whether an index may be negative. Results of a sort or a maximum are not."""
    return index.op not in {"ArgMax", "ArgMin", "TopK"}


@handles("index", "_unsafe_index")
def _index(low: Lowering, call: Call) -> Entry:
    entry: Entry = call.args[0]
    where = located(low, call, entry.shape, call.args[1])
    g = low.graph
    x = low.full(entry, None if where.rows else [where.order[where.axis + i] for i in range(where.count)])
    x = g.transpose(x, where.order)
    x = g.reshape(x, (*x.shape[: where.axis], where.size, *x.shape[where.axis + where.count :]))
    lead = where.shape[1:] if where.rows else where.shape
    if where.constant is not None and static(lead):
        constant = np.broadcast_to(_without_row(where), [fixed(d) for d in lead])
        return low.entry(call, gather(low, x, where.axis, constant))
    places = g.constant(where.constant) if where.value is None else where.value
    if where.rows:
        index = g.expand(places, where.shape)
        index = g.reshape(index, (*index.shape, 1))
        return low.entry(call, g.emit("GatherND", [x, index], call.shape, batch_dims=1))
    if not any(isinstance(d, Batch) for d in where.shape):
        index = g.expand(places, where.shape)
        found = (*x.shape[: where.axis], *index.shape, *x.shape[where.axis + 1 :])
        return low.entry(call, g.emit("Gather", [x, index], found, axis=where.axis))
    if any(isinstance(d, Batch) for d in x.shape):
        raise low.refuse(call, f"both its index and its tensor depend on the row; {ROWS}")
    index = g.expand(places, where.shape)
    return low.entry(call, g.emit("Gather", [x, index], call.shape, axis=where.axis))


def _without_row(where: Where) -> Array:
    assert where.constant is not None
    array = where.constant
    return array[0] if where.rows and array.ndim == len(where.shape) else array


@handles("index_select", "embedding")
def _index_select(low: Lowering, call: Call) -> Entry:
    x, axis, entry = (call.args[0], 0, call.args[1]) if call.name == "embedding" else call.args[:3]
    axis %= len(x.shape)
    if isinstance(x.shape[axis], Batch):
        raise low.refuse(call, f"it selects rows of the batch; {ROWS}")
    values = low.full(x, [axis])
    index = low.graph.unary("Cast", low.full(entry), np.int64)
    if index.array is not None and not (sized(x.shape[axis]) and (index.array < 0).any()):
        places = index.array if sized(x.shape[axis]) else index.array % fixed(x.shape[axis])
        return low.entry(call, gather(low, values, axis, places))
    shape: tuple[Dimension, ...] = (*values.shape[:axis], *index.shape, *values.shape[axis + 1 :])
    return low.entry(call, low.graph.emit("Gather", [values, index], shape, axis=axis))


def along(places: Array, sizes: list[int], axis: int) -> Array:
    """The places of `torch.gather` along an axis, as places in the flattened row."""
    numbers = np.arange(int(np.prod(sizes, dtype=np.int64))).reshape(sizes)
    part = numbers[tuple(slice(None) if i == axis else slice(0, n) for i, n in enumerate(places.shape))]
    return np.take_along_axis(part, places % sizes[axis], axis).reshape(-1)


@handles("gather")
def _gather(low: Lowering, call: Call) -> Entry:
    entry, axis, index = call.args[0], call.args[1] % max(len(call.args[0].shape), 1), call.args[2]
    if isinstance(entry.shape[axis], Batch):
        raise low.refuse(call, f"it gathers rows of the batch; {ROWS}")
    rows = constant_rows(low, index)
    if rows is not None and entry.shape[0] == index.shape[0] == Batch() and static(entry.shape[1:]):
        places = along(rows, [fixed(d) for d in entry.shape[1:]], axis - 1)
        return low.entry(call, low.graph.reshape(gather(low, flat(low, entry), 1, places), call.shape))
    inputs = [low.full(entry), low.graph.unary("Cast", low.full(index), np.int64)]
    return low.entry(call, low.graph.emit("GatherElements", inputs, call.shape, axis=axis))
