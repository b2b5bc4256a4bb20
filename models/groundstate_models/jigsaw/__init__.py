"""Jigsaws: assembles the pieces of a cut picture with a learned energy of seams. See `CARD.md`."""

from pathlib import Path


def artefact() -> Path:
    """The file of the layout energy, for the entry-point group ``groundstate.models``."""
    return Path(__file__).parent / "jigsaw.onnx"
