"""Finite problems given as typed constraints, and one learned energy for all of them. See `CARD.md`."""

from pathlib import Path


def artefact() -> Path:
    """The file of the trained energy, for the entry-point group ``groundstate.models``."""
    return Path(__file__).parent / "constraints.onnx"


def weights() -> Path:
    """The weights that the file was made from, as NumPy arrays."""
    return Path(__file__).parent / "weights.npz"
