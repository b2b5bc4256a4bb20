"""The toolkit, and the score tool in it."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from langchain_core.utils.function_calling import convert_to_openai_tool

import groundstate as gs
from groundstate import tools
from langchain_groundstate import DescribeTool, EnergyTool, EnergyToolkit, ScoreTool
from tests.langchain.scripted import called
from tests.support import EASY, EASY_SOLUTION, rows

RIGHT: dict[str, Any] = {"request": {"grid": rows(EASY)}, "answer": {"grid": rows(EASY_SOLUTION)}}


@pytest.fixture
def score(sudoku: gs.Solver) -> ScoreTool:
    return ScoreTool.from_model(sudoku)


def test_every_model_brings_a_solve_and_a_score_tool_and_one_describes_them() -> None:
    solve, score, describe = EnergyToolkit.from_models(["sudoku"], restarts=8).get_tools()
    assert isinstance(solve, EnergyTool)
    assert isinstance(score, ScoreTool)
    assert isinstance(describe, DescribeTool)
    assert (solve.name, score.name, describe.name) == ("solve_sudoku", "score_sudoku", "describe_models")
    assert isinstance(score.tool, tools.ScoreTool)
    assert solve.tool.solver is score.tool.solver
    assert solve.tool.options == {"restarts": 8, "alternatives": 2}


def test_a_folder_brings_the_tools_of_every_artefact_in_it(small: gs.Solver, tmp_path: Path) -> None:
    (entry,) = entry_points(group="groundstate.models", name="sudoku_4x4")
    shutil.copy(entry.load()(), tmp_path / "b.onnx")
    (tmp_path / "notes.txt").write_text("no artefact", encoding="utf-8")
    names = [tool.name for tool in EnergyToolkit.from_folder(tmp_path).get_tools()]
    assert names == ["solve_sudoku_4x4", "score_sudoku_4x4", "describe_models"]
    (tmp_path / "a.onnx").write_bytes(b"no artefact either")
    with pytest.raises(gs.ArtefactError):
        EnergyToolkit.from_folder(tmp_path)


def test_a_folder_without_artefacts_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(gs.OptionError, match=re.escape(f"no .onnx file in {str(tmp_path)!r}")):
        EnergyToolkit.from_folder(tmp_path)


def test_the_models_are_listed_and_each_is_described(sudoku: gs.Solver, small: gs.Solver) -> None:
    describe = EnergyToolkit.from_models([sudoku, small]).get_tools()[-1]
    listed = json.loads(describe.invoke(called(describe.name)).text)
    assert [one["model"] for one in listed["models"]] == ["sudoku", "sudoku_4x4"]
    message = describe.invoke(called(describe.name, model="sudoku_4x4"))
    assert json.loads(message.text)["request"] == small.describe()["request"]
    wrong = describe.invoke(called(describe.name, model="chess"))
    assert wrong.status == "error"
    assert "'chess' is no model here; there are 'sudoku', 'sudoku_4x4'." in wrong.text


def test_two_models_of_one_name_are_refused(sudoku: gs.Solver) -> None:
    with pytest.raises(gs.OptionError, match="Two of the models are named 'sudoku'"):
        EnergyToolkit.from_models([sudoku, sudoku])


def test_a_right_answer_is_valid(score: ScoreTool, sudoku: gs.Solver) -> None:
    message = score.invoke(called(score.name, **RIGHT))
    said = json.loads(message.text)
    assert said["valid"] is True
    assert "violations" not in said
    assert message.artifact == sudoku.score(RIGHT["request"], RIGHT["answer"])
    assert said["energy"] == pytest.approx(message.artifact.energy, rel=1e-5)  # six digits are shown


async def test_a_wrong_answer_names_the_rules_that_it_breaks(score: ScoreTool) -> None:
    wrong = rows(EASY_SOLUTION[1] + EASY_SOLUTION[0] + EASY_SOLUTION[2:])
    message = await score.ainvoke(called(score.name, request=RIGHT["request"], answer={"grid": wrong}))
    said = json.loads(message.text)
    assert (message.status, said["valid"]) == ("success", False)
    assert said["violations"][0].startswith("givens: grid[0][0]")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({**RIGHT, "answer": {"grid": rows(EASY_SOLUTION)[:8]}}, "- answer.grid: There are 8 entries"),
        ({**RIGHT, "request": {"grid": rows(EASY)[:8]}}, "- request.grid: There are 8 entries"),
        ({**RIGHT, "request": {}}, "- request: The property 'grid' is missing."),
        ({"request": RIGHT["request"]}, "- answer: This is missing."),
        ({**RIGHT, "grid": 1}, "- grid: This is unknown; known are 'request' and 'answer'."),
        ({"request": 1, "answer": 2}, "- request: The request is 1"),
    ],
)
def test_wrong_arguments_are_an_error_with_the_place_as_the_model_sent_it(
    score: ScoreTool, args: dict[str, Any], said: str
) -> None:
    message = score.invoke({"type": "tool_call", "name": score.name, "args": args, "id": "1"})
    assert message.status == "error"
    assert said in message.text
    assert '{"request": {"grid": [9 × [9 × integer 0 to 9]]}, "answer": {"grid": [9 × [9 × integer ' in message.text


# ── artefacts of other shapes ────────────────────────────────────────────────────────────────────────────────────────────


class Described(gs.Solver):
    """A solver of which only the header is real."""

    def __init__(self, header: gs.Header) -> None:
        self.header = header

    asks = False
    device = "cpu"

    def mend(self, request: Any) -> tuple[Any, list[str]]:
        return request, []

    def solve(self, request: Mapping[str, Any], **options: Any) -> gs.Solution:
        raise gs.RequestError([gs.Fault(f"places[{i}]", "This is wrong.") for i in range(12)])

    def solve_many(self, requests: Any, **options: Any) -> list[gs.Solution | gs.RequestError]:
        return []


@pytest.fixture
def described(sudoku: gs.Solver) -> Described:
    point = {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2}
    request = {
        "type": "object",
        "$defs": {"point": point},
        "properties": {
            "places": {"type": "array", "items": {"$ref": "#/$defs/point"}, "minItems": 1},
            "kind": {"enum": ["round", "square"]},
            "gap": {"type": "number", "minimum": 0},
            "label": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["places", "kind"],
    }
    answer = {
        "type": "object",
        "$defs": {"point": {**point, "maxItems": 3}},
        "properties": {"at": {"$ref": "#/$defs/point"}},
        "required": ["at"],
    }
    changed = dataclasses.replace(
        sudoku.header, name="floor plan/2", request=request, answer=answer, self_test={"request": {"places": []}}
    )
    return Described(changed)


def test_names_are_made_of_what_every_provider_accepts(described: Described) -> None:
    assert [tool.name for tool in EnergyToolkit.from_models([described]).get_tools()] == [
        "solve_floor_plan_2",
        "score_floor_plan_2",
        "describe_models",
    ]


def test_a_schema_without_an_example_gets_that_of_the_self_test(described: Described) -> None:
    schema = EnergyTool.from_model(described).args_schema
    assert isinstance(schema, dict)
    assert schema["examples"] == [{"places": []}]
    assert "examples" not in described.header.request


def test_definitions_of_request_and_answer_stay_apart_in_the_score_schema(described: Described) -> None:
    tool = ScoreTool.from_model(described)
    schema = tool.args_schema
    assert isinstance(schema, dict)
    assert schema["properties"]["request"]["properties"]["places"]["items"] == {"$ref": "#/$defs/request_point"}
    assert schema["properties"]["answer"]["properties"]["at"] == {"$ref": "#/$defs/answer_point"}
    resolved = convert_to_openai_tool(tool)["function"]["parameters"]["properties"]
    assert resolved["request"]["properties"]["places"]["items"]["maxItems"] == 2
    assert resolved["answer"]["properties"]["at"]["maxItems"] == 3


def test_a_refusal_lists_the_first_faults_and_any_schema_in_a_line(described: Described) -> None:
    text = EnergyTool.from_model(described).invoke(called("solve_floor_plan_2")).text
    shown = text.count(": This is wrong.")
    assert 0 < shown < 12
    assert f"- and {12 - shown} more" in text
    assert (
        'The arguments must be {"places": [1 or more × [2 × number]], "kind": "round" | "square", '
        '"gap" (optional): number 0 or more, "label" (optional): string | null}.'
    ) in text
