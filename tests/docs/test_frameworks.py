"""docs/frameworks.md: its examples are the files that tests/frameworks runs, and it shows questions as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

from groundstate.tools import SolveTool
from tests.docs import pages
from tests.frameworks.conftest import TWO

PAGE = pages.read("frameworks.md")


def test_every_example_is_a_file() -> None:
    files = [pages.SNIPPETS / "tools_calls.py", *sorted(pages.SNIPPETS.glob("with_*.py"))]
    blocks = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    assert sorted(blocks) == sorted(file.read_text(encoding="utf-8") for file in files)


def test_a_tool_refuses_asks_and_solves_without_a_framework(tmp_path: Path) -> None:
    name, *refused, asked, solved = pages.run("tools_calls.py", tmp_path).splitlines()
    assert name == "solve_sudoku_4x4 ['grid', 'replies', 'action', 'answer']"
    assert "- grid: There are 3 entries; there must be exactly 4." in refused
    assert asked.startswith("Which digit stands in row ")
    assert json.loads(solved)["status"] == "solved"


def test_a_question_is_shown_as_it_comes() -> None:
    found = re.search(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)
    assert found is not None
    shown = json.loads(found[1])["question"]
    asked = SolveTool("sudoku_4x4").call({"grid": TWO}).record["question"]
    # Which of the four cells is asked about is the energy's to decide.
    assert shown.keys() == asked.keys()
    assert [option.keys() for option in shown["options"]] == [option.keys() for option in asked["options"]]
    assert shown["reply"].replace(shown["id"], asked["id"]) == asked["reply"]
