"""Named sizes: one file for problems of any size, joined from the graphs of two examples of different sizes.

Every size of an example is a prime of its own, so a number that differs between the two graphs is read in one way only: as a
constant times powers of sizes. In the joined graph it is computed from the shapes of the inputs. What is the same in both is
a constant; anything else (an average over a size, a table as long as one) is refused. The joined graph is then held against
PyTorch at every example, one of which had no part in it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

import numpy as np
from torch import Tensor

from groundstate_export.errors import BadArgument, BadEnergy
from groundstate_export.ir import Array, Batch, Dimension, Graph, Node, Shape, Value

Axes = Mapping[str, Sequence[str | None]]
"""For an input, the names of its axes after the batch; None for one of fixed length."""


@dataclass(frozen=True)
class Size(Batch):
    """A dimension in terms of the problem's named sizes: a constant times powers of them.

    Attributes:
        powers: Each size's name and its power.
    """

    powers: tuple[tuple[str, int], ...] = ()

    def __str__(self) -> str:
        words = [name for name, power in self.powers for _ in range(power)]
        return "*".join([*([str(self.times)] if self.times != 1 else []), *words])


@dataclass(frozen=True)
class Named:
    """The sizes of two examples.

    Attributes:
        lengths: The length of each size in the first and in the second.
        places: An input and an axis (after the batch) that have this size.
    """

    lengths: dict[str, tuple[int, int]]
    places: dict[str, tuple[str, int]]

    @classmethod
    def of(cls, axes: Axes, first: Mapping[str, Tensor], second: Mapping[str, Tensor]) -> Named:
        """Read the sizes off two examples.

        Raises:
            BadArgument: The names do not fit the inputs, or the lengths are not primes that tell the sizes apart.
        """
        found: dict[str, tuple[int, int]] = {}
        places: dict[str, tuple[str, int]] = {}
        for name, named in axes.items():
            if name not in first:
                raise BadArgument(f"axes names {name!r}, which is none of the inputs {sorted(first)}.")
            if len(named) != first[name].dim() - 1:
                raise BadArgument(
                    f"axes[{name!r}] has {len(named)} entries, and the input has {first[name].dim() - 1} axes after the batch."
                )
            for axis, size in enumerate(named):
                if size is None:
                    continue
                lengths = (first[name].shape[axis + 1], second[name].shape[axis + 1])
                if found.setdefault(size, lengths) != lengths:
                    raise BadArgument(f"The size {size!r} is {found[size]} in one input and {lengths} in {name!r}.")
                places.setdefault(size, (name, axis))
        for example in (0, 1):
            _primes({size: lengths[example] for size, lengths in found.items()}, example)
        for size, (one, other) in found.items():
            if one == other:
                raise BadArgument(f"The size {size!r} is {one} in both of the first two examples; it must differ.")
        return cls(found, places)

    def read(self, one: int, other: int) -> Dimension:
        """A number of the first graph and the same of the second, as a number or in terms of sizes.

        Raises:
            ValueError: They are neither.
        """
        if one == other:
            return one
        powers: dict[str, int] = {}
        for size, (first, second) in self.lengths.items():
            while one and other and one % first == 0 and other % second == 0:
                one, other = one // first, other // second
                powers[size] = powers.get(size, 0) + 1
        if one != other:
            raise ValueError
        return Size(one, tuple(sorted(powers.items())))


def _primes(lengths: Mapping[str, int], example: int) -> None:
    for size, length in lengths.items():
        if length < 2 or any(length % n == 0 for n in range(2, int(length**0.5) + 1)):
            raise BadArgument(
                f"The size {size!r} is {length} in example {example + 1}; the first two examples need prime sizes, so that a "
                "number in the graph can be read in one way only."
            )
    for (one, n), (other, m) in combinations(lengths.items(), 2):
        if n == m:
            raise BadArgument(
                f"The sizes {one!r} and {other!r} are both {n} in example {example + 1}; give each a prime of its own."
            )


@dataclass
class _Join:
    named: Named
    graph: Graph = field(default_factory=Graph)
    values: dict[Value, Value] = field(default_factory=dict)
    partner: dict[Value, Value] = field(default_factory=dict)

    def shape(self, one: Shape, other: Shape) -> Shape:
        return tuple(
            a if isinstance(a, Batch) or isinstance(b, Batch) else self.number(a, b)
            for a, b in zip(one, other, strict=True)
        )

    def number(self, one: Any, other: Any) -> Dimension:
        try:
            return self.named.read(int(one), int(other))
        except ValueError:
            raise BadEnergy(
                f"A number in the energy's graph is {one} at the first example and {other} at the second, which is no multiple "
                f"of its sizes {', '.join(self.named.lengths)}. Write it so that sizes enter by the shapes of tensors alone."
            ) from None

    def trace(self, one: Value, other: Value) -> None:
        """Join what leads to two values: the nodes of both graphs in step, from the outputs back, since their order may differ."""
        stack = [(one, other)]
        while stack:
            one, other = stack[-1]
            if one in self.partner or one.array is not None:
                stack.pop()
                continue
            if one.node is None or other.node is None:
                raise self._parted(one, other)
            before = [(a, b) for a, b in zip(one.node.inputs, other.node.inputs, strict=False) if a.array is None]
            missing = [(a, b) for a, b in before if a not in self.partner]
            stack += missing
            if not missing:
                self.node(one.node, other.node)
                stack.pop()

    def node(self, one: Node, other: Node) -> None:
        """Join two nodes whose inputs are joined."""
        agree = len(one.inputs) == len(other.inputs) and all(
            (a.array is None) == (b.array is None) and (a.array is not None or self.partner[a] is b)
            for a, b in zip(one.inputs, other.inputs, strict=True)
        )
        if one.op != other.op or one.attributes != other.attributes or not agree:
            raise self._parted(one.outputs[0], other.outputs[0])
        inputs = tuple(self.value(a, b) for a, b in zip(one.inputs, other.inputs, strict=True))
        made = Node(one.op, inputs, one.attributes)
        for a, b in zip(one.outputs, other.outputs, strict=True):
            self.partner[a] = b
            self.values[a] = Value(a.dtype, self.shape(a.shape, b.shape), made)
        made.outputs = tuple(self.values[a] for a in one.outputs)
        self.graph.nodes.append(made)

    @staticmethod
    def _parted(one: Value, other: Value) -> BadEnergy:
        return BadEnergy(
            f"The energy takes another path at the second example ({other!r}) than at the first ({one!r}); it must neither branch "
            "on a size nor loop over one."
        )

    def value(self, one: Value, other: Value) -> Value:
        if one.array is None or other.array is None:
            return self.values[one]
        return self.constant(one.array, other.array)

    def constant(self, one: Array, other: Array) -> Value:
        """What is the same in both is a constant; whole numbers that differ are computed from the sizes."""
        if one.shape == other.shape and np.array_equal(one, other, equal_nan=one.dtype.kind == "f"):
            return self.graph.constant(one)
        if one.shape != other.shape or one.dtype != np.int64 or one.ndim > 1:
            raise BadEnergy(
                f"A constant in the energy's graph is another one at the second example: {one.dtype} {one.shape} and "
                f"{other.shape}. An average over a size does this, and so does a table as long as one (`torch.arange(n)`): give "
                "the table as an input, and sum, or divide by a sum of ones of that shape."
            )
        pieces = [self.length(self.number(a, b)) for a, b in zip(one.reshape(-1), other.reshape(-1), strict=True)]
        whole = pieces[0] if len(pieces) == 1 else self.graph.emit("Concat", pieces, (len(pieces),), axis=0)
        return whole if one.ndim else self.graph.reshape(whole, ())

    def length(self, number: Dimension) -> Value:
        """A number as an int64 tensor of shape ``(1,)``."""
        if not isinstance(number, Size):
            return self.graph.constant([number], np.int64)
        total = self.graph.constant([number.times], np.int64)
        for size, power in number.powers:
            name, axis = self.named.places[size]
            given = self.graph.inputs[name]
            length = self.graph.emit("Shape", [given], (1,), np.int64, start=axis + 1, end=axis + 2)
            for _ in range(power):
                total = self.graph.binary("Mul", length, total)
        return total


def join(first: Graph, second: Graph, named: Named) -> Graph:
    """One graph that is the first at the first example's sizes, the second at the second's, and goes for any.

    Raises:
        BadEnergy: The two differ in more than sizes.
    """
    both = _Join(named)
    for name, one in first.inputs.items():
        other = second.inputs[name]
        both.partner[one] = other
        both.values[one] = both.graph.input(name, one.dtype, both.shape(one.shape, other.shape))
    for name, one in first.outputs.items():
        both.trace(one, second.outputs[name])
    both.graph.outputs = {name: both.value(one, second.outputs[name]) for name, one in first.outputs.items()}
    return both.graph
