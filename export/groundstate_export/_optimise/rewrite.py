"""The base class of every pass: it rebuilds a graph node by node, and a pass replaces some nodes."""

from __future__ import annotations

from collections.abc import Iterable

from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Node, Value


class Rewrite:
    """Rebuilds a graph: equal values are merged, and unused nodes are dropped.

    A pass overrides `replace`. It reads ``source`` and emits into ``target``; `here` maps a value of the source to the target.

    Args:
        source: The graph; it is not changed.
        moving: The inputs that change from step to step. Nodes that depend on none of them run once in a descent.
    """

    def __init__(self, source: Graph, moving: Iterable[str]) -> None:
        self.source, self.moving, self.target = source, set(moving), Graph()
        self.values: dict[Value, Value] = {}
        self.uses = source.uses()
        self.depends = source.depending_on(self.moving)

    def run(self) -> Graph:
        """The rewritten graph."""
        for name, value in self.source.inputs.items():
            self.values[value] = self.target.input(name, value.dtype, value.shape)
        for node in self.source.needed():
            self.visit(node)
        self.target.outputs = {name: self.here(value) for name, value in self.source.outputs.items()}
        return self.target

    def visit(self, node: Node) -> None:
        """Put a node's replacement, or its copy, into the target."""
        replaced = self.replace(node)
        outputs = self.copy(node) if replaced is None else (replaced,)
        self.values.update(zip(node.outputs, outputs, strict=True))

    def replace(self, node: Node) -> Value | None:
        """The replacement of a node's one output in the target, or None to keep the node, as the base class does."""
        del node
        return None

    def here(self, value: Value) -> Value:
        """A value of the source in the target."""
        return self.target.constant(value.array) if value.array is not None else self.values[value]

    def copy(self, node: Node) -> tuple[Value, ...]:
        """The same node in the target."""
        inputs = [self.here(v) for v in node.inputs]
        if node.op == "Reshape":
            return (self.target.reshape(inputs[0], node.outputs[0].shape),)
        results = [(v.dtype, v.shape) for v in node.outputs]
        return self.target.emit_many(node.op, inputs, results, **dict(node.attributes))

    def once(self, value: Value) -> bool:
        """Whether a node computes the value and only one other reads it, so that replacing the reader removes it."""
        return value.node is not None and self.uses.get(value) == 1


def without_reshapes(value: Value) -> Value:
    """The value before its reshapes."""
    while value.op == "Reshape" and value.node:
        value = value.node.inputs[0]
    return value


def transposed(value: Value) -> Value | None:
    """The value whose last two axes are swapped in this one, or None."""
    value = without_reshapes(value)
    if value.op != "Transpose" or not value.node:
        return None
    permutation = list(dict(value.node.attributes)["perm"])
    rank = len(permutation)
    swapped = [*range(rank - 2), rank - 1, rank - 2]
    return value.node.inputs[0] if permutation == swapped else None
