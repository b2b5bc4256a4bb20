"""Short repetitions are written out.

ONNX Runtime repeats an operand run by run: adding sixteen numbers to each of a million rows costs several times what adding
as many numbers to as many numbers does. So an operand that is repeated in runs shorter than `_SHORT` is written out first: once
for the whole descent where it does not depend on the state, else by the fastest operator there is for it (a product with
a row of ones for a column, `Expand` for a row).
"""

from __future__ import annotations

import numpy as np

from groundstate_export._ir.graph import Batch, Node, Shape, Value, elements, static
from groundstate_export._optimise.rewrite import Rewrite

_BINARY = frozenset({"Add", "Sub", "Mul", "Div", "Max", "Min"})
_SHORT = 48
_SHORT_AND_STILL = 256
_LEAST = 2048
"""Elements a row of the batch from which on a further operator pays for itself."""


class Broadcasts(Rewrite):
    """Writes out what would be repeated in short runs."""

    def replace(self, node: Node) -> Value | None:
        out = node.outputs[0]
        if node.op not in _BINARY or out not in self.depends:
            return None
        if elements(out.shape) < _LEAST:
            return self._small(node) if out.shape[-1:] == (1,) else None
        shape = _unmerged(out.shape)
        wide = [self._written_out(v, out.shape, shape) for v in node.inputs]
        if all(w is None for w in wide):
            return None
        operands = [
            w if w is not None else self._as(self.here(v), v.shape, out.shape, shape)
            for v, w in zip(node.inputs, wide, strict=True)
        ]
        return self.target.reshape(self.target.emit(node.op, operands, shape, out.dtype), out.shape)

    def _small(self, node: Node) -> Value | None:
        """A number beside a tensor that ends in an axis of one element is given as many axes, lest it be repeated one by one."""
        out = node.outputs[0]
        if all(v.array is None or v.array.size > 1 or len(v.shape) == len(out.shape) for v in node.inputs):
            return None
        inputs = [
            self.here(v)
            if v.array is None or v.array.size > 1
            else self.target.constant(v.array.reshape((1,) * len(out.shape)))
            for v in node.inputs
        ]
        return self.target.emit(node.op, inputs, out.shape, out.dtype)

    def _as(self, value: Value, had: Shape, out: Shape, shape: Shape) -> Value:
        """An operand under the shape with the batch on an axis of its own."""
        return self.target.reshape(value, shape) if had == out else value

    def _written_out(self, value: Value, out: Shape, shape: Shape) -> Value | None:
        """The operand in full, or None where it may stay as it is."""
        if value.shape == out or (value.array is not None and value.array.size == 1):
            return None
        run, column = _run(value.shape, out)
        still = value not in self.depends
        if run >= (_SHORT_AND_STILL if still else _SHORT) or value.dtype != np.float32:
            return None
        if shape != out and value.array is None:
            return None
        here = self.here(value)
        if still:
            wanted = (1, *shape[1:]) if static(value.shape) else shape
            return self.target.expand(here, wanted)
        if not column:
            return self.target.expand(here, shape)
        if value.shape[:-1] != out[:-1] or not isinstance(out[-1], int):
            return None
        ones = self.target.constant(np.ones((1, out[-1]), np.float32))
        return self.target.emit("MatMul", [here, ones], out)


def _run(shape: Shape, out: Shape) -> tuple[int, bool]:
    """Elements in the innermost run over which an operand is used alike, and whether a single element is repeated over it."""
    aligned = (1,) * (len(out) - len(shape)) + shape
    length, column = 1, None
    for d, o in zip(reversed(aligned), reversed(out), strict=True):
        if o == 1:
            continue
        repeated = d != o
        if column is None:
            column = repeated
        if repeated != column:
            break
        if isinstance(o, Batch):
            return 1 << 30, bool(column)
        length *= o
    return length, bool(column)


def _unmerged(shape: Shape) -> Shape:
    """A shape whose first axis is a multiple of the batch, with the batch on an axis of its own."""
    first = shape[0] if shape else 1
    return (Batch(), first.times, *shape[1:]) if isinstance(first, Batch) and first.times > 1 else shape
