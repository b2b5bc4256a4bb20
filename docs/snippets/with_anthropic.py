"""Anthropic: messages. The loop passes text on; what to say is the tool's."""

from typing import Any

from anthropic import Anthropic

from groundstate.tools import SolveTool

solve = SolveTool("sudoku")
told: Any = {"name": solve.name, "description": solve.description, "input_schema": solve.schema}


def converse(client: Anthropic, model: str, messages: list[Any]) -> str:
    """What the model says in the end."""
    while True:
        said = client.messages.create(model=model, max_tokens=2000, messages=messages, tools=[told])
        messages.append({"role": "assistant", "content": said.content})
        calls = [block for block in said.content if block.type == "tool_use"]
        if not calls:
            return "".join(block.text for block in said.content if block.type == "text")
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": solve.respond(call.input)} for call in calls
        ]
        messages.append({"role": "user", "content": results})
