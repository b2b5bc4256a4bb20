"""Linear image operators that are a matrix along each axis (resizing, averaging, padding) and their adjoints.

The matrices come from running the operator itself, in float64, on images that vary along one axis.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import numpy as np
import torch
from torch import Tensor

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Array, Batch, Value
from groundstate_export._lower.lowering import Lowering
from groundstate_export._lower.operands import AnySize, Call, Entry
from groundstate_export._lower.operators.axes import fixed
from groundstate_export._lower.operators.maps import apply

Function = Callable[[Tensor], Tensor]


def matrices(function: Function, sizes: list[int]) -> list[Array]:
    """An ``(out, in)`` matrix for each axis of an image.

    Args:
        function: The operator, for a tensor ``(images, 1, *sizes)``.
        sizes: The image's sizes.

    Raises:
        ValueError: The operator is not a product of matrices along the axes.
    """
    if sized(sizes):
        raise AnySize
    rank = len(sizes)
    whole = float(function(torch.ones(1, 1, *sizes, dtype=torch.float64)).reshape(-1)[0])
    found = []
    for axis, size in enumerate(sizes):
        shape = [size, 1, *(size if i == axis else 1 for i in range(rank))]
        basis = torch.eye(size, dtype=torch.float64).reshape(shape).expand(size, 1, *sizes)
        result = function(basis.contiguous())
        for other in reversed(range(rank)):
            if other != axis:
                result = result.select(2 + other, 0)
        found.append((result.reshape(size, -1).T / (whole ** (rank - 1) if axis == 0 else 1)).numpy())
    probe = torch.randn(1, 1, *sizes, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    applied = reduce(
        lambda x, am: np.moveaxis(np.tensordot(am[1], x, (1, am[0])), 0, am[0]), enumerate(found), probe[0, 0].numpy()
    )
    if not np.allclose(applied, function(probe)[0, 0].numpy(), rtol=1e-9, atol=1e-9):
        raise ValueError("it is not a matrix along each axis")
    return [np.where(np.abs(m) < 1e-14, 0.0, m) for m in found]


def applied(low: Lowering, call: Call, entry: Entry, function: Function, sizes: list[int], *, adjoint: bool) -> Entry:
    """Apply the operator, or its adjoint, to the last axes of a tensor."""
    found = [m.T if adjoint else m for m in matrices(function, sizes)]
    x: Value = low.full(entry)
    rank = len(found)
    if any(isinstance(d, Batch) for d in x.shape[-rank:]):
        raise low.refuse(call, "it works along the batch; every row must be treated alone.")
    # Start with the axis that shrinks most, so that the next product is smaller.
    for i in sorted(range(rank), key=lambda i: found[i].shape[0] / found[i].shape[1]):
        x = apply(low, x, len(x.shape) - rank + i, found[i])
    return low.entry(call, x)


def spatial(entry: Entry | tuple[object, ...], rank: int) -> list[int]:
    """The sizes of the last axes."""
    shape = entry.shape if isinstance(entry, Entry) else entry
    return [fixed(d) for d in shape[-rank:]]  # type: ignore[arg-type]  # dimensions
