"""A whole agent: a scripted chat model, the real tool."""

from __future__ import annotations

import json
from typing import Any

from langchain.agents import create_agent
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

import groundstate as gs
from langchain_groundstate import EnergyTool, EnergyToolkit
from tests.langchain.scripted import Scripted, called
from tests.support import EASY, EASY_SOLUTION, REPEATED, rows

ASKED: Any = {"messages": [HumanMessage("Solve this Sudoku.")]}


def test_a_model_solves_a_puzzle_with_the_tool(tool: EnergyTool) -> None:
    call = AIMessage("", tool_calls=[called("solve_sudoku", grid=rows(EASY))])
    model = Scripted(replies=[call, AIMessage("Done.")])
    *_, told, last = create_agent(model, [tool]).invoke(ASKED)["messages"]
    assert isinstance(told, ToolMessage)
    assert json.loads(told.text)["answer"] == {"grid": rows(EASY_SOLUTION)}
    assert isinstance(told.artifact, gs.Solution)
    assert model.seen[1][-1].text == told.text
    assert last.text == "Done."


async def test_a_model_reads_what_was_wrong_and_corrects_itself(tool: EnergyTool) -> None:
    short = [row[:8] if i == 2 else row for i, row in enumerate(rows(EASY))]
    model = Scripted(
        replies=[
            AIMessage("", tool_calls=[called("solve_sudoku", "1", grid=short)]),
            AIMessage("", tool_calls=[called("solve_sudoku", "2", grid=rows(EASY))]),
            AIMessage("Done."),
        ]
    )
    messages = (await create_agent(model, [tool]).ainvoke(ASKED))["messages"]
    refused, told = (message for message in messages if isinstance(message, ToolMessage))
    assert refused.status == "error"
    assert "grid[2]: There are 8 entries; there must be exactly 9." in refused.text
    assert (told.status, json.loads(told.text)["answer"]) == ("success", {"grid": rows(EASY_SOLUTION)})


def test_two_calls_in_one_turn_are_both_answered(tool: EnergyTool) -> None:
    calls = [called("solve_sudoku", "1", grid=rows(EASY)), called("solve_sudoku", "2", grid=rows(REPEATED))]
    model = Scripted(replies=[AIMessage("", tool_calls=calls), AIMessage("Done.")])
    *_, first, second, _last = create_agent(model, [tool]).invoke(ASKED)["messages"]
    assert json.loads(first.text)["status"] == "solved"
    assert json.loads(second.text)["status"] == "infeasible"


def test_a_model_checks_its_own_guess_before_it_answers(sudoku: gs.Solver) -> None:
    guess = rows(EASY_SOLUTION[1] + EASY_SOLUTION[0] + EASY_SOLUTION[2:])
    call = called("solve_sudoku", grid=rows(EASY), action="score", answer={"grid": guess})
    model = Scripted(replies=[AIMessage("", tool_calls=[call]), AIMessage("It was wrong.")])
    agent = create_agent(model, EnergyToolkit.from_models([sudoku]).get_tools())
    *_, told, _last = agent.invoke(ASKED)["messages"]
    said = json.loads(told.text)
    assert said["valid"] is False
    assert any("grid[0][0]" in violation for violation in said["violations"])
