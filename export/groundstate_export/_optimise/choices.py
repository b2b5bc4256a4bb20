"""Replace a choice between two finite tensors by a sum of products, which ONNX Runtime computes many times faster than `Where`.

``Where(c, a, b) = c a + (1 − c) b`` exactly, because one factor is 0 and the other 1, if neither side is infinite or NaN. For a
mask of −∞ over finite elements, the mask is added instead.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Node, Value
from groundstate_export._optimise.finite import finite
from groundstate_export._optimise.rewrite import Rewrite


class Choices(Rewrite):
    """Replaces `Where` between finite floats by arithmetic.

    The choices of a rule for the next state keep their `Where`: a rule rejects a step even if the step overflowed.
    """

    def __init__(self, source: Graph, moving: Iterable[str]) -> None:
        super().__init__(source, moving)
        self.chosen: set[Value] = set()
        waiting = [value for name, value in source.outputs.items() if name.startswith("next.")]
        while waiting:
            value = waiting.pop()
            if value.op in {"Where", "Reshape"} and value.node and value not in self.chosen:
                self.chosen.add(value)
                waiting.extend(value.node.inputs)

    def replace(self, node: Node) -> Value | None:
        out = node.outputs[0]
        if node.op != "Where" or out.dtype != np.float32 or out not in self.depends or out in self.chosen:
            return None
        condition, a, b = node.inputs
        if a.scalar == -np.inf and condition not in self.depends and finite(b):
            mask = self._choice(condition, -np.inf, 0.0)
            return self.target.binary("Add", self.here(b), mask)
        if not (finite(a) and finite(b)):
            return None
        g = self.target
        where = g.unary("Cast", self.here(condition), np.float32)
        parts = []
        if a.scalar != 0.0:
            parts.append(g.binary("Mul", self.here(a), where))
        if b.scalar != 0.0:
            other = g.binary("Sub", g.constant(np.float32(1.0)), where)
            parts.append(g.binary("Mul", self.here(b), other))
        if not parts:
            return None
        result = parts[0] if len(parts) == 1 else g.binary("Add", *parts)
        return result if result.shape == out.shape else g.expand(result, out.shape)

    def _choice(self, condition: Value, then: float, otherwise: float) -> Value:
        g = self.target
        values = [g.constant(np.float32(x).reshape(())) for x in (then, otherwise)]
        return g.emit("Where", [self.here(condition), *values], condition.shape, np.float32)
