"""docs/rules.md: it names every rule and every slot, and its examples run."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import groundstate_export as ge

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
SNIPPETS = {
    "rules_circle.py": "[3.0, 1.0, 2.0]",
    "rules_compose.py": "residual [ True]",
    "rules_own.py": "matches PyTorch at batches 1, 2, 7, 16",
}


@pytest.mark.parametrize(("name", "said"), SNIPPETS.items())
def test_an_example_is_on_the_page_and_prints_what_it_should(name: str, said: str, tmp_path: Path) -> None:
    script = ROOT / "docs" / "snippets" / name
    assert f"```python\n{script.read_text(encoding='utf-8')}```" in PAGE
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_every_rule_and_set_has_a_row_and_its_source_in_its_docstring() -> None:
    kinds = [getattr(ge, name) for name in ge.__all__ if inspect.isclass(getattr(ge, name))]
    public = [k for k in kinds if issubclass(k, ge.Rule | ge.Set) and not inspect.isabstract(k) and k is not ge.Wrapper]
    assert len(public) >= 20
    for kind in public:
        assert re.search(rf"^\| `{kind.__name__}\(", PAGE, flags=re.MULTILINE), kind
        assert re.search(r"\b(1[6-9]|20)\d\d\b", inspect.getdoc(kind) or "") or kind is ge.Box, kind
