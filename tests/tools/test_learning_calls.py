"""The tool that learns, and its callers: names, queues, cancellation, restarts, and what is refused before anything starts."""

from __future__ import annotations

import asyncio
import itertools
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import groundstate as gs
from groundstate_models.learned.learning import LearnTool
from groundstate_models.learned.process import Budget, Process
from groundstate_training import learn

ROSTERS = [dict(zip(("mon", "tue", "wed"), people, strict=True)) for people in itertools.permutations("abc")] * 4
OTHERS = [dict(zip(("mon", "tue", "wed"), people, strict=True)) for people in itertools.permutations("xyz")] * 4


@pytest.fixture(scope="module")
def learned_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A learned tool, made in this process."""
    path = tmp_path_factory.mktemp("made") / "roster.onnx"
    learn(ROSTERS, kind="rules").export(path, name="roster")
    return path


@pytest.fixture
def tool(learned_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LearnTool:
    """A tool whose processes give the ready file at once."""

    def ready(_self: Process, request: Any) -> dict[str, Any]:
        shutil.copy(learned_file, request["path"])
        return {"report": ["3 rules"], "questions": []}

    monkeypatch.setattr(Process, "learn", ready)
    return LearnTool(tmp_path, budget=Budget(tools=3, waiting=4))


def test_calls_without_a_name_keep_one_tool_for_the_same_examples_and_make_another_for_others(tool: LearnTool) -> None:
    assert tool.call({"examples": ROSTERS}).record["tool"]
    assert tool.call({"examples": OTHERS}).record["tool"]
    assert tool.call({"examples": ROSTERS, "impossible": [{"mon": "a", "tue": "a"}]}).record["tool"]
    assert sorted(tool._state.solvers) == ["learned", "learned_2"]


def test_a_name_is_not_taken_from_other_examples_or_from_a_model_of_the_server(tool: LearnTool) -> None:
    tool.reserved.add("sudoku")
    tool.call({"examples": ROSTERS, "name": "roster"})
    before = tool.solvers
    with pytest.raises(gs.RequestError, match="was learned from other examples; choose another name"):
        tool.call({"examples": OTHERS, "name": "roster"})
    with pytest.raises(gs.RequestError, match="'sudoku' belongs to a model of this server"):
        tool.call({"examples": OTHERS, "name": "sudoku"})
    assert tool.solvers == before


def test_a_forgotten_tool_makes_room_for_another_and_its_files_are_deleted(tool: LearnTool, tmp_path: Path) -> None:
    for name in ("one", "two", "three"):
        tool.call({"examples": [*ROSTERS, *ROSTERS[: len(name)]], "name": name})
    with pytest.raises(gs.RequestError, match=r"There are 3 learned tools already.*Forget one first: one, two, three"):
        tool.call({"examples": OTHERS, "name": "four"})
    with pytest.raises(gs.RequestError, match=r"no learned tool 'onne'\. Did you mean 'one'"):
        tool.call({"forget": "onne"})
    with pytest.raises(gs.RequestError, match="without other arguments"):
        tool.call({"forget": "one", "examples": ROSTERS})
    assert "solve_one is forgotten" in tool.call({"forget": "solve_one"}).record["message"]
    assert [path.name for path in sorted(tmp_path.glob("*.onnx"))] == ["three.onnx", "two.onnx"]
    assert len(list(tmp_path.iterdir())) == 4
    tool.call({"examples": OTHERS, "name": "four"})


def test_learned_tools_survive_a_restart_and_other_files_in_the_folder_are_left_alone(
    learned_file: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.copy(learned_file, tmp_path / "roster.onnx")
    shutil.copy(learned_file, tmp_path / "renamed.onnx")
    (tmp_path / "broken.onnx").write_bytes(b"no model")
    again = LearnTool(tmp_path)
    assert [solver.header.name for solver in again.solvers] == ["roster"]
    assert "broken.onnx is not loaded" in caplog.text
    assert "renamed.onnx is not loaded" in caplog.text
    answer = again.solvers[0].solve({"known": {"mon": "a", "tue": "b"}}).answer
    assert answer is not None
    assert answer["values"]["wed"] == "c"


async def test_of_two_hundred_callers_a_few_wait_and_the_others_are_asked_to_come_back(
    learned_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    enough = threading.Event()

    def slow(_self: Process, request: Any) -> dict[str, Any]:
        enough.wait(60)
        shutil.copy(learned_file, request["path"])
        return {"report": [], "questions": []}

    monkeypatch.setattr(Process, "learn", slow)
    tool = LearnTool(tmp_path, budget=Budget(tools=200, waiting=4))
    calls = [asyncio.create_task(tool.acall({"examples": [*ROSTERS, [k]]})) for k in range(200)]
    await asyncio.sleep(0)
    while sum(call.done() for call in calls) < 195:
        await asyncio.sleep(0.01)
    enough.set()
    found = await asyncio.gather(*calls, return_exceptions=True)
    refused = [one for one in found if isinstance(one, gs.BusyError)]
    assert len(refused) == 195
    assert len(tool.solvers) == 5
    assert "5 calls are in progress. Call it again with the same arguments" in tool.refusal(refused[0])
    tool.call({"examples": ROSTERS})


async def test_a_cancelled_call_stops_its_process_and_one_that_waits_never_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, stopped = threading.Event(), threading.Event()

    def slow(_self: Process, _request: Any) -> dict[str, Any]:
        begun.set()
        stopped.wait(60)
        return {"error": "stopped"}

    monkeypatch.setattr(Process, "learn", slow)
    monkeypatch.setattr(Process, "stop", lambda _self: stopped.set())
    tool = LearnTool(tmp_path)
    first = asyncio.create_task(tool.acall({"examples": ROSTERS}))
    while not begun.is_set():
        await asyncio.sleep(0.01)
    second = asyncio.create_task(tool.acall({"examples": OTHERS}))
    await asyncio.sleep(0)
    begun.clear()
    second.cancel()
    first.cancel()
    assert all(
        isinstance(one, asyncio.CancelledError) for one in await asyncio.gather(first, second, return_exceptions=True)
    )
    assert stopped.is_set()
    assert not begun.is_set()


def test_a_stopped_process_ends_and_says_so(tmp_path: Path) -> None:
    process = Process(Budget(seconds=900))
    request = {"examples": ROSTERS * 100, "name": "x", "path": str(tmp_path / "x.onnx")}
    said: list[str] = []

    def work() -> None:
        with pytest.raises(gs.RequestError, match="The call was cancelled"):
            process.learn(request)
        said.append("ended")

    worker = threading.Thread(target=work)
    worker.start()
    while process._child is None:
        worker.join(0.01)
    process.stop()
    worker.join(60)
    assert said == ["ended"]
    assert process._child.returncode < 0


def test_a_process_that_needs_more_memory_than_its_budget_ends_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(gs.RequestError, match="Send fewer examples or variables"):
        LearnTool(tmp_path, budget=Budget(memory=200 << 20)).call({"examples": ROSTERS})
    assert list(tmp_path.iterdir()) == []


def deep(levels: int) -> list[Any]:
    found: list[Any] = [1]
    for _ in range(levels):
        found = [found]
    return found


def refusals() -> Iterator[tuple[dict[str, Any], str]]:
    """Arguments, and what is said."""
    yield {"examples": [{"a\nb": 1, "c": 2}] * 5}, "up to 80 printable characters"
    yield {"examples": [{"\u202egnp": 1, "c": 2}] * 5}, "up to 80 printable characters"
    yield {"examples": [{"x" * 500: 1, "c": 2}] * 5}, "up to 80 printable characters"
    yield {"examples": [deep(2_000)] * 5}, "must be JSON"
    yield {"examples": [{1, 2}] * 5}, "must be JSON"
    yield {"examples": ROSTERS, "known": [{"x": "y" * 5000}]}, "up to 5,000 are allowed"
    yield {"examples": ROSTERS, "name": "a" * 42}, "not a word of up to 41 letters"
    yield {"examples": ROSTERS, "name": "solve/../../etc"}, "not a word"
    yield {"name": "roster"}, "must be a list with one example an entry"
    yield {"forget": 3}, "must be the name of a learned tool"
    yield {"forget": "nothing"}, "Learned tools: none"


@pytest.mark.parametrize(("arguments", "said"), list(refusals()))
def test_arguments_that_are_malicious_or_mistaken_are_refused_before_a_process_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, Any], said: str
) -> None:
    def never(*_arguments: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Process, "learn", never)
    with pytest.raises(gs.RequestError, match=said):
        LearnTool(tmp_path, budget=Budget(characters=5000)).call(arguments)
