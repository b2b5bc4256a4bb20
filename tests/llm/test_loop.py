"""A real model in the loop: it hands a problem over, is asked, replies, and reads a checked answer.

What it says is never judged: it is a very small one. That its calls reach the tool, its replies settle the question, and its
answers pass every rule is.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from benchmarks.local_llm import LocalModel
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.tools import BaseTool

import groundstate as gs
from langchain_groundstate import EnergyTool
from tests.llm.chat import LocalChat

pytestmark = pytest.mark.llm

TWO_SOLUTIONS = [
    [[0, 0, 3, 4], [3, 4, 1, 2], [0, 0, 4, 3], [4, 3, 2, 1]],
    [[1, 2, 3, 4], [3, 4, 1, 2], [2, 0, 4, 0], [4, 0, 2, 0]],
    [[0, 0, 1, 3], [3, 1, 4, 2], [0, 0, 3, 1], [1, 3, 2, 4]],
]

REGIONS = ["north", "south", "west"]
COLOURS = {"enum": [["red", "green"], ["red", "blue"], ["green", "blue"]]}
PAIR = {"enum": [["north", "south"], ["south", "west"], ["north", "west"]]}
DIFFER = {
    "type": "object",
    "properties": {"type": {"const": "not_equal"}, "variables": PAIR},
    "required": ["type", "variables"],
    "additionalProperties": False,
}
COLOURING = {
    "type": "object",
    "properties": {
        "variables": {
            "type": "object",
            "properties": dict.fromkeys(REGIONS, COLOURS),
            "required": REGIONS,
            "additionalProperties": False,
        },
        "constraints": {"type": "array", "minItems": 2, "maxItems": 2, "items": DIFFER},
    },
    "required": ["variables", "constraints"],
    "additionalProperties": False,
    "examples": [
        {
            "variables": {name: ["red", "blue"] for name in ("a", "b", "c")},
            "constraints": [{"type": "not_equal", "variables": list(pair)} for pair in ("ab", "ac")],
        }
    ],
}
"""The part of a request to `constraints` that a map leaves open: a small model needs a small schema.

Whatever it sends, there are several answers: two colours for each of three regions, in a row or with fewer borders.
"""


def conversation(llm: LocalModel, tool: BaseTool, asked: str) -> tuple[list[AIMessage], list[ToolMessage]]:
    """What the model said, the sentence at the end included, and the results it read."""
    messages = create_agent(LocalChat(llm=llm), [tool]).invoke({"messages": [HumanMessage(asked)]})["messages"]
    said = [message for message in messages if isinstance(message, AIMessage)]
    told = [message for message in messages if isinstance(message, ToolMessage)]
    assert [type(message) for message in messages] == [HumanMessage, *[AIMessage, ToolMessage] * len(told), AIMessage]
    return said, told


def assert_settled(said: list[AIMessage], told: list[ToolMessage]) -> dict[str, Any]:
    """Whether every question was replied to with one of its options, and none was left. Returns the last call's arguments."""
    *calls, last = said
    for call, result, following in zip(calls, told, said[1:], strict=True):
        question = json.loads(result.text).get("question")
        if question is None:
            break
        before, after = call.tool_calls[0]["args"], following.tool_calls[0]["args"]
        reply = after["replies"].pop(question["id"])
        assert reply in [option["id"] for option in question["options"]]
        assert after == {"replies": {}, **before}
        after["replies"][question["id"]] = reply
    assert isinstance(told[-1].artifact, gs.Solution)
    assert told[-1].artifact.question is None
    assert not last.tool_calls
    assert last.text
    arguments: dict[str, Any] = calls[-1].tool_calls[0]["args"]
    return arguments


def test_a_sudoku_with_two_answers_is_settled_by_the_model_itself(llm: LocalModel) -> None:
    solver = gs.load("sudoku_4x4")
    tool = EnergyTool.from_model(solver)
    for grid in TWO_SOLUTIONS:
        said, told = conversation(llm, tool, f"Solve this Sudoku: {json.dumps(grid)}")
        arguments = assert_settled(said, told)
        if arguments["grid"] == grid:
            break
    else:
        pytest.fail("The model copied none of the puzzles.")
    assert [message.artifact.status for message in told] == [gs.Status.AMBIGUOUS, gs.Status.SOLVED]
    final = told[-1].artifact
    assert solver.score({"grid": grid}, final.answer).valid
    (reply,) = arguments["replies"].values()
    question = told[0].artifact.question
    assert solver.score(question.option(reply).apply({"grid": grid}), final.answer).valid


def test_a_map_is_coloured_and_the_model_chooses_where_colours_may_be_swapped(llm: LocalModel) -> None:
    solver = gs.load("constraints")
    tool = EnergyTool.from_model(solver).model_copy(update={"args_schema": COLOURING})
    asked = (
        "Colour the map: north, south and west are each red or green. Neighbours are [north, south] and [south, west]."
    )
    said, told = conversation(llm, tool, asked)
    arguments = assert_settled(said, told)
    statuses = [message.artifact.status for message in told]
    assert statuses[:-1] == [gs.Status.AMBIGUOUS] * len(arguments.pop("replies"))
    assert statuses[-1] is gs.Status.SOLVED
    assert set(arguments["variables"]) == set(REGIONS)
    assert solver.score(arguments, told[-1].artifact.answer).valid
