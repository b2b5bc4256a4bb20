"""The schemas of the bundled models' tools fit an agent's budget, by the tokens of a real tokenizer."""

from __future__ import annotations

import json

import pytest
from benchmarks.local_llm import LocalModel

import groundstate as gs
from groundstate.tools import DescribeTool, LLMTool, SolveTool, opened

pytestmark = pytest.mark.llm

ALL, ONE = 5000, 1200


@pytest.fixture(scope="module")
def tools() -> list[LLMTool]:
    """What a toolkit, or a server, of every installed model shows to a language model."""
    solvers = [opened(name) for name in gs.models()]
    return [*map(SolveTool, solvers), DescribeTool(solvers)]


def tokens(llm: LocalModel, tool: LLMTool) -> int:
    shown = {"name": tool.name, "description": tool.description, "parameters": tool.schema}
    return llm.tokens(json.dumps(shown, separators=(",", ":"), ensure_ascii=False))


def test_all_tools_together_and_each_alone_fit(llm: LocalModel, tools: list[LLMTool]) -> None:
    counts = {tool.name: tokens(llm, tool) for tool in tools}
    assert {name: count for name, count in counts.items() if count > ONE} == {}
    assert sum(counts.values()) <= ALL, counts


def test_what_the_tool_adds_to_a_request_is_small(llm: LocalModel, sudoku: gs.Solver) -> None:
    bare = SolveTool(sudoku, ask=False, score=False)
    bare.schema["properties"] = {"grid": bare.schema["properties"]["grid"]}
    assert tokens(llm, SolveTool(sudoku)) - tokens(llm, bare) <= 90
