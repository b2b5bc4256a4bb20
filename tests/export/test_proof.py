"""The proof itself: what is wrong in a file is found, what only amplifies rounding is not held against it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from groundstate_export import (
    ExportReport,
    GradientDescent,
    HeavyBall,
    ParityError,
    Uniform,
    _pipeline,
    export,
)
from groundstate_export._arguments import Arguments
from groundstate_export._examine.examined import Examined
from groundstate_export._ir.functions import Functions
from groundstate_export._ir.graph import Graph
from groundstate_export._ir.values import Node, Value
from groundstate_export._optimise.optimise import optimise_all
from groundstate_export._unroll import loop
from groundstate_export._unroll import unroll as unrolling
from groundstate_export._unroll.segment import Segment
from groundstate_export._verify import parity
from groundstate_export._verify import segment as segments
from groundstate_export._verify.replay import Arrays


def bowl(y: Tensor, x: Tensor) -> Tensor:
    """Smooth, convex, and not quadratic."""
    return (torch.log(torch.cosh(y - x)) + torch.sigmoid(y)).sum(-1)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., ExportReport]:
    def run(**options: Any) -> ExportReport:
        given: dict[str, Any] = {
            "energy": bowl, "inputs": {"x": torch.randn(3, 4)}, "state": torch.randn(3, 4), "unroll": 6,
            "rule": HeavyBall(0.1, 0.5, noise=0.1, noise_every=2), "path": tmp_path / "proof.onnx",
        }  # fmt: skip
        try:
            return export(**given | options)
        except ParityError:
            assert not list(tmp_path.iterdir())
            raise

    return run


def spoilt(monkeypatch: pytest.MonkeyPatch, name: str, change: Callable[[Graph], None]) -> None:
    """Change one of the captured graphs after it was optimised."""

    def spoil(*given: Any) -> Functions[Graph]:
        graphs = optimise_all(*given)
        change(graphs.named()[name])
        return graphs

    monkeypatch.setattr(_pipeline, "optimise_all", spoil)


def other_operator(graph: Graph) -> None:
    """As if a derivative were another function's: finite and smooth."""
    node = next(n for n in graph.needed() if n.op in {"Sigmoid", "Tanh"})
    node.op = "Sin"


@pytest.mark.parametrize("form", ["unrolled", "loop"])
@pytest.mark.parametrize("name", ["step", "noisy_step", "last"])
def test_a_wrong_operator_in_any_of_the_graphs_is_found(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch, name: str, form: str
) -> None:
    spoilt(monkeypatch, name, other_operator)
    with pytest.raises(ParityError):
        run(form=form)


