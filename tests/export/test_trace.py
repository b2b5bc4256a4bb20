"""`trace_every`: the energy and the recorded answer before some updates only, and the same descent."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import pytest
import torch
from torch import Tensor

import groundstate as gs
from groundstate_export import (
    BadArgument,
    Best,
    ExportReport,
    GradientDescent,
    HeavyBall,
    Landscapes,
    Rejecting,
    Rule,
    export,
)
from groundstate_export._verify.replay import session

WEIGHT, INPUT, STATE = torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(0))
RULES: dict[str, Callable[[], Rule]] = {
    "gradient descent": lambda: GradientDescent(0.2),
    "noise": lambda: HeavyBall(0.1, 0.5, noise=0.3, noise_every=3),
    "rejecting": lambda: Rejecting(HeavyBall(0.9, 0.9), shrink=0.5),
    "best": lambda: Best(HeavyBall(0.9, 0.9)),
    "landscapes": lambda: Best(Landscapes(GradientDescent(0.2), 2, steps=3)),
}


def energy(y: Tensor, x: Tensor, landscape: Tensor | None = None) -> Tensor:
    """A value whose `log` no gradient needs; a product of matrices for float16."""
    sharp = torch.ones(len(y)) if landscape is None else 1.0 + landscape
    return sharp * torch.log(torch.cosh(y @ WEIGHT - x)).sum(-1) + 0.1 * y.square().sum(-1)


def decode(y: Tensor, x: Tensor) -> dict[str, Tensor]:
    return {"largest": y.argmax(-1), "sum": (x + y).sum(-1)}


Make = Callable[..., tuple[Path, ExportReport]]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """A file of the energy above, made once."""
    made: dict[str, tuple[Path, ExportReport]] = {}

    def of(rule: str = "gradient descent", **options: Any) -> tuple[Path, ExportReport]:
        given: dict[str, Any] = {"unroll": 16, "trace_every": 1, "batches": (options.get("fixed_batch", 1),)} | options
        key = f"{rule}{given}"
        if key not in made:
            path = tmp_path_factory.mktemp("trace") / "trace.onnx"
            made[key] = path, export(
                energy, inputs={"x": INPUT}, state=STATE, rule=RULES[rule](), path=path, decode=decode, record=True, seeds=(0,),
                **given,
            )  # fmt: skip
        return made[key]

    return of


def outputs(path: Path, feeds: dict[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
    """What a file returns where ONNX Runtime computes each node as it is written."""
    host = session(path.read_bytes(), plain=True)
    return dict(zip([o.name for o in host.get_outputs()], host.run(None, feeds), strict=True))


def operators(path: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(path).graph.node)


@pytest.mark.parametrize(
    ("rule", "options"),
    [
        *((rule, {"unroll": 16, "trace_every": 4}) for rule in RULES),
        ("noise", {"unroll": 6, "trace_every": 4}),
        ("noise", {"unroll": 5, "trace_every": 5}),
        ("noise", {"unroll": 6, "trace_every": 4, "fixed_batch": 3}),
        ("noise", {"unroll": 6, "trace_every": 4, "precision": "float16"}),
    ],
)
def test_the_descent_is_the_same_to_the_last_bit_and_some_of_it_is_told(
    make: Make, host: Any, rule: str, options: dict[str, Any]
) -> None:
    some, all_of_it = make(rule, **options)[0], make(rule, **options | {"trace_every": 1})[0]
    feeds = host(all_of_it).random_feeds(3)
    found, wanted = outputs(some, feeds), outputs(all_of_it, feeds)
    assert set(found) == set(wanted)
    assert found["trace"].shape == (3, -(-options["unroll"] // options["trace_every"]))
    for name, tensor in wanted.items():
        reported = slice(None, None, options["trace_every"] if name == "trace" or name.startswith("path.") else 1)
        np.testing.assert_array_equal(found[name], tensor[:, reported] if tensor.ndim > 1 else tensor, err_msg=name)


def test_nothing_of_a_value_that_is_not_told_is_left(make: Make) -> None:
    some, all_of_it = make(trace_every=4)[0], make()[0]
    # One more is the evaluation of the segment's end.
    assert (operators(all_of_it)["Log"], operators(some)["Log"]) == (16 + 1, 4 + 1)
    assert (operators(all_of_it)["ArgMax"], operators(some)["ArgMax"]) == (16 + 1, 4 + 1)
    graph = onnx.load(some).graph
    read = {name for node in graph.node for name in node.input} | {output.name for output in graph.output}
    assert all(read & set(node.output) for node in graph.node)


def test_a_step_that_tells_nothing_runs_only_what_moves_the_state(example: Any, tmp_path: Path) -> None:
    bowl, inputs, state, _ = example("quadratic")
    reports = [
        export(
            bowl, inputs=inputs, state=state, rule=GradientDescent(0.3), unroll=64, path=tmp_path / "bowl.onnx",
            trace_every=every, batches=(2,), seeds=(0,),
        )
        for every in (1, 16)
    ]  # fmt: skip
    # A step: y − target; its square, summed, halved; the slope times the step scale; y − that. And the energy as a column.
    assert [report.nodes_a_step for report in reports] == [6, 3]
    assert reports[0].nodes - reports[1].nodes == (64 - 4) * (3 + 1)
    assert [report.to_json()["trace_every"] for report in reports] == [1, 16]
    assert "64 steps unrolled, energy reported every 16, float32" in str(reports[1])


def test_a_rule_that_asks_for_the_energy_keeps_it(make: Make) -> None:
    some, all_of_it = (operators(make("rejecting", unroll=6, trace_every=every)[0]) for every in (3, 1))
    assert some["Log"] == all_of_it["Log"] > 6
    assert some["ArgMax"] == 2 + 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"trace_every": 0}, "trace_every is 0; it must be a whole number from 1 to unroll, which is 16"),
        ({"trace_every": 17}, "trace_every is 17; it must be a whole number from 1 to unroll, which is 16"),
        ({"trace_every": 2.0}, r"trace_every is 2\.0; it must be a whole number"),
        ({"trace_every": True}, "trace_every is True; it must be a whole number"),
        (
            {"trace_every": 4, "form": "loop"},
            "each round of a loop is the same step and reports its energy; use the form 'unrolled'",
        ),
    ],
)
def test_a_trace_that_cannot_be_is_refused(make: Make, options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadArgument, match=message):
        make(**options)


def retold(path: Path, **changes: Any) -> bytes:
    """A file with fields of its header changed; `...` removes one."""
    model = onnx.load(path)
    (entry,) = model.metadata_props
    header = json.loads(entry.value) | changes
    entry.value = json.dumps({name: value for name, value in header.items() if value is not ...})
    return bytes(model.SerializeToString())


def test_a_file_that_does_not_say_so_tells_every_energy(make: Make) -> None:
    assert gs.load(retold(make()[0], trace_every=...)).header.traced == range(16)
    with pytest.raises(
        gs.ArtefactError, match=r"\(batch, 4.*\), and the header's 'steps' 16 and 'trace_every' 1 make 16"
    ):
        gs.load(retold(make(trace_every=4)[0], trace_every=...))


def test_a_loop_that_says_it_leaves_energies_out_is_refused(make: Make) -> None:
    file = make(unroll=6, form="loop")[0]
    assert gs.load(file).header.trace_every == 1
    with pytest.raises(gs.ArtefactError, match="'trace_every' is 4; a loop records every energy, so it is 1"):
        gs.load(retold(file, trace_every=4))


@pytest.mark.parametrize(("unroll", "reported"), [(16, [0, 4, 8, 12]), (6, [0, 4])])
@pytest.mark.parametrize("options", [{}, {"fixed_batch": 3}])
def test_the_runtime_tells_the_energies_of_all_segments(
    make: Make, unroll: int, reported: list[int], options: dict[str, Any]
) -> None:
    some, all_of_it = (gs.load(make(unroll=unroll, trace_every=every, **options)[0]) for every in (4, 1))
    assert some.describe()["trace_every"] == some.header.trace_every == 4
    assert list(some.header.traced) == reported
    given = {"x": np.random.default_rng(0).standard_normal((5, 5), np.float32)}
    found, wanted = (solver.minimise(given, steps=3 * unroll, seed=1) for solver in (some, all_of_it))
    steps = [segment * unroll + step for segment in range(3) for step in reported]
    np.testing.assert_allclose(found["trace"], wanted["trace"][:, steps], rtol=1e-5)
    np.testing.assert_array_equal(found["path.largest"], wanted["path.largest"][:, reported])
    np.testing.assert_allclose(found["energy"], wanted["energy"], rtol=1e-5)
