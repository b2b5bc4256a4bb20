"""9×9 Sudoku by descent on a learned energy of a few thousand weights. See `CARD.md`."""

from pathlib import Path


def artefact() -> Path:
    """The file of the trained energy, for the entry-point group ``groundstate.models``."""
    return Path(__file__).parent / "sudoku.onnx"


def weights() -> Path:
    """The weights that the file was made from, as NumPy arrays."""
    return Path(__file__).parent / "weights.npz"
