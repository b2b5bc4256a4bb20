"""The forms of a file: unrolled, a loop, a fixed batch, float16; and what the runtime makes of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import Tensor

import groundstate as gs
from groundstate_export import BadArgument, ExportReport, GradientDescent, HeavyBall, ParityError, export
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Batch
from groundstate_export._unroll.float16 import rounded
from groundstate_export._unroll.unroll import distinct
from groundstate_export._verify.replay import session
from groundstate_export._write.model import model_of

STEPS = 6
Make = Callable[..., tuple[Path, ExportReport]]


@pytest.fixture(scope="module")
def make(example: Any, tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A file of an example in some form, made once."""
    made: dict[str, tuple[Path, ExportReport]] = {}

    def of(name: str, unroll: int = STEPS, **options: Any) -> tuple[Path, ExportReport]:
        key = f"{name}{unroll}{options}"
        if key not in made:
            energy, inputs, state, rule = example(name)
            path = tmp_path_factory.mktemp("forms") / f"{name}.onnx"
            made[key] = path, export(energy, inputs=inputs, state=state, rule=rule, unroll=unroll, path=path, **options)
        return made[key]

    return of


def limits(steps: int, tolerance: float = 0.0) -> dict[str, Any]:
    return {"max_steps": np.array(steps), "tolerance": np.array(tolerance, np.float32)}


@pytest.fixture(scope="module")
def pair(make: Make, host: Any) -> Callable[[str], tuple[Any, Any, dict[str, Any]]]:
    """The same example unrolled and as a loop, and feeds for both."""

    def of(name: str) -> tuple[Any, Any, dict[str, Any]]:
        unrolled, looped = host(make(name)[0]), host(make(name, form="loop")[0])
        return unrolled, looped, unrolled.random_feeds(5, seed=3)

    return of


@pytest.mark.parametrize("name", ["mlp", "attention", "several", "conv"])
def test_a_loop_computes_the_same_as_the_unrolled_steps(pair: Any, name: str) -> None:
    unrolled, looped, feeds = pair(name)
    wanted, found = unrolled.run(feeds), looped.run(feeds | limits(STEPS))
    for output, tensor in wanted.items():
        # The gradient is an output of the loop's step, so a factor may be multiplied elsewhere: the last bits may differ.
        np.testing.assert_allclose(found[output], tensor, rtol=0, atol=1e-6 * np.abs(tensor).max(), err_msg=output)
    assert found["steps"].tolist() == [STEPS] * 5
    assert set(found) == {*wanted, "steps"}


def test_a_loop_makes_at_most_max_steps(pair: Any) -> None:
    _, looped, feeds = pair("attention")
    whole, part = looped.run(feeds | limits(STEPS)), looped.run(feeds | limits(2))
    assert part["trace"].shape == (5, 2)
    np.testing.assert_array_equal(part["trace"], whole["trace"][:, :2])
    np.testing.assert_array_equal(part["energy"], whole["trace"][:, 2])
    assert looped.run(feeds | limits(3 * STEPS))["trace"].shape == (5, 3 * STEPS)
    assert looped.run(feeds | limits(0))["steps"].tolist() == [1] * 5  # a segment makes a step at least


def test_a_converged_chain_stays_while_the_others_continue(make: Make, host: Any) -> None:
    looped = host(make("quadratic", form="loop")[0])
    feeds = looped.random_feeds(3)
    away = np.array([[1e-3], [1.0], [100.0]], np.float32) * np.ones((3, 5), np.float32) / np.sqrt(np.float32(5))
    feeds["state.y"] = feeds["target"] + away
    found = looped.run(feeds | limits(200, 1e-2))
    # The gradient is the distance to the target, which a step multiplies by 0.7.
    expected = [int(np.ceil(np.log(max(1.0, d / 1e-2)) / -np.log(0.7))) for d in (1e-3, 1.0, 100.0)]
    assert found["steps"].tolist() == expected
    assert found["trace"].shape == (3, max(expected))
    np.testing.assert_array_equal(found["next.y"][0], feeds["state.y"][0])
    assert (found["residual"] < 1e-2).all()
    assert (found["residual"] > 0.6e-2)[1:].all()
    for row in range(3):
        alone = looped.run({k: v[row : row + 1] for k, v in feeds.items() if v.ndim} | limits(200, 1e-2))
        np.testing.assert_array_equal(alone["next.y"][0], found["next.y"][row])
        np.testing.assert_allclose(alone["trace"][0], found["trace"][row, : expected[row]], rtol=1e-6)


