"""Rules for what must not be violated: multipliers that balance it, weights that grow until a chain leaves its basin."""

from __future__ import annotations

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
    Box,
    Breakout,
    Descent,
    GradientDescent,
    HeavyBall,
    Normal,
    Projected,
    Schedule,
    Simplex,
)
from tests.export.descents import bowl, run, save, waves

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
        "checks": lambda answer: {"crossing": (crossing(answer["at"]) > 1e-3).sum(-1)},
    }
    plain = save(squares, GradientDescent(0.1), tmp_path / "plain.onnx", **settings)
    weighted = save(squares, Breakout(GradientDescent(0.1), crossing), tmp_path / "weighted.onnx", **settings)
    assert plain.solve({}, restarts=4, max_steps=2000).status is gs.Status.UNSOLVED
    solution = weighted.solve({}, restarts=4, max_steps=2000)
    assert solution.status is gs.Status.SOLVED
    assert solution.answer is not None
    assert solution.answer["at"][0] > 2.49


def test_a_penalty_with_a_gradient_of_its_own_descends_as_the_squares_do() -> None:
    """The penalty's gradient is written by hand, beside a value that has none."""

    def violations(y: Tensor) -> Tensor:
        return torch.relu(0.5 - y)

    def penalty(y: Tensor, weights: Tensor) -> Tensor:
        h = violations(y).detach()
        return (weights * h.square() - 2.0 * weights * h * (y - y.detach())).sum(-1)

    def energy(y: Tensor) -> dict[str, Tensor]:
        return {"size": 0.5 * y.square().sum(-1), "violated": violations(y).square().sum(-1)}

    ends = []
    for own in (None, penalty):
        rule = Breakout(GradientDescent(0.05), violations, raises=0.3, terms=("violated",), penalty=own)
        with torch.no_grad():
            ends.append(run(Descent(energy, rule), torch.tensor([[-1.0, 0.2, 2.0]]), 5)[0])
    for name, tensor in ends[0].items():
        torch.testing.assert_close(ends[1][name], tensor)


def test_a_penalty_without_the_terms_that_it_stands_for_is_refused() -> None:
    with pytest.raises(ValueError, match="A penalty takes the place of terms"):
        Breakout(GradientDescent(0.1), lambda y: y, penalty=lambda y, weights: y.sum(-1))
