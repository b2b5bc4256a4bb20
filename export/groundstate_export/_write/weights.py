"""Weights: each is stored once, although a gradient uses it transposed, scaled, or (a kernel) mirrored."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import onnx
from onnx import helper, numpy_helper

from groundstate_export._ir.values import Array

_SMALL = 512
"""Up to this many elements, storing a constant is cheaper than the nodes that would compute it."""

_LARGE = 2048
"""From this many elements on, a second copy is worth a search."""

_ROUNDING = 4.0
"""Units of rounding, relative to the largest element, by which a computed matrix may differ from the intended one."""


class Weights:
    """Names constants, and decides which to store and which to compute from others when the file is loaded.

    ONNX Runtime computes constant nodes once, before it runs anything.

    Args:
        fresh: Returns an unused name.
    """

    def __init__(self, fresh: Callable[[], str]) -> None:
        self.fresh = fresh
        self.names: dict[tuple[str, tuple[int, ...], bytes], str] = {}
        self.arrays: dict[str, Array] = {}

    def name(self, array: Array) -> str:
        """The name of a constant; equal constants share one."""
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self.names:
            self.names[key] = self.fresh()
            self.arrays[self.names[key]] = array
        return self.names[key]

    def write(self) -> tuple[list[onnx.TensorProto], list[onnx.NodeProto]]:
        """The stored constants, and the nodes that compute the others."""
        stored: dict[str, Array] = {}
        nodes: list[onnx.NodeProto] = []
        vectors = {name: a for name, a in self.arrays.items() if 1 < a.size == max(a.shape, default=0)}
        # A centred matrix can be computed from the plain one, and not the other way round.
        for name, array in sorted(self.arrays.items(), key=lambda pair: _is_centred(pair[1])):
            made: list[onnx.NodeProto] = []
            if array.size > _SMALL and bool((array == array.flat[0]).all()):
                made = self._uniform(name, array, stored)
            elif array.size > _SMALL and array.ndim >= 2:
                made = list(
                    self._made(name, array, stored, vectors) if array.ndim == 2 else self._mirrored(name, array, stored)
                )
            nodes += made
            if not made:
                stored[name] = array
        smaller = {name: less for name, array in stored.items() if (less := _narrow(array)) is not None}
        casts = []
        for name, (found, scale) in smaller.items():
            to = helper.np_dtype_to_tensor_dtype(stored.pop(name).dtype)
            stored[source := self.fresh()] = found
            cast = name if scale is None else self.fresh()
            casts.append(helper.make_node("Cast", [source], [cast], to=to))
            if scale is not None:
                stored[factor := self.fresh()] = scale
                casts.append(helper.make_node("Mul", [cast, factor], [name]))
        return [numpy_helper.from_array(array, name) for name, array in stored.items()], casts + nodes

    def _uniform(self, name: str, array: Array, stored: dict[str, Array]) -> list[onnx.NodeProto]:
        """Equal elements."""
        shape = self.fresh()
        stored[shape] = np.array(array.shape, np.int64)
        value = numpy_helper.from_array(array.flat[:1].copy())
        return [helper.make_node("ConstantOfShape", [shape], [name], value=value)]

    def _made(
        self, name: str, array: Array, stored: dict[str, Array], vectors: dict[str, Array]
    ) -> Iterator[onnx.NodeProto]:
        for source, original in stored.items():
            if original.shape != array.shape[::-1] or original.dtype != array.dtype:
                continue
            turned = original.T
            if np.array_equal(turned, array):
                yield helper.make_node("Transpose", [source], [name], perm=[1, 0])
                return
            for vector, factor in vectors.items():
                if _scales(turned, factor, array):
                    middle = self.fresh()
                    yield helper.make_node("Transpose", [source], [middle], perm=[1, 0])
                    yield helper.make_node("Mul", [middle, vector], [name])
                    return

        if array.size >= _LARGE:
            yield from self._scaled(name, array, stored)

    def _scaled(self, name: str, array: Array, stored: dict[str, Array]) -> Iterator[onnx.NodeProto]:
        """A transposed matrix times a number, possibly centred, to within rounding; the file is compared as it is written."""
        centred = _is_centred(array)
        for source, original in stored.items():
            if original.shape != array.shape[::-1] or original.dtype != array.dtype:
                continue
            factor = _factor(array, original.T, centred=centred)
            if factor is None:
                continue
            turned, scale, last = self.fresh(), self.fresh(), self.fresh()
            stored[scale] = np.array([factor], array.dtype)
            yield helper.make_node("Transpose", [source], [turned], perm=[1, 0])
            if centred:
                axes, mean, moved = self.fresh(), self.fresh(), last
                stored[axes] = np.array([1], np.int64)
                yield helper.make_node("ReduceMean", [turned, axes], [mean], keepdims=1)
                yield helper.make_node("Sub", [turned, mean], [moved])
                turned = moved
            yield helper.make_node("Mul", [turned, scale], [name])
            return

    def _mirrored(self, name: str, array: Array, stored: dict[str, Array]) -> Iterator[onnx.NodeProto]:
        """A kernel with swapped channels and mirrored places, as the gradient of a convolution uses it."""
        places = list(range(2, array.ndim))
        for source, original in stored.items():
            if original.ndim != array.ndim or original.dtype != array.dtype or original.shape[:2] != array.shape[1::-1]:
                continue
            if np.array_equal(np.flip(original.swapaxes(0, 1), tuple(places)), array):
                middle = self.fresh()
                yield helper.make_node("Transpose", [source], [middle], perm=[1, 0, *places])
                bounds = [[-1] * len(places), [-(1 << 31)] * len(places), places, [-1] * len(places)]
                names = [self.fresh() for _ in bounds]
                stored |= {n: np.array(b, np.int64) for n, b in zip(names, bounds, strict=True)}
                yield helper.make_node("Slice", [middle, *names], [name])
                return


def _narrow(array: Array) -> tuple[Array, Array | None] | None:
    """The same values in a smaller type, and what to multiply them by; None if they do not all fit, or are few."""
    if array.size < _LARGE or array.dtype not in (np.float32, np.int64):
        return None
    with np.errstate(over="ignore"):
        found = array.astype(np.float16 if array.dtype == np.float32 else np.uint8)
    if np.array_equal(found.astype(array.dtype), array):
        return found, None
    return _levels(array) if array.dtype == np.float32 and array.ndim == 2 else None


def _levels(array: Array) -> tuple[Array, Array] | None:
    """A matrix as int8 times a scale for each row or column, if that is exact: the matrix was quantised in training."""
    for axis in (1, 0):
        scale = np.abs(array).max(axis, keepdims=True) / np.float32(127)
        scale[scale == 0] = 1
        levels = np.round(array / scale)
        if np.array_equal(levels * scale, array):
            return levels.astype(np.int8), scale
    return None


def _is_centred(array: Array) -> bool:
    """Whether a large matrix has rows of mean zero, as those of a gradient of a norm have."""
    if array.ndim != 2 or array.size < _LARGE or array.dtype.kind != "f":
        return False
    size = np.abs(array).max()
    return bool(size > 0 and np.abs(array.mean(1, dtype=np.float64)).max() < 1e-6 * size)


def _factor(array: Array, turned: Array, *, centred: bool) -> float | None:
    """The number by which a matrix, possibly centred, is multiplied to give another; None if there is none."""
    found = None
    for rows in (slice(4), slice(None)):  # a few rows tell most pairs apart
        one, other = (m[rows].astype(np.float64) for m in (array, turned))
        if centred:
            other = other - other.mean(1, keepdims=True)
        square = float((other * other).sum())
        found = float((one * other).sum()) / square if square else 0.0
        allowed = _ROUNDING * float(np.finfo(array.dtype).eps) * float(np.abs(one).max())
        if not found or float(np.abs(one - found * other).max()) > allowed:
            return None
    return found


def _scales(turned: Array, factor: Array, array: Array) -> bool:
    """Whether the product equals the array, bit for bit and in shape."""
    if factor.dtype != array.dtype or np.broadcast_shapes(factor.shape, (1, 1)) not in {
        (len(array), 1),
        (1, array.shape[1]),
    }:
        return False
    factor = np.broadcast_to(factor, np.broadcast_shapes(factor.shape, (1, 1)))
    return np.array_equal(turned[:1, :1] * factor[:1, :1], array[:1, :1]) and np.array_equal(turned * factor, array)
