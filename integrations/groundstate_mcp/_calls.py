"""A call of a tool, from the protocol to `groundstate.tools` and back."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    TextContent,
    Tool,
    ToolAnnotations,
)

import groundstate as gs
from groundstate._words import did_you_mean
from groundstate.tools import LLMTool, Reply, SolveTool
from groundstate_mcp._progress import ClientLeftError, solved
from groundstate_mcp._questions import InputRequired, User
from groundstate_models.learned.learning import LearnTool

_log = logging.getLogger("groundstate_mcp")

_HINTS = {"read_only_hint": True, "destructive_hint": False, "idempotent_hint": True, "open_world_hint": False}
_LEARNS = _HINTS | {"read_only_hint": False, "destructive_hint": True}
"""Learning adds tools, and forgetting deletes them."""

Context = ServerRequestContext[Any, Any]


def listed(tool: LLMTool) -> Tool:
    """A tool as the protocol lists it."""
    return Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema,
        output_schema=tool.returns,
        annotations=ToolAnnotations(title=tool.title, **(_LEARNS if isinstance(tool, LearnTool) else _HINTS)),
    )


async def called(
    tools: Mapping[str, LLMTool], context: Context, params: CallToolRequestParams, *, asks: bool
) -> CallToolResult | InputRequiredResult:
    """The result of a call, or a request for the client's reply. Wrong arguments give a result with a correction.

    Args:
        tools: The tools by name.
        asks: Whether the user may be asked.

    Raises:
        MCPError: If there is no such tool.
    """
    tool = tools.get(params.name)
    if tool is None:
        hint = did_you_mean(params.name, tools)
        raise MCPError(INVALID_PARAMS, f"There is no tool {params.name[:60]!r}.{hint}")
    try:
        reply = await _reply(tool, context, params, asks=asks)
    except InputRequired as required:
        return required.result
    except gs.GroundstateError as error:
        if not isinstance(error, gs.RequestError | gs.BusyError):
            _log.warning("A call of %s failed: %s", tool.name, error)
        return _refused(tool.refusal(error))
    except ClientLeftError:
        return _refused("The client left.")
    except MCPError:
        raise
    except Exception:  # noqa: BLE001  # the client must not read what else is raised
        _log.exception("A call of %s failed.", tool.name)
        return _refused(f"{tool.name} failed, and the server's log says why. Do not retry.")
    return CallToolResult(content=[TextContent(type="text", text=reply.text)], structured_content=reply.record)


async def _reply(tool: LLMTool, context: Context, params: CallToolRequestParams, *, asks: bool) -> Reply:
    arguments = params.arguments or {}
    if not isinstance(tool, SolveTool):
        return await tool.acall(arguments)
    user = User(context, params) if asks else None
    conversation = tool.converse(arguments, asked=user.asked if user else ())
    return await solved(conversation, user, context)


def _refused(text: str) -> CallToolResult:
    return CallToolResult(content=[TextContent(type="text", text=text)], is_error=True)
