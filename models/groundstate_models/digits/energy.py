"""The energy of a picture of a digit with missing pixels, over the missing part and over which digit it is.

Most of its weights read the known pixels once: for the probability of each digit, and for what a picture should look like. The
others judge the pictures that the descent makes. They are trained through that descent (``train.py``).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import layer_norm, silu, softplus

from groundstate_models.digits.task import CHOICE

DIGITS = 10
SIDES = (28, 8)
BANDS = {28: 18, 8: 8}
"""Waves along a side: 18 of 28 are enough for pictures that came from 20 × 20 pixels."""

MEMBERS = {28: 1, 8: 4}
"""Networks trained from different seeds, whose mean is the energy."""

HIDDEN = {28: 296, 8: 160}
JUDGES = {28: 96, 8: 48}
BLOCKS = 2
SHARPEST = 3.0
"""Weight of the entropy of the digit in a request for one digit: every digit is then a minimum of its own."""

LEAST = 1e-3
"""Share of the probability of a digit that does not depend on the picture, so that no digit is impossible."""

LARGE = 2048
"""Elements of a matrix from which its weights are stored in int8."""


class Member(nn.Module):
    """One network: what the known pixels let expect, and the energy of the missing ones.

    Args:
        side: Rows and columns of the pictures, 28 or 8.
        hidden: Width of the layers that read the known pixels; by default that of the bundled weights.
        judges: Width of the layer that judges pictures, likewise.
    """

    def __init__(self, side: int, hidden: int | None = None, judges: int | None = None) -> None:
        super().__init__()
        self.side, self.bands = side, BANDS[side]
        wide, judges = hidden or HIDDEN[side], judges or JUDGES[side]
        masks = 7 if side == 28 else 4
        self.register_buffer("waves", _waves(self.bands, side), persistent=False)
        self.register_buffer("rough", _pooling(side, masks), persistent=False)
        cells = self.bands**2
        self.read = nn.Linear(cells + masks**2, wide)
        self.think = nn.ModuleList(nn.Linear(wide, wide) for _ in range(BLOCKS))
        self.choose = nn.Linear(wide, DIGITS)
        self.usual = nn.Parameter(torch.zeros(cells))
        self.aim = nn.Linear(wide, cells)
        self.judge = nn.Linear(cells, judges, bias=False)
        self.expect = nn.Linear(wide, judges)
        self.under = nn.Linear(DIGITS, judges, bias=False)
        self.weigh = nn.Parameter(torch.randn(judges))

    waves: Tensor
    rough: Tensor

    def context(
        self, picture: Tensor, given: Tensor, dropped: float = 0.0, generator: torch.Generator | None = None
    ) -> Tensor:
        """What the known pixels say, (batch, hidden).

        Args:
            picture, given: The inputs.
            dropped: Share of the units of every layer that are left out, for training (N. Srivastava et al., 2014).
            generator: Draws them.
        """
        seen = self.waves @ (picture * given) @ self.waves.T
        where = self.rough @ given @ self.rough.T
        found = silu(self.read(torch.cat([seen.flatten(1), where.flatten(1)], 1)))
        for layer in self.think:
            step = silu(layer(layer_norm(found, found.shape[1:])))
            if dropped:
                step = step * (torch.rand(step.shape, generator=generator) >= dropped) / (1.0 - dropped)
            found = found + step
        return layer_norm(found, found.shape[1:])

    def scores(self, context: Tensor, prior: Tensor) -> Tensor:
        """Logarithms of the probability of each digit, (batch, 10)."""
        chance = (1.0 - LEAST) * torch.softmax(self.choose(context), 1) + LEAST / DIGITS
        return torch.log_softmax(chance.log() + prior, 1)

    def whole(self, ink: Tensor, picture: Tensor, given: Tensor, *, beyond: bool = True) -> Tensor:
        """The picture with its missing pixels filled in, (batch, side, side); ``beyond`` the mean picture, or all of it."""
        amplitudes = (self.usual + ink if beyond else ink).unflatten(1, (self.bands, self.bands))
        filled: Tensor = given * picture + (1.0 - given) * (self.waves.T @ amplitudes @ self.waves)
        return filled

    def fitting(self, ink: Tensor, aim: Tensor, expected: Tensor) -> dict[str, Tensor]:
        """The terms about pixels.

        Args:
            ink: The state.
            aim: The amplitudes that the known pixels let expect, of whatever digit.
            expected: What the known pixels and the digit say to the judges, `expected`.
        """
        well = 0.5 * ink.square().sum(1) - (ink * aim).sum(1)
        return {"ink": well, "whole": softplus(self.judge(ink) + expected) @ self.weigh}

    def expected(self, context: Tensor, chance: Tensor) -> Tensor:
        """What the known pixels and probabilities of the digits say about the picture, (batch, judges)."""
        total: Tensor = self.expect(context) + self.under(chance)
        return total


class DigitEnergy(nn.Module):
    """``E(state; picture, given, digit, sharp)``, the mean of the members' energies, terms ``(batch,)`` each.

    The state is ``ink`` (batch, bands²), the missing pixels as amplitudes of cosine waves beyond the mean picture, and ``digit``
    (batch, 10), logits of the digit. The inputs, without the batch:

    * ``picture`` (side, side): the known pixels, 0 to 1, and 0 elsewhere;
    * ``given`` (side, side): 1 where a pixel is known, else 0;
    * ``prior`` (10,): logarithms of what is known about the digit; 0 for nothing;
    * ``sharp`` (1,): 0 for the expected picture, the one with the least squared error (one minimum), 1 for pictures of one digit
      each (a minimum for every digit).

    Args:
        members: Networks of the same size.

    Attributes:
        firm: Weight of the well around the mean picture; more than 1 makes the pictures paler.
        heat: Temperature of the probabilities of the digits.
    """

    def __init__(self, members: Sequence[Member]) -> None:
        super().__init__()
        self.side, self.bands = members[0].side, members[0].bands
        self.members = nn.ModuleList(members)
        self.register_buffer("firm", torch.ones(1))
        self.register_buffer("heat", torch.ones(1))
        self.register_buffer("usual", torch.stack([m.usual.detach() for m in members]).mean(0))

    firm: Tensor
    heat: Tensor
    usual: Tensor

    def each(self) -> Iterator[Member]:
        """The members."""
        for member in self.members:
            assert isinstance(member, Member)
            yield member

    def context(self, picture: Tensor, given: Tensor) -> Tensor:
        """What the known pixels say to each member, (batch, members, hidden)."""
        return torch.stack([member.context(picture, given) for member in self.each()], 1)

    def scores(self, context: Tensor, prior: Tensor) -> Tensor:
        """Logarithms of the probability of each digit, (batch, 10)."""
        found = torch.stack([m.choose(c) for m, c in zip(self.each(), context.unbind(1), strict=True)]).mean(0)
        chance = (1.0 - LEAST) * torch.softmax(found / self.heat, 1) + LEAST / DIGITS
        return torch.log_softmax(chance.log() + prior, 1)

    def aim(self, context: Tensor) -> Tensor:
        """The amplitudes that each member expects, (batch, members, bands²)."""
        return torch.stack([m.aim(c) for m, c in zip(self.each(), context.unbind(1), strict=True)], 1)

    def expected(self, context: Tensor, chance: Tensor) -> Tensor:
        """What the known pixels and probabilities of the digits say to the judges, (batch, members, judges)."""
        return torch.stack([m.expected(c, chance) for m, c in zip(self.each(), context.unbind(1), strict=True)], 1)

    def whole(self, ink: Tensor, picture: Tensor, given: Tensor) -> Tensor:
        """The picture with its missing pixels filled in, (batch, side, side)."""
        return next(self.each()).whole(self.usual + ink, picture, given, beyond=False)

    def fitting(self, ink: Tensor, aim: Tensor, expected: Tensor) -> dict[str, Tensor]:
        """The terms about pixels, from what `aim` and `expected` say."""
        total = {"ink": 0.5 * (self.firm - 1.0) * ink.square().sum(1), "whole": torch.zeros_like(ink[:, 0])}
        for number, member in enumerate(self.each()):
            own = ink + (self.usual - member.usual)
            for name, term in member.fitting(own, aim[:, number], expected[:, number]).items():
                total[name] = total[name] + term / len(self.members)
        return total

    def forward(
        self, state: dict[str, Tensor], picture: Tensor, given: Tensor, prior: Tensor, sharp: Tensor
    ) -> dict[str, Tensor]:
        context = self.context(picture, given)
        log = torch.log_softmax(state["digit"], 1)
        chance = log.exp()
        heat = 1.0 - (1.0 + SHARPEST) * sharp
        choice = CHOICE * (heat * chance * log - chance * self.scores(context, prior)).sum(1)
        expected = self.expected(context, chance)
        return {"digit": choice, **self.fitting(state["ink"], self.aim(context), expected)}

    def decode(
        self, state: dict[str, Tensor], picture: Tensor, given: Tensor, prior: Tensor, sharp: Tensor
    ) -> dict[str, Tensor]:
        """``picture`` (batch, side, side) from 0 to 1, ``chance`` (batch, 10) by the known pixels, and ``digit`` (batch,)."""
        del sharp
        return {
            "picture": self.whole(state["ink"], picture, given).clamp(0.0, 1.0),
            "chance": self.scores(self.context(picture, given), prior).exp(),
            "digit": state["digit"].argmax(1),
        }


def _pooling(side: int, cells: int) -> Tensor:
    """The mean of each of some equal parts of a line, (cells, side)."""
    return torch.eye(cells).repeat_interleave(side // cells, 1) / (side // cells)


def _waves(bands: int, side: int) -> Tensor:
    """The slowest cosine waves along a line, orthonormal (the discrete cosine transform), (bands, side)."""
    places, waves = torch.arange(side) + 0.5, torch.arange(bands)
    found: Tensor = torch.cos(math.pi / side * waves[:, None] * places) * math.sqrt(2.0 / side)
    found[0] /= math.sqrt(2.0)
    return found


def load(side: int, path: Path | None = None) -> DigitEnergy:
    """The trained energy.

    Args:
        side: Rows and columns of the pictures.
        path: The weights, by default the bundled ones.
    """
    with np.load(path or weights(side)) as stored:
        energy = DigitEnergy([Member(side) for _ in range(MEMBERS[side])])
        energy.load_state_dict({name: _widened(name, stored) for name in energy.state_dict()})
    return energy.eval().requires_grad_(requires_grad=False)


def _widened(name: str, stored: Mapping[str, NDArray[Any]]) -> Tensor:
    scale = f"{name} scale"
    value = stored[name].astype(np.float32)
    return torch.from_numpy(value * stored[scale] if scale in stored else value)


def store(energy: DigitEnergy, path: Path) -> None:
    """Write the weights: large matrices in int8 with a scale for each row, the others in float16."""
    found = {}
    for name, value in energy.state_dict().items():
        array = value.numpy()
        if array.size < LARGE:
            found[name] = array.astype(np.float16)
            continue
        # Scales of 12 bits, so that a product with an int8 is exact and can be taken apart again.
        scale = np.maximum(np.abs(array).max(1, keepdims=True), 1e-6) / 127
        power = 2.0 ** (np.floor(np.log2(scale)) - 11)
        scale = (np.ceil(scale / power) * power).astype(np.float32)
        found[name], found[f"{name} scale"] = np.round(array / scale).astype(np.int8), scale
    np.savez_compressed(path, **found)


def weights(side: int) -> Path:
    """The bundled weights of one size."""
    return Path(__file__).with_name(f"weights_{side}x{side}.npz")
