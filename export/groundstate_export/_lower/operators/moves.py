"""Translations of operators that move the elements of each row in a fixed way, and of their adjoints."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.program import Instruction
from groundstate_export._ir.values import Batch, Shape, Value
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import AnySize, Call, Entry
from groundstate_export._lower.operators.axes import fixed
from groundstate_export._lower.operators.maps import flat, gather, places_of, rows_of, scatter
from groundstate_export._lower.operators.stretched import overlapped, rolled, windows
from groundstate_export._lower.operators.tables import column, counted
from groundstate_export._lower.operators.views import pad

aten = torch.ops.aten


@handles("as_strided", "diagonal", "diagonal_copy", "diag_embed", "unfold", "im2col", "rot90", "roll")
def _moved(low: Lowering, call: Call) -> Entry:
    entry: Entry = call.args[0]
    if sized([d for d in (*entry.shape, *call.shape) if not isinstance(d, Batch)]) and call.name in _STRETCHED:
        return low.entry(call, _STRETCHED[call.name](low, call))
    places = places_of(call.instruction, entry.shape, call.args[1:], call.kwargs)
    return low.entry(call, low.graph.reshape(gather(low, flat(low, entry), 1, places), call.shape))


def _rolled(low: Lowering, call: Call) -> Value:
    x, shifts, axes = low.full(call.args[0]), call.args[1], call.get(2, "dims", [])
    if not axes:
        raise low.refuse(call, "it moves elements between the rows of the batch; pass `dims`.")
    for shift, axis in zip(shifts, axes, strict=True):
        if isinstance(x.shape[axis], Batch):
            raise low.refuse(call, "it moves rows of the batch; every row must be treated alone.")
        x = rolled(low, x, axis % len(x.shape), shift)
    return x


def _windows(low: Lowering, call: Call) -> Value:
    x, (axis, size, step) = low.full(call.args[0]), call.args[1:4]
    axis %= len(x.shape)
    found = windows(low, x, axis, fixed(call.shape[axis]), size, step)
    rank = len(found.shape)
    return low.graph.transpose(found, [k for k in range(rank) if k != axis + 1] + [axis + 1])


def _overlapped(low: Lowering, call: Call) -> Value:
    x, (_, axis, _, step) = low.full(call.args[0]), call.args[1:5]
    axis %= len(call.shape)
    rank = len(x.shape)
    moved = low.graph.transpose(x, [*range(axis + 1), rank - 1, *range(axis + 1, rank - 1)])
    return overlapped(low, moved, axis, fixed(call.shape[axis]), step)


def _patches(low: Lowering, call: Call) -> Value:
    """`im2col`: windows along both axes of an image, channels and places in a window as one axis."""
    g, x = low.graph, low.full(call.args[0])
    kernel, dilation, padding, stride = call.args[1:5]
    wide = tuple(fixed(d) + 2 * p for d, p in zip(x.shape[2:], padding, strict=True))
    ends = {2: padding[0], 3: padding[1]}
    x = pad(low, x, ends, ends, (*x.shape[:2], *wide))
    counts = [(d - dl * (k - 1) - 1) // s + 1 for d, k, dl, s in zip(wide, kernel, dilation, stride, strict=True)]
    x = windows(low, x, 3, counts[1], kernel[1], stride[1], dilation[1])
    x = windows(low, x, 2, counts[0], kernel[0], stride[0], dilation[0])
    return g.reshape(g.transpose(x, [0, 1, 3, 5, 2, 4]), call.shape)


def _image(low: Lowering, call: Call) -> Value:
    """`col2im`, the adjoint of `_patches`."""
    g, x = low.graph, low.full(call.args[0])
    kernel, dilation, padding, stride = call.args[2:6]
    shape = call.shape
    wide = [fixed(d) + 2 * p for d, p in zip(shape[2:], padding, strict=True)]
    counts = [(d - dl * (k - 1) - 1) // s + 1 for d, k, dl, s in zip(wide, kernel, dilation, stride, strict=True)]
    x = g.reshape(x, (shape[0], shape[1], kernel[0], kernel[1], counts[0], counts[1]))
    x = g.transpose(x, [0, 1, 4, 2, 5, 3])
    x = overlapped(low, x, 4, wide[1], stride[1], dilation[1])
    x = overlapped(low, x, 2, wide[0], stride[0], dilation[0])
    ends = {2: -padding[0], 3: -padding[1]}
    return pad(low, x, ends, ends, shape)


def _square(low: Lowering, call: Call, shape: Shape) -> Value:
    """The mask of a diagonal along the last two axes."""
    offset, one, other = (call.get(k, n, d) for k, n, d in _DIAGONAL[call.name])
    if offset or {one % len(shape), other % len(shape)} != {len(shape) - 2, len(shape) - 1} or shape[-1] != shape[-2]:
        raise AnySize
    n = counted(low, fixed(shape[-1]))
    return low.graph.binary("Equal", column(low, n), n, np.bool_)


_DIAGONAL = {
    "diagonal": ((1, "offset", 0), (2, "dim1", 0), (3, "dim2", 1)),
    "diagonal_copy": ((1, "offset", 0), (2, "dim1", 0), (3, "dim2", 1)),
    "diagonal_backward": ((2, "offset", 0), (3, "dim1", 0), (4, "dim2", 1)),
    "diag_embed": ((1, "offset", 0), (2, "dim1", -2), (3, "dim2", -1)),
}


def _diagonal(low: Lowering, call: Call) -> Value:
    g, x = low.graph, low.full(call.args[0])
    zero = g.constant(np.asarray(0, x.dtype))
    kept = g.emit("Where", [_square(low, call, x.shape), x, zero], x.shape, x.dtype)
    return g.reduce("ReduceSum", kept, [len(x.shape) - 1])


def _on_diagonal(low: Lowering, call: Call) -> Value:
    g, x = low.graph, low.full(call.args[0])
    zero = g.constant(np.asarray(0, x.dtype))
    wide = g.reshape(x, (*x.shape, 1))
    return g.emit("Where", [_square(low, call, call.shape), wide, zero], call.shape, x.dtype)


_STRETCHED: dict[str, Callable[[Lowering, Call], Value]] = {
    "roll": _rolled, "unfold": _windows, "unfold_backward": _overlapped, "im2col": _patches, "col2im": _image,
    "diagonal": _diagonal, "diagonal_copy": _diagonal, "diagonal_backward": _on_diagonal, "diag_embed": _on_diagonal,
}  # fmt: skip
"""The translation of each move along an axis of any size."""


_FORWARD = {
    "col2im": aten.im2col.default,
    "unfold_backward": aten.unfold.default,
    "slice_backward": aten.slice.Tensor,
    "diagonal_backward": aten.diagonal.default,
}


@handles("col2im", "unfold_backward", "diagonal_backward")
def adjoint(low: Lowering, call: Call) -> Entry:
    """The gradient of a move: each element sums the gradients of all places it was moved to."""
    gradient: Entry = call.args[0]
    if sized([d for d in (*gradient.shape, *call.shape) if not isinstance(d, Batch)]) and call.name in _STRETCHED:
        return low.entry(call, _STRETCHED[call.name](low, call))
    instruction = Instruction(_FORWARD[call.name], (), {}, ((gradient.dtype, gradient.shape),))
    places = places_of(instruction, call.shape, call.args[2:], {})
    times, size = rows_of(call.shape)
    result = scatter(low, flat(low, gradient), 1, places, times * size)
    return low.entry(call, low.graph.reshape(result, call.shape))