def test_a_loop_draws_noise_at_the_same_steps_as_the_unrolled_form(make: Make, host: Any, tmp_path: Path) -> None:
    def energy(y: Tensor) -> Tensor:
        return 0.5 * y.square().sum(-1)

    hosts = []
    for form in ("unrolled", "loop"):
        rule = HeavyBall(0.1, 0.5, noise=1.0, noise_every=2, noise_period=8, temperature=(0.0, 2.0))
        path = tmp_path / f"{form}.onnx"
        export(energy, inputs={}, state=torch.randn(3, 4), rule=rule, unroll=8, path=path, form=form)  # type: ignore[arg-type]
        hosts.append(host(path))
    unrolled, looped = hosts
    feeds = unrolled.random_feeds(4)
    assert feeds["noise.y"].shape == (4, 3, 4)
    for place in range(3):
        one = feeds | {"noise.y": feeds["noise.y"] * (np.arange(3) == place)[None, :, None].astype(np.float32)}
        wanted, found = unrolled.run(one), looped.run(one | limits(8))
        np.testing.assert_allclose(found["next.y"], wanted["next.y"], rtol=1e-6, atol=1e-6)
        np.testing.assert_allclose(found["trace"], wanted["trace"], rtol=1e-6)
    # The noise lasts for one segment, so no call makes more steps.
    assert looped.run(feeds | limits(70))["steps"].tolist() == [8] * 4


def test_a_loop_at_step_scale_0_evaluates_without_moving(make: Make, host: Any) -> None:
    unrolled, looped = host(make("mlp")[0]), host(make("mlp", form="loop")[0])
    feeds = looped.random_feeds(3)
    feeds |= {name: np.zeros_like(feeds[name]) for name in ("step_scale", "noise.y", "state.y.velocity")}
    found = looped.run(feeds | limits(1))
    np.testing.assert_array_equal(found["next.y"], feeds["state.y"])
    wanted = unrolled.run({name: tensor for name, tensor in feeds.items() if name in unrolled.inputs})
    np.testing.assert_allclose(found["energy"], wanted["energy"], rtol=1e-6)


def test_a_loop_holds_one_step_and_computes_outside_what_does_not_depend_on_the_state(make: Make) -> None:
    graph = onnx.load_from_string(make("mlp", form="loop")[0].read_bytes()).graph
    (loop,) = (n for n in graph.node if n.op_type == "Loop")
    body = loop.attribute[0].g
    (branch,) = (n for n in body.node if n.op_type == "If")
    for attribute in branch.attribute:
        assert sum(n.op_type == "Sigmoid" for n in attribute.g.node) == 2
    assert not body.initializer
    assert not any(a.g.initializer for a in branch.attribute)
    unrolled = onnx.load_from_string(make("mlp")[0].read_bytes()).graph
    assert sum(t.ByteSize() for t in graph.initializer) < 1.1 * sum(t.ByteSize() for t in unrolled.initializer)


