"""Files and callers that are not to be trusted, processes that fork, and signals: each fault is its owner's."""

from __future__ import annotations

import asyncio
import gc
import json
import multiprocessing
import os
import pickle
import signal
import socketserver
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import groundstate as gs
from groundstate._segment import BLOCK
from tests.runtime import toys
from tests.runtime.building import number, properties
from tests.support import EASY, EASY_SOLUTION, MEDIUM, rows

X = {"x": [1.0, 2.0]}


# Schemas out of a file


@pytest.mark.parametrize(
    "schema",
    [
        {"$ref": "http://127.0.0.1:9/schema.json"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "other.json"},
        {"$dynamicRef": "http://127.0.0.1:9/"},
        {"$id": "http://127.0.0.1:9/base.json"},
        {"allOf": [{"if": {"minItems": 1}, "then": {"$ref": "http://127.0.0.1:9/"}}]},
        {"properties": {"enum": {"$ref": "file:///dev/zero"}}},
        {"items": {"not": {"anyOf": [{}, {"$ref": "//127.0.0.1/x"}]}}},
    ],
)
def test_a_reference_out_of_the_document_is_refused_when_the_file_is_loaded(schema: dict[str, Any]) -> None:
    for part in ("request", "answer"):
        with pytest.raises(gs.ArtefactError, match=r"leads out of the document; only a place within it may be named"):
            gs.load(toys.bowl(**{part: {"type": "object", "properties": {"x": schema, "y": schema}}}))


def test_a_reference_within_the_document_is_followed() -> None:
    shared = {**properties(x={"$ref": "#/$defs/pair"}), "$defs": {"pair": number([2])}}
    solver = gs.load(toys.bowl(request=shared))
    assert solver.solve(X).status is gs.Status.SETTLED
    with pytest.raises(gs.RequestError, match=r"x: There are 1 entries; there must be exactly 2"):
        solver.solve({"x": [1.0]})


@pytest.mark.parametrize(
    ("schema", "sentence"),
    [
        ({"$ref": "#/$defs/nowhere"}, r"refers to a place '.*nowhere' that it does not have"),
        ({"type": "complex"}, "the type 'complex' is unknown"),
        ({"type": "number", "multipleOf": 0}, "its multipleOf is 0; it must be above 0"),
        ({"type": "string", "pattern": "("}, "its pattern '\\(' is not a regular expression"),
        ({"minItems": "two"}, "its minItems is 'two'; it must be a number"),
        ({"properties": []}, "its properties \\[\\] maps no names to schemas"),
        ({"required": 5}, "is no JSON schema|cannot be used"),
    ],
)
def test_a_schema_that_is_none_is_the_artefacts_fault(schema: dict[str, Any], sentence: str) -> None:
    with pytest.raises(gs.ArtefactError, match=sentence):
        gs.load(toys.bowl(request={"type": "object", "properties": {"x": schema}})).solve({"x": {"a": 1}})


def test_a_schema_nested_without_end_is_refused() -> None:
    deep: dict[str, Any] = {"type": "number"}
    for _ in range(200):
        deep = {"type": "array", "items": deep}
    with pytest.raises(gs.ArtefactError, match="it is nested more than 64 deep"):
        gs.load(toys.bowl(request=properties(x=deep)))


