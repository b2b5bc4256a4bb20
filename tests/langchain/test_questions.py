"""Questions that the tool returns, and questions that code or a chat model replies to."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from langchain_core.messages import AIMessage, ToolMessage

import groundstate as gs
from langchain_groundstate import EnergyTool, OnQuestion, ask_llm
from tests.langchain.boards import FINISHED, OPEN, OTHER, TWICE, digit, fits
from tests.langchain.scripted import Scripted, called


def invoke(tool: EnergyTool, **args: Any) -> ToolMessage:
    message = tool.invoke(called(tool.name, **args))
    assert isinstance(message, ToolMessage)
    return message


def thinking_of_the_finished_board(question: gs.Question, solution: gs.Solution) -> str:
    return digit(question, FINISHED)


# ── returned ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_question_is_in_the_result_and_replies_in_further_calls_settle_it(small: gs.Solver) -> None:
    tool = EnergyTool.from_model(small)
    replies: dict[str, str] = {}
    while "question" in (said := json.loads(invoke(tool, grid=OPEN, replies=replies).text)):
        assert said["status"] == "ambiguous"
        assert said["question"]["id"] in said["question"]["reply"]
        question = invoke(tool, grid=OPEN, replies=replies).artifact.question
        assert {option["id"] for option in said["question"]["options"]} == {option.id for option in question.options}
        replies[question.id] = digit(question, FINISHED)
    assert replies
    assert (said["status"], said["answer"]) == ("solved", {"grid": FINISHED})


def test_a_contradiction_brings_the_question_what_may_go_and_the_reply_an_answer(small: gs.Solver) -> None:
    tool = EnergyTool.from_model(small, alternatives=1)
    said = json.loads(invoke(tool, grid=TWICE).text)
    assert said["status"] == "infeasible"
    option = said["question"]["options"][0]
    settled = invoke(tool, grid=TWICE, replies={said["question"]["id"]: option["id"]}).artifact
    assert settled.status is gs.Status.SOLVED
    assert fits(settled.answer["grid"], settled.request["grid"])
    erased = [
        was
        for row, old in zip(settled.request["grid"], TWICE, strict=True)
        for now, was in zip(row, old, strict=True)
        if now != was
    ]
    assert erased == [1]


def test_a_reply_that_is_no_option_is_refused_with_those_that_are(small: gs.Solver) -> None:
    tool = EnergyTool.from_model(small)
    question = invoke(tool, grid=OPEN).artifact.question
    refused = invoke(tool, grid=OPEN, replies={question.id: "seven"})
    assert refused.status == "error"
    assert f"replies.{question.id}: 'seven' is none of the options, which are " in refused.text


def test_a_stale_reply_is_refused_with_the_question_that_is_asked_now(small: gs.Solver) -> None:
    tool = EnergyTool.from_model(small)
    stale, asked = (invoke(tool, grid=grid).artifact.question for grid in (OPEN, OTHER))
    refused = invoke(tool, grid=OTHER, replies={stale.id: stale.options[0].id})
    assert refused.status == "error"
    assert (
        f"replies.{stale.id}: There is no such question: the request now brings the question {asked.id!r}"
        in refused.text
    )


# ── code replies ─────────────────────────────────────────────────────────────────────────────────────────────────────────


class Both:
    """Replies in both kinds of call, and keeps which it was."""

    def __init__(self) -> None:
        self.calls: set[str] = set()

    def __call__(self, question: gs.Question, solution: gs.Solution) -> str:
        self.calls.add("sync")
        return digit(question, FINISHED)

    async def acall(self, question: gs.Question, solution: gs.Solution) -> str:
        self.calls.add("async")
        return digit(question, FINISHED)


def test_code_replies_to_all_questions_of_a_call(small: gs.Solver) -> None:
    message = invoke(EnergyTool.from_model(small, on_question=thinking_of_the_finished_board), grid=OPEN)
    assert (message.artifact.status, message.artifact.answer) == (gs.Status.SOLVED, {"grid": FINISHED})
    said = json.loads(message.text)
    assert said["answer"] == {"grid": FINISHED}
    first = invoke(EnergyTool.from_model(small), grid=OPEN).artifact.question
    assert said["asked"][0] == {"id": first.id, "text": first.text, "reply": digit(first, FINISHED)}


def test_how_arguments_were_read_is_said_though_code_replied(small: gs.Solver) -> None:
    text = "".join(str(cell) for row in OPEN for cell in row)
    said = json.loads(invoke(EnergyTool.from_model(small, on_question=thinking_of_the_finished_board), grid=text).text)
    assert said["answer"] == {"grid": FINISHED}
    assert said["read_as"] == ["grid: The text was read as cells, row by row."]


async def test_code_replies_in_asynchronous_calls_whatever_it_is(small: gs.Solver) -> None:
    async def awaited(question: gs.Question, solution: gs.Solution) -> str:
        return digit(question, FINISHED)

    both = Both()
    repliers: list[OnQuestion] = [thinking_of_the_finished_board, awaited, both]
    for replier in repliers:
        tool = EnergyTool.from_model(small, on_question=replier)
        assert (await tool.ainvoke(called(tool.name, grid=OPEN))).artifact.answer == {"grid": FINISHED}
    assert both.calls == {"async"}


def test_a_coroutine_function_in_a_blocking_call_is_told_as_a_fault_of_the_set_up(small: gs.Solver) -> None:
    async def awaited(question: gs.Question, solution: gs.Solution) -> str:
        pytest.fail("a blocking call has awaited a reply")

    refused = invoke(EnergyTool.from_model(small, on_question=awaited), grid=OPEN)
    assert refused.status == "error"
    assert "is asynchronous; await `arun` (LangChain: `ainvoke`). Tell the user; do not retry." in refused.text


def test_code_that_replies_none_leaves_the_question_in_the_result(small: gs.Solver) -> None:
    left = invoke(EnergyTool.from_model(small, on_question=lambda question, solution: None), grid=OPEN)
    assert left.text == invoke(EnergyTool.from_model(small), grid=OPEN).text


def test_code_that_replies_no_option_is_told_as_a_fault_of_the_set_up(small: gs.Solver) -> None:
    refused = invoke(EnergyTool.from_model(small, on_question=lambda question, solution: "seven"), grid=OPEN)
    assert refused.status == "error"
    assert "A reply to a question is not one of its options: " in refused.text
    assert "'seven' is none of the options" in refused.text


def test_an_error_of_the_code_that_replies_rises(small: gs.Solver) -> None:
    def broken(question: gs.Question, solution: gs.Solution) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        invoke(EnergyTool.from_model(small, on_question=broken), grid=OPEN)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"on_question": "interupt"}, "on_question is 'interupt'; it must be 'return', 'interrupt' or a callable."),
        ({"on_question": 3}, "on_question is 3; it must be"),
        ({"on_question": "interrupt", "deadline": 1.0}, "deadline is 1.0 and on_question is 'interrupt'"),
        ({"on_question": "interrupt", "ask": False}, "ask is False, so no question is asked"),
    ],
)
def test_what_does_not_go_together_is_found_when_the_tool_is_made(small: gs.Solver, options: Any, said: str) -> None:
    with pytest.raises(gs.OptionError, match=said):
        EnergyTool.from_model(small, **options)


# ── a chat model replies ─────────────────────────────────────────────────────────────────────────────────────────────────


def choosing(*options: str | None) -> Scripted:
    """A chat model that chooses these, one after another; None: it says something instead."""
    return Scripted(
        replies=[
            AIMessage("Hm.") if option is None else AIMessage("", tool_calls=[called("reply", option=option)])
            for option in options
        ]
    )


def test_a_chat_model_sees_the_question_and_its_options_and_its_choice_holds(small: gs.Solver) -> None:
    question = invoke(EnergyTool.from_model(small), grid=OPEN).artifact.question
    model = choosing(digit(question, FINISHED), *["none"] * 3)
    tool = EnergyTool.from_model(small, on_question=ask_llm(model, instructions="The user likes small digits."))
    solution = invoke(tool, grid=OPEN).artifact
    assert fits(solution.answer["grid"], solution.request["grid"])
    assert digit(question, solution.request["grid"]) == digit(question, FINISHED)

    system, human = model.seen[0]
    assert "The user likes small digits." in system.text
    asked = json.loads(human.text)
    assert asked["request"] == {"grid": OPEN}
    assert asked["question"] == question.text
    assert [option["id"] for option in asked["options"]] == [option.id for option in question.options]
    choices = model.tools[0]["properties"]["option"]["enum"]
    assert choices == [*(option.id for option in question.options), "none"]


async def test_a_chat_model_replies_in_an_asynchronous_call(small: gs.Solver) -> None:
    tool = EnergyTool.from_model(small)
    question = invoke(tool, grid=OPEN).artifact.question
    asking = EnergyTool.from_model(small, on_question=ask_llm(choosing(digit(question, FINISHED), *["none"] * 3)))
    solution = (await asking.ainvoke(called(tool.name, grid=OPEN))).artifact
    assert digit(question, solution.request["grid"]) == digit(question, FINISHED)


@pytest.mark.parametrize("option", ["seven", "none", "", None])
async def test_what_a_chat_model_says_beside_the_options_leaves_the_question_open(
    small: gs.Solver, option: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    model = choosing(option, option)
    tool = EnergyTool.from_model(small, on_question=ask_llm(model))
    left = invoke(EnergyTool.from_model(small), grid=OPEN)
    with caplog.at_level(logging.WARNING, "langchain_groundstate"):
        assert invoke(tool, grid=OPEN).text == left.text
        assert (await tool.ainvoke(called(tool.name, grid=OPEN))).text == left.text
    assert len(model.seen) == 2
    assert ("is not an option" in caplog.text) is (option != "none")


def test_an_option_called_none_can_be_chosen_and_so_can_none_of_the_options(small: gs.Solver) -> None:
    options = tuple(gs.Option(name, name, (), 1) for name in ("none", "some"))
    question = gs.Question("q1", "How many?", "", options, 2)
    solution = gs.Solution(gs.Status.AMBIGUOUS, {}, 0.0, question=question)
    assert ask_llm(choosing("none"))(question, solution) == "none"
    assert ask_llm(choosing("none of these"))(question, solution) is None