def test_a_file_of_a_fixed_batch_is_static_throughout(make: Make) -> None:
    for name in ("attention", "mlp", "no_inputs", "several"):
        model = onnx.load_from_string(make(name, fixed_batch=3)[0].read_bytes())
        assert not {"Shape", "Loop", "If"} & {n.op_type for n in model.graph.node}
        constants = {t.name for t in model.graph.initializer}
        assert all(n.input[1] in constants for n in model.graph.node if n.op_type in {"Expand", "Reshape"})
        del model.graph.value_info[:]
        inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True).graph
        known = {v.name: v for v in (*inferred.value_info, *inferred.input, *inferred.output)}
        for value in (output for n in model.graph.node for output in n.output):
            dims = known[value].type.tensor_type.shape.dim
            assert all(d.HasField("dim_value") for d in dims), (name, value)


def test_a_file_of_a_fixed_batch_writes_the_shape_of_every_value(make: Make) -> None:
    graph = onnx.load_from_string(make("attention", fixed_batch=3)[0].read_bytes()).graph
    written = {v.name for v in (*graph.value_info, *graph.output)}
    assert {o for n in graph.node for o in n.output} - {
        n.output[0] for n in graph.node if n.op_type == "Transpose"
    } <= written


def test_a_fixed_batch_computes_the_same_as_any_batch(make: Make, host: Any) -> None:
    fixed, free = host(make("mlp", fixed_batch=3)[0]), host(make("mlp")[0])
    assert {i.shape[0] for i in fixed.inputs.values()} == {3}
    feeds = free.random_feeds(3)
    wanted = free.run(feeds)
    for name, tensor in fixed.run(feeds).items():
        np.testing.assert_allclose(tensor, wanted[name], rtol=0, atol=1e-6 * np.abs(wanted[name]).max(), err_msg=name)
    report = make("mlp", fixed_batch=3)[1]
    assert (report.batch, report.batches) == (3, (3,))


@pytest.mark.parametrize("name", ["mlp", "attention", "conv"])
def test_float16_keeps_its_tolerance_in_one_evaluation(make: Make, host: Any, name: str) -> None:
    path, report = make(name, precision="float16")
    low, full = host(path), host(make(name)[0])
    assert low.header["precision"] == "float16"
    assert 1e-7 < report.worst <= low.header["parity"]["tolerance"] == report.tolerance == 1e-2
    assert {i.type for i in low.inputs.values()} == {i.type for i in full.inputs.values()}
    feeds = low.random_feeds(4) | {"step_scale": np.zeros(4, np.float32)}
    feeds |= {n: np.zeros_like(v) for n, v in feeds.items() if n.startswith("noise.") or n.endswith(".velocity")}
    wanted, found = full.run(feeds), low.run(feeds)
    for output in ("energy", "residual"):
        np.testing.assert_allclose(found[output], wanted[output], rtol=1e-2)
    np.testing.assert_array_equal(found["next.y"], feeds["state.y"])
    stored = onnx.load_from_string(path.read_bytes()).graph.initializer
    weights = [t for t in stored if len(t.dims) > 1]
    sizes = {kind: sum(len(t.raw_data) for t in weights if t.data_type == kind) for kind in (1, 10)}
    assert sizes[10] > sizes[1]  # most weights are float16 (10), not float32 (1)


def test_weights_too_large_for_float16_stay_float32(tmp_path: Path, host: Any) -> None:
    large = torch.full((4, 4), 1e5)
    path = tmp_path / "large.onnx"
    report = export(
        lambda y: (1e-5 * (y @ large)).square().sum(-1), inputs={}, state=torch.randn(2, 4), rule=GradientDescent(0.01), unroll=2,
        path=path, precision="float16",
    )  # fmt: skip
    assert report.worst < 1e-6
    assert not any(t.data_type == 10 and t.dims for t in onnx.load_from_string(path.read_bytes()).graph.initializer)


def test_what_overflows_float16_is_refused(tmp_path: Path) -> None:
    weight = 1e3 + torch.arange(16.0).reshape(4, 4)
    with pytest.raises(ParityError):
        export(
            lambda y: torch.log1p((y @ weight).square()).sum(-1), inputs={}, state=100 + torch.randn(2, 4),
            rule=GradientDescent(0.01), unroll=1, path=tmp_path / "o.onnx", precision="float16",
        )  # fmt: skip
    assert not list(tmp_path.iterdir())


