"""Float16: matrix products and the operators between them, for GPUs with tensor cores.

The scheme is mixed precision (P. Micikevicius et al., "Mixed Precision Training", 2018). Products, and the pointwise operators
and moves that follow them, are float16. Sums, norms, exponentials, the energy and the updated state stay float32, because
they add small numbers to large ones; a product with a single column is a sum. The decoded state also stays float32, so it
is exact.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Array, Node, Value
from groundstate_export._optimise.optimise import moving

_PRODUCTS = frozenset({"MatMul", "Conv", "ConvTranspose"})
_MOVES = frozenset({"Reshape", "Transpose", "Slice", "Expand", "Tile", "Gather", "Concat", "Pad"})
_POINTWISE = frozenset({
    "Mul", "Add", "Sub", "Neg", "Abs", "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Erf", "Sign", "Where", "Max", "Min",
})  # fmt: skip
_HALF, _FULL = np.dtype(np.float16), np.dtype(np.float32)


def halve(graph: Graph, moving: Iterable[str]) -> Graph:
    """A graph with the same inputs and outputs that computes in float16 where that is safe.

    Args:
        graph: The graph; it is not changed.
        moving: The inputs that change from step to step. Nodes that depend on none of them run once and stay float32.
    """
    return _Halver(graph, set(moving)).run()


def halve_all(graphs: Functions[Graph]) -> Functions[Graph]:
    """Compute the steps and the last evaluation in float16; the start of a segment and the checker stay float32."""
    return graphs.each(
        lambda name, graph: halve(graph, moving(graph)) if name in {"step", "noisy_step", "last"} else graph
    )


class _Halver:
    def __init__(self, source: Graph, moving: set[str]) -> None:
        self.source, self.target = source, Graph()
        self.depends = source.depending_on(moving)
        self.exact = _ancestors(
            [v for n, v in source.outputs.items() if n.startswith(("answer.", "violations", "path."))]
        )
        self.values = {v: self.target.input(n, v.dtype, v.shape) for n, v in source.inputs.items()}

    def run(self) -> Graph:
        for node in self.source.needed():
            inputs = [self._here(v) for v in node.inputs]
            low = self._is_half(node, inputs)
            inputs = [self._as(v, _HALF if low else _FULL) for v in inputs]
            results = [(_HALF if low and v.dtype == _FULL else v.dtype, v.shape) for v in node.outputs]
            copies = self.target.emit_many(node.op, inputs, results, **dict(node.attributes))
            self.values.update(zip(node.outputs, copies, strict=True))
        self.target.outputs = {name: self._as(self._here(v), v.dtype) for name, v in self.source.outputs.items()}
        return self.target

    def _here(self, value: Value) -> Value:
        return self.target.constant(value.array) if value.array is not None else self.values[value]

    def _as(self, value: Value, dtype: np.dtype[np.floating]) -> Value:
        return self.target.unary("Cast", value, dtype) if value.dtype in (_HALF, _FULL) else value

    def _is_half(self, node: Node, inputs: list[Value]) -> bool:
        out = node.outputs[0]
        numbers = [v for v in inputs if v.dtype in (_HALF, _FULL)]
        if out.dtype != _FULL or out not in self.depends or node in self.exact or not all(map(_fits, numbers)):
            return False
        if node.op in _PRODUCTS:
            return out.shape[-1] != 1
        computed = [v for v in numbers if v.array is None]
        return node.op in _MOVES | _POINTWISE and bool(computed) and all(v.dtype == _HALF for v in computed)


def rounded(graph: Graph) -> Graph:
    """A halved graph in float32, with every float16 result rounded to float16.

    ONNX Runtime's CPU has few float16 kernels: it computes in float32 without the rounding. Hardware with float16 products and
    float32 sums computes what this graph computes, so this graph must keep the tolerance.
    """
    target = Graph()
    values = {v: target.input(n, v.dtype, v.shape) for n, v in graph.inputs.items()}

    def here(value: Value) -> Value:
        if value.array is None:
            return values[value]
        return target.constant(value.array.astype(_FULL) if value.dtype == _HALF else value.array)

    for node in graph.needed():
        inputs = [here(v) for v in node.inputs]
        if node.op == "Cast" and {v.dtype for v in (*node.inputs, *node.outputs)} <= {_HALF, _FULL}:
            copies: tuple[Value, ...] = (inputs[0],)
        else:
            results = [(_FULL if v.dtype == _HALF else v.dtype, v.shape) for v in node.outputs]
            copies = target.emit_many(node.op, inputs, results, **dict(node.attributes))
        for value, copy in zip(node.outputs, copies, strict=True):
            values[value] = _round(target, copy) if value.dtype == _HALF and node.op not in _MOVES else copy
    target.outputs = {name: here(value) for name, value in graph.outputs.items()}
    return target


def _round(graph: Graph, x: Value) -> Value:
    """The nearest float16, as float32, by adding and subtracting a number that shifts out the other bits; infinite on overflow.

    T. J. Dekker, "A floating-point technique for extending the available precision", 1971.
    """

    def apply(op: str, a: Value, b: Value | float) -> Value:
        return graph.emit(op, [a, b if isinstance(b, Value) else graph.constant(b, _FULL)], x.shape, _FULL)

    high = apply("Mul", x, 2.0**13 + 1)
    normal = apply("Sub", high, apply("Sub", high, x))
    bounded = apply("Mul", apply("Mul", normal, 2.0**112), 2.0**-112)
    tiny = apply("Sub", apply("Add", x, 0.75), 0.75)
    below = graph.emit("Less", [graph.emit("Abs", [x], x.shape), graph.constant(2.0**-14, _FULL)], x.shape, np.bool_)
    return graph.emit("Where", [below, tiny, bounded], x.shape, _FULL)


def _fits(value: Value) -> bool:
    """Whether a constant fits in float16 without overflow."""
    array: Array | None = value.array
    return array is None or array.dtype == _HALF or bool((np.abs(array) <= np.finfo(np.float16).max).all())


def _ancestors(values: Iterable[Value]) -> set[Node]:
    found: set[Node] = set()
    pending = [v.node for v in values if v.node]
    while pending:
        node = pending.pop()
        if node not in found:
            found.add(node)
            pending += [v.node for v in node.inputs if v.node]
    return found
