"""What rules promise: constraints hold, rejected steps do not rise, the best is the best, chains keep their own time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import groundstate as gs
from groundstate_export import (
    Adam,
    AugmentedLagrangian,
    BadArgument,
    Best,
    Box,
    Breakout,
    Clipped,
    Constant,
    Descent,
    Fixed,
    GradientDescent,
    HeavyBall,
    Landscapes,
    Langevin,
    MirrorDescent,
    Nesterov,
    Normal,
    Normalised,
    ParityError,
    Projected,
    Rejecting,
    RMSProp,
    Rule,
    Schedule,
    Simplex,
    Sphere,
    export,
    lower,
)


def bowl(y: Tensor, x: Tensor) -> Tensor:
    return (y - x).square().sum(-1)


def waves(y: Tensor) -> Tensor:
    return (0.1 * y.square() + torch.sin(5 * y)).sum(-1)


def save(energy: Callable[..., Any], rule: Rule, path: Path, **options: Any) -> gs.Solver:
    settings: dict[str, Any] = {"inputs": {}, "state": torch.randn(3, 4), "unroll": 5, "batches": (1, 3), "seeds": (0,)}
    settings |= {"initial": Normal(), "decode": lambda state, **inputs: {"at": state}}
    export(energy, rule=rule, path=path, **settings | options)
    return gs.load(path)


def run(descent: Descent, start: Tensor, steps: int) -> tuple[dict[str, Tensor], list[Tensor]]:
    state, trace = descent.start(start), []
    for _ in range(steps):
        state, probe = descent.step(state)
        trace.append(probe.energy)
    return state, trace


# Multipliers


def test_multipliers_find_the_solution_of_a_constrained_problem() -> None:
    """The point of the line y₁ + y₂ + y₃ = 3 with y₁ ≤ ½ next to (3, 2, 1): (½, 7/4, 3/4), with λ = ¼·2 and μ = 5 − λ."""
    target = torch.tensor([[3.0, 2.0, 1.0]])
    rule = AugmentedLagrangian(
        GradientDescent(0.03),
        equality=lambda y, x: y.sum(-1, keepdim=True) - 3,
        inequality=lambda y, x: y[:, :1] - 0.5,
        every=20,
        max_penalty=8.0,
    )
    with torch.no_grad():
        descent = Descent(bowl, rule, {"x": target})
        state, _ = run(descent, torch.zeros(1, 3), 600)
        reading = descent.read(state)
    torch.testing.assert_close(state["y"], torch.tensor([[0.5, 1.75, 0.75]]), atol=1e-4, rtol=0)
    torch.testing.assert_close(state["chain.equality"], torch.tensor([[0.5]]), atol=1e-3, rtol=0)
    torch.testing.assert_close(state["chain.inequality"], torch.tensor([[4.5]]), atol=1e-3, rtol=0)
    torch.testing.assert_close(reading.energy, bowl(state["y"], target))
    assert float(reading.residual) < 1e-3


def test_a_constraint_that_does_not_bind_has_no_multiplier_and_a_broken_one_is_not_settled() -> None:
    rule = AugmentedLagrangian(GradientDescent(0.1), inequality=lambda y, x: y - x - 1, every=5)
    with torch.no_grad():
        descent = Descent(bowl, rule, {"x": torch.zeros(1, 2)})
        state, _ = run(descent, torch.full((1, 2), 3.0), 200)
        assert torch.equal(state["chain.inequality"], torch.zeros(1, 2))
        assert float(descent.read(state).residual) < 1e-4
        broken = AugmentedLagrangian(
            GradientDescent(0.1), inequality=lambda y, x: 1 - y + 0 * x, clip=1e-6, penalty=1e-6
        )
        descent = Descent(bowl, broken, {"x": torch.zeros(1, 2)})
        state, _ = run(descent, torch.zeros(1, 2), 100)
        # The energy's own gradient vanishes here, but both constraints are broken by 1.
        assert float(descent.read(state).residual) == pytest.approx(2**0.5, rel=1e-3)


def test_an_exported_lagrangian_is_solved_by_the_runtime(tmp_path: Path) -> None:
    rule = AugmentedLagrangian(
        Projected(Adam(Schedule.exponential(0.05, 1e-4, 1000)), Box(0.0, 1.0)),
        equality=lambda y, x: y.sum(-1, keepdim=True) - 1,
        every=25,
        max_penalty=20.0,
    )
    solver = save(bowl, rule, tmp_path / "l.onnx", inputs={"x": torch.randn(3, 4)}, unroll=25, tolerance=1e-4)
    x = np.array([[0.9, 0.7, -0.5, 0.2]], np.float32)
    out = solver.minimise({"x": x}, steps=1500)
    nearest = Simplex()(torch.from_numpy(x), {})
    np.testing.assert_allclose(out["next.y"], nearest, atol=2e-3)
    assert out["residual"][0] < 1e-2


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


def test_adam_on_the_simplex_does_not_pass_for_settled_where_it_is_not_lowest() -> None:
    x = torch.tensor([[0.4, 0.3, -0.2, -3.0]])
    descent = Descent(bowl, Projected(Adam(Schedule.exponential(0.1, 1e-5, 400)), Simplex()), {"x": x})
    with torch.no_grad():
        state, _ = run(descent, torch.full((1, 4), 0.25), 500)
        reading = descent.read(state)
    assert float((state["y"] - Simplex()(x, {})).abs().max()) > 0.01
    assert float(reading.residual) > 0.1


@pytest.mark.parametrize("rate", [0.0, 1.0])
@pytest.mark.parametrize("shape", [Box(-0.1, 0.1), Simplex(), Sphere()], ids=["box", "simplex", "sphere"])
def test_a_chain_outside_is_brought_in_before_the_first_step_unless_it_is_only_evaluated(
    shape: Any, rate: float, host: Any, tmp_path: Path
) -> None:
    save(waves, Projected(GradientDescent(0.01), shape), tmp_path / "p.onnx", unroll=1)
    y = 5 + np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    out = host(tmp_path / "p.onnx").run({"state.y": y, "rate": np.full(3, rate, np.float32)})
    first = shape(torch.from_numpy(y), {}) if rate else torch.from_numpy(y)
    np.testing.assert_allclose(out["trace"][:, 0], waves(first), rtol=1e-5)
    if rate:
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
    # The energy still pulls at the given entries; what is left to descend is nothing.
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


# Weights


def crossing(y: Tensor) -> Tensor:
    """Violations of two rules, ``(batch, 2)``: be beyond 2.5, and keep out of the tent from 0 to 2 that lies before."""
    return torch.cat([0.5 * torch.relu(2.5 - y), 0.64 * torch.relu(1 - (y - 1).abs())], dim=1)


def squares(y: Tensor) -> Tensor:
    return crossing(y).square().sum(-1)


@pytest.mark.parametrize("keep", [1.0, 0.97])
def test_breakout_leaves_a_basin_that_plain_descent_rests_in(keep: float) -> None:
    start = torch.tensor([[-1.0], [-3.0], [0.3]])
    with torch.no_grad():
        plain = Descent(squares, GradientDescent(0.1))
        rested, _ = run(plain, start, 1000)
        assert bool((rested["y"] < 1).all())
        assert float(plain.read(rested).residual.max()) < 1e-4
        weighted = Descent(squares, Breakout(GradientDescent(0.1), crossing, keep=keep))
        basin = weighted.read(rested | {"chain.weights": torch.ones(3, 2)})
        assert float(basin.residual.min()) > 0.5
        left, _ = run(weighted, start, 1000)
        reading = weighted.read(left)
    assert float(reading.energy.max()) < 1e-6
    assert float(reading.residual.max()) < 1e-2


def test_where_nothing_is_violated_breakout_goes_where_its_rule_goes() -> None:
    rule = HeavyBall(0.1, 0.7)
    with torch.no_grad():
        weighted, _ = run(Descent(waves, Breakout(rule, torch.zeros_like)), torch.ones(2, 4), 30)
        plain, _ = run(Descent(waves, rule), torch.ones(2, 4), 30)
    assert torch.equal(weighted["y"], plain["y"])
    assert torch.equal(weighted["chain.weights"], torch.ones(2, 4))


def test_an_exported_breakout_is_solved_by_the_runtime_where_its_rule_alone_is_not(tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "state": torch.randn(3, 1),
        "initial": Normal(-1.0, 0.1),
        "rules": lambda answer: {"crossing": (crossing(answer["at"]) > 1e-3).sum(-1)},
    }
    plain = save(squares, GradientDescent(0.1), tmp_path / "plain.onnx", **settings)
    weighted = save(squares, Breakout(GradientDescent(0.1), crossing), tmp_path / "weighted.onnx", **settings)
    assert plain.solve({}, restarts=4, max_steps=2000).status is gs.Status.UNSOLVED
    solution = weighted.solve({}, restarts=4, max_steps=2000)
    assert solution.status is gs.Status.SOLVED
    assert solution.answer is not None
    assert solution.answer["at"][0] > 2.49


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

    counted = {"embed": lambda answer: answer["at"], "rules": lambda answer: {"low": (answer["at"] < 0).sum(-1)}}
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
    right = lower.HANDLERS["le"]

    def wrong(low: Any, call: Any) -> Any:
        entry = right(low, call)
        return replace(entry, value=low.graph.unary("Not", entry.value))

    monkeypatch.setitem(lower.HANDLERS, "le", wrong)
    with pytest.raises(ParityError):
        save(bowl, rule, tmp_path / "wrong.onnx", **settings)


def test_what_is_no_number_is_never_the_best_and_is_not_hidden() -> None:
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


def test_a_chain_that_starts_anew_starts_its_schedule_anew(host: Any, tmp_path: Path) -> None:
    rule = GradientDescent(Schedule([1.0, 0.1, 0.01]))
    save(lambda y: y.sum(-1), rule, tmp_path / "t.onnx", unroll=1)
    runner, steps = host(tmp_path / "t.onnx"), np.array([0, 1, 5], np.float32)
    feeds = {"state.y": np.zeros((3, 4), np.float32), "state.chain.step": steps, "rate": np.ones(3, np.float32)}
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
    out = runner.run({"state.y": y, "state.chain.step": np.arange(5, dtype=np.float32), "rate": np.ones(5, np.float32)})
    np.testing.assert_allclose(out["trace"][:, 0], [4, 20, 20, 12, 12])
    following = np.array([2 * 0.98, 0.9, 3 * 0.9, 0.94, 0.94])
    np.testing.assert_allclose(out["next.y"], following[:, None] * y, rtol=1e-6)
    np.testing.assert_allclose(out["energy"], 12 * following**2, rtol=1e-5)


# Numbers that are none


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
def test_a_gradient_that_is_no_number_is_never_settled(rule: Rule, host: Any, tmp_path: Path) -> None:
    """In the file as in PyTorch such a chain must show it, for a host to start it anew."""

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


# Training


@pytest.mark.parametrize(
    "make",
    [
        lambda: GradientDescent(0.05, learn=True),
        lambda: GradientDescent(Schedule([0.05] * 4, learn=True)),
        lambda: HeavyBall(torch.full((4,), 0.05), 0.5, learn=True),
        lambda: Nesterov({"y": 0.05}, 0.5, learn=True),
        lambda: RMSProp(0.05, learn=True),
        lambda: Adam(0.05, learn=True),
        lambda: Langevin(0.05, learn=True),
        lambda: Projected(GradientDescent(0.05, learn=True), [Sphere(), Box(-9.0, 9.0)]),
        lambda: MirrorDescent(0.05, learn=True),
        lambda: Projected(Normalised(GradientDescent(0.05, learn=True)), Simplex()),
        lambda: Best(Rejecting(Projected(Clipped(Adam(0.05, learn=True), norm=1.0), Box(0.0, 9.0)), shrink=0.5)),
        lambda: Breakout(GradientDescent(0.05, learn=True), lambda y, x: torch.relu(y - x), keep=0.9, learn=True),
        lambda: AugmentedLagrangian(GradientDescent(0.05, learn=True), equality=lambda y, x: y.sum(-1, keepdim=True) - 1),
    ],
)  # fmt: skip
def test_training_through_a_descent_moves_the_step_sizes_and_the_energy(make: Callable[[], Rule]) -> None:
    rule, weight = make(), torch.nn.Parameter(torch.tensor([1.0, 0.5, 0.0, 2.0]))
    descent = Descent(lambda y, x: (weight * (y - x).square()).sum(-1), rule, {"x": torch.eye(4)[:3]})
    state = descent.start(torch.full((3, 4), 0.25))
    for _ in range(4):
        noise = {"y": torch.ones(3, 4)} if rule.noise_every else None
        state, _ = descent.step(state, noise)
    reading = descent.read(state)
    (reading.point["y"] - torch.eye(4)[:3]).square().sum().backward()
    for parameter in (weight, *rule.parameters()):
        if parameter.requires_grad:
            assert parameter.grad is not None
            assert bool(torch.isfinite(parameter.grad).all())
            assert bool((parameter.grad != 0).any())
    assert any(p.requires_grad for p in rule.parameters())


def test_a_trained_step_size_reaches_the_goal_sooner() -> None:
    rule = GradientDescent(0.01, learn=True)
    optimizer = torch.optim.Adam(rule.parameters(), 0.1)
    descent = Descent(bowl, rule, {"x": torch.ones(1, 3)})
    for _ in range(60):
        state = descent.start(torch.zeros(1, 3))
        for _ in range(2):
            state, _ = descent.step(state)
        optimizer.zero_grad()
        descent.read(state).energy.sum().backward()
        optimizer.step()
    assert float(rule.step_size("y").detach()) == pytest.approx(0.5, abs=0.05)  # the step that ends at the goal


# Refusals


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Projected(Rejecting(GradientDescent(0.1)), Box(0, 1)), r"Rejecting\(Projected\(…\)\)"),
        (lambda: Projected(MirrorDescent(0.1), Box(0, 1)), "keeps to the simplex by itself"),
        (lambda: Rejecting(Landscapes(GradientDescent(0.1), 2, steps=1, rescale=[2.0])), r"Landscapes\(Rejecting\(…\), …\)"),
        (lambda: Best(Clipped(Best(GradientDescent(0.1)), norm=1.0)), "Best stands inside Best"),
        (lambda: Clipped(GradientDescent(0.1)), "clips nothing"),
        (lambda: Clipped(GradientDescent(0.1), norm=0.0), "norm is 0; it must be positive"),
        (lambda: Adam(0.1, betas=(0.9, 1.0)), r"betas\[1\] is 1; it must lie in \[0, 1\)"),
        (lambda: Schedule([0.1, -0.1]), "from -0.1"),
        (lambda: Schedule([0.1, 0.0], learn=True), "positive, because it is learned"),
        (lambda: Schedule.exponential(1.0, 0.0, 5), "both must be positive"),
        (lambda: Schedule.cosine(1.0, 0.0, 0), "0 steps"),
        (lambda: Langevin(0.1, temperature=-1.0), "temperature is -1"),
        (lambda: Box(1.0, 0.0), "low must be at most high"),
        (lambda: Landscapes(GradientDescent(0.1), 3, steps=[1, 2]), "for each of 3 landscapes"),
        (lambda: Landscapes(GradientDescent(0.1), 3, steps=1, rescale=[1.0]), "rescale has 1 numbers; it needs 2"),
        (lambda: AugmentedLagrangian(GradientDescent(0.1)), "no constraints"),
        (lambda: Breakout(GradientDescent(0.1), crossing, raises=0.0), "raises is 0; it must be positive"),
        (lambda: Breakout(GradientDescent(0.1), crossing, keep=0.0), "keep is 0; it must be above 0 and at most 1"),
        (lambda: Breakout(Breakout(GradientDescent(0.1), crossing), crossing), "Breakout stands inside Breakout"),
        (lambda: Rejecting(GradientDescent(0.1), shrink=0.0), r"shrink is 0; it must lie in \(0, 1\]"),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(make: Callable[[], Rule], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (Projected(GradientDescent(0.1), {"z": Box(0, 1)}), r"sets for \['z'\]; the state has \['y'\]"),
        (Projected(GradientDescent(0.1), Fixed("known", "x")), "reads the input 'known'"),
        (AugmentedLagrangian(GradientDescent(0.1), equality=lambda y, x: y.sum(-1)), r"is \(3,\) at batch 3"),
        (Breakout(GradientDescent(0.1), lambda y, x: y.sum(-1)), r"The violations are \(3,\) at batch 3; they must be \(3, …\)"),
        (GradientDescent({"z": Schedule([0.1])}), "no entry for the state 'y'"),
        (Landscapes(GradientDescent(0.1), 2, steps=1), "landscape"),
    ],
)  # fmt: skip
def test_a_rule_that_does_not_fit_the_energy_is_refused(rule: Rule, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(BadArgument, match=sentence):
        save(bowl, rule, tmp_path / "no.onnx", inputs={"x": torch.randn(3, 4)}, initial=Constant(0.5))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "rule",
    [
        Best(Rejecting(Projected(HeavyBall(0.1, 0.5), Simplex()), shrink=0.5)),
        AugmentedLagrangian(Projected(GradientDescent(0.1), Box(0.0, 1.0)), equality=lambda y, x: y.sum(-1, keepdim=True) - 1),
    ],
    ids=["the best on the simplex", "multipliers in a box"],
)  # fmt: skip
def test_a_loop_does_what_the_unrolled_file_does_and_stops_by_what_is_left_of_the_projection(
    rule: Rule, host: Any, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"inputs": {"x": torch.randn(3, 4)}, "unroll": 40}
    save(bowl, rule, tmp_path / "u.onnx", **settings)
    save(bowl, rule, tmp_path / "l.onnx", form="loop", **settings)
    unrolled, loop = host(tmp_path / "u.onnx"), host(tmp_path / "l.onnx")
    feeds = unrolled.random_feeds(3)
    limits = {"max_steps": np.array(40, np.int64), "tolerance": np.array(0, np.float32)}
    wanted, found = unrolled.run(feeds), loop.run(feeds | limits)
    np.testing.assert_allclose(found["next.y"], wanted["next.y"], atol=1e-5)
    np.testing.assert_allclose(found["energy"], wanted["energy"], rtol=1e-5)
    early = loop.run(feeds | limits | {"max_steps": np.array(4000, np.int64), "tolerance": np.array(1e-2, np.float32)})
    assert (early["steps"] < 4000).all()
    assert (early["residual"] < 1e-2).all()
