"""Axes and sizes of reductions."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Batch, Dimension
from groundstate_export._lower.lowering import Lowering
from groundstate_export._lower.operands import AnySize, Call, Entry


def axes_of(low: Lowering, call: Call, entry: Entry, dims: Any) -> list[int]:
    rank = len(entry.shape)
    if isinstance(dims, int):
        dims = [dims]
    axes = [d % rank for d in dims] if dims else list(range(rank))
    if any(isinstance(entry.shape[a], Batch) for a in axes):
        raise low.refuse(call, "it reduces over the batch; every row must be treated alone.")
    return axes


def product(sizes: Iterable[Dimension]) -> int:
    return math.prod(fixed(d) for d in sizes)


def literal(sizes: Iterable[Dimension]) -> list[int]:
    """Lengths that depend on nothing, for tables made during lowering.

    Raises:
        AnySize: One depends on a size.
        ValueError: One depends on the batch.
    """
    found = [fixed(d) for d in sizes]
    if sized(found):
        raise AnySize
    return found


def fixed(size: Dimension) -> int:
    if isinstance(size, Batch):
        raise ValueError("a size depends on the batch")  # noqa: TRY004  # callers catch ValueError
    return size
