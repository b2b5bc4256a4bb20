"""Layout: objects find their places in an area. See `CARD.md`."""

from pathlib import Path


def artefact() -> Path:
    """The file of the energy, for the entry-point group ``groundstate.models``."""
    return Path(__file__).parent / "layout.onnx"


def settings() -> Path:
    """The settings of the exported file, as JSON."""
    return Path(__file__).parent / "settings.json"
