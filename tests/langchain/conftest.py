"""Nothing in this folder needs a network, so none is there."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_socket import disable_socket, enable_socket

import groundstate as gs
from langchain_groundstate import EnergyTool


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LANGSMITH_TRACING", "false")
    disable_socket(allow_unix_socket=True)  # an event loop needs its socket pair
    yield
    enable_socket()


@pytest.fixture
def tool(sudoku: gs.Solver) -> EnergyTool:
    return EnergyTool.from_model(sudoku)


@pytest.fixture(scope="session")
def small() -> gs.Solver:
    """A model that is quick to find several answers, and to ask."""
    return gs.load("sudoku_4x4")