def test_float16_is_rounded_in_the_proof_as_float16_is() -> None:
    graph = Graph()
    x = graph.input("x", np.float32, (Batch(),))
    graph.outputs = {"y": graph.unary("Cast", graph.unary("Cast", x, np.float16), np.float32)}
    again = rounded(graph)
    again.outputs = distinct(again, again.outputs)
    rng = np.random.default_rng(0)
    spread = rng.standard_normal(20_000) * 10.0 ** rng.uniform(-9, 5, 20_000)
    edges = [
        0.0,
        65504,
        65519,
        65520,
        7e4,
        2.0**-14,
        2.0**-24,
        2.0**-25,
        1.5 * 2.0**-24,
        1 + 2.0**-11,
        1 + 3 * 2.0**-11,
    ]
    numbers = np.array([*spread, *edges, *(-e for e in edges)], np.float32)
    (found,) = session(model_of(again).SerializeToString(), plain=True).run(None, {"x": numbers})
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(found, numbers.astype(np.float16).astype(np.float32))


def test_a_descent_of_512_steps_is_one_graph(example: Any, host: Any, tmp_path: Path) -> None:
    energy, inputs, state, _ = example("quadratic")
    path = tmp_path / "whole.onnx"
    report = export(energy, inputs=inputs, state=state, rule=GradientDescent(0.3), unroll=512, path=path)
    assert (report.steps, report.nodes_a_step) == (512, 6)
    runner = host(path)
    feeds = runner.random_feeds(2)
    found = runner.run(feeds)
    np.testing.assert_allclose(found["next.y"], feeds["target"], atol=1e-6)
    assert found["trace"].shape == (2, 512)


@pytest.mark.parametrize("options", [{}, {"form": "loop"}, {"fixed_batch": 3}, {"precision": "float16"}])
def test_the_runtime_serves_every_form_alike(make: Make, options: dict[str, Any]) -> None:
    wanted = gs.load(make("several")[0])
    solver = gs.load(make("several", **options)[0])
    rng = np.random.default_rng(0)
    given = {"x": rng.standard_normal((20, 3), np.float32)}
    state = {n: rng.standard_normal((20, *s.shape), np.float32) for n, s in solver.header.state.items()}
    reference, found = (s.minimise(given, state, steps=3 * STEPS) for s in (wanted, solver))
    near = 2e-2 if options.get("precision") else 1e-5
    for name in ("next.solution", "energy", "trace", "residual"):
        assert found[name].shape == reference[name].shape
        np.testing.assert_allclose(found[name], reference[name], rtol=near, atol=near * np.abs(reference[name]).max())
    described = solver.describe()
    assert described["form"] == options.get("form", "unrolled")
    assert described["batch"] == options.get("fixed_batch")
    assert described["precision"] == options.get("precision", "float32")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"form": "scan"}, "form is 'scan'; it must be one of 'unrolled', 'loop'"),
        ({"precision": "bfloat16"}, "precision is 'bfloat16'; it must be one of 'float32', 'float16'"),
        ({"fixed_batch": 0}, "fixed_batch is 0; it must be a whole number of at least 1"),
        ({"fixed_batch": 2, "form": "loop"}, "use fixed_batch with the form 'unrolled'"),
        ({"fixed_batch": 2, "batches": (1, 2)}, "compared only at that batch"),
    ],
)
def test_an_invalid_form_is_refused(example: Any, tmp_path: Path, options: dict[str, Any], message: str) -> None:
    energy, inputs, state, rule = example("quadratic")
    with pytest.raises(BadArgument, match=message):
        export(energy, inputs=inputs, state=state, rule=rule, unroll=1, path=tmp_path / "x.onnx", **options)
