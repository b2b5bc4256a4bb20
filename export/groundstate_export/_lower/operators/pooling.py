"""Translations of pooling and its gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from groundstate_export._ir.graph import Batch, Shape
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.axes import fixed
from groundstate_export._lower.operators.separable import applied, spatial

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
    return _separable(low, call, call.name.removesuffix("_backward"), call.args[0], call.args[2:], adjoint=True)


@handles(*_ADAPTIVE)
def _adaptive(low: Lowering, call: Call) -> Entry:
    return _separable(low, call, call.name, call.args[0], call.args[1:], adjoint=False)


@handles(*(f"{name}_backward" for name in _ADAPTIVE))
def _adaptive_backward(low: Lowering, call: Call) -> Entry:
    name = call.name.removesuffix("_backward")
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
    size = int(np.prod([fixed(d) for d in planes[2:]]))
    places = g.binary("Mod", places, g.constant(np.int64(size)))
    return [low.entry(call, g.reshape(v, call.shape), i) for i, v in enumerate((values, places))]


@handles("max_pool2d_with_indices_backward", "max_pool3d_with_indices_backward")
def _max_pool_backward(low: Lowering, call: Call) -> Entry:
    gradient, places = call.args[0], call.args[-1]
    rank, g = 2 if "2d" in call.name else 3, low.graph
    lead = _planes(call.shape, rank)[:1]
    many = int(np.prod(spatial(gradient, rank)))
    size = int(np.prod(spatial(call.shape, rank)))
    slope, index = (g.reshape(low.full(e), (*lead, many)) for e in (gradient, places))
    base = g.expand(g.constant(np.asarray(0, slope.dtype)), (*lead, size))
    result = g.emit("ScatterElements", [base, index, slope], base.shape, axis=1, reduction="add")
    return low.entry(call, g.reshape(result, call.shape))
