"""docs/learn.md: its program is a file, and prints what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs import pages


def test_the_program_is_a_file_and_prints_what_the_page_says(tmp_path: Path) -> None:
    text = pages.read("learn.md")
    script = (pages.SNIPPETS / "learn_rules.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in text
    printed = re.search(r"It prints\n\n```text\n(.*?)```", text, flags=re.DOTALL)
    assert printed is not None
    assert pages.run("learn_rules.py", tmp_path) == printed[1]
