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


def test_the_table_and_the_weeks_are_files_that_do_what_the_page_says(tmp_path: Path) -> None:
    text = pages.read("learn.md")
    for name in ("learn_table.py", "learn_weeks.py", "learn_answers.py"):
        assert f"```python\n{(pages.SNIPPETS / name).read_text(encoding='utf-8')}```" in text
    assert pages.run("learn_table.py", tmp_path) == "settled price True\n"
    report, _, schedule = pages.run("learn_weeks.py", tmp_path).rstrip().rpartition("\n")
    assert "Review: on fri" in report
    assert "Plan mon" in schedule
    assert "Review fri" in schedule


def test_the_usual_way_is_learned_and_followed_beside_hard_constraints(tmp_path: Path) -> None:
    report, _, answer = pages.run("learn_answers.py", tmp_path).rstrip().rpartition("\n")
    assert "review is usually thu" in report
    assert answer.startswith("solved")
    assert "'review': 'thu'" in answer


def test_every_recipe_of_the_training_page_is_a_file() -> None:
    named = re.findall(r"`docs/snippets/(\w+\.py)`", pages.read("training.md"))
    assert len(named) == 5
    assert all((pages.SNIPPETS / name).is_file() for name in named)
