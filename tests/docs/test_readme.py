"""README.md: its Python is files that run, its links lead somewhere, its commands are the ones that CI runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "models").rglob("*.md"))]
SNIPPETS = {
    "solve.py": "solved [5, 3, 4, 6, 7, 8, 9, 1, 2]",
    "tool.py": "solve_sudoku",
    "week.py": "solved mon 14:00",
    "export_own.py": "matches PyTorch at batches 1, 2, 7, 16",
    "asks.py": "ambiguous · Which digit stands in row",
    "figure.py": "solved [1.0, 2.598076211353] 4.769696007085",
    "learns.py": "solved {'mon': 'early'",
    "train_tool.py": "solve_denoise",
}


def test_every_python_block_of_the_readme_is_a_file_that_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    files = [(ROOT / "docs" / "snippets" / name).read_text(encoding="utf-8") for name in SNIPPETS]
    assert sorted(blocks) == sorted(files)


@pytest.mark.parametrize(("name", "said"), SNIPPETS.items())
def test_a_snippet_prints_what_it_should(name: str, said: str, tmp_path: Path) -> None:
    script = ROOT / "docs" / "snippets" / name
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_training_takes_thirty_lines_from_data_to_a_tool() -> None:
    lines = (ROOT / "docs" / "snippets" / "train_tool.py").read_text(encoding="utf-8").splitlines()
    assert sum(bool(line.strip()) for line in lines) <= 30


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for link in re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), link


def test_the_commands_that_ci_runs_are_in_the_readme() -> None:
    for name in ("run", "test"):
        block = re.search(rf"<!-- {name} -->\n```bash\n(.+)\n```\n", README)
        assert block is not None
        assert "pip install" in block[1]
