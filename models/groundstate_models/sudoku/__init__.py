"""Sudoku by descent on a learned energy. All boards share its few numbers. See `CARD.md`."""

from pathlib import Path

from groundstate_models.sudoku.board import Board


def artefact(size: int = 9) -> Path:
    """The file of the trained energy for one board, for the entry-point group ``groundstate.models``."""
    return _file(size)


def artefact_4x4() -> Path:
    """The file for 4×4 boards."""
    return _file(4)


def artefact_6x6() -> Path:
    """The file for 6×6 boards with boxes of two rows and three columns."""
    return _file(6)


def artefact_16x16() -> Path:
    """The file for 16×16 boards."""
    return _file(16)


def _file(size: int) -> Path:
    return Path(__file__).parent / f"{Board.of(size).name}.onnx"


def settings() -> Path:
    """The learned numbers of all files, as JSON."""
    return Path(__file__).parent / "settings.json"
