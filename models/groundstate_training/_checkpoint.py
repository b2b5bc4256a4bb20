"""Checkpoints: nested mappings of JSON values and arrays, in one ``.npz`` file without pickles.

Arrays are members of the file, named by their path (``rivals/worth``); the rest is one JSON text in the member ``json``.
Therefore a damaged or foreign file cannot run code.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np

from groundstate_training._errors import TrainingError
from groundstate_training._files import write_file

Checkpoint = Mapping[str, Any]
"""Values are JSON values (numbers, strings, booleans, None, lists), arrays of numbers, or mappings of the same kind.

Names are strings without ``/``."""

_JSON = "json"


def write_checkpoint(state: Checkpoint, path: Path) -> None:
    """Write a checkpoint. The previous file stays until the new one is complete.

    Args:
        state: The mapping to save. `read_checkpoint` returns it, with tuples as lists.
        path: A file with the suffix ``.npz``.

    Raises:
        TrainingError: If the file cannot be written.
        TypeError: If the state has values other than JSON values and arrays of numbers.
    """
    arrays: dict[str, Any] = {}
    rest = _without_arrays(state, "", arrays)
    text = np.frombuffer(json.dumps(rest).encode(), np.uint8)
    write_file(path, lambda partial: np.savez_compressed(partial, allow_pickle=False, **{_JSON: text}, **arrays))


def read_checkpoint(path: Path) -> dict[str, Any]:
    """Read a checkpoint.

    Raises:
        TrainingError: If the file cannot be read or is not a checkpoint. The file is unchanged.
    """
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            entries = dict(file)
        state: dict[str, Any] = json.loads(entries.pop(_JSON).tobytes())
        for place, array in entries.items():
            *folders, name = place.split("/")
            folder = state
            for each in folders:
                folder = folder[each]
            folder[name] = array
    except (OSError, ValueError, KeyError, TypeError, AttributeError, EOFError, BadZipFile) as error:
        reason = str(error).partition("\n")[0].rstrip(".")
        raise TrainingError(f"The checkpoint {path} cannot be read ({reason}). Move it away to start again.") from None
    return state


def _without_arrays(state: Checkpoint, prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """The mapping without its arrays; they are added to ``arrays`` under their paths."""
    rest: dict[str, Any] = {}
    for name, value in state.items():
        if not isinstance(name, str) or "/" in name:
            raise TypeError(f"The name {name!r} in a checkpoint must be a string without '/'.")
        if isinstance(value, np.ndarray):
            if value.dtype.kind not in "biuf":
                raise TypeError(
                    f"The array {prefix + name!r} has the dtype {value.dtype}; a checkpoint holds numbers and booleans."
                )
            arrays[prefix + name] = value
        elif isinstance(value, Mapping):
            rest[name] = _without_arrays(value, f"{prefix}{name}/", arrays)
        else:
            rest[name] = value
    return rest
