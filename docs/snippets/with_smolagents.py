"""smolagents: a tool for `ToolCallingAgent` and `CodeAgent`."""

from typing import Any

import smolagents

import groundstate as gs
from groundstate import tools


class EnergyTool(smolagents.Tool):
    """A `groundstate` tool. Results, including questions, are objects; refusals are text."""

    skip_forward_signature_validation = True  # the schema defines the arguments
    output_type = "any"

    def __init__(self, tool: tools.LLMTool) -> None:
        required = tool.schema.get("required", ())
        self.tool, self.name, self.description = tool, tool.name, tool.description
        self.inputs = {
            name: {"type": "any", "description": name, **part, "nullable": name not in required}
            for name, part in tool.schema["properties"].items()
        }
        super().__init__()

    def forward(self, **arguments: Any) -> Any:
        try:
            return self.tool.call(arguments).record
        except gs.GroundstateError as error:
            return self.tool.refusal(error)


solve_sudoku = EnergyTool(tools.SolveTool("sudoku"))