def test_nothing_is_asked_of_the_network_while_a_request_is_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is there, and is not called, even where the check at load is taken away."""
    asked: list[str] = []

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            asked.append("called")

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setattr("groundstate._request.examine", lambda *_: None)
        monkeypatch.setattr("groundstate._solver.examine_schema", lambda *_: None)
        address = f"http://127.0.0.1:{server.server_address[1]}/schema.json"
        solver = gs.load(toys.bowl(request={"type": "object", "properties": {"x": {"$ref": address}}}))
        with pytest.raises(gs.ArtefactError, match="that it does not have"):
            solver.solve(X)
        server.shutdown()
    assert asked == []


# Requests


def test_five_point_zero_is_taken_as_five_everywhere(sudoku: gs.Solver) -> None:
    floats = {"grid": [[float(digit) for digit in row] for row in rows(EASY)]}
    whole = sudoku.solve({"grid": rows(EASY)}, alternatives=2)
    for request in (floats, {"grid": np.array(floats["grid"])}, {"grid": np.array(floats["grid"], np.float32)}):
        solution = sudoku.solve(request, alternatives=2)
        assert solution == whole
        assert json.dumps(solution.request) == json.dumps({"grid": rows(EASY)})
    answer = {"grid": [[float(digit) for digit in row] for row in rows(EASY_SOLUTION)]}
    assert sudoku.score(floats, answer).valid
    constraints = gs.load("constraints")
    request = {
        "variables": {"a": [1.0, 2], "b": [1, 2.0]},
        "constraints": [
            {"type": "linear", "terms": [{"variable": "a", "times": 2.0}, {"variable": "b"}], "equals": 4.0}
        ],
    }
    assert constraints.solve(request, alternatives=2).answer == {"values": {"a": 1, "b": 2}}
    with pytest.raises(gs.RequestError, match=r"5\.5 is not allowed here"):
        sudoku.solve({"grid": [[5.5] * 9] * 9})


def test_numbers_with_a_fraction_stay_what_they_are() -> None:
    solution = gs.load(toys.bowl()).solve({"x": [5.0, 1e300 / 1e299]})
    assert solution.request == {"x": [5.0, 10.0]}
    for bad in (float("nan"), float("inf")):
        with pytest.raises(gs.RequestError, match="not allowed here"):
            gs.load(toys.bowl()).solve({"x": [bad, 1.0]})


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (properties(x=number([1000, 1000])), [[0.5] * 1000] * 1000),
        (
            properties(x={"type": "array", "items": {"type": "array", "items": {"type": "integer"}}}),
            [[1] * 1000] * 1000,
        ),
        (properties(x={**number([2]), "maxItems": 3}), [[["a"]]] * 1_000_000),
        (properties(x={"type": "array", "items": {"type": ["integer", "string"]}}), ["a", 1] * 500_000),
    ],
)
def test_a_million_cells_are_checked_or_refused_in_seconds(schema: dict[str, Any], value: object) -> None:
    begun = time.process_time()
    with pytest.raises(gs.RequestError):  # by its shape, at the latest where it becomes a tensor of two numbers
        gs.load(toys.bowl(request=schema)).solve({"x": value})
    assert time.process_time() - begun < 6


def test_what_takes_too_long_to_check_is_refused_as_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("groundstate._request._SECONDS", 0.0)
    with pytest.raises(gs.RequestError, match="The request is too large: it took more than 0 s to check"):
        gs.load(toys.bowl()).solve({"x": ["a", "b"]})


# Errors


def test_a_request_error_survives_pickling() -> None:
    error = gs.RequestError([gs.Fault("grid[0]", "This is wrong."), gs.Fault("", "So is this.")])
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.faults) == (str(error), error.faults)


@pytest.mark.parametrize("source", [None, 5, 1.5, ["sudoku"], object])
def test_a_source_of_another_type_is_refused_in_one_sentence(source: Any) -> None:
    with pytest.raises(
        gs.OptionError, match=r"^The model is .* of type \w+; it must be the name of an installed model"
    ):
        gs.load(source)


def test_a_file_that_cannot_be_loaded_is_named(tmp_path: Path) -> None:
    for content, sentence in ((b"", "is empty"), (b"hello", "is damaged or not an ONNX model")):
        path = tmp_path / "own.onnx"
        path.write_bytes(content)
        with pytest.raises(gs.ArtefactError, match=rf"The file '.*own\.onnx' {sentence}"):
            gs.load(path)
    with pytest.raises(gs.ArtefactError, match="cannot be read: File name too long"):
        gs.load("x" * 5000)


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda s: s.solve(X, watch="x"), "watch is 'x'; it must be callable, or None"),
        (lambda s: s.solve(X, heartbeat=1), "heartbeat is 1; it must be callable, or None"),
        (lambda s: s.solve_many(X), "requests is of type dict; it must be a list of requests"),
        (lambda s: s.solve_many(5), "requests is of type int"),
        (lambda s: s.solve_many([X], done=3), "done is 3; it must be callable"),
        (lambda s: s.solve(X, deadline=True), "deadline is True; it must be a positive number"),
    ],
)
def test_options_of_another_type_are_refused(call: Callable[[gs.Solver], object], sentence: str) -> None:
    with pytest.raises(gs.OptionError, match=sentence):
        call(gs.load(toys.bowl()))


def test_text_that_is_none_is_no_notation(sudoku: gs.Solver) -> None:
    with pytest.raises(gs.RequestError, match="The notation is text, and 5 is of type int"):
        sudoku.parse(5)  # type: ignore[arg-type]


# Graphs that lie or fail


def changed(model: bytes, change: Callable[[onnx.ModelProto], None]) -> bytes:
    proto = onnx.load_from_string(model)
    change(proto)
    return bytes(proto.SerializeToString())


def answering(name: str, dtype: int, values: list[int], rows: int = 1) -> Callable[[onnx.ModelProto], None]:
    """Replace an output by a constant."""

    def change(proto: onnx.ModelProto) -> None:
        for node in proto.graph.node:
            if list(node.output) == [name]:
                node.CopyFrom(onnx.helper.make_node("Constant", [], [name], value=onnx.helper.make_tensor(
                    "v", dtype, [rows, len(values)], values * rows)))  # fmt: skip
        for output in proto.graph.output:
            if output.name == name:
                output.CopyFrom(onnx.helper.make_tensor_value_info(name, dtype, None))

    return change


@pytest.mark.parametrize("values", [[-1, 1], [-1, 0], [1, -1]])
def test_counts_below_zero_never_count_as_checked(values: list[int]) -> None:
    lying = changed(toys.triangle(), answering("violations", onnx.TensorProto.INT64, values, BLOCK))
    solution = gs.load(lying).solve({"ac": 1.0, "bc": 0.8, "side": 0.0}, restarts=1, max_steps=64)
    assert solution.status is gs.Status.UNSOLVED
    assert solution.answer is None


@pytest.mark.parametrize("values", [[0], [0, 0, 0], []])
def test_missing_columns_never_count_as_checked(values: list[int]) -> None:
    lying = changed(toys.triangle(), answering("violations", onnx.TensorProto.INT64, values))
    with pytest.raises(gs.ArtefactError, match=r"output 'violations' that is not int64 of shape \(batch, 2\)"):
        gs.load(lying)


def test_an_output_of_another_dtype_is_refused_when_the_file_is_loaded() -> None:
    lying = changed(toys.triangle(), answering("violations", onnx.TensorProto.INT32, [0, 0]))
    with pytest.raises(gs.ArtefactError, match=r"output 'violations' that is not int64 of shape \(batch, \d+\)"):
        gs.load(lying)


def test_a_graph_that_fails_is_the_artefacts_fault_and_not_the_requests() -> None:
    def change(proto: onnx.ModelProto) -> None:
        """An index of its own that is out of range."""
        node = next(node for node in proto.graph.node if node.op_type == "Sub")
        proto.graph.initializer.append(onnx.numpy_helper.from_array(np.array([7, 8]), "beyond"))
        proto.graph.node.insert(0, onnx.helper.make_node("Gather", ["x", "beyond"], ["odd"], axis=1))
        node.input[1] = "odd"

    with pytest.raises(gs.ArtefactError, match="The artefact's graph failed: "):
        gs.load(changed(toys.bowl(), change)).solve(X)


# Signals


@contextmanager
def alarm(seconds: float, handler: Callable[..., None]) -> Iterator[None]:
    former = signal.signal(signal.SIGALRM, handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, former)


class SoftTimeLimit(Exception):
    pass


@pytest.fixture
def without_collection() -> Iterator[None]:
    """No garbage collection: a handler that runs within a callback of it cannot raise to the program, whoever wrote it."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize("after", [0.001, 0.003, 0.01, 0.02, 0.05])
