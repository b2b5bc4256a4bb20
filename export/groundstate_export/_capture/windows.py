"""Convolutions and average pooling in float64, which ONNX Runtime's CPU lacks, as sums over the elements of the kernel.

Each element of the kernel reads a shifted slice of the image. The slices are stacked and multiplied with the weights as a matrix.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from groundstate_export._capture.stretched import STRETCHED, of_any_size

_MOST = 512
"""Elements of a kernel; each is a slice."""


def _each(number: Any, rank: int) -> list[Any]:
    found = list(number) if isinstance(number, (list, tuple)) else [number]
    return found * rank if len(found) == 1 else found


def _padded(x: Tensor, pads: Sequence[tuple[int, int]]) -> Tensor:
    """Zeros before and after each axis of the image."""
    if not any(width for pair in pads for width in pair):
        return x
    flat = [width for pair in reversed(pads) for width in pair]
    pad = STRETCHED[functional.pad] if of_any_size([x]) else functional.pad
    found: Tensor = pad(x, flat)
    return found


def _windows(x: Tensor, kernel: Sequence[int], stride: Sequence[int], dilation: Sequence[int]) -> Tensor:
    """The image under each element of the kernel, ``(batch, channels, elements, *out)``."""
    lengths = [(n - d * (k - 1) - 1) // s + 1 for n, k, s, d in zip(x.shape[2:], kernel, stride, dilation, strict=True)]
    found = []
    for place in itertools.product(*map(range, kernel)):
        here = x
        for axis, (i, o, s, d) in enumerate(zip(place, lengths, stride, dilation, strict=True), 2):
            here = here[(*[slice(None)] * axis, slice(i * d, i * d + s * (o - 1) + 1, s))]
        found.append(here)
    return torch.stack(found, 2)


def convolve(
    input: Tensor,  # noqa: A002  # as PyTorch has it
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    dilation: Any = 1,
    groups: int = 1,
) -> Tensor:
    """`torch.conv1d`, `conv2d` and `conv3d`."""
    rank, kernel = weight.dim() - 2, list(weight.shape[2:])
    strides, dilations = _each(stride, rank), _each(dilation, rank)
    if isinstance(padding, str):
        wide = [d * (k - 1) if padding == "same" else 0 for k, d in zip(kernel, dilations, strict=True)]
        pads = [(w // 2, w - w // 2) for w in wide]
    else:
        pads = [(p, p) for p in _each(padding, rank)]
    seen = _windows(_padded(input, pads), kernel, strides, dilations)
    batch, out = input.shape[0], list(seen.shape[3:])
    columns = seen.reshape(batch, groups, weight.shape[1] * math.prod(kernel), math.prod(out))
    matrix = weight.reshape(groups, weight.shape[0] // groups, weight.shape[1] * math.prod(kernel))
    found = (matrix @ columns).reshape(batch, weight.shape[0], *out)
    return found if bias is None else found + bias.reshape(-1, *[1] * rank)


def convolve_transposed(
    input: Tensor,  # noqa: A002  # as PyTorch has it
    weight: Tensor,
    bias: Tensor | None = None,
    stride: Any = 1,
    padding: Any = 0,
    output_padding: Any = 0,
    groups: int = 1,
    dilation: Any = 1,
) -> Tensor:
    """`torch.conv_transpose1d` and so on: zeros between the elements of the image, and a convolution with the mirrored kernel."""
    rank, kernel = weight.dim() - 2, list(weight.shape[2:])
    dilations = _each(dilation, rank)
    wide = input
    for axis, s in enumerate(_each(stride, rank), 2):
        if s > 1:
            zeros = torch.zeros_like(wide).unsqueeze(axis + 1)
            apart = torch.cat([wide.unsqueeze(axis + 1), *[zeros] * (s - 1)], axis + 1).flatten(axis, axis + 1)
            wide = apart.narrow(axis, 0, apart.shape[axis] - s + 1)
    pads = [
        (d * (k - 1) - p, d * (k - 1) - p + more)
        for k, d, p, more in zip(kernel, dilations, _each(padding, rank), _each(output_padding, rank), strict=True)
    ]
    grouped = weight.reshape(groups, weight.shape[0] // groups, weight.shape[1], *kernel).transpose(1, 2)
    mirrored = grouped.reshape(groups * weight.shape[1], weight.shape[0] // groups, *kernel).flip(*range(2, 2 + rank))
    return convolve(_padded(wide, pads), mirrored, bias, 1, 0, dilations, groups)


def average(
    input: Tensor,  # noqa: A002  # as PyTorch has it
    kernel_size: Any,
    stride: Any = None,
    padding: Any = 0,
    ceil_mode: bool = False,  # as PyTorch has it
    count_include_pad: bool = True,  # as PyTorch has it
    divisor_override: int | None = None,
) -> Tensor:
    """`torch.nn.functional.avg_pool1d`, `avg_pool2d` and `avg_pool3d`, without ``ceil_mode``."""
    del ceil_mode  # see `translated`
    rank: int = input.dim() - 2
    kernel = _each(kernel_size, rank)
    strides = kernel if stride is None or stride == [] else _each(stride, rank)
    pads = [(p, p) for p in _each(padding, rank)]
    found: Tensor = _windows(_padded(input, pads), kernel, strides, [1] * rank).sum(2)
    if divisor_override is not None:
        scaled: Tensor = found / divisor_override
        return scaled
    if count_include_pad or not any(p for p, _ in pads):
        mean: Tensor = found / math.prod(kernel)
        return mean
    ones = _padded(torch.ones_like(input[:1, :1]), pads)
    counted: Tensor = found / _windows(ones, kernel, strides, [1] * rank).sum(2)
    return counted


_CONVOLUTIONS: dict[Any, Any] = {
    **dict.fromkeys((torch.conv1d, torch.conv2d, torch.conv3d), convolve),
    **dict.fromkeys((torch.conv_transpose1d, torch.conv_transpose2d, torch.conv_transpose3d), convolve_transposed),
}
_POOLS: dict[Any, Any] = dict.fromkeys((torch.avg_pool1d, torch._C._nn.avg_pool2d, torch._C._nn.avg_pool3d), average)  # noqa: SLF001


def translated(func: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The substitute of a function for these arguments; None if it has none."""
    own = _CONVOLUTIONS.get(func) or _POOLS.get(func)
    x = args[0] if args else kwargs.get("input")
    if own is None or not isinstance(x, Tensor) or x.dtype != torch.float64 or x.dim() < 3:
        return None
    if func in _POOLS:
        ceil = kwargs.get("ceil_mode", args[4] if len(args) > 4 else False)
        kernel = kwargs.get("kernel_size", args[1] if len(args) > 1 else 1)
        return None if ceil or math.prod(_each(kernel, x.dim() - 2)) > _MOST else own
    weight = args[1] if len(args) > 1 else kwargs["weight"]
    plain = x.dim() == weight.dim() and math.prod(weight.shape[2:]) <= _MOST
    return own if plain else None
