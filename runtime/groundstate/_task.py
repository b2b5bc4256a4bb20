"""Tasks: how requests become tensors and tensors answers, where the header's schema alone does not say it.

A task is a class that an installed package announces in the entry-point group ``groundstate.tasks``; an artefact names it.
It reads each request once; everything else is asked of the reading. `Task` itself is the default: properties of the request map
to the input tensors of the same name. What a task or a reading may be able to do beside that is in `_abilities`.
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
"""By what share of the largest number (or of 1, where that is more) the numbers of two answers may differ that are the same."""


class Reading:
    """What a request means. Made once for each request by `Task.read`, and asked everything else.

    Args:
        header: The artefact's header.
        request: The request as plain JSON. It has passed the header's schema, and belongs to the reading.

    Attributes:
        tolerance: Of `same`, see `TOLERANCE`; tasks whose answers are finer or coarser set their own.
    """

    tolerance = TOLERANCE

    def __init__(self, header: Header, request: dict[str, Any]) -> None:
        self.header, self.request = header, request

    @property
    def contradictions(self) -> Sequence[Violation]:
        """What in the request itself proves that it has no answer. Must be a proof: empty where in doubt."""
        return ()

    def proof(self, effort: int) -> Sequence[Violation]:
        """What proves that the request has no answer, by more work than `contradictions`: empty while nothing is proven.

        It is called now and then while a descent finds no answer, with an effort that doubles from call to call, and should take
        no longer than about a millisecond of work for each unit of effort. It gives proofs only, never an answer.
        """
        del effort
        return ()

    def least_cost(self, cost: float, effort: int) -> float:
        """A lower bound on what any answer costs, for readings that optimise: ``cost`` itself where nothing costs less.

        It must be proven, and is asked for now and then while an answer that costs less than ``cost`` is looked for, with an
        effort as that of `proof`.
        """
        del cost, effort
        return -math.inf

    def encode(self) -> dict[str, NDArray[Any]]:
        """The input tensors, without the batch; those with defaults may be left out.

        Raises:
            RequestError: If the request means nothing, though the schema allows it.
        """
        given = {
            name: spec for name, spec in self.header.inputs.items() if spec.default is None or name in self.request
        }
        return tensors_of(given, self.request)

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """The answer as plain JSON, from the answer tensors without the batch."""
        return {name: listed(tensor) for name, tensor in tensors.items()}

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        """The answer tensors of somebody else's answer, without the batch; None where the landscape has no place for it."""
        return tensors_of(self.header.answers, answer)

    def check(self, answer: dict[str, Any]) -> list[Violation] | None:
        """The checks that an answer fails, found without the graph; None where only the graph can tell."""
        del answer
        return None

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        """Whether two answers are the same: within tolerances, and up to declared symmetries."""
        return close(one, other, self.tolerance)

    def settle_ties(self, answer: dict[str, Any]) -> dict[str, Any]:
        """An equally good answer that a stated convention prefers (the earliest, the least change), or the one given.

        It is checked again, and dropped where it fails a check or costs more.
        """
        return answer


class Task:
    """Reads requests.

    Args:
        header: The artefact's header.

    Attributes:
        reading: The class of the readings that `read` returns, or a base of them: from it tools know, before there is a request,
            whether questions may come.
    """

    reading: type[Reading] = Reading

    def __init__(self, header: Header) -> None:
        self.header = header

    def read(self, request: dict[str, Any]) -> Reading:
        """What a request means.

        Args:
            request: Plain JSON that has passed the header's schema. The reading may keep it.

        Raises:
            RequestError: If the request means nothing, though the schema allows it.
        """
        return self.reading(self.header, request)


def listed(tensor: NDArray[Any]) -> Any:
    """A tensor as nested lists. Numbers of few bits become the shortest decimals that mean them: 0.1, not 0.10000000149."""
    if tensor.dtype in (np.float16, np.float32):
        return tensor.astype(np.str_).astype(np.float64).tolist()
    return tensor.tolist()


def tensors_of(specs: Mapping[str, Spec], values: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Properties as the tensors of the same name.

    Raises:
        RequestError: If one is missing, or is no array of its dtype and shape.
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
        if spec.dtype.kind in "iu" and given.size and given.dtype.kind in "iuf" and (tensors[name] != given).any():
            kept = np.iinfo(spec.dtype)
            faults.append(
                Fault(name, f"This must hold whole numbers from {kept.min} to {kept.max}, as {spec.dtype} does.")
            )
        faults += misshapen(name, tensors[name].shape, spec)
    if faults:
        raise RequestError(faults)
    return tensors


def close(one: Any, other: Any, tolerance: float) -> bool:
    """Whether two values of plain JSON are equal, numbers with a fraction within a share of the largest number beside them."""
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
    """The task that a header names, or the default one.

    Raises:
        TaskError: If no installed package brings the task, or its class cannot be made.
    """
    if header.task is None:
        return Task(header)
    from importlib.metadata import entry_points  # slow to import, see `_catalog`

    for entry in entry_points(group=GROUP, name=header.task):
        kind = entry.load()
        found: Task = kind(header)
        return found
    known = ", ".join(sorted(entry.name for entry in entry_points(group=GROUP))) or "none"
    raise TaskError(
        f"The artefact {header.name!r} needs the task {header.task!r}, which no installed package brings (installed: {known})."
    )
