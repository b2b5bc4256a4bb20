"""docs/exporting.md: its examples are files that run."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("export_tool.py", '"status":"solved"'),
        ("export_sizes.py", "solved\n{'colour': ["),
        ("export_stages.py", "solved\n[["),
    ],
)
def test_an_example_is_on_the_page_and_prints_what_it_should(name: str, said: str, tmp_path: Path) -> None:
    script = ROOT / "docs" / "snippets" / name
    page = (ROOT / "docs" / "exporting.md").read_text(encoding="utf-8")
    assert f"```python\n{script.read_text(encoding='utf-8')}```" in page
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout
