"""Over HTTP with a token: who does not send it is answered with 401."""

from __future__ import annotations

import http.client
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mcp.conftest import COMMAND

HELLO = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    token = tmp_path / "token"
    token.write_text("secret\n")
    command = [*COMMAND, "--http", "--host", "0.0.0.0", "--port", "0", "--token-file", str(token)]
    command += ["--allow-host", "solver.example", "--allow-origin", "https://pages.example"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        found = re.search(r"http://0\.0\.0\.0:(\d+)/mcp", process.stderr.readline())
        assert found is not None
        yield int(found[1])
        process.kill()


def test_only_the_token_lets_a_client_in(port: int) -> None:
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO})
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    headers["Host"] = "solver.example"
    answers = {}
    for given in (None, "Bearer wrong", "Basic secret", "secret", "Bearer secret"):
        one = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        one.request("POST", "/mcp", message, headers | ({} if given is None else {"Authorization": given}))
        answers[given] = one.getresponse().status
        one.close()
    assert answers.pop("Bearer secret") == 200
    assert set(answers.values()) == {401}


def test_other_names_and_pages_are_refused_and_health_is_open(port: int) -> None:
    message = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO})
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    headers["Authorization"] = "Bearer secret"

    def status(method: str, path: str, **more: str) -> int:
        one = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        one.request(method, path, message if method == "POST" else None, headers | more)
        found = one.getresponse().status
        one.close()
        return found

    assert status("POST", "/mcp", Host="solver.example:80") == 200
    assert status("POST", "/mcp", Host="evil.example") == 421
    assert status("POST", "/mcp", Host="solver.example", Origin="https://evil.example") == 403
    assert status("POST", "/mcp", Host="solver.example", Origin="https://pages.example") == 200
    assert status("GET", "/health", Authorization="", Host="solver.example") == 200
