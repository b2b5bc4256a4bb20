"""Compute the linear terms of an energy with one product.

An energy of several terms ends in as many small products ``(batch, k) × (k, 1)``, whose results are added. Concatenated, they
are one product.
"""

from __future__ import annotations

import numpy as np

from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Batch, Node, Value
from groundstate_export._optimise.rewrite import Rewrite

_COLUMN = (Batch(), 1)


class Terms(Rewrite):
    """Joins products with constant columns whose results are added."""

    def __init__(self, source: Graph, moving: set[str]) -> None:
        super().__init__(source, moving)
        self.inside = {
            v for node in source.needed() if node.op == "Add" for v in node.inputs if v.op == "Add" and self.once(v)
        }

    def replace(self, node: Node) -> Value | None:
        out = node.outputs[0]
        if node.op != "Add" or out.shape not in {(Batch(),), _COLUMN} or out in self.inside or out.dtype != np.float32:
            return None
        others: list[Value] = []
        products: list[tuple[Value, Value]] = []
        for value in node.inputs:
            self._gather(value, others, products)
        if len(products) < 2:
            return None
        g = self.target
        sums = [self.here(x) for x, _ in products]
        columns = np.concatenate([w.array for _, w in products if w.array is not None])
        joined = g.emit("Concat", sums, (Batch(), len(columns)), axis=1)
        total = g.reshape(g.emit("MatMul", [joined, g.constant(columns)], _COLUMN), out.shape)
        for value in others:
            total = g.binary(
                "Add", total, g.reshape(self.here(value), out.shape) if value.array is None else self.here(value)
            )
        return total

    def _gather(self, value: Value, others: list[Value], products: list[tuple[Value, Value]]) -> None:
        if value.node and value in self.inside:
            for each in value.node.inputs:
                self._gather(each, others, products)
            return
        product = value
        while product.op == "Reshape" and product.node and self.once(product):
            product = product.node.inputs[0]
        if product.op == "MatMul" and product.node and self.once(product) and product.shape == _COLUMN:
            x, w = product.node.inputs
            if w.array is not None and len(x.shape) == 2:
                products.append((x, w))
                return
        others.append(value)
