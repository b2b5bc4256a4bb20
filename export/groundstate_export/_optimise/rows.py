"""Gather and add whole rows, with one index per row instead of PyTorch's one index per element.

``x.gather(1, i.expand(…))`` arrives as `GatherElements` with one index per element, and its gradient as
`ScatterElements`. ONNX's `GatherND` and `ScatterND` move rows. PyTorch gathers by int64 only; int32 indices that were converted
to it stay as they are, at half the memory.
"""

from __future__ import annotations

import numpy as np

from groundstate_export._ir.values import Batch, Node, Value
from groundstate_export._optimise.rewrite import Rewrite, without_reshapes


class Rows(Rewrite):
    """Moves whole rows of ``(batch, n, d)`` tensors."""

    def replace(self, node: Node) -> Value | None:
        if node.op == "GatherElements":
            return self._gather(node) or self._narrow(node)
        if node.op == "ScatterElements":
            return self._scatter(node)
        return None

    def _indices(self, node: Node) -> Value | None:
        """The indices ``(batch, m)`` in the target, if they are constant along the last axis of a three-dimensional tensor."""
        x, expanded = node.inputs[:2]
        if dict(node.attributes).get("axis") != 1 or len(x.shape) != 3 or expanded.op != "Expand" or not expanded.node:
            return None
        single = expanded.node.inputs[0]
        if single.shape != (*expanded.shape[:2], 1) or expanded.shape[2] != x.shape[2] or x.shape[0] != Batch():
            return None
        return self.target.reshape(self.here(single), expanded.shape[:2])

    def _gather(self, node: Node) -> Value | None:
        indices = self._indices(node)
        if indices is None:
            return None
        g = self.target
        pointed = g.reshape(g.unary("Cast", indices, np.int64), (*indices.shape, 1))
        return g.emit("GatherND", [self.here(node.inputs[0]), pointed], node.outputs[0].shape, batch_dims=1)

    def _narrow(self, node: Node) -> Value | None:
        x, index = node.inputs
        wide = without_reshapes(index)
        if wide.op != "Cast" or not wide.node or wide.node.inputs[0].dtype != np.int32:
            return None
        narrow = self.target.reshape(self.here(wide.node.inputs[0]), index.shape)
        return self.target.emit(node.op, [self.here(x), narrow], node.outputs[0].shape, **dict(node.attributes))

    def _scatter(self, node: Node) -> Value | None:
        base, _, source = node.inputs
        indices = self._indices(node)
        if (
            indices is None
            or dict(node.attributes).get("reduction") != "add"
            or without_reshapes(base).shape != base.shape
        ):
            return None
        g = self.target
        pointed = g.reshape(g.unary("Cast", indices, np.int64), (*indices.shape, 1))
        one, zero = g.constant(np.int64(1)), g.constant(np.int64(0))
        count = g.emit("Range", [zero, g.reshape(g.batch_size(), ()), one], (Batch(),))
        row = g.expand(g.reshape(count, (Batch(), 1, 1)), pointed.shape)
        places = g.emit("Concat", [row, pointed], (*indices.shape, 2), axis=2)
        inputs = [self.here(base), places, self.here(source)]
        return g.emit("ScatterND", inputs, node.outputs[0].shape, reduction="add")
