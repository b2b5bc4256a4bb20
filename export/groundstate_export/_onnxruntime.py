"""Imports ONNX Runtime. This is the only import, because telemetry must be turned off before it."""

from __future__ import annotations

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

try:
    import onnxruntime as ort
except ImportError as error:
    raise ImportError(
        "groundstate_export verifies every file with ONNX Runtime: install it with `pip install 'groundstate[cpu]'`, or with "
        "`pip install 'groundstate[gpu]'` on a machine with a GPU."
    ) from error

__all__ = ["ort"]
