"""The energy of a picture of a digit with missing pixels, over the missing part and over which digit it is.

A third of its weights read the known pixels once: for the probability of each digit, and for what a whole picture should look
like. The others judge whole pictures, those that the descent fills in. They are trained through that descent (``train.py``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, softplus

from groundstate_models.digits.task import CHOICE

DIGITS = 10
SIDES = (28, 8)
HIDDEN, JUDGES = 112, 232
SHARPEST = 3.0
"""Weight of the entropy of the digit in a request for one digit: every digit is then a minimum of its own."""

LEAST = 1e-3
"""Share of the probability of a digit that does not depend on the picture, so that no digit is impossible."""


class DigitEnergy(nn.Module):
    """``E(state; picture, given, digit, sharp)``, terms ``(batch,)`` each.

    The state is ``ink`` (batch, bands²), the missing pixels on a coarse grid beyond the mean picture, and
    ``digit`` (batch, 10), logits of the digit. The inputs, without the batch:

    * ``picture`` (side, side): the known pixels, 0 to 1, and 0 elsewhere;
    * ``given`` (side, side): 1 where a pixel is known, else 0;
    * ``prior`` (10,): logarithms of what is known about the digit; 0 for nothing;
    * ``sharp`` (1,): 0 for the expected picture, the one with the least squared error (one minimum), 1 for pictures of one digit
      each (a minimum for every digit).

    Args:
        side: Rows and columns of the pictures, 28 or 8.
        hidden: Width of the layers that read the known pixels.
        judges: Width of the layer that judges whole pictures.
    """

    def __init__(self, side: int, hidden: int = HIDDEN, judges: int = JUDGES) -> None:
        super().__init__()
        self.side, self.bands = side, 14 if side == 28 else side
        masks = 7 if side == 28 else 4
        self.register_buffer("pool", _pooling(side, self.bands), persistent=False)
        self.register_buffer("rough", _pooling(side, masks), persistent=False)
        self.register_buffer("smooth", _smoothing(side, self.bands), persistent=False)
        cells = self.bands**2
        self.read = nn.Linear(cells + masks**2, hidden)
        self.think = nn.Linear(hidden, hidden)
        self.choose = nn.Linear(hidden, DIGITS)
        self.usual = nn.Parameter(torch.zeros(cells))
        self.judge = nn.Linear(cells, judges)
        self.expect = nn.Linear(hidden, judges, bias=False)
        self.under = nn.Linear(DIGITS, judges, bias=False)
        self.weigh = nn.Parameter(torch.randn(judges))

    pool: Tensor
    rough: Tensor
    smooth: Tensor

    def context(self, picture: Tensor, given: Tensor) -> Tensor:
        """What the known pixels say, (batch, hidden)."""
        seen, _ = self.known(picture, given)
        where = self.rough @ given @ self.rough.T
        first = torch.cat([seen, where.flatten(1)], 1)
        read = nn.functional.silu(self.read(first))
        return read + nn.functional.silu(self.think(read))

    def scores(self, context: Tensor, prior: Tensor) -> Tensor:
        """Logarithms of the probability of each digit, (batch, 10)."""
        chance = (1.0 - LEAST) * torch.softmax(self.choose(context), 1) + LEAST / DIGITS
        return torch.log_softmax(chance.log() + prior, 1)

    def whole(self, ink: Tensor, picture: Tensor, given: Tensor) -> Tensor:
        """The picture with its missing pixels filled in, (batch, side, side)."""
        coarse = (self.usual + ink).unflatten(1, (self.bands, self.bands))
        filled: Tensor = given * picture + (1.0 - given) * (self.smooth @ coarse @ self.smooth.T)
        return filled

    def known(self, picture: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        """Ink of the known pixels and the share of missing pixels on the coarse grid, (batch, bands²) each."""
        seen = self.pool @ (picture * given) @ self.pool.T
        return seen.flatten(1), 1.0 - (self.pool @ given @ self.pool.T).flatten(1)

    def fitting(self, ink: Tensor, expected: Tensor, seen: Tensor, missing: Tensor) -> dict[str, Tensor]:
        """The terms about pixels.

        Args:
            ink: The state.
            expected: What the known pixels and the digit say, `expected`.
            seen, missing: As in `known`.
        """
        whole = seen + missing * (self.usual + ink)
        return {"ink": 0.5 * ink.square().sum(1), "whole": softplus(self.judge(whole) + expected) @ self.weigh}

    def expected(self, context: Tensor, chance: Tensor) -> Tensor:
        """What the known pixels and probabilities of the digits say about the whole picture, (batch, judges)."""
        total: Tensor = self.expect(context) + self.under(chance)
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
        return {"digit": choice, **self.fitting(state["ink"], expected, *self.known(picture, given))}

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


def _smoothing(side: int, cells: int) -> Tensor:
    """Linear interpolation from a coarse line to a fine one, (side, cells)."""
    return interpolate(torch.eye(cells)[:, None], size=side, mode="linear")[:, 0].T


def load(side: int, path: Path | None = None) -> DigitEnergy:
    """The trained energy.

    Args:
        side: Rows and columns of the pictures.
        path: The weights, by default the bundled ones.
    """
    energy = DigitEnergy(side)
    with np.load(path or weights(side)) as stored:
        energy.load_state_dict({name: torch.from_numpy(stored[name].astype(np.float32)) for name in stored.files})
    return energy.eval().requires_grad_(requires_grad=False)


def weights(side: int) -> Path:
    """The bundled weights of one size, in float16."""
    return Path(__file__).with_name(f"weights_{side}x{side}.npz")
