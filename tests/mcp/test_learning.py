"""A language model learns a tool over MCP: examples of the conversation in, a listed tool out, within a budget."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp import Client
from mcp.client.subscriptions import ToolsListChanged

import groundstate as gs
from groundstate_mcp import build_server
from groundstate_models.learned.learning import LearnTool
from groundstate_models.learned.process import Budget
from tests.mcp.talking import ERAS, client, record, text

ROSTERS = [
    {"mon": a, "tue": b, "wed": c, "thu": d} for a, b, c, d in itertools.permutations(["ann", "bob", "cleo", "dan"])
]  # everybody once


async def test_a_tool_is_learned_listed_and_used_and_listeners_are_notified(small: gs.Solver, tmp_path: Path) -> None:
    server = build_server(small, learn=LearnTool(tmp_path, budget=Budget(seconds=900)))
    async with client(server, "2026-07-28") as one, one.listen(tools_list_changed=True) as changes:
        before = {tool.name for tool in (await one.list_tools()).tools}
        found = record(await one.call_tool("learn_tool", {"examples": ROSTERS, "name": "roster", "kind": "rules"}))
        assert found["tool"] == "solve_roster"
        assert any("holds every value once" in line for line in found["report"])
        with anyio.fail_after(20):
            assert isinstance(await anext(aiter(changes)), ToolsListChanged)
        after = {tool.name for tool in (await one.list_tools()).tools}
        assert after - before == {"solve_roster"}
        solved = record(await one.call_tool("solve_roster", {"known": {"mon": "ann", "tue": "bob", "wed": "dan"}}))
        assert solved["answer"]["values"]["thu"] == "cleo"
        models = record(await one.call_tool("describe_models", {}))["models"]
        assert "roster" in {model["model"] for model in models}
        taken = await one.call_tool("learn_tool", {"examples": ROSTERS, "name": small.header.name})
        assert taken.is_error
        assert "belongs to a model of this server" in text(taken)
    assert (tmp_path / "roster.onnx").is_file()
    await restarted(small, tmp_path)


async def restarted(small: gs.Solver, folder: Path) -> None:
    """Another server with the same folder offers the tool, until a client has it forgotten."""
    async with client(build_server(small, learn=LearnTool(folder)), "2026-07-28") as one:
        async with one.listen(tools_list_changed=True) as changes:
            solved = record(await one.call_tool("solve_roster", {"known": {"mon": "ann", "tue": "bob", "wed": "dan"}}))
            assert solved["answer"]["values"]["thu"] == "cleo"
            assert "solve_roster is forgotten" in text(await one.call_tool("learn_tool", {"forget": "roster"}))
            with anyio.fail_after(20):
                assert isinstance(await anext(aiter(changes)), ToolsListChanged)
        listed = {tool.name: tool for tool in (await one.list_tools()).tools}
        assert "solve_roster" not in listed
        hints = listed["learn_tool"].annotations
        assert hints is not None
        assert not hints.read_only_hint
        assert {resource.name for resource in (await one.list_resources()).resources}.isdisjoint({"roster"})
    assert list(folder.iterdir()) == []


async def test_a_client_of_the_older_protocol_is_notified_and_refusals_can_be_corrected(
    small: gs.Solver, tmp_path: Path
) -> None:
    changed = anyio.Event()

    async def heard(message: Any) -> None:
        if "ToolListChanged" in type(getattr(message, "root", message)).__name__:
            changed.set()

    server = build_server(small, learn=LearnTool(tmp_path, budget=Budget(seconds=900, tools=1)))
    async with Client(server, mode=ERAS["2025-11-25"], message_handler=heard) as one:
        capabilities = one.server_capabilities
        assert capabilities is not None
        assert capabilities.tools is not None
        assert capabilities.tools.list_changed
        refused = await one.call_tool("learn_tool", {"examples": [[1, 2, 3]] * 4, "name": "few"})
        assert refused.is_error
        assert "learning needs 5" in text(refused)
        record(await one.call_tool("learn_tool", {"examples": ROSTERS, "name": "roster", "kind": "rules"}))
        with anyio.fail_after(20):
            await changed.wait()
        full = await one.call_tool("learn_tool", {"examples": ROSTERS, "name": "another"})
        assert full.is_error
        assert "There is 1 learned tool already" in text(full)


def test_a_server_without_learning_offers_no_such_tool_and_promises_no_changes(small: gs.Solver) -> None:
    capabilities = build_server(small).get_capabilities()
    assert capabilities.tools is not None
    assert not capabilities.tools.list_changed


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"examples": [[1, 2]] * 60}, "There are 120 values; up to 100 are allowed"),
        ({"examples": "1234"}, "must be a list with one example an entry"),
        ({"examples": ROSTERS[:5], "name": "../up"}, "not a word of up to 41 letters"),
        ({"examples": ROSTERS[:5], "run": "code"}, "There is no 'run'"),
        ({"examples": ROSTERS[:5], "known": ["x"]}, "must be a list of objects"),
        ({"examples": ROSTERS[:5], "kind": "shapes"}, "must be 'rules' or 'table'"),
    ],
)
def test_arguments_that_cannot_be_learned_from_are_refused_before_a_process_starts(
    arguments: dict[str, Any], said: str
) -> None:
    tool = LearnTool(budget=Budget(cells=100))
    with pytest.raises(gs.RequestError, match=said):
        tool.call(arguments)
    assert tool.solvers == []


def test_a_call_that_outlasts_its_budget_is_stopped() -> None:
    with pytest.raises(gs.RequestError, match=r"longer than 0\.05 seconds"):
        LearnTool(budget=Budget(seconds=0.05)).call({"examples": ROSTERS})
