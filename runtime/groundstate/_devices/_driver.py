"""What a device must do, as a protocol. Everything above it is the same for all devices, and is tested with a fake one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

Buffer = Any
"""Memory of the device for one tensor. Only its driver looks inside."""

Binding = Any
"""A run that is prepared: every tensor of the graph has its buffer. Only its driver looks inside."""

_Result = TypeVar("_Result")


class Driver(Protocol):
    """Memory, copies and runs of one graph on one device.

    All methods but `call` and `close` are called on the device's thread: captured graphs of ONNX Runtime belong to the thread
    that captured them, and a second thread that synchronises breaks a capture.
    """

    def call(self, function: Callable[[], _Result]) -> _Result:
        """Run a function on the device's thread, and wait for its result."""
        ...

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Buffer:
        """Memory for a tensor, with any contents."""
        ...

    def upload(self, buffer: Buffer, array: NDArray[Any]) -> None:
        """Copy an array of the same shape and dtype into a buffer."""
        ...

    def download(self, buffer: Buffer) -> NDArray[Any]:
        """A copy of a buffer's contents."""
        ...

    def gather(self, kept: Buffer, fresh: NDArray[Any], index: NDArray[np.int64], into: Buffer) -> None:
        """Put rows together on the device: ``into[i] = concatenate(kept, fresh)[index[i]]``.

        Args:
            kept: A buffer of rows.
            fresh: Rows from the host, at least one.
            index: One number for each row of `into`.
            into: Another buffer than `kept`.
        """
        ...

    def bind(self, inputs: Mapping[str, Buffer], outputs: Mapping[str, Buffer]) -> Binding:
        """Prepare a run with fixed buffers, and capture it where the device can. It may run the graph."""
        ...

    def run(self, binding: Binding) -> None:
        """Run the graph, and wait until it is done."""
        ...

    def close(self) -> None:
        """Free the device's memory. Nothing else is called afterwards."""
        ...
