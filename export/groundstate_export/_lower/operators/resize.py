"""Translations of resizing and of padding by reflection and replication, with their gradients."""

from __future__ import annotations

import numpy as np
import torch

from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.axes import fixed
from groundstate_export._lower.operators.separable import applied, spatial

aten = torch.ops.aten

_RESIZES = {
    "upsample_nearest1d": 1, "upsample_nearest2d": 2, "upsample_nearest3d": 3,
    "_upsample_nearest_exact1d": 1, "_upsample_nearest_exact2d": 2, "_upsample_nearest_exact3d": 3,
    "upsample_linear1d": 1, "upsample_bilinear2d": 2, "upsample_trilinear3d": 3, "upsample_bicubic2d": 2,
    "_upsample_bilinear2d_aa": 2, "_upsample_bicubic2d_aa": 2,
}  # fmt: skip
_PADS = {f"{kind}_pad{n}d": n for kind in ("reflection", "replication") for n in (1, 2, 3)}


@handles(*_RESIZES)
def _resize(low: Lowering, call: Call) -> Entry:
    operator, rank = getattr(aten, call.name).default, _RESIZES[call.name]
    rest = call.args[1:]
    return applied(low, call, call.args[0], lambda x: operator(x, *rest), spatial(call.args[0], rank), adjoint=False)


@handles(*(f"{name}_backward" for name in _RESIZES))
def _resize_backward(low: Lowering, call: Call) -> Entry:
    name = call.name.removesuffix("_backward")
    operator, rank = getattr(aten, name).default, _RESIZES[name]
    rest = [call.args[1], *call.args[3:]]
    return applied(low, call, call.args[0], lambda x: operator(x, *rest), spatial(call.shape, rank), adjoint=True)


@handles(*_PADS)
def _pad(low: Lowering, call: Call) -> Entry:
    widths = call.args[1]
    if any(w < 0 for w in widths):
        operator = getattr(aten, call.name).default
        return applied(
            low,
            call,
            call.args[0],
            lambda x: operator(x, widths),
            spatial(call.args[0], _PADS[call.name]),
            adjoint=False,
        )
    x = low.full(call.args[0])
    rank, spatial_rank = len(x.shape), len(widths) // 2
    pads = [0] * (2 * rank)
    for i in range(spatial_rank):
        pads[rank - 1 - i], pads[2 * rank - 1 - i] = widths[2 * i], widths[2 * i + 1]
    mode = "reflect" if call.name.startswith("reflection") else "edge"
    return low.entry(call, low.graph.emit("Pad", [x, low.graph.constant(pads, np.int64)], call.shape, mode=mode))


@handles(*(f"{name}_backward" for name in _PADS))
def _pad_backward(low: Lowering, call: Call) -> Entry:
    name = call.name.removesuffix("_backward")
    operator, widths = getattr(aten, name).default, call.args[2]
    sizes = [fixed(d) for d in call.shape[-_PADS[name] :]]
    return applied(low, call, call.args[0], lambda x: operator(x, widths), sizes, adjoint=True)
