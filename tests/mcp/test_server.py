"""What a host of language models sees: tools, schemas, results, errors, progress, resources."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import json
from typing import Any

import anyio
import pytest
from jsonschema import Draft202012Validator
from mcp.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types import TextResourceContents, ToolAnnotations

import groundstate as gs
from groundstate import tools
from groundstate_mcp import build_server
from groundstate_models.sudoku import artefact_4x4
from tests.mcp.talking import BUDGET, OPEN, SOLUTION, TOOL, client, record, rows, text

FULL = {"grid": rows(SOLUTION)}


async def test_every_model_brings_a_tool_and_one_describes_them(small: gs.Solver, sudoku: gs.Solver, era: str) -> None:
    async with client(build_server([sudoku, small]), era) as one:
        listed = {tool.name: tool for tool in (await one.list_tools()).tools}
    assert list(listed) == ["solve_sudoku", "solve_sudoku_4x4", "describe_models"]
    for mine in (tools.SolveTool(small), tools.DescribeTool([sudoku, small])):
        tool = listed[mine.name]
        assert (tool.title, tool.description) == (mine.title, mine.description)
        assert (tool.input_schema, tool.output_schema) == (mine.schema, mine.returns)
        assert tool.annotations == ToolAnnotations(
            title=mine.title, read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
        )


async def test_the_server_says_when_to_use_it(server: Server[Any], era: str) -> None:
    async with client(server, era) as one:
        assert one.instructions is not None
        assert "- sudoku_4x4: Sudoku 4×4" in one.instructions
        assert one.server_info is not None
        assert (one.server_info.name, one.server_info.version) == ("groundstate", gs.__version__)


@pytest.mark.parametrize("detail", ["brief", "full"])
@pytest.mark.parametrize(
    ("tool", "arguments", "status"),
    [
        (TOOL, FULL, "solved"),
        (TOOL, OPEN, "ambiguous"),
        (TOOL, {"grid": rows("11" + "0" * 14)}, "infeasible"),
        (TOOL, {"grid": rows("1230000400000000")}, "infeasible"),
        (TOOL, {**OPEN, "action": "score", "answer": FULL}, None),
        (TOOL, {**OPEN, "action": "score", "answer": {"grid": rows("2" * 16)}}, None),
        ("describe_models", {}, None),
        ("describe_models", {"model": "sudoku_4x4"}, None),
    ],
)
async def test_a_result_is_compact_json_and_the_same_as_structure_that_fits_the_schema(
    small: gs.Solver, detail: tools.Detail, tool: str, arguments: dict[str, Any], status: str | None
) -> None:
    async with client(build_server(small, detail=detail, **BUDGET), "2026-07-28") as one:
        schemas = {each.name: each.output_schema for each in (await one.list_tools()).tools}
        result = await one.call_tool(tool, arguments)
    told = record(result)
    assert told.get("status") == status
    assert text(result) == json.dumps(told, separators=(",", ":"), ensure_ascii=False)
    schema = schemas[tool]
    assert schema is not None
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate(told)
    assert told.keys() <= schema["properties"].keys() | {
        "runner_up",
        "decided",
        "steps",
        "chains",
        "hits",
        "seed",
        "unique",
    } or (tool == "describe_models")


@pytest.mark.parametrize("model", ["constraints", "scheduling"])
async def test_schemas_of_richer_models_fit_what_they_return(model: str, era: str) -> None:
    solver = gs.load(model)
    assert solver.header.self_test is not None
    async with client(build_server(solver), era) as one:
        solve, _ = (await one.list_tools()).tools
        request = solver.header.self_test["request"]
        told = record(await one.call_tool(solve.name, request))
        scored = record(await one.call_tool(solve.name, {**request, "action": "score", "answer": told["answer"]}))
    assert solve.output_schema is not None
    Draft202012Validator.check_schema(solve.input_schema)
    for said in (told, scored):
        Draft202012Validator(solve.output_schema).validate(said)
    assert scored["valid"] is True


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        (TOOL, {}, "- The property 'grid' is missing."),
        (TOOL, {"grid": rows(SOLUTION)[:3]}, "- grid: There are 3 entries; there must be exactly 4."),
        (TOOL, {"grid": [["one", 0, 0, 0], *rows(SOLUTION)[1:]]}, "- grid[0][0]: 'one' is not allowed here"),
        (TOOL, {"gird": rows(SOLUTION)}, "did you mean 'grid'?"),
        (TOOL, {**OPEN, "replies": "1"}, "- replies: This must map"),
        (TOOL, {**OPEN, "action": "score"}, "- answer: This is missing;"),
        ("describe_models", {"model": "chess"}, "- model: 'chess' is not a model here; there are 'sudoku_4x4'."),
    ],
)
async def test_wrong_arguments_are_an_error_that_says_what_to_send(
    server: Server[Any], era: str, tool: str, arguments: dict[str, Any], said: str
) -> None:
    async with client(server, era) as one:
        result = await one.call_tool(tool, arguments)
    assert result.is_error
    assert text(result).startswith(f"{tool} refused the arguments and did nothing.")
    assert said in text(result)
    assert "The arguments must be {" in text(result)


async def test_what_is_meant_beyond_doubt_is_read_so_and_said(server: Server[Any], era: str) -> None:
    async with client(server, era) as one:
        told = record(await one.call_tool(TOOL, {"grid": json.dumps([list(map(str, row)) for row in rows(SOLUTION)])}))
    assert told["answer"] == FULL
    assert told["read_as"]


async def test_an_unexpected_error_is_kept_from_the_client(
    server: Server[Any], small: gs.Solver, era: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("the secret of /home/somebody")

    monkeypatch.setattr(small, "asolve", fail)
    async with client(server, era) as one:
        result = await one.call_tool(TOOL, OPEN)
    assert result.is_error
    assert text(result) == f"{TOOL} failed, and the server's log says why. Do not retry."


async def test_progress_increases_to_the_updates_made(server: Server[Any], small: gs.Solver, era: str) -> None:
    heard: list[float] = []

    async def hear(progress: float, total: float | None, message: str | None) -> None:
        heard.append(progress)
        assert message == f"{progress:.0f} updates of the descent"

    async with client(server, era) as one:
        await one.call_tool(TOOL, {"grid": rows("0" + SOLUTION[1:])}, progress_callback=hear)
    assert heard == sorted(set(heard))
    assert heard[-1] >= small.header.steps


async def test_models_and_cards_are_resources(small: gs.Solver, era: str) -> None:
    async with client(build_server(["sudoku_4x4"]), era) as one:
        listed = {str(each.uri): each.mime_type for each in (await one.list_resources()).resources}
        told = [(await one.read_resource(uri)).contents[0] for uri in listed]
    assert listed == {
        "groundstate://models/sudoku_4x4": "application/json",
        "groundstate://models/sudoku_4x4/card": "text/markdown",
    }
    about, card = told
    assert isinstance(about, TextResourceContents)
    assert json.loads(about.text) == json.loads(json.dumps(small.describe()))
    assert isinstance(card, TextResourceContents)
    assert card.text == artefact_4x4().with_name("CARD.md").read_text(encoding="utf-8")


async def test_many_calls_at_once_each_get_their_own_answer(anywhere: Any, era: str) -> None:
    boards = ["".join(SOLUTION).translate(str.maketrans("1234", "".join(p))) for p in itertools.permutations("1234")]
    told: dict[str, Any] = {}

    async with client(anywhere, era) as one:

        async def call(board: str) -> None:
            told[board] = record(await one.call_tool(TOOL, {"grid": rows("0" + board[1:15] + "0")}))["answer"]

        async with anyio.create_task_group() as group:
            for board in boards:
                group.start_soon(call, board)
    assert told == {board: {"grid": rows(board)} for board in boards}


@pytest.mark.parametrize("kind", ["name", "path", "bytes", "solver", "folder"])
async def test_models_are_given_in_any_way(kind: str, small: gs.Solver, tmp_path: Any) -> None:
    path = artefact_4x4()
    (tmp_path / "mine.onnx").write_bytes(path.read_bytes())
    model: Any = {"name": "sudoku_4x4", "path": path, "bytes": path.read_bytes(), "solver": small, "folder": tmp_path}[
        kind
    ]
    for given in (model, [model]):
        async with client(build_server(given), "2026-07-28") as one:
            names = [tool.name for tool in (await one.list_tools()).tools]
        assert names == [TOOL, "describe_models"]


def test_what_cannot_be_served_is_told(small: gs.Solver, tmp_path: Any) -> None:
    with pytest.raises(gs.OptionError, match="Two of the models are named 'sudoku_4x4'"):
        build_server([small, "sudoku_4x4"])
    with pytest.raises(gs.OptionError, match="No model was given"):
        build_server([])
    with pytest.raises(gs.OptionError, match=r"There is no \.onnx file in"):
        build_server(tmp_path)
    with pytest.raises(gs.OptionError, match="on_question is 'ask'; it must be 'elicit' or 'return'"):
        build_server(small, on_question="ask")  # type: ignore[arg-type]
    with pytest.raises(gs.OptionError, match=r"There is no option 'restart'\. Did you mean 'restarts'"):
        build_server(small, restart=3)  # type: ignore[call-arg]


async def test_a_bad_artefact_costs_its_own_tool_only(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "bad.onnx").write_bytes(b"not a model")
    (tmp_path / "good.onnx").write_bytes(artefact_4x4().read_bytes())
    server = build_server(tmp_path)
    assert "bad.onnx is not served: " in caplog.text
    async with client(server, "2026-07-28") as one:
        assert [tool.name for tool in (await one.list_tools()).tools] == [TOOL, "describe_models"]
    (tmp_path / "good.onnx").unlink()
    with pytest.raises(gs.ArtefactError):
        build_server(tmp_path)


async def test_an_unknown_tool_is_an_error_of_the_protocol(server: Server[Any], era: str) -> None:
    async with client(server, era) as one:
        with pytest.raises(MCPError, match=r"There is no tool 'solve_sudoku'\. Did you mean 'solve_sudoku_4x4'\?"):
            await one.call_tool("solve_sudoku", OPEN)


async def test_text_of_an_artefact_reaches_no_model_with_control_characters(small: gs.Solver, era: str) -> None:
    header = dataclasses.replace(
        small.header, title="Su\x1b[2Jdoku", description="Solves.\u202e \ud800Ignore\x00 all", licence="\x1b]0;x\x07"
    )
    solver = copy.copy(small)
    solver.header = header
    async with client(build_server(solver), era) as one:
        listed = (await one.list_tools()).tools[0]
        resource = (await one.read_resource("groundstate://models/sudoku_4x4")).contents[0]
    assert (listed.title, listed.description) == ("Su[2Jdoku", "Solves. Ignore all")
    assert isinstance(resource, TextResourceContents)
    assert not set("\x1b\x07\u202e") & set(resource.text)
