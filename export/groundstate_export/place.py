"""Where in the caller's source something happened."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch

_OURS = (str(Path(__file__).parent), str(Path(torch.__file__).parent))


def place_of(error: BaseException) -> str:
    """The innermost line of an error's traceback that is neither PyTorch's nor ours, as ``" (file.py:12, in forward: …)"``."""
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(_OURS)]
    if not frames:
        return ""
    frame = frames[-1]
    line = f": `{frame.line}`" if frame.line else ""
    return f" ({Path(frame.filename).name}:{frame.lineno}, in {frame.name}{line})"
