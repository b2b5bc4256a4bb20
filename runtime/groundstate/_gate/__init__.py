"""The gate: what an artefact must be before ONNX Runtime sees a byte of it.

An artefact is somebody else's file, and ONNX Runtime runs whatever ONNX can say: functions that expand without end, loops of
2^62 rounds, external data, operators outside the standard. Here the protobuf is read in plain Python, and everything outside
the closed world of `docs/artefact.md` is refused with its place. Limits are the host's; a file cannot lift them.
"""

from __future__ import annotations

from groundstate._errors import ArtefactError
from groundstate._gate._limits import DEFAULT, Limits
from groundstate._gate._model import Passed, read_model

__all__ = ["DEFAULT", "Limits", "Passed", "examine"]


def examine(data: bytes, *, loop: bool = True, limits: Limits = DEFAULT) -> Passed:
    """Read a whole file, and refuse whatever an artefact may not hold.

    Args:
        data: The bytes of an ONNX file.
        loop: Whether its form allows one loop.
        limits: What the host accepts.

    Raises:
        ArtefactError: With what was found, where, and what is allowed.
    """
    if not data:
        raise ArtefactError("The file is empty, so it is not an energy artefact.")
    if len(data) > limits.file:
        raise ArtefactError(f"The file has {len(data):,} bytes; at most {limits.file:,} are accepted.")
    if data[4:8] == b"ORTM":
        raise ArtefactError("The file is in ONNX Runtime's own format (ORT); an energy artefact is an ONNX file.")
    return read_model(data, loop=loop, limits=limits)
