"""DSPy: a tool for `dspy.ReAct` or any program."""

from typing import Any

import dspy

from groundstate import tools


def dspy_tool(tool: tools.LLMTool) -> dspy.Tool:
    def call(**arguments: Any) -> str:
        return tool.respond(arguments)

    return dspy.Tool(call, name=tool.name, desc=tool.description, args=tool.schema["properties"])


solve_sudoku = dspy_tool(tools.SolveTool("sudoku"))
