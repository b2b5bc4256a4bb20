"""What every pass is made of: a graph is rebuilt node by node, and a pass says which nodes come out differently."""

from __future__ import annotations

from collections.abc import Iterable

from groundstate_export._ir.graph import Graph, Node, Value


class Rewrite:
    """Rebuilds a graph, in which values that became equal become one and nodes that nothing needs are gone.

    A pass overrides `replace`. It reads ``source`` and emits into ``target``; `here` turns a value of the one into the other's.

    Args:
        source: The graph; it stays as it is.
        moving: The inputs that change from step to step. What depends on none of them runs once in a descent.
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
        """What stands for a node's one output in the target, or None for the node as it is, which is what the base class says."""
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
        """Whether a value is computed by a node and read in one place, so that what replaces its reader makes it vanish."""
        return value.node is not None and self.uses.get(value) == 1


def without_reshapes(value: Value) -> Value:
    """What a value was before it was reshaped."""
    while value.op == "Reshape" and value.node:
        value = value.node.inputs[0]
    return value


def transposed(value: Value) -> Value | None:
    """The value of which this one has the last two axes swapped, or None."""
    value = without_reshapes(value)
    if value.op != "Transpose" or not value.node:
        return None
    permutation = list(dict(value.node.attributes)["perm"])
    rank = len(permutation)
    swapped = [*range(rank - 2), rank - 1, rank - 2]
    return value.node.inputs[0] if permutation == swapped else None
