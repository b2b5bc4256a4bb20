"""A loop that only passes text on: results, refusals and questions come as what the model reads."""

from __future__ import annotations

import json

import pytest

from groundstate import tools
from tests.frameworks.conftest import SHORT, TWO, assert_refused, assert_solved, reply_to


def test_arguments_come_as_an_object_or_as_its_json(tool: tools.SolveTool) -> None:
    asked = tool.respond({"grid": TWO})
    assert asked == tool.respond(json.dumps({"grid": TWO})) == tool.call({"grid": TWO}).text
    assert_solved(tool.respond(json.dumps(reply_to(asked))))


def test_what_the_tool_refuses_is_said_instead_of_raised(tool: tools.SolveTool) -> None:
    assert_refused(tool.respond({"grid": SHORT}))
    assert_refused(tool.respond(json.dumps({"grid": SHORT})))


@pytest.mark.parametrize("text", ['{"grid": [[1, 2', "Solve it!", "[" * 100_000])
def test_text_that_is_no_json_is_refused_with_how_it_begins(tool: tools.SolveTool, text: str) -> None:
    said = tool.respond(text)
    assert f"The arguments are not valid JSON; they begin with {text[:60]!r}." in said
    assert '"grid": [4 × [4 × integer 0 to 4]]' in said


@pytest.mark.parametrize("text", ["null", "[]", "7", '"grid"'])
def test_json_that_is_no_object_is_refused(tool: tools.SolveTool, text: str) -> None:
    assert "refused the arguments" in tool.respond(text)
