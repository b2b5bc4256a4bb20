"""`load` an artefact: by its name, its path, or its bytes."""

from __future__ import annotations

import os
import stat
from typing import Any

from groundstate import _catalog
from groundstate._admission import MOST_WAITING
from groundstate._arguments import whole
from groundstate._ceilings import Ceilings
from groundstate._errors import ArtefactError, OptionError
from groundstate._solver import Solver


def load(
    source: str | os.PathLike[str] | bytes,
    *,
    device: str = "cpu",
    threads: int | None = None,
    max_waiting: int = MOST_WAITING,
    ceilings: Ceilings | None = None,
) -> Solver:
    """Load an energy artefact.

    Args:
        source: The name of an installed model (``"sudoku"``), the path of an ``.onnx`` file, or its bytes.
        device: ``"cpu"``, ``"cuda"``, or ``"cuda:1"`` for the second GPU: the model runs there, or this raises. ``"auto"`` takes
            CUDA if it can run the whole model, else the CPU; `Solver.device_reason` says which and why.
        threads: Number of threads; None means the processors available to this process, which a container's quota may limit.
            Results do not depend on it.
        max_waiting: Maximum number of calls that wait to be taken up, beside those in progress; more raise `BusyError`.
        ceilings: Limits of this host, which the file cannot lift; None means `Ceilings()`.

    Raises:
        UnknownModelError: If there is neither a model nor a file of this name.
        ArtefactError: If the file is not an energy artefact, is damaged, or is of an unknown format.
        ProviderError: If ONNX Runtime is missing or cannot run on the device.
        TaskError: If the artefact needs a task that is not installed.
        OptionError: If `source` has another type, or `device`, `threads`, `max_waiting` or a ceiling is out of range.
    """
    if threads is not None and (isinstance(threads, bool) or not isinstance(threads, int) or threads < 1):
        raise OptionError(f"threads is {threads!r}; it must be a whole number of at least 1.")
    whole("max_waiting", max_waiting, 0)
    if ceilings is not None and not isinstance(ceilings, Ceilings):
        raise OptionError(f"ceilings is of type {type(ceilings).__name__}; it must be a groundstate.Ceilings, or None.")
    ceilings = ceilings or Ceilings()
    settings: dict[str, Any] = {
        "device": device,
        "threads": threads,
        "max_waiting": max_waiting,
        "ceilings": ceilings,
    }
    if isinstance(source, bytes | bytearray):
        return Solver(bytes(source), source="This file", origin="bytes", **settings)
    if not isinstance(source, str | os.PathLike):
        raise OptionError(
            f"The model is {source!r:.60} of type {type(source).__name__}; it must be the name of an installed model, "
            "the path of a file, or its bytes."
        )
    from pathlib import Path  # the import takes a tenth of this package's import time

    path = Path(source)
    origin: str | None = path.name
    try:
        if isinstance(source, str) and not path.suffix and os.sep not in source and not path.is_file():
            path, origin = _catalog.locate(source), None
        with path.open("rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise ArtefactError(f"{str(path)[:200]} is not a regular file, so it is not an energy artefact.")
            # One byte more than is accepted, whatever the file system says about its length.
            data = file.read(ceilings.file + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArtefactError(f"{str(path)[:200]} cannot be read: {reason}.") from None
    return Solver(data, source=f"The file {str(path)[:200]!r}", origin=origin, **settings)
