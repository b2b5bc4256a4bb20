"""Files of any size: they say what PyTorch says at sizes that no example had, or they are refused."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.nn import functional as F

from groundstate_export import (
    BadArgument,
    BadEnergy,
    Box,
    Breakout,
    Descent,
    GradientDescent,
    HeavyBall,
    Projected,
    Rule,
    export,
)
from groundstate_export._ir.dimensions import Product, greatest, product
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.lengths import Length, length, size
from groundstate_export._ir.values import Batch
from groundstate_export._unroll.unroll import distinct
from groundstate_export._verify.findings import Parity
from groundstate_export._write.model import model_of
from tests import sized


class Layers(nn.Module):
    """Layers over nodes that see each other: biases that add up over a size, means over one, attention."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.mix, self.last = nn.Linear(4, 8), nn.Linear(8, 8, bias=False), nn.Linear(8, 1)

    def forward(self, state: Tensor, x: Tensor) -> dict[str, Tensor]:
        hidden = F.silu(self.first(torch.cat([state, x], dim=2)))
        seen = (self.mix(hidden) @ hidden.transpose(1, 2)).softmax(2) @ hidden
        return {
            "read": 0.1 * self.last(F.silu(hidden + seen + hidden.mean(1, keepdim=True))).flatten(1).sum(1),
            "mean": state.square().mean((1, 2)) + 0.5 * state.square().flatten(1).sum(1),
        }


def outer(state: Tensor, row: Tensor, column: Tensor) -> dict[str, Tensor]:
    """A state of ``rows * columns`` elements that should become the outer product of two vectors."""
    table = row.unsqueeze(2) * column.unsqueeze(1)
    return {
        "apart": (state - table.flatten(1)).square().sum(1) / 2,
        "violated": below(state, row, column).square().sum(1),
    }


def below(state: Tensor, row: Tensor, column: Tensor) -> Tensor:
    return torch.relu(row.amax(1, keepdim=True) / 4 - state)


Sample = Callable[..., tuple[dict[str, Tensor], Tensor]]


def nodes(count: int, batch: int = 5) -> tuple[dict[str, Tensor], Tensor]:
    draw = torch.Generator().manual_seed(count)
    return {"x": torch.randn(batch, count, 2, generator=draw)}, torch.randn(batch, count, 2, generator=draw)


def tables(rows: int, columns: int, batch: int = 5) -> tuple[dict[str, Tensor], Tensor]:
    draw = torch.Generator().manual_seed(rows)
    inputs = {"row": torch.randn(batch, rows, generator=draw), "column": torch.randn(batch, columns, generator=draw)}
    return inputs, torch.randn(batch, rows * columns, generator=draw)


def coloured(count: int, colours: int, edges: int, batch: int = 5) -> tuple[dict[str, Tensor], Tensor]:
    return sized.example(count, colours, edges, batch)


class Case:
    """An energy, its rule, examples of any size, and the file, which is made once."""

    def __init__(self, energy: Any, rule: Rule, sample: Sample, axes: Any, sizes: Any, **options: Any) -> None:
        self.energy, self.rule, self.sample, self.axes, self.sizes, self.options = (
            energy,
            rule,
            sample,
            axes,
            sizes,
            options,
        )
        self.runner: Any = None

    def export(self, path: Path, **options: Any) -> Any:
        (inputs, state), *resized = (self.sample(*one) for one in self.sizes)
        given: dict[str, Any] = {
            "inputs": inputs,
            "state": state,
            "rule": self.rule,
            "axes": self.axes,
            "resized": resized,
        }
        return export(
            self.energy, path=path, **given | {"unroll": 3, "batches": (1, 3), "seeds": (0,)} | self.options | options
        )


def cases() -> dict[str, Case]:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = Layers()
    noisy = HeavyBall(0.1, 0.8, noise=0.1, noise_every=1)
    read = {"decode": sized.decode, "checks": sized.checks, "encode_answer": sized.encode_answer, "record": True}
    return {
        "colours": Case(sized.energy, noisy, coloured, sized.AXES, sized.SIZES, **read),
        "layers": Case(layers, Projected(noisy, Box(-2.0, 2.0)), nodes, {"x": ("nodes", None)}, ((7,), (11,), (9,))),
        "tables": Case(
            outer, Breakout(GradientDescent(0.2), below, keep=0.9), tables, {"row": ("rows",), "column": ("columns",)},
            ((5, 3), (7, 11), (4, 6)), trace_every=2,
        ),
    }  # fmt: skip


