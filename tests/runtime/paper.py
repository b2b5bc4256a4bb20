"""CUDA on paper: ONNX Runtime of the CPU that claims to be the one for GPUs, and counts what it is asked to do.

It takes the same calls as the real one: sessions, buffers, bindings, run options. So everything but the kernels runs in tests.
"""

from __future__ import annotations

from collections import Counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


class PaperValue:
    """A buffer that says that it is on the device, and counts copies."""

    def __init__(self, counts: Counter[str], value: Any, place: str) -> None:
        self.counts, self.value, self.place = counts, value, place

    def update_inplace(self, array: Any) -> None:
        self.counts["upload"] += 1
        self.counts["bytes up"] += array.nbytes
        self.value.update_inplace(array)

    def numpy(self) -> Any:
        self.counts["download"] += 1
        return self.value.numpy().copy()


class PaperBinding:
    """A binding that accepts only buffers of the device."""

    def __init__(self, real: Any) -> None:
        self.real, self.kept = real, []

    def bind_ortvalue_input(self, name: str, value: PaperValue) -> None:
        assert value.place == "cuda"
        self.kept.append(value)
        self.real.bind_ortvalue_input(name, value.value)

    def bind_ortvalue_output(self, name: str, value: PaperValue) -> None:
        assert value.place == "cuda"
        self.kept.append(value)
        self.real.bind_ortvalue_output(name, value.value)


class PaperSession:
    """A session that runs on the CPU and says otherwise."""

    def __init__(
        self, runtime: PaperRuntime, model: bytes, options: Any, providers: list[Any], **switches: int
    ) -> None:
        self._runtime = runtime
        self.providers, self.switches = providers, switches
        self.real = onnxruntime.InferenceSession(model, options, providers=[CPU])
        self.captured: set[str] = set()
        self.gathers = [one.name for one in self.real.get_inputs()] == ["kept", "fresh", "index"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def get_providers(self) -> list[str]:
        return self._runtime.got

    def get_provider_graph_assignment_info(self) -> list[Any]:
        node = SimpleNamespace
        placed = self._runtime.placed
        return [node(ep_name=place, get_nodes=lambda op=op: [node(op_type=op)]) for place, op in placed]

    def io_binding(self) -> PaperBinding:
        return PaperBinding(self.real.io_binding())

    def run(self, names: list[str], feeds: dict[str, Any], options: Any = None) -> Any:
        assert options is not None
        assert options.get_run_config_entry("gpu_graph_id") == "-1"
        self._runtime.counts["run with copies"] += 1
        return self.real.run(names, feeds)

    def run_with_iobinding(self, binding: PaperBinding, options: Any = None) -> None:
        if self.gathers:
            self._runtime.counts["gather"] += 1
        else:
            number = options.get_run_config_entry("gpu_graph_id")
            known = number in self.captured
            self._runtime.counts["replay" if known else "capture" if number != "-1" else "plain run"] += 1
            self.captured |= {number} - {"-1"}
        self.real.run_with_iobinding(binding.real, None)


class PaperRuntime:
    """The module onnxruntime, as far as the runtime uses it.

    Args:
        placed: Provider and operator of each node, as the session reports them.
        fails: Raised when a session is opened with these settings; by the name of a setting and its value.
        got: The providers that a session ends up with.
        available: The providers that the wheel has.
        prints: What loading CUDA's libraries prints.

    Attributes:
        counts: Copies, runs, captures.
        sessions: Every session that was opened.
    """

    __version__ = onnxruntime.__version__
    SessionOptions = onnxruntime.SessionOptions
    RunOptions = onnxruntime.RunOptions

    def __init__(
        self,
        placed: list[tuple[str, str]] | None = None,
        fails: dict[tuple[str, str], Exception] | None = None,
        got: list[str] | None = None,
        available: list[str] | None = None,
        prints: str = "",
    ) -> None:
        self.placed = placed or [(CUDA, "Mul")]
        self.fails, self.got = fails or {}, got or [CUDA, CPU]
        self.available, self.prints = available or [CUDA, CPU], prints
        self.counts: Counter[str] = Counter()
        self.sessions: list[PaperSession] = []
        counts = self.counts

        class OrtValue:
            @staticmethod
            def ortvalue_from_shape_and_type(shape: list[int], dtype: Any, place: str, number: int) -> PaperValue:
                assert number == 0
                value = onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, dtype, "cpu", 0)
                return PaperValue(counts, value, place)

            @staticmethod
            def ortvalue_from_numpy(array: Any, place: str, number: int) -> PaperValue:
                counts["upload"] += 1
                counts["bytes up"] += array.nbytes
                # On the CPU it would share the memory of the array; a device has a copy.
                return PaperValue(counts, onnxruntime.OrtValue.ortvalue_from_numpy(np.array(array)), place)

        self.OrtValue = OrtValue

    def preload_dlls(self) -> None:
        if self.prints:
            print(self.prints)

    def get_available_providers(self) -> list[str]:
        return self.available

    def InferenceSession(self, model: bytes, options: Any, providers: list[Any], **switches: int) -> Any:
        if providers == [CPU]:
            return onnxruntime.InferenceSession(model, options, providers=[CPU], **switches)
        ((name, settings),) = providers
        assert name == CUDA
        for (setting, value), error in self.fails.items():
            if settings[setting] == value:
                raise error
        self.sessions.append(PaperSession(self, model, options, providers, **switches))
        return self.sessions[-1]