def test_what_a_signals_handler_raises_rises(after: float, without_collection: None) -> None:
    def limit(*_: object) -> None:
        raise SoftTimeLimit("over")

    solver = gs.load("sudoku", threads=1)
    begun = time.monotonic()
    puzzles = [{"grid": rows(MEDIUM)}] * 10_000
    with pytest.raises(SoftTimeLimit, match="over"), alarm(after, limit):
        solver.solve_many(puzzles)
    assert time.monotonic() - begun < 60
    assert solver.solve({"grid": rows(EASY)}).status == "solved"


def test_what_a_signals_handler_raises_in_a_task_is_no_fault_of_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    from groundstate import _meaning

    class Slow(gs.Reading):
        def check(self, answer: dict[str, Any]) -> None:
            while True:
                time.sleep(0.001)

    def limit(*_: object) -> None:
        raise SoftTimeLimit("over")

    monkeypatch.setattr(_meaning, "find", type("SlowTask", (gs.Task,), {"reading": Slow}))
    solver = gs.load(toys.bowl(task="slow"), threads=1)
    with pytest.raises(SoftTimeLimit, match="over"), alarm(0.2, limit):
        solver.solve(X)


# Processes


def _child(solver: gs.Solver, puzzle: str, queue: Any) -> None:
    solution = solver.solve({"grid": rows(puzzle)}, alternatives=2)
    queue.put((solution.status.value, solution.answer))


