"""Rules are trained through their own descent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from groundstate_export import (
    Adam,
    AugmentedLagrangian,
    Best,
    Box,
    Breakout,
    Clipped,
    Descent,
    GradientDescent,
    HeavyBall,
    Langevin,
    MirrorDescent,
    Nesterov,
    Normalised,
    Projected,
    Rejecting,
    RMSProp,
    Rule,
    Schedule,
    Simplex,
    Sphere,
)
from tests.export.descents import bowl


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
        noise = {"y": torch.ones(3, 4)} if rule.noise_times is not None else None
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
