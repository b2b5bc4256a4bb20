"""docs/frameworks.md, Pydantic AI: a model that errs is corrected, and a person answers what it cannot know."""

from __future__ import annotations

import json
from typing import Any

import pytest

import groundstate as gs
from groundstate import tools
from tests.frameworks.conftest import SHORT, TWO, assert_refused, assert_solved

pytest.importorskip("pydantic_ai")

FOUR = [[0, 0, 3, 4], [3, 4, 0, 0], [0, 0, 4, 3], [4, 3, 0, 0]]
"""A puzzle with several solutions, which no single cell tells apart."""


def scripted(*turns: dict[str, Any] | str) -> tuple[Any, list[Any]]:
    """A model that sends these arguments, or says these words, one after another; and what it was told before each."""
    from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import FunctionModel

    seen: list[Any] = []

    def reply(messages: list[Any], info: Any) -> ModelResponse:
        turn = turns[len(seen)]
        seen.append(messages[-1].parts[-1])
        name = info.function_tools[0].name
        return ModelResponse([TextPart(turn) if isinstance(turn, str) else ToolCallPart(name, turn)])

    return FunctionModel(reply), seen


def test_a_person_is_asked_and_the_model_reads_the_checked_answer(example: Any, tool: tools.SolveTool) -> None:
    shown = example("with_pydantic_ai")
    model, seen = scripted({"grid": TWO}, "Done.")
    asked: list[gs.Question] = []

    def ask(question: gs.Question) -> str:
        asked.append(question)
        return question.options[-1].id

    with shown.agent.override(model=model):
        assert shown.converse(shown.agent, tool, "Solve.", ask) == "Done."
    assert [len(question.options) for question in asked] == [2]
    assert_solved(json.dumps(seen[-1].content))


def test_a_person_is_asked_until_one_answer_is_left(example: Any, tool: tools.SolveTool) -> None:
    shown = example("with_pydantic_ai")
    model, seen = scripted({"grid": FOUR}, "Done.")
    asked: list[str] = []

    def ask(question: gs.Question) -> str:
        asked.append(question.id)
        return question.options[0].id

    with shown.agent.override(model=model):
        shown.converse(shown.agent, tool, "Solve.", ask)
    assert len(set(asked)) > 1
    assert seen[-1].content["status"] == "solved"


def test_a_model_that_errs_is_told_and_tries_again(example: Any, tool: tools.SolveTool) -> None:
    shown = example("with_pydantic_ai")
    full = tool.call({"grid": TWO}).record["answer"]
    model, seen = scripted({"grid": SHORT}, full, "Done.")

    def ask(question: gs.Question) -> str:
        raise AssertionError(question)

    with shown.agent.override(model=model):
        assert shown.converse(shown.agent, tool, "Solve.", ask) == "Done."
    assert_refused(str(seen[1].content))
    assert len(seen) == 3
