"""docs/equilibrium.md: its example runs and prints what it says, and every statement of its table is understood."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from groundstate_models.equilibrium.words import typed
from tests.docs.pages import SNIPPETS, read, run

PAGE = read("equilibrium.md")
ROWS = re.findall(r"^\| ([\w ]+) \| (`.*) \|$", PAGE, flags=re.MULTILINE)
STATEMENTS = [text for _, cell in ROWS for text in re.findall(r"`([^`{]+)`", cell) if " " in text]


def test_the_example_is_on_the_page_and_prints_what_it_says(tmp_path: Path) -> None:
    script = (SNIPPETS / "equilibrium_states.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in PAGE
    assert f"```text\n{run('equilibrium_states.py', tmp_path)}```" in PAGE


@pytest.mark.parametrize("text", STATEMENTS)
def test_a_statement_of_the_table_is_understood(text: str) -> None:
    assert typed(text)


def test_the_table_has_a_row_for_every_subject() -> None:
    assert len(ROWS) == 9
    assert len(STATEMENTS) > 30
