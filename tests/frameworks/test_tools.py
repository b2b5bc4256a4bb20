"""docs/frameworks.md: smolagents, LlamaIndex and DSPy take the tool, and bring back refusals, questions and answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from groundstate import tools
from tests.frameworks.conftest import SHORT, TWO, assert_refused, assert_solved, reply_to

Call = Callable[[dict[str, Any]], str]


def asks_back(call: Call) -> None:
    """Goes through a refusal, a question and its reply."""
    assert_refused(call({"grid": SHORT}))
    assert_solved(call(reply_to(call({"grid": TWO}))))


def test_smolagents_calls_the_tool(example: Any, tool: tools.SolveTool) -> None:
    pytest.importorskip("smolagents")
    shown = example("with_smolagents").solve_sudoku

    def call(arguments: dict[str, Any]) -> str:
        said = shown(**arguments, sanitize_inputs_outputs=True)
        return said if isinstance(said, str) else json.dumps(said)

    asks_back(call)
    assert shown.name == tool.name
    assert shown.inputs["grid"]["items"] == tool.schema["properties"]["grid"]["items"]
    assert [name for name, part in shown.inputs.items() if part["nullable"]] == ["replies", "action", "answer"]


def test_smolagents_shows_the_tool_to_a_model(example: Any, tool: tools.SolveTool) -> None:
    smolagents = pytest.importorskip("smolagents")
    shown = example("with_smolagents").solve_sudoku
    function = smolagents.models.get_tool_json_schema(shown)["function"]
    assert function["parameters"]["required"] == tool.schema["required"]
    assert "def solve_sudoku_4x4(" in shown.to_code_prompt()


@pytest.mark.parametrize("model", ["sudoku", "constraints", "scheduling"])
def test_smolagents_takes_every_installed_model(example: Any, model: str) -> None:
    pytest.importorskip("smolagents")
    real = tools.DescribeTool([tools.opened(model)])
    assert example("with_smolagents").EnergyTool(real).name == "describe_models"


def test_llama_index_calls_the_tool(example: Any, tool: tools.SolveTool) -> None:
    pytest.importorskip("llama_index.core")
    shown = example("with_llama_index").solve_sudoku
    asks_back(lambda arguments: str(shown.call(**arguments).content))
    told = shown.metadata.to_openai_tool()["function"]
    assert told == {"name": tool.name, "description": tool.description, "parameters": tool.schema}


def test_dspy_calls_the_tool(example: Any, tool: tools.SolveTool) -> None:
    pytest.importorskip("dspy")
    shown = example("with_dspy").solve_sudoku
    assert_solved(shown(**reply_to(shown(grid=TWO))))
    # It holds arguments against the schema itself, and says in its own words what is wrong.
    with pytest.raises(ValueError, match=r"\[0, 0, 4\] is too short"):
        shown(grid=SHORT)
    assert (shown.name, shown.desc) == (tool.name, tool.description)
    assert shown.args["grid"] == tool.schema["properties"]["grid"]