def test_a_wrong_gradient_is_found_although_the_step_is_smaller_than_rounding(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    def weaker(graph: Graph) -> None:
        step = graph.outputs["next.y"].node
        assert step is not None
        assert step.op == "Sub"
        graph.outputs["next.y"] = graph.emit(
            "Sub",
            [step.inputs[0], graph.binary("Mul", step.inputs[1], graph.constant(0.7, "float32"))],
            step.outputs[0].shape,
        )

    tiny = GradientDescent(3e-8)
    assert run(rule=tiny).worst < 1e-5
    Path(run(rule=tiny).path).unlink()
    spoilt(monkeypatch, "step", weaker)
    with pytest.raises(ParityError, match=r"next\.y"):
        run(rule=tiny)


def test_noise_that_reaches_the_wrong_step_is_found(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = unrolling._slot
    monkeypatch.setattr(unrolling, "_slot", lambda graph, noise, index: original(graph, noise, 0 * index))
    with pytest.raises(ParityError, match="The segment differs from its own steps"):
        run()


@pytest.mark.parametrize("every", [1, 2])
def test_energies_recorded_in_the_wrong_order_are_found(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch, every: int
) -> None:
    original = unrolling._stack
    monkeypatch.setattr(unrolling, "_stack", lambda graph, steps: original(graph, [*steps[1:], steps[0]]))
    with pytest.raises(ParityError, match="'trace'"):
        run(trace_every=every)


def test_energies_recorded_at_other_steps_than_promised_are_found(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Arguments, "traced", property(lambda given: range(1, given.unroll, given.trace_every)))
    with pytest.raises(ParityError, match="'trace'"):
        run(unroll=4, trace_every=2)


def test_a_wrong_step_is_found_although_its_energy_is_not_recorded(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = unrolling._unreported

    def untold(update: Graph) -> Graph:
        step = original(update)
        end = step.outputs["next.y"]
        return replace(
            step, outputs=step.outputs | {"next.y": step.binary("Mul", end, step.constant(1.001, "float32"))}
        )

    monkeypatch.setattr(unrolling, "_unreported", untold)
    with pytest.raises(ParityError, match="The segment differs from its own steps"):
        run(trace_every=5)


def test_a_loop_that_stops_too_early_is_found(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    def any_converged(self: Any, converged: Value) -> Value:
        number = self.graph.unary("Cast", converged, "int32")
        most = self.graph.emit("ReduceMax", [number], (), keepdims=0)
        return self.graph.emit("Less", [most, self.outer.constant(1, "int32")], (), "bool")

    monkeypatch.setattr(loop._Body, "_any_moves", any_converged)
    with pytest.raises(ParityError, match="The segment differs from its own steps"):
        run(form="loop", batches=(2, 5))


def test_a_loop_whose_chains_do_not_stay_is_found(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    original = Graph.emit

    def emit(self: Graph, op: str, inputs: Any, *rest: Any, **more: Any) -> Value:
        return original(self, op, [inputs[0], inputs[2], inputs[2]] if op == "Where" else inputs, *rest, **more)

    monkeypatch.setattr(Graph, "emit", emit)
    with pytest.raises(ParityError, match="The segment differs from its own steps"):
        run(form="loop")


def test_a_chaotic_descent_is_proven_step_by_step(run: Callable[..., ExportReport]) -> None:
    def logistic(y: Tensor) -> Tensor:
        """With the step size 1 a step is y ← 3.9 y (1 − y): rounding doubles in every step."""
        return (-1.45 * y.square() + 1.3 * y.pow(3)).sum(-1)

    report = run(
        energy=logistic,
        inputs={},
        state=torch.rand(4, 3),
        initial=Uniform(0.1, 0.9),
        rule=GradientDescent(1.0),
        unroll=100,
    )
    assert report.worst < 1e-5
    assert report.judged == {}


def bend_fused(monkeypatch: pytest.MonkeyPatch, change: Callable[[Arrays], Arrays]) -> None:
    """Change what the proof sees of segments that ONNX Runtime may fuse."""
    fused: list[Any] = []
    session, host_run = parity.session, parity.run

    def open_session(model: bytes, *, plain: bool = False) -> Any:
        host = session(model, plain=plain)
        if not plain:
            fused.append(host)
        return host

    def bent(host: Any, feeds: Any) -> Arrays:
        found = host_run(host, feeds)
        return change(found) if host in fused else found

    for module in (parity, segments):
        monkeypatch.setattr(module, "session", open_session)
        monkeypatch.setattr(module, "run", bent)


def test_where_onnx_runtime_fuses_the_unfused_segment_decides(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if fusing across steps moved the last bits, and a ridge amplified them: the same nodes, unfused, must agree exactly."""
    bend = np.array([1, 1, 1.01, 1.01, 1.01, 1.01], np.float32)
    bend_fused(monkeypatch, lambda found: found | {"trace": found["trace"] * bend})
    report = run()
    assert report.errors["segment"] == 0.0
    report.path.unlink()
    bend[0] = 1.01
    with pytest.raises(ParityError, match="differs from its own steps"):
        run()  # where a segment begins, nothing is amplified yet


def test_where_a_segment_begins_a_fused_step_must_be_right_although_its_energy_is_not_recorded(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    bend = {3: 1.01, 1: 1.0}  # by the columns of the trace: those of the segment, and those of its first two steps
    bend_fused(
        monkeypatch, lambda found: found | {"energy": found["energy"] * np.float32(bend[found["trace"].shape[1]])}
    )
    report = run(trace_every=2)
    assert report.errors["segment"] == 0.0
    report.path.unlink()
    bend[1] = 1.01
    with pytest.raises(ParityError, match=r"'energy'.*differs from its own steps"):
        run(trace_every=2)


def test_the_nodes_that_are_compared_are_those_of_the_file(
    run: Callable[..., ExportReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A node changed between putting the segment together and proving it is found, since the proof runs the segment too."""

    def unroll(examined: Examined, graphs: Functions[Graph]) -> Segment:
        segment = unrolling.unroll(examined, graphs)
        changed: Node = next(n for n in reversed(segment.graph.needed()) if n.op in {"Sigmoid", "Tanh"})
        changed.op = "Sin"
        return segment

    monkeypatch.setattr(_pipeline, "unroll", unroll)
    with pytest.raises(ParityError, match="The segment differs from its own steps"):
        run()
