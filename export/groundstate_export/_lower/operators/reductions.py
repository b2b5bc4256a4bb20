"""Translations of reductions."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundstate_export._ir.dtypes import COMPUTED
from groundstate_export._ir.lengths import sized
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.axes import axes_of, product


@handles("sum", "mean", "amax", "amin", "prod", "any", "all")
def _reduce(low: Lowering, call: Call) -> Entry:
    name, dtype = call.name, call.dtype
    entry: Entry = call.args[0]
    axes = axes_of(low, call, entry, call.get(1, "dim", None))
    keepdims = bool(call.get(2, "keepdim", False))
    g = low.graph
    x = low.aligned(entry)
    if name in {"any", "all"}:
        counts = g.unary("Cast", g.unary("Cast", x, np.bool_), np.int64)
        found = g.reduce("ReduceMax" if name == "any" else "ReduceMin", counts, axes, keepdims=keepdims)
        return low.entry(call, found)
    x = g.unary("Cast", x, COMPUTED[dtype])
    op = {"sum": "ReduceSum", "mean": "ReduceMean", "amax": "ReduceMax", "amin": "ReduceMin", "prod": "ReduceProd"}[
        name
    ]
    if name == "prod" and any(x.shape[a] == 1 != entry.shape[a] for a in axes):
        x = low.full(entry, axes)
    result = g.reduce(op, x, axes, keepdims=keepdims)
    if name == "sum":
        repeats = product(entry.shape[a] for a in axes if x.shape[a] == 1)
        result = g.binary("Mul", result, g.constant(repeats, x.dtype))
    return low.entry(call, result)


@handles("var", "var_mean", "std")
def _variance(low: Lowering, call: Call) -> Any:
    entry: Entry = call.args[0]
    axes = axes_of(low, call, entry, call.get(1, "dim", None))
    correction = call.kwargs.get("correction", 1)
    keepdims = bool(call.get(3, "keepdim", False))
    g = low.graph
    x = low.full(entry, axes)
    mean = g.reduce("ReduceMean", x, axes, keepdims=True)
    centred = g.binary("Sub", x, mean)
    elements = product(entry.shape[a] for a in axes)
    variance = g.reduce("ReduceSum", g.binary("Mul", centred, centred), axes, keepdims=keepdims)
    freedom = max(elements - int(1 if correction is None else correction), 0)
    if sized(freedom):
        variance = g.binary("Div", variance, g.constant(freedom, x.dtype))
    else:
        variance = g.binary("Mul", variance, g.constant(np.asarray(1.0 / freedom if freedom else np.inf, x.dtype)))
    if call.name == "std":
        return low.entry(call, g.unary("Sqrt", variance))
    if call.name == "var":
        return low.entry(call, variance)
    return [low.entry(call, variance), low.entry(call, g.reduce("ReduceMean", x, axes, keepdims=keepdims), 1)]


@handles("argmax", "argmin")
def _arg(low: Lowering, call: Call) -> Entry:
    entry: Entry = call.args[0]
    dim = call.get(1, "dim", None)
    if dim is None:
        raise low.refuse(call, "it needs a `dim`.")
    (axis,) = axes_of(low, call, entry, dim)
    x = low.full(entry, [axis])
    x = low.graph.unary("Cast", x, np.int32) if x.dtype == np.bool_ else x
    keepdims = bool(call.get(2, "keepdim", False))
    op = "ArgMax" if call.name == "argmax" else "ArgMin"
    shape = tuple(1 if i == axis else d for i, d in enumerate(x.shape) if keepdims or i != axis)
    return low.entry(call, low.graph.emit(op, [x], shape, np.int64, axis=axis, keepdims=int(keepdims)))


@handles("max", "min")
def _extreme(low: Lowering, call: Call) -> Any:
    entry: Entry = call.args[0]
    which = "Max" if call.name == "max" else "Min"
    if len(call.args) < 2:
        everything = axes_of(low, call, entry, None)
        return low.entry(call, low.graph.reduce(f"Reduce{which}", low.aligned(entry), everything, keepdims=False))
    (axis,) = axes_of(low, call, entry, call.args[1])
    keepdims = bool(call.get(2, "keepdim", False))
    x = low.full(entry, [axis])
    x = low.graph.unary("Cast", x, np.int32) if x.dtype == np.bool_ else x
    values = low.graph.reduce(f"Reduce{which}", x, [axis], keepdims=keepdims)
    places = low.graph.emit(f"Arg{which}", [x], values.shape, np.int64, axis=axis, keepdims=int(keepdims))
    return [low.entry(call, values), low.entry(call, places, 1)]


@handles("cumsum")
def _cumsum(low: Lowering, call: Call) -> Entry:
    x = low.graph.unary("Cast", low.full(call.args[0]), COMPUTED[call.dtype])
    axis = low.graph.constant(np.int64(call.args[1] % len(x.shape)))
    return low.entry(call, low.graph.emit("CumSum", [x, axis], x.shape))
