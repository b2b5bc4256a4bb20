"""A language model solves a Sudoku through the tool. Runs offline: a script stands in for the model."""

import json
from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

from langchain_groundstate import EnergyTool

PUZZLE = """
53..7....
6..195...
.98....6.
8...6...3
4..8.3..1
7...2...6
.6....28.
...419..5
....8..79
"""


class Scripted(BaseChatModel):
    """Copies the puzzle into a tool call, then repeats the result. Any chat model that calls tools can replace it."""

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(self, *_tools: Any, **_options: Any) -> "Scripted":
        return self

    def _generate(self, messages: list[BaseMessage], *_args: Any, **_options: Any) -> ChatResult:
        message = messages[-1]
        if isinstance(message, ToolMessage):
            grid = json.loads(message.text)["answer"]["grid"]
            reply = AIMessage("\n".join(" ".join(map(str, row)) for row in grid))
        else:
            grid = [[int(c) if c.isdigit() else 0 for c in row] for row in message.text.split()]
            reply = AIMessage("", tool_calls=[ToolCall(name="solve_sudoku", args={"grid": grid}, id="1")])
        return ChatResult(generations=[ChatGeneration(message=reply)])


agent = create_agent(Scripted(), [EnergyTool("sudoku")])
messages = agent.invoke({"messages": [HumanMessage(PUZZLE)]})["messages"]

solution = messages[-2].artifact  # the groundstate.Solution, which the model never sees
print(f"{solution.status.value} in {solution.steps} steps, {solution.chains} chains")
print(messages[-1].text)
