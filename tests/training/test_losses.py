"""Losses for descents: each has its least value where the energy is what it should be."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch import Tensor, nn

from groundstate_export import GradientDescent
from groundstate_training import losses


class Bowl(nn.Module):
    """Half the squared distance to ``centre + shift``, times a curvature."""

    def __init__(self, shift: float = 0.0, curvature: float = 1.0) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.tensor(shift))
        self.curvature = nn.Parameter(torch.tensor(curvature))

    def forward(self, y: Tensor, centre: Tensor) -> Tensor:
        return 0.5 * self.curvature * (y - centre - self.shift).square().sum(-1)


CENTRE = torch.tensor([[1.0, 2.0], [-1.0, 0.5], [0.0, 3.0]])


def fitted(loss: object, energy: nn.Module, steps: int = 200, rate: float = 0.05) -> None:
    optimizer = torch.optim.Adam(energy.parameters(), rate)
    for _ in range(steps):
        optimizer.zero_grad()
        loss().backward()  # type: ignore[operator]
        optimizer.step()


def test_unrolled_descents_move_the_minimum_to_the_target() -> None:
    energy = Bowl(shift=2.0)
    rule = GradientDescent(0.3)

    def loss() -> Tensor:
        return losses.unrolled(
            energy,
            rule,
            torch.zeros(3, 2),
            {"centre": CENTRE},
            lambda y: (y - CENTRE).square().sum(-1),
            steps=4,
            without_gradient=8,
        )

    before = loss().item()
    fitted(loss, energy)
    assert loss().item() < 0.01 * before
    assert abs(energy.shift.item()) < 0.1


def test_steps_without_gradient_are_not_differentiated() -> None:
    energy = Bowl()
    target = losses.unrolled(
        energy,
        GradientDescent(0.1),
        torch.zeros(3, 2),
        {"centre": CENTRE},
        lambda y: y.square().sum(-1),
        steps=1,
        without_gradient=50,
    )
    target.backward()
    # One differentiated step of size 0.1 moves by 0.1 of the shift; a gradient through all 51 would be nearly 1.
    assert energy.shift.grad is not None
    assert energy.shift.grad.item() == pytest.approx(0.1 * 2 * float(CENTRE.sum(1).mean()), rel=0.1)


def test_contrast_and_margin_raise_wrong_states() -> None:
    for loss in (
        lambda e: losses.contrast(
            e,
            CENTRE,
            CENTRE[:, None] + torch.randn(3, 5, 2, generator=torch.Generator().manual_seed(0)),
            {"centre": CENTRE},
        ),
        lambda e: losses.margin(e, CENTRE, CENTRE + 1.0, {"centre": CENTRE}, by=2.0),
    ):
        energy = Bowl(shift=1.0)
        before = loss(energy).item()
        fitted(lambda loss=loss, energy=energy: loss(energy), energy)
        assert loss(energy).item() < 0.5 * before


def test_denoising_learns_the_curvature_of_a_gaussian() -> None:
    draw = torch.Generator().manual_seed(0)
    energy, sigma = Bowl(curvature=3.0), 0.5
    clean = torch.zeros(512, 2)

    def loss() -> Tensor:
        return losses.denoising(energy, clean, {"centre": clean}, sigma, draw)

    fitted(loss, energy, steps=300)
    # Points at 0 with noise sigma have the density exp(−y²/2σ²).
    assert energy.curvature.item() == pytest.approx(1 / sigma**2, rel=0.1)


def test_equilibrium_matching_puts_data_at_rest() -> None:
    draw = torch.Generator().manual_seed(0)
    energy = Bowl(shift=1.0, curvature=0.1)
    data = torch.zeros(256, 2)
    fitted(lambda: losses.equilibrium_matching(energy, data, {"centre": data}, draw), energy, steps=300)
    assert abs(energy.shift.item()) < 0.1
    assert energy.curvature.item() > 1.0


def test_pseudo_likelihood_by_one_gradient_is_that_of_every_value_tried() -> None:
    draw = torch.Generator().manual_seed(1)
    n, v = 4, 3
    table = torch.randn(n, n, v, v, generator=draw)
    table[range(n), range(n)] = 0.0

    def energy(p: Tensor) -> Tensor:
        return torch.einsum("bia,ijac,bjc->b", p, table, p)

    x = torch.randint(v, (5, n), generator=draw)
    hot = torch.nn.functional.one_hot(x, v).float()
    total = 0.0
    for row, i in itertools.product(range(5), range(n)):
        tried = []
        for a in range(v):
            other = hot[row].clone()
            other[i] = torch.eye(v)[a]
            tried.append(energy(other[None])[0])
        total -= float(torch.log_softmax(-torch.stack(tried), 0)[x[row, i]])
    assert losses.pseudo_likelihood(energy, hot, {}).item() == pytest.approx(total / (5 * n), rel=1e-5)


def test_hidden_and_unknown_variables_do_not_count() -> None:
    hot = torch.eye(2)[torch.tensor([[0, 1], [1, 1]])]
    field = torch.tensor([[0.0, 2.0], [0.0, 5.0]])

    def energy(p: Tensor) -> Tensor:
        return (p * field).sum((1, 2))

    only_first = losses.pseudo_likelihood(energy, hot, {}, known=torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
    expected = -torch.log_softmax(-field[0], 0)[[0, 1]].mean()
    assert only_first.item() == pytest.approx(float(expected), rel=1e-5)


def test_the_buffer_keeps_the_newest_wrong_minima_with_their_inputs() -> None:
    buffer = losses.WrongMinima(capacity=3)
    draw = torch.Generator().manual_seed(0)
    assert buffer.draw(2, draw) is None
    for k in range(5):
        state = torch.full((2, 1), float(k))
        buffer.add(state, {"x": state + 10}, torch.tensor([True, False]))
    assert len(buffer) == 3
    found = buffer.draw(20, draw)
    assert found is not None
    assert set(found[0].flatten().tolist()) == {2.0, 3.0, 4.0}
    assert torch.equal(found[1]["x"], found[0] + 10)


def test_losses_of_torchebm_train_an_energy() -> None:
    losses_of = pytest.importorskip("torchebm.losses")
    energy = Bowl(curvature=3.0)
    loss = losses_of.DenoisingScoreMatching(
        losses.torchebm_model(energy, {"centre": torch.zeros(1, 2)}), noise_scale=0.5
    )
    torch.manual_seed(0)
    fitted(lambda: loss(torch.zeros(256, 2)), energy, steps=300)
    assert energy.curvature.item() == pytest.approx(4.0, rel=0.15)
