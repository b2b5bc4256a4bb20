"""What an app gets over plain HTTP: answers, questions, errors with places; and who is kept out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

import groundstate as gs
from groundstate_serve import Settings, build_app
from groundstate_serve._settings import settings_for

OPEN = {"grid": [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]}
FULL = {"grid": [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]}
BASE = "http://localhost:8000"
TOKEN = "a token of many characters"


@pytest.fixture(scope="module")
def small() -> gs.Solver:
    return gs.load("sudoku_4x4")


@pytest.fixture(scope="module")
def client(small: gs.Solver) -> Iterator[TestClient]:
    with TestClient(build_app(small), base_url=BASE) as one:
        yield one


def test_a_request_is_solved(client: TestClient) -> None:
    reply = client.post("/models/sudoku_4x4/solve", json={"request": FULL})
    assert reply.status_code == 200
    assert reply.json()["status"] == "solved"
    assert reply.json()["answer"] == FULL


def test_a_question_is_asked_and_a_reply_taken(client: TestClient) -> None:
    asked = client.post("/models/sudoku_4x4/solve", json={"request": OPEN, "options": {"alternatives": 2}}).json()
    assert asked["status"] == "ambiguous"
    question = asked["question"]
    replies = {question["id"]: question["options"][0]["id"]}
    reply = client.post(
        "/models/sudoku_4x4/solve", json={"request": OPEN, "options": {"alternatives": 2, "replies": replies}}
    )
    assert reply.status_code == 200
    assert reply.json()["question"] is None or reply.json()["question"]["id"] != question["id"]


def test_an_answer_is_scored(client: TestClient) -> None:
    score = client.post("/models/sudoku_4x4/score", json={"request": OPEN, "answer": FULL}).json()
    assert score["valid"] is True
    wrong = client.post("/models/sudoku_4x4/score", json={"request": OPEN, "answer": {"grid": [[1] * 4] * 4}}).json()
    assert wrong["valid"] is False
    assert wrong["violations"]


def test_a_wrong_request_is_refused_with_its_places(client: TestClient) -> None:
    reply = client.post("/models/sudoku_4x4/solve", json={"request": {"grid": [[9, 0, 0, 0]] + [[0] * 4] * 3}})
    assert reply.status_code == 422
    assert reply.json()["faults"][0]["place"] == "grid[0][0]"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "not valid JSON"),
        (b"[1]", "it must be an object"),
        (b"{}", "lacks 'request'"),
        (b'{"request": {}, "more": 1}', "'more' in the body is unknown"),
        (b'{"request": {}, "options": {"speed": 1}}', "The option 'speed' is unknown"),
        (b'{"request": {}, "options": {"deadline": 0}}', "deadline is 0"),
        (b'{"request": {}, "options": {"deadline": 1e9}}', "at most 30 seconds"),
        (b'{"request": {}, "options": {"deadline": true}}', "deadline is True"),
        (b'{"request": {}, "options": {"restarts": -1}}', "restarts is -1"),
        (b"[" * 100_000, "not valid JSON"),
        (b'{"request": "\xff"}', "not valid JSON"),
    ],
)
def test_a_malformed_call_is_refused_with_a_sentence(client: TestClient, body: bytes, says: str) -> None:
    reply = client.post("/models/sudoku_4x4/solve", content=body)
    assert reply.status_code == 400
    assert says in reply.json()["error"]


def test_an_unknown_model_is_not_found(client: TestClient) -> None:
    reply = client.post("/models/chess/solve", json={"request": {}})
    assert (reply.status_code, reply.json()["error"]) == (
        404,
        "There is no model 'chess' here; known are 'sudoku_4x4'.",
    )


def test_the_server_describes_itself(client: TestClient) -> None:
    assert client.get("/health").json() == {"status": "ok", "models": ["sudoku_4x4"], "running": 0}
    assert client.get("/models").json()[0]["name"] == "sudoku_4x4"
    assert "request" in client.get("/models/sudoku_4x4").json()
    document = client.get("/openapi.json").json()
    assert "/models/sudoku_4x4/solve" in document["paths"]
    assert "<h2>" in client.get("/").text


def test_a_body_beyond_the_limit_is_refused_before_it_is_read(small: gs.Solver) -> None:
    with TestClient(build_app(small, Settings(body=1000)), base_url=BASE) as client:
        assert client.post("/models/sudoku_4x4/solve", content=b"x" * 1001).status_code == 413

        def chunks() -> Iterator[bytes]:
            yield from [b"x" * 600] * 2

        assert client.post("/models/sudoku_4x4/solve", content=chunks()).status_code == 413


def test_only_who_has_the_token_is_served(small: gs.Solver) -> None:
    with TestClient(build_app(small, Settings(token=TOKEN)), base_url=BASE) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/models").status_code == 401
        assert client.get("/models", headers={"Authorization": "Bearer wrong"}).status_code == 401
        assert client.get("/models", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200


def test_other_hosts_and_pages_are_refused(client: TestClient) -> None:
    assert client.get("/models", headers={"Host": "evil.example"}).status_code == 421
    assert client.get("/models", headers={"Origin": "https://evil.example"}).status_code == 403


def test_an_address_that_others_reach_needs_a_token_or_an_explicit_word() -> None:
    with pytest.raises(gs.OptionError, match="can be reached from other machines"):
        settings_for("0.0.0.0", None, no_auth=False)
    assert settings_for("0.0.0.0", None, no_auth=True).token is None
    assert settings_for("0.0.0.0", TOKEN, no_auth=False).token == TOKEN
    assert settings_for("127.0.0.1", None, no_auth=False).hosts is not None
    with pytest.raises(gs.OptionError, match="at least 16"):
        Settings(token="short")


async def call(app: Any, *messages: dict[str, Any], path: str = "/models/sudoku_4x4/solve") -> list[dict[str, Any]]:
    """Call an ASGI application with messages; the caller leaves a little later."""
    waiting, sent = list(messages), []

    async def receive() -> dict[str, Any]:
        message = waiting.pop(0) if waiting else {"type": "http.disconnect"}
        await asyncio.sleep(0.1 if message["type"] == "http.disconnect" else 0)
        return message

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }
    await app(scope, receive, send)
    return sent


class _Endless:
    """A solver that goes on until it is cancelled."""

    def __init__(self, real: gs.Solver) -> None:
        self.header, self.cancelled = real.header, False

    async def asolve(self, *_: Any, **__: Any) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise


async def test_a_caller_who_leaves_stops_the_solve(small: gs.Solver) -> None:
    from groundstate_serve._app import _Server

    endless = _Endless(small)
    app = _Server({"sudoku_4x4": endless}, Settings()).app()  # type: ignore[dict-item]  # a solver that never ends
    body = {"type": "http.request", "body": json.dumps({"request": OPEN}).encode(), "more_body": False}
    await asyncio.wait_for(call(app, body, {"type": "http.disconnect"}), 5)
    assert endless.cancelled


async def test_more_calls_than_the_server_takes_are_refused_at_once(small: gs.Solver) -> None:
    from groundstate_serve._app import _Server

    app = _Server({"sudoku_4x4": _Endless(small)}, Settings(waiting=1)).app()  # type: ignore[dict-item]
    body = {"type": "http.request", "body": json.dumps({"request": OPEN}).encode(), "more_body": False}
    first = asyncio.create_task(call(app, body, {"type": "http.disconnect"}))
    await asyncio.sleep(0.02)
    refused = await call(app, body)
    assert refused[0]["status"] == 503
    await first
