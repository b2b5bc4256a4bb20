"""Translations of resizing and of padding by reflection and replication, with their gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from groundstate_export._ir.lengths import sized
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import AnySize, Call, Entry
from groundstate_export._lower.operators.axes import fixed
from groundstate_export._lower.operators.separable import applied, spatial
from groundstate_export._lower.operators.stretched import linear, nearest, nearest_adjoint, product, reflected_adjoint

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
    if sized([*call.args[0].shape[-rank:], *call.shape[-rank:]]):
        return _stretched(low, call, call.name, rank, rest[1:], adjoint=False)
    return applied(low, call, call.args[0], lambda x: operator(x, *rest), spatial(call.args[0], rank), adjoint=False)


@handles(*(f"{name}_backward" for name in _RESIZES))
def _resize_backward(low: Lowering, call: Call) -> Entry:
    name = call.name.removesuffix("_backward")
    operator, rank = getattr(aten, name).default, _RESIZES[name]
    rest = [call.args[1], *call.args[3:]]
    if sized([*call.args[0].shape[-rank:], *call.shape[-rank:]]):
        return _stretched(low, call, name, rank, rest[1:], adjoint=True)
    return applied(low, call, call.args[0], lambda x: operator(x, *rest), spatial(call.shape, rank), adjoint=True)


def _stretched(low: Lowering, call: Call, name: str, rank: int, rest: list[Any], *, adjoint: bool) -> Entry:
    """Resize, or its adjoint, along axes of any size."""
    smooth = "linear" in name
    if "exact" in name or "cubic" in name or name.endswith("_aa"):
        raise AnySize
    aligned = bool(rest[0]) if smooth else False
    scales = [*(rest[1:] if smooth else rest), *[None] * rank][:rank]
    x, g = low.full(call.args[0]), low.graph
    for k, scale in enumerate(scales):
        axis = len(x.shape) - rank + k
        to, had = fixed(call.shape[axis]), fixed(x.shape[axis])
        if to == had:
            continue
        if smooth:
            inside, out = (to, had) if adjoint else (had, to)
            matrix = linear(low, x, out, inside, aligned=aligned, scale=scale)
            x = product(low, x, axis, g.transpose(matrix, [1, 0]) if adjoint else matrix)
        else:
            x = nearest_adjoint(low, x, axis, to, scale) if adjoint else nearest(low, x, axis, to, scale)
    return low.entry(call, x)


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
    rank = _PADS[name]
    if sized(list(call.shape[-rank:])):
        x = low.full(call.args[0])
        for k in range(rank):
            before, after = widths[2 * k], widths[2 * k + 1]
            if before < 0 or after < 0:
                raise AnySize
            x = reflected_adjoint(low, x, len(x.shape) - 1 - k, before, after, replicate=name.startswith("replication"))
        return low.entry(call, x)
    sizes = [fixed(d) for d in call.shape[-rank:]]
    return applied(low, call, call.args[0], lambda x: operator(x, widths), sizes, adjoint=True)
