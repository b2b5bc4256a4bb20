"""docs/serving.md says what the engine does."""

from __future__ import annotations

import re
from pathlib import Path

import groundstate as gs
from groundstate import _admission, _engine, _group
from tests.docs import pages

PAGE = pages.read("serving.md")


def test_the_app_of_the_page_runs(tmp_path: Path) -> None:
    code = (pages.SNIPPETS / "serving_app.py").read_text("utf-8").partition('"""\n\n')[2].rstrip()
    assert f"```python\n{code}\n```" in PAGE
    first, *news = pages.run("serving_app.py", tmp_path).splitlines()
    assert first == "200 {'solved'}"
    assert news[-1] == "3 answers at the end"


def test_the_numbers_and_names_of_the_page_are_those_of_the_engine() -> None:
    assert f"About {_admission.YOUNG} calls are in progress" in PAGE
    assert f"{_admission.OLD_AFTER} segments no longer count" in PAGE
    assert f"up to {_admission.MOST_ACTIVE} in progress" in PAGE
    assert f"({_admission.MOST_WAITING:,} unless `load` says otherwise)" in PAGE
    assert f"{1000 * _engine.GRACE:.0f} ms more" in PAGE
    assert _group.Call is _engine.Call
    for name in re.findall(r"solver\.(\w+)\(", PAGE):
        assert hasattr(gs.Solver, name)
    for name in re.findall(r"`(\w+Error)`", PAGE):
        assert hasattr(gs, name)
