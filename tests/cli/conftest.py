"""Running the command line as a user does."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from groundstate.cli import main
from groundstate_models.sudoku import artefact


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    err: str


Groundstate = Callable[..., Ran]


@pytest.fixture
def groundstate(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Groundstate:
    """``groundstate("solve", "sudoku", puzzle, stdin="…")``: the exit code, stdout and stderr."""

    def run(*arguments: str, stdin: str = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = main(list(arguments))
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def model() -> Path:
    """The file of the bundled model."""
    return artefact()
