"""CUDA: opening a model on a GPU, and what to do about each way in which that can fail."""

from __future__ import annotations

import contextlib
import importlib.metadata
import io
import os
import re
from collections.abc import Callable
from typing import Any, NoReturn

from groundstate._devices._ort import OrtDriver
from groundstate._devices._residency import Residency
from groundstate._devices._thread import DeviceThread, thread_of
from groundstate._errors import ProviderError
from groundstate._words import clean, shortened

PROVIDER = "CUDAExecutionProvider"

_CAPTURE = re.compile(r"graph.?capture|cuda.?graph", re.IGNORECASE)

CURES: tuple[tuple[str, str], ...] = (
    (
        r"no cuda-capable device|cuda failure 100\b",
        "No NVIDIA GPU is visible to this process: look at nvidia-smi; in a container, start it with --gpus all",
    ),
    (
        r"driver version is insufficient|cuda failure 35\b",
        "The NVIDIA driver is older than this CUDA needs: update the driver, or install an older onnxruntime-gpu",
    ),
    (
        r"invalid device ordinal|cuda failure 101\b",
        "There is no GPU of this number: 'cuda' is the first one, 'cuda:1' the second",
    ),
    (
        r"no kernel image|cuda failure 209\b",
        "The installed onnxruntime-gpu was not built for this GPU: install another version of it",
    ),
    (
        r"out of memory|failed to allocate|cuda failure 2\b|cublas_status_alloc_failed",
        "The GPU's memory is full: free some of it, or solve with fewer restarts",
    ),
    (
        r"lib(cublas|cudnn|cudart|cufft|curand|nvrtc)|\.so\b.*(cannot open|no such file)|\.dll\b",
        "Libraries of CUDA are missing: install them with pip install 'onnxruntime-gpu[cuda,cudnn]'",
    ),
)
"""Patterns of what CUDA and ONNX Runtime say, and what helps. The first that matches counts."""


def cure(text: str) -> str | None:
    """What helps against a failure, as a sentence without its full stop; None if it is not known."""
    return next((what for pattern, what in CURES if re.search(pattern, text, re.IGNORECASE)), None)


def refuse_without_provider(ort: Any, device: str) -> None:
    """Raise a `ProviderError` that names the cure if the installed ONNX Runtime has no CUDA at all."""
    available = ort.get_available_providers()
    if PROVIDER in available:
        return
    has = f"the installed ONNX Runtime {ort.__version__} has no {PROVIDER} (it has {', '.join(available)})"
    wheels = [name for name in ("onnxruntime", "onnxruntime-gpu") if _installed(name)]
    if len(wheels) == 2:
        advice = (
            "Both onnxruntime and onnxruntime-gpu are installed, and the first hides the second: uninstall both, "
            "then install groundstate[gpu]"
        )
    elif "onnxruntime-gpu" in wheels:
        advice = (
            "onnxruntime-gpu is installed without its provider: reinstall it; it has CUDA on Linux and Windows only"
        )
    else:
        advice = "Uninstall onnxruntime and install groundstate[gpu]"
    raise ProviderError(f"device is {device!r}, but {has}. {advice}, or use device='cpu'.")


def _installed(wheel: str) -> bool:
    try:
        importlib.metadata.version(wheel)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def opened(
    ort: Any, model: bytes, options: Callable[[], Any], number: int, *, capture: bool
) -> tuple[Any, bool, DeviceThread]:
    """A session on a GPU, whether it may capture CUDA graphs, and the thread that runs it.

    A graph that cannot be captured runs without capturing, on the same GPU.

    Args:
        ort: The onnxruntime module.
        options: Makes the session's options.
        number: Of the GPU.
        capture: Whether to try to capture.

    Raises:
        ProviderError: With the cure, if the GPU cannot be used.
    """
    device = name_of(number)
    refuse_without_provider(ort, device)
    thread = thread_of(device)

    def tried() -> tuple[Any, bool]:
        said = _preloaded(ort)
        # The first of them that does not fail: capturing is a matter of speed.
        for captures in (True, False) if capture else (False,):
            try:
                session = _session(ort, model, options(), number, captures=captures)
            except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
                if captures and _CAPTURE.search(str(error)):
                    continue
                _refuse(device, f"{error} {said}", error)
            if session.get_providers()[:1] != [PROVIDER]:
                # Its message goes to a log that is off: most often a library is missing.
                _refuse(
                    device, f"ONNX Runtime left {PROVIDER} out, since libcudart or another library is missing. {said}"
                )
            return session, captures
        raise AssertionError("the last try returns or raises")

    session, captures = thread.call(tried)
    return session, captures, thread


def _session(ort: Any, model: bytes, options: Any, number: int, *, captures: bool) -> Any:
    # With memory that is reused: unlike the CPU's, a GPU's batches are large. Runs are always complete before the next begins.
    options.enable_mem_reuse = True
    options.use_deterministic_compute = True
    settings = {
        "device_id": str(number),
        "enable_cuda_graph": "1" if captures else "0",
        "use_tf32": "0",  # its 10 bits of mantissa would differ from PyTorch
        "cudnn_conv_algo_search": "HEURISTIC",  # the search by measuring takes long and may choose differently each time
    }
    switches = {"enable_fallback": 0, "read_config_from_model": 0}
    return ort.InferenceSession(model, options, providers=[(PROVIDER, settings)], **switches)


def _preloaded(ort: Any) -> str:
    """Load CUDA's libraries from the packages that pip installed. Returns what it printed, which is why it failed, if it did."""
    load = getattr(ort, "preload_dlls", None)
    said = io.StringIO()
    if load is not None:
        # stdout may belong to a protocol.
        with contextlib.redirect_stdout(said), contextlib.suppress(Exception):
            load()
    return said.getvalue()


def _refuse(device: str, text: str, error: Exception | None = None) -> NoReturn:
    if error is not None and isinstance(error, ProviderError):
        raise error
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
    advice = cure(text) or "Run 'groundstate doctor' for what is installed"
    if hidden is not None and hidden.strip() in ("", "-1"):
        advice = f"CUDA_VISIBLE_DEVICES is {hidden!r}, which hides every GPU: unset it"
    reason = shortened(" ".join(clean(text).split()), 300).rstrip(" .")
    raise ProviderError(f"ONNX Runtime cannot run this model on {device!r}: {reason}. {advice}, or use device='cpu'.")


def name_of(number: int) -> str:
    """``cuda``, ``cuda:1`` and so on."""
    return f"cuda:{number}" if number else "cuda"


def resident(
    ort: Any, session: Any, options: Callable[[], Any], number: int, *, captures: bool, thread: DeviceThread
) -> Residency:
    """Batches of a session's graph in the GPU's memory."""

    def beside(model: bytes) -> Any:
        return _session(ort, model, options(), number, captures=False)

    driver = OrtDriver(ort, session, beside, "cuda", number, captures=captures, thread=thread)
    return Residency(driver, [output.name for output in session.get_outputs()])
