"""ONNX Runtime behind one small class: the requested device or an exception, and no telemetry."""

from __future__ import annotations

import importlib.util
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from groundstate._errors import ArtefactError, Fault, OptionError, ProviderError, RequestError
from groundstate._gate import examine
from groundstate._signals import from_signal

if TYPE_CHECKING:
    import onnxruntime

Tensors = dict[str, NDArray[Any]]

DEVICES = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}

_NUMPY_TYPES = {
    "tensor(float16)": np.float16,
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int8)": np.int8,
    "tensor(uint8)": np.uint8,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}

_SHAPE_ARITHMETIC = frozenset(
    """
    Add Cast Concat Constant ConstantOfShape Div Equal Expand Gather Greater Identity Less Max MemcpyFromHost MemcpyToHost Min Mod
    Mul Range ReduceProd Reshape Shape Size Slice Split Squeeze Sub Unsqueeze Where
    """.split()  # noqa: SIM905 - thirty strings in quotes are harder to read
)
"""Operators on lengths of axes, which ONNX Runtime keeps on the CPU by design.

Every one has a CUDA kernel, so that none of them is there for want of one.
"""

_OUTSIDE = ("out of data bounds", "out of bounds", "out of range", "invalid index", "invalid indice")


def runtime() -> Any:
    """The onnxruntime module, imported with its telemetry switched off.

    Raises:
        ProviderError: If it is not installed, or its import fails.
    """
    # Official wheels send telemetry, and write files at import, unless this is set before the import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    if importlib.util.find_spec("onnxruntime") is None:
        raise ProviderError(
            "ONNX Runtime is not installed; install it with: pip install 'groundstate[cpu]', "
            "or on a machine with an NVIDIA GPU: pip install 'groundstate[gpu]'."
        )
    try:
        import onnxruntime
    except ImportError as error:
        raise ProviderError(f"ONNX Runtime is installed, and its import fails: {error}. Install it again.") from error
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
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return options


class StoppedRunError(Exception):
    """A run ended because its options said so. Internal: callers of the package never see it."""


def run_options() -> onnxruntime.RunOptions:
    """Options for one run, by which another thread can end it: ``options.terminate = True``."""
    options: onnxruntime.RunOptions = _run_options()()
    options.log_severity_level = 4
    return options


@cache
def _run_options() -> type[onnxruntime.RunOptions]:
    # Looking whether ONNX Runtime is installed takes longer than making the options.
    kind: type[onnxruntime.RunOptions] = runtime().RunOptions
    return kind


class Session:
    """One ONNX model on one device. Safe to share between threads, and usable in a forked child.

    Args:
        model: The bytes of an ONNX file.
        device: ``"cpu"`` or ``"cuda"``.
        source: Name of the file in messages, as the subject of a sentence.
        loop: Whether the model may hold the one loop of the loop form.

    Attributes:
        placed: Node counts by execution provider and operator; empty on the CPU.

    Raises:
        ArtefactError: If the bytes hold what an artefact may not, or are not a model that ONNX Runtime can load.
        ProviderError: If ONNX Runtime is missing, or does not run all that computes on the device.
        OptionError: If the device has another name.
    """

    def __init__(self, model: bytes, device: str = "cpu", source: str = "The file", *, loop: bool = False) -> None:
        if not isinstance(device, str) or device not in DEVICES:
            raise OptionError(f"device is {device!r}; it must be one of {', '.join(map(repr, DEVICES))}.")
        # Before ONNX Runtime loads it: ONNX Runtime accepts more than an artefact may contain.
        passed = examine(model, loop=loop, source=source)
        self.metadata, self.loops = dict(passed.metadata), passed.loops
        self._made_from = model, device, source
        self._inside: set[int] = set()
        self._session = _opened(model, device, source)
        self.placed = {} if device == "cpu" else counted(placement(self._session))
        self.device = device
        self.inputs = {i.name: (_NUMPY_TYPES.get(i.type), tuple(i.shape)) for i in self._session.get_inputs()}
        self.outputs = [o.name for o in self._session.get_outputs()]
        self.shapes = {o.name: tuple(o.shape) for o in self._session.get_outputs()}
        self.types = {o.name: _NUMPY_TYPES.get(o.type) for o in self._session.get_outputs()}
        _SESSIONS.add(self)

    def after_fork(self) -> None:
        """In a forked child: reopen the model if a thread of the parent was running it, since its locks are never released."""
        if self._inside:
            self._inside = set()
            _LEFT_BEHIND.append(self._session)  # deleting it would wait for the same locks
            self._session = _opened(*self._made_from)

    def run(
        self,
        feeds: Mapping[str, NDArray[Any]],
        fetch: list[str] | None = None,
        options: onnxruntime.RunOptions | None = None,
    ) -> Tensors:
        """Run the graph on contiguous arrays, one for each input. Returns the outputs by name, or those of ``fetch``.

        Args:
            options: `run_options` of this run alone; another thread may set its ``terminate``.

        Raises:
            StoppedRunError: If ``terminate`` was set before the run ended.
            RequestError: If an index in an input is out of range.
            ArtefactError: If the graph fails otherwise.
        """
        names, thread = self.outputs if fetch is None else fetch, get_ident()
        self._inside.add(thread)
        try:
            found = self._session.run(names, feeds, options)
        except Exception as error:
            if from_signal(error) or not _of_runtime(error):
                raise
            reason = _reason(error)
            # ONNX Runtime has no error of its own for this; any other failure of a run that was to end counts as its end too.
            if options is not None and options.terminate:
                raise StoppedRunError(reason) from None
            if any(text in reason for text in _OUTSIDE) and any(tensor.dtype.kind in "iu" for tensor in feeds.values()):
                cause = "An index is probably out of range, for example an edge that names a node that does not exist"
                raise RequestError([Fault("", f"The model cannot run on this. {cause}: {reason}")]) from None
            raise ArtefactError(f"The artefact's graph failed: {reason}") from None
        finally:
            self._inside.discard(thread)
        return dict(zip(names, found, strict=True))


