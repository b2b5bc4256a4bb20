"""Plane geometry from constraints: say what must hold, get the figure. See `CARD.md`."""

from pathlib import Path


def artefact() -> Path:
    """The file of the energy, for the entry-point group ``groundstate.models``."""
    return Path(__file__).parent / "geometry.onnx"


def settings() -> Path:
    """The numbers that the file was made from, as JSON."""
    return Path(__file__).parent / "settings.json"
