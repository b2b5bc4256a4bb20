"""docs/questions.md: its program says what the page says, and the page names what there is."""

from __future__ import annotations

from pathlib import Path

import groundstate as gs
from groundstate import _asking, _problems
from tests.docs import pages

PAGE = pages.read("questions.md")


def test_the_program_is_the_one_on_the_page_and_says_what_it_says(tmp_path: Path) -> None:
    assert pages.block(PAGE, "ask.py") == (pages.SNIPPETS / "ask.py").read_text(encoding="utf-8")
    assert pages.block(PAGE, "ask.py says") == pages.run("ask.py", tmp_path)


def test_numbers_on_the_page_are_those_of_the_code() -> None:
    assert _asking.PROBED == 4
    assert "for the four variables" in PAGE.replace("\n", " ")
    (few, short), (many, long) = _problems.EFFORTS[1], _problems.EFFORTS[2]
    assert f"up to {few} chains of {short} updates each, and if none helps with up to {many} of {long:,}" in PAGE


def test_methods_of_a_task_on_the_page_exist() -> None:
    for name in ("variables", "choices", "fix", "ask", "called", "relaxations", "unique", "decided", "summary", "mend"):
        assert f"`{name}(" in PAGE
        assert callable(getattr(gs.Task, name))


def test_statuses_on_the_page_are_all_there_are() -> None:
    assert all(f"| `{status.name}` |" in PAGE for status in gs.Status)
