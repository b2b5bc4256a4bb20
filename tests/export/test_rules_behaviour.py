"""What rules promise: sets hold, rejected steps do not rise, the best is the best, chains keep their own time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from groundstate_export import (
    Adam,
    AugmentedLagrangian,
    Best,
    Box,
    Clipped,
    Descent,
    Fixed,
    GradientDescent,
    HeavyBall,
    Landscapes,
    MirrorDescent,
    Nesterov,
    Normalised,
    ParityError,
    Projected,
    Rejecting,
    RMSProp,
    Rule,
    Schedule,
    Simplex,
    Sphere,
)
from groundstate_export._lower.lowering import HANDLERS
from tests.export.descents import bowl, run, save, waves

# Projections


@pytest.mark.parametrize(
    ("rule", "shape"),
    [
        (Projected(Clipped(Adam(Schedule.cosine(0.2, 1e-4, 150)), norm=5.0), Box(-0.5, 0.5)), Box(-0.5, 0.5)),
        (Best(Rejecting(Projected(Nesterov(0.2, 0.5), {"y": Simplex()}))), Simplex()),
        (Projected(HeavyBall(0.2, 0.5), Sphere()), Sphere()),
        (MirrorDescent(1.0), Simplex()),
    ],
    ids=["Adam in a box", "the best of Nesterov on the simplex", "heavy ball on the sphere", "mirror descent"],
)
def test_the_runtime_finds_the_nearest_point_of_a_set(rule: Rule, shape: Any, tmp_path: Path) -> None:
    solver = save(bowl, rule, tmp_path / "s.onnx", inputs={"x": torch.randn(3, 4)}, unroll=20, tolerance=1e-4)
    x = np.random.default_rng(0).standard_normal((6, 4)).astype(np.float32)
    out = solver.minimise({"x": x}, steps=600)
    np.testing.assert_allclose(out["answer.at"], shape(torch.from_numpy(x), {}), atol=2e-3)
    assert (out["residual"] < 1e-2).all()


def test_adam_on_the_simplex_does_not_count_as_converged_above_the_minimum() -> None:
    x = torch.tensor([[0.4, 0.3, -0.2, -3.0]])
    descent = Descent(bowl, Projected(Adam(Schedule.exponential(0.1, 1e-5, 400)), Simplex()), {"x": x})
    with torch.no_grad():
        state, _ = run(descent, torch.full((1, 4), 0.25), 500)
        reading = descent.read(state)
    assert float((state["y"] - Simplex()(x, {})).abs().max()) > 0.01
    assert float(reading.residual) > 0.1


@pytest.mark.parametrize("step_scale", [0.0, 1.0])
@pytest.mark.parametrize("shape", [Box(-0.1, 0.1), Simplex(), Sphere()], ids=["box", "simplex", "sphere"])
def test_a_chain_outside_is_brought_in_before_the_first_step_unless_it_is_only_evaluated(
    shape: Any, step_scale: float, host: Any, tmp_path: Path
) -> None:
    save(waves, Projected(GradientDescent(0.01), shape), tmp_path / "p.onnx", unroll=1)
    y = 5 + np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    out = host(tmp_path / "p.onnx").run({"state.y": y, "step_scale": np.full(3, step_scale, np.float32)})
    first = shape(torch.from_numpy(y), {}) if step_scale else torch.from_numpy(y)
    np.testing.assert_allclose(out["trace"][:, 0], waves(first), rtol=1e-5)
    if step_scale:
        np.testing.assert_allclose(shape(torch.from_numpy(out["next.y"]), {}), out["next.y"], atol=1e-6)
    else:
        np.testing.assert_array_equal(out["next.y"], y)


def test_givens_come_from_each_problem_and_are_written_from_the_first_step_on(tmp_path: Path) -> None:
    def energy(y: Tensor, known: Tensor, value: Tensor) -> Tensor:
        return (y[:, 1:] - y[:, :-1]).square().sum(-1)

    rule = Projected(Nesterov(0.1, 0.8), Fixed("known", "value"))
    inputs = {"known": torch.rand(3, 4) < 0.5, "value": torch.randn(3, 4)}
    solver = save(energy, rule, tmp_path / "f.onnx", inputs=inputs, unroll=10)
    known = np.array([[True, False, False, True], [False, True, False, False]])
    value = np.array([[0, 9, 9, 3], [9, -2, 9, 9]], np.float32)
    out = solver.minimise({"known": known, "value": value}, steps=300)
    np.testing.assert_allclose(out["next.y"], [[0, 1, 2, 3], [-2, -2, -2, -2]], atol=1e-3)
    # The energy still pulls at the given elements, but nothing is left to descend.
    assert (out["residual"] < 1e-3).all()


def test_residual_of_a_projection_vanishes_at_a_corner_where_the_gradient_does_not() -> None:
    with torch.no_grad():
        for rule in (Projected(GradientDescent(0.1), Simplex()), MirrorDescent(0.5)):
            descent = Descent(lambda y: (y * torch.tensor([1.0, 2.0, 3.0])).sum(-1), rule)
            state, _ = run(descent, torch.full((1, 3), 1 / 3), 100)
            torch.testing.assert_close(state["y"], torch.tensor([[1.0, 0.0, 0.0]]))
            assert float(descent.read(state).residual) < 1e-5


# Rejection


@pytest.mark.parametrize("inner", [GradientDescent(0.5), HeavyBall(0.3, 0.9), Projected(Adam(0.5), Box(-2.0, 2.0))])
@pytest.mark.parametrize("shrink", [1.0, 0.5])
def test_rejection_never_raises_the_energy(inner: Rule, shrink: float, tmp_path: Path) -> None:
    solver = save(waves, Rejecting(inner, shrink=shrink), tmp_path / "r.onnx")
    out = solver.minimise({}, {"y": np.random.default_rng(1).uniform(-2, 2, (8, 4)).astype(np.float32)}, steps=60)
    rises = np.diff(np.concatenate([out["trace"], out["energy"][:, None]], 1), axis=1)
    assert rises.max() <= 1e-6 * np.abs(out["trace"]).max()
    free = Descent(waves, inner)
    with torch.no_grad():
        _, trace = run(free, 2 * torch.rand(8, 4), 60)
    assert float(torch.stack(trace).diff(dim=0).max()) > 0.1


def test_a_step_that_overflows_is_rejected(tmp_path: Path) -> None:
    solver = save(lambda y: y.square().square().sum(-1), Rejecting(GradientDescent(0.01)), tmp_path / "overflow.onnx")
    far = np.array([[1e9, -1e9, 2e9, 1e9]], np.float32)  # its gradient is 1e28, and the energy behind it infinite
    out = solver.minimise({}, {"y": far}, steps=5)
    assert np.array_equal(out["next.y"], far)


def test_a_step_size_that_shrinks_arrives_where_one_that_does_not_is_stuck() -> None:
    steep = lambda y: 10 * y.square().sum(-1)  # noqa: E731
    with torch.no_grad():
        stuck, _ = run(Descent(steep, Rejecting(GradientDescent(0.2))), torch.ones(1, 2), 50)
        moving, _ = run(Descent(steep, Rejecting(GradientDescent(0.2), shrink=0.5)), torch.ones(1, 2), 50)
    assert torch.equal(stuck["y"], torch.ones(1, 2))
    assert float(moving["y"].abs().max()) < 1e-6


# Best iterate


def test_the_best_iterate_is_the_lowest_of_the_trace_and_what_is_answered(tmp_path: Path) -> None:
    solver = save(waves, Best(GradientDescent(0.45)), tmp_path / "b.onnx")
    out = solver.minimise(
        {}, steps=40, seed=3, state={"y": np.random.default_rng(3).normal(size=(20, 4)).astype(np.float32)}
    )
    last = waves(torch.from_numpy(out["next.y"])).numpy()
    lowest = np.minimum(out["trace"].min(1), last)
    np.testing.assert_allclose(out["energy"], lowest, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(waves(torch.from_numpy(out["answer.at"])), lowest, rtol=1e-5, atol=1e-5)
    assert (out["energy"] < last - 0.1).any()


def test_the_energy_of_a_given_answer_is_its_own_though_the_rule_keeps_the_best(tmp_path: Path) -> None:
    rule = Best(Landscapes(Projected(HeavyBall(0.1, 0.5), Box(-1.0, 1.0)), 3, steps=2, rescale=[0.5, 0.5]))

    def energy(y: Tensor, landscape: Tensor) -> Tensor:
        return (y - landscape.float().unsqueeze(1)).square().sum(-1)

    counted = {
        "encode_answer": lambda answer: answer["at"],
        "checks": lambda answer: {"low": (answer["at"] < 0).sum(-1)},
    }
    solver = save(energy, rule, tmp_path / "j.onnx", **counted)
    score = solver.score({}, {"at": [0.5, 3.0, 0.0, 1.0]})
    assert score.energy == pytest.approx(1.5**2 + 1 + 4 + 1)


@pytest.mark.parametrize("rule", [Best(GradientDescent(0.3)), Best(Rejecting(HeavyBall(0.1, 0.5), shrink=0.5))])
def test_a_descent_to_the_very_bottom_is_exported_though_its_last_choices_hang_on_rounding(
    rule: Rule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings: dict[str, Any] = {"inputs": {"x": torch.randn(3, 4)}, "unroll": 60, "batches": (64,)}
    solver = save(bowl, rule, tmp_path / "d.onnx", **settings)
    x = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    np.testing.assert_allclose(solver.minimise({"x": x})["answer.at"], x, atol=1e-3)
    right = HANDLERS["le"]

    def wrong(low: Any, call: Any) -> Any:
        entry = right(low, call)
        return replace(entry, value=low.graph.unary("Not", entry.value))

    monkeypatch.setitem(HANDLERS, "le", wrong)
    with pytest.raises(ParityError):
        save(bowl, rule, tmp_path / "wrong.onnx", **settings)


def test_nan_is_never_the_best_and_is_not_hidden() -> None:
    def cliff(y: Tensor) -> Tensor:
        return torch.where(y < -1, torch.nan, y).sum(-1)

    with torch.no_grad():
        descent = Descent(cliff, Best(GradientDescent(0.5)))
        state, _ = run(descent, torch.tensor([[0.0], [-2.0]]), 5)
        reading = descent.read(state)
    assert float(reading.energy[0]) == -1.0
    assert bool(reading.energy[1].isnan())


def test_the_best_under_constraints_is_one_that_keeps_them() -> None:
    rule = Best(AugmentedLagrangian(GradientDescent(0.01), equality=lambda y: y - 1, every=5))
    with torch.no_grad():
        descent = Descent(lambda y: y.square().sum(-1), rule)
        state, trace = run(descent, torch.zeros(1, 1), 400)
        reading = descent.read(state)
    assert float(reading.point["y"]) == pytest.approx(1.0, abs=0.05)
    assert float(torch.stack(trace).min()) == 0.0  # the start had less energy, and is not it


# Time


def test_a_chain_that_restarts_restarts_its_schedule(host: Any, tmp_path: Path) -> None:
    rule = GradientDescent(Schedule([1.0, 0.1, 0.01]))
    save(lambda y: y.sum(-1), rule, tmp_path / "t.onnx", unroll=1)
    runner, steps = host(tmp_path / "t.onnx"), np.array([0, 1, 5], np.float32)
    feeds = {"state.y": np.zeros((3, 4), np.float32), "state.chain.step": steps, "step_scale": np.ones(3, np.float32)}
    out = runner.run(feeds)
    np.testing.assert_allclose(out["next.y"][:, 0], [-1.0, -0.1, -0.01], rtol=1e-6)
    np.testing.assert_array_equal(out["next.chain.step"], steps + 1)
    assert runner.header["state"]["chain.step"]["initial"] == {"constant": 0.0}


def test_chains_of_different_ages_are_on_different_landscapes_and_are_read_on_the_last(
    host: Any, tmp_path: Path
) -> None:
    def energy(y: Tensor, landscape: Tensor) -> Tensor:
        return (landscape + 1) * y.square().sum(-1)

    rule = Landscapes(GradientDescent(0.01), [0, 4, 2], steps=[1, 2, 1], rescale=[2.0, 3.0])
    save(energy, rule, tmp_path / "k.onnx", unroll=1, record=True)
    runner, y = host(tmp_path / "k.onnx"), np.ones((5, 4), np.float32)
    out = runner.run(
        {"state.y": y, "state.chain.step": np.arange(5, dtype=np.float32), "step_scale": np.ones(5, np.float32)}
    )
    np.testing.assert_allclose(out["trace"][:, 0], [4, 20, 20, 12, 12])
    following = np.array([2 * 0.98, 0.9, 3 * 0.9, 0.94, 0.94])
    np.testing.assert_allclose(out["next.y"], following[:, None] * y, rtol=1e-6)
    np.testing.assert_allclose(out["energy"], 12 * following**2, rtol=1e-5)


# NaN


@pytest.mark.parametrize(
    "rule",
    [
        GradientDescent(0.1),
        HeavyBall(0.1, 0.5),
        RMSProp(0.1),
        Adam(0.1),
        Clipped(GradientDescent(0.1), value=1.0, norm=1.0),
        Normalised(GradientDescent(0.1)),
        Projected(GradientDescent(0.1), Box(-1.0, 1.0)),
        Projected(GradientDescent(0.1), Simplex()),
        Projected(GradientDescent(0.1), Sphere()),
        Rejecting(GradientDescent(0.1), shrink=0.5),
        MirrorDescent(0.1),
    ],
    ids=lambda rule: type(rule).__name__ + (type(rule.sets[0][0]).__name__ if isinstance(rule, Projected) else ""),
)
def test_a_gradient_that_is_nan_never_converges(rule: Rule, host: Any, tmp_path: Path) -> None:
    """In the file as in PyTorch such a chain must be visible, so that a host restarts it."""

    def energy(y: Tensor, x: Tensor) -> Tensor:
        return (y * x).sum(-1) + y.square().sum(-1)

    save(energy, rule, tmp_path / "n.onnx", inputs={"x": torch.randn(3, 4)}, unroll=2)
    runner = host(tmp_path / "n.onnx")
    for bad in (np.nan, np.inf, -np.inf):
        feeds = runner.random_feeds(64)
        feeds["x"][::2, 1] = bad
        out = runner.run(feeds)
        assert not (np.isfinite(out["residual"]) & np.isfinite(out["energy"]))[::2].any()
        assert np.isfinite(out["residual"][1::2]).all()
