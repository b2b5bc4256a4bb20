"""Tasks turn requests into tensors and tensors into answers, where the header's schema does not suffice.

A task is a class that an installed package registers in the entry-point group ``groundstate.tasks``; an artefact names it.
It reads each request once and returns a reading, which does everything else. `Task` itself is the default: it maps properties of
the request to the input tensors of the same name. `_abilities` defines the optional abilities of tasks and readings.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._arguments import misshapen
from groundstate._errors import Fault, RequestError, TaskError
from groundstate._header import Header, Spec
from groundstate._solution import Violation

GROUP = "groundstate.tasks"

TOLERANCE = 1e-3
"""Two answers are the same if their numbers differ by at most this fraction of the largest number (or of 1, if larger)."""


class Reading:
    """A task's interpretation of one request. `Task.read` makes one reading for each request.

    Args:
        header: The artefact's header.
        request: The request as plain JSON. It has passed the header's schema. The reading owns it.

    Attributes:
        tolerance: Tolerance of `same`, see `TOLERANCE`. Tasks with finer or coarser answers set their own.
    """

    tolerance = TOLERANCE

    rivals: float = 0.0
    """Energy above the lowest minimum up to which other minima are answers too, for energies without checks."""

    def __init__(self, header: Header, request: dict[str, Any]) -> None:
        self.header, self.request = header, request

    @property
    def contradictions(self) -> Sequence[Violation]:
        """Contradictions in the request that prove it has no answer. This must be a proof: empty if in doubt."""
        return ()

    def proof(self, effort: int) -> Sequence[Violation]:
        """Search for a proof that the request has no answer, with more work than `contradictions`. Empty without a proof.

        The runtime calls it occasionally while the descent finds no answer. The effort doubles from call to call; one unit
        should take about a millisecond at most. It returns proofs only, never an answer.
        """
        del effort
        return ()

    def least_cost(self, cost: float, effort: int) -> float:
        """A proven lower bound on the cost of all answers, for readings that optimise; ``cost`` itself if no answer costs less.

        The runtime calls it occasionally while it searches for an answer that costs less than ``cost``. The effort is as in
        `proof`.
        """
        del cost, effort
        return -math.inf

    def gap(self, answer: dict[str, Any], bound: float | None, optimal: bool) -> str:
        """How far an answer may be from the best one, as a sentence, for readings that optimise; empty if nothing is known.

        Args:
            answer: The best answer found.
            bound: A proven lower bound on the cost of every answer; None if there is none.
            optimal: Whether it is proven that no answer costs less.
        """
        del answer
        if optimal:
            return "No answer costs less, which is proven."
        if bound is None or bound <= 0:
            return ""
        return f"No answer costs less than {bound:.6g}, which is proven; an answer of this cost may not exist."

    def encode(self) -> dict[str, NDArray[Any]]:
        """The input tensors without the batch axis. Inputs with defaults may be missing.

        Raises:
            RequestError: If the request passes the schema and still has no meaning.
        """
        given = {
            name: spec for name, spec in self.header.inputs.items() if spec.default is None or name in self.request
        }
        return tensors_of(given, self.request)

    most_options: int = 4
    """Relaxations that a question offers at most, up to 9."""

    def starts(self, random: np.random.Generator, count: int) -> Mapping[str, NDArray[Any]] | None:
        """Initial states of new chains, the batch first; None, or without a state tensor: as the header specifies.

        A reading that knows something about its problem can start chains near answers. This changes how soon an answer is
        found, and nothing else. All randomness must come from ``random``.

        Args:
            random: A generator that depends on the seed and the number of the first of these chains.
            count: Number of chains.
        """
        del random, count
        return None

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Decode answer tensors without the batch axis into an answer as plain JSON."""
        return {name: listed(tensor) for name, tensor in tensors.items()}

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        """Encode an answer as answer tensors without the batch axis; None if the landscape cannot represent it."""
        return tensors_of(self.header.answers, answer)

    def check(self, answer: dict[str, Any]) -> list[Violation] | None:
        """The checks that an answer fails, computed without the graph; None if only the graph can check."""
        del answer
        return None

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        """Whether two answers are the same: within tolerances, and up to declared symmetries."""
        return close(one, other, self.tolerance)

    def settle_ties(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The equally good answer that a documented convention prefers (earliest, least change), or the given one.

        The runtime checks the result and discards it if it fails a check or costs more.
        """
        return answer


class Task:
    """Reads requests.

    Args:
        header: The artefact's header.

    Attributes:
        reading: The class of the readings that `read` returns, or a base class of them. Tools derive from it whether the task may
            ask questions.
        spans_lines: Whether a request in the notation of `Understands.parse` may span lines: a text file then holds one request.
    """

    reading: type[Reading] = Reading
    spans_lines: bool = False

    def __init__(self, header: Header) -> None:
        self.header = header

    def read(self, request: dict[str, Any]) -> Reading:
        """Interpret a request.

        Args:
            request: Plain JSON that has passed the header's schema. The reading may keep it.

        Raises:
            RequestError: If the request passes the schema and still has no meaning.
        """
        return self.reading(self.header, request)


def listed(tensor: NDArray[Any]) -> Any:
    """Convert a tensor to nested lists. float16 and float32 become the shortest equivalent decimals: 0.1, not 0.10000000149."""
    if tensor.dtype in (np.float16, np.float32):
        return tensor.astype(np.str_).astype(np.float64).tolist()
    return tensor.tolist()


def tensors_of(specs: Mapping[str, Spec], values: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Convert properties to the tensors of the same name.

    Raises:
        RequestError: If one is missing, or is not an array of its dtype and shape.
    """
    tensors: dict[str, NDArray[Any]] = {}
    faults: list[Fault] = []
    for name, spec in specs.items():
        if name not in values:
            faults.append(Fault(name, "This is missing."))
            continue
        try:
            given = np.asarray(values[name])
            tensors[name] = given.astype(spec.dtype)
        except (ValueError, TypeError, OverflowError):
            faults.append(Fault(name, f"This must be an array of {spec.dtype} of shape {spec.text}."))
            continue
        exact = given.dtype == spec.dtype or spec.dtype.kind not in "iu" or given.dtype.kind not in "iuf"
        if not exact and given.size and (tensors[name] != given).any():
            kept = np.iinfo(spec.dtype)
            faults.append(
                Fault(name, f"This must hold whole numbers from {kept.min} to {kept.max}, as {spec.dtype} does.")
            )
        faults += misshapen(name, tensors[name].shape, spec)
    if faults:
        raise RequestError(faults)
    return tensors


def close(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two plain JSON values are equal, with a relative tolerance for floating-point numbers."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(close(value, other[name], tolerance) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        if one == other:
            return True
        try:
            a, b = np.asarray(one), np.asarray(other)
        except ValueError:  # ragged
            return len(one) == len(other) and all(close(a, b, tolerance) for a, b in zip(one, other, strict=True))
        if a.shape != b.shape:
            return False
        if a.dtype.kind in "iuf" and b.dtype.kind in "iuf" and "f" in (a.dtype.kind, b.dtype.kind):
            bound = tolerance * max(1.0, float(np.abs(a).max(initial=0)), float(np.abs(b).max(initial=0)))
            return bool((np.abs(a - b) <= bound).all())
        if a.dtype.kind == "O":
            return len(one) == len(other) and all(close(a, b, tolerance) for a, b in zip(one, other, strict=True))
        return False
    if isinstance(one, int | float) and isinstance(other, int | float) and float in (type(one), type(other)):
        return math.isclose(one, other, rel_tol=tolerance, abs_tol=tolerance)
    return bool(one == other)


def find(header: Header) -> Task:
    """Return the task that a header names, or the default task.

    Raises:
        TaskError: If no installed package provides the task, or its class cannot be instantiated.
    """
    if header.task is None:
        return Task(header)
    from importlib.metadata import entry_points  # slow to import, see `_catalog`

    # Every call of it reads the metadata of all installed packages.
    entries = entry_points(group=GROUP)
    for entry in entries:
        if entry.name == header.task:
            kind = entry.load()
            found: Task = kind(header)
            return found
    known = ", ".join(sorted({entry.name for entry in entries})) or "none"
    raise TaskError(
        f"The artefact {header.name!r} needs the task {header.task!r}, which no installed package provides (installed: {known})."
    )
