"""Timetables and weeks of meetings: requests as people write them, compiled to typed constraints, answers checked exactly."""

from pathlib import Path


def artefact() -> Path:
    """The file, whose graph is that of the model ``constraints``, for the entry-point group ``groundstate.models``."""
    return Path(__file__).parent / "scheduling.onnx"
