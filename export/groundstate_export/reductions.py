"""Translations of reductions, products of matrices, normalisation and convolution."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from groundstate_export.ir import Batch, Dimension, Shape, Value
from groundstate_export.lower import NUMPY, Call, Entry, Lowering, handles


def _axes(low: Lowering, call: Call, entry: Entry, dims: Any) -> list[int]:
    rank = len(entry.shape)
    if isinstance(dims, int):
        dims = [dims]
    axes = [d % rank for d in dims] if dims else list(range(rank))
    if any(isinstance(entry.shape[a], Batch) for a in axes):
        raise low.refuse(call, "it reduces over the batch; every row must be treated alone.")
    return axes


def _product(sizes: Iterable[Dimension]) -> int:
    return math.prod(_int(d) for d in sizes)


def _int(size: Dimension) -> int:
    if isinstance(size, Batch):
        raise ValueError("a size depends on the batch")  # noqa: TRY004  # a value, not a type, as callers see it
    return size


@handles("sum", "mean", "amax", "amin", "prod", "any", "all")
def _reduce(low: Lowering, call: Call) -> Entry:
    name, dtype = call.name, call.dtype
    entry: Entry = call.args[0]
    axes = _axes(low, call, entry, call.get(1, "dim", None))
    keepdims = bool(call.get(2, "keepdim", False))
    g = low.graph
    x = low.aligned(entry)
    if name in {"any", "all"}:
        counts = g.unary("Cast", g.unary("Cast", x, np.bool_), np.int64)
        found = g.reduce("ReduceMax" if name == "any" else "ReduceMin", counts, axes, keepdims=keepdims)
        return low.entry(call, found)
    x = g.unary("Cast", x, NUMPY[dtype])
    op = {"sum": "ReduceSum", "mean": "ReduceMean", "amax": "ReduceMax", "amin": "ReduceMin", "prod": "ReduceProd"}[
        name
    ]
    if name == "prod" and any(x.shape[a] == 1 != entry.shape[a] for a in axes):
        x = low.full(entry, axes)
    result = g.reduce(op, x, axes, keepdims=keepdims)
    if name == "sum":
        repeats = _product(entry.shape[a] for a in axes if x.shape[a] == 1)
        result = g.binary("Mul", result, g.constant(np.asarray(repeats, x.dtype)))
    return low.entry(call, result)


@handles("var", "var_mean", "std")
def _variance(low: Lowering, call: Call) -> Any:
    entry: Entry = call.args[0]
    axes = _axes(low, call, entry, call.get(1, "dim", None))
    correction = call.kwargs.get("correction", 1)
    keepdims = bool(call.get(3, "keepdim", False))
    g = low.graph
    x = low.full(entry, axes)
    mean = g.reduce("ReduceMean", x, axes, keepdims=True)
    centred = g.binary("Sub", x, mean)
    entries = _product(entry.shape[a] for a in axes)
    variance = g.reduce("ReduceSum", g.binary("Mul", centred, centred), axes, keepdims=keepdims)
    freedom = max(entries - (1 if correction is None else correction), 0)
    variance = g.binary("Mul", variance, g.constant(np.float32(1.0 / freedom if freedom else np.inf)))
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
    (axis,) = _axes(low, call, entry, dim)
    x = low.full(entry, [axis])
    keepdims = bool(call.get(2, "keepdim", False))
    op = "ArgMax" if call.name == "argmax" else "ArgMin"
    shape = tuple(1 if i == axis else d for i, d in enumerate(x.shape) if keepdims or i != axis)
    return low.entry(call, low.graph.emit(op, [x], shape, np.int64, axis=axis, keepdims=int(keepdims)))


@handles("max", "min")
def _extreme(low: Lowering, call: Call) -> Any:
    entry: Entry = call.args[0]
    which = "Max" if call.name == "max" else "Min"
    if len(call.args) < 2:
        everything = _axes(low, call, entry, None)
        return low.entry(call, low.graph.reduce(f"Reduce{which}", low.aligned(entry), everything, keepdims=False))
    (axis,) = _axes(low, call, entry, call.args[1])
    keepdims = bool(call.get(2, "keepdim", False))
    x = low.full(entry, [axis])
    values = low.graph.reduce(f"Reduce{which}", x, [axis], keepdims=keepdims)
    places = low.graph.emit(f"Arg{which}", [x], values.shape, np.int64, axis=axis, keepdims=int(keepdims))
    return [low.entry(call, values), low.entry(call, places, 1)]


@handles("topk", "sort")
def _sort(low: Lowering, call: Call) -> list[Entry]:
    entry: Entry = call.args[0]
    if call.name == "topk":
        k, dim, largest = call.args[1], call.get(2, "dim", -1), call.get(3, "largest", True)
    else:
        rest = [a for a in call.args[1:] if not isinstance(a, Entry)]
        dim, descending = [*rest, *(-1, False)[len(rest) :]][:2]
        k, largest = entry.shape[dim], descending
    axis = dim % len(entry.shape)
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


@handles("cumsum")
def _cumsum(low: Lowering, call: Call) -> Entry:
    x = low.graph.unary("Cast", low.full(call.args[0]), NUMPY[call.dtype])
    axis = low.graph.constant(np.int64(call.args[1] % len(x.shape)))
    return low.entry(call, low.graph.emit("CumSum", [x, axis], x.shape))


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
        # Added before the reshape that `matmul` may have left, so that the reshapes of a chain of layers meet and vanish.
        if product.op == "Reshape" and product.node and scaled.array is not None and scaled.array.ndim <= 1:
            inner = product.node.inputs[0]
            if inner.shape[-1:] == product.shape[-1:]:
                return low.entry(call, g.reshape(g.binary("Add", inner, scaled), product.shape))
        product = g.binary("Add", product, scaled)
    return low.entry(call, product)


@handles("_softmax", "softmax", "_log_softmax", "log_softmax")
def _softmax(low: Lowering, call: Call) -> Entry:
    op = "LogSoftmax" if "log" in call.name else "Softmax"
    axis = call.args[1] % len(call.args[0].shape)
    x = low.full(call.args[0], [axis])
    return low.entry(call, low.graph.emit(op, [x], x.shape, axis=axis))


@handles("_log_softmax_backward_data")
def _log_softmax_backward(low: Lowering, call: Call) -> Entry:
    g = low.graph
    gradient, y, axis = call.args[:3]
    slope, out = low.aligned(gradient), low.aligned(y)
    axis %= len(y.shape)
    total = g.reduce(
        "ReduceSum", slope if slope.shape[axis] != 1 else low.full(gradient, [axis]), [axis], keepdims=True
    )
    return low.entry(call, g.binary("Sub", slope, g.binary("Mul", g.unary("Exp", out), total)))


def _normalise(low: Lowering, x: Value, axes: Sequence[int], eps: float) -> tuple[Value, Value, Value]:
    g = low.graph
    mean = g.reduce("ReduceMean", x, axes, keepdims=True)
    centred = g.binary("Sub", x, mean)
    variance = g.reduce("ReduceMean", g.binary("Mul", centred, centred), axes, keepdims=True)
    rstd = g.unary("Reciprocal", g.unary("Sqrt", g.binary("Add", variance, g.constant(np.asarray(eps, x.dtype)))))
    return g.binary("Mul", centred, rstd), mean, rstd


def _affine(low: Lowering, y: Value, weight: Entry | None, bias: Entry | None, trailing: Shape) -> Value:
    for op, entry in (("Mul", weight), ("Add", bias)):
        if entry is not None:
            value = low.aligned(entry)
            y = low.graph.binary(op, y, low.graph.reshape(value, (*value.shape, *trailing)))
    return y


@handles("native_group_norm")
def _group_norm(low: Lowering, call: Call) -> list[Entry]:
    entry, weight, bias, batch, _, _, groups, eps = call.args
    g = low.graph
    x = low.full(entry)
    inside = _product(entry.shape[1:]) // groups
    y, mean, rstd = _normalise(low, g.reshape(x, (batch, groups, inside)), [2], eps)
    y = g.reshape(y, entry.shape)
    y = _affine(low, y, weight, bias, (1,) * (len(entry.shape) - 2))
    statistics = (g.reshape(v, (batch, groups)) for v in (mean, rstd))
    return [low.entry(call, y), *(low.entry(call, v, i) for i, v in enumerate(statistics, 1))]


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
            result = _convolve(
                low, low.full(gradient), mirrored, None, call.shape, transposed=False, **(attributes | {"pads": pads})
            )
            return [low.entry(call, result), None, None]
        extra = []
        for axis, (k, s, p, d) in enumerate(
            zip(weight.shape[2:], attributes["strides"], attributes["pads"], attributes["dilations"], strict=False)
        ):
            produced = (_int(gradient.shape[2 + axis]) - 1) * s - 2 * p + d * (_int(k) - 1) + 1
            extra.append(_int(entry.shape[2 + axis]) - produced)
        attributes["output_padding"] = tuple(extra)
    shape = call.shape
    result = _convolve(low, low.full(gradient), weight, None, shape, not transposed, **attributes)
    return [low.entry(call, result), None, None]


_CHANNEL_BLOCK = 16
"""Channels that ONNX Runtime's convolution computes together."""


