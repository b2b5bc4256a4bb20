"""ONNX Runtime behind one small class: the device that was asked for or an exception, and no telemetry."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundstate._errors import ArtefactError, Fault, OptionError, ProviderError, RequestError

if TYPE_CHECKING:
    import onnxruntime

Tensors = dict[str, NDArray[Any]]

DEVICES = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

_NUMPY_TYPES = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
}


def runtime() -> Any:
    """The onnxruntime module, imported with its telemetry switched off.

    Raises:
        ProviderError: If it is not installed.
    """
    # Official wheels send telemetry, and write files at import, unless this is set before the import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    if importlib.util.find_spec("onnxruntime") is None:
        raise ProviderError(
            "ONNX Runtime is not installed; install it with: pip install 'groundstate[cpu]', "
            "or on a machine with an NVIDIA GPU: pip install 'groundstate[gpu]'."
        )
    import onnxruntime

    return onnxruntime


def _options(device: str) -> onnxruntime.SessionOptions:
    options = runtime().SessionOptions()
    # Chains are spread over threads by the caller: one thread a run, no pool inside, nothing that spins when idle.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The planner that reuses buffers takes time that grows with the square of an unrolled graph, and saves little.
    options.enable_mem_reuse = False
    options.log_severity_level = 4
    # An artefact is one file. Bytes would have their external data looked for in the working folder; here none can be.
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", os.devnull)
    if device != "cpu":
        options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    return options


class Session:
    """One ONNX model on one device. Safe to share between threads.

    Args:
        model: The bytes of an ONNX file.
        device: ``"cpu"`` or ``"cuda"``.

    Raises:
        ArtefactError: If the bytes are not a model that ONNX Runtime can load.
        ProviderError: If ONNX Runtime is missing, or does not run on the device.
        OptionError: If the device has another name.
    """

    def __init__(self, model: bytes, device: str = "cpu") -> None:
        if device not in DEVICES:
            raise OptionError(f"device is {device!r}; it must be one of {', '.join(map(repr, DEVICES))}.")
        ort = runtime()
        provider = DEVICES[device]
        available = ort.get_available_providers()
        if provider not in available:
            raise ProviderError(
                f"device is {device!r}, but the installed ONNX Runtime {ort.__version__} has no {provider} (it has "
                f"{', '.join(available)}). Uninstall onnxruntime and install groundstate[gpu], or use device='cpu'."
            )
        if not model:
            raise ArtefactError("The file is empty, so it is not an energy artefact.")
        try:
            options = _options(device)
            self._session = ort.InferenceSession(model, options, providers=[provider])
        except Exception as error:  # noqa: BLE001 - ONNX Runtime has classes of its own making, without a common base
            reason = _reason(error)
            if device != "cpu":
                raise ProviderError(f"ONNX Runtime cannot run this model on {device!r}: {reason}") from None
            raise ArtefactError(
                f"ONNX Runtime cannot load this file, which is damaged or not an ONNX model: {reason}"
            ) from None
        if self._session.get_providers()[0] != provider:
            raise ProviderError(f"device is {device!r}, but ONNX Runtime chose {self._session.get_providers()[0]}.")
        self.device = device
        self.metadata: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)
        self.inputs = {i.name: (_NUMPY_TYPES.get(i.type), tuple(i.shape)) for i in self._session.get_inputs()}
        self.outputs = [o.name for o in self._session.get_outputs()]
        self.shapes = {o.name: tuple(o.shape) for o in self._session.get_outputs()}

    def run(self, feeds: Mapping[str, NDArray[Any]], fetch: list[str] | None = None) -> Tensors:
        """Run the graph on contiguous arrays, one for each input. Returns the outputs by name, or those of ``fetch``.

        Raises:
            RequestError: If the graph cannot compute on them.
        """
        names = self.outputs if fetch is None else fetch
        try:
            found = self._session.run(names, feeds)
        except Exception as error:  # noqa: BLE001 - as above
            told = "Most often a number that counts something else, such as an edge's end, counts what is not there"
            raise RequestError([Fault("", f"The model cannot run on this. {told}: {_reason(error)}")]) from None
        return dict(zip(names, found, strict=True))


def _reason(error: Exception) -> str:
    """The first line of what ONNX Runtime says."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
