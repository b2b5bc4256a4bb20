"""Questions to a person: LangGraph's interrupts, in whole agents with a scripted chat model."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolCall, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command, Interrupt

import groundstate as gs
from langchain_groundstate import EnergyTool
from tests.langchain.boards import FINISHED, OPEN, OTHER, OTHER_FINISHED, TWICE, Grid, digit, fits
from tests.langchain.scripted import Scripted, called

ASKED: Any = {"messages": [HumanMessage("Solve this Sudoku.")]}

Agent = CompiledStateGraph[Any, Any, Any, Any]


@pytest.fixture
def tool(small: gs.Solver) -> EnergyTool:
    return EnergyTool.from_model(small, on_question="interrupt")


def thread(name: str = "1") -> RunnableConfig:
    return {"configurable": {"thread_id": name}}


def agent(tool: EnergyTool, *calls: ToolCall, checkpointer: InMemorySaver | None = None) -> Agent:
    """An agent whose model makes these calls, all at once, and then says that it is done."""
    once = [AIMessage("", tool_calls=list(calls)), AIMessage("Done.")]
    return create_agent(Scripted(replies=once), [tool], checkpointer=checkpointer or InMemorySaver())


def told(state: dict[str, Any]) -> list[dict[str, Any]]:
    """What the model read, call by call."""
    assert "__interrupt__" not in state
    return [json.loads(message.text) for message in state["messages"] if isinstance(message, ToolMessage)]


def followed(
    running: Agent, state: dict[str, Any], config: RunnableConfig, reply: Callable[[Interrupt], Any]
) -> dict[str, Any]:
    """The state after a person has replied to everything that is asked, the last of the interrupts first."""
    for _ in range(100):
        if "__interrupt__" not in state:
            return state
        asked = state["__interrupt__"][-1]
        state = running.invoke(Command(resume={asked.id: reply(asked)}), config)
    raise AssertionError("the questions did not end")


def thinking_of(finished: Grid) -> Callable[[Interrupt], str]:
    return lambda asked: digit(asked.value["question"], finished)


def test_a_person_replies_to_several_questions_in_a_row_in_one_call(tool: EnergyTool) -> None:
    running, config, questions = agent(tool, called(tool.name, grid=OPEN)), thread(), []
    state = running.invoke(ASKED, config)
    while "__interrupt__" in state:
        (asked,) = state["__interrupt__"]
        questions.append(asked.value["question"]["id"])
        state = running.invoke(Command(resume=digit(asked.value["question"], FINISHED)), config)
    assert len(questions) == len(set(questions)) > 1
    (said,) = told(state)
    assert (said["status"], said["answer"]) == ("solved", {"grid": FINISHED})
    assert state["messages"][-1].text == "Done."


async def test_a_person_replies_in_an_asynchronous_run(tool: EnergyTool) -> None:
    running, config = agent(tool, called(tool.name, grid=OPEN)), thread()
    state = await running.ainvoke(ASKED, config)
    while "__interrupt__" in state:
        (asked,) = state["__interrupt__"]
        state = await running.ainvoke(Command(resume={"option": digit(asked.value["question"], FINISHED)}), config)
    (said,) = told(state)
    assert said["answer"] == {"grid": FINISHED}


def test_an_interrupt_holds_all_that_a_person_needs_and_a_schema_for_a_form(tool: EnergyTool, small: gs.Solver) -> None:
    solution = small.solve({"grid": OPEN}, alternatives=2)
    question = solution.question
    assert question is not None
    (asked,) = agent(tool, called(tool.name, grid=OPEN)).invoke(ASKED, thread())["__interrupt__"]
    assert json.loads(json.dumps(asked.value)) == {
        "type": "groundstate_question",
        "tool": "solve_sudoku_4x4",
        "question": json.loads(json.dumps(question.to_json())),
        "status": "ambiguous",
        "explanation": solution.explanation,
        "request": {"grid": OPEN},
        "answer": solution.answer,
        "violations": [],
        "reply": asked.value["reply"],
    }
    assert '{"option": null} takes the result as it is.' in asked.value["reply"]
    choices = asked.response_schema["properties"]["option"]["oneOf"]
    assert [choice["const"] for choice in choices] == [*(option.id for option in question.options), None]
    assert asked.response_schema["title"] == question.text
    assert asked.response_schema["required"] == ["option"]


def test_a_contradiction_is_asked_about_and_what_is_broken_is_said(small: gs.Solver) -> None:
    tool = EnergyTool.from_model(small, on_question="interrupt", alternatives=1)
    running, config = agent(tool, called(tool.name, grid=TWICE)), thread()
    state = running.invoke(ASKED, config)
    (asked,) = state["__interrupt__"]
    assert (asked.value["status"], asked.value["closest"]) == ("infeasible", None)
    assert asked.value["violations"][0]["places"] == ["grid[0][0]", "grid[0][1]"]
    state = running.invoke(Command(resume=asked.value["question"]["options"][0]["label"]), config)
    (said,) = told(state)
    assert said["status"] == "solved"


@pytest.mark.parametrize("by_id", [False, True])
def test_a_person_who_replies_nothing_gets_the_result_as_it_stands(
    tool: EnergyTool, small: gs.Solver, by_id: bool
) -> None:
    running, config = agent(tool, called(tool.name, grid=OPEN)), thread()
    (asked,) = running.invoke(ASKED, config)["__interrupt__"]
    (said,) = told(running.invoke(Command(resume={asked.id: None} if by_id else {"option": None}), config))
    assert said == json.loads(EnergyTool.from_model(small).invoke(called(tool.name, grid=OPEN)).text)


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ("seven", "'seven' is none of the options, which are "),
        ({"option": "7"}, "'7' is none of the options"),
        ({"choice": "1"}, "The reply has 'choice'; it must have 'option'"),
        ({"option": "1", "question": "q0"}, "The reply is for the question 'q0'; the open question is 'q"),
        (["1"], "The option is of type list; it must be a string."),
        (True, "The option is of type bool"),
        ("x" * 999, "'" + "x" * 60 + "' is none of the options"),
    ],
)
def test_a_bad_reply_is_refused_in_a_sentence_and_can_be_given_again(tool: EnergyTool, reply: Any, said: str) -> None:
    running, config = agent(tool, called(tool.name, grid=OPEN)), thread()
    (first,) = running.invoke(ASKED, config)["__interrupt__"]
    for _ in range(2):
        (again,) = running.invoke(Command(resume=reply), config)["__interrupt__"]
        assert again.value["refused"].startswith(said)
        assert {**again.value, "refused": None} == {**first.value, "refused": None}
    right = digit(first.value["question"], FINISHED)
    state = running.invoke(Command(resume={"option": right, "question": first.value["question"]["id"]}), config)
    if "__interrupt__" in state:  # the refusal goes with the question that it was about
        assert "refused" not in state["__interrupt__"][0].value
    (done,) = told(followed(running, state, config, thinking_of(FINISHED)))
    assert done["answer"] == {"grid": FINISHED}


def test_parallel_calls_are_asked_and_replied_to_each_by_its_own_interrupt(tool: EnergyTool) -> None:
    calls = [called(tool.name, str(i), grid=grid) for i, grid in enumerate((OPEN, OTHER, OPEN, FINISHED))]
    running, config = agent(tool, *calls), thread()
    state = running.invoke(ASKED, config)
    boards = {asked.id: asked.value["request"]["grid"] for asked in state["__interrupt__"]}
    assert sorted(boards.values()) == sorted([OPEN, OTHER, OPEN])  # they come as they are found
    declined = next(id_ for id_, board in boards.items() if board == OPEN)

    def reply(asked: Interrupt) -> Any:
        if asked.id == declined:  # of two equal calls one is replied to, and the other left as it is
            return {"option": None}
        finished = FINISHED if fits(FINISHED, asked.value["request"]["grid"]) else OTHER_FINISHED
        return digit(asked.value["question"], finished)

    one, second, other, whole = told(followed(running, state, config, reply))
    assert [said["answer"]["grid"] for said in (second, whole)] == [OTHER_FINISHED, FINISHED]
    assert {said["status"] for said in (one, other)} == {"solved", "ambiguous"}
    assert {"grid": FINISHED} in [said["answer"] for said in (one, other) if said["status"] == "solved"]


def test_all_interrupts_of_a_turn_can_be_replied_to_at_once(tool: EnergyTool) -> None:
    finished = [FINISHED, OTHER_FINISHED]
    calls = [called(tool.name, str(i), grid=grid) for i, grid in enumerate((OPEN, OTHER))]
    running, config = agent(tool, *calls), thread()
    state = running.invoke(ASKED, config)
    while "__interrupt__" in state:
        replies = {
            asked.id: digit(
                asked.value["question"], next(f for f in finished if fits(f, asked.value["request"]["grid"]))
            )
            for asked in state["__interrupt__"]
        }
        state = running.invoke(Command(resume=replies), config)
    assert [said["answer"]["grid"] for said in told(state)] == finished


def test_two_sessions_at_once_do_not_leak_into_one_another(tool: EnergyTool) -> None:
    swapped = [FINISHED[0], FINISHED[1], FINISHED[3], FINISHED[2]]
    assert fits(swapped, OPEN)
    saver, call = InMemorySaver(), called(tool.name, grid=OPEN)
    sessions = [(agent(tool, call, checkpointer=saver), thread(name)) for name in ("one", "other")]
    states = [running.invoke(ASKED, config) for running, config in sessions]
    assert states[0]["__interrupt__"][0].value == states[1]["__interrupt__"][0].value
    while any("__interrupt__" in state for state in states):
        for i, finished in enumerate((FINISHED, swapped)):
            if "__interrupt__" in states[i]:
                (asked,), (running, config) = states[i]["__interrupt__"], sessions[i]
                states[i] = running.invoke(Command(resume=digit(asked.value["question"], finished)), config)
    assert [told(state)[0]["answer"]["grid"] for state in states] == [FINISHED, swapped]


def test_a_run_can_be_resumed_by_a_process_that_remembers_nothing(tool: EnergyTool) -> None:
    saver, config, call = InMemorySaver(), thread(), called(tool.name, grid=OPEN)
    running = agent(tool, call, checkpointer=saver)
    state = running.invoke(ASKED, config)
    while "__interrupt__" in state:
        (asked,) = state["__interrupt__"]
        fresh = EnergyTool.from_model("sudoku_4x4", on_question="interrupt")
        running = create_agent(Scripted(replies=[AIMessage("Done.")]), [fresh], checkpointer=saver)
        state = running.invoke(Command(resume=digit(asked.value["question"], FINISHED)), config)
    (said,) = told(state)
    assert said["answer"] == {"grid": FINISHED}


def test_what_was_asked_once_is_not_solved_again_when_a_reply_comes(
    tool: EnergyTool, small: gs.Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    running, config, descents = agent(tool, called(tool.name, grid=OPEN)), thread(), []
    outcome, outcomes = small._problems.outcome, small._problems.outcomes

    def counted_one(call: Any, meaning: Any, *args: Any, **kwargs: Any) -> Any:
        descents.append(json.dumps(meaning.request))
        return outcome(call, meaning, *args, **kwargs)

    def counted(call: Any, requests: Any, *args: Any, **kwargs: Any) -> Any:
        requests = list(requests)
        descents.extend(json.dumps(getattr(request, "request", request)) for request in requests)
        return outcomes(call, requests, *args, **kwargs)

    monkeypatch.setattr(small._problems, "outcome", counted_one)
    monkeypatch.setattr(small._problems, "outcomes", counted)
    small._replies._known.clear()
    followed(running, running.invoke(ASKED, config), config, thinking_of(FINISHED))
    assert descents.count(json.dumps({"grid": OPEN})) == 1


def test_a_puzzle_that_asks_nothing_needs_neither_graph_nor_checkpointer(tool: EnergyTool) -> None:
    message = tool.invoke(called(tool.name, grid=FINISHED))
    assert json.loads(message.text)["answer"] == {"grid": FINISHED}


def test_without_a_checkpointer_the_model_is_told_and_what_was_found_is_not_lost(
    tool: EnergyTool, small: gs.Solver
) -> None:
    once = [AIMessage("", tool_calls=[called(tool.name, grid=OPEN)]), AIMessage("Done.")]
    *_, refused, last = create_agent(Scripted(replies=once), [tool]).invoke(ASKED)["messages"]
    said, _, found = refused.text.partition(" The result so far: ")
    assert (refused.status, last.text) == ("error", "Done.")
    assert said == (
        "A question cannot be asked: on_question is 'interrupt', which needs a LangGraph graph with a checkpointer, and "
        "this graph has none. Tell the user."
    )
    assert found == EnergyTool.from_model(small).invoke(called(tool.name, grid=OPEN)).text


async def test_outside_a_graph_the_same_is_said(tool: EnergyTool) -> None:
    call = called(tool.name, grid=OPEN)
    refused = tool.invoke(call)
    assert refused.status == "error"
    assert "with a checkpointer, and this call runs outside a graph. Tell the user." in refused.text
    assert await tool.ainvoke(call) == refused


def test_without_langgraph_the_tool_says_what_to_install(small: gs.Solver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "langgraph", None)
    with pytest.raises(gs.OptionError, match=r"pip install 'groundstate\[langgraph\]'"):
        EnergyTool.from_model(small, on_question="interrupt")
