"""The tools of `groundstate.tools` as MCP serves them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Self

import anyio.to_thread
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError, UnexpectedToolError
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, InputRequiredResult, TextContent, ToolAnnotations
from pydantic import ConfigDict, Field

import groundstate as gs
from groundstate import tools
from groundstate_mcp._pulse import Pulse, reported
from groundstate_mcp._questions import Dialogue

_HINTS = {"read_only_hint": True, "destructive_hint": False, "idempotent_hint": True, "open_world_hint": False}


class ServedTool(Tool):
    """A `groundstate.tools.Tool`. Its schema is shown as it is; the runtime validates, which knows more than a schema says.

    `Tool.run` is replaced, which would make a pydantic model of a function's signature and validate with that.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    served: tools.Tool = Field(exclude=True)

    @classmethod
    def of(cls, served: tools.Tool, **fields: Any) -> Self:
        """A tool as MCP serves it."""
        return cls(
            fn=served.call,
            name=served.name,
            title=served.title,
            description=served.description,
            parameters=served.schema,
            fn_metadata=FuncMetadata(arg_model=ArgModelBase, output_schema=served.returns),
            is_async=False,
            annotations=ToolAnnotations(title=served.title, **_HINTS),
            served=served,
            **fields,
        )

    async def run(self, arguments: dict[str, Any], context: Context[Any, Any], convert_result: bool = False) -> Any:
        """The result, or what the client is to answer first.

        Raises:
            ToolError: If the arguments mean nothing; it says to the model what to send.
            UnexpectedToolError: If anything else is raised, which the model is not told.
        """
        del convert_result
        try:
            reply = await self.replied(arguments, context)
        except MCPError:
            raise
        except (gs.RequestError, gs.OptionError) as error:
            raise ToolError(self.served.refusal(error)) from error
        except Exception as error:
            raise UnexpectedToolError(f"{self.name} failed, and the server's log says why. Do not retry.") from error
        if isinstance(reply, InputRequiredResult):
            return reply
        return CallToolResult(content=[TextContent(type="text", text=reply.text)], structured_content=reply.record)

    async def replied(
        self, arguments: Mapping[str, Any], context: Context[Any, Any]
    ) -> tools.Reply | InputRequiredResult:
        """What the tool returns, or what the client is to answer first."""
        del context
        return await anyio.to_thread.run_sync(self.served.call, arguments)


class ServedSolveTool(ServedTool):
    """A `groundstate.tools.SolveTool` that puts its questions to the user where it may and the client can."""

    served: tools.SolveTool = Field(exclude=True)
    asks: bool

    async def replied(
        self, arguments: Mapping[str, Any], context: Context[Any, Any]
    ) -> tools.Reply | InputRequiredResult:
        dialogue = Dialogue(context, may_ask=self.asks)
        with Pulse(self.served.solver.header.steps) as pulse:
            while True:
                solve = partial(self.served.solve, arguments, dialogue.replies, heartbeat=pulse)
                solution, notes = await reported(solve, pulse, context)
                if solution.question is None or not dialogue.may_ask:
                    return self.served.reply(solution, notes, dialogue.asked)
                if (request := await dialogue.ask(solution.question)) is not None:
                    return request
