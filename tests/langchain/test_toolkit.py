"""The toolkit; scores by the same tool."""

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

import groundstate as gs
from langchain_groundstate import EnergyCatalogTool, EnergyTool, EnergyToolkit
from tests.langchain.scripted import called
from tests.support import EASY, EASY_SOLUTION, rows

RIGHT: dict[str, Any] = {"grid": rows(EASY), "action": "score", "answer": {"grid": rows(EASY_SOLUTION)}}


@pytest.mark.parametrize("models", ["sudoku", ["sudoku"]])
def test_every_model_brings_one_tool_and_one_describes_them(models: Any) -> None:
    solve, describe = EnergyToolkit.from_models(models, restarts=8).get_tools()
    assert isinstance(solve, EnergyTool)
    assert isinstance(describe, EnergyCatalogTool)
    assert (solve.name, describe.name) == ("solve_sudoku", "describe_models")
    assert solve.tool.options == {"restarts": 8, "alternatives": 2, "improve_for": 1.8}


def test_a_folder_brings_the_tools_of_every_artefact_in_it(small: gs.Solver, tmp_path: Path) -> None:
    (entry,) = entry_points(group="groundstate.models", name="sudoku_4x4")
    shutil.copy(entry.load()(), tmp_path / "b.onnx")
    (tmp_path / "notes.txt").write_text("no artefact", encoding="utf-8")
    names = [tool.name for tool in EnergyToolkit.from_folder(tmp_path).get_tools()]
    assert names == ["solve_sudoku_4x4", "describe_models"]
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
    assert "'chess' is not a model here; there are 'sudoku' and 'sudoku_4x4'." in wrong.text


def test_two_models_of_one_name_are_refused(sudoku: gs.Solver) -> None:
    with pytest.raises(gs.OptionError, match="Two of the models are named 'sudoku'"):
        EnergyToolkit.from_models([sudoku, sudoku])


def test_names_that_become_the_same_tool_are_refused(sudoku: gs.Solver) -> None:
    one, two = (Described(dataclasses.replace(sudoku.header, name=name)) for name in ("a b", "a_b"))
    with pytest.raises(gs.OptionError, match="The models 'a b' and 'a_b' would both be the tool 'solve_a_b'"):
        EnergyToolkit.from_models([one, two])


def test_a_right_answer_is_valid(tool: EnergyTool, sudoku: gs.Solver) -> None:
    message = tool.invoke(called(tool.name, **RIGHT))
    record = json.loads(message.text)
    assert record["valid"] is True
    assert "violations" not in record
    assert message.artifact == sudoku.score({"grid": RIGHT["grid"]}, RIGHT["answer"])
    assert record["energy"] == pytest.approx(message.artifact.energy, rel=1e-5)  # six digits are shown


async def test_a_wrong_answer_names_the_checks_that_it_violates(tool: EnergyTool) -> None:
    wrong = rows(EASY_SOLUTION[1] + EASY_SOLUTION[0] + EASY_SOLUTION[2:])
    message = await tool.ainvoke(called(tool.name, **{**RIGHT, "answer": {"grid": wrong}}))
    record = json.loads(message.text)
    assert (message.status, record["valid"]) == ("success", False)
    assert record["violations"][0].startswith("givens: grid[0][0]")


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ({**RIGHT, "answer": {"grid": rows(EASY_SOLUTION)[:8]}}, "- answer.grid: There are 8 entries"),
        ({**RIGHT, "grid": rows(EASY)[:8]}, "- grid: There are 8 entries"),
        ({"action": "score", "answer": RIGHT["answer"]}, "- The property 'grid' is missing."),
        ({"grid": RIGHT["grid"], "action": "score"}, "- answer: This is missing"),
        ({**RIGHT, "action": "guess"}, "- action: 'guess' is not an action; use 'solve' or 'score'."),
    ],
)
def test_wrong_arguments_of_a_score_are_an_error_with_their_place(
    tool: EnergyTool, args: dict[str, Any], said: str
) -> None:
    message = tool.invoke({"type": "tool_call", "name": tool.name, "args": args, "id": "1"})
    assert message.status == "error"
    assert said in message.text


# ── artefacts of other shapes ────────────────────────────────────────────────────────────────────────────────────────────


class Described(gs.Solver):
    """A solver of which only the header is real."""

    def __init__(self, header: gs.Header) -> None:
        self.header = header

    asks = False
    device = "cpu"

    def coerce(self, request: Any) -> tuple[Any, list[str]]:
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
        "describe_models",
    ]


def test_a_schema_without_an_example_gets_that_of_the_self_test(described: Described) -> None:
    schema = EnergyTool.from_model(described).args_schema
    assert isinstance(schema, dict)
    assert schema["examples"] == [{"places": []}]
    assert "examples" not in described.header.request


def test_a_refusal_lists_the_first_faults_and_any_schema_in_a_line(described: Described) -> None:
    text = EnergyTool.from_model(described).invoke(called("solve_floor_plan_2")).text
    shown = text.count(": This is wrong.")
    assert 0 < shown < 12
    assert f"- and {12 - shown} more" in text
    assert (
        'The arguments must be {"places": [1 or more × [2 × number]], "kind": "round" | "square", '
        '"gap" (optional): number 0 or more, "label" (optional): string | null, '
    ) in text
