"""The cost of a graph, from a table of the cost of ONNX Runtime's operators on a CPU.

The figures are nanoseconds per element of the result, on one thread, with results that fit in the L2 cache
(`benchmarks/operators.py` measures them). Only their ratios matter: they decide which of two equal graphs is kept.
"""

from __future__ import annotations

from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import count

NODE = 1000.0
"""The fixed cost of a node in nanoseconds."""

USUAL = 0.2
ENTRY = {
    "Reshape": 0.0, "MatMul": 0.0, "Conv": 0.0, "ConvTranspose": 0.0,
    "Exp": 0.2, "Sigmoid": 0.4, "Tanh": 0.4, "Erf": 0.5, "Softmax": 0.6, "LayerNormalization": 0.8, "Transpose": 0.7,
    "Log": 1.9, "Sin": 1.9, "Cos": 1.9, "Elu": 1.9, "Sign": 1.5, "Pow": 5.0, "Where": 5.0, "Softplus": 11.6,
    "GatherElements": 3.0, "ScatterElements": 6.0, "GatherND": 0.7, "ScatterND": 0.8,
}  # fmt: skip


def cost(graph: Graph, moving: set[str]) -> float:
    """Nanoseconds per step, without matrix products: no pass adds any.

    Args:
        graph: The graph.
        moving: The inputs that change from step to step. Nodes that depend on none of them are free.
    """
    depends = graph.depending_on(moving)
    moved = [n for n in graph.needed() if n.outputs[0] in depends]
    return sum(NODE + count(n.outputs[0].shape) * ENTRY.get(n.op, USUAL) for n in moved if n.op != "Reshape")
