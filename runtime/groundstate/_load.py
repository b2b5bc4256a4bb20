"""`load` an artefact: by its name, its path, or its bytes."""

from __future__ import annotations

import os

from groundstate import _catalog
from groundstate._arguments import whole
from groundstate._engine import MOST_WAITING
from groundstate._errors import ArtefactError, OptionError
from groundstate._solver import Solver

_LARGEST_FILE = 2**31


def load(
    source: str | os.PathLike[str] | bytes,
    *,
    device: str = "cpu",
    threads: int | None = None,
    max_waiting: int = MOST_WAITING,
) -> Solver:
    """Load an energy artefact.

    Args:
        source: The name of an installed model (``"sudoku"``), the path of an ``.onnx`` file, or its bytes.
        device: ``"cpu"`` or ``"cuda"``. The model runs there, or this raises.
        threads: Number of threads; None means the processors available to this process, which a container's quota may limit.
            Results do not depend on it.
        max_waiting: Maximum number of calls that wait to be taken up, beside those in progress; more raise `BusyError`.

    Raises:
        UnknownModelError: If there is neither a model nor a file of this name.
        ArtefactError: If the file is not an energy artefact, is damaged, or is of an unknown format.
        ProviderError: If ONNX Runtime is missing or cannot run on the device.
        TaskError: If the artefact needs a task that is not installed.
        OptionError: If `source` has another type, or `device`, `threads` or `max_waiting` is out of range.
    """
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise OptionError(f"threads is {threads!r}; it must be a whole number of at least 1.")
    whole("max_waiting", max_waiting, 0)
    if isinstance(source, bytes | bytearray):
        return Solver(bytes(source), device=device, threads=threads, source="This file", max_waiting=max_waiting)
    if not isinstance(source, str | os.PathLike):
        raise OptionError(
            f"The model is {source!r:.60} of type {type(source).__name__}; it must be the name of an installed model, "
            "the path of a file, or its bytes."
        )
    from pathlib import Path  # the import takes a tenth of this package's import time

    path = Path(source)
    try:
        if isinstance(source, str) and not path.suffix and os.sep not in source and not path.is_file():
            path = _catalog.locate(source)
        if path.stat().st_size > _LARGEST_FILE:
            raise ArtefactError(f"{path} has {path.stat().st_size} bytes; an ONNX file holds at most {_LARGEST_FILE}.")
        data = path.read_bytes()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArtefactError(f"{str(path)[:200]} cannot be read: {reason}.") from None
    return Solver(data, device=device, threads=threads, source=f"The file {str(path)!r}", max_waiting=max_waiting)
