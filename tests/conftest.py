"""What the tests of several packages share."""

from __future__ import annotations

import pytest

import groundstate as gs


@pytest.fixture(scope="session")
def sudoku() -> gs.Solver:
    """The bundled model."""
    return gs.load("sudoku")
