"""Devices: state that stays there, what is copied and when, and every way in which CUDA can be missing.

No kernel of a GPU runs here: `paper` has ONNX Runtime of the CPU take the calls of the one for GPUs.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest

import groundstate as gs
from groundstate._devices import _cuda
from groundstate._devices._buckets import BUCKETS, buckets
from groundstate._devices._gathering import gathering
from groundstate._devices._names import named
from groundstate._devices._resident import Resident
from groundstate._devices._thread import DeviceThread
from groundstate._session import computed_elsewhere, counted, placement
from groundstate_models.sudoku import artefact_4x4
from tests.runtime import toys
from tests.runtime.paper import CPU, CUDA, PaperRuntime

OPEN = {"grid": [[1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 0, 0]]}
FULL = {"grid": [[1, 2, 3, 4], [3, 4, 1, 2], [2, 1, 4, 3], [4, 3, 2, 1]]}


def on_paper(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> PaperRuntime:
    """Let the next models that are loaded find this runtime."""
    runtime = PaperRuntime(**settings)
    monkeypatch.setattr("groundstate._session.runtime", lambda: runtime)
    return runtime


# Placement


def test_arithmetic_on_lengths_is_told_apart_from_computing() -> None:
    fine = [(CUDA, "MatMul"), (CUDA, "Softmax"), (CPU, "Shape"), (CPU, "Concat"), (CPU, "Mul"), (CPU, "Gather")]
    assert computed_elsewhere(fine, CUDA) == ""
    wrong = [*fine, (CPU, "MatMul"), (CPU, "MatMul"), (CPU, "ScatterND")]
    assert computed_elsewhere(wrong, CUDA) == f"2 × MatMul on {CPU}, 1 × ScatterND on {CPU}"


def test_a_session_says_where_its_nodes_are() -> None:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    session = onnxruntime.InferenceSession(artefact_4x4().read_bytes(), options, providers=[CPU])
    nodes = placement(session)
    assert len(nodes) > 100
    assert {place for place, _ in nodes} == {CPU}
    assert f"on {CPU}" in computed_elsewhere(nodes, CUDA)
    assert sum(counted(nodes)[CPU].values()) == len(nodes)


def test_a_runtime_that_does_not_say_where_its_nodes_are_is_refused() -> None:
    class Silent:
        def get_provider_graph_assignment_info(self) -> None:
            raise AttributeError("no such method")

    with pytest.raises(gs.ProviderError, match="does not say where it puts the nodes of a graph"):
        placement(Silent())  # type: ignore[arg-type]


def test_on_a_device_nothing_may_compute_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    on_paper(monkeypatch, placed=[(CUDA, "Mul"), (CPU, "Shape"), (CPU, "Concat")])
    solver = gs.load(toys.bowl(), device="cuda")
    assert solver.device == "cuda"
    assert solver.placement == {CPU: {"Concat": 1, "Shape": 1}, CUDA: {"Mul": 1}}
    on_paper(monkeypatch, placed=[(CUDA, "Mul"), (CPU, "ReduceSum")])
    with pytest.raises(gs.ProviderError, match=f"put nodes that compute on another provider: 1 × ReduceSum on {CPU}"):
        gs.load(toys.bowl(), device="cuda")


def test_neither_the_wrapper_nor_the_file_has_a_say_in_how_a_session_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = on_paper(monkeypatch)
    gs.load(toys.bowl(), device="cuda")
    for session in runtime.sessions:
        assert session.switches == {"enable_fallback": 0, "read_config_from_model": 0}
        ((_, settings),) = session.providers
        assert (settings["use_tf32"], settings["device_id"]) == ("0", "0")


# The state stays on the device


def test_a_solve_on_a_device_gives_what_the_cpu_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = [gs.load("sudoku_4x4").solve(problem, alternatives=3, seed=5) for problem in (OPEN, FULL)]
    runtime = on_paper(monkeypatch)
    with gs.load("sudoku_4x4", device="cuda") as solver:
        found = [solver.solve(problem, alternatives=3, seed=5) for problem in (OPEN, FULL)]
        assert solver.score(FULL, FULL).valid
    assert [one.answer for one in found] == [one.answer for one in expected]
    assert [one.status for one in found] == [one.status for one in expected]
    np.testing.assert_allclose([one.energy for one in found], [one.energy for one in expected], rtol=1e-5)
    assert runtime.counts["replay"]
    assert not runtime.counts["plain run"]
    assert not runtime.counts["run with copies"]


def test_stages_and_a_noisy_walk_give_what_the_cpu_gives(monkeypatch: pytest.MonkeyPatch) -> None:
    problems: list[tuple[bytes, dict[str, Any]]] = [
        (toys.triangle(), {}),
        (toys.drunkard(4, 8, [1]), {}),
        (toys.wells(0.1), {}),
    ]
    for file, _ in problems:
        monkeypatch.undo()
        host = gs.load(file)
        request = {name: [0.5] * spec.shape[0] if spec.shape else 0.5 for name, spec in host.header.asked.items()}
        expected = host.solve(request, seed=3, max_steps=64, restarts=8)
        on_paper(monkeypatch)
        with gs.load(file, device="cuda") as solver:
            found = solver.solve(request, seed=3, max_steps=64, restarts=8)
        assert (found.status, found.steps, found.chains) == (expected.status, expected.steps, expected.chains)
        assert (found.energy is None) == (expected.energy is None)
        if expected.energy is not None:
            assert found.energy == pytest.approx(expected.energy, rel=1e-5, abs=1e-6)


def test_between_segments_nothing_is_copied_but_what_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = on_paper(monkeypatch)
    solver = gs.load(toys.bowl(), device="cuda")
    resident, header, counts = solver._session.resident, solver.header, runtime.counts
    assert resident is not None
    rows = 3
    inputs = {"x": np.ones((rows, 2), np.float32)}
    state: dict[str, Any] = {"y": np.zeros((rows, 2), np.float32)}
    scale = np.ones(rows, np.float32)
    fetch = ["energy", "next.y"]
    out = resident.segment(header, inputs, state, {}, scale, fetch)
    before = counts.copy()
    for _ in range(5):
        out = resident.segment(header, inputs, {"y": out["next.y"]}, {}, scale, fetch)
    assert counts - before == {"replay": 5, "download": 5}
    assert isinstance(out["next.y"], Resident)
    host = gs.load(toys.bowl()).minimise(inputs, state, steps=6 * header.steps)
    monkeypatch.undo()
    np.testing.assert_allclose(np.asarray(out["next.y"]), host["next.y"], rtol=1e-6)
    np.testing.assert_allclose(out["energy"], host["energy"], rtol=1e-5, atol=1e-9)


def test_rows_are_dropped_written_and_added_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = on_paper(monkeypatch)
    solver = gs.load(toys.bowl(), device="cuda")
    resident, header, counts = solver._session.resident, solver.header, runtime.counts
    assert resident is not None
    random = np.random.default_rng(0)

    def step(x: Any, y: Any) -> Any:
        scale = np.full(len(x), 0.5, np.float32)
        out = resident.segment(header, {"x": x}, {"y": y}, {}, scale, ["next.y"])
        return out["next.y"]

    def on_host(x: Any, y: Any) -> Any:
        # y − x shrinks by the same factor in each of the steps.
        return x + (y - x) * np.float32(1 - 2 * 0.25 * 0.5) ** header.steps

    x = random.standard_normal((6, 2)).astype(np.float32)
    y = random.standard_normal((6, 2)).astype(np.float32)
    there, here = step(x, y), on_host(x, y)
    kept = np.array([True, False, True, True, False, True])
    there, here, x = there[kept], here[kept], x[kept]
    there[1] = here[1] = np.array([9.0, -9.0], np.float32)
    more = random.standard_normal((14, 2)).astype(np.float32)
    there, here, x = np.concatenate([there, more]), np.concatenate([here, more]), np.concatenate([x, more])
    assert isinstance(there, Resident)
    assert (len(there), there.shape, there.dtype, there.ndim) == (18, (18, 2), np.float32, 2)
    np.testing.assert_allclose(np.asarray(there), here, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(there[5], here[5], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(np.sort(there, axis=0), np.sort(here, axis=0), rtol=1e-5, atol=1e-6)
    before = counts.copy()
    there, here = step(x, there), on_host(x, here)
    # One gather, which takes the new rows and an index; x is in a larger bucket, and so is the scale.
    assert counts - before == {
        "gather": 1,
        "upload": 4,
        "replay": 1,
        "bytes up": (15 * 2 * 4 + 64 * 8) + 64 * (2 + 1) * 4,
    }
    np.testing.assert_allclose(np.asarray(there), here, rtol=1e-5, atol=1e-6)


def test_rows_that_a_later_run_overwrote_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    on_paper(monkeypatch)
    solver = gs.load(toys.bowl(), device="cuda")
    resident, header = solver._session.resident, solver.header
    assert resident is not None
    x, scale = np.zeros((1, 2), np.float32), np.ones(1, np.float32)
    first = resident.segment(header, {"x": x}, {"y": x + 1}, {}, scale, ["next.y"])["next.y"]
    resident.segment(header, {"x": x}, {"y": first}, {}, scale, ["next.y"])
    with pytest.raises(RuntimeError, match="overwritten"):
        np.asarray(first)


def test_batches_beside_each_other_do_not_share_buffers(monkeypatch: pytest.MonkeyPatch) -> None:
    on_paper(monkeypatch)
    solver = gs.load(toys.bowl(), device="cuda")
    resident, header = solver._session.resident, solver.header
    assert resident is not None
    x, scale = np.zeros((2, 2), np.float32), np.ones(2, np.float32)
    one, other = (
        resident.segment(header, {"x": x}, {"y": x + start}, {}, scale, ["next.y"])["next.y"] for start in (1, 2)
    )
    np.testing.assert_allclose(np.asarray(other), 2 * np.asarray(one), rtol=1e-6)
    lanes = one.lease.lanes
    del one
    again = resident.segment(header, {"x": x}, {"y": x}, {}, scale, ["next.y"])["next.y"]
    assert again.lease.lanes is lanes  # free again, since nothing refers to its rows


def test_more_rows_than_the_largest_bucket_run_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    on_paper(monkeypatch)
    monkeypatch.setattr("groundstate._devices._buckets.BUCKETS", (1, 4))
    inputs = {"x": np.arange(22, dtype=np.float32).reshape(11, 2)}
    on_device = gs.load(toys.bowl(), device="cuda").minimise(inputs, steps=16, seed=1)
    monkeypatch.undo()
    on_host = gs.load(toys.bowl()).minimise(inputs, steps=16, seed=1)
    for name, tensor in on_host.items():
        np.testing.assert_allclose(on_device[name], tensor, rtol=1e-5, atol=1e-5)


def test_what_most_solves_need_is_captured_when_the_model_is_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = on_paper(monkeypatch)
    solver = gs.load("sudoku_4x4", device="cuda")
    assert solver._session.captures
    at_load = [n for n in buckets(solver.header) if n <= 256]
    assert runtime.counts["capture"] == 2 * len(at_load)
    before = runtime.counts["capture"]
    solver.solve(OPEN, alternatives=2)
    assert runtime.counts["capture"] == before


def test_a_graph_that_cannot_be_captured_runs_on_the_device_without(monkeypatch: pytest.MonkeyPatch) -> None:
    why = "This session cannot use the graph capture feature as requested by the user"
    runtime = on_paper(monkeypatch, fails={("enable_cuda_graph", "1"): RuntimeError(why)})
    solver = gs.load("sudoku_4x4", device="cuda")
    assert solver.device == "cuda"
    assert not solver._session.captures
    assert solver.solve(FULL).solved
    assert not runtime.counts["capture"]
    assert runtime.counts["plain run"]


def test_buckets_fit_the_graph() -> None:
    header = gs.load("sudoku_4x4").header
    assert buckets(header) == BUCKETS
    from dataclasses import replace

    assert buckets(replace(header, batch=8)) == (8,)
    assert max(buckets(replace(header, elements=(1 << 26,)))) == 4


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_are_put_together_by_a_model_that_onnx_runtime_takes(dtype: Any) -> None:
    import onnxruntime

    session = onnxruntime.InferenceSession(gathering(np.dtype(dtype)), providers=[CPU])
    kept, fresh = np.arange(12, dtype=dtype).reshape(3, 2, 2), -np.ones((2, 2, 2), dtype)
    index = np.array([4, 0, 2, 2])
    (rows,) = session.run(None, {"kept": kept, "fresh": fresh, "index": index})
    np.testing.assert_array_equal(rows, np.concatenate([kept, fresh])[index])


# The device's thread


def test_everything_runs_on_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = on_paper(monkeypatch)
    solver = gs.load("sudoku_4x4", device="cuda")
    seen: set[int] = set()
    for session in runtime.sessions:
        real = session.run_with_iobinding

        def run(*arguments: Any, real: Any = real) -> None:
            seen.add(threading.get_ident())
            real(*arguments)

        monkeypatch.setattr(session, "run_with_iobinding", run)
    outcomes: list[bool] = []
    threads = [threading.Thread(target=lambda: outcomes.append(solver.solve(FULL).solved)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes == [True] * 4
    assert len(seen) == 1
    assert threading.get_ident() not in seen


def test_what_fails_on_the_devices_thread_rises_in_the_callers() -> None:
    thread = DeviceThread("test")
    with pytest.raises(ZeroDivisionError):
        thread.call(lambda: 1 // 0)
    assert thread.call(lambda: thread.call(lambda: 1)) == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_is_refused_and_not_left_waiting() -> None:
    code = """
