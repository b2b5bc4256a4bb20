"""Anthropic: messages. The loop passes the tool's text on."""

from typing import Any

from anthropic import Anthropic

from groundstate.tools import SolveTool

solve = SolveTool("sudoku")
definition: Any = {"name": solve.name, "description": solve.description, "input_schema": solve.schema}


def converse(client: Anthropic, model: str, messages: list[Any]) -> str:
    """Return the model's last message."""
    while True:
        response = client.messages.create(model=model, max_tokens=2000, messages=messages, tools=[definition])
        messages.append({"role": "assistant", "content": response.content})
        calls = [block for block in response.content if block.type == "tool_use"]
        if not calls:
            return "".join(block.text for block in response.content if block.type == "text")
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": solve.respond(call.input)} for call in calls
        ]
        messages.append({"role": "user", "content": results})
