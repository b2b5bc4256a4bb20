"""An MCP server for one or several models: tools, resources, and instructions for the language model."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Any, Literal, Unpack, get_args

from mcp.server import NotificationOptions, Server
from mcp.server.request_state import RequestStateBoundary, RequestStateSecurity
from mcp.server.subscriptions import InMemorySubscriptionBus, ListenHandler, ToolsListChanged
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    InputRequiredResult,
    ListResourcesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    ServerCapabilities,
    TextResourceContents,
)

import groundstate as gs
from groundstate._words import clean
from groundstate.tools import Detail, Model, SolveOptions, SolveTool, collected
from groundstate_mcp import _calls
from groundstate_mcp._calls import Context
from groundstate_mcp._offered import Offered
from groundstate_models.learned.learning import LearnTool

OnQuestion = Literal["elicit", "return"]
"""How questions are handled: ask the user if the client supports it, or always return them in the result."""

_log = logging.getLogger("groundstate_mcp")

_INSTRUCTIONS = """\
Solvers that minimise an energy over a whole configuration and check every answer. Hand a problem of the kinds below to its \
solve tool instead of working it out yourself; to check an answer that you have, send it with action "score"; call \
describe_models when unsure what to send.
{models}
The statuses "solved", "settled" and "ambiguous" carry an answer; "infeasible" is proven, "unsolved" proves nothing. A result \
with a `question` waits for a decision: ask the user, or decide, and call the tool again with the same arguments and `replies`."""


def build_server(
    models: Iterable[Model] | Model,
    *,
    name: str = "groundstate",
    device: str = "cpu",
    ceilings: gs.Ceilings | None = None,
    on_question: OnQuestion = "elicit",
    detail: Detail = "brief",
    learn: LearnTool | None = None,
    **solve_options: Unpack[SolveOptions],
) -> Server[Any]:
    """A server with a tool for each model, ``solve_<name>``, and ``describe_models``.

    A model that cannot be loaded is left out, with a warning in the log, as long as another one can.

    Args:
        models: Installed names, paths of artefacts or folders, bytes, or loaded solvers; or a single one.
        name: The server's name, for clients.
        device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
        ceilings: As in `groundstate.load`. ``Ceilings(files=False)`` keeps callers from naming files of this host.
        on_question: ``"elicit"``: ask the user; return the question in the result if the client cannot ask or the user declines.
            ``"return"``: always return questions in the result.
        detail: Detail of the outcome for the language model: ``"brief"`` or ``"full"``.
        learn: A tool that learns tools from examples. Each learned tool is listed from then on, for all clients of the server;
            clients that listen are notified that the list changed. The names of the models are reserved.
        solve_options: See `groundstate.tools.SolveOptions`; used for every model.

    Returns:
        The server. `groundstate_mcp.serving.over_stdio` and `over_http` run it; ``streamable_http_app`` is an ASGI application;
        the SDK adds authorization.

    Raises:
        GroundstateError: If no model can be loaded.
        OptionError: If an option is unknown or out of range, there is no model, or two have the same name.
    """
    if on_question not in get_args(OnQuestion):
        raise gs.OptionError(f"on_question is {on_question!r}; it must be 'elicit' or 'return'.")
    solvers = collected(models, device, ceilings=ceilings, skipped=_skipped)
    offered = Offered(solvers, learn, lambda solver: SolveTool(solver, detail=detail, **solve_options))
    bus = InMemorySubscriptionBus()

    async def list_tools(_context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_calls.listed(tool) for tool in offered.tools.values()])

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult | InputRequiredResult:
        result = await _calls.called(offered.tools, context, params, asks=on_question == "elicit")
        if changed := offered.refresh():
            await bus.publish(ToolsListChanged())
        if changed or (learn is not None and params.name == learn.name):
            await _notify(context)
        return result

    async def list_resources(_context: Context, _params: PaginatedRequestParams | None) -> ListResourcesResult:
        return ListResourcesResult(resources=[resource for resource, _ in offered.resources.values()])

    async def read_resource(_context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        if params.uri not in offered.resources:
            raise MCPError(INVALID_PARAMS, f"There is no resource {params.uri[:120]!r}.")
        resource, text = offered.resources[params.uri]
        contents = TextResourceContents(uri=params.uri, mime_type=resource.mime_type, text=text)
        return ReadResourceResult(contents=[contents])

    kinds = "\n".join(f"- {solver.header.name}: {' '.join(clean(solver.header.title).split())}" for solver in solvers)
    more: dict[str, Any] = {} if learn is None else {"on_subscriptions_listen": ListenHandler(bus)}
    kind = Server if learn is None else _Learning
    server: Server[Any] = kind(
        name,
        title="groundstate: energy-based solvers",
        instructions=_INSTRUCTIONS.format(models=kinds),
        version=gs.__version__,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_read_resource=read_resource,
        **more,
    )
    # Seals the state that clients of protocol 2026-07-28 carry between rounds.
    server.middleware.append(RequestStateBoundary(RequestStateSecurity.ephemeral(), default_audience=name))
    return server


class _Learning(Server[Any]):
    """A server whose list of tools may change, also for clients of the older protocol."""

    def get_capabilities(
        self, notification_options: NotificationOptions | None = None, *args: Any, **options: Any
    ) -> ServerCapabilities:
        chosen = notification_options or NotificationOptions()
        chosen.tools_changed = True
        return super().get_capabilities(chosen, *args, **options)


async def _notify(context: Context) -> None:
    """Tell a client of the older protocol that the list of tools changed; newer ones listen."""
    if context.protocol_version < "2026":
        await context.session.send_tool_list_changed()


def _skipped(model: Model, error: gs.GroundstateError) -> None:
    what = f"{len(model)} bytes" if isinstance(model, bytes) else clean(str(model))
    _log.warning("%s is not served: %s", what, error)
