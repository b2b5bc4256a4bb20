"""The values of a graph: tensors, the operators that make them, and their shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from groundstate_export._ir.lengths import Length

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Batch:
    """A dimension that is a multiple of the batch size."""

    times: int = 1

    def __str__(self) -> str:
        return "batch" if self.times == 1 else f"{self.times}batch"


Dimension = int | Batch
Shape = tuple[Dimension, ...]

_TYPICAL_BATCH = 8


def count(shape: Iterable[Dimension]) -> int:
    """The number of elements of a tensor at a typical batch: the cost of an elementwise operator on it."""
    return math.prod(_TYPICAL_BATCH * usual(d.times) if isinstance(d, Batch) else usual(d) for d in shape)


def usual(d: int) -> int:
    """A length in decisions of cost."""
    return d.usual if isinstance(d, Length) else d


def elements(shape: Iterable[Dimension]) -> int:
    """The number of elements of a tensor per row of the batch."""
    return math.prod(d.times if isinstance(d, Batch) else d for d in shape)


def static(shape: Iterable[Dimension]) -> bool:
    """Whether no dimension depends on the batch or on a size."""
    return not any(isinstance(d, (Batch, Length)) for d in shape)


@dataclass(eq=False, slots=True, repr=False)
class Value:
    """A tensor in the graph: an input, a constant (``array``) or an output of ``node``."""

    dtype: np.dtype[Any]
    shape: Shape
    node: Node | None = None
    array: Array | None = None
    name: str = ""

    def __repr__(self) -> str:  # the generated one would print the whole graph behind the value
        return f"<Value {self.name or self.op or 'constant'} {self.dtype} ({', '.join(map(str, self.shape))})>"

    @property
    def op(self) -> str:
        return self.node.op if self.node else ""

    @property
    def scalar(self) -> float | None:
        """The number, if this is a constant with a single element."""
        return float(self.array.reshape(())) if self.array is not None and self.array.size == 1 else None


Attributes = tuple[tuple[str, Any], ...]


@dataclass(eq=False, slots=True, repr=False)
class Node:
    """An operator applied to values."""

    op: str
    inputs: tuple[Value, ...]
    attributes: Attributes
    outputs: tuple[Value, ...] = ()

    def __repr__(self) -> str:
        return f"<Node {self.op}>"


def broadcast(*shapes: Shape) -> Shape:
    """The shape of an elementwise operator's result, by numpy's rules."""
    rank = max(map(len, shapes))
    result: list[Dimension] = []
    for axis in range(-rank, 0):
        sizes = {s[axis] for s in shapes if len(s) >= -axis} - {1}
        if len(sizes) > 1 and len({d.__index__() for d in sizes if isinstance(d, int)}) == 1:
            # PyTorch took them to be equal, which is a condition of the file.
            sizes = {min(sizes, key=lambda d: (isinstance(d, Length), len(str(d))))}
        if len(sizes) > 1:
            raise ValueError(f"shapes {shapes} do not broadcast")
        result.append(sizes.pop() if sizes else 1)
    return tuple(result)


def _axes(axes: Array) -> tuple[int, ...]:
    return tuple(int(a) for a in np.atleast_1d(axes))


_FOLD: dict[str, Callable[..., Array]] = {
    "Add": lambda a, b: a + b,
    "Sub": lambda a, b: a - b,
    "Mul": lambda a, b: a * b,
    "Div": lambda a, b: a / b if np.issubdtype(a.dtype, np.floating) else np.trunc(a / b).astype(a.dtype),
    "Neg": lambda a: -a,
    "Sqrt": np.sqrt,
    "Exp": np.exp,
    "Log": np.log,
    "Tanh": np.tanh,
    "Reciprocal": lambda a: np.asarray(1, a.dtype) / a,
    "Sigmoid": lambda a: (1.0 / (1.0 + np.exp(-a.astype(np.float64)))).astype(a.dtype),
    "MatMul": np.matmul,
    "Reshape": lambda a, shape: a.reshape([int(s) for s in shape]),
    "ReduceSum": lambda a, axes, keepdims: a.sum(_axes(axes), keepdims=bool(keepdims), dtype=a.dtype),
    "ReduceMean": lambda a, axes, keepdims: a.mean(_axes(axes), keepdims=bool(keepdims), dtype=np.float64).astype(
        a.dtype
    ),
    "Transpose": lambda a, perm: a.transpose(perm),
    "Equal": np.equal,
    "Not": np.logical_not,
    "And": np.logical_and,
    "Where": np.where,
}
