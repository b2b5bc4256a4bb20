"""Checks the tensors of a file: the data match the shape, and there are no NaNs and no external data."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._gate._messages import DIMENSION, DTYPES, SHAPE, TENSOR, TENSOR_TYPE, TYPE, VALUE
from groundstate._gate._reader import Reader, refusal
from groundstate._gate._wire import signed

LITERAL = 64
"""Maximum number of elements of a tensor that may be a shape or a bound; longer ones are weights."""

_FLOAT32, _INT64, _FLOAT64 = 1, 7, 11
_TYPED = {_FLOAT32: 4, _FLOAT64: 10, _INT64: 7}
"""The field of the elements by data type, if they are not raw; int32_data (5) for all others."""
_RAW, _SMALL = 9, 5


@dataclass(slots=True)
class _Parts:
    """A tensor's fields as they are read."""

    dims: list[int] = field(default_factory=list)
    dtype: int = 0
    name: str = ""
    raw: NDArray[Any] | None = None
    whole: list[int] = field(default_factory=list)
    real: list[NDArray[Any]] = field(default_factory=list)
    used: set[int] = field(default_factory=set)


def tensor(reader: Reader, start: int, end: int, path: str) -> tuple[str, NDArray[np.int64] | None]:
    """Check a TensorProto.

    Returns:
        Its name, and its elements if it is short and of integers.

    Raises:
        RefusedError: Its type, shape or elements are not allowed, or do not fit together.
    """
    parts = _parts(reader, start, end, path)
    label = f"{path} {parts.name!r:.60}" if parts.name else path
    dtype = DTYPES.get(parts.dtype)
    if dtype is None:
        raise refusal(f"elements of the type {parts.dtype}; numbers and booleans are allowed", label)
    shape = tuple(signed(n) for n in parts.dims)
    if min(shape, default=0) < 0:
        raise refusal(f"the shape {shape}; no axis may be shorter than 0", label)
    values = _elements(parts, dtype, shape, label)
    if dtype.kind == "f" and np.isnan(values).any():
        raise refusal("elements that are not a number", label)
    short = dtype.kind in "iu" and len(values) <= LITERAL
    return parts.name, values.astype(np.int64) if short else None


def _parts(reader: Reader, start: int, end: int, path: str) -> _Parts:
    parts = _Parts()
    for one in reader.fields(start, end, TENSOR, path):
        number, _, a, b = one
        match number:
            case 1:
                parts.dims += reader.whole(one, path)
            case 2:
                parts.dtype = a
            case 8:
                parts.name = reader.text(a, b, "a name", path)
            case 9:
                parts.raw = np.frombuffer(reader.data, np.uint8, b - a, a)
            case 5 | 7:
                parts.whole += reader.whole(one, path)
            case _:
                parts.real.append(reader.real(one, "<f4" if number == _TYPED[_FLOAT32] else "<f8", path))
        if number not in (1, 2, 8):
            parts.used.add(number)
    return parts


def _elements(parts: _Parts, dtype: np.dtype[Any], shape: tuple[int, ...], label: str) -> NDArray[Any]:
    count = math.prod(shape)
    if parts.raw is not None and parts.used == {_RAW}:
        if len(parts.raw) != count * dtype.itemsize:
            raise refusal(f"{len(parts.raw):,} bytes for the shape {shape} of {dtype.name}", label)
        return parts.raw.view(dtype) if len(parts.raw) else np.zeros(0, dtype)
    typed = _TYPED.get(parts.dtype, _SMALL)
    if parts.used - {typed}:
        raise refusal(f"elements in fields that do not go with {dtype.name}", label)
    values = np.concatenate(parts.real) if parts.real else np.array([signed(n) for n in parts.whole], np.int64)
    if len(values) != count:
        raise refusal(f"{len(values):,} elements for the shape {shape}", label)
    return values


def value(reader: Reader, start: int, end: int, path: str) -> str:
    """Check a ValueInfoProto, which must be a tensor's. Returns its name."""
    name = ""
    for number, _, a, b in reader.fields(start, end, VALUE, path):
        if number == 1:
            name = reader.text(a, b, "a name", path)
            continue
        for _, _, c, d in reader.fields(a, b, TYPE, f"The value {name!r:.60}"):
            _tensor_type(reader, c, d, f"The value {name!r:.60}")
    return name


def _tensor_type(reader: Reader, start: int, end: int, path: str) -> None:
    for number, _, a, b in reader.fields(start, end, TENSOR_TYPE, path):
        if number == 1:
            if a not in DTYPES:
                raise refusal(f"elements of the type {a}; numbers and booleans are allowed", path)
            continue
        for _, _, c, d in reader.fields(a, b, SHAPE, path):
            _dimension(reader, c, d, path)


def _dimension(reader: Reader, start: int, end: int, path: str) -> None:
    for number, _, a, b in reader.fields(start, end, DIMENSION, path):
        if number == 1 and not 0 <= signed(a) <= reader.limits.elements:
            raise refusal(f"an axis of length {signed(a)}; 0 to {reader.limits.elements:,} are accepted", path)
        if number != 1:
            reader.text(a, b, "a dimension", path)