@pytest.fixture(scope="module")
def files(host: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    made = cases()
    folder = tmp_path_factory.mktemp("sizes")
    for name, case in made.items():
        assert "any size (compared: " in str(case.export(folder / f"{name}.onnx"))
        case.runner = host(folder / f"{name}.onnx")
    return made


# What a file of any size says


def start(case: Case, sizes: tuple[int, ...], batch: int, seed: int) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Inputs of the graph and the state among them, drawn as the header says, at any sizes."""
    inputs, state = case.sample(*sizes, batch=batch)
    draw = torch.Generator().manual_seed(seed)
    descent = Descent(case.energy, case.rule, inputs)
    carried = descent.start(state + torch.randn(state.shape, generator=draw))
    noisy = case.rule.noise_times.within(3) if case.rule.noise_times else ()
    noise = {"noise.y": torch.randn(batch, len(noisy), *state.shape[1:], generator=draw)} if noisy else {}
    return inputs | noise, carried


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["colours", "layers", "tables"]),
    st.lists(st.integers(1, 24), min_size=3, max_size=3),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_a_file_says_what_pytorch_says_at_any_size(
    files: dict[str, Case], name: str, lengths: list[int], batch: int, seed: int
) -> None:
    case = files[name]
    given, state = start(case, tuple(lengths[: len(case.sizes[0])]), batch, seed)
    feeds = given | {f"state.{n}": t for n, t in state.items()} | {"step_scale": torch.ones(batch)}
    found = case.runner.run({n: t.numpy() for n, t in feeds.items()})
    inputs = {n: t for n, t in given.items() if not n.startswith("noise.")}
    descent, trace = Descent(case.energy, case.rule, inputs), []
    noisy = case.rule.noise_times.within(3) if case.rule.noise_times else ()
    with torch.no_grad():
        for step in range(3):
            noise = {"y": given["noise.y"][:, noisy.index(step)]} if step in noisy else None
            state, probe = descent.step(state, noise)
            trace.append(probe.energy)
        reading = descent.read(state)
    wanted = {f"next.{n}": t for n, t in state.items()} | {"energy": reading.energy, "residual": reading.residual}
    wanted |= {"terms": torch.stack(list(reading.terms.values()), 1)}
    wanted |= {"trace": torch.stack(trace, 1)[:, :: case.options.get("trace_every", 1)]}
    for output, tensor in wanted.items():
        scale = float(tensor.abs().max()) + 1e-3
        np.testing.assert_allclose(found[output], tensor, rtol=0, atol=3e-5 * scale, err_msg=output)
    if name == "colours":
        answer = sized.decode(torch.from_numpy(found["next.y"]), **inputs)
        np.testing.assert_array_equal(found["answer.colour"], answer["colour"])
        counted = torch.stack(list(sized.checks(answer, **inputs).values()), 1)
        np.testing.assert_array_equal(found["violations"], counted)
        assert found["path.colour"].shape == (batch, 3, lengths[0])


def test_the_header_tells_shapes_by_sizes_and_how_they_were_proven(files: dict[str, Case]) -> None:
    header = files["tables"].runner.header
    assert header["format"] == 4
    assert header["inputs"] == {
        "row": {"dtype": "float32", "shape": ["rows"]}, "column": {"dtype": "float32", "shape": ["columns"]}
    }  # fmt: skip
    assert {name: one["shape"] for name, one in header["state"].items()} == {
        "y": ["columns*rows"], "chain.weights": ["columns*rows"]
    }  # fmt: skip
    assert header["elements"] == ["columns*rows"]
    assert header["limits"]["elements"] == 1 << 24
    assert header["parity"]["sizes"] == [
        {"rows": 5, "columns": 3}, {"rows": 7, "columns": 11}, {"rows": 4, "columns": 6}
    ]  # fmt: skip
    assert header["request"]["properties"]["row"] == {"type": "array", "items": {"type": "number"}, "minItems": 1}
    coloured = files["colours"].runner.header
    assert coloured["inputs"]["edge"]["shape"] == ["edges", 2]
    assert coloured["noise"]["y"]["shape"] == [3, "nodes", "colours"]
    assert coloured["answers"]["colour"]["shape"] == ["nodes"]


def test_an_axis_that_follows_the_sizes_needs_no_name(tmp_path: Path, host: Any) -> None:
    def energy(y: Tensor, x: Tensor, both: Tensor) -> Tensor:
        return (y - x).square().sum(1) + (y * both[:, ::2]).sum(1) + both.square().sum(1)

    def sample(n: int) -> tuple[dict[str, Tensor], Tensor]:
        return {"x": torch.randn(3, n), "both": torch.randn(3, 2 * n)}, torch.randn(3, n)

    Case(energy, GradientDescent(0.1), sample, {"x": ("n",)}, ((5,), (7,), (4,))).export(tmp_path / "both.onnx")
    assert host(tmp_path / "both.onnx").header["inputs"]["both"]["shape"] == ["2*n"]


# What is refused


def bowl(y: Tensor, a: Tensor, b: Tensor) -> Tensor:
    return (y - a.unsqueeze(2) * b.unsqueeze(1)).square().sum((1, 2))


def pair(n: int, m: int, **other: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    return {"a": torch.randn(3, n), "b": torch.randn(3, m), **other}, torch.randn(3, n, m)


NAMES: Mapping[str, Any] = {"a": ("n",), "b": ("m",)}
THREE = [pair(5, 3), pair(7, 11), pair(4, 6)]


@pytest.mark.parametrize(
    ("examples", "axes", "sentence"),
    [
        ([THREE[0], pair(5, 11), pair(5, 6)], NAMES, r"The size 'n' is 5 at the example and at those of resized. Give it"),
        ([pair(5, 5), pair(7, 7)], NAMES, r"The sizes 'n' and 'm' are both 5, 7 at the example and at those of resized"),
        ([pair(1, 5), pair(7, 1)], {"a": ("n",), "b": ("m",)}, None),
        ([pair(1, 2), pair(2, 1)], NAMES, r"The sizes are n 1, m 2; n 2, m 1; give an example in which every size is at least 2"),
        (THREE[:1], NAMES, r"axes names 2 inputs and resized holds 0 examples. A file of any size needs names, and at least one"),
        (THREE, None, r"axes names 0 inputs and resized holds 2 examples"),
        (THREE, {"c": ("n",)}, "axes names 'c', which is not an input; the inputs are 'a', 'b'"),
        (THREE, {"a": ("n", "m")}, r"axes\['a'\] is \('n', 'm'\); it must contain a name, or None, for each of the 1 axes"),
        (THREE, {"a": "n"}, r"axes\['a'\] is 'n'; it must contain a name"),
        (THREE, ["n"], "axes is list; it must be a dict"),
        (THREE, {"a": ("two words",), "b": ("m",)}, "names 'two words'; a size's name must be an ASCII identifier"),
        (THREE, {"a": ("batch",), "b": ("m",)}, "other than 'batch'"),
        (THREE, {"a": (3,), "b": ("m",)}, "names 3; a size's name"),
        (THREE, {"a": (None,)}, "axes names no size"),
        (THREE, {"a": ("n",), "b": ("n",)}, r"The size 'n' is 5, 7, 4 in 'a' and 3, 11, 6 in 'b'"),
        (THREE, {"a": ("n",)}, r"Axis 1 of inputs\['b'\] is 3, 11, 6 long .* neither one length nor a product of n"),
        ([*THREE[:2], (pair(4, 6)[0], torch.randn(3, 4, 5))], NAMES, r"Axis 2 of state\['y'\] is 3, 11, 5 long"),
        ([*THREE[:2], ({"a": torch.randn(3, 4)}, torch.randn(3, 4, 6))], NAMES, r"resized\[1\] has nothing as inputs\['b'\]"),
        ([THREE[0], pair(7, 11, c=torch.ones(3)), THREE[2]], NAMES, r"resized\[0\] has torch.float32 of 1 axes as inputs\['c'\]"),
        ([*THREE[:2], pair(4, 6, a=torch.ones(3, 4).double())], NAMES, "has torch.float64 of 2 axes"),
        ([*THREE[:2], pair(4, 6)[0]], NAMES, r"resized\[1\] is dict; it must be a pair of inputs and state"),
    ],
)  # fmt: skip
def test_examples_that_do_not_tell_the_sizes_are_refused_before_anything_is_run(
    examples: list[Any], axes: Any, sentence: str, tmp_path: Path
) -> None:
    def never(y: Tensor, a: Tensor, b: Tensor) -> Tensor:
        raise AssertionError("the energy was run")

    (inputs, state), *resized = examples
    with pytest.raises(BadEnergy if sentence is None else BadArgument, match=sentence or "the energy was run"):
        export(
            never, inputs=inputs, state=state, rule=GradientDescent(0.1), unroll=2, path=tmp_path / "no.onnx", axes=axes,
            resized=resized,
        )  # fmt: skip
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("option", [{"form": "loop"}, {"fixed_batch": 3, "batches": (3,)}, {"precision": "float16"}])
def test_forms_that_are_of_one_size_are_refused(option: dict[str, Any], tmp_path: Path) -> None:
    case = Case(bowl, GradientDescent(0.1), pair, NAMES, ((5, 3), (7, 11), (4, 6)))
    with pytest.raises(BadArgument, match="A file of any size is unrolled, of any batch, in float32"):
        case.export(tmp_path / "no.onnx", **option)


def line(n: int) -> tuple[dict[str, Tensor], Tensor]:
    return {"x": torch.randn(3, n)}, torch.randn(3, n)


def looped(y: Tensor, x: Tensor) -> Tensor:
    total = (y - x).square().sum(1)
    for _ in range(y.shape[1]):
        total = total + 0.1 * (y * total.unsqueeze(1)).sin().sum(1)
    return total


def counted(y: Tensor, x: Tensor) -> Tensor:
    return (y - x).square().sum(1) * int(y.shape[1] / 2)


@pytest.mark.parametrize(
    ("energy", "sentence"),
    [
        (lambda y, x: (y - x).square().sum(1) if y.shape[1] > 6 else (y + x).abs().sum(1),
         r"takes another path at another size \(test_sizes.py:\d+, in <lambda>: .*\): n <= 6 holds at the example and not"),
        (looped, r"turns the size n into the number 5 \(test_sizes.py:\d+, in looped: `for _ in range\(y.shape\[1\]\):`\)"),
        (counted, r"takes another path at another size \(test_sizes.py:\d+, in counted: .* 2\) holds at the example and not at"),
        (lambda y, x: (y - x).square().sum(1) + y.new_tensor([1.0] * 5).mul(y).sum(1), r"The energy"),
    ],
    ids=["branch", "loop", "number", "table of one length"],
)  # fmt: skip
def test_an_energy_that_is_another_one_at_each_size_is_refused(energy: Any, sentence: str, tmp_path: Path) -> None:
    case = Case(energy, GradientDescent(0.01), line, {"x": ("n",)}, ((5,), (7,), (4,)))
    with pytest.raises(BadEnergy, match=sentence):
        case.export(tmp_path / "no.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_sizes_of_the_examples_do_not_change_the_file(tmp_path: Path) -> None:
    def energy(y: Tensor, x: Tensor) -> Tensor:
        apart = (y.unsqueeze(1) - y.unsqueeze(2)).square().sum(3) + 1e-3
        return (apart.sqrt() * x.unsqueeze(1)).sum((1, 2)) + y.square().sum((1, 2))

    def sample(n: int) -> tuple[dict[str, Tensor], Tensor]:
        return {"x": torch.randn(3, n)}, torch.randn(3, n, 3)

    case = Case(energy, GradientDescent(0.01), sample, {"x": ("n",)}, ())
    graphs = []
    for sizes in (((3,), (41,), (4,)), ((12,), (5,)), ((5,), (7,))):
        case.sizes = sizes
        case.export(tmp_path / "file.onnx")
        graphs.append(onnx.load(tmp_path / "file.onnx").graph.node)
    assert graphs[0] == graphs[1] == graphs[2]


def test_a_condition_on_sizes_holds_for_every_problem_or_the_file_fails(tmp_path: Path, host: Any) -> None:
    def energy(y: Tensor, x: Tensor) -> Tensor:
        if y.shape[1] % 4:
            return (y + x).square().sum(1)
        return (y - x).square().sum(1)

    Case(energy, GradientDescent(0.01), line, {"x": ("n",)}, ((8,), (12,))).export(tmp_path / "four.onnx")
    runner = host(tmp_path / "four.onnx")

    def found(n: int) -> Any:
        inputs, state = line(n)
        return runner.run({"x": inputs["x"].numpy(), "state.y": state.numpy(), "step_scale": np.ones(3, np.float32)})

    assert found(20)["energy"].shape == (3,)
    with pytest.raises(Exception, match="Max node"):
        found(6)


def test_what_holds_at_two_sizes_and_not_at_the_third_is_not_written(tmp_path: Path) -> None:
    def energy(y: Tensor, x: Tensor) -> Tensor:
        return (y - x).square().sum(1) * (1.0 if y.shape[1] in (5, 7) else 2.0)  # a set would hash the size

    case = Case(energy, GradientDescent(0.01), line, {"x": ("n",)}, ((5,), (7,), (4,)))
    with pytest.raises(BadEnergy, match="turns the size n into the number 5"):
        case.export(tmp_path / "no.onnx")
    assert list(tmp_path.iterdir()) == []


def test_every_example_is_held_against_pytorch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(
        "groundstate_export._pipeline.verify",
        lambda segment, *_: seen.append(segment.examined.state["y"].shape[1]) or Parity({"energy": 0.0}),
    )
    Case(bowl, GradientDescent(0.1), pair, NAMES, ((5, 3), (7, 11), (4, 6), (1, 2))).export(tmp_path / "seen.onnx")
    assert seen == [5, 7, 4, 1]


# How lengths are computed

LENGTHS = {"n": 6, "m": 35}


@st.composite
def lengths(draw: st.DrawFn, depth: int = 3) -> int:
    """Lengths as an energy computes them: non-negative at every size."""
    if not depth or draw(st.booleans()):
        name = draw(st.sampled_from(["n", "m", ""]))
        return length(LENGTHS[name], size(name)) if name else draw(st.integers(1, 6))
    one, other, number = draw(lengths(depth - 1)), draw(lengths(depth - 1)), draw(st.integers(1, 5))
    kind = draw(st.sampled_from(["add", "times", "part", "rest"]))
    return {"add": one + other, "times": one * number, "part": one // number, "rest": one % number}[kind]


@settings(deadline=None, max_examples=60)
@given(lengths(), st.integers(1, 40), st.integers(1, 40))
def test_a_graph_computes_a_length_as_python_does(one: int, n: int, m: int) -> None:
    graph = Graph()
    for name, value in LENGTHS.items():
        graph.input(name, np.float32, (Batch(), length(value, size(name))))
    graph.outputs = {"found": graph.constant([one, 1], np.int64)}
    graph.outputs = distinct(graph, graph.outputs)
    session = ort.InferenceSession(model_of(graph).SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {name: np.zeros((1, k), np.float32) for name, k in (("n", n), ("m", m))}
    wanted = one.at({"n": n, "m": m}) if isinstance(one, Length) else one
    assert session.run(None, {i.name: feeds[i.name] for i in session.get_inputs()})[0].tolist() == [wanted, 1]


def test_lengths_are_equal_only_if_they_are_equal_at_every_size() -> None:
    n, m = length(6, size("n")), length(6, size("m"))
    assert n not in {m, 6}
    assert n == length(9, size("n"))
    assert n * m == m * n
    assert (n + 1) * 2 - 2 == 2 * n
    assert (2 * n) // 2 == n * n // n == n
    assert not isinstance(n - n, Length)
    assert [str(2 * m * n), str(n + 1)] == ["2*m*n", "n+1"]


products = st.builds(
    lambda times, powers: Product(times, tuple(sorted(powers.items()))),
    st.integers(1, 9),
    st.dictionaries(st.sampled_from("nmk"), st.integers(1, 3)),
)


@given(st.lists(products, min_size=1, max_size=8), st.dictionaries(st.sampled_from("nmk"), st.integers(1, 40)))
def test_the_greatest_products_are_the_greatest_at_any_sizes(many: list[Product], found: dict[str, int]) -> None:
    def at(one: Product) -> int:
        return one.times * math.prod(found.get(name, 1) ** power for name, power in one.powers)

    kept = greatest(many)
    assert set(kept) <= set(many)
    assert max(map(at, kept)) == max(map(at, many))


@given(lengths(), st.integers(1, 40), st.integers(1, 40))
def test_a_product_of_sizes_is_at_least_the_length(one: int, n: int, m: int) -> None:
    bound = product([one, 3])
    found = bound.times * math.prod({"n": n, "m": m}[name] ** power for name, power in bound.powers)
    assert found >= 3 * (one.at({"n": n, "m": m}) if isinstance(one, Length) else one)
