"""docs/geometry.md: its example runs and prints what it says, and every statement of its table is understood."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from groundstate_models.geometry.request import read as read_request
from tests.docs.pages import SNIPPETS, read, run

PAGE = read("geometry.md")
ROWS = re.findall(r"^\| (\w+) \| (`.*) \|$", PAGE, flags=re.MULTILINE)
STATEMENTS = [text for _, cell in ROWS for text in re.findall(r"`([^`]+)`", cell) if " " in text]


def test_the_example_is_on_the_page_and_prints_what_it_says(tmp_path: Path) -> None:
    script = (SNIPPETS / "geometry_triangle.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in PAGE
    assert f"```text\n{run('geometry_triangle.py', tmp_path)}```" in PAGE


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_statement_of_the_table_is_understood(text: str) -> None:
    circles = {"k": {"center": "O"}, "m": {"center": "P1"}}
    if text.startswith("circle k through"):
        circles.pop("k")
    assert read_request({"constraints": [text], "circles": circles}).problem.constraints


def test_the_table_has_a_row_for_every_subject() -> None:
    assert len(ROWS) == 9
    assert len(STATEMENTS) > 40
