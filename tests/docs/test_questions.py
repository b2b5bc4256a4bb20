"""docs/questions.md: its program says what the page says, and the page names what there is."""

from __future__ import annotations

from pathlib import Path

import groundstate as gs
from groundstate import _ask, _problems
from tests.docs import pages

PAGE = pages.read("questions.md")


def test_the_program_is_the_one_on_the_page_and_says_what_it_says(tmp_path: Path) -> None:
    assert pages.block(PAGE, "ask.py") == (pages.SNIPPETS / "ask.py").read_text(encoding="utf-8")
    assert pages.block(PAGE, "ask.py says") == pages.run("ask.py", tmp_path)


def test_numbers_on_the_page_are_those_of_the_code() -> None:
    assert _ask.PROBED == 4
    assert "takes the four variables" in PAGE.replace("\n", " ")
    (few, short), (many, long) = _problems.EFFORTS[1], _problems.EFFORTS[2]
    assert f"up to {few} chains of {short} steps each, and if none helps, with up to {many} chains of {long:,}" in PAGE


def test_methods_of_a_task_on_the_page_exist() -> None:
    for kind, names in {
        gs.Asks: ("variables", "choices", "fix", "ask", "called", "relaxations", "unique"),
        gs.Shows: ("decided", "summary"),
        gs.Understands: ("coerce",),
    }.items():
        for name in names:
            assert f"`{name}(" in PAGE
            assert callable(getattr(kind, name))


def test_statuses_on_the_page_are_all_there_are() -> None:
    assert all(f"| `{status.name}` |" in PAGE for status in gs.Status)
