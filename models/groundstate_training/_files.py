"""Files that survive a kill or a full disk."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from groundstate_training._errors import TrainingError


def write_file(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file under another name and move it to its place, so that an interruption leaves the previous one.

    Args:
        path: Path of the file.
        write: Writes the file to a given path with the same suffix.

    Raises:
        TrainingError: If the file cannot be written. The previous file is unchanged.
    """
    partial = path.with_name(f"partial-{path.name}")
    try:
        write(partial)
        partial.replace(path)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        kept = "; the previous file is unchanged" if path.exists() else ""
        raise TrainingError(f"The file {path} cannot be written ({error}){kept}.") from None
