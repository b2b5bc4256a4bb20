"""Put sums and products into the cheapest order.

Both rules follow from the form of a gradient. Constant factors (a step size, the ``1/n`` of a mean) move into the nearest
constant weights, where they are free. Sums and products of several tensors are reordered so that small tensors, and tensors
that do not depend on the state, are combined first.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Batch, Node, Shape, Value, broadcast, count
from groundstate_export._optimise.rewrite import Rewrite


class Algebra(Rewrite):
    """Reorders sums and products, and moves constant factors into constant matrices."""

    def __init__(self, source: Graph, moving: Iterable[str]) -> None:
        super().__init__(source, moving)
        self.constant_values: set[Value] = set()
        """Values of the target that depend on no moving input."""
        self.single: set[Value] = set()
        """Values of the target with exactly one reader, which may therefore be computed differently."""
        self.inner = self._inner()

    def visit(self, node: Node) -> None:
        for value in node.inputs:
            if value.node is None and value.array is None and value not in self.depends:
                self.constant_values.add(self.values[value])
        if node.outputs[0] not in self.inner:
            self._emit(node)

    def _inner(self) -> set[Value]:
        """Values inside a sum or product that is rebuilt as a whole."""
        inner: set[Value] = set()
        parents: dict[Value, Node] = {}
        for node in self.source.needed():
            for value in node.inputs:
                parents[value] = node
        for value, parent in parents.items():
            if self.uses.get(value) == 1 and value.node:
                family = _SUMS if parent.op in _SUMS else _PRODUCTS if parent.op in _PRODUCTS else frozenset[str]()
                if value.op in family and value.dtype == np.float32:
                    inner.add(value)
        return inner

    def _emit(self, node: Node) -> None:
        out = node.outputs[0]
        before = len(self.target.nodes)
        if node.op in _SUMS and out.dtype == np.float32:
            copies: tuple[Value, ...] = (self._sum(out),)
        elif node.op in _PRODUCTS and out.dtype == np.float32:
            copies = (self._product(out),)
        elif node.op == "MatMul":
            copies = (self._matmul(node),)
        else:
            copies = self.copy(node)
        self.values.update(zip(node.outputs, copies, strict=True))
        if out not in self.depends:
            self.constant_values.update(copies)
        if self.uses.get(out) == 1 and len(self.target.nodes) > before:
            self.single.update(copies)
        else:
            self.single.difference_update(copies)

    # Sums

    def _sum(self, out: Value) -> Value:
        leaves: list[tuple[Value, bool]] = []

        def gather(value: Value, *, negative: bool, root: bool = False) -> None:
            if value.op in _SUMS and value.node and (root or self.uses.get(value) == 1) and value.array is None:
                first, *rest = value.node.inputs
                gather(first, negative=negative != (value.op == "Neg"))
                for other in rest:
                    gather(other, negative=negative != (value.op == "Sub"))
            else:
                leaves.append((self.here(value), negative))

        gather(out, negative=False, root=True)
        pool = leaves
        while len(pool) > 1:
            pool = self._combine_sum(pool)
        value, negative = pool[0]
        return self.target.unary("Neg", value) if negative else value

    def _combine_sum(self, pool: list[tuple[Value, bool]]) -> list[tuple[Value, bool]]:
        i, j = min(
            ((i, j) for i in range(len(pool)) for j in range(i + 1, len(pool))),
            key=lambda p: (*self._price(pool[p[0]][0], pool[p[1]][0]), pool[p[0]][1] and pool[p[1]][1], p),
        )
        (a, minus_a), (b, minus_b) = pool[i], pool[j]
        if minus_a == minus_b:
            joined = (self._binary("Add", a, b), minus_a)
        elif minus_a:
            joined = (self._binary("Sub", b, a), False)
        else:
            joined = (self._binary("Sub", a, b), False)
        return [p for k, p in enumerate(pool) if k not in (i, j)] + [joined]

    def _price(self, a: Value, b: Value) -> tuple[int, int, int]:
        """The order for combining two tensors: by cost per step, then by reduction in size, then by total cost."""
        shape = broadcast(a.shape, b.shape)
        size = count(shape)
        fixed = all(v.array is not None or v in self.constant_values for v in (a, b))
        return (0 if fixed else 1, size, max(count(a.shape), count(b.shape)))

    def _binary(self, op: str, a: Value, b: Value) -> Value:
        before = len(self.target.nodes)
        result = self.target.binary(op, a, b)
        if len(self.target.nodes) > before:
            self.single.add(result)
        else:
            self.single.discard(result)
        if all(v.array is not None or v in self.constant_values for v in (a, b)):
            self.constant_values.add(result)
        return result

    # Products

    def _product(self, out: Value) -> Value:
        leaves: list[Value] = []

        def gather(value: Value, *, root: bool = False) -> None:
            if value.op in _PRODUCTS and value.node and (root or self.uses.get(value) == 1) and value.array is None:
                for factor in value.node.inputs:
                    gather(factor)
            else:
                leaves.append(value)

        gather(out, root=True)
        constants = [v for v in leaves if v.array is not None]
        others = [v for v in leaves if v.array is None]
        factors = [self.here(v) for v in others]
        constant: Value | None = None
        for c in constants:
            here = self.target.constant(c.array)
            constant = here if constant is None else self.target.binary("Mul", constant, here)
        if constant is not None and constant.scalar != 1.0:
            for k, factor in enumerate(factors):
                absorbed = self._absorb(factor, constant)
                if absorbed is not None:
                    factors[k], constant = absorbed, None
                    break
        pool = factors + ([constant] if constant is not None else [])
        while len(pool) > 1:
            i, j = min(
                ((i, j) for i in range(len(pool)) for j in range(i + 1, len(pool))),
                key=lambda p: (*self._price(pool[p[0]], pool[p[1]]), p),
            )
            joined = self._binary("Mul", pool[i], pool[j])
            pool = [p for k, p in enumerate(pool) if k not in (i, j)] + [joined]
        return pool[0]

    def _absorb(self, value: Value, c: Value) -> Value | None:
        """``value * c`` without cost per step, or None if no constant can absorb ``c``."""
        if value.array is not None:
            return self.target.binary("Mul", value, c)
        if value.node is None or value not in self.single or broadcast(value.shape, c.shape) != value.shape:
            return None
        absorb = {
            "MatMul": self._absorb_matmul, "Mul": self._absorb_mul, "Add": self._absorb_sum, "Sub": self._absorb_sum,
            "Reshape": self._absorb_moved, "Transpose": self._absorb_moved, "ReduceSum": self._absorb_moved,
            "ReduceMean": self._absorb_moved,
        }.get(value.op)  # fmt: skip
        return absorb(value, value.node, c) if absorb else None

    def _absorb_matmul(self, value: Value, node: Node, c: Value) -> Value | None:
        a, weight = node.inputs
        if weight.array is None or not _last_only(c.shape):
            return None
        return self.target.emit("MatMul", [a, self.target.binary("Mul", weight, _as_row(self.target, c))], value.shape)

    def _absorb_mul(self, _: Value, node: Node, c: Value) -> Value | None:
        pairs = sorted((node.inputs, node.inputs[::-1]), key=lambda pair: pair[1].array is None)
        for a, b in pairs:
            inner = self._absorb(b, c)
            if inner is not None:
                return self._binary("Mul", a, inner)
        return None

    def _absorb_sum(self, _: Value, node: Node, c: Value) -> Value | None:
        left, right = (self._absorb(v, c) for v in node.inputs)
        return None if left is None or right is None else self._binary(node.op, left, right)

    def _absorb_moved(self, value: Value, node: Node, c: Value) -> Value | None:
        inner = self._absorb(node.inputs[0], c) if c.scalar is not None else None
        if inner is None:
            return None
        if node.op == "Reshape":
            return self.target.reshape(inner, value.shape)
        return self.target.emit(node.op, [inner, *node.inputs[1:]], value.shape, **dict(node.attributes))

    # Matrix products

    def _matmul(self, node: Node) -> Value:
        a, b = (self.here(v) for v in node.inputs)
        if b.array is not None and b.array.ndim == 2 and a.op == "Mul" and a.node and a in self.single:
            for left, right in (a.node.inputs, a.node.inputs[::-1]):
                if right.array is not None and _last_only(right.shape) and left.shape == a.shape:
                    row = _as_row(self.target, right)
                    column = self.target.reshape(row, (row.shape[-1], 1)) if row.shape else row
                    a, b = left, self.target.binary("Mul", b, column)
                    break
        return self.target.emit("MatMul", [a, b], node.outputs[0].shape)


_SUMS = frozenset({"Add", "Sub", "Neg"})
_PRODUCTS = frozenset({"Mul"})


def _last_only(shape: Shape) -> bool:
    """Whether a tensor of this shape varies along the last axis at most."""
    return all(d == 1 for d in shape[:-1]) and not (shape and isinstance(shape[-1], Batch))


def _as_row(graph: Graph, c: Value) -> Value:
    return graph.reshape(c, ()) if c.scalar is not None else graph.reshape(c, (c.shape[-1],))
