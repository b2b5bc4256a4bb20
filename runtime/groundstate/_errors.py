"""Everything that groundstate raises on purpose.

    GroundstateError
    ├── ArtefactError            the file is not an energy artefact, is damaged, of an unknown format, or its graph fails
    ├── UnknownModelError        no installed model has this name (also a LookupError)
    ├── RequestError             the request is not what the artefact's schema allows (also a ValueError)
    ├── OptionError              an option of a call is out of range (also a ValueError)
    ├── BusyError                too many calls of a solver are waiting
    ├── ClosedError              the solver was closed during the call
    ├── TaskError                the artefact needs a task that is not installed, or the task's code failed
    └── ProviderError            ONNX Runtime, or the requested device, is not available

A problem without an answer is not an error: it is a `Solution` with a status.
"""

from __future__ import annotations

from dataclasses import dataclass

_LONGEST = 800
"""Characters of the message of a fault; longer ones are cut in the middle."""


class GroundstateError(Exception):
    """Any error that groundstate raises on purpose. The message is a whole sentence that says what to change."""


class ArtefactError(GroundstateError):
    """The file is at fault: it is unusable, its graph fails, or its outputs contradict its header."""


class UnknownModelError(GroundstateError, LookupError):
    """No installed model has this name. The message names the nearest one, and the known ones."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a request.

    Attributes:
        place: Where, as a path into the request: ``grid[2][7]``; empty for the request itself.
        message: What is wrong there and what is allowed, as a sentence.
    """

    place: str
    message: str

    def __post_init__(self) -> None:
        # A value from the request may be of any length; the sentence keeps its beginning and its end.
        if len(self.message) > _LONGEST:
            object.__setattr__(
                self, "message", f"{self.message[: 2 * _LONGEST // 3]} … {self.message[-_LONGEST // 4 :]}"
            )
        if len(self.place) > _LONGEST // 4:
            object.__setattr__(self, "place", f"{self.place[: _LONGEST // 4]}…")

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class RequestError(GroundstateError, ValueError):
    """The request violates the schema. Nothing was solved.

    Attributes:
        faults: The faults, in the order of the request; at most one hundred.
    """

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = tuple(faults)
        shown = [str(fault) for fault in faults[:5]]
        if len(faults) > len(shown):
            shown.append(f"and {len(faults) - len(shown)} more.")
        super().__init__(" ".join(shown))

    def __reduce__(self) -> tuple[type[RequestError], tuple[list[Fault]]]:
        # By default, exceptions are rebuilt from their message; this one is built from its faults.
        return type(self), (list(self.faults),)


class OptionError(GroundstateError, ValueError):
    """An option of a call (`restarts`, `max_steps`, `deadline`, `device` …) is out of range."""


class BusyError(GroundstateError):
    """Too many calls of a solver are waiting. Nothing was solved; the same call may succeed a little later.

    Attributes:
        active: Calls in progress.
        waiting: Calls that wait to be taken up.
        limit: The most that may wait: the option `max_waiting` of `load`.
    """

    def __init__(self, active: int, waiting: int, limit: int) -> None:
        self.active, self.waiting, self.limit = active, waiting, limit
        super().__init__(
            f"The solver works on {active} calls, and {waiting} more wait, which is the most that may wait; "
            "call again a little later, or load the model with a larger max_waiting."
        )

    def __reduce__(self) -> tuple[type[BusyError], tuple[int, int, int]]:
        return type(self), (self.active, self.waiting, self.limit)


class ClosedError(GroundstateError):
    """The solver was closed while this call was in progress."""

    def __init__(self, message: str = "The solver was closed while this call was in progress; call it again.") -> None:
        super().__init__(message)


class TaskError(GroundstateError):
    """The artefact names a task that is not installed, or the task's own code failed. The request is not at fault."""


class ProviderError(GroundstateError):
    """ONNX Runtime is missing, or cannot run on the requested device. There is never a silent fallback."""
