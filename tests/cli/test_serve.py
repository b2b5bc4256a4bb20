"""`groundstate serve`: what it refuses, before anything is served. Served models are in tests/mcp."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import Groundstate


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["sudoku"], "Name the protocol: --mcp, the Model Context Protocol, or --http, plain HTTP; or both."),
        (
            ["--mcp", "sudoku", "--port", "8000"],
            "--host, --port, --token-file, --no-auth, --allow-host and --allow-origin are for --http",
        ),
        (["--mcp", "sudoku", "--http", "--port", "70000"], "Invalid value for '--port'"),
        (["--mcp", "sudoku_4x4", "--http", "--host", "0.0.0.0", "--port", "0"], "require a token (--token-file)"),
        (["--mcp", "sudoku_4x4", "--http", "--token-file", "nowhere"], "--token-file 'nowhere' cannot be read"),
        (["--mcp", "sudoku_4x4", "--http", "--token-file", "a", "--no-auth"], "contradict each other"),
        (
            ["--mcp", "sudokku"],
            "There is no installed model 'sudokku', and no file of that name. Did you mean 'sudoku'?",
        ),
        (["--mcp", "sudoku", "sudoku"], "Two of the models are named 'sudoku'"),
        (["--mcp", "--folder", "nowhere"], "Invalid value for '--folder'"),
        (["--mcp", "sudoku_4x4", "--restarts", "0"], "restarts is 0; it must be a whole number of at least 1"),
        (["--mcp", "sudoku_4x4", "--detail", "all"], "detail is 'all'; it must be 'brief' or 'full'."),
        (["--mcp", "sudoku_4x4", "--on-question", "ask"], "on_question is 'ask'; it must be 'elicit' or 'return'."),
        (["--mcp", "sudoku_4x4", "--device", "cuda"], "CUDAExecutionProvider"),
        (["--http", "sudoku_4x4", "--restarts", "2"], "--restarts can only be given with --mcp"),
        (["--http", "sudoku_4x4", "--host", "0.0.0.0"], "can be reached from other machines; set a token"),
        (["--http", "sudoku_4x4", "--deadline", "-1"], "deadline is -1.0; it must be a positive number of seconds"),
    ],
)
def test_bad_arguments_are_told_in_one_line(arguments: list[str], told: str, groundstate: Groundstate) -> None:
    ran = groundstate("serve", *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert told in ran.err
    assert ran.err.count("\n") == 1


def test_a_folder_without_models_is_told(groundstate: Groundstate, tmp_path: Path) -> None:
    ran = groundstate("serve", "--mcp", "--folder", str(tmp_path))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"groundstate: There is no .onnx file in {str(tmp_path)!r}.\n"


def test_a_port_in_use_is_told(groundstate: Groundstate) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = groundstate("serve", "--mcp", "sudoku_4x4", "--http", "--port", str(port))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == f"groundstate: '127.0.0.1', port {port}, cannot be listened on: Address already in use.\n"


def test_without_mcp_it_says_what_to_install(groundstate: Groundstate, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] in {"mcp", "groundstate_mcp"}]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "mcp", None)
    ran = groundstate("serve", "--mcp", "sudoku")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("groundstate: The command 'serve' cannot be loaded: ")
    assert ran.err.count("pip install 'groundstate[mcp]'") == 1
    assert ran.err.count("\n") == 1
