"""Pydantic AI: the agent's run ends when a person has to choose, and continues with the choice."""

from collections.abc import Callable
from typing import Any

from pydantic_ai import Agent, CallDeferred, DeferredToolRequests, DeferredToolResults, ModelRetry, Tool

import groundstate as gs
from groundstate import tools


def solving(tool: tools.SolveTool) -> Tool[None]:
    """The tool for an agent: the model corrects invalid arguments; a person replies to questions."""

    def solve(**arguments: Any) -> dict[str, Any]:
        try:
            reply = tool.call(arguments)
        except (gs.RequestError, gs.BusyError) as error:
            raise ModelRetry(tool.refusal(error)) from error
        if reply.question is not None:
            raise CallDeferred(metadata={"question": reply.question})
        return reply.record

    return Tool.from_schema(solve, tool.name, tool.description, tool.schema)


def converse(agent: Agent[None, Any], tool: tools.SolveTool, prompt: str, ask: Callable[[gs.Question], str]) -> str:
    """Return the model's last message. `ask` replies to every question with the id of an option."""
    run = agent.run_sync(prompt, output_type=[str, DeferredToolRequests])
    while isinstance(waiting := run.output, DeferredToolRequests):
        results = DeferredToolResults()
        for call in waiting.calls:
            conversation = tool.converse(call.args_as_dict())
            results.calls[call.tool_call_id] = conversation.run(lambda question, _: ask(question)).record
        run = agent.run_sync(
            message_history=run.all_messages(),
            deferred_tool_results=results,
            output_type=[str, DeferredToolRequests],
        )
    return run.output


solve_sudoku = tools.SolveTool("sudoku")
agent = Agent(tools=[solving(solve_sudoku)])  # and the name of a model
