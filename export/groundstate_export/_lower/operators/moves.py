"""Translations of operators that move the elements of each row in a fixed way, and of their adjoints."""

from __future__ import annotations

import torch

from groundstate_export._ir.program import Instruction
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.maps import flat, gather, places_of, rows_of, scatter

aten = torch.ops.aten


@handles("as_strided", "diagonal", "diagonal_copy", "diag_embed", "unfold", "im2col", "rot90", "roll")
def _moved(low: Lowering, call: Call) -> Entry:
    entry: Entry = call.args[0]
    places = places_of(call.instruction, entry.shape, call.args[1:], call.kwargs)
    return low.entry(call, low.graph.reshape(gather(low, flat(low, entry), 1, places), call.shape))


_FORWARD = {
    "col2im": aten.im2col.default,
    "unfold_backward": aten.unfold.default,
    "slice_backward": aten.slice.Tensor,
    "diagonal_backward": aten.diagonal.default,
}


@handles("col2im", "unfold_backward", "diagonal_backward")
def adjoint(low: Lowering, call: Call) -> Entry:
    """The gradient of a move: each element sums the gradients of all places it was moved to."""
    gradient: Entry = call.args[0]
    instruction = Instruction(_FORWARD[call.name], (), {}, ((gradient.dtype, gradient.shape),))
    places = places_of(instruction, call.shape, call.args[2:], {})
    times, size = rows_of(call.shape)
    result = scatter(low, flat(low, gradient), 1, places, times * size)
    return low.entry(call, low.graph.reshape(result, call.shape))
