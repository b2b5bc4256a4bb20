"""Timetables and meetings: requests in natural notation, compiled to typed constraints, with an exact check of answers."""

from pathlib import Path


def artefact() -> Path:
    """The file, with the graph of the model ``constraints``, for the entry-point group ``groundstate.models``."""
    return Path(__file__).parent / "scheduling.onnx"
