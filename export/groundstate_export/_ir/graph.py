"""A small graph of ONNX operators, in which no value is computed twice.

`Graph.emit` returns the existing value if the same operator was already applied to the same inputs, and folds constants. All
steps of an unrolled descent therefore share the work that does not depend on the state, without a search for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from groundstate_export._ir import emit_lengths
from groundstate_export._ir.contents import content
from groundstate_export._ir.lengths import Length, Number, sized
from groundstate_export._ir.values import _FOLD, Batch, Node, Shape, Value, broadcast, static


@dataclass
class Graph:
    """Operators in the order of emission, in which they can also run."""

    inputs: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    nodes: list[Node] = field(default_factory=list)
    _known: dict[Any, tuple[Value, ...]] = field(default_factory=dict, repr=False)
    _constants: dict[Any, Value] = field(default_factory=dict, repr=False)

    def input(self, name: str, dtype: npt.DTypeLike, shape: Shape) -> Value:
        """A graph input; the same name returns the same input."""
        if name not in self.inputs:
            self.inputs[name] = Value(np.dtype(dtype), shape, name=name)
        return self.inputs[name]

    def constant(self, array: Any, dtype: npt.DTypeLike | None = None) -> Value:
        """A constant; equal constants are one value. Numbers that depend on sizes are computed from the inputs' shapes."""
        if sized(array):
            if isinstance(array, (Length, Number)):
                return emit_lengths.number(self, array, np.int64 if dtype is None else dtype)
            return emit_lengths.vector(self, array)
        if not (isinstance(array, np.ndarray) and array.flags.c_contiguous and dtype in (None, array.dtype)):
            array = np.ascontiguousarray(array, dtype=dtype).reshape(np.shape(array))
        key = content(array)
        if key not in self._constants:
            self._constants[key] = Value(array.dtype, array.shape, array=array)
        return self._constants[key]

    def emit(
        self, op: str, inputs: Sequence[Value], shape: Shape, dtype: npt.DTypeLike | None = None, **attributes: Any
    ) -> Value:
        """The one output of an operator."""
        return self.emit_many(
            op, inputs, [(inputs[0].dtype if dtype is None else np.dtype(dtype), shape)], **attributes
        )[0]

    def emit_many(
        self, op: str, inputs: Sequence[Value], results: Sequence[tuple[np.dtype[Any], Shape]], **attributes: Any
    ) -> tuple[Value, ...]:
        """The outputs of an operator, with the dtypes and shapes in ``results``."""
        frozen = tuple(sorted((k, tuple(v) if isinstance(v, list) else v) for k, v in attributes.items()))
        key = (op, tuple(map(id, inputs)), frozen)
        if key in self._known:
            return self._known[key]
        if op in _FOLD and all(v.array is not None for v in inputs):
            with np.errstate(all="ignore"):
                folded = np.asarray(_FOLD[op](*(v.array for v in inputs), **dict(frozen)))
            outputs: tuple[Value, ...] = (self.constant(folded.astype(results[0][0])),)
        else:
            node = Node(op, tuple(inputs), frozen)
            outputs = node.outputs = tuple(Value(dtype, shape, node) for dtype, shape in results)
            self.nodes.append(node)
        self._known[key] = outputs
        return outputs

    def unary(self, op: str, x: Value, dtype: npt.DTypeLike | None = None) -> Value:
        """An operator with one tensor as input, which keeps its shape."""
        if op == "Neg" and x.op == "Neg":
            return x.node.inputs[0]  # type: ignore[union-attr]  # an op has a node
        if op in {"Identity", "Cast"} and (dtype is None or np.dtype(dtype) == x.dtype):
            return x
        if op == "Cast":
            if x.array is not None:
                return self.constant(x.array.astype(np.dtype(dtype)))
            return self.emit(op, [x], x.shape, dtype, to=np.dtype(dtype).name)
        return self.emit(op, [x], x.shape, dtype)

    def binary(self, op: str, a: Value, b: Value, dtype: npt.DTypeLike | None = None) -> Value:
        """An elementwise operator of two tensors; one that has no effect is omitted."""
        left, right = a.scalar, b.scalar
        if op in {"Add", "Mul"} and a.array is not None and b.array is None:
            a, b, left, right = b, a, right, left
        if len(b.shape) <= len(a.shape):
            if (op in {"Add", "Sub"} and right == 0.0) or (op in {"Mul", "Div"} and right == 1.0):
                return a
            if op == "Mul" and right == -1.0:
                return self.unary("Neg", a)
        if op == "Div" and right and a.dtype == np.float32:
            return self.binary("Mul", a, self.constant(np.float32(1.0 / right).reshape(b.shape)))
        if op == "Mul" and right is not None and a.op == "Mul" and a.node and a.node.inputs[1].scalar is not None:
            return self.binary("Mul", a.node.inputs[0], self.binary("Mul", a.node.inputs[1], b))
        if op == "Sub" and left == 0.0 and len(a.shape) <= len(b.shape):
            return self.unary("Neg", b)
        if op == "Add" and b.op == "Neg" and b.node:
            return self.binary("Sub", a, b.node.inputs[0])
        if op == "Sub" and b.op == "Neg" and b.node:
            return self.binary("Add", a, b.node.inputs[0])
        return self.emit(op, [a, b], broadcast(a.shape, b.shape), dtype)

    def reshape(self, x: Value, shape: Shape) -> Value:
        """The same elements in another shape."""
        if x.shape == shape:
            return x
        if x.op == "Reshape" and x.node:
            return self.reshape(x.node.inputs[0], shape)
        return self.emit("Reshape", [x, self.constant(self._target(x, shape), np.int64)], shape)

    def _target(self, x: Value, shape: Shape) -> list[int]:
        """A shape as ONNX reads it: -1 for a length that follows from the others, 0 for one that the tensor has there already."""
        unknown = [axis for axis, d in enumerate(shape) if isinstance(d, (Batch, Length))]
        target: list[Any] = [-1 if axis in unknown else d for axis, d in enumerate(shape)]
        for axis in sorted(
            unknown, key=lambda k: isinstance(shape[k], Batch)
        ):  # one length may stay unknown: the batch
            if target.count(-1) > 1 and axis < len(x.shape) and x.shape[axis] == shape[axis]:
                target[axis] = 0
        for axis in unknown:
            if target.count(-1) > 1 and target[axis] == -1 and not isinstance(shape[axis], Batch):
                target[axis] = shape[axis]
        return target

    def transpose(self, x: Value, permutation: Sequence[int]) -> Value:
        """A permutation of the axes."""
        shape = tuple(x.shape[p] for p in permutation)
        moved = [p for p in permutation if x.shape[p] != 1]
        if moved == sorted(moved):
            return self.reshape(x, shape)
        if x.op == "Transpose" and x.node:
            before = dict(x.node.attributes)["perm"]
            return self.transpose(x.node.inputs[0], [before[p] for p in permutation])
        return self.emit("Transpose", [x], shape, perm=tuple(permutation))

    def reduce(self, op: str, x: Value, axes: Sequence[int], *, keepdims: bool = False) -> Value:
        """A reduction over axes. At least one of them may have more than one element."""
        axes = sorted(axes)
        shape = tuple(1 if i in axes else d for i, d in enumerate(x.shape) if keepdims or i not in axes)
        if all(x.shape[a] == 1 for a in axes):
            return self.reshape(x, shape)
        return self.emit(op, [x, self.constant(axes, np.int64)], shape, keepdims=int(keepdims))

    def matmul(self, a: Value, b: Value) -> Value:
        """The matrix product over the last axes, with leading axes broadcast. It does not accept vectors."""
        if a.op == "Reshape" and a.node and len(b.shape) == 2 and len(a.shape) == 2:
            inner = a.node.inputs[0]
            if inner.shape[-1:] == a.shape[-1:] and len(inner.shape) > 2 and not static(inner.shape):
                wide = self.emit("MatMul", [inner, b], (*inner.shape[:-1], b.shape[1]))
                return self.reshape(wide, (a.shape[0], b.shape[1]))
        if a.op == b.op == "Reshape" and a.node and b.node and len(a.shape) == len(b.shape) == 3:
            left, right = a.node.inputs[0], b.node.inputs[0]
            lead = left.shape[:-2]
            if lead == right.shape[:-2] and left.shape[-2:] == a.shape[1:] and right.shape[-2:] == b.shape[1:]:
                wide = self.emit("MatMul", [left, right], (*lead, a.shape[1], b.shape[2]))
                return self.reshape(wide, (a.shape[0], a.shape[1], b.shape[2]))
        lead = broadcast(a.shape[:-2] or (1,), b.shape[:-2] or (1,)) if max(len(a.shape), len(b.shape)) > 2 else ()
        return self.emit("MatMul", [a, b], (*lead, a.shape[-2], b.shape[-1]))

    def copy(self, x: Value) -> Value:
        """The same tensor as a separate value."""
        node = Node("Identity", (x,), ())
        copy = Value(x.dtype, x.shape, node)
        node.outputs = (copy,)
        self.nodes.append(node)
        return copy

    def batch_size(self) -> Value:
        """The batch as an int64 tensor of shape ``(1,)``."""
        value = next(v for v in self.inputs.values() if v.shape[:1] == (Batch(),))
        return self.emit("Shape", [value], (1,), np.int64, start=0, end=1)

    def expand(self, x: Value, shape: Shape) -> Value:
        """Repeat a tensor's axes of size 1 to reach the shape."""
        if x.shape == shape:
            return x
        lead: Shape = (1,) * (len(shape) - len(x.shape)) + x.shape
        missing = [d for d, have in zip(shape, lead, strict=True) if isinstance(d, Batch) and have != d]
        if not missing:
            target = self.constant([1 if isinstance(d, Batch) else d for d in shape], np.int64)
        else:
            pieces = [
                self.binary("Mul", self.batch_size(), self.constant([d.times], np.int64))
                if isinstance(d, Batch)
                else self.constant([d], np.int64)
                for d in shape
            ]
            target = self.emit("Concat", pieces, (len(pieces),), axis=0) if len(pieces) > 1 else pieces[0]
        return self.emit("Expand", [x, target], shape)

    def inline(self, other: Graph, bindings: Mapping[str, Value]) -> dict[str, Value]:
        """Emit another graph's nodes here, with its inputs bound by name. Returns its outputs by name."""
        values: dict[Value, Value] = {}
        for name, value in other.inputs.items():
            values[value] = bindings[name] if name in bindings else self.input(name, value.dtype, value.shape)

        def here(value: Value) -> Value:
            if value not in values and value.array is not None:
                values[value] = self.constant(value.array)
            return values[value]

        for node in other.needed():
            results = [(v.dtype, v.shape) for v in node.outputs]
            if node.op == "Shape" and node.inputs[0].name in self.inputs and node.inputs[0] in other.inputs.values():
                given = [self.inputs[node.inputs[0].name]]  # no step changes a shape
            else:
                given = [here(v) for v in node.inputs]
            copies = self.emit_many(node.op, given, results, **dict(node.attributes))
            values.update(zip(node.outputs, copies, strict=True))
        return {name: here(value) for name, value in other.outputs.items()}

    def needed(self) -> list[Node]:
        """The nodes that an output depends on, in order."""
        wanted = {v.node for v in self.outputs.values() if v.node}
        for node in reversed(self.nodes):
            if node in wanted:
                wanted.update(v.node for v in node.inputs if v.node)
        return [node for node in self.nodes if node in wanted]

    def uses(self) -> dict[Value, int]:
        """The number of uses of each value by needed nodes and outputs."""
        total: dict[Value, int] = {}
        for value in [*self.outputs.values(), *(v for n in self.needed() for v in n.inputs)]:
            total[value] = total.get(value, 0) + 1
        return total

    def depending_on(self, names: Iterable[str]) -> set[Value]:
        """The values that depend on these inputs."""
        moving = {self.inputs[n] for n in names if n in self.inputs}
        for node in self.nodes:
            if any(v in moving for v in node.inputs):
                moving.update(node.outputs)
        return moving
