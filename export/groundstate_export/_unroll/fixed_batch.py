"""Fix the batch: make every shape static, for CUDA graphs and TensorRT."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Array, Batch, Dimension, Node, Shape, Value
from groundstate_export._unroll.segment import Segment


def with_fixed_batch(segment: Segment) -> Segment:
    """The segment at the caller's fixed batch, or unchanged."""
    batch = segment.examined.fixed_batch
    return segment if batch is None else replace(segment, graph=fix_batch(segment.graph, batch))


def fix_batch(graph: Graph, batch: int) -> Graph:
    """The same graph for one batch size.

    Args:
        graph: A graph without control flow; it is not changed.
        batch: The number of rows.

    Returns:
        A graph without dimensions that depend on the batch, and without nodes that read a shape.
    """
    fixed = Graph()
    values: dict[Value, Value] = {
        value: fixed.input(name, value.dtype, literal(value.shape, batch)) for name, value in graph.inputs.items()
    }

    def here(value: Value) -> Value:
        return fixed.constant(value.array) if value.array is not None else values[value]

    for node in graph.needed():
        inputs = [here(v) for v in node.inputs]
        known = _known(node, inputs)
        if known is not None:
            values[node.outputs[0]] = fixed.constant(known)
            continue
        results = [(v.dtype, literal(v.shape, batch)) for v in node.outputs]
        if node.op == "Reshape":
            inputs[1] = fixed.constant(results[0][1], np.int64)
        values.update(
            zip(node.outputs, fixed.emit_many(node.op, inputs, results, **dict(node.attributes)), strict=True)
        )
    fixed.outputs = {name: here(value) for name, value in graph.outputs.items()}
    return fixed


def literal(shape: Shape, batch: int) -> tuple[int, ...]:
    """A shape in numbers."""

    def number(d: Dimension) -> int:
        return d.times * batch if isinstance(d, Batch) else d

    return tuple(map(number, shape))


def _known(node: Node, inputs: list[Value]) -> Array | None:
    """The output of a node that is known for a fixed batch: shapes, and values computed from them."""
    attributes: dict[str, Any] = dict(node.attributes)
    if node.op == "Shape":
        sizes = np.array([int(d) for d in inputs[0].shape], np.int64)  # type: ignore[arg-type]  # they are literal here
        return sizes[attributes.get("start", 0) : attributes.get("end")]
    arrays = [v.array for v in inputs if v.array is not None]
    if node.op == "Concat" and len(arrays) == len(inputs):
        return np.concatenate(arrays, axis=attributes["axis"])
    return None
