"""The tools that every framework translates: what a model is told, may send, and reads."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import groundstate as gs
from groundstate.tools import DescribeTool, SolveTool
from tests.support import EASY, EASY_SOLUTION, rows

SMALL = {"restarts": 16, "max_steps": 256}
EMPTY = [[0] * 4 for _ in range(4)]
DOTS = EASY.replace("0", ".")


@pytest.fixture(scope="module")
def tool(sudoku: gs.Solver) -> SolveTool:
    return SolveTool(sudoku, restarts=16, max_steps=512)


@pytest.fixture(scope="module")
def small() -> SolveTool:
    return SolveTool("sudoku_4x4", **SMALL)


def test_a_tool_is_told_by_its_artefact(tool: SolveTool, sudoku: gs.Solver) -> None:
    assert (tool.name, tool.title, tool.description) == ("solve_sudoku", "Sudoku", sudoku.header.description)
    assert list(tool.schema["properties"]) == ["grid", "replies", "action", "answer"]
    assert tool.schema["required"] == ["grid"]


def test_the_schema_is_one_and_its_example_is_accepted(small: SolveTool) -> None:
    Draft202012Validator.check_schema(small.schema)
    (example,) = small.schema["examples"]
    Draft202012Validator(small.schema).validate(example)
    assert small.call(example).record["status"] in {"solved", "ambiguous"}


def test_an_example_as_long_as_a_board_is_left_out(tool: SolveTool) -> None:
    assert "examples" not in tool.schema


@pytest.mark.parametrize("model", gs.models())
def test_what_is_shown_of_a_schema_allows_all_that_is_accepted(model: str) -> None:
    tool = SolveTool(model)
    Draft202012Validator.check_schema(tool.schema)
    assert tool.schema["properties"].keys() == tool.accepts["properties"].keys()
    assert tool.schema.get("required") == tool.accepts.get("required")
    for example in [*tool.accepts.get("examples", ()), (tool.solver.header.self_test or {}).get("request")]:
        if example is not None:
            Draft202012Validator(tool.accepts).validate(example)
            Draft202012Validator(tool.schema).validate(example)


def test_the_answer_is_brief_unless_all_is_asked_for(sudoku: gs.Solver, tool: SolveTool) -> None:
    brief = tool.call({"grid": rows(EASY)}).record
    assert list(brief) == ["status", "message", "answer", "explanation"]
    assert brief["answer"] == {"grid": rows(EASY_SOLUTION)}
    full = SolveTool(sudoku, detail="full").call({"grid": rows(EASY)}).record
    assert brief.keys() < full.keys()
    assert full["decided"]


def test_a_question_is_put_with_its_options_and_how_to_reply(small: SolveTool) -> None:
    reply = small.call({"grid": EMPTY})
    question = reply.record["question"]
    assert reply.question is not None
    assert question["id"] == reply.question.id
    assert [option["id"] for option in question["options"]] == ["1", "2", "3", "4"]
    assert f"replies {{{question['id']}: option id}}" in question["reply"]
    assert "alternatives" not in reply.record


def test_replies_lead_to_a_solved_board_in_calls_that_carry_everything(small: SolveTool) -> None:
    arguments: dict[str, Any] = {"grid": EMPTY, "replies": {}}
    reply = small.call(arguments)
    for _ in range(12):
        if reply.question is None:
            break
        arguments["replies"][reply.question.id] = reply.question.options[0].id
        reply = small.call(json.loads(json.dumps(arguments)))
    assert reply.record["status"] == "solved"


# What a language model gets nearly right


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (DOTS, "grid: The text was read as cells, row by row."),
        ("\n".join(DOTS[9 * r : 9 * r + 9] for r in range(9)), "grid: The text was read as cells, row by row."),
        ([DOTS[9 * r : 9 * r + 9] for r in range(9)], "grid: Each text was read as the cells of a row."),
        (list(map(int, EASY)), "grid: 81 cells in one list were read row by row."),
        (json.dumps(rows(EASY)), "grid: JSON came as a string and was read as JSON."),
        ([[str(d) for d in row] for row in rows(EASY)], "grid: numbers came as strings and were read as numbers."),
        ([[d or None for d in row] for row in rows(EASY)], "grid: Empty cells were read as 0."),
        ([[d or "." for d in row] for row in rows(EASY)], "grid: Empty cells were read as 0."),
        ([[d or "" for d in row] for row in rows(EASY)], "grid: Empty cells were read as 0."),
    ],
)
def test_what_is_meant_beyond_doubt_is_taken_so_and_said(tool: SolveTool, sent: Any, said: str) -> None:
    record = tool.call({"grid": sent}).record
    assert record["answer"] == {"grid": rows(EASY_SOLUTION)}
    assert record["read_as"] == [said]


@pytest.mark.parametrize(
    ("sent", "place"),
    [
        ("Please solve my puzzle.", "grid"),
        (DOTS[:-1], "grid"),
        (rows(EASY)[:8], "grid"),
        (list(map(int, EASY))[:80], "grid"),
        ([[d or "?" for d in row] for row in rows(EASY)], "grid[0][2]"),
        ([[d or 0.5 for d in row] for row in rows(EASY)], "grid[0][2]"),
        ([[10, *row[1:]] for row in rows(EASY)], "grid[0][0]"),
        ([DOTS[:10], DOTS[10:18], *(DOTS[9 * r : 9 * r + 9] for r in range(2, 9))], "grid[0]"),
        ({"row 1": [1]}, "grid"),
        (None, "grid"),
    ],
)
def test_what_is_in_doubt_is_refused_with_its_place_and_what_to_send(tool: SolveTool, sent: Any, place: str) -> None:
    with pytest.raises(gs.RequestError) as refused:
        tool.call({"grid": sent})
    assert refused.value.faults[0].place == place
    said = tool.refusal(refused.value)
    assert said.startswith("solve_sudoku refused the arguments and did nothing.")
    assert said.splitlines()[-1].startswith('The arguments must be {"grid": [9 × [9 × integer 0 to 9]], ')


@pytest.mark.parametrize("arguments", [{}, {"board": rows(EASY)}, {"grid": rows(EASY), "note": "hi"}, [], "grid", None])
def test_arguments_of_another_shape_are_refused(tool: SolveTool, arguments: Any) -> None:
    with pytest.raises(gs.RequestError):
        tool.call(arguments)


@pytest.mark.parametrize("replies", ["yes", ["1"], 3])
def test_replies_of_another_shape_are_refused(tool: SolveTool, replies: Any) -> None:
    with pytest.raises(gs.RequestError, match="This must map the id of a question"):
        tool.call({"grid": rows(EASY), "replies": replies})


def test_no_replies_are_no_replies(tool: SolveTool) -> None:
    for replies in (None, {}, "{}"):
        assert tool.call({"grid": rows(EASY), "replies": replies}).record["status"] == "solved"


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12),
        lambda inner: st.lists(inner, max_size=9) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
        max_leaves=30,
    )
)
def test_nothing_that_can_be_sent_does_more_than_be_refused(small: SolveTool, sent: Any) -> None:
    for arguments in (sent, {"grid": sent}, {"grid": EMPTY, "replies": sent}):
        with contextlib.suppress(gs.RequestError):
            json.loads(small.call(arguments).text)


def test_deep_nesting_is_refused(small: SolveTool) -> None:
    deep: Any = 0
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(gs.RequestError):
        small.call({"grid": deep})


# Scores, descriptions, functions


def test_an_answer_is_scored_by_the_same_tool(sudoku: gs.Solver) -> None:
    tool = SolveTool(sudoku)
    right: dict[str, Any] = {"grid": rows(EASY), "action": "score", "answer": {"grid": rows(EASY_SOLUTION)}}
    reply = tool.call(right)
    assert reply.record["valid"] is True
    assert reply.outcome == sudoku.score({"grid": rows(EASY)}, right["answer"])
    swapped = EASY_SOLUTION[:2] + EASY_SOLUTION[3] + EASY_SOLUTION[2] + EASY_SOLUTION[4:]
    wrong = tool.call({**right, "answer": {"grid": rows(swapped)}}).record
    assert wrong["valid"] is False
    assert wrong["violations"]
    assert tool.call({**right, "answer": json.dumps(right["answer"])}).record["read_as"]


@pytest.mark.parametrize(
    ("arguments", "place", "said"),
    [
        ({"action": "score"}, "answer", "This is missing; the action 'score' needs the answer to check."),
        ({"action": "judge"}, "action", "'judge' is not an action; use 'solve' or 'score'."),
        ({"action": "score", "answer": {"grid": 1}}, "answer.grid", "an array is"),
    ],
)
def test_a_score_that_cannot_be_computed_is_refused(
    tool: SolveTool, arguments: dict[str, Any], place: str, said: str
) -> None:
    with pytest.raises(gs.RequestError) as refused:
        tool.call({"grid": rows(EASY), **arguments})
    assert refused.value.faults[0].place == place
    assert said in refused.value.faults[0].message


def test_scoring_can_be_left_out(sudoku: gs.Solver) -> None:
    tool = SolveTool(sudoku, score=False)
    assert list(tool.schema["properties"]) == ["grid", "replies"]
    with pytest.raises(gs.RequestError, match="The property 'action' is unknown"):
        tool.call({"grid": rows(EASY), "action": "solve"})


def test_models_are_described_all_in_a_line_and_one_in_full(sudoku: gs.Solver) -> None:
    tool = DescribeTool([sudoku, gs.load("sudoku_4x4")])
    assert [one["model"] for one in tool.call({}).record["models"]] == ["sudoku", "sudoku_4x4"]
    assert tool.call({"model": "sudoku"}).record["checks"].keys() == {"givens", "rows", "columns", "boxes"}
    with pytest.raises(gs.RequestError, match="'chess' is not a model here; there are 'sudoku' and 'sudoku_4x4'"):
        tool.call({"model": "chess"})
    with pytest.raises(gs.RequestError):
        tool.call({"models": "sudoku"})


def test_a_plain_function_has_all_that_a_framework_reads(sudoku: gs.Solver) -> None:
    function = sudoku.as_function(restarts=8)
    assert function.__name__ == "solve_sudoku"
    assert function.__doc__ == sudoku.header.description
    assert function.schema["parameters"]["required"] == ["grid"]
    assert function(grid=rows(EASY))["status"] == "solved"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"restart": 8}, "Did you mean 'restarts'"),
        ({"restarts": 0}, "restarts is 0"),
        ({"detail": "short"}, "it must be 'brief' or 'full'"),
        ({"device": "tpu"}, "device is 'tpu'"),
    ],
)
def test_options_are_refused_when_the_tool_is_made(sudoku: gs.Solver, options: dict[str, Any], said: str) -> None:
    with pytest.raises(gs.OptionError, match=said):
        SolveTool(sudoku, **options)


def test_all_that_a_question_says_is_in_the_schema_of_results(small: SolveTool) -> None:
    question = small.call({"grid": EMPTY}).record["question"]
    told = small.returns["properties"]["question"]["properties"]
    assert question.keys() == told.keys()
    assert question["options"][0].keys() <= told["options"]["items"]["properties"].keys()
