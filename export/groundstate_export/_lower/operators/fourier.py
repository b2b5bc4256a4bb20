"""Translations of Fourier transforms: products with matrices of cosines and sines, one axis at a time."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from groundstate_export._ir.values import Array, Batch, Value
from groundstate_export._lower.lowering import Lowering
from groundstate_export._lower.operands import Call, Entry, Pair
from groundstate_export._lower.operators.axes import fixed
from groundstate_export._lower.operators.maps import apply

Parts = tuple[Value, Value | None]


def _waves(size: int, sign: int) -> tuple[Array, Array]:
    turns = 2 * np.pi * (np.outer(np.arange(size), np.arange(size)) % size) / size
    return np.cos(turns), sign * np.sin(turns)


def _transformed(low: Lowering, parts: Parts, axis: int, matrix: tuple[Array, Array]) -> Parts:
    g = low.graph
    real, imag = parts
    cosine, sine = matrix
    if imag is None:
        return apply(low, real, axis, cosine), apply(low, real, axis, sine)
    return (
        g.binary("Sub", apply(low, real, axis, cosine), apply(low, imag, axis, sine)),
        g.binary("Add", apply(low, real, axis, sine), apply(low, imag, axis, cosine)),
    )


def _scale(mode: int, count: int) -> float:
    return {0: 1.0, 1: 1 / math.sqrt(count), 2: 1 / count}[mode]


def _axes(low: Lowering, call: Call, entry: Entry | Pair) -> list[int]:
    axes = [d % len(entry.shape) for d in call.args[1]]
    if any(isinstance(entry.shape[a], Batch) for a in axes):
        raise low.refuse(call, "it transforms along the batch; every row must be treated alone.")
    return axes


def _pair_of(call: Call, parts: Parts) -> Pair:
    dtype = torch.float64 if call.dtype == torch.complex128 else torch.float32
    assert parts[1] is not None
    return Pair(Entry(dtype, call.shape, parts[0]), Entry(dtype, call.shape, parts[1]))


def _full(low: Lowering, argument: Any) -> Parts:
    if isinstance(argument, Pair):
        return low.full(argument.real), low.full(argument.imag)
    return low.full(argument), None


def _forward(low: Lowering, call: Call) -> Pair:
    """`_fft_r2c` and `_fft_c2c`; a real transform keeps one half of the last axis, since the other half is its conjugate."""
    entry = call.args[0]
    axes = _axes(low, call, entry)
    real = call.name == "_fft_r2c"
    sign = -1 if real or call.args[3] else 1
    scale = _scale(call.args[2], math.prod(fixed(entry.shape[a]) for a in axes))
    parts = _full(low, entry)
    for i, axis in enumerate(reversed(axes)):
        matrix = _waves(fixed(entry.shape[axis]), sign)
        if i == 0:
            half = fixed(call.shape[axis])
            matrix = (matrix[0][:half] * scale, matrix[1][:half] * scale)
        parts = _transformed(low, parts, axis, matrix)
    return _pair_of(call, parts)


def _backward(low: Lowering, call: Call) -> Entry:
    """`_fft_c2r`: the missing half is the conjugate of the given one, so the given elements count twice."""
    entry = call.args[0]
    *others, last = _axes(low, call, entry)
    size = call.args[3]
    half = fixed(entry.shape[last])
    parts = _full(low, entry)
    for axis in others:
        parts = _transformed(low, parts, axis, _waves(fixed(entry.shape[axis]), 1))
    count = size * math.prod(fixed(entry.shape[a]) for a in others)
    twice = np.array([1 if k == 0 or 2 * k == size else 2 for k in range(half)]) * _scale(call.args[2], count)
    cosine, sine = (m[:, :half] * twice for m in _waves(size, 1))
    real, imag = parts
    assert imag is not None
    return low.entry(call, low.graph.binary("Sub", apply(low, real, last, cosine), apply(low, imag, last, sine)))


FOURIER: dict[str, Callable[[Lowering, Call], Any]] = {
    "_fft_r2c": _forward,
    "_fft_c2c": _forward,
    "_fft_c2r": _backward,
}
"""The translation of each transform."""
