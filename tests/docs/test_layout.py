"""docs/layout.md: its example runs and prints what it says, and every statement of its table is understood."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from groundstate_models.layout.request import read as read_request
from tests.docs.pages import SNIPPETS, read, run

PAGE = read("layout.md")
ROWS = re.findall(r"^\| (\w+) \| (`.*) \|$", PAGE, flags=re.MULTILINE)
STATEMENTS = [text for _, cell in ROWS for text in re.findall(r"`([^`]+)`", cell)]


def test_the_example_is_on_the_page_and_prints_what_it_says(tmp_path: Path) -> None:
    script = (SNIPPETS / "layout_room.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in PAGE
    assert f"```text\n{run('layout_room.py', tmp_path)}```" in PAGE


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_statement_of_the_table_is_understood(text: str) -> None:
    items = {
        "bed": [180, 200],
        "desk": [120, 60],
        "tv": [100, 20],
        "wardrobe": [120, 60],
        "lamp": [30, 30],
        "vase": [9, 9],
    }
    area = {"width": 500, "height": 400, "doors": [{"wall": "south"}], "windows": [{"wall": "north"}]}
    assert read_request({"area": area, "items": items, "relations": [text], "unit": "cm"}).stated


def test_the_table_has_a_row_for_every_subject() -> None:
    assert len(ROWS) == 6
    assert len(STATEMENTS) > 25
