"""The gate: what an artefact must be before ONNX Runtime sees a byte of it.

An artefact is somebody else's file, and ONNX Runtime runs whatever ONNX can say: functions that expand without end, loops of
2^62 rounds, external data, operators outside the standard. Here the protobuf is read in plain Python, and everything outside
the closed world of `docs/artefact.md` is refused with its place. Limits are the host's; a file cannot lift them.
"""

from __future__ import annotations

from groundstate._errors import ArtefactError
from groundstate._gate._limits import DEFAULT, Limits
from groundstate._gate._model import Passed, read_model
from groundstate._gate._reader import RefusedError

__all__ = ["DEFAULT", "Limits", "Passed", "examine"]


def examine(data: bytes, *, loop: bool = True, limits: Limits = DEFAULT, source: str = "The file") -> Passed:
    """Read a whole file, and refuse whatever an artefact may not hold.

    Args:
        data: The bytes of an ONNX file.
        loop: Whether its form allows one loop.
        limits: What the host accepts.
        source: What the bytes are, for messages: the subject of a sentence.

    Raises:
        ArtefactError: With what was found, where, and what is allowed.
    """
    if not data:
        raise ArtefactError(f"{source} is empty, so it is not an energy artefact.")
    if len(data) > limits.file:
        raise ArtefactError(f"{source} has {len(data):,} bytes; at most {limits.file:,} are accepted.")
    if data[4:8] == b"ORTM":
        raise ArtefactError(f"{source} is in ONNX Runtime's own format (ORT); an energy artefact is an ONNX file.")
    try:
        return read_model(data, loop=loop, limits=limits)
    except RefusedError as refused:
        raise ArtefactError(refused.sentence(source)) from None
