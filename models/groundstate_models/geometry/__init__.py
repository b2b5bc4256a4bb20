"""Plane geometry: draws figures from constraints. See `CARD.md`."""

from pathlib import Path


def artefact() -> Path:
    """The file of the energy, for the entry-point group ``groundstate.models``."""
    return Path(__file__).parent / "geometry.onnx"


def settings() -> Path:
    """The settings of the exported file, as JSON."""
    return Path(__file__).parent / "settings.json"
