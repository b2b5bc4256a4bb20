"""docs/training.md: its example is a file that runs, and it names every loss."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from pathlib import Path

from groundstate_training import losses

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
SNIPPET = ROOT / "docs" / "snippets" / "trains.py"


def test_the_example_is_on_the_page_and_removes_most_of_the_noise(tmp_path: Path) -> None:
    assert SNIPPET.read_text(encoding="utf-8") in PAGE
    done = subprocess.run([sys.executable, SNIPPET], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = re.search(r"settled error ([\d.]+) -> ([\d.]+)", done.stdout)
    assert found is not None
    assert float(found[2]) < 0.5 * float(found[1])


def test_every_loss_is_on_the_page() -> None:
    public = [
        name
        for name, value in vars(losses).items()
        if getattr(value, "__module__", "") == losses.__name__ and not name.startswith("_") and not name.endswith("_of")
    ]
    functions = [name for name in public if callable(getattr(losses, name)) or inspect.isclass(getattr(losses, name))]
    assert len(functions) >= 7
    for name in functions:
        assert f"`losses.{name}`" in PAGE, name
