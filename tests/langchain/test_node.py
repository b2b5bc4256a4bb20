"""A graph of LangGraph with the node that solves, and the edges that follow from what it asks."""

from __future__ import annotations

import dataclasses
import functools
import json
import logging
import subprocess
import sys
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command

import groundstate as gs
from langchain_groundstate import ask_llm, energy_node, needs_reply
from tests.langchain.boards import FINISHED, OPEN, digit
from tests.langchain.scripted import Scripted

CONFIG: RunnableConfig = {"configurable": {"thread_id": "1"}}


class State(TypedDict, total=False):
    request: dict[str, Any]
    solution: dict[str, Any]


def replied(state: State) -> State:
    """A node that replies as one who thinks of the finished board."""
    question = state["solution"]["question"]
    replies = {**state["request"].get("replies", {}), question["id"]: digit(question, FINISHED)}
    return {"request": {**state["request"], "replies": replies}}


def graph(node: Any, checkpointer: InMemorySaver | None = None) -> Any:
    builder = StateGraph(State)
    builder.add_node("solve", node)
    builder.add_node("reply", replied)
    builder.add_edge(START, "solve")
    builder.add_conditional_edges("solve", needs_reply, {True: "reply", False: END})
    builder.add_edge("reply", "solve")
    return builder.compile(checkpointer=checkpointer)


def test_the_graph_goes_round_until_nothing_is_asked(small: gs.Solver) -> None:
    state = graph(energy_node(small)).invoke({"request": {"grid": OPEN}})
    assert state["solution"]["status"] == "solved"
    assert state["solution"]["answer"] == {"grid": FINISHED}
    assert len(state["request"]["replies"]) >= 1


async def test_the_graph_runs_asynchronously(small: gs.Solver) -> None:
    state = await graph(energy_node(small)).ainvoke({"request": {"grid": OPEN}})
    assert state["solution"]["answer"] == {"grid": FINISHED}


def test_the_state_holds_the_record_of_the_solution_and_what_was_solved(small: gs.Solver) -> None:
    state = energy_node(small, seed=3).invoke({"request": {"grid": OPEN}})
    solution = small.solve({"grid": OPEN}, seed=3, alternatives=2)
    assert state == {"solution": {**solution.to_json(), "request": {"grid": OPEN}}}


def test_a_checkpointer_keeps_the_state_as_it_is(small: gs.Solver, caplog: pytest.LogCaptureFixture) -> None:
    running = graph(energy_node(small), InMemorySaver())
    state = running.invoke({"request": {"grid": OPEN}}, CONFIG)
    with caplog.at_level(logging.WARNING):
        kept = [snapshot.values for snapshot in running.get_state_history(CONFIG)]
    assert kept[0] == state == json.loads(json.dumps(state))
    assert not caplog.records


def test_a_person_is_asked_from_within_the_node(small: gs.Solver) -> None:
    running = graph(energy_node(small, on_question="interrupt"), InMemorySaver())
    state = running.invoke({"request": {"grid": OPEN}}, CONFIG)
    while "__interrupt__" in state:
        (asked,) = state["__interrupt__"]
        assert asked.value["tool"] == "solve_sudoku_4x4"
        state = running.invoke(Command(resume=digit(asked.value["question"], FINISHED)), CONFIG)
    assert state["solution"]["answer"] == {"grid": FINISHED}
    assert "replies" not in state["request"]


def test_without_a_checkpointer_the_developer_is_told(small: gs.Solver) -> None:
    with pytest.raises(gs.OptionError, match=r"needs a LangGraph graph with a checkpointer, and this graph has none\."):
        graph(energy_node(small, on_question="interrupt")).invoke({"request": {"grid": OPEN}})


async def test_code_replies_from_within_the_node(small: gs.Solver) -> None:
    node = energy_node(small, on_question=lambda question, solution: digit(question, FINISHED))
    for state in (node.invoke({"request": {"grid": OPEN}}), await node.ainvoke({"request": {"grid": OPEN}})):
        assert state["solution"]["answer"] == {"grid": FINISHED}


def test_other_keys_and_states_that_are_objects(small: gs.Solver) -> None:
    @dataclasses.dataclass
    class Board:
        puzzle: dict[str, Any]
        solved: dict[str, Any] | None = None

    builder = StateGraph(Board)
    builder.add_node("solve", energy_node(small, request_key="puzzle", solution_key="solved"))
    builder.add_edge(START, "solve")
    asks = functools.partial(needs_reply, solution_key="solved")
    builder.add_conditional_edges("solve", asks, {True: END, False: "solve"})
    state = builder.compile().invoke(Board({"grid": OPEN}))
    assert needs_reply(Board(**state), solution_key="solved")


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({}, "request: The request in the graph's state is missing."),
        ({"request": "1234"}, "request: The request in the graph's state is of type str, and must be an object."),
        ({"request": {"grid": [[0] * 4] * 3}}, "grid: There are 3 entries"),
    ],
)
async def test_a_state_without_a_request_that_means_something_is_refused(
    small: gs.Solver, state: dict[str, Any], said: str
) -> None:
    with pytest.raises(gs.RequestError, match=said):
        energy_node(small).invoke(state)
    with pytest.raises(gs.RequestError, match=said):
        await energy_node(small).ainvoke(state)


def test_nothing_is_asked_before_anything_is_solved() -> None:
    assert not needs_reply({})
    assert not needs_reply({"solution": None})


def test_langgraph_is_imported_only_where_a_person_is_asked() -> None:
    code = (
        "import sys, langchain_groundstate as l; l.energy_node('sudoku_4x4'); l.EnergyTool.from_model('sudoku_4x4'); "
        "assert not any(name.partition('.')[0] == 'langgraph' for name in sys.modules)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_a_chat_model_replies_from_within_the_node(small: gs.Solver) -> None:
    model = Scripted(replies=[AIMessage("Hm.")])  # which is not an option
    state = energy_node(small, on_question=ask_llm(model)).invoke({"request": {"grid": OPEN}})
    assert len(model.seen) == 1
    assert needs_reply(state)
