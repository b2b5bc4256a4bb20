"""Bodies at rest: positions, forces and stability of nodes, members and blocks. See `CARD.md`."""

from pathlib import Path


def artefact() -> Path:
    """The file of the energy, for the entry-point group ``groundstate.models``."""
    return Path(__file__).parent / "equilibrium.onnx"


def settings() -> Path:
    """The settings of the exported file, as JSON."""
    return Path(__file__).parent / "settings.json"
