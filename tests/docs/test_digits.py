"""docs/digits.md: its program prints what it says, and its tables name what the schema has."""

from __future__ import annotations

from pathlib import Path

from groundstate_models.digits.schema import answer, request
from tests.docs import pages

PAGE = pages.read("digits.md")


def test_the_program_is_a_file_and_prints_what_the_page_says(tmp_path: Path) -> None:
    script = (pages.SNIPPETS / "digits.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in PAGE
    assert f"```text\n{pages.run('digits.py', tmp_path)}```" in PAGE


def test_the_tables_name_every_property() -> None:
    for name in [*request(28)["properties"], *answer(28)["properties"]]:
        assert f"`{name}`" in PAGE, name
