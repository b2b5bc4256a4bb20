"""ONNX Runtime behind one small class: the requested device or an exception, and no telemetry."""

from __future__ import annotations

import importlib.util
import logging
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from threading import get_ident
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

import numpy as np
from numpy.typing import NDArray

from groundstate._devices._names import DEVICES, named
from groundstate._errors import ArtefactError, Fault, ProviderError, RequestError
from groundstate._gate import Passed, examine
from groundstate._signals import from_signal
from groundstate._words import clean, shortened

if TYPE_CHECKING:
    import onnxruntime

    from groundstate._devices._residency import Residency
    from groundstate._devices._thread import DeviceThread
    from groundstate._header import Header

Tensors = dict[str, NDArray[Any]]

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

_LONGEST_REASON = 300
"""Most characters of ONNX Runtime's message in one of ours; a file can make it as long as it likes."""

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


def _options(device: str, *, float64: bool = False) -> onnxruntime.SessionOptions:
    options = runtime().SessionOptions()
    if float64:
        # Fused kernels are for float32. Looking for them in a graph of float64 is half of the time to load it.
        options.graph_optimization_level = runtime().GraphOptimizationLevel.ORT_ENABLE_BASIC
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
        device: ``"cpu"``, ``"cuda"``, or ``"cuda:1"`` for the second GPU.
        source: Name of the file in messages, as the subject of a sentence.
        loop: Whether the model may hold the one loop of the loop form.
        passed: What the gate read, if the model has passed it.
        float64: Whether the model computes in float64.

    Attributes:
        placed: Node counts by execution provider and operator; empty on the CPU.
        resident: Runs segments with their state in the device's memory; None on the CPU, and for the loop form, which ONNX
            Runtime steers from the CPU.
        captures: Whether segments are captured as CUDA graphs.
        wanted: The outputs that a descent fetches, by whether it records the path and the trace; see `wanted_outputs`.

    Raises:
        ArtefactError: If the bytes hold what an artefact may not, or are not a model that ONNX Runtime can load.
        ProviderError: If ONNX Runtime is missing, or does not run all that computes on the device.
        OptionError: If the device has another name.
    """

    def __init__(
        self,
        model: bytes,
        device: str = "cpu",
        source: str = "The file",
        *,
        loop: bool = False,
        passed: Passed | None = None,
        float64: bool = False,
    ) -> None:
        kind, number = named(device)
        # Before ONNX Runtime loads it: ONNX Runtime accepts more than an artefact may contain.
        passed = passed or examine(model, loop=loop, source=source)
        self.metadata, self.loops = dict(passed.metadata), passed.loops
        self._made_from, self._float64 = (model, device, source), float64
        self._inside: set[int] = set()
        self._thread: DeviceThread | None = None
        self.resident: Residency | None = None
        self.captures = False
        if kind == "cpu":
            self._session = _opened(model, source, float64=self._float64)
            self.placed: dict[str, dict[str, int]] = {}
        else:
            self._on_gpu(model, device, number)
        self.device = device
        self.inputs = {i.name: (_NUMPY_TYPES.get(i.type), tuple(i.shape)) for i in self._session.get_inputs()}
        self.outputs = [o.name for o in self._session.get_outputs()]
        self.shapes = {o.name: tuple(o.shape) for o in self._session.get_outputs()}
        self.wanted: dict[tuple[bool, bool], list[str]] = {}
        self.types = {o.name: _NUMPY_TYPES.get(o.type) for o in self._session.get_outputs()}
        _SESSIONS.add(self)

    def _on_gpu(self, model: bytes, device: str, number: int) -> None:
        from groundstate._devices import _cuda

        ort, loop = runtime(), self.loops

        def options() -> onnxruntime.SessionOptions:
            return _options(device, float64=self._float64)

        self._session, self.captures, self._thread = _cuda.opened(ort, model, options, number, capture=not loop)
        nodes = placement(self._session)
        provider = DEVICES["cuda"]
        if elsewhere := computed_elsewhere(nodes, provider):
            raise ProviderError(
                f"device is {device!r}, but ONNX Runtime put nodes that compute on another provider: {elsewhere}. "
                "Use device='cpu', or export the model with operators that this device has."
            )
        self.placed = counted(nodes)
        if not loop:
            self.resident = _cuda.resident(
                ort, self._session, options, number, captures=self.captures, thread=self._thread
            )

    def prepare(self, header: Header) -> None:
        """Make what a device needs before the first solve.

        Raises:
            ProviderError: If the device fails.
        """
        if self.resident is not None:
            try:
                self.resident.prepare(header)
            except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
                raise self.failure(error, {}) from None

    def close(self) -> None:
        """Free a device's memory. On the CPU there is nothing to free before the session itself goes."""
        if self.resident is not None:
            self.resident.close()

    def after_fork(self) -> None:
        """In a forked child: reopen the model if a thread of the parent was running it, since its locks are never released."""
        if self._thread is not None:
            _LEFT_BEHIND.append(self._session)  # a GPU cannot be used across a fork: every run says so
        elif self._inside:
            self._inside = set()
            _LEFT_BEHIND.append(self._session)  # deleting it would wait for the same locks
            model, _, source = self._made_from
            self._session = _opened(model, source, float64=self._float64)

    def run(
        self,
        feeds: Mapping[str, NDArray[Any]],
        fetch: list[str] | None = None,
        options: onnxruntime.RunOptions | None = None,
    ) -> Tensors:
        """Run the graph on contiguous arrays, one for each input. Returns the outputs by name, or those of ``fetch``.

        Args:
            options: `run_options` of this run alone; another thread may set its ``terminate``. On a GPU a run is not ended early.

        Raises:
            StoppedRunError: If ``terminate`` was set before the run ended.
            RequestError: If an index in an input is out of range.
            ArtefactError: If the graph fails otherwise.
        """
        names, thread = self.outputs if fetch is None else fetch, get_ident()
        self._inside.add(thread)
        try:
            found = self._session.run(names, feeds, options) if self._thread is None else self._run_once(names, feeds)
        except Exception as error:  # noqa: BLE001 - ONNX Runtime's errors have no common base
            # ONNX Runtime has no error of its own for this; any other failure of a run that was to end counts as its end too.
            if options is not None and options.terminate and _of_runtime(error) and not from_signal(error):
                raise StoppedRunError(_reason(error)) from None
            raise self.failure(error, feeds) from None
        finally:
            self._inside.discard(thread)
        return dict(zip(names, found, strict=True))

    def _run_once(self, names: list[str], feeds: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Run on a device with copies to and fro, outside of what is captured."""
        assert self._thread is not None
        options = runtime().RunOptions()
        options.add_run_config_entry("gpu_graph_id", "-1")
        return self._thread.call(lambda: self._session.run(names, feeds, options))

    def failure(self, error: Exception, feeds: Mapping[str, Any]) -> Exception:
        """What to raise for an error of a run: the error itself unless ONNX Runtime raised it.

        Args:
            feeds: What the graph ran on.
        """
        if from_signal(error) or not _of_runtime(error):
            return error
        reason = _reason(error)
        if any(text in reason for text in _OUTSIDE) and any(tensor.dtype.kind in "iu" for tensor in feeds.values()):
            cause = "An index is probably out of range, for example an edge that names a node that does not exist"
            return RequestError([Fault("", f"The model cannot run on this. {cause}: {reason}.")])
        if self._thread is not None:
            from groundstate._devices._cuda import cure

            if (advice := cure(str(error))) is not None:
                return ProviderError(f"The device {self.device!r} failed: {reason}. {advice}.")
        return ArtefactError(f"The artefact's graph failed: {reason}.")


def open_session(
    model: bytes, device: str, source: str, passed: Passed, *, float64: bool = False
) -> tuple[Session, str]:
    """Open an artefact's main graph, and say why on this device.

    Args:
        device: As of `Session`; or ``"auto"``: CUDA if this machine can run the model on it, else the CPU.
        passed: What the gate read.
        float64: As of `Session`.

    Returns:
        The session, and a sentence.
    """
    how: Any = {"passed": passed, "float64": float64}
    if device != "auto":
        return Session(model, device, source, **how), f"The device {device!r} was asked for."
    try:
        session = Session(model, "cuda", source, **how)
    except ProviderError as error:
        session, why = Session(model, "cpu", source, **how), f"'auto' took 'cpu': {error}"
    else:
        why = "'auto' took 'cuda': ONNX Runtime runs the whole model there."
    logging.getLogger("groundstate").info("%s", why)
    return session, why


def _opened(model: bytes, source: str, *, float64: bool = False) -> onnxruntime.InferenceSession:
    ort = runtime()
    try:
        # Without these, the Python wrapper prints to stdout and reruns on the CPU, or takes settings from the file.
        switches = {"enable_fallback": 0, "read_config_from_model": 0}
        return ort.InferenceSession(model, _options("cpu", float64=float64), providers=[DEVICES["cpu"]], **switches)
    except Exception as error:
        if from_signal(error):
            raise
        raise ArtefactError(f"{source} is damaged or not an ONNX model; ONNX Runtime says: {_reason(error)}.") from None


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
    """The first line of ONNX Runtime's message, shortened and without its full stop."""
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return shortened(clean(line), _LONGEST_REASON).rstrip(" .")


_SESSIONS: WeakSet[Session] = WeakSet()
_LEFT_BEHIND: list[onnxruntime.InferenceSession] = []


def _after_fork() -> None:
    for session in list(_SESSIONS):
        session.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
