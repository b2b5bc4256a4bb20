"""Multiply by constant matrices before rows are gathered, and after they are added up.

A network over a graph multiplies the features of both ends of every edge: ``[h_i ‖ h_j ‖ d] W`` for rows ``i`` and ``j`` that an
input names. There are more edges than nodes, and the product is linear: ``(h A)_i + (h B)_j + d C`` with the rows of ``W`` parted
into ``A``, ``B`` and ``C``. Messages are added up before a last linear layer for the same reason, and the gradient
contains the transposed forms of both.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Batch, Node, Shape, Value, usual
from groundstate_export._optimise.rewrite import Rewrite


class Products(Rewrite):
    """Moves products with constant matrices from gathered rows to the rows they come from."""

    def __init__(self, source: Any, moving: Any) -> None:
        super().__init__(source, moving)
        self.readers: dict[Value, list[Node]] = {}
        for node in source.needed():
            for value in node.inputs:
                self.readers.setdefault(value, []).append(node)

    def replace(self, node: Node) -> Value | None:
        if node.op == "MatMul":
            return self._product(node.outputs[0])
        if node.op == "Add":
            return self._shifted(node)
        if node.op == "Slice":
            return self._column(node)
        if node.op == "ScatterND":
            return self._after(node)
        return None

    def _product(self, value: Value, bias: Value | None = None) -> Value | None:
        """A product with a constant matrix, and a bias, of rows that are gathered."""
        weight = None if value.op != "MatMul" or value.node is None else _matrix(value.node.inputs[1])
        if weight is None or value.node is None:
            return None
        x = value.node.inputs[0]
        if x.op == "Concat" and x.node and dict(x.node.attributes)["axis"] == len(x.shape) - 1 and self.once(x):
            return self._parted(x.node, weight, bias)
        return self._before(x, weight, bias)

    def _shifted(self, node: Node) -> Value | None:
        """A product plus a bias, which is added before the gather too."""
        for value, bias in (node.inputs, node.inputs[::-1]):
            if bias.array is not None and bias.array.size == _last(bias.shape) and self.once(value):
                return self._product(value, bias)
        return None

    def _before(self, x: Value, weight: Any, bias: Value | None = None) -> Value | None:
        """The product of gathered rows, computed before the gather."""
        if not (self._gathers(x) and self.once(x)) or x.node is None:
            return None
        rows, index = x.node.inputs
        g, width = self.target, weight.shape[1]
        product = g.emit("MatMul", [self.here(rows), g.constant(weight)], (*rows.shape[:-1], width))
        if bias is not None:
            product = g.binary("Add", product, self.here(bias))
        return g.emit("GatherND", [product, self.here(index)], (*x.shape[:-1], width), batch_dims=1)

    def _gathers(self, x: Value) -> bool:
        """Whether these are rows of a tensor with no more rows than are gathered."""
        if x.op != "GatherND" or x.node is None or dict(x.node.attributes).get("batch_dims") != 1:
            return False
        rows, index = x.node.inputs
        return len(rows.shape) == len(x.shape) == 3 and index.shape[-1] == 1 and _fewer(rows.shape[1], x.shape[1])

    def _parted(self, joined: Node, weight: Any, bias: Value | None) -> Value | None:
        """The product of tensors side by side, of which some are gathered: the sum of their products."""
        if not any(self._gathers(x) and self.once(x) for x in joined.inputs) or any(
            sized(x.shape[-1]) or isinstance(x.shape[-1], Batch) for x in joined.inputs
        ):
            return None
        total, start = None, 0
        for x in joined.inputs:
            stop = start + _length(x.shape)
            part = np.ascontiguousarray(weight[start:stop])
            product = self._before(x, part, bias)
            if product is not None:
                bias = None
            else:
                product = self.target.emit(
                    "MatMul", [self.here(x), self.target.constant(part)], (*x.shape[:-1], weight.shape[1])
                )
            total = product if total is None else self.target.binary("Add", total, product)
            start = stop
        return total

    def _column(self, node: Node) -> Value | None:
        """Some columns of a product, if they are only ever read apart, and most are not read, or some are added up by rows."""
        product = node.inputs[0]
        if product.op != "MatMul" or product.node is None or (weight := _matrix(product.node.inputs[1])) is None:
            return None
        readers = self.readers[product]
        if self.uses[product] != len(readers) or any(_columns(r) is None for r in readers):
            return None
        summed = any(r.op == "ScatterND" for cut in readers for r in self.readers.get(cut.outputs[0], []))
        if not summed and 2 * sum(_length(cut.outputs[0].shape) for cut in readers) > weight.shape[1]:
            return None
        bounds = _columns(node)
        assert bounds is not None
        part = self.target.constant(np.ascontiguousarray(weight[:, slice(*bounds)]))
        return self.target.emit("MatMul", [self.here(product.node.inputs[0]), part], node.outputs[0].shape)

    def _after(self, node: Node) -> Value | None:
        """The sum of products by rows: the product of the sum, plus each row's bias as often as it was added."""
        base, places, added = node.inputs
        if dict(node.attributes).get("reduction") != "add" or not _zeros(base) or not self.once(added):
            return None
        bias = None
        if added.op == "Add" and added.node and self._given(places):
            added, bias = added.node.inputs
            if bias.array is None or bias.array.size != _last(bias.shape):
                return None
        if added.op != "MatMul" or added.node is None or not self.once(added):
            return None
        x, factor = added.node.inputs
        weight = _matrix(factor)
        if weight is None or len(x.shape) != 3 or not _fewer(base.shape[1], x.shape[1]):
            return None
        g = self.target
        summed = self._sum(base.shape, places, self.here(x))
        product = g.emit("MatMul", [summed, g.constant(weight)], base.shape)
        if bias is None or bias.array is None:
            return product
        ones = g.expand(g.constant(np.ones((1, 1, 1), x.dtype)), (*x.shape[:2], 1))
        times = self._sum(base.shape, places, ones)
        return g.binary("Add", product, g.binary("Mul", times, g.constant(bias.array.reshape(1, 1, -1))))

    def _given(self, value: Value) -> bool:
        """Whether only shapes of the state matter for a value, so that it is computed once in a descent."""
        waiting = [value]
        while waiting:
            each = waiting.pop()
            if each in self.depends and each.op != "Shape":
                if each.node is None:
                    return False
                waiting.extend(each.node.inputs)
        return True

    def _sum(self, shape: Shape, places: Value, x: Value) -> Value:
        g, wide = self.target, (*shape[:2], x.shape[-1])
        zeros = g.expand(g.constant(np.zeros((1, 1, 1), x.dtype)), wide)
        return g.emit("ScatterND", [zeros, self.here(places), x], wide, reduction="add")


