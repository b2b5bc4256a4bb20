"""A small ONNX model that puts rows together on a device, written as protobuf: the runtime does without the package onnx."""

from __future__ import annotations

from typing import Any

import numpy as np

_TYPES = {np.dtype(np.float32): 1, np.dtype(np.float64): 11}
_INT64 = 7
_OPSET, _IR = 18, 8


def gathering(dtype: np.dtype[Any]) -> bytes:
    """``rows = Gather(Concat(kept, fresh), index)`` along the first axis, for tensors of any rank.

    Args:
        dtype: Of the rows: float32 or float64, the types of a state.
    """
    element = _TYPES[dtype]
    nodes = [_node("Concat", ["kept", "fresh"], "all"), _node("Gather", ["all", "index"], "rows")]
    inputs = [_value("kept", element), _value("fresh", element), _value("index", _INT64)]
    graph = b"".join(_message(1, node) for node in nodes) + _message(2, b"rows")
    graph += b"".join(_message(11, value) for value in inputs) + _message(12, _value("rows", element))
    return _number(1, _IR) + _message(7, graph) + _message(8, _number(2, _OPSET))


def _node(operator: str, inputs: list[str], output: str) -> bytes:
    axis = _message(1, b"axis") + _number(3, 0) + _number(20, 2)  # an attribute of the type INT
    named = b"".join(_message(1, name.encode()) for name in inputs) + _message(2, output.encode())
    return named + _message(4, operator.encode()) + _message(5, axis)


def _value(name: str, element: int) -> bytes:
    """A tensor of any shape."""
    return _message(1, name.encode()) + _message(2, _message(1, _number(1, element)))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _message(field: int, content: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)
