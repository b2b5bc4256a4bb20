"""docs/exporting.md: its example is a file that runs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_an_energy_becomes_a_tool_as_the_page_says(tmp_path: Path) -> None:
    script = ROOT / "docs" / "snippets" / "export_tool.py"
    page = (ROOT / "docs" / "exporting.md").read_text(encoding="utf-8")
    assert f"```python\n{script.read_text(encoding='utf-8')}```" in page
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert '"status":"solved"' in done.stdout