def _matrix(value: Value) -> Any:
    """A constant matrix of floating-point numbers, or None."""
    array = value.array
    return array if array is not None and array.ndim == 2 and array.dtype.kind == "f" else None


def _zeros(value: Value) -> bool:
    if value.op == "Expand" and value.node:
        return value.node.inputs[0].scalar == 0.0
    return value.array is not None and not value.array.any()


def _fewer(one: Any, other: Any) -> bool:
    if isinstance(one, Batch) or isinstance(other, Batch):
        return False
    return usual(one) <= usual(other)


def _length(shape: Shape) -> int:
    size = shape[-1]
    assert isinstance(size, int)
    return size


def _last(shape: Shape) -> int:
    return _length(shape) if shape else 1


def _columns(node: Node) -> tuple[int, int] | None:
    """The bounds of a slice along the last axis, of fixed numbers and without a stride; None for any other node."""
    if node.op != "Slice":
        return None
    width = node.inputs[0].shape[-1]
    bounds = [v.array for v in node.inputs[1:]]
    if len(bounds) != 4 or any(b is None or b.size != 1 for b in bounds) or isinstance(width, Batch) or sized(width):
        return None
    start, stop, axis, stride = (int(b.reshape(())) for b in bounds if b is not None)
    if axis % len(node.inputs[0].shape) != len(node.inputs[0].shape) - 1 or stride != 1 or min(start, stop) < 0:
        return None
    return start, min(stop, width)