import os, sys
from groundstate import ProviderError
from groundstate._devices._thread import thread_of
thread = thread_of("cuda")
thread.call(lambda: 1)
child = os.fork()
if not child:
    try:
        thread.call(lambda: 1)
    except ProviderError as error:
        os._exit(0 if "'spawn'" in str(error) and thread_of("cuda").call(lambda: 2) == 2 else 1)
    os._exit(2)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
    assert subprocess.run([sys.executable, "-W", "ignore", "-c", code], check=False, timeout=60).returncode == 0


# Every way in which CUDA can be missing


@pytest.mark.parametrize("device", ["gpu", "CUDA", "cuda:", "cuda:-1", "cuda:1000", "", None, 0, ["cpu"], b"cpu"])
def test_a_device_that_does_not_exist_is_refused(device: Any) -> None:
    with pytest.raises(gs.OptionError, match="it must be 'cpu', 'cuda', 'cuda:1'"):
        gs.load("sudoku_4x4", device=device)


def test_devices_have_numbers() -> None:
    assert [named(one) for one in ("cpu", "cuda", "cuda:0", "cuda:12")] == [
        ("cpu", 0),
        ("cuda", 0),
        ("cuda", 0),
        ("cuda", 12),
    ]


def test_without_a_provider_the_cure_is_to_install_one(monkeypatch: pytest.MonkeyPatch) -> None:
    on_paper(monkeypatch, available=["AzureExecutionProvider", CPU])
    with pytest.raises(gs.ProviderError, match="Uninstall onnxruntime and install groundstate"):
        gs.load("sudoku_4x4", device="cuda")
    monkeypatch.setattr(_cuda, "_installed", lambda _: True)
    with pytest.raises(gs.ProviderError, match="the first hides the second: uninstall both"):
        gs.load("sudoku_4x4", device="cuda")
    monkeypatch.setattr(_cuda, "_installed", lambda wheel: wheel == "onnxruntime-gpu")
    with pytest.raises(gs.ProviderError, match="without its provider: reinstall it"):
        gs.load("sudoku_4x4", device="cuda")


