"""The loops around OpenAI's and Anthropic's own clients: a script stands in for their servers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from groundstate.tools import SolveTool
from tests.frameworks.conftest import SHORT, TWO, assert_refused, assert_solved, reply_to

Turn = dict[str, Any] | str
"""The arguments of a call, or the last word."""


def script(seen: list[str]) -> Iterator[Turn]:
    """A model that sends a row too short, then the puzzle, then a reply to the question, and then has done.

    Args:
        seen: Results of its calls so far, which the server adds to.
    """
    yield {"grid": SHORT}
    assert_refused(seen[-1])
    yield {"grid": TWO}
    yield reply_to(seen[-1])
    assert_solved(seen[-1])
    yield "Done."


class Server:
    """Plays a provider: reads results out of a request, and puts the script's next turn into a response.

    Args:
        results: The results of calls in a request.
        turn: The response for a turn.
    """

    def __init__(self, results: Callable[[Any], list[str]], turn: Callable[[Turn], dict[str, Any]]) -> None:
        httpx = pytest.importorskip("httpx2")
        self.seen: list[str] = []
        self.requests: list[dict[str, Any]] = []
        turns = script(self.seen)

        def reply(request: Any) -> Any:
            self.requests.append(json.loads(request.content))
            self.seen += results(self.requests[-1])[-1:]
            return httpx.Response(200, json=turn(next(turns)))

        self.client = httpx.Client(transport=httpx.MockTransport(reply))


def test_openai_chat_completions_carry_a_refusal_a_question_and_its_reply(example: Any, tool: SolveTool) -> None:
    openai = pytest.importorskip("openai")

    def turn(said: Turn) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": said if isinstance(said, str) else None}
        if isinstance(said, dict):
            function = {"name": tool.name, "arguments": json.dumps(said)}
            message["tool_calls"] = [{"id": "1", "type": "function", "function": function}]
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        return {"id": "1", "object": "chat.completion", "created": 0, "model": "scripted", "choices": [choice]}

    server = Server(lambda sent: [m["content"] for m in sent["messages"] if m["role"] == "tool"], turn)
    client = openai.OpenAI(api_key="none", http_client=server.client)
    assert example("with_openai").chat(client, "scripted", [{"role": "user", "content": "Solve."}]) == "Done."
    assert server.requests[0]["tools"][0]["function"]["parameters"] == tool.schema


def test_openai_responses_carry_a_refusal_a_question_and_its_reply(example: Any, tool: SolveTool) -> None:
    openai = pytest.importorskip("openai")

    def turn(said: Turn) -> dict[str, Any]:
        if isinstance(said, dict):
            item = {
                "type": "function_call",
                "id": "f",
                "call_id": "1",
                "name": tool.name,
                "arguments": json.dumps(said),
            }
        else:
            content = [{"type": "output_text", "text": said, "annotations": []}]
            item = {"type": "message", "id": "m", "role": "assistant", "status": "completed", "content": content}
        told = {"id": "1", "object": "response", "created_at": 0, "model": "scripted", "output": [item]}
        return {**told, "parallel_tool_calls": False, "tool_choice": "auto", "tools": []}

    server = Server(lambda sent: [i["output"] for i in sent["input"] if i.get("type") == "function_call_output"], turn)
    client = openai.OpenAI(api_key="none", http_client=server.client)
    assert example("with_openai").respond(client, "scripted", [{"role": "user", "content": "Solve."}]) == "Done."
    assert server.requests[0]["tools"][0]["strict"] is False


def test_anthropic_messages_carry_a_refusal_a_question_and_its_reply(example: Any, tool: SolveTool) -> None:
    anthropic = pytest.importorskip("anthropic")

    def results(sent: Any) -> list[str]:
        lists = [m["content"] for m in sent["messages"] if isinstance(m["content"], list)]
        return [block["content"] for blocks in lists for block in blocks if block["type"] == "tool_result"]

    def turn(said: Turn) -> dict[str, Any]:
        call = {"type": "tool_use", "id": "1", "name": tool.name, "input": said}
        block = call if isinstance(said, dict) else {"type": "text", "text": said}
        told = {"id": "1", "type": "message", "role": "assistant", "model": "scripted", "content": [block]}
        usage = {"input_tokens": 1, "output_tokens": 1}
        return {**told, "stop_reason": "end_turn", "stop_sequence": None, "usage": usage}

    server = Server(results, turn)
    client = anthropic.Anthropic(api_key="none", http_client=server.client)
    assert example("with_anthropic").converse(client, "scripted", [{"role": "user", "content": "Solve."}]) == "Done."
    assert server.requests[0]["tools"][0]["input_schema"] == tool.schema
