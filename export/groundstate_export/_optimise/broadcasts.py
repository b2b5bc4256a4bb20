"""Write out short repetitions.

ONNX Runtime repeats an operand run by run: adding sixteen numbers to each of a million rows costs several times the addition of
two full tensors. An operand that is repeated in runs shorter than `_SHORT` is therefore written out first: once for the whole
descent if it does not depend on the state, otherwise by the fastest operator for it (a product with a row of ones for a column,
`Expand` for a row).
"""

from __future__ import annotations

import numpy as np

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Batch, Node, Shape, Value, elements, static, usual
from groundstate_export._optimise.rewrite import Rewrite

_BINARY = frozenset({"Add", "Sub", "Mul", "Div", "Max", "Min"})
_SHORT = 48
_SHORT_AND_CONSTANT = 256
_LEAST = 2048
"""The number of elements per row of the batch above which a further operator pays for itself."""


class Broadcasts(Rewrite):
    """Writes out operands that would be repeated in short runs."""

    def replace(self, node: Node) -> Value | None:
        out = node.outputs[0]
        if node.op not in _BINARY or out not in self.depends:
            return None
        if usual(elements(out.shape)) < _LEAST:
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
        """Give a number beside a tensor with a last axis of one element as many axes, or it is repeated one by one."""
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
        """An operand in the shape with a separate batch axis."""
        return self.target.reshape(value, shape) if had == out else value

    def _written_out(self, value: Value, out: Shape, shape: Shape) -> Value | None:
        """The operand in full, or None if it can stay as it is."""
        if value.shape == out or (value.array is not None and value.array.size == 1):
            return None
        run, column = _run(value.shape, out)
        constant = value not in self.depends
        if run >= (_SHORT_AND_CONSTANT if constant else _SHORT) or value.dtype != np.float32:
            return None
        if shape != out and value.array is None:
            return None
        here = self.here(value)
        if constant:
            wanted = (1, *shape[1:]) if static(value.shape) else shape
            return self.target.expand(here, wanted)
        if not column:
            return self.target.expand(here, shape)
        if value.shape[:-1] != out[:-1] or not isinstance(out[-1], int) or sized(out[-1]):
            return None
        ones = self.target.constant(np.ones((1, out[-1]), np.float32))
        return self.target.emit("MatMul", [here, ones], out)


def _run(shape: Shape, out: Shape) -> tuple[int, bool]:
    """The length of the innermost run over which an operand is constant, and whether it repeats a single element."""
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
        length *= usual(o)
    return length, bool(column)


def _unmerged(shape: Shape) -> Shape:
    """A shape whose first axis is a multiple of the batch, with the batch as a separate axis."""
    first = shape[0] if shape else 1
    return (Batch(), first.times, *shape[1:]) if isinstance(first, Batch) and first.times > 1 else shape
