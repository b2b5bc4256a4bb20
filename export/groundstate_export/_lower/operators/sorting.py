"""Translations of sorting operators."""

from __future__ import annotations

import numpy as np

from groundstate_export._ir.values import Batch
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry


@handles("topk", "sort")
def _sort(low: Lowering, call: Call) -> list[Entry]:
    entry: Entry = call.args[0]
    if call.name == "topk":
        k, dim, largest = call.args[1], call.get(2, "dim", -1), call.get(3, "largest", True)
    else:
        dim, largest = call.named("dim", -1), call.named("descending", default=False)
        k = entry.shape[dim]
    axis = dim % len(entry.shape)
    if isinstance(k, Batch):
        raise low.refuse(call, "it orders the batch; every row must be treated alone.")
    shape = call.shape
    inputs = [low.full(entry), low.graph.constant([k], np.int64)]
    outputs = low.graph.emit_many(
        "TopK",
        inputs,
        [(inputs[0].dtype, shape), (np.dtype(np.int64), shape)],
        axis=axis,
        largest=int(largest),
        sorted=1,
    )
    return [low.entry(call, v, i) for i, v in enumerate(outputs)]
