"""Move a sum over all of a row's elements as early as possible.

Most terms of an energy are ``Σ X w``: a last linear layer, summed over places. A sum is linear, so it moves in front of the
linear layers, which then compute one sum instead of every place. Often a whole matrix product disappears that only the energy
needs (its gradient never needed it).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Array, Batch, Node, Shape, Value, elements
from groundstate_export._optimise.rewrite import Rewrite


@dataclass(frozen=True)
class _Part:
    """``Σ value · weight`` over a row, ``weight`` along the last axis."""

    value: Value
    weight: Array


class Readout(Rewrite):
    """Moves sums over a row in front of linear operators."""

    def replace(self, node: Node) -> Value | None:
        out = node.outputs[0]
        if (
            node.op not in {"ReduceSum", "ReduceMean"}
            or out.shape not in {(Batch(),), (Batch(), 1)}
            or not _rows(node.inputs[0].shape)
        ):
            return None
        entry = node.inputs[0]
        if _of_any_size(entry.shape) and (node.op == "ReduceMean" or sized(entry.shape[-1])):
            return None
        scale = 1.0 if node.op == "ReduceSum" else 1.0 / elements(entry.shape)
        parts: list[_Part] = []
        constant = self._gather(entry, np.full(_last(entry.shape), scale), parts)
        if len(parts) == 1 and parts[0].value is entry and not constant:
            return None
        total: Value | None = None
        for part in parts:
            summed = self._sum(part, out.dtype)
            total = summed if total is None else self.target.binary("Add", total, summed)
        if total is None:
            return None
        total = self.target.binary("Add", total, self.target.constant(np.asarray(constant, out.dtype)))
        return self.target.reshape(total, out.shape)

    def _gather(self, value: Value, weight: Array, parts: list[_Part]) -> float:
        """Split a value into parts to be summed. Returns the contribution of its constants to each row."""
        if value.array is not None:
            return float((np.broadcast_to(value.array, _static(value.shape)).astype(np.float64) * weight).sum())
        taken = self._inside(value, weight) if self.once(value) else None
        if taken is None:
            parts.append(_Part(value, weight))
            return 0.0
        return sum(self._gather(v, w, parts) for v, w in taken)

    def _inside(self, value: Value, weight: Array) -> list[tuple[Value, Array]] | None:
        """The values that a linear node combines, each with its weight; None if the sum must be taken here."""
        node = value.node
        if node is None or value.dtype != np.float32 or sized(value.shape[-1]):
            return None
        if node.op in {"Add", "Sub", "Neg"}:
            signs = (-1.0,) if node.op == "Neg" else (1.0, -1.0 if node.op == "Sub" else 1.0)
            taken = [self._spread(v, value.shape, weight * s) for v, s in zip(node.inputs, signs, strict=True)]
            return None if any(t is None for t in taken) else [t for t in taken if t is not None]
        if node.op == "Mul":
            return self._scaled(node, value, weight)
        if node.op == "MatMul":
            a, w = node.inputs
            if w.array is None or w.array.ndim != 2 or not _rows(a.shape):
                return None
            return [(a, w.array.astype(np.float64) @ weight)]
        if node.op == "Reshape":
            before = node.inputs[0]
            kept = before.shape[-1:] == value.shape[-1:] and len(before.shape) > 1
            if not _rows(before.shape) or not (kept or _uniform(weight)) or sized(before.shape[-1]):
                return None
            return [(before, weight if kept else np.full(_last(before.shape), weight[0]))]
        if node.op in {"ReduceSum", "ReduceMean"}:
            return self._reduced(node, value, weight)
        return None

    def _scaled(self, node: Node, value: Value, weight: Array) -> list[tuple[Value, Array]] | None:
        for a, c in (node.inputs, node.inputs[::-1]):
            if c.array is not None and a.shape == value.shape and all(d == 1 for d in c.shape[:-1]):
                return [(a, weight * c.array.astype(np.float64).reshape(-1))]
        return None

    def _reduced(self, node: Node, value: Value, weight: Array) -> list[tuple[Value, Array]] | None:
        before, axes = node.inputs[0], node.inputs[1].array
        if axes is None or not _rows(before.shape) or sized(before.shape[-1]):
            return None
        if node.op == "ReduceMean" and _of_any_size(before.shape):
            return None
        places = {int(a) % len(before.shape) for a in axes}
        last = len(before.shape) - 1 in places
        if 0 in places or (last and not _uniform(weight)) or (not last and before.shape[-1:] != value.shape[-1:]):
            return None
        scale = 1.0 if node.op == "ReduceSum" else elements(value.shape) / elements(before.shape)
        return [(before, scale * (np.full(_last(before.shape), weight[0]) if last else weight))]

    def _spread(self, value: Value, shape: Shape, weight: Array) -> tuple[Value, Array] | None:
        """An operand of a sum, its weight multiplied by the number of repetitions of each element."""
        if value.array is None and not _rows(value.shape):
            return None
        size = _last(value.shape) if value.shape else 1
        if value.shape != shape and (_of_any_size(shape) or _of_any_size(value.shape)):
            return None
        own = value.shape if value.array is None else (Batch(), *value.shape)
        repeats = elements(shape) / elements(own)
        if size == 1 and _last(shape) != 1:
            return value, np.array([weight.sum() * repeats / _last(shape)])
        return value, weight * repeats

    def _sum(self, part: _Part, dtype: np.dtype[np.float32]) -> Value:
        g = self.target
        value, weight = self._pooled(part)
        x = self.here(value)
        size = _last(x.shape)
        if _uniform(weight):
            flat = g.reshape(x, (Batch(), elements(x.shape)))
            total = g.reduce("ReduceSum", flat, [1])
            return g.binary("Mul", total, g.constant(np.asarray(weight[0], dtype)))
        rows = g.reduce("ReduceSum", g.reshape(x, (Batch(), elements(x.shape) // size, size)), [1])
        column = g.constant(weight.astype(dtype).reshape(size, 1))
        return g.reshape(g.emit("MatMul", [rows, column], (Batch(), 1)), (Batch(),))

    def _pooled(self, part: _Part) -> tuple[Value, Array]:
        """The smallest existing mean of a value over places, and the weight that gives the same sum."""
        found, weight = part.value, part.weight
        for value in self.values:
            if value.op == "ReduceMean" and value.node and value.shape and value.shape[-1] == part.value.shape[-1]:
                root, axes = value.node.inputs[0], value.node.inputs[1].array
                kept = axes is not None and len(root.shape) - 1 not in axes
                root = root.node.inputs[0] if root.op == "Reshape" and root.node else root
                if (
                    kept
                    and root is part.value
                    and not _of_any_size(root.shape)
                    and elements(value.shape) < elements(found.shape)
                ):
                    found, weight = value, part.weight * (elements(part.value.shape) / elements(value.shape))
        return found, weight


def _rows(shape: Shape) -> bool:
    """Whether the first axis is the batch, and the last axis does not depend on it."""
    return len(shape) > 1 and isinstance(shape[0], Batch) and not any(isinstance(d, Batch) for d in shape[1:])


def _of_any_size(shape: Shape) -> bool:
    return sized(list(shape))


def _last(shape: Shape) -> int:
    size = shape[-1]
    assert isinstance(size, int)
    return size


def _static(shape: Shape) -> tuple[int, ...]:
    return tuple(d for d in shape if isinstance(d, int))


def _uniform(weight: Array) -> bool:
    return bool((weight == weight[0]).all())
