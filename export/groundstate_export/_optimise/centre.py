"""Move a mean over a product with a constant matrix into the matrix.

``x W − mean(x W) = x (W − mean of each row of W)``. The gradient of every layer norm contains one.
"""

from __future__ import annotations

from groundstate_export._ir.values import Node, Value
from groundstate_export._optimise.rewrite import Rewrite, without_reshapes


class Centre(Rewrite):
    """Moves the centring of a product's columns into its constant matrix."""

    def replace(self, node: Node) -> Value | None:
        if node.op != "Sub" or node.inputs[1].op != "ReduceMean":
            return None
        value, mean = node.inputs
        assert mean.node is not None
        axes = mean.node.inputs[1].array
        last = len(value.shape) - 1
        if mean.node.inputs[0] is not value or axes is None or axes.tolist() not in ([last], [-1]):
            return None
        product = without_reshapes(value)
        if product.op != "MatMul" or not product.node or product.shape[-1] != value.shape[-1] or self.uses[value] != 2:
            return None
        left, weight = product.node.inputs
        if weight.array is None or weight.array.ndim != 2:
            return None
        centred = weight.array.astype("float64")
        centred = (centred - centred.mean(1, keepdims=True)).astype(weight.dtype)
        result = self.target.emit("MatMul", [self.here(left), self.target.constant(centred)], product.shape)
        return self.target.reshape(result, value.shape)
