"""What is in a file: the graph, the header, the checker."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from torch import Tensor, nn

from groundstate_export import Card, Constant, ExportReport, GradientDescent, HeavyBall, Normal, Uniform, export


class Chooser(nn.Module):
    """Eight variables of three values, some of them given; an expensive look at the problem that no step may repeat."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 24))
        self.mix = nn.Linear(3, 3)

    def forward(self, state: Tensor, given: Tensor) -> dict[str, Tensor]:
        wish = self.encoder(given.float()).unflatten(1, (8, 3))
        return {
            "wish": (state * wish).sum((1, 2)),
            "mixing": torch.sigmoid(self.mix(state)).sum((1, 2)),
            "size": 0.5 * state.square().sum((1, 2)),
        }

    @staticmethod
    def decode(state: Tensor, given: Tensor) -> dict[str, Tensor]:
        return {"choice": torch.where(given > 0, given, state.argmax(-1) + 1), "logits": state}

    @staticmethod
    def rules(answer: dict[str, Tensor], given: Tensor) -> dict[str, Tensor]:
        choice = answer["choice"]
        return {
            "givens": ((given > 0) & (choice != given)).sum(1),
            "neighbours": (choice[:, 1:] == choice[:, :-1]).sum(1),
        }

    @staticmethod
    def embed(answer: dict[str, Tensor], given: Tensor) -> Tensor:
        return (answer["choice"].unsqueeze(-1) == torch.arange(1, 4)).float() * 2 - 1


UNROLL = 8


@pytest.fixture(scope="module")
def chooser() -> Chooser:
    torch.manual_seed(0)
    return Chooser()


@pytest.fixture(scope="module")
def made(chooser: Chooser, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExportReport]:
    path = tmp_path_factory.mktemp("file") / "my chooser.onnx"
    report = export(
        chooser,
        inputs={"given": torch.randint(0, 4, (5, 8))},
        state=torch.randn(5, 8, 3),
        rule=HeavyBall(0.1, 0.8, noise=0.2, noise_every=2, temperature=(0.5, 1.5)),
        unroll=UNROLL,
        path=path,
        decode=chooser.decode,
        checks=chooser.rules,
        encode_answer=chooser.embed,
        initial=Normal(0.0, 0.5),
        card=Card(
            title="Choices",
            description="Chooses.",
            licence="Apache-2.0",
            terms={"size": "keeps the state small"},
            checks={"neighbours": "neighbours differ"},
            defaults={"restarts": 3},
            self_test={"request": {"given": [0] * 8}, "answer": {}},
        ),
    )
    return path, report


@pytest.fixture(scope="module")
def model(made: tuple[Path, ExportReport]) -> onnx.ModelProto:
    return onnx.load_from_string(made[0].read_bytes())


