"""Each rule against somebody else's implementation of it, or against the conditions that define it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from torch import Tensor

from groundstate_export import (
    Adam,
    Box,
    Breakout,
    Clipped,
    Descent,
    Fixed,
    GradientDescent,
    HeavyBall,
    Langevin,
    MirrorDescent,
    Nesterov,
    Normalised,
    RMSProp,
    Rule,
    Schedule,
    Simplex,
    Sphere,
)

STEPS = 12
SCALES = torch.tensor([[0.2, 1.0, 3.0], [2.0, 0.5, 1.0]])
START = torch.tensor([[1.0, -2.0, 0.5], [0.0, 3.0, -1.0]])


def hilly(y: Tensor) -> Tensor:
    return (0.5 * SCALES * y.square() + torch.sin(2 * y)).sum(-1)


def path(rule: Rule, steps: int = STEPS, energy: Callable[..., Any] = hilly, start: Tensor = START) -> list[Tensor]:
    descent = Descent(energy, rule)
    with torch.no_grad():
        state, found = descent.start(start), []
        for _ in range(steps):
            state, _ = descent.step(state)
            found.append(state["y"])
    return found


def torch_path(
    make: Callable[[list[Tensor]], torch.optim.Optimizer], clip: Callable[[Tensor], Any] | None = None
) -> list[Tensor]:
    y = START.clone().requires_grad_()
    optimizer, found = make([y]), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        hilly(y).sum().backward()
        if clip is not None:
            clip(y)
        optimizer.step()
        found.append(y.detach().clone())
    return found


@pytest.mark.parametrize(
    ("rule", "make"),
    [
        (GradientDescent(0.1), lambda p: torch.optim.SGD(p, 0.1)),
        (HeavyBall(0.1, 0.8), lambda p: torch.optim.SGD(p, 0.1, momentum=0.8)),
        (Nesterov(0.1, 0.8), lambda p: torch.optim.SGD(p, 0.1, momentum=0.8, nesterov=True)),
        (RMSProp(0.1, smoothing=0.9), lambda p: torch.optim.RMSprop(p, 0.1, alpha=0.9)),
        (Adam(0.1), lambda p: torch.optim.Adam(p, 0.1)),
        (Adam(0.3, betas=(0.7, 0.9), eps=1e-3), lambda p: torch.optim.Adam(p, 0.3, betas=(0.7, 0.9), eps=1e-3)),
    ],
    ids=["descent", "heavy ball", "Nesterov", "RMSProp", "Adam", "Adam of other constants"],
)  # fmt: skip
def test_a_rule_goes_where_the_optimiser_of_its_name_goes(rule: Rule, make: Any) -> None:
    for found, wanted in zip(path(rule), torch_path(make), strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-6)


def test_a_gradient_is_clipped_as_torch_clips_it_but_each_chain_alone() -> None:
    def each_row(y: Tensor) -> None:
        assert y.grad is not None
        for row in y.grad:
            leaf = torch.zeros(3, requires_grad=True)
            leaf.grad = row
            torch.nn.utils.clip_grad_norm_([leaf], 0.7)

    def by_value(y: Tensor) -> None:
        torch.nn.utils.clip_grad_value_([y], 0.4)

    sgd: Any = lambda p: torch.optim.SGD(p, 0.3)  # noqa: E731
    for found, wanted in zip(path(Clipped(GradientDescent(0.3), norm=0.7)), torch_path(sgd, each_row), strict=True):
        torch.testing.assert_close(found, wanted)
    for found, wanted in zip(path(Clipped(GradientDescent(0.3), value=0.4)), torch_path(sgd, by_value), strict=True):
        torch.testing.assert_close(found, wanted)


def test_the_norm_is_over_all_tensors_of_a_chain() -> None:
    gradient = {"a": torch.tensor([[3.0, 0.0], [0.0, 0.0]]), "b": torch.tensor([4.0, 1.0])}
    state = {name: torch.zeros_like(g) for name, g in gradient.items()}
    clipped = Clipped(GradientDescent(1.0), norm=1.0)(state, gradient)
    torch.testing.assert_close(clipped, {"a": -gradient["a"] / 5, "b": torch.tensor([-0.8, -1.0])})
    normalised = Normalised(GradientDescent(1.0))(state, gradient)
    torch.testing.assert_close(normalised, {"a": -gradient["a"] / 5, "b": torch.tensor([-0.8, -1.0])})


def test_a_gradient_of_zero_stays_zero_when_it_is_normalised() -> None:
    still = Normalised(GradientDescent(1.0))({"y": torch.ones(1, 3)}, {"y": torch.zeros(1, 3)})
    assert torch.equal(still["y"], torch.ones(1, 3))


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (Schedule.cosine(1.0, 0.2, 4), [1.0, 0.2 + 0.4 * (1 + np.sqrt(0.5)), 0.6, 0.2 + 0.4 * (1 - np.sqrt(0.5)), 0.2, 0.2]),
        (Schedule.linear(1.0, 0.2, 4), [1.0, 0.8, 0.6, 0.4, 0.2, 0.2]),
        (Schedule.exponential(1.0, 0.0625, 4), [1.0, 0.5, 0.25, 0.125, 0.0625, 0.0625]),
        (Schedule([3.0, 1.0, 2.0], learn=True), [3.0, 1.0, 2.0, 2.0, 2.0, 2.0]),
        (Schedule.linear(1.0, 0.0, 2).warmed_up(3), [0.25, 0.5, 0.75, 1.0, 0.5, 0.0]),
    ],
    ids=["cosine", "linear", "exponential", "list", "warm-up"],
)  # fmt: skip
def test_a_schedule_has_the_values_of_its_formula_and_keeps_the_last(schedule: Schedule, values: list[float]) -> None:
    steps = torch.arange(6, dtype=torch.float32)
    torch.testing.assert_close(schedule(steps), torch.tensor(values, dtype=torch.float32))
    # On a slope of 1 the state says what each step was.
    moved = torch.stack(path(GradientDescent(schedule), 6, lambda y: y.sum(-1), torch.zeros(1, 1))).flatten()
    torch.testing.assert_close(-moved, torch.tensor(values, dtype=torch.float32).cumsum(0))


rows = hnp.arrays(np.float32, st.tuples(st.just(3), st.integers(1, 9)), elements=st.floats(-50, 50, width=32))


@settings(max_examples=200, deadline=None)
@given(rows, st.sampled_from([1.0, 0.3, 7.0]))
def test_the_simplex_projection_meets_the_conditions_of_karush_kuhn_and_tucker(array: Any, total: float) -> None:
    y = torch.from_numpy(array)
    p = Simplex(total)(y, {})
    scale = float(y.abs().max()) + total
    assert bool((p >= 0).all())
    torch.testing.assert_close(p.sum(-1), torch.full((3,), total), rtol=1e-5, atol=1e-6 * scale)
    # p = max(y − θ, 0): y − p is one number θ where p is positive, and no more than θ elsewhere.
    for row, projected in zip(y, p, strict=True):
        theta = (row - projected)[projected > 0]
        assert float(theta.max() - theta.min()) <= 1e-5 * scale
        assert bool((row[projected == 0] <= theta.max() + 1e-5 * scale).all())


@settings(max_examples=100, deadline=None)
@given(rows)
def test_the_sphere_projection_keeps_the_direction_and_sets_the_length(array: Any) -> None:
    y = torch.from_numpy(array)
    p = Sphere(2.0)(y, {})
    torch.testing.assert_close(p.norm(dim=-1), torch.full((3,), 2.0))
    moving = y.abs().amax(-1) > 1e-20
    direction = torch.nn.functional.normalize(y[moving].double(), dim=-1, eps=0.0).float()
    torch.testing.assert_close(p[moving], 2 * direction, rtol=1e-5, atol=1e-6)


def test_the_sphere_projection_is_safe_at_zero() -> None:
    y = torch.zeros(1, 4, requires_grad=True)
    p = Sphere()(y, {})
    p.sum().backward()
    assert torch.equal(p.detach(), torch.full((1, 4), 0.5))
    assert y.grad is not None
    assert bool(torch.isfinite(y.grad).all())


def test_boxes_and_givens_hold_entry_by_entry() -> None:
    y = torch.tensor([[-2.0, 0.5, 3.0]])
    low = torch.tensor([-1.0, 1.0, -torch.inf])
    assert Box(low, 2.0)(y, {}).tolist() == [[-1.0, 1.0, 2.0]]
    inputs = {"known": torch.tensor([[0, 1, 1]]), "value": torch.tensor([[7, 8, 9]])}
    assert Fixed("known", "value")(y, inputs).tolist() == [[-2.0, 8.0, 9.0]]


@pytest.mark.parametrize("shape", [Box(-1.0, 1.0), Simplex(), Sphere()], ids=["box", "simplex", "sphere"])
def test_what_is_no_number_is_not_projected_into_the_set(shape: Any) -> None:
    for bad in (torch.nan, torch.inf):
        projected = shape(torch.tensor([[bad, 0.2, 0.3]]), {})
        assert bad == torch.inf or bool(projected.isnan().any())
        assert bad == torch.nan or isinstance(shape, Box) or bool(projected.isnan().any())


def test_mirror_descent_multiplies_by_the_exponential_of_the_gradient() -> None:
    y, slope = torch.tensor([[0.2, 0.3, 0.5], [0.0, 0.4, 0.6]]), torch.tensor([[1.0, -1.0, 0.0], [5.0, 1.0, 2.0]])
    weights = y.double() * torch.exp(-0.7 * slope.double())
    found = MirrorDescent(0.7)({"y": y}, {"y": slope})["y"]
    torch.testing.assert_close(found, (weights / weights.sum(-1, keepdim=True)).float())


def test_langevin_samples_from_the_distribution_of_its_temperature() -> None:
    generator = torch.Generator().manual_seed(1)
    descent = Descent(lambda y: 0.5 * y.square().sum(-1), Langevin(0.05, temperature=0.5))
    with torch.no_grad():
        state = descent.start(torch.zeros(4000, 2))
        for _ in range(150):
            state, _ = descent.step(state, {"y": torch.randn(4000, 2, generator=generator)})
    # exp(−E/T) of this bowl is normal of variance T; steps of this size make it 2 T / (2 − η).
    assert float(state["y"].var()) == pytest.approx(2 * 0.5 / (2 - 0.05), rel=0.05)
    assert float(state["y"].mean()) == pytest.approx(0.0, abs=0.02)


def test_langevin_noise_of_its_own_size_is_scaled_by_the_root_of_temperature() -> None:
    rule, zero = Langevin(0.1, noise=0.3, temperature=4.0), {"y": torch.zeros(3, 2)}
    moved = rule(zero, zero, {"y": torch.ones(3, 2)}, torch.tensor([0.0, 0.25, 1.0]))
    torch.testing.assert_close(moved["y"][:, 0], torch.tensor([0.0, 0.3, 0.6]))


@settings(max_examples=50, deadline=None)
@given(
    hnp.arrays(np.float64, (2, 3), elements=st.floats(-2, 2)),
    st.floats(0.01, 2.0),
    st.floats(0.1, 1.0),
    st.integers(1, 8),
    st.sampled_from([1.0, -1.0]),
    st.sampled_from([(), ("violated",)]),
)
def test_breakout_descends_the_weighted_squares_and_weights_what_stays_violated(
    start: Any, raises: float, keep: float, steps: int, sign: float, terms: tuple[str, ...]
) -> None:
    """E = ½ ‖y‖² + ‖h‖² with the violations h = max(0, ½ − y), whose weights a loop over numpy arrays keeps."""
    y, w = start.copy(), np.ones_like(start)
    for _ in range(steps):
        h = np.maximum(0.5 - y, 0)
        y, w = y - 0.05 * (y - 2 * w * h), keep * w + (1 - keep) + raises * h
    left = np.maximum(0.5 - y, 0)
    slope = y - 2 * w * left

    def violations(y: Tensor) -> Tensor:
        return sign * torch.relu(0.5 - y)

    def energy(y: Tensor) -> dict[str, Tensor]:
        return {"size": 0.5 * y.square().sum(-1), "violated": violations(y).square().sum(-1)}

    rule = Breakout(GradientDescent(0.05), violations, raises=raises, keep=keep, terms=terms)
    descent = Descent(energy, rule)
    with torch.no_grad():
        state = descent.start(torch.tensor(start, dtype=torch.float32))
        for _ in range(steps):
            state, _ = descent.step(state)
        reading = descent.read(state)
    np.testing.assert_allclose(state["y"], y, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(state["chain.weights"], w, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(reading.energy, 0.5 * (y**2).sum(1) + (left**2).sum(1), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(reading.residual, np.sqrt((slope**2 + left**2).sum(1)), rtol=1e-3, atol=1e-4)
