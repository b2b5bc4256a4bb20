"""Loading: what is refused, with which sentence, and what importing costs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import onnx
import pytest

import groundstate as gs
from groundstate_models.sudoku import artefact
from tests.runtime import toys

DEFAULTS = {"restarts": 8, "max_steps": 64, "patience": 64, "luby_exponent": 0.0, "residual_tolerance": 0.1}
OLD = {"restarts": 8, "max_steps": 64, "patience": 64, "settled": 0.1}


def rewritten(tmp_path: Path, **changes: object) -> Path:
    """The bundled artefact with fields of its header changed; None removes the field."""
    model = onnx.load(artefact())
    for entry in model.metadata_props:
        if entry.key == "groundstate":
            header = {**json.loads(entry.value), **changes}
            entry.value = json.dumps({k: v for k, v in header.items() if v is not ...})
    path = tmp_path / "changed.onnx"
    onnx.save(model, path)
    return path


def test_an_unknown_name_is_refused_with_the_nearest_known_one() -> None:
    with pytest.raises(gs.UnknownModelError, match=r"no installed model 'sudoko'.*Did you mean 'sudoku'\?"):
        gs.load("sudoko")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(gs.ArtefactError, match=r"nothing\.onnx cannot be read: No such file"):
        gs.load(tmp_path / "nothing.onnx")


@pytest.mark.parametrize("kept", [0, 1, 100, 0.5, 0.99])
def test_a_truncated_file_is_refused(kept: float) -> None:
    data = artefact().read_bytes()
    with pytest.raises(gs.ArtefactError):
        gs.load(data[: int(kept * len(data)) if kept < 1 else int(kept)])


def test_a_foreign_onnx_file_is_refused(tmp_path: Path) -> None:
    one = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    two = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = onnx.helper.make_graph([onnx.helper.make_node("Neg", ["x"], ["y"])], "g", [one], [two])
    path = tmp_path / "foreign.onnx"
    onnx.save(onnx.helper.make_model(graph, ir_version=8, opset_imports=[onnx.helper.make_opsetid("", 18)]), path)
    with pytest.raises(gs.ArtefactError, match="has no 'groundstate' entry in its metadata"):
        gs.load(path)


@pytest.mark.parametrize("location", ["weights.bin", "./weights.bin", "../weights.bin"])
def test_a_file_that_refers_to_another_file_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str
) -> None:
    (tmp_path / "inner").mkdir()
    monkeypatch.chdir(tmp_path / "inner")
    model = onnx.load(artefact())
    weight = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))
    Path(location).write_bytes(weight.raw_data)
    weight.ClearField("raw_data")
    weight.data_location = onnx.TensorProto.EXTERNAL
    weight.external_data.add(key="location", value=location)
    with pytest.raises(gs.ArtefactError, match="has external data"):
        gs.load(model.SerializeToString())


def test_text_that_is_no_onnx_file_is_refused() -> None:
    with pytest.raises(gs.ArtefactError, match="is damaged or not an ONNX model"):
        gs.load(b"hello, this is no model")


@pytest.mark.parametrize("version", [5, 0, "1", None, True])
def test_an_unknown_format_is_refused_by_name(tmp_path: Path, version: object) -> None:
    with pytest.raises(
        gs.ArtefactError, match=r"is of format .*; this version of groundstate reads the formats 1, 2, 3 and 4"
    ):
        gs.load(rewritten(tmp_path, format=version))


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("steps", ..., "it lacks 'steps'"),
        ("steps", 0, "a segment has at least one step"),
        ("trace_every", 0, "'trace_every' is 0; it is from 1 to the 16 steps of a segment"),
        ("trace_every", 17, "'trace_every' is 17; it is from 1 to the 16 steps of a segment"),
        ("trace_every", "4", "'trace_every' is '4', which has the wrong type"),
        ("trace_every", True, "'trace_every' is True, which has the wrong type"),
        ("trace_every", None, "'trace_every' is None, which has the wrong type"),
        (
            "trace_every",
            16,
            "the header's 'steps' 16 and 'trace_every' 16 make 1 columns",
        ),
        ("name", 3, "'name' is 3, which has the wrong type"),
        ("inputs", {"grid": {"dtype": "int64", "shape": [9]}}, "input 'grid' that is not int64 of shape"),
        ("inputs", {"grid": {"dtype": "complex", "shape": [9, 9]}}, "is 'complex'; known are"),
        ("inputs", {}, "unknown input 'grid'"),
        ("noise", {}, "unknown input 'noise."),
        ("answers", {"board": {"dtype": "int64", "shape": [9, 9]}}, "no output 'answer.board'"),
        ("state", [], "'state' is \\[\\], which has the wrong type"),
        ("defaults", [], "'defaults' is \\[\\], which has the wrong type"),
        ("defaults", {"restarts": 8, "max_steps": 64, "settled": 0.1}, "it lacks 'defaults.patience'"),
        (
            "defaults",
            DEFAULTS | {"luby_exponent": "much"},
            "'defaults.luby_exponent' is 'much', which has the wrong type",
        ),
    ],
)
def test_a_header_that_does_not_fit_is_refused(tmp_path: Path, field: str, value: object, sentence: str) -> None:
    with pytest.raises(gs.ArtefactError, match=sentence):
        gs.load(rewritten(tmp_path, **{field: value}))


def test_a_file_of_before_chains_could_be_given_up_equally_soon_goes_by_the_sequence() -> None:
    for version in (2, 3):
        assert gs.load(toys.bowl(version, written={"defaults": OLD})).header.defaults["luby_exponent"] == 1
    with pytest.raises(gs.ArtefactError, match=r"'defaults\.lengthens' is 'much', which has the wrong type"):
        gs.load(toys.bowl(3, written={"defaults": OLD | {"lengthens": "much"}}))
    assert gs.load(artefact()).header.defaults["luby_exponent"] == 0


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("form", "scan", "'form' is 'scan'; known are unrolled, loop"),
        ("form", ..., "it lacks 'form'"),
        ("form", "loop", "'trace_every' is 8; a loop records every energy"),
        ("precision", "bfloat16", "'precision' is 'bfloat16'; known are float32, float16"),
        ("batch", 0, "'batch' is 0; a fixed batch has at least one row"),
        ("batch", "8", "'batch' is '8', which has the wrong type"),
        ("batch", 8, r"input 'grid' that is not int64 of shape \(8, 9, 9\), as the header says"),
    ],
)
def test_a_form_that_is_unknown_or_not_the_graphs_is_refused_by_name(
    tmp_path: Path, field: str, value: object, sentence: str
) -> None:
    assert gs.load(rewritten(tmp_path)).header.form == "unrolled"
    with pytest.raises(gs.ArtefactError, match=sentence):
        gs.load(rewritten(tmp_path, **{field: value}))


def test_a_task_that_is_not_installed_is_named(tmp_path: Path) -> None:
    with pytest.raises(gs.TaskError, match=r"needs the task 'crosswords'.*installed: .*sudoku"):
        gs.load(rewritten(tmp_path, task="crosswords"))


def test_cuda_where_there_is_none_is_an_error_and_never_the_cpu() -> None:
    with pytest.raises(
        gs.ProviderError, match=r"device is 'cuda', but the installed ONNX Runtime .* has no CUDAExecutionProvider"
    ):
        gs.load("sudoku", device="cuda")


def test_an_unknown_device_is_refused_with_the_known_ones() -> None:
    with pytest.raises(gs.OptionError, match="device is 'tpu'; it must be 'cpu', 'cuda'"):
        gs.load("sudoku", device="tpu")


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_without_onnx_runtime_one_sentence_says_what_to_install() -> None:
    said = run(
        "import importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'onnxruntime' else find(name, *a)\n"
        "import groundstate as gs\n"
        "try: gs.load('sudoku')\n"
        "except gs.ProviderError as error: print(error)"
    )
    assert said.startswith("ONNX Runtime is not installed; install it with: pip install 'groundstate[cpu]'")


def test_importing_groundstate_is_light() -> None:
    heavy = ("torch", "onnx", "pydantic", "langchain_core", "mcp", "jsonschema", "rich", "click")
    assert run(f"import sys, groundstate; print([m for m in {heavy!r} if m in sys.modules])") == "[]"


def test_solving_needs_no_torch_and_no_onnx_and_writes_nothing(tmp_path: Path) -> None:
    said = run(
        "import os, sys\n"
        f"os.environ['HOME'] = os.environ['XDG_CACHE_HOME'] = {str(tmp_path)!r}\n"
        "sys.modules['torch'] = sys.modules['onnx'] = None\n"
        "import groundstate as gs\n"
        "s = gs.load('sudoku'); r = s.describe()['request']['examples'][0]\n"
        "print(s.solve(r).status.value)"
    )
    assert said == "solved"
    assert list(tmp_path.rglob("*")) == []


def test_the_public_names_are_sorted_and_all_there() -> None:
    assert gs.__all__ == sorted(gs.__all__)
    assert all(hasattr(gs, name) for name in gs.__all__)
    assert gs.models() == sorted(gs.models())
    assert {"sudoku", "sudoku_16x16", "sudoku_4x4", "sudoku_6x6"} <= set(gs.models())