def _flipped(low: Lowering, weight: Value, attributes: dict[str, Any]) -> tuple[Value, tuple[int, ...]] | None:
    """The kernel and the padding with which the gradient of a convolution is a convolution: the faster operator by far.

    None where it strides, pads more than the kernel reaches, makes so few channels that blocks of them would be mostly
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


@handles("avg_pool2d", "avg_pool2d_backward")
def _average_pool(low: Lowering, call: Call) -> Entry:
    backward = call.name.endswith("backward")
    entry, rest = call.args[0], call.args[2 if backward else 1 :]
    kernel = list(rest[0]) * (1 if len(rest[0]) == 2 else 2)
    stride = list(rest[1]) if len(rest) > 1 and rest[1] else kernel
    padding = rest[2] if len(rest) > 2 else [0, 0]
    if any(padding) or (len(rest) > 3 and rest[3]) or (len(rest) > 5 and rest[5]):
        raise low.refuse(call, "it is translated without padding, ceil_mode and divisor_override.")
    channels = _int(entry.shape[1])
    weight = low.graph.constant(np.full((channels, 1, *kernel), 1 / math.prod(kernel), np.float32))
    attributes = _conv_attributes(weight, stride, [0, 0], [1, 1], channels)
    shape = call.shape
    if backward:
        attributes["output_padding"] = tuple(
            _int(shape[2 + i]) - (_int(entry.shape[2 + i]) - 1) * stride[i] - kernel[i] for i in range(2)
        )
    return low.entry(call, _convolve(low, low.full(entry), weight, None, shape, backward, **attributes))


@handles("arange")
def _arange(low: Lowering, call: Call) -> Entry:
    raise low.refuse(call, "it numbers the rows of the batch; every row must be treated alone.")
