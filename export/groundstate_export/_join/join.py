"""Join: build one graph for any size from the graphs of two examples, which differ only in their sizes.

Both graphs are walked in step. A value that is the same in both is a constant. A whole number that differs is computed from the
shapes of the inputs, as `Sizes` reads it; so is a number in proportion to sizes, such as the ``1/n`` of a mean. Everything else
is refused. The result is compared with PyTorch at every example, including at least one that was not used here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from groundstate_export._errors import BadEnergy
from groundstate_export._examine.sizes import Sizes
from groundstate_export._ir.dimensions import Powers, Size
from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Array, Batch, Dimension, Graph, Node, Shape, Value


def join(first: Graph, second: Graph, sizes: Sizes) -> Graph:
    """One graph for any size, equal to the first at the first example's sizes and to the second at the second's.

    Raises:
        BadEnergy: The two differ in more than sizes.
    """
    both = _Join(sizes)
    for name, one in first.inputs.items():
        other = second.inputs[name]
        both.partner[one] = other
        both.values[one] = both.graph.input(name, one.dtype, both.shape(one.shape, other.shape))
    for name, one in first.outputs.items():
        both.trace(one, second.outputs[name])
    both.graph.outputs = {name: both.value(one, second.outputs[name]) for name, one in first.outputs.items()}
    return both.graph


def join_all(first: Functions[Graph], second: Functions[Graph], sizes: Sizes) -> Functions[Graph]:
    """Join the graphs of two sizes, each with its counterpart."""
    others = second.named()
    return first.each(lambda name, graph: join(graph, others[name], sizes))


@dataclass
class _Join:
    sizes: Sizes
    graph: Graph = field(default_factory=Graph)
    values: dict[Value, Value] = field(default_factory=dict)
    partner: dict[Value, Value] = field(default_factory=dict)

    def trace(self, one: Value, other: Value) -> None:
        """Join the nodes behind two values: both graphs in step, from the end, since their order may differ."""
        stack = [(one, other)]
        while stack:
            one, other = stack[-1]
            if self.joined(one, other):
                stack.pop()
                continue
            if one.node is None or other.node is None or len(one.node.inputs) != len(other.node.inputs):
                raise self.parted(one, other)
            before = [pair for pair in zip(one.node.inputs, other.node.inputs, strict=True) if not self.joined(*pair)]
            stack += before
            if not before:
                self.node(one.node, other.node)

    def joined(self, one: Value, other: Value) -> bool:
        """Whether two values are already joined, or are constants."""
        if one in self.partner and self.partner[one] is not other:
            raise self.parted(one, other)
        return one in self.partner or (one.array is not None and other.array is not None)

    def node(self, one: Node, other: Node) -> None:
        """Join two nodes with joined inputs."""
        kinds = [(node.op, node.attributes, [len(v.shape) for v in node.outputs]) for node in (one, other)]
        if kinds[0] != kinds[1]:
            raise self.parted(one.outputs[0], other.outputs[0])
        inputs = tuple(self.value(a, b) for a, b in zip(one.inputs, other.inputs, strict=True))
        made = Node(one.op, inputs, one.attributes)
        for a, b in zip(one.outputs, other.outputs, strict=True):
            self.partner[a] = b
            self.values[a] = Value(a.dtype, self.shape(a.shape, b.shape), made)
        made.outputs = tuple(self.values[a] for a in one.outputs)
        self.graph.nodes.append(made)

    def value(self, one: Value, other: Value) -> Value:
        if one.array is None or other.array is None:
            return self.values[one]
        return self.constant(one.array, other.array)

    def shape(self, one: Shape, other: Shape) -> Shape:
        return tuple(self.dimension(a, b) for a, b in zip(one, other, strict=True))

    def dimension(self, one: Dimension, other: Dimension) -> Dimension:
        if not isinstance(one, Batch) or not isinstance(other, Batch):
            return self.number(one, other)
        times = self.number(one.times, other.times)
        return Size(times.times, (("batch", 1), *times.powers)) if isinstance(times, Size) else one

    def number(self, one: Dimension, other: Dimension) -> Dimension:
        if isinstance(one, int) and isinstance(other, int):
            try:
                return self.sizes.read(one, other)
            except ValueError:
                pass
        raise BadEnergy(
            f"A number in the energy's graph is {one} at the example and {other} at resized[0], which is not a product of the "
            f"sizes {', '.join(self.sizes.lengths)}. An axis that is cut, or an element that is counted from the end, causes "
            "this. Use sizes only through the shapes of tensors, and pass a mask, or indices, as inputs."
        )

    def constant(self, one: Array, other: Array) -> Value:
        """A constant that is the same in both graphs, or depends on the sizes."""
        if one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            return self.graph.constant(one)
        if one.shape == other.shape and one.dtype == np.int64 and one.ndim <= 1:
            numbers = [self.number(int(a), int(b)) for a, b in zip(one.reshape(-1), other.reshape(-1), strict=True)]
            pieces = [self.length(number) for number in numbers]
            whole = pieces[0] if len(pieces) == 1 else self.graph.emit("Concat", pieces, (len(pieces),), axis=0)
            return self.graph.reshape(whole, one.shape)
        powers = self.sizes.factor(one, other) if one.shape == other.shape and one.dtype.kind == "f" else None
        if powers is None:
            raise BadEnergy(
                f"A constant in the energy's graph is {_text(one)} at the example and {_text(other)} at resized[0], which "
                "is not proportional to sizes. A table as long as a size (`torch.arange(n)`, a roll) or a sum of a size and a "
                "number causes this; pass it as an input."
            )
        return self.proportional(one, powers)

    def length(self, number: Dimension) -> Value:
        """A number as an int64 tensor of shape ``(1,)``."""
        if not isinstance(number, Size):
            return self.graph.constant([number], np.int64)
        total = self.graph.constant([number.times], np.int64)
        for size, power in number.powers:
            for _ in range(power):
                total = self.graph.binary("Mul", self.size(size), total)
        return total

    def size(self, name: str) -> Value:
        source, axis = self.sizes.places[name]
        return self.graph.emit("Shape", [self.graph.inputs[source]], (1,), np.int64, start=axis + 1, end=axis + 2)

    def proportional(self, one: Array, powers: Powers) -> Value:
        """A constant of the first example that is proportional to powers of sizes, also negative ones."""
        first = {size: lengths[0] for size, lengths in self.sizes.lengths.items()}
        scale = math.prod(float(first[size]) ** power for size, power in powers)
        value = self.graph.constant((one / scale).astype(one.dtype))
        for op, sign in (("Mul", 1), ("Div", -1)):
            factors = tuple((size, sign * power) for size, power in powers if sign * power > 0)
            if factors:
                length = self.graph.unary("Cast", self.length(Size(1, factors)), one.dtype)
                value = self.graph.binary(op, value, self.graph.reshape(length, ()))
        return value

    def parted(self, one: Value, other: Value) -> BadEnergy:
        def name(value: Value) -> str:
            return value.op or value.name or "a constant"

        lengths = ", ".join(f"{size} {first} and {second}" for size, (first, second, *_) in self.sizes.lengths.items())
        return BadEnergy(
            f"The energy's graph takes another path at resized[0] ({name(other)}) than at the example ({name(one)}). The energy "
            f"must neither branch on a size nor loop over one. If it does not, a size ({lengths}) equals the length of something "
            "else by chance, or changes which order is the fastest: use other primes, closer together."
        )


def _text(array: Array) -> str:
    return f"{array.item():g}" if array.size == 1 else f"{array.dtype} of shape {array.shape}"
