"""docs/mcp.md and examples/mcp_session.py: what they show runs."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from mcp import Client, StdioServerParameters

from groundstate_mcp import _questions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
SNIPPET = ROOT / "docs" / "snippets" / "mcp_server.py"
COMMAND, ARGUMENTS = "/path/to/.venv/bin/groundstate", ["serve", "--mcp", "sudoku"]


def ran(script: Path, folder: Path) -> str:
    done = subprocess.run([sys.executable, script], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_page_shows_the_snippet_as_it_runs(tmp_path: Path) -> None:
    assert f"```python\n{SNIPPET.read_text(encoding='utf-8')}```" in PAGE
    assert ran(SNIPPET, tmp_path) == "solved [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]\n"


def test_every_configuration_starts_the_command_that_is_tested_below() -> None:
    blocks = [json.loads(block) for block in re.findall(r"```json\n(.*?)```", PAGE, flags=re.DOTALL)]
    assert [list(block) for block in blocks] == [
        ["mcpServers"],
        ["mcpServers"],
        ["servers"],
        ["mcpServers"],
        ["context_servers"],
    ]
    for block in blocks:
        (servers,) = block.values()
        assert (servers["groundstate"]["command"], servers["groundstate"]["args"]) == (COMMAND, ARGUMENTS)
    assert f"claude mcp add groundstate -- {COMMAND} {' '.join(ARGUMENTS)}\n" in PAGE


def test_python_of_other_packages_is_python_and_starts_that_command_too() -> None:
    for block in re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL):
        compile(block, "docs/mcp.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if "build_server" not in block:
            assert f'"command": "{COMMAND}"' in block
            assert f'"args": {json.dumps(ARGUMENTS)}' in block


@pytest.mark.parametrize(
    "command",
    [[str(Path(sys.executable).with_name("groundstate")), "serve", "--mcp"], [sys.executable, "-m", "groundstate_mcp"]],
)
async def test_the_command_of_the_page_serves_its_tools(command: list[str], tmp_path: Path) -> None:
    server = StdioServerParameters(command=command[0], args=[*command[1:], "sudoku"], cwd=tmp_path)
    async with Client(server) as client:
        names = [tool.name for tool in (await client.list_tools()).tools]
    assert names == ["solve_sudoku", "describe_models"]


def test_the_page_says_how_many_questions_there_may_be() -> None:
    assert _questions.MOST == 10
    assert "at most ten questions a call" in PAGE


def test_the_example_session_is_asked_replies_and_solves_in_both_ways(tmp_path: Path) -> None:
    said = ran(ROOT / "examples" / "mcp_session.py", tmp_path)
    assert said.startswith("solve_sudoku_4x4: Sudoku 4×4\ndescribe_models: ")
    assert re.search(r"The user is asked:\n(  Which digit stands in row \d, column \d\? .+\n)+solved\n", said)
    assert re.search(r"Replied in [1-9]\d* further calls:\nsolved\n", said)
    boards = re.findall(r"solved\n((?:\d \d \d \d\n){4})", said)
    assert len(boards) == 2
    assert boards[0] == boards[1]
