"""Progress: custom events while the tool solves."""

from __future__ import annotations

import json
from typing import Any

import pytest
from langchain.agents import create_agent
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

import groundstate as gs
from langchain_groundstate import EnergyTool, energy_node
from tests.langchain.boards import FINISHED, OPEN, digit
from tests.langchain.scripted import Scripted, called
from tests.support import EASY, rows

Events = list[tuple[str, dict[str, Any]]]


class Listener(BaseCallbackHandler):
    def __init__(self) -> None:
        self.events: Events = []

    def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        self.events.append((name, data))


class AsyncListener(AsyncCallbackHandler):
    def __init__(self) -> None:
        self.events: Events = []

    async def on_custom_event(self, name: str, data: Any, **kwargs: Any) -> None:
        self.events.append((name, data))


class Uninterested(BaseCallbackHandler):
    """Hears of the run, and does nothing with custom events."""


class Deaf(Listener):
    """Could hear custom events, and says that it will not."""

    @property
    def ignore_custom_event(self) -> bool:
        return True


def told_of_a_descent(events: Events, sudoku: gs.Solver) -> bool:
    names, data = {name for name, _ in events}, [data for _, data in events]
    segment = sudoku.header.steps
    return (
        names == {"groundstate_progress"}
        and [one["steps"] for one in data] == list(range(segment, segment * len(data) + 1, segment))
        and all(set(one) == {"tool", "steps", "chains", "energy", "broken"} for one in data)
        and json.loads(json.dumps(data)) == data
        and data[-1]["broken"] == 0
    )


def test_a_listener_hears_of_every_segment(tool: EnergyTool, sudoku: gs.Solver) -> None:
    listener = Listener()
    tool.invoke(called(tool.name, grid=rows(EASY)), {"callbacks": [listener]})
    assert told_of_a_descent(listener.events, sudoku)
    assert {data["tool"] for _, data in listener.events} == {"solve_sudoku"}


@pytest.mark.parametrize("kind", [Listener, AsyncListener])
async def test_a_listener_hears_of_every_segment_of_an_asynchronous_call(
    tool: EnergyTool, sudoku: gs.Solver, kind: type[Listener | AsyncListener]
) -> None:
    listener = kind()
    await tool.ainvoke(called(tool.name, grid=rows(EASY)), {"callbacks": [listener]})
    assert told_of_a_descent(listener.events, sudoku)


async def test_a_stream_of_events_carries_the_progress(tool: EnergyTool, sudoku: gs.Solver) -> None:
    stream = tool.astream_events(called(tool.name, grid=rows(EASY)), version="v2")
    events = [(event["name"], event["data"]) async for event in stream if event["event"] == "on_custom_event"]
    assert told_of_a_descent(events, sudoku)


def test_a_listener_to_a_whole_agent_hears_of_its_tool(tool: EnergyTool, sudoku: gs.Solver) -> None:
    listener = Listener()
    model = Scripted(replies=[AIMessage("", tool_calls=[called(tool.name, grid=rows(EASY))]), AIMessage("Done.")])
    create_agent(model, [tool]).invoke({"messages": [HumanMessage("Solve.")]}, {"callbacks": [listener]})
    assert told_of_a_descent(listener.events, sudoku)


def test_a_listener_to_a_node_hears_of_it(sudoku: gs.Solver) -> None:
    listener = Listener()
    energy_node(sudoku).invoke({"request": {"grid": rows(EASY)}}, {"callbacks": [listener]})
    assert told_of_a_descent(listener.events, sudoku)


@pytest.mark.parametrize("callbacks", [[], [Uninterested()], [Deaf()]])
async def test_where_nobody_listens_nothing_watches(
    tool: EnergyTool, sudoku: gs.Solver, monkeypatch: pytest.MonkeyPatch, callbacks: list[BaseCallbackHandler]
) -> None:
    solve, asolve, watches = sudoku.solve, sudoku.asolve, []

    def watched(*args: Any, **kwargs: Any) -> gs.Solution:
        watches.append(kwargs["watch"])
        return solve(*args, **kwargs)

    async def awatched(*args: Any, **kwargs: Any) -> gs.Solution:
        watches.append(kwargs["watch"])
        return await asolve(*args, **kwargs)

    monkeypatch.setattr(sudoku, "solve", watched)
    monkeypatch.setattr(sudoku, "asolve", awatched)
    tool.invoke(called(tool.name, grid=rows(EASY)), {"callbacks": callbacks})
    await tool.ainvoke(called(tool.name, grid=rows(EASY)), {"callbacks": callbacks})
    assert watches == [None, None]


def test_what_is_remembered_is_not_descended_again_though_somebody_listens() -> None:
    tool, listener = EnergyTool.from_model("sudoku_4x4", on_question="interrupt"), Listener()
    model = Scripted(replies=[AIMessage("", tool_calls=[called(tool.name, grid=OPEN)]), AIMessage("Done.")])
    agent = create_agent(model, [tool], checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "1"}, "callbacks": [listener]}
    state, descents = agent.invoke({"messages": [HumanMessage("Solve.")]}, config), list[int]()
    while "__interrupt__" in state:
        descents.append(sum(data["steps"] == tool.tool.solver.header.steps for _, data in listener.events))
        reply = digit(state["__interrupt__"][0].value["question"], FINISHED)
        state = agent.invoke(Command(resume=reply), config)
    assert descents == list(range(1, len(descents) + 1))
