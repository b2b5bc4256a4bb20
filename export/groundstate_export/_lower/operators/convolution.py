"""Translations of convolution."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundstate_export._ir.lengths import sized
from groundstate_export._ir.values import Shape, Value
from groundstate_export._lower.lowering import Lowering, handles
from groundstate_export._lower.operands import Call, Entry
from groundstate_export._lower.operators.axes import fixed


def _convolve(
    low: Lowering, x: Value, weight: Value, bias: Value | None, shape: Shape, transposed: bool, **attributes: Any
) -> Value:
    inputs = [x, weight, *([bias] if bias is not None else [])]
    return low.graph.emit("ConvTranspose" if transposed else "Conv", inputs, shape, **attributes)


def _conv_attributes(weight: Value, stride: Any, padding: Any, dilation: Any, groups: int) -> dict[str, Any]:
    rank = len(weight.shape) - 2
    spread = [list(v) * (rank if len(v) == 1 else 1) for v in (stride, padding, dilation)]
    return {
        "kernel_shape": tuple(weight.shape[2:]),
        "strides": tuple(spread[0]),
        "pads": tuple(spread[1]) * 2,
        "dilations": tuple(spread[2]),
        "group": groups,
    }


@handles("convolution")
def _convolution(low: Lowering, call: Call) -> Entry:
    entry, kernel, bias, stride, padding, dilation, transposed, output_padding, groups = call.args
    weight = low.full(kernel)
    attributes = _conv_attributes(weight, stride, padding, dilation, groups)
    if transposed:
        attributes["output_padding"] = tuple(output_padding)
    shift = low.full(bias) if bias is not None else None
    return low.entry(call, _convolve(low, low.full(entry), weight, shift, call.shape, transposed, **attributes))


@handles("convolution_backward")
def _convolution_backward(low: Lowering, call: Call) -> list[Any]:
    gradient, entry, kernel, _, stride, padding, dilation, transposed, _, groups, mask = call.args
    if any(mask[1:]):
        raise low.refuse(call, "the energy differentiates with respect to the weights of a convolution.")
    weight = low.full(kernel)
    attributes = _conv_attributes(weight, stride, padding, dilation, groups)
    if not transposed:
        flipped = _flipped(low, weight, attributes)
        if flipped is not None:
            mirrored, pads = flipped
            faster = attributes | {"pads": pads}
            result = _convolve(low, low.full(gradient), mirrored, None, call.shape, transposed=False, **faster)
            return [low.entry(call, result), None, None]
        extra = []
        for axis, (k, s, p, d) in enumerate(
            zip(weight.shape[2:], attributes["strides"], attributes["pads"], attributes["dilations"], strict=False)
        ):
            produced = (fixed(gradient.shape[2 + axis]) - 1) * s - 2 * p + d * (fixed(k) - 1) + 1
            extra.append(fixed(entry.shape[2 + axis]) - produced)
        if sized(extra):
            return [
                low.entry(call, _cut_to_size(low, low.full(gradient), weight, call.shape, attributes, extra)),
                None,
                None,
            ]
        attributes["output_padding"] = tuple(extra)
    shape = call.shape
    result = _convolve(low, low.full(gradient), weight, None, shape, not transposed, **attributes)
    return [low.entry(call, result), None, None]


def _cut_to_size(
    low: Lowering, gradient: Value, weight: Value, shape: Shape, attributes: dict[str, Any], extra: list[int]
) -> Value:
    """The gradient of a convolution with a stride over an image of any size.

    How many elements at the end have no output follows from the size. The gradient is computed for the most, and cut.
    """
    most = [s - 1 if sized(e) else e for s, e in zip(attributes["strides"], extra, strict=True)]
    wide = tuple(d if not sized(e) else fixed(d) - e + m for d, e, m in zip(shape[2:], extra, most, strict=True))
    found = _convolve(
        low, gradient, weight, None, (*shape[:2], *wide), transposed=True, **attributes, output_padding=tuple(most)
    )
    axes = [2 + k for k, e in enumerate(extra) if sized(e)]
    bounds = [[0] * len(axes), [shape[a] for a in axes], axes, [1] * len(axes)]
    return low.graph.emit("Slice", [found, *(low.graph.constant(b, np.int64) for b in bounds)], shape)


_CHANNEL_BLOCK = 16
"""Channels that ONNX Runtime's convolution computes at once."""


def _flipped(low: Lowering, weight: Value, attributes: dict[str, Any]) -> tuple[Value, tuple[int, ...]] | None:
    """The kernel and padding that make the gradient of a convolution a convolution, which is by far the faster operator.

    None if it has a stride, pads more than the kernel reaches, has so few channels that blocks of them would be mostly
    padding, or has a kernel that is not constant.
    """
    groups, reach = attributes["group"], []
    if weight.array is None or set(attributes["strides"]) != {1}:
        return None
    for k, p, d in zip(weight.array.shape[2:], attributes["pads"], attributes["dilations"], strict=False):
        reach.append(d * (k - 1) - p)
    out, inside, *kernel = weight.array.shape
    if min(reach) < 0 or (groups == 1 and inside < _CHANNEL_BLOCK):
        return None
    grouped = weight.array.reshape(groups, out // groups, inside, *kernel).swapaxes(1, 2)
    mirrored = np.flip(grouped.reshape(groups * inside, out // groups, *kernel), tuple(range(2, 2 + len(kernel))))
    return low.graph.constant(mirrored), tuple(reach) * 2
