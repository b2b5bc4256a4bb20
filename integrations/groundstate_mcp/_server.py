"""A server of one or several models: their tools, what they say of themselves, and when a language model is to use them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from typing import Any, Literal, Unpack, get_args

from mcp.server import MCPServer
from mcp.server.mcpserver.resources import Resource, TextResource
from mcp.server.mcpserver.tools import Tool

import groundstate as gs
from groundstate.tools import DescribeTool, Detail, Model, ScoreTool, SolveOptions, SolveTool, card, collected
from groundstate_mcp._tools import ServedSolveTool, ServedTool

OnQuestion = Literal["elicit", "return"]
"""What becomes of a question: it is put to the user where the client can, or it always stays in the result."""

_INSTRUCTIONS = """\
Solvers that roll a whole configuration downhill on a learned energy and check every answer exactly against the rules. \
Hand a problem of the kinds below to its solve tool instead of working it out yourself; check an answer that you have with \
the score tool; call describe_models when unsure what to send.
{models}
Only the statuses "solved" and "ambiguous" carry an answer; "infeasible" is proven, "unsolved" proves nothing. A result with a \
`question` waits for a decision: ask the user, or decide, and call the tool again with the same arguments and `replies`."""


def build_server(
    models: Iterable[Model] | Model,
    *,
    name: str = "groundstate",
    device: str = "cpu",
    on_question: OnQuestion = "elicit",
    detail: Detail = "brief",
    **solve_options: Unpack[SolveOptions],
) -> MCPServer[Any]:
    """A server with two tools a model, ``solve_<name>`` and ``score_<name>``, and ``describe_models``.

    Args:
        models: Names of installed models, paths of artefacts or of folders of them, bytes, or loaded solvers; or one of these.
        name: The server's name, for clients.
        device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
        on_question: ``"elicit"``: a question is put to the user where the client can do that, and stands in the result where it
            cannot, or where the user declines; ``"return"``: it always stands in the result.
        detail: How much a language model reads of an outcome: ``"brief"`` or ``"full"``.
        solve_options: See `groundstate.tools.SolveOptions`; for the solve tool of every model.

    Returns:
        The server; ``run()`` serves it over stdio, ``run("streamable-http", port=…)`` over HTTP.

    Raises:
        GroundstateError: If a model cannot be loaded.
        OptionError: If an option is unknown or out of range, there is no model, or two have the same name.
    """
    if on_question not in get_args(OnQuestion):
        raise gs.OptionError(f"on_question is {on_question!r}; it must be 'elicit' or 'return'.")
    given = [models] if isinstance(models, str | os.PathLike | bytes | gs.Solver) else list(models)
    solvers = collected(given, device)
    tools: list[Tool] = []
    for solver in solvers:
        solve = SolveTool(solver, detail=detail, **solve_options)
        tools += [
            ServedSolveTool.of(solve, asks=on_question == "elicit"),
            ServedTool.of(ScoreTool(solver, detail=detail)),
        ]
    tools.append(ServedTool.of(DescribeTool(solvers)))
    kinds = "\n".join(f"- {solver.header.name}: {solver.header.title}" for solver in solvers)
    return MCPServer(
        name,
        title="groundstate: energy-based solvers",
        instructions=_INSTRUCTIONS.format(models=kinds),
        version=gs.__version__,
        tools=tools,
        resources=[*map(_header, solvers), *_cards(given)],
        log_level="WARNING",
    )


def _header(solver: gs.Solver) -> Resource:
    told = solver.describe()
    return TextResource(
        uri=f"groundstate://models/{told['name']}",
        name=told["name"],
        title=told["title"],
        description="What the model says about itself: schemas, rules, energy terms, defaults, limits, parity with PyTorch.",
        mime_type="application/json",
        text=json.dumps(told, ensure_ascii=False),
    )


def _cards(models: Iterable[Model]) -> list[Resource]:
    found = {name: text for name in models if isinstance(name, str) and (text := card(name)) is not None}
    return [
        TextResource(
            uri=f"groundstate://models/{name}/card",
            name=f"{name} card",
            title=f"Model card of {name}",
            description="What the model does, how it was trained, measured results, limits.",
            mime_type="text/markdown",
            text=text,
        )
        for name, text in found.items()
    ]
