"""The gate checks an artefact before ONNX Runtime loads it.

Artefacts come from others, and ONNX Runtime runs everything that ONNX can express: functions that expand without end, loops of
2^62 rounds, external data, operators outside the standard. The gate reads the protobuf in plain Python, and refuses everything
that `docs/artefact.md` does not allow, with its place. The host sets the limits; a file cannot lift them.
"""

from __future__ import annotations

from groundstate._errors import ArtefactError
from groundstate._gate._limits import DEFAULT, Limits
from groundstate._gate._model import Passed, read_model
from groundstate._gate._reader import RefusedError

__all__ = ["DEFAULT", "Limits", "Passed", "examine"]


def examine(data: bytes, *, loop: bool = True, limits: Limits = DEFAULT, source: str = "The file") -> Passed:
    """Read a whole file, and refuse everything that an artefact may not contain.

    Args:
        data: The bytes of an ONNX file.
        loop: Whether its form allows one loop.
        limits: The host's limits.
        source: Name of the file in messages, as the subject of a sentence.

    Raises:
        ArtefactError: With the fault, its place, and what is allowed.
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
