"""Finite problems as typed constraints, and one learned energy for all of them. See `CARD.md`."""

from pathlib import Path


def artefact() -> Path:
    """The file of the trained energy, for the entry-point group ``groundstate.models``."""
    return Path(__file__).parent / "constraints.onnx"


def settings() -> Path:
    """The learned numbers of the file, as JSON."""
    return Path(__file__).parent / "settings.json"
