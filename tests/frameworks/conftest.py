"""The examples of docs/frameworks.md, without a network; a test of a framework that is not installed is skipped."""

from __future__ import annotations

import json
import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytest_socket import disable_socket, enable_socket

import groundstate as gs
from groundstate import tools

SNIPPETS = Path(__file__).parents[2] / "docs" / "snippets"
TWO = [[0, 0, 3, 4], [3, 4, 1, 2], [0, 0, 4, 3], [4, 3, 2, 1]]
"""A puzzle with two solutions, which the digit of any empty cell tells apart."""

SHORT = [*TWO[:2], TWO[2][:3], TWO[3]]


@pytest.fixture(autouse=True)
def no_network() -> Iterator[None]:
    disable_socket(allow_unix_socket=True)  # an event loop needs its socket pair
    yield
    enable_socket()


@pytest.fixture(scope="session")
def small() -> gs.Solver:
    return gs.load("sudoku_4x4")


@pytest.fixture
def tool(small: gs.Solver) -> tools.SolveTool:
    return tools.SolveTool(small)


@pytest.fixture
def example(tool: tools.SolveTool, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """What an example defines, once run; the tools that it makes of "sudoku" are of the small board."""
    monkeypatch.setattr(tools, "SolveTool", lambda _model: tool)
    return lambda name: SimpleNamespace(**runpy.run_path(str(SNIPPETS / f"{name}.py")))


def reply_to(text: str) -> dict[str, Any]:
    """The call that replies to the question in a result about `TWO`."""
    told = json.loads(text)
    assert told["status"] == "ambiguous"
    question = told["question"]
    assert len(question["options"]) == 2
    return {"grid": TWO, "replies": {question["id"]: question["options"][0]["id"]}}


def assert_refused(text: str) -> None:
    """Whether `SHORT` was refused in words that a model can act on."""
    assert "Correct this" in text
    assert "grid[2]: There are 3 entries; there must be exactly 4." in text


def assert_solved(text: str) -> None:
    told = json.loads(text)
    assert told["status"] == "solved"
    for given, filled in zip(TWO, told["answer"]["grid"], strict=True):
        assert [digit if kept else 0 for kept, digit in zip(given, filled, strict=True)] == given
