"""The solve tool, called as an agent calls it."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import ToolMessage
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import BaseModel, Field

import groundstate as gs
import langchain_groundstate
from langchain_groundstate import EnergyTool
from tests.langchain.boards import OPEN
from tests.langchain.scripted import called
from tests.support import EASY, EASY_SOLUTION, MEDIUM, REPEATED, Stalled, rows


def invoke(tool: EnergyTool, **args: Any) -> ToolMessage:
    message = tool.invoke(called(tool.name, **args))
    assert isinstance(message, ToolMessage)
    return message


# ── what the model is told ───────────────────────────────────────────────────────────────────────────────────────────────


def test_name_description_and_schema_come_from_the_artefact(tool: EnergyTool, sudoku: gs.Solver) -> None:
    described = sudoku.describe()
    assert tool.name == "solve_sudoku"
    assert tool.description == described["description"]
    assert isinstance(tool.args_schema, dict)
    assert tool.args_schema["properties"] == {
        **described["request"]["properties"],
        **{name: tool.args_schema["properties"][name] for name in ("replies", "action", "answer")},
    }
    assert tool.args_schema["required"] == ["grid"]


def test_the_schema_carries_an_example_that_the_tool_accepts(small: gs.Solver) -> None:
    tool = EnergyTool.from_model(small, restarts=1, max_steps=16)
    assert isinstance(tool.args_schema, dict)
    (example,) = tool.args_schema["examples"]
    assert invoke(tool, **example).status == "success"


def test_name_and_description_can_be_replaced(sudoku: gs.Solver) -> None:
    tool = EnergyTool.from_model(sudoku, name="fill_grid", description="Fills a grid.")
    assert (tool.name, tool.description) == ("fill_grid", "Fills a grid.")


def test_openai_gets_the_schema_and_none_of_the_options(sudoku: gs.Solver) -> None:
    tool = EnergyTool.from_model(sudoku, restarts=8, seed=3)
    function = convert_to_openai_tool(tool)["function"]
    assert function["name"] == "solve_sudoku"
    assert function["description"] == tool.description
    assert list(function["parameters"]["properties"]) == ["grid", "replies", "action", "answer"]
    assert "restarts" not in json.dumps(function)


# ── where the model comes from ───────────────────────────────────────────────────────────────────────────────────────────


def test_a_model_is_named_or_given_as_a_path_as_bytes_or_loaded(sudoku: gs.Solver, tmp_path: Path) -> None:
    (entry,) = entry_points(group="groundstate.models", name="sudoku")
    data = Path(entry.load()()).read_bytes()
    path = tmp_path / "mine.onnx"
    path.write_bytes(data)
    for model in ("sudoku", path, str(path), data, sudoku):
        assert EnergyTool.from_model(model).name == EnergyTool(model).name == "solve_sudoku"


def test_an_unknown_model_is_an_error_that_names_the_nearest() -> None:
    with pytest.raises(gs.UnknownModelError, match="Did you mean 'sudoku'"):
        EnergyTool.from_model("sudoko")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"restarts": 0}, "restarts is 0"),
        ({"max_steps": 1.5}, "max_steps is 1.5"),
        ({"deadline": -1}, "deadline is -1"),
        ({"seed": None}, "seed is None"),
        ({"restart": 4}, "There is no option 'restart'. Did you mean 'restarts'?"),
        ({"watch": print}, "There is no option 'watch'. Known are 'alternatives'"),
        ({"device": "cuda"}, "a loaded solver keeps its own"),
    ],
)
def test_a_wrong_option_is_found_when_the_tool_is_made(sudoku: gs.Solver, options: Any, said: str) -> None:
    with pytest.raises(gs.OptionError, match=said):
        EnergyTool.from_model(sudoku, **options)


# ── what comes back ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_model_reads_the_answer_and_the_program_gets_the_solution(tool: EnergyTool) -> None:
    message = invoke(tool, grid=rows(EASY))
    assert message.status == "success"
    assert isinstance(message.artifact, gs.Solution)
    assert json.loads(message.text) == {
        "status": "solved",
        "message": "The answer passes every check.",
        "answer": {"grid": rows(EASY_SOLUTION)},
        "explanation": message.artifact.explanation,
    }
    assert message.artifact.answer == {"grid": rows(EASY_SOLUTION)}


def test_all_of_an_outcome_is_read_where_the_developer_wants_it(small: gs.Solver) -> None:
    message = invoke(EnergyTool.from_model(small, detail="full"), grid=OPEN)
    assert json.loads(message.text) == json.loads(json.dumps(message.artifact.to_json()))


def test_options_reach_the_solver(sudoku: gs.Solver) -> None:
    tool = EnergyTool.from_model(sudoku, seed=7)
    assert invoke(tool, grid=rows(EASY)).artifact == sudoku.solve({"grid": rows(EASY)}, seed=7, alternatives=2)


def test_identical_calls_give_identical_bytes_also_from_a_solver_that_remembers_nothing(small: gs.Solver) -> None:
    tools = [EnergyTool.from_model(model) for model in (small, small, "sudoku_4x4")]
    assert len({invoke(tool, grid=OPEN).text for tool in tools}) == 1


def test_an_infeasible_puzzle_is_content_that_names_both_cells(tool: EnergyTool) -> None:
    message = invoke(tool, grid=rows(REPEATED))
    said = json.loads(message.text)
    assert (message.status, said["status"]) == ("success", "infeasible")
    assert "grid[0][0] and grid[0][1]" in said["violations"][0]
    assert "answer" not in said
    assert message.artifact.status is gs.Status.INFEASIBLE


def test_an_unsolved_puzzle_is_content_whose_best_attempt_is_not_called_an_answer(sudoku: gs.Solver) -> None:
    message = invoke(EnergyTool.from_model(sudoku, restarts=1, max_steps=1, ask=False), grid=rows(MEDIUM))
    said = json.loads(message.text)
    assert (message.status, said["status"]) == ("success", "unsolved")
    assert "answer" not in said
    assert len(said["closest"]["grid"]) == 9
    assert 0 < len(said["violations"]) <= 9
    assert "restarts" not in message.text  # the model could not change them


def test_an_ambiguous_puzzle_shows_its_alternatives_where_the_developer_wants_no_question(small: gs.Solver) -> None:
    said = json.loads(invoke(EnergyTool.from_model(small, ask=False), grid=OPEN).text)
    assert said["status"] == "ambiguous"
    assert "question" not in said
    (other,) = said["alternatives"]
    assert other["grid"] != said["answer"]["grid"]


def test_many_alternatives_are_counted_rather_than_shown(
    tool: EnergyTool, sudoku: gs.Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = tuple(gs.Alternative({"grid": [[i] * 9] * 9}, float(i)) for i in range(1, 8))
    many = gs.Solution(gs.Status.AMBIGUOUS, {"grid": rows(EASY_SOLUTION)}, 0.0, alternatives=others)
    monkeypatch.setattr(sudoku, "solve", lambda *_args, **_options: many)
    message = invoke(tool, grid=rows(EASY))
    said = json.loads(message.text)
    assert said["alternatives"] == [{"grid": [[i] * 9] * 9} for i in range(1, 5)]
    assert said["further_alternatives"] == 3
    assert message.artifact.alternatives == others


@pytest.mark.parametrize("puzzle", [EASY, REPEATED])
def test_content_is_short(tool: EnergyTool, puzzle: str) -> None:
    # Tokenisers make about one token of four characters of English, and one of every digit and bracket or two.
    text = invoke(tool, grid=rows(puzzle)).text
    assert len(text) / 4 <= 400
    assert text == json.dumps(json.loads(text), separators=(",", ":"), ensure_ascii=False)


# ── requests that a model gets wrong ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({"grid": [*rows(EASY)[:2], [0] * 8, *rows(EASY)[3:]]}, ["grid[2]: There are 8 entries", "exactly 9"]),
        ({"grid": [[10] + [0] * 8, *rows(EASY)[1:]]}, ["grid[0][0]: 10 is not allowed", "from 0 to 9"]),
        ({"grid": "the one from the newspaper"}, ["grid: ", "an array is"]),
        ({"grid": [*rows(EASY)[:2], *rows(EASY)[3:]]}, ["grid: There are 8 entries", "exactly 9"]),
        ({"grid": [0] * 80}, ["grid: There are 80 entries"]),
        ({"grid": rows(EASY), "replies": "yes"}, ["replies: This must map"]),
        ({"grid": rows(EASY), "replies": {"q1": "4"}}, ["replies.q1: There is no such question", "asks nothing"]),
        ({"grid": [[float("nan")] * 9] * 9}, ["grid[0][0]: nan is not allowed", " more\n"]),
        ({}, ["The property 'grid' is missing."]),
        ({"grid": rows(EASY), "restarts": 64}, ["The property 'restarts' is unknown"]),
        ({"self": 1, "run_manager": 2, "config": 3}, ["The property 'self', 'run_manager', 'config' is unknown"]),
    ],
)
def test_a_wrong_request_is_an_error_that_says_where_and_what_to_send(
    tool: EnergyTool, args: dict[str, Any], said: list[str]
) -> None:
    message = tool.invoke({"type": "tool_call", "name": tool.name, "args": args, "id": "1"})
    assert message.status == "error"
    for part in [*said, 'The arguments must be {"grid": [9 × [9 × integer 0 to 9]], "replies" (optional): ']:
        assert part in message.text


@pytest.mark.parametrize(
    ("grid", "said"),
    [
        (EASY, "grid: The text was read as cells, row by row."),
        (json.dumps(rows(EASY)), "grid: JSON came as a string and was read as JSON."),
        ([list(map(str, row)) for row in rows(EASY)], "grid: numbers came as strings"),
        ([digit for row in rows(EASY) for digit in row], "grid: 81 cells in one list were read row by row."),
        ([[digit or None for digit in row] for row in rows(EASY)], "grid: Empty cells were read as 0."),
    ],
    ids=["text", "JSON", "strings", "flat", "null"],
)
def test_what_is_meant_beyond_doubt_is_accepted_and_said(tool: EnergyTool, grid: Any, said: str) -> None:
    told = json.loads(invoke(tool, grid=grid).text)
    assert told["answer"] == {"grid": rows(EASY_SOLUTION)}
    assert any(note.startswith(said) for note in told["read_as"])


async def test_a_wrong_request_is_the_same_error_in_an_async_call(tool: EnergyTool) -> None:
    call = called(tool.name, grid=[[0] * 9] * 8)
    assert (await tool.ainvoke(call)) == tool.invoke(call)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(args=st.dictionaries(st.sampled_from(["grid", "self", "config", "callbacks", "input", ""]), _JSON))
def test_whatever_a_model_sends_it_gets_a_message_and_the_run_goes_on(tool: EnergyTool, args: dict[str, Any]) -> None:
    message = tool.invoke({"type": "tool_call", "name": tool.name, "args": args, "id": "1"})
    assert message.status == "error"
    assert message.text.startswith("solve_sudoku refused the arguments")
    assert len(message.text) < 2000


def test_fields_are_listed_where_a_developer_narrows_the_schema_with_a_class(tool: EnergyTool) -> None:
    class Grid(BaseModel):
        grid: list[list[int]] = Field(min_length=9)

    narrowed = tool.model_copy(update={"args_schema": Grid})
    assert narrowed.invoke(called(tool.name, grid=rows(EASY))).status == "success"
    message = narrowed.invoke(called(tool.name, grid=[["x"]]))
    assert message.status == "error"
    assert "- grid.0.0: Input should be a valid integer" in message.text


def test_an_option_that_fails_during_a_call_is_told_without_asking_for_a_retry(tool: EnergyTool) -> None:
    tool.tool.options["restarts"] = 0
    message = invoke(tool, grid=rows(EASY))
    assert message.status == "error"
    assert "restarts is 0" in message.text
    assert "do not retry" in message.text


def test_a_programming_error_is_not_swallowed(
    tool: EnergyTool, sudoku: gs.Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*args: Any, **kwargs: Any) -> gs.Solution:
        raise ZeroDivisionError

    monkeypatch.setattr(sudoku, "solve", broken)
    with pytest.raises(ZeroDivisionError):
        invoke(tool, grid=rows(EASY))


# ── async ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_async_call_solves_outside_the_thread_of_the_event_loop(
    tool: EnergyTool, sudoku: gs.Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, threads = sudoku._session.run, []

    def watched(*args: Any, **kwargs: Any) -> Any:
        threads.append(threading.get_ident())
        return run(*args, **kwargs)

    monkeypatch.setattr(sudoku._session, "run", watched)
    await tool.ainvoke(called(tool.name, grid=rows(EASY)))
    assert threads
    assert threading.get_ident() not in threads


async def test_a_call_that_is_cancelled_does_not_solve_on(
    tool: EnergyTool, sudoku: gs.Solver, monkeypatch: pytest.MonkeyPatch
) -> None:
    stalled = Stalled()
    monkeypatch.setattr(sudoku._session, "run", stalled)
    call = asyncio.create_task(tool.ainvoke(called(tool.name, grid=rows(EASY))))
    assert await asyncio.to_thread(stalled.begun.wait, 10)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await asyncio.to_thread(stalled.ended.wait, 10)


async def test_twenty_calls_at_once_give_twenty_right_answers(tool: EnergyTool) -> None:
    def renamed(text: str, by: int) -> list[list[int]]:
        return [[d and (d + by) % 9 + 1 for d in row] for row in rows(text)]

    # Another name for each digit, and the rows upside down in the second half: twenty different puzzles of known solution.
    puzzles = [(renamed(EASY, i), renamed(EASY_SOLUTION, i)) for i in range(9)]
    puzzles += [(p[::-1], s[::-1]) for p, s in puzzles]
    puzzles += [([row[::-1] for row in p], [row[::-1] for row in s]) for p, s in puzzles[:2]]
    messages = await asyncio.gather(*(tool.ainvoke(called(tool.name, grid=puzzle)) for puzzle, _ in puzzles))
    assert [json.loads(message.text)["answer"]["grid"] for message in messages] == [s for _, s in puzzles]


# ── the package ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_exported_name_is_there() -> None:
    assert langchain_groundstate.__all__ == sorted(langchain_groundstate.__all__)
    assert all(hasattr(langchain_groundstate, name) for name in langchain_groundstate.__all__)


def test_without_langchain_the_import_says_what_to_install() -> None:
    code = "import sys; sys.modules['langchain_core'] = None; import langchain_groundstate"
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert ended.stderr.strip().splitlines()[-1] == (
        "ImportError: langchain_groundstate needs langchain-core; install it with: pip install 'groundstate[langchain]'."
    )
