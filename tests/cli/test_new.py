"""`groundstate new`: the package that it makes, built, installed into an empty environment, and used in every way."""

from __future__ import annotations

import ast
import importlib.util
import json
import site
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from groundstate.cli import main
from tests.cli.conftest import Groundstate

MOST = 60
"""Lines of code of the energy and the task together."""

RING = {"borders": [["A", "B"], ["B", "C"], ["C", "D"], ["D", "E"], ["E", "A"]]}

EVERYWHERE = """
import asyncio, json, sys
import groundstate as gs
from langchain_groundstate import EnergyTool
from mcp import Client
from groundstate_mcp import build_server

request = json.loads(sys.argv[1])
assert "my_map" in gs.models()
solution = gs.load("my_map").solve(request)
read = json.loads(EnergyTool("my_map").invoke(request))

async def serve():
    async with Client(build_server("my_map")) as client:
        result = await client.call_tool("solve_my_map", {**request, "action": "score", "answer": solution.answer})
        resources = (await client.list_resources()).resources
    return result.structured_content, [str(one.uri) for one in resources]

scored, resources = asyncio.run(serve())
print(json.dumps({"python": solution.answer, "langchain": read, "mcp": scored, "resources": resources}))
"""


def ran(*command: str | Path, folder: Path) -> str:
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def right(colours: dict[str, str]) -> bool:
    return all(colours[one] != colours[other] for one, other in RING["borders"])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, with the artefact that the installed exporter wrote."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("new")
    assert main(["new", "my-map", "--into", str(folder)]) == 0
    return folder / "my-map"


@pytest.fixture(scope="module")
def python(made: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of an environment that holds the built wheel, over the packages that are installed here."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    (packages,) = folder.glob("lib/python*/site-packages")
    below = [path for path in (*site.getsitepackages(), *sys.path) if path.endswith("site-packages")]
    lines = [f"import site; site.addsitedir({path!r})" for path in dict.fromkeys(below)]
    (packages / "below.pth").write_text("\n".join(lines) + "\n")
    # With hatchling installed, nothing has to be fetched.
    here = ["--no-build-isolation"] if importlib.util.find_spec("hatchling") else []
    ran(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", *here, "-w", folder, made, folder=made)
    (wheel,) = folder.glob("*.whl")
    ran(
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-index",
        "--target",
        packages,
        wheel,
        folder=made,
    )
    (found,) = folder.glob("bin/python")
    return found


def test_its_own_tests_pass_once_it_is_installed(made: Path, python: Path, tmp_path: Path) -> None:
    tests = made / "tests"
    assert "3 passed" in ran(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", tests, folder=tmp_path)


def test_it_is_a_tool_in_python_langchain_and_mcp(python: Path, tmp_path: Path) -> None:
    told = json.loads(ran(python, "-c", EVERYWHERE, json.dumps(RING), folder=tmp_path))
    assert right(told["python"]["colours"])
    assert right(told["langchain"]["answer"]["colours"])
    assert told["mcp"]["valid"] is True
    assert isinstance(told["mcp"]["energy"], float)
    assert told["resources"] == ["groundstate://models/my_map", "groundstate://models/my_map/card"]


def test_it_is_a_model_of_the_command_line(python: Path, tmp_path: Path) -> None:
    command = (python, "-m", "groundstate.cli")
    assert "my_map  " in ran(*command, "list", folder=tmp_path)
    answer = json.loads(ran(*command, "solve", "my_map", json.dumps(RING), "--json", folder=tmp_path))["answer"]
    assert right(answer["colours"])


def test_the_users_own_part_is_short(made: Path) -> None:
    code = 0
    for name in ("energy.py", "task.py"):
        text = (made / "my_map" / name).read_text()
        bodies = (ast.Module, ast.FunctionDef, ast.ClassDef)
        docstrings = [
            node.body[0] for node in ast.walk(ast.parse(text)) if isinstance(node, bodies) and ast.get_docstring(node)
        ]
        silent = {line for one in docstrings for line in range(one.lineno, (one.end_lineno or one.lineno) + 1)}
        code += sum(bool(line.strip()) and number not in silent for number, line in enumerate(text.splitlines(), 1))
    assert code <= MOST


def test_without_the_exporter_it_says_how_to_write_the_artefact(groundstate: Groundstate, tmp_path: Path) -> None:
    made = groundstate("new", "my_map", "--into", str(tmp_path), "--no-export")
    assert made.code == 0
    assert "groundstate export my_map.energy:export -o my_map/my_map.onnx" in made.out
    assert not list(tmp_path.rglob("*.onnx"))
    assert "@" not in "".join(path.read_text().replace("@pytest", "") for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("My Map", "'My Map' is not a valid package name"),
        ("a" * 41, "is not a valid package name"),
        ("sudoku", "A model 'sudoku' is installed already"),
        ("json", "A module 'json' is installed already"),
        ("taken", "exists already; choose another name"),
    ],
)
def test_names_that_will_not_do_are_refused(name: str, said: str, groundstate: Groundstate, tmp_path: Path) -> None:
    (tmp_path / "taken").mkdir()
    ran = groundstate("new", name, "--into", str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
