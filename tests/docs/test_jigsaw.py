"""docs/jigsaw.md: its program prints what it says, and its tables name what the schema has."""

from __future__ import annotations

from pathlib import Path

from groundstate_models.jigsaw.schema import ANSWER, REQUEST
from tests.docs import pages

PAGE = pages.read("jigsaw.md")


def test_the_program_is_a_file_and_prints_what_the_page_says(tmp_path: Path) -> None:
    script = (pages.SNIPPETS / "jigsaw_symbols.py").read_text(encoding="utf-8")
    assert f"```python\n{script}```" in PAGE
    assert f"```text\n{pages.run('jigsaw_symbols.py', tmp_path)}```" in PAGE


def test_the_tables_name_every_property() -> None:
    for name in [*REQUEST["properties"], *ANSWER["properties"]]:
        assert f"`{name}`" in PAGE, name