def test_the_header_says_what_the_page_about_the_format_says(made: Any, host: Callable[[Path], Any]) -> None:
    header = host(made[0]).header
    assert list(header) == [
        "format", "name", "title", "description", "licence", "version", "task", "form", "steps", "trace_every", "batch",
        "elements", "precision", "inputs", "answers", "state", "noise", "terms",
        "checks", "accept", "stages", "request", "answer", "defaults",
        "limits", "self_test", "parity", "built_with",
    ]  # fmt: skip
    assert (header["format"], header["name"], header["title"], header["steps"]) == (4, "my-chooser", "Choices", UNROLL)
    assert (header["form"], header["batch"], header["precision"]) == ("unrolled", None, "float32")
    assert header["inputs"] == {"given": {"dtype": "int64", "shape": [8]}}
    assert header["answers"] == {
        "choice": {"dtype": "int64", "shape": [8]},
        "logits": {"dtype": "float32", "shape": [8, 3]},
    }
    assert header["state"] == {
        "y": {"dtype": "float32", "shape": [8, 3], "initial": {"normal": [0.0, 0.5]}, "minimised": True},
        "y.velocity": {"dtype": "float32", "shape": [8, 3], "initial": {"constant": 0.0}, "minimised": False},
        "y.temperature": {"dtype": "float32", "shape": [], "initial": {"uniform": [0.5, 1.5]}, "minimised": False},
    }
    assert header["noise"] == {"y": {"dtype": "float32", "shape": [UNROLL // 2, 8, 3], "period": 2, "offsets": [0]}}
    assert header["terms"][2] == {"name": "size", "description": "keeps the state small"}
    assert header["checks"] == [
        {"name": "givens", "description": "", "tolerance": None, "unit": None},
        {"name": "neighbours", "description": "neighbours differ", "tolerance": None, "unit": None},
    ]
    assert header["accept"] == {"checks": "all", "converged": False, "polish": 0}
    assert header["stages"] == []
    assert len(header["elements"]) == 1
    assert header["request"]["properties"]["given"] == {
        "type": "array", "items": {"type": "integer"}, "minItems": 8, "maxItems": 8,
    }  # fmt: skip
    assert header["defaults"]["restarts"] == 3
    assert set(header["defaults"]) == {"restarts", "max_steps", "patience", "luby_exponent", "residual_tolerance"}
    assert set(header["limits"]) == {"restarts", "max_steps", "batch", "elements"}
    assert set(header["built_with"]) == {"groundstate", "torch", "onnx", "onnxruntime"}
    parity = header["parity"]
    assert parity["worst"] == max(parity["outputs"].values()) <= parity["tolerance"] == 1e-5
    assert (parity["batches"], parity["seeds"]) == ([1, 2, 7, 16], [0, 1])
    assert parity["segments"] == [1, 2]


def test_the_graph_has_exactly_the_tensors_that_the_header_names(made: Any, host: Callable[[Path], Any]) -> None:
    runner = host(made[0])
    header = runner.header
    inputs = {**header["inputs"], **{f"state.{k}": v for k, v in header["state"].items()}}
    inputs |= {f"noise.{k}": v for k, v in header["noise"].items()} | {"step_scale": {"dtype": "float32", "shape": []}}
    assert {k: v.shape for k, v in runner.inputs.items()} == {k: ["batch", *v["shape"]] for k, v in inputs.items()}
    outputs = {f"next.{k}" for k in header["state"]} | {f"answer.{k}" for k in header["answers"]}
    assert set(runner.outputs) == outputs | {"energy", "terms", "residual", "trace", "violations", "excess"}
    found = runner.run(runner.random_feeds(3))
    for name, spec in header["answers"].items():
        assert (found[f"answer.{name}"].dtype, list(found[f"answer.{name}"].shape)) == (
            spec["dtype"],
            [3, *spec["shape"]],
        )
    assert (found["violations"].dtype, found["violations"].shape) == (np.int64, (3, 2))
    assert (found["trace"].shape, found["terms"].shape, found["residual"].shape) == ((3, UNROLL), (3, 3), (3,))


def test_a_file_uses_standard_operators_only(model: onnx.ModelProto) -> None:
    assert [(o.domain, o.version) for o in model.opset_import] == [("", 18)]
    assert model.ir_version <= 10
    assert not model.functions
    assert not {"Loop", "If", "Scan", "RandomNormal", "RandomUniform"} & {n.op_type for n in model.graph.node}
    assert all(t.data_location == onnx.TensorProto.DEFAULT for t in model.graph.initializer)


def test_a_file_names_nothing_of_the_machine_that_built_it(made: Any, model: onnx.ModelProto) -> None:
    data = made[0].read_bytes()
    judge = base64.b64decode(next(p.value for p in model.metadata_props if p.key == "groundstate.checker"))
    for content in (data, judge):
        for trace in (
            b"/home",
            b"/root",
            b"/tmp",
            b"/work",
            b".py",
            b"site-packages",
            b"stack_trace",
            b"torch.nn",
            b"aten",
        ):
            assert trace not in content
    assert not any(n.name or n.doc_string or n.metadata_props for n in model.graph.node)


def test_what_looks_at_the_problem_runs_once(model: onnx.ModelProto, made: Any) -> None:
    operators = Counter(n.op_type for n in model.graph.node)
    assert operators["Tanh"] == 2  # the encoder's two, whatever the number of steps
    assert operators["Sigmoid"] == UNROLL + 1  # one a step and one for the last energy; forward and gradient share it
    # The rule's constants are folded. Two choices are left: the decoding's, and that a chain whose step scale is 0 stays.
    assert operators["Where"] == 2
    assert not {"Exp", "Expand"} & {n.op_type for n in model.graph.node[:-40]}
    assert made[1].nodes_hoisted >= 5


def test_weights_are_stored_once(model: onnx.ModelProto, chooser: Chooser) -> None:
    stored = sum(int(np.prod(t.dims)) for t in model.graph.initializer)
    own = sum(p.numel() for p in chooser.parameters())
    assert stored < 1.2 * own
    arrays = [(tuple(t.dims), t.data_type, t.raw_data) for t in model.graph.initializer]
    assert len(set(arrays)) == len(arrays)


def test_the_checker_counts_and_encodes(made: Any, model: onnx.ModelProto, chooser: Chooser) -> None:
    judge = ort.InferenceSession(
        base64.b64decode(next(p.value for p in model.metadata_props if p.key == "groundstate.checker"))
    )
    assert {i.name for i in judge.get_inputs()} == {"given", "answer.choice", "answer.logits"}
    assert {o.name for o in judge.get_outputs()} == {"violations", "excess", "state.y"}
    given = torch.randint(0, 4, (6, 8))
    answer = {"choice": torch.randint(1, 4, (6, 8)), "logits": torch.randn(6, 8, 3)}
    feeds = {"given": given.numpy()} | {f"answer.{k}": v.numpy() for k, v in answer.items()}
    violations, place = judge.run(["violations", "state.y"], feeds)
    choice, wanted = answer["choice"].numpy(), given.numpy()
    assert violations[:, 0].tolist() == ((wanted > 0) & (choice != wanted)).sum(1).tolist()
    assert violations[:, 1].tolist() == (choice[:, 1:] == choice[:, :-1]).sum(1).tolist()
    np.testing.assert_array_equal(place, chooser.embed(answer, given).numpy())


def test_an_export_is_reproducible(made: Any, chooser: Chooser, tmp_path: Path) -> None:
    files = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = tmp_path / name / "same.onnx"
        torch.manual_seed(1)
        export(
            chooser, inputs={"given": torch.randint(0, 4, (5, 8))}, state=torch.randn(5, 8, 3), rule=HeavyBall(0.1, 0.8),
            unroll=2, path=path, batches=(2,), seeds=(0,),
        )  # fmt: skip
        files.append(path.read_bytes())
    assert files[0] == files[1]


@pytest.mark.parametrize(
    ("state", "initial", "written"),
    [
        (torch.zeros(3, 4), None, {"constant": 0.0}),
        (torch.zeros(3, 4), Uniform(-1.0, 1.0), {"uniform": [-1.0, 1.0]}),
        (torch.tensor([[1.0, 3.0]]), None, {"normal": [2.0, pytest.approx(2**0.5)]}),
        (torch.randn(3, 4), {"y": Constant(2.0)}, {"constant": 2.0}),
    ],
)
def test_how_a_chain_starts_is_written(state: Tensor, initial: Any, written: Any, host: Any, tmp_path: Path) -> None:
    path = tmp_path / "start.onnx"
    export(
        lambda y: (y - 1).square().sum(-1), inputs={}, state=state, rule=HeavyBall(0.1, 0.5), unroll=1, path=path,
        initial=initial, batches=(2,), seeds=(0,),
    )  # fmt: skip
    assert host(path).header["state"]["y"]["initial"] == written


def test_a_kernel_that_a_gradient_uses_mirrored_is_stored_once(tmp_path: Path) -> None:
    layers = nn.Sequential(nn.Conv2d(16, 32, 3, padding=1), nn.SiLU(), nn.Conv2d(32, 32, 3, padding=1))
    report = export(
        lambda state: layers(state).square().flatten(1).mean(1), inputs={}, state=torch.randn(2, 16, 6, 6),
        rule=GradientDescent(0.1), unroll=2, path=tmp_path / "kernels.onnx",
    )  # fmt: skip
    assert report.bytes < 1.2 * sum(4 * p.numel() for p in layers.parameters())


def test_equal_elements_are_stored_as_one_number(tmp_path: Path) -> None:
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.GroupNorm(2, 8), nn.Tanh())
    path = tmp_path / "normalised.onnx"
    export(
        lambda state: layers(state).square().flatten(1).mean(1), inputs={}, state=torch.randn(2, 3, 24, 24),
        rule=GradientDescent(0.1), unroll=1, path=path, batches=(1, 3),
    )  # fmt: skip
    graph = onnx.load(path).graph
    assert any(node.op_type == "ConstantOfShape" for node in graph.node)
    assert max(int(np.prod(t.dims)) for t in graph.initializer) == 8 * 3 * 9


@pytest.mark.parametrize("axis", [0, 1])
def test_quantised_weights_are_stored_in_a_byte_each(axis: int, tmp_path: Path) -> None:
    draw = torch.Generator().manual_seed(0)
    levels = torch.randint(-127, 128, (64, 48), generator=draw).float()
    levels.select(1 - axis, 0)[:] = 127.0
    scale = torch.arange(1, levels.shape[axis] + 1).unsqueeze(1 - axis) / 4096
    weight = levels * scale
    path = tmp_path / "quantised.onnx"
    export(
        lambda state: (state @ weight).tanh().square().sum(1), inputs={}, state=torch.randn(2, 64),
        rule=GradientDescent(0.1), unroll=1, path=path, batches=(1, 3),
    )  # fmt: skip
    large = [t for t in onnx.load(path).graph.initializer if np.prod(t.dims) == weight.numel()]
    assert [t.data_type for t in large] == [onnx.TensorProto.INT8]


def test_weights_that_are_no_multiples_are_stored_as_they_are(tmp_path: Path) -> None:
    weight = torch.randn(64, 48, generator=torch.Generator().manual_seed(0))
    path = tmp_path / "plain.onnx"
    export(
        lambda state: (state @ weight).tanh().square().sum(1), inputs={}, state=torch.randn(2, 64),
        rule=GradientDescent(0.1), unroll=1, path=path, batches=(1, 3),
    )  # fmt: skip
    large = [t for t in onnx.load(path).graph.initializer if np.prod(t.dims) == weight.numel()]
    assert [t.data_type for t in large] == [onnx.TensorProto.FLOAT]
