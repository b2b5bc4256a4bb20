"""Translations of pooling and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Batch, Shape, Value
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import AnySize, Call, Entry
from groundstate_export._lower.operators.axes import fixed, product
from groundstate_export._lower.operators.separable import applied, spatial
from groundstate_export._lower.operators.stretched import bins
from groundstate_export._lower.operators.stretched import product as product_with
from groundstate_export._lower.operators.tables import counted
from groundstate_export._lower.operators.views import pad, resized

aten = torch.ops.aten

_AVERAGES = {"avg_pool1d": 1, "avg_pool2d": 2, "avg_pool3d": 3}
_ADAPTIVE = {"_adaptive_avg_pool2d": 2, "_adaptive_avg_pool3d": 3, "adaptive_avg_pool2d": 2, "adaptive_avg_pool3d": 3}


def _spread(numbers: Any, rank: int) -> list[int]:
    found: list[int] = list(numbers) if isinstance(numbers, (list, tuple)) else [numbers]
    return found * (rank if len(found) == 1 else 1)


@handles(*_AVERAGES)
def _average(low: Lowering, call: Call) -> Entry:
    rank = _AVERAGES[call.name]
    kernel = _spread(call.args[1], rank)
    stride = _spread(call.get(2, "stride", None) or kernel, rank)
    padding = _spread(call.get(3, "padding", [0]), rank)
    x = low.full(call.args[0])
    rounded_up, divisor = call.get(4, "ceil_mode", False), call.get(6, "divisor_override", None)
    if rounded_up or divisor or len(x.shape) != rank + 2:
        return _separable(low, call, call.name, call.args[0], call.args[1:], adjoint=False)
    attributes: dict[str, Any] = {"kernel_shape": tuple(kernel), "strides": tuple(stride), "pads": tuple(padding * 2)}
    inside = int(call.get(5, "count_include_pad", True))
    return low.entry(call, low.graph.emit("AveragePool", [x], call.shape, count_include_pad=inside, **attributes))


def _separable(low: Lowering, call: Call, name: str, entry: Entry, rest: list[Any], *, adjoint: bool) -> Entry:
    operator, rank = getattr(aten, name).default, {**_AVERAGES, **_ADAPTIVE}[name]
    sizes = spatial(call.shape if adjoint else entry, rank)
    return applied(low, call, entry, lambda x: operator(x, *rest), sizes, adjoint=adjoint)


@handles(*(f"{name}_backward" for name in _AVERAGES))
def _average_backward(low: Lowering, call: Call) -> Entry:
    name = call.name.removesuffix("_backward")
    rank = _AVERAGES[name]
    if sized(list(call.shape[-rank:])):
        return _averaged_adjoint(low, call, rank)
    return _separable(low, call, name, call.args[0], call.args[2:], adjoint=True)


def _averaged_adjoint(low: Lowering, call: Call, rank: int) -> Entry:
    kernel = _spread(call.args[2], rank)
    stride = _spread(call.get(3, "stride", None) or kernel, rank)
    padding = _spread(call.get(4, "padding", [0]), rank)
    rounded_up, inside, divisor = (call.get(5 + k, "", d) for k, d in enumerate((False, True, None)))
    if rounded_up or divisor:
        raise AnySize
    x, g = low.full(call.args[0]), low.graph
    for k in range(rank):
        axis = len(x.shape) - rank + k
        long, count = fixed(call.shape[axis]), fixed(x.shape[axis])
        if stride[k] == kernel[k] and not padding[k]:
            apart = g.reshape(x, (*x.shape[: axis + 1], 1, *x.shape[axis + 1 :]))
            wide = g.expand(apart, (*x.shape[: axis + 1], kernel[k], *x.shape[axis + 1 :]))
            whole = g.reshape(wide, resized(x, axis, count * kernel[k]))
            whole = g.binary("Mul", whole, g.constant(np.asarray(1 / kernel[k], x.dtype)))
            x = pad(low, whole, {}, {axis: long - count * kernel[k]}, resized(x, axis, long))
            continue
        first = g.binary("Mul", counted(low, count), g.constant(np.int64(stride[k])))
        first = g.binary("Sub", first, g.constant(np.int64(padding[k])))
        end = g.binary("Add", first, g.constant(np.int64(kernel[k])))
        if not inside:
            first = g.binary("Max", first, g.constant(np.int64(0)))
            end = g.binary("Min", end, g.constant(long, np.int64))
        x = product_with(low, x, axis, g.transpose(bins(low, x, first, end, long), [1, 0]))
    return low.entry(call, x)


def _adaptive_bins(low: Lowering, x: Value, inside: int, out: int) -> Value:
    g = low.graph
    steps, whole, many = counted(low, out), g.constant(inside, np.int64), g.constant(out, np.int64)
    first = g.binary("Div", g.binary("Mul", steps, whole), many)
    following = g.binary("Mul", g.binary("Add", steps, g.constant(np.int64(1))), whole)
    end = g.binary("Div", g.binary("Add", following, g.constant(out - 1, np.int64)), many)
    return bins(low, x, first, end, inside)


@handles(*_ADAPTIVE)
def _adaptive(low: Lowering, call: Call) -> Entry:
    rank = _ADAPTIVE[call.name]
    if sized([*call.args[0].shape[-rank:], *call.shape[-rank:]]):
        x = low.full(call.args[0])
        for axis in range(len(x.shape) - rank, len(x.shape)):
            inside, out = fixed(x.shape[axis]), fixed(call.shape[axis])
            x = product_with(low, x, axis, _adaptive_bins(low, x, inside, out))
        return low.entry(call, x)
    return _separable(low, call, call.name, call.args[0], call.args[1:], adjoint=False)


@handles(*(f"{name}_backward" for name in _ADAPTIVE))
def _adaptive_backward(low: Lowering, call: Call) -> Entry:
    name = call.name.removesuffix("_backward")
    rank = _ADAPTIVE[name]
    if sized([*call.args[0].shape[-rank:], *call.shape[-rank:]]):
        x = low.full(call.args[0])
        for axis in range(len(x.shape) - rank, len(x.shape)):
            out, inside = fixed(x.shape[axis]), fixed(call.shape[axis])
            x = product_with(low, x, axis, low.graph.transpose(_adaptive_bins(low, x, inside, out), [1, 0]))
        return low.entry(call, x)
    return _separable(low, call, name, call.args[0], [spatial(call.args[0], _ADAPTIVE[name])], adjoint=True)


def _planes(shape: Shape, rank: int) -> Shape:
    """The shape with all leading axes as one, and one channel."""
    times = 1
    for d in shape[:-rank]:
        times *= d.times if isinstance(d, Batch) else d
    return (Batch(times), 1, *shape[-rank:])


@handles("max_pool2d_with_indices", "max_pool3d_with_indices")
def _max_pool(low: Lowering, call: Call) -> list[Entry]:
    rank = 2 if "2d" in call.name else 3
    kernel = _spread(call.args[1], rank)
    stride = _spread(call.get(2, "stride", None) or kernel, rank)
    padding, dilation = _spread(call.get(3, "padding", [0]), rank), _spread(call.get(4, "dilation", [1]), rank)
    g, x = low.graph, low.full(call.args[0])
    planes = _planes(x.shape, rank)
    found = (*planes[:2], *call.shape[-rank:])
    values, places = g.emit_many(
        "MaxPool", [g.reshape(x, planes)], [(x.dtype, found), (np.dtype(np.int64), found)],
        kernel_shape=tuple(kernel), strides=tuple(stride), pads=tuple(padding * 2), dilations=tuple(dilation),
        ceil_mode=int(call.get(5, "ceil_mode", False)),
    )  # fmt: skip
    # ONNX indexes the whole tensor, PyTorch one plane.
    size = product(planes[2:])
    places = g.binary("Mod", places, g.constant(size, np.int64))
    return [low.entry(call, g.reshape(v, call.shape), i) for i, v in enumerate((values, places))]


@handles("max_pool2d_with_indices_backward", "max_pool3d_with_indices_backward")
def _max_pool_backward(low: Lowering, call: Call) -> Entry:
    gradient, places = call.args[0], call.args[-1]
    rank, g = 2 if "2d" in call.name else 3, low.graph
    lead = _planes(call.shape, rank)[:1]
    many, size = product(spatial(gradient, rank)), product(spatial(call.shape, rank))
    slope, index = (g.reshape(low.full(e), (*lead, many)) for e in (gradient, places))
    base = g.expand(g.constant(np.asarray(0, slope.dtype)), (*lead, size))
    result = g.emit("ScatterElements", [base, index, slope], base.shape, axis=1, reduction="add")
    return low.entry(call, g.reshape(result, call.shape))
