"""A driver for ONNX Runtime's devices: buffers are its `OrtValue`, runs its `IOBinding`, captures its CUDA graphs."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundstate._devices._driver import Binding, Buffer
from groundstate._devices._gathering import gathering
from groundstate._devices._thread import DeviceThread

_Result = TypeVar("_Result")

MOST_CAPTURED = 128
"""Runs that are captured for one session. ONNX Runtime keeps every captured graph; further runs are not captured."""

_NO_CAPTURE = "-1"


class OrtDriver:
    """One session of ONNX Runtime, and the memory of its device.

    Args:
        ort: The onnxruntime module.
        session: Runs the graph.
        opened: Opens another session on the same device, for the model that puts rows together.
        place: ONNX Runtime's name of the device's memory: ``"cuda"``.
        number: Of the device.
        captures: Whether the session may capture CUDA graphs.
        thread: The device's thread.
    """

    def __init__(
        self,
        ort: Any,
        session: Any,
        opened: Callable[[bytes], Any],
        place: str,
        number: int,
        *,
        captures: bool,
        thread: DeviceThread,
    ) -> None:
        self._ort, self._session, self._place, self._number = ort, session, place, number
        self._captures, self._thread = captures, thread
        self._numbers = itertools.count(1)
        self.captured = 0
        self._gatherer = cache(lambda dtype: opened(gathering(dtype)))

    def call(self, function: Callable[[], _Result]) -> _Result:
        """See `Driver.call`."""
        return self._thread.call(function)

    def allocate(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Buffer:
        """See `Driver.allocate`."""
        return self._ort.OrtValue.ortvalue_from_shape_and_type(list(shape), dtype.type, self._place, self._number)

    def upload(self, buffer: Buffer, array: NDArray[Any]) -> None:
        """See `Driver.upload`."""
        if array.size:
            buffer.update_inplace(np.ascontiguousarray(array))

    def download(self, buffer: Buffer) -> NDArray[Any]:
        """See `Driver.download`."""
        found: NDArray[Any] = buffer.numpy()
        # In the memory of the CPU it would be a view of the buffer, which the next run overwrites.
        return found.copy() if self._place == "cpu" else found

    def gather(self, kept: Buffer, fresh: NDArray[Any], index: NDArray[np.int64], into: Buffer) -> None:
        """See `Driver.gather`."""
        session = self._gatherer(fresh.dtype)
        binding = session.io_binding()
        binding.bind_ortvalue_input("kept", kept)
        binding.bind_ortvalue_input("fresh", self._put(fresh))
        binding.bind_ortvalue_input("index", self._put(index))
        binding.bind_ortvalue_output("rows", into)
        session.run_with_iobinding(binding)

    def bind(self, inputs: Mapping[str, Buffer], outputs: Mapping[str, Buffer]) -> Binding:
        """See `Driver.bind`. Capturing runs the graph: the run after the first is recorded, and then replayed."""
        binding, options = self._session.io_binding(), self._ort.RunOptions()
        for name, buffer in inputs.items():
            binding.bind_ortvalue_input(name, buffer)
        for name, buffer in outputs.items():
            binding.bind_ortvalue_output(name, buffer)
        capture = self._captures and self.captured < MOST_CAPTURED
        options.add_run_config_entry("gpu_graph_id", str(next(self._numbers)) if capture else _NO_CAPTURE)
        if capture:
            self.captured += 1
            for _ in range(2):
                self._session.run_with_iobinding(binding, options)
        return binding, options

    def run(self, binding: Binding) -> None:
        """See `Driver.run`."""
        self._session.run_with_iobinding(*binding)

    def close(self) -> None:
        """See `Driver.close`."""
        self._gatherer.cache_clear()

    def _put(self, array: NDArray[Any]) -> Buffer:
        return self._ort.OrtValue.ortvalue_from_numpy(np.ascontiguousarray(array), self._place, self._number)
