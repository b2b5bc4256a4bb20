"""An artefact with a changed header, to measure the effect of a setting."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx

from groundstate import _catalog


def with_header(model: str, change: Callable[[dict[str, Any]], object]) -> bytes:
    """The bytes of an artefact whose header was changed; the graph stays.

    Args:
        model: An installed model, or a file.
        change: Changes the header, as JSON, in place.
    """
    path = Path(model) if Path(model).suffix else _catalog.locate(model)
    loaded = onnx.load(path)
    entry = next(entry for entry in loaded.metadata_props if entry.key == "groundstate")
    header = json.loads(entry.value)
    change(header)
    entry.value = json.dumps(header)
    return loaded.SerializeToString()