@pytest.mark.parametrize("method", ["fork", "spawn"])
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_solver_that_was_used_works_in_a_child(method: str) -> None:
    solver = gs.load("sudoku", threads=4)
    puzzles = [{"grid": rows(MEDIUM)}] * 24
    solver.solve_many(puzzles)  # the pool's threads run
    wanted = solver.solve({"grid": rows(MEDIUM)}, alternatives=2).answer
    context = multiprocessing.get_context(method)
    queue = context.Queue()
    child = context.Process(target=_child, args=(solver, MEDIUM, queue))
    child.start()
    try:
        assert queue.get(timeout=60) == ("solved", wanted)
    finally:
        child.join(timeout=10)
        if child.is_alive():
            child.kill()
    assert child.exitcode == 0


_IMPORTING = """
import os, sys, threading
import groundstate as gs
late = [name for name in gs._solver._IMPORTED_LATE if name in ("jsonpatch", "jsonschema.validators")]
solver = gs.load("sudoku_4x4")
threading.Thread(target=threading.Event().wait, daemon=True).start()
assert late and not sys.modules.keys() & set(late), "the imports are not late"
child = os.fork()
if child == 0:
    os._exit(0 if set(late) <= sys.modules.keys() else 1)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_never_waits_for_an_import_that_a_thread_of_its_parent_had_begun() -> None:
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", _IMPORTING], check=False).returncode == 0


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_while_others_solve_does_not_hang_the_child() -> None:
    solver, stop = gs.load("sudoku_4x4", threads=3), threading.Event()
    empty = {"grid": [[0] * 4] * 4}

    def busy() -> None:
        while not stop.is_set():
            solver.solve(empty, alternatives=2)

    threads = [threading.Thread(target=busy) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(5):
            child = os.fork()
            if child == 0:
                signal.alarm(30)
                os._exit(0 if solver.solve(empty, alternatives=2).status == "ambiguous" else 1)
            assert os.waitpid(child, 0)[1] == 0
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def test_a_solver_and_a_solution_survive_pickling() -> None:
    solver = gs.load("sudoku_4x4", threads=2)
    copy = pickle.loads(pickle.dumps(solver))
    request = {"grid": [[1, 0, 0, 0], [0] * 4, [0] * 4, [0] * 4]}
    solution = copy.solve(request, alternatives=2)
    assert solution == solver.solve(request, alternatives=2)
    assert pickle.loads(pickle.dumps(solution)) == solution


def test_a_solver_is_closed_by_its_context_and_may_be_used_again() -> None:
    before = {*threading.enumerate()}
    with gs.load("sudoku", threads=4) as solver:
        solver.solve_many([{"grid": rows(MEDIUM)}] * 24)
        assert {*threading.enumerate()} - before
    assert not {*threading.enumerate()} - before
    assert solver.solve({"grid": rows(EASY)}).status == "solved"


async def test_a_cancelled_solve_ends_its_descent() -> None:
    solver = gs.load("sudoku", threads=1)
    beats: list[float] = []
    hopeless = {"grid": [[1] + [0] * 8, *([0] * 9 for _ in range(8))]}
    task = asyncio.create_task(
        solver.asolve(hopeless, alternatives=64, restarts=256, max_steps=1 << 11, heartbeat=lambda: beats.append(0.0))
    )
    while not beats and not task.done():
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await asyncio.sleep(1.0)
    after = len(beats)
    await asyncio.sleep(1.0)
    assert len(beats) == after