def _opened(model: bytes, device: str, source: str) -> onnxruntime.InferenceSession:
    ort = runtime()
    provider = DEVICES[device]
    available = ort.get_available_providers()
    if provider not in available:
        raise ProviderError(
            f"device is {device!r}, but the installed ONNX Runtime {ort.__version__} has no {provider} (it has "
            f"{', '.join(available)}). Uninstall onnxruntime and install groundstate[gpu], or use device='cpu'."
        )
    try:
        session = ort.InferenceSession(model, _options(device), providers=[provider])
        # Otherwise the Python wrapper reruns failed graphs on the CPU.
        session.disable_fallback()
    except Exception as error:
        if from_signal(error):
            raise
        reason = _reason(error)
        if device != "cpu":
            raise ProviderError(f"ONNX Runtime cannot run this model on {device!r}: {reason}") from None
        raise ArtefactError(f"{source} is damaged or not an ONNX model; ONNX Runtime says: {reason}") from None
    if session.get_providers()[0] != provider:
        raise ProviderError(f"device is {device!r}, but ONNX Runtime chose {session.get_providers()[0]}.")
    if device != "cpu" and (elsewhere := computed_elsewhere(placement(session), provider)):
        raise ProviderError(
            f"device is {device!r}, but ONNX Runtime put nodes that compute on another provider: {elsewhere}. "
            "Use device='cpu', or export the model with operators that this device has."
        )
    return session


def placement(session: onnxruntime.InferenceSession) -> list[tuple[str, str]]:
    """The provider and the operator of every node of a session.

    Raises:
        ProviderError: If this version of ONNX Runtime does not report the placement.
    """
    try:
        parts = session.get_provider_graph_assignment_info()
        return [(part.ep_name, node.op_type) for part in parts for node in part.get_nodes()]
    except Exception as error:
        if not _of_runtime(error) and not isinstance(error, AttributeError):
            raise
        raise ProviderError(
            f"The installed ONNX Runtime does not say where it puts the nodes of a graph ({_reason(error)}), so that nothing "
            "shows that the device is used; install a newer one, or use device='cpu'."
        ) from None


def counted(nodes: Iterable[tuple[str, str]]) -> dict[str, dict[str, int]]:
    """Node counts by provider and operator."""
    found: dict[str, Counter[str]] = {}
    for place, operator in nodes:
        found.setdefault(place, Counter())[operator] += 1
    return {place: dict(sorted(operators.items())) for place, operators in sorted(found.items())}


def computed_elsewhere(nodes: Iterable[tuple[str, str]], provider: str) -> str:
    """The operators, with counts, that compute on a provider other than the named one; empty if there are none.

    Arithmetic on lengths of axes does not count: ONNX Runtime places it on the CPU by design.
    """
    counts = Counter(
        f"{operator} on {place}" for place, operator in nodes if place != provider and operator not in _SHAPE_ARITHMETIC
    )
    return ", ".join(f"{count} × {what}" for what, count in sorted(counts.items()))


def _of_runtime(error: Exception) -> bool:
    """Whether ONNX Runtime raised the error. Its exception classes have no common base."""
    return type(error).__module__.partition(".")[0] == "onnxruntime"


def _reason(error: Exception) -> str:
    """The first line of ONNX Runtime's message."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__


_SESSIONS: WeakSet[Session] = WeakSet()
_LEFT_BEHIND: list[onnxruntime.InferenceSession] = []


def _after_fork() -> None:
    for session in list(_SESSIONS):
        session.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
