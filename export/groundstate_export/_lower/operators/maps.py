"""Maps: operators that are a constant rearrangement, or a constant linear map, of each row.

The map comes from running the operator itself, in PyTorch, on numbered elements.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.program import Instruction
from groundstate_export._ir.values import Array, Batch, Dimension, Shape, Value
from groundstate_export._lower.lowering import Lowering, concrete
from groundstate_export._lower.operands import AnySize, Entry

Places = npt.NDArray[np.int64]

_DENSE = 4096
"""Up to this number of elements a sum over places is a matrix product (quadratic cost); above it, a gather (linear cost)."""


def rows_of(shape: Shape) -> tuple[int, int]:
    """The number of leading elements per chain, and the number of elements in each.

    Raises:
        ValueError: The batch is not the first axis.
    """
    first, rest = (shape[0], shape[1:]) if shape else (1, ())
    if not isinstance(first, Batch) or any(isinstance(d, Batch) for d in rest):
        raise ValueError("it moves elements of a tensor whose batch is not the first axis")
    return first.times, math.prod(d for d in rest if not isinstance(d, Batch))


def at(argument: Any, batch: int) -> Any:
    """An argument at a given batch size."""
    if isinstance(argument, Batch):
        return batch * argument.times
    if isinstance(argument, (list, tuple)):
        return [at(a, batch) for a in argument]
    return concrete(argument)


def numbered(shape: Shape, batch: int) -> Tensor:
    """Elements 1, 2, … in float64, because few operators move integers."""
    if sized(list(shape)) or any(isinstance(d, Batch) and sized(d.times) for d in shape):
        raise AnySize
    sizes: list[int] = at(shape, batch)
    return torch.arange(1, 1 + int(np.prod(sizes)), dtype=torch.float64).reshape(sizes)


def places_of(instruction: Instruction, source: Shape, args: list[Any], kwargs: dict[str, Any]) -> Places:
    """For each element of a chain's result, the index of its source in the chain; -1 for an element that is zero.

    Args:
        instruction: The operator; it moves its first argument.
        source: The shape of that argument.
        args: The other arguments.
        kwargs: The named arguments.

    Raises:
        ValueError: The batch is not the first axis, or rows mix.
    """
    times, size = rows_of(source)
    batch = 2
    x = numbered(source, batch)
    if instruction.layout is not None:
        x = _laid_out(instruction, x, batch)
    kwargs = {k: at(v, batch) for k, v in kwargs.items() if k != "item"}
    result = instruction.target(x, *at(args, batch), **kwargs)
    found = np.asarray(result.reshape(batch, -1), dtype=np.int64) - 1
    if rows_of(instruction.results[0][1])[0] < 1 or not np.array_equal(  # type: ignore[index]  # it has a result
        np.where(found[0] < 0, -1, found[0] + times * size), found[1]
    ):
        raise ValueError("it moves elements from one row of the batch to another")
    places: Places = found[0]
    return places


def _laid_out(instruction: Instruction, x: Tensor, batch: int) -> Tensor:
    """Numbered elements in the memory layout of the captured tensor."""
    assert instruction.layout is not None
    shape, strides, offset = (at(v, batch) for v in instruction.layout)
    end = offset + 1 + sum((n - 1) * s for n, s in zip(shape, strides, strict=True))
    memory = torch.zeros(max(end, x.numel() + offset), dtype=x.dtype)
    view = memory.as_strided(shape, strides, offset)
    view.copy_(x)
    return view


def gather(low: Lowering, x: Value, axis: int, places: Places) -> Value:
    """The elements at constant places along an axis, with zero at place -1. Places have any rank.

    Args:
        low: The lowering.
        x: The source.
        axis: The axis.
        places: The indices of the elements.
    """
    size = x.shape[axis]
    shape = (*x.shape[:axis], *places.shape, *x.shape[axis + 1 :])
    if isinstance(size, int) and not sized(size) and np.array_equal(places.reshape(-1), np.arange(size)):
        return low.graph.reshape(x, shape)
    if (places < 0).any():
        x = padded(low, x, axis, 1, 0)
        places = places + 1
    return low.graph.emit("Gather", [x, low.graph.constant(places, np.int64)], shape, axis=axis)


def padded(low: Lowering, x: Value, axis: int, before: int, after: int, fill: float = 0.0) -> Value:
    """Pad an axis."""
    rank = len(x.shape)
    widths = [0] * (2 * rank)
    widths[axis], widths[rank + axis] = before, after
    shape: Shape = (*x.shape[:axis], _longer(x.shape[axis], before + after), *x.shape[axis + 1 :])
    inputs = [x, low.graph.constant(widths, np.int64), low.graph.constant(np.asarray(fill, x.dtype))]
    return low.graph.emit("Pad", inputs, shape, mode="constant")


def _longer(size: Dimension, by: int) -> int:
    if isinstance(size, Batch):
        raise ValueError("it makes the batch longer")  # noqa: TRY004  # callers catch ValueError
    return size + by


def scatter(low: Lowering, x: Value, axis: int, places: Places, size: int) -> Value:
    """The adjoint of `gather`: each of ``size`` elements along an axis is the sum of the elements whose place it is."""
    if sized(size):
        raise AnySize
    places = places.reshape(-1)
    sources: list[list[int]] = [[] for _ in range(size)]
    for source, place in enumerate(places.tolist()):
        if place >= 0:
            sources[place].append(source)
    most = max(map(len, sources), default=0)
    if most > 1 and len(places) * size <= _DENSE and x.dtype == np.float32:
        matrix = np.zeros((len(places), size), np.float32)
        for place, those in enumerate(sources):
            matrix[those, place] = 1.0
        return apply(low, x, axis, matrix.T)
    table = np.full((size, max(most, 1)), -1, np.int64)
    for place, those in enumerate(sources):
        table[place, : len(those)] = those
    if most <= 1:
        return gather(low, x, axis, table[:, 0])
    return low.graph.reduce("ReduceSum", gather(low, x, axis, table), [axis + 1])


def apply(low: Lowering, x: Value, axis: int, matrix: Array) -> Value:
    """The product of a constant ``(out, in)`` matrix with an axis."""
    g = low.graph
    rows, columns = matrix.shape
    if rows == columns and np.array_equal(matrix, np.eye(rows)):
        return x
    if bool(((matrix != 0).sum(1) == 1).all()) and bool((matrix.sum(1) == 1).all()):
        return gather(low, x, axis, matrix.argmax(1).astype(np.int64))
    rank = len(x.shape)
    if axis == rank - 1:
        return g.matmul(x, g.constant(np.ascontiguousarray(matrix.T), x.dtype))
    if axis == rank - 2:
        lead = g.constant(np.ascontiguousarray(matrix), x.dtype)
        return g.emit("MatMul", [lead, x], (*x.shape[:axis], rows, x.shape[-1]))
    order = [i for i in range(rank) if i != axis] + [axis]
    moved = g.matmul(g.transpose(x, order), g.constant(np.ascontiguousarray(matrix.T), x.dtype))
    return g.transpose(moved, [*range(axis), rank - 1, *range(axis, rank - 1)])


def flat(low: Lowering, entry: Entry) -> Value:
    """A tensor reshaped to ``(batch, elements of a chain)``."""
    times, size = rows_of(entry.shape)
    return low.graph.reshape(low.full(entry), (Batch(), times * size))
