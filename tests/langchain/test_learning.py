"""A language model learns a tool in LangChain: the artifact of the call is the new tool."""

from __future__ import annotations

import itertools

from groundstate_models.learned.process import Budget
from langchain_groundstate import EnergyLearnTool, EnergyTool

ROSTERS = [dict(zip(("mon", "tue", "wed"), people, strict=True)) for people in itertools.permutations("abc")] * 4


def test_the_new_tool_solves_by_what_was_learned_and_a_refusal_is_readable() -> None:
    learn = EnergyLearnTool.within(Budget(seconds=900))
    call = {"name": learn.name, "args": {"examples": ROSTERS, "kind": "rules"}, "id": "1", "type": "tool_call"}
    message = learn.invoke(call)
    tool = message.artifact
    assert isinstance(tool, EnergyTool)
    assert [one.name for one in learn.learned] == ["solve_learned"] == [tool.name]
    assert '"thu"' not in message.content
    assert tool.tool.call({"known": {"mon": "a", "tue": "b"}}).record["answer"]["values"]["wed"] == "c"
    refused = learn.invoke({**call, "args": {"examples": ROSTERS[:2]}})
    assert "learning needs 5" in refused.content