@pytest.mark.parametrize(
    ("says", "cure"),
    [
        ("CUDA failure 100: no CUDA-capable device is detected ; GPU=-1", "start it with --gpus all"),
        ("CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version", "update the driver"),
        ("CUDA failure 101: invalid device ordinal", "'cuda:1' the second"),
        ("CUDA failure 209: no kernel image is available for execution on the device", "not built for this GPU"),
        ("Failed to allocate memory for requested buffer of size 1024", "free some of it"),
        (
            "libcublasLt.so.12: cannot open shared object file: No such file or directory",
            "Libraries of CUDA are missing",
        ),
        ("something new", "groundstate doctor"),
    ],
)
def test_each_failure_of_cuda_names_its_cure(monkeypatch: pytest.MonkeyPatch, says: str, cure: str) -> None:
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    on_paper(monkeypatch, fails={("device_id", "0"): RuntimeError(says)})
    with pytest.raises(gs.ProviderError, match="cannot run this model on 'cuda'") as refusal:
        gs.load("sudoku_4x4", device="cuda")
    assert cure in str(refusal.value)
    assert str(refusal.value).endswith(", or use device='cpu'.")


def test_hidden_gpus_are_named_as_the_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    on_paper(monkeypatch, fails={("device_id", "0"): RuntimeError("CUDA failure 100: no CUDA-capable device")})
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    with pytest.raises(gs.ProviderError, match="CUDA_VISIBLE_DEVICES is '', which hides every GPU: unset it"):
        gs.load("sudoku_4x4", device="cuda")


