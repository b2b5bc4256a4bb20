"""OpenAI: chat completions and responses. The loop passes the tool's text on."""

from typing import Any

from openai import OpenAI

from groundstate.tools import SolveTool

solve = SolveTool("sudoku")
definition = {"name": solve.name, "description": solve.description, "parameters": solve.schema}


def chat(client: OpenAI, model: str, messages: list[Any]) -> str | None:
    """Return the model's last message, with chat completions."""
    while True:
        completion = client.chat.completions.create(
            model=model, messages=messages, tools=[{"type": "function", "function": definition}]
        )
        message = completion.choices[0].message
        messages.append(message)
        if not message.tool_calls:
            return message.content
        for call in message.tool_calls:
            text = solve.respond(call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": text})


def respond(client: OpenAI, model: str, items: list[Any]) -> str:
    """The same with responses."""
    while True:
        # Strict schemas must require every property, but `replies` is optional.
        response = client.responses.create(
            model=model, input=items, tools=[{"type": "function", "strict": False, **definition}]
        )
        items += response.output
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return response.output_text
        for call in calls:
            text = solve.respond(call.arguments)
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": text})
