"""docs/learn.md and docs/training.md: their programs are files, and print what the pages say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from groundstate_training import losses
from tests.docs import pages


@pytest.mark.parametrize(("page", "snippet"), [("learn.md", "learn_rules.py"), ("training.md", "train_to_tool.py")])
def test_the_program_is_a_file_and_prints_what_the_page_says(page: str, snippet: str, tmp_path: Path) -> None:
    text = pages.read(page)
    script = (pages.SNIPPETS / snippet).read_text(encoding="utf-8")
    assert f"```python\n{script}```" in text
    printed = re.search(r"It prints\n\n```text\n(.*?)```", text, flags=re.DOTALL)
    assert printed is not None
    assert pages.run(snippet, tmp_path) == printed[1]


def test_every_loss_has_a_row() -> None:
    named = set(re.findall(r"`losses\.(\w+)`", pages.read("training.md")))
    public = {name for name, value in vars(losses).items() if getattr(value, "__module__", "") == losses.__name__}
    assert named == public - {"energy_of", "gradient_of"}