def test_the_gpu_wheel_without_a_gpu_is_refused_and_prints_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its list of providers has CUDA, and its session has not: it leaves out quietly what it cannot load."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    on_paper(monkeypatch, got=[CPU], prints="Failed to load libcudnn.so.9: cannot open shared object file")
    with pytest.raises(gs.ProviderError, match="Libraries of CUDA are missing") as refusal:
        gs.load("sudoku_4x4", device="cuda")
    assert "libcudnn.so.9" in str(refusal.value)
    assert capsys.readouterr().out == ""


def test_auto_says_what_it_took_and_why(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "groundstate"):
        solver = gs.load("sudoku_4x4", device="auto")
    assert solver.device == "cpu"
    assert solver.device_reason.startswith("'auto' took 'cpu': device is 'cuda', but")
    assert solver.device_reason in caplog.text
    on_paper(monkeypatch)
    taken = gs.load("sudoku_4x4", device="auto")
    assert taken.device == "cuda"
    assert taken.device_reason.startswith("'auto' took 'cuda'")
    assert gs.load("sudoku_4x4").device_reason == "The device 'cpu' was asked for."


def test_a_device_that_fails_in_a_run_is_not_blamed_on_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    on_paper(monkeypatch)
    solver = gs.load("sudoku_4x4", device="cuda")
    from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

    def fails(*_: Any) -> None:
        raise RuntimeException("CUDA failure 2: out of memory ; GPU=0")

    for session in list(solver._sessions):
        monkeypatch.setattr(session._session, "run_with_iobinding", fails)
    with pytest.raises(gs.ProviderError, match=r"The device 'cuda' failed: CUDA failure 2.*free some of it"):
        solver.solve(FULL)


def test_a_solver_on_a_device_survives_spawn_as_a_recipe(monkeypatch: pytest.MonkeyPatch) -> None:
    import pickle

    on_paper(monkeypatch)
    solver = gs.load("sudoku_4x4", device="cuda")
    copy = pickle.loads(pickle.dumps(solver))
    assert copy.device == "cuda"
    assert copy.solve(FULL).solved
