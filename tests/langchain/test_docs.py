"""docs/langchain.md: its example runs, and is the one on the page."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SNIPPET = ROOT / "docs" / "snippets" / "langchain_agent.py"


def test_the_page_shows_the_example_as_it_runs() -> None:
    page = (ROOT / "docs" / "langchain.md").read_text(encoding="utf-8")
    assert f"```python\n{SNIPPET.read_text(encoding='utf-8')}```" in page


def test_the_example_prints_the_solved_grid(capsys: pytest.CaptureFixture[str]) -> None:
    runpy.run_path(str(SNIPPET), run_name="__main__")
    status, *grid = capsys.readouterr().out.splitlines()
    assert status.startswith("solved in ")
    assert grid[0] == "5 3 4 6 7 8 9 1 2"
    assert grid[8] == "3 4 5 2 8 6 1 7 9"
