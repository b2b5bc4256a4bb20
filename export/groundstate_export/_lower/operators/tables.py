"""Tables as long as an axis: ranges, triangles, identities. Along an axis of any size they are computed in the graph."""

from __future__ import annotations

import numpy as np
import torch

from groundstate_export._ir.dtypes import COMPUTED
from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Batch, Value
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry


def counted(low: Lowering, count: int) -> Value:
    """The numbers from 0 to ``count - 1``, int64."""
    if not sized(count):
        return low.graph.constant(np.arange(count))
    zero, one = (low.graph.constant(np.int64(n)) for n in (0, 1))
    return low.graph.emit("Range", [zero, low.graph.constant(count, np.int64), one], (count,))


def column(low: Lowering, values: Value) -> Value:
    return low.graph.reshape(values, (values.shape[0], 1))


def triangle(low: Lowering, rows: int, columns: int, diagonal: int, *, lower: bool) -> Value:
    """Whether an element of a matrix lies in its lower, or upper, triangle."""
    g = low.graph
    if not sized([rows, columns, diagonal]):
        keep = np.tril if lower else np.triu
        return g.constant(keep(np.ones((rows, columns), np.bool_), diagonal))
    right = g.binary("Sub", counted(low, columns), column(low, counted(low, rows)))
    return g.binary("LessOrEqual" if lower else "GreaterOrEqual", right, g.constant(diagonal, np.int64), np.bool_)


@handles("arange")
def _arange(low: Lowering, call: Call) -> Entry:
    """Numbers as far as a size. Only an index may use the row numbers of the batch; else a row would depend on its number."""
    if any(isinstance(d, Batch) for d in call.shape):
        refusal = low.refuse(call, "it numbers the rows of the batch; every row must be treated alone.")
        if call.shape != (Batch(),) or call.dtype != torch.int64:
            raise refusal
        return Entry(call.dtype, call.shape, refusal=refusal, rows=True)
    start, step = call.named("start", 0), call.named("step", 1)
    (count,) = call.shape
    dtype = np.dtype(COMPUTED[call.dtype])
    numbers = low.graph.unary("Cast", counted(low, count), dtype)  # type: ignore[arg-type]  # not the batch
    for op, by, neutral in (("Mul", step, 1), ("Add", start, 0)):
        if sized(by) or by != neutral:
            numbers = low.graph.binary(op, numbers, low.graph.constant(by, dtype))
    return low.entry(call, numbers)


@handles("eye")
def _eye(low: Lowering, call: Call) -> Entry:
    rows, columns = call.shape
    a, b = column(low, counted(low, rows)), counted(low, columns)  # type: ignore[arg-type]  # not the batch
    same = low.graph.binary("Equal", a, b, np.bool_)
    return low.entry(call, low.graph.unary("Cast", same, COMPUTED[call.dtype]))
