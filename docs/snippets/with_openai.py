"""OpenAI: chat completions and responses. The loop passes text on; what to say is the tool's."""

from typing import Any

from openai import OpenAI

from groundstate.tools import SolveTool

solve = SolveTool("sudoku")
told = {"name": solve.name, "description": solve.description, "parameters": solve.schema}


def chat(client: OpenAI, model: str, messages: list[Any]) -> str | None:
    """What the model says in the end, in chat completions."""
    while True:
        said = client.chat.completions.create(
            model=model, messages=messages, tools=[{"type": "function", "function": told}]
        )
        message = said.choices[0].message
        messages.append(message)
        if not message.tool_calls:
            return message.content
        for call in message.tool_calls:
            text = solve.respond(call.function.arguments)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": text})


def respond(client: OpenAI, model: str, items: list[Any]) -> str:
    """The same in responses."""
    while True:
        # Strict schemas must require every property, and `replies` is only there to reply to questions.
        said = client.responses.create(model=model, input=items, tools=[{"type": "function", "strict": False, **told}])
        items += said.output
        calls = [item for item in said.output if item.type == "function_call"]
        if not calls:
            return said.output_text
        for call in calls:
            text = solve.respond(call.arguments)
            items.append({"type": "function_call_output", "call_id": call.call_id, "output": text})
