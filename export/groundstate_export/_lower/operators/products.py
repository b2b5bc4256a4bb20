"""Translations of matrix products."""

from __future__ import annotations

import numpy as np

from groundstate_export._ir.values import Batch
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry


@handles("mm", "bmm", "addmm", "baddbmm", "mv", "addmv", "dot", "matmul")
def _matmul(low: Lowering, call: Call) -> Entry:
    name, g = call.name, low.graph
    bias, left, right = call.args if name.startswith(("add", "badd")) else (None, *call.args[:2])
    if name == "dot" or any(isinstance(d, Batch) for d in right.shape[-2:]) or isinstance(left.shape[-1], Batch):
        raise low.refuse(call, "it sums over the batch; every row must be treated alone.")
    a = low.full(left, [-1])
    if name in {"mv", "addmv"}:
        vector = low.full(right)
        b = g.reshape(vector, (*vector.shape, 1))
        column = g.matmul(a, b)
        product = g.reshape(column, column.shape[:-1])
    else:
        b = low.full(right, [-2])
        product = g.matmul(a, b)
    alpha, beta = call.kwargs.get("alpha", 1), call.kwargs.get("beta", 1)
    product = g.binary("Mul", product, g.constant(np.asarray(alpha, product.dtype)))
    if bias is not None:
        scaled = g.binary("Mul", low.compact(bias), g.constant(np.asarray(beta, product.dtype)))
        # Added before a reshape of `matmul`, so that the reshapes of a chain of layers meet and cancel.
        if product.op == "Reshape" and product.node and scaled.array is not None and scaled.array.ndim <= 1:
            inner = product.node.inputs[0]
            if inner.shape[-1:] == product.shape[-1:]:
                return low.entry(call, g.reshape(g.binary("Add", inner, scaled), product.shape))
        product = g.binary("Add", product, scaled)
    return low.entry(call, product)
