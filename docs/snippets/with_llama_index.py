"""LlamaIndex: a function tool with the artefact's schema instead of one from type hints."""

from dataclasses import dataclass, field
from typing import Any

from llama_index.core.tools import FunctionTool, ToolMetadata

from groundstate import tools


@dataclass
class Schema(ToolMetadata):
    """Metadata with an existing JSON schema for the parameters."""

    parameters: dict[str, Any] = field(default_factory=dict)

    def get_parameters_dict(self) -> dict[str, Any]:
        return self.parameters


def function_tool(tool: tools.LLMTool) -> FunctionTool:
    def call(**arguments: Any) -> str:
        return tool.respond(arguments)

    return FunctionTool(fn=call, metadata=Schema(tool.description, tool.name, parameters=tool.schema))


solve_sudoku = function_tool(tools.SolveTool("sudoku"))
