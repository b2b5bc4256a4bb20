"""What pages hold: their snippets, their tables of examples, and both ways to a model for a request."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from langchain_core.messages import ToolMessage

import groundstate as gs
from langchain_groundstate import EnergyTool
from tests.langchain.scripted import called

ROOT = Path(__file__).parents[2]
SNIPPETS = ROOT / "docs" / "snippets"


def read(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def run(name: str, folder: Path) -> str:
    """What a snippet prints, run as a program."""
    done = subprocess.run([sys.executable, SNIPPETS / name], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def rows(page: str) -> list[tuple[str, dict[str, Any]]]:
    """The first cell of each row of a table that ends with an example, and the example; an empty cell is that above it."""
    found: list[tuple[str, dict[str, Any]]] = []
    for first, example in re.findall(r"^\| (.*?) ?\|.*\| `(\{.*\})` \|$", page, flags=re.MULTILINE):
        found.append((first or found[-1][0], json.loads(example)))
    return found


def block(page: str, mark: str) -> str:
    """The block of a page that stands below a comment."""
    found = re.search(rf"<!-- {mark} -->\n```\w+\n(.*?)```", page, flags=re.DOTALL)
    assert found is not None, mark
    return found[1]


def solved(solver: gs.Solver, tool: EnergyTool, request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request that both the solver and a language model's call of the tool have to find."""
    solution = solver.solve(request)
    assert solution.status is gs.Status.SOLVED, (request, solution.violations)
    assert solution.answer is not None
    message = tool.invoke(called(tool.name, **request))
    assert isinstance(message, ToolMessage)
    assert message.status == "success"
    told = json.loads(message.text)
    assert (told["status"], told["answer"]) == ("solved", solution.answer)
    return solution.answer
