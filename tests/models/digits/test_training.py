"""How the digits' energy is trained: pictures keep their frame, members are averaged, weights are stored without loss."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from groundstate_models.digits import data, energy, train
from groundstate_models.digits.energy import DigitEnergy, Member
from groundstate_models.digits.variation import varied


def drawn(many: int, generator: torch.Generator, side: int) -> Tensor:
    """Strokes: thick slanted bars, 20 pixels of 28 long or as high as the picture, with their centre of mass in the middle."""
    down, right = torch.meshgrid(
        torch.arange(side) - (side - 1) / 2, torch.arange(side) - (side - 1) / 2, indexing="ij"
    )
    lean = 0.4 * torch.rand(many, 1, 1, generator=generator) - 0.2
    inside = down.abs() < (10 if side == 28 else side)
    return (2.0 - (right - lean * down).abs()).clamp(0.0, 1.0) * inside


def test_varied_pictures_of_28_pixels_stay_in_the_frame_of_the_data() -> None:
    draw = torch.Generator().manual_seed(0)
    pictures = drawn(64, draw, 28)
    found = varied(pictures, draw)
    places = torch.arange(28) - 13.5
    mass = found.sum((1, 2))
    for axis in (1, 2):
        assert ((found.sum(3 - axis) @ places) / mass).abs().max() < 1.2
    high = (found.amax(2) > 0.2).sum(1).float()
    assert 18 <= high.min() <= high.max() <= 22
    assert (found - pictures).abs().mean() > 0.02
    assert ((found >= 0) & (found <= 1)).all()


def test_varied_pictures_of_8_pixels_fill_their_height() -> None:
    draw = torch.Generator().manual_seed(0)
    found = varied(drawn(64, draw, 8), draw)
    assert (found[:, 0].amax(1) > 0.3).all()
    assert (found[:, -1].amax(1) > 0.3).all()


@pytest.mark.parametrize("side", [8, 28])
def test_the_energy_is_the_mean_of_its_members(side: int) -> None:
    torch.manual_seed(side)
    members = [Member(side, 24, 12) for _ in range(3)]
    for member in members:
        member.usual.data.normal_()
    whole = DigitEnergy(members)
    picture, given = torch.rand(5, side, side), torch.zeros(5, side, side)
    given[:, : side // 2] = 1.0
    ink, chance = torch.randn(5, whole.bands**2), torch.softmax(torch.randn(5, 10), 1)
    context = whole.context(picture, given)
    found = whole.fitting(ink, whole.aim(context), whole.expected(context, chance))
    single = []
    for member in members:
        own = member.context(picture, given)
        parts = member.fitting(ink + whole.usual - member.usual, member.aim(own), member.expected(own, chance))
        single.append(sum(parts.values(), torch.zeros(5)))
    torch.testing.assert_close(sum(found.values(), torch.zeros(5)), torch.stack(single).mean(0), rtol=1e-5, atol=1e-4)


def test_stored_weights_are_within_half_a_level_and_those_of_the_file_are_stored_exactly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(energy.HIDDEN, 8, 64)
    torch.manual_seed(0)
    made = DigitEnergy([Member(8) for _ in range(energy.MEMBERS[8])])
    energy.store(made, tmp_path / "one.npz")
    once = energy.load(8, tmp_path / "one.npz")
    for name, value in made.state_dict().items():
        row = value.abs().amax(-1, keepdim=True) if value.dim() > 1 else value.abs()
        assert ((once.state_dict()[name] - value).abs() <= row / 240).all(), name
    energy.store(once, tmp_path / "two.npz")
    twice = energy.load(8, tmp_path / "two.npz")
    for name, value in once.state_dict().items():
        assert torch.equal(twice.state_dict()[name], value), name


def test_the_digits_offered_hold_the_true_one_as_often_as_was_asked_for() -> None:
    torch.manual_seed(0)
    draw = torch.Generator().manual_seed(0)
    whole = DigitEnergy([Member(8, 16, 12)])
    pictures, digits = torch.rand(400, 8, 8, generator=draw), torch.randint(10, (400,), generator=draw)
    kept = data.Digits(pictures, digits)
    given = torch.zeros(400, 8, 8)
    given[:, :4] = 1.0
    chance = whole.scores(whole.context(pictures, given), torch.zeros(400, 10)).exp()
    for covered in (0.8, 0.95):
        share = train.close(whole, kept, covered)
        offered = chance >= share * chance.amax(1, keepdim=True)
        assert covered <= offered.gather(1, digits[:, None]).float().mean() <= covered + 0.01
