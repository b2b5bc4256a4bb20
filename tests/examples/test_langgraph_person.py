"""examples/langgraph_person.py: a person at the terminal, here one who thinks of a finished board."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "langgraph_person.py"
FINISHED = ["1234", "3412", "2143", "4321"]


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("langgraph_person", EXAMPLE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_person_who_thinks_of_a_board_gets_it(example: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    shown: list[str] = []

    def read(_prompt: str) -> str:
        shown.append(capsys.readouterr().out)
        if len(shown) == 1:
            return "seven"  # a slip, which is refused and costs nothing
        (place,) = re.findall(r"row (\d), column (\d)\?", shown[-1])
        row, column = map(int, place)
        return FINISHED[row - 1][column - 1]

    example.main([], read)
    assert "leaves" in shown[0]
    assert "'seven' is none of the options" in shown[1]
    assert capsys.readouterr().out.splitlines()[-4:] == [" ".join(row) for row in FINISHED]


def test_a_program_without_a_terminal_ends_with_what_was_found() -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLE], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    said, *rows = done.stdout.splitlines()[-5:]
    assert "several" in said
    assert all(sorted(row.split()) == ["1", "2", "3", "4"] for row in rows)
