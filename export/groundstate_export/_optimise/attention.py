"""Replace the row sums of ``P ∘ (G Vᵀ)`` by those of ``G ∘ (P V)``, which are far shorter if ``P V`` is known.

The gradient of attention contains them: ``P`` are its weights, ``P V`` is its result and ``G`` the gradient of that result.

T. Dao et al., "FlashAttention: Fast and Memory-Efficient Exact Attention with IO-Awareness", 2022, section B.2.
"""

from __future__ import annotations

from groundstate_export._ir.values import Node, Value
from groundstate_export._optimise.rewrite import Rewrite, transposed, without_reshapes


class Attention(Rewrite):
    """Takes the row sums of attention's gradient over its values instead of its weights."""

    def replace(self, node: Node) -> Value | None:
        if node.op != "ReduceSum" or node.inputs[0].op != "Mul" or not _over_last(node):
            return None
        product = node.inputs[0].node
        assert product is not None
        for weights, spread in (product.inputs, product.inputs[::-1]):
            found = self._values(weights, spread)
            if found is not None:
                gradient, returned = found
                wide = (*weights.shape[:-1], returned.shape[-1])
                a, b = (self.target.reshape(self.here(v), wide) for v in (gradient, returned))
                axes = self.here(node.inputs[1])
                short = self.target.emit("Mul", [a, b], wide)
                return self.target.emit("ReduceSum", [short, axes], node.outputs[0].shape, **dict(node.attributes))
        return None

    def _values(self, weights: Value, spread: Value) -> tuple[Value, Value] | None:
        """``G`` and ``P V``, for ``weights`` = ``P`` and ``spread`` = ``G Vᵀ`` of one shape."""
        inner = without_reshapes(spread)
        if inner.op != "MatMul" or not inner.node or weights.shape != spread.shape:
            return None
        gradient, right = inner.node.inputs
        values = transposed(right)
        if values is None or gradient.shape[-1] == weights.shape[-1]:
            return None
        for returned in self.values:
            if returned.op == "MatMul" and returned.node:
                p, v = returned.node.inputs
                same = without_reshapes(p) is without_reshapes(weights) and without_reshapes(v) is without_reshapes(
                    values
                )
                if same and p.shape[-2:] == weights.shape[-2:] and returned.shape[-2:] == gradient.shape[-2:]:
                    return gradient, returned
        return None


def _over_last(node: Node) -> bool:
    axes = node.inputs[1].array
    return axes is not None and axes.tolist() in ([-1], [len(node.inputs[0].shape) - 1])
