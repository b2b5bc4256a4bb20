"""What made people choose: weights of properties from past choices, each among alternatives that were possible too.

A choice has a cost, the sum of the weights of its properties, and is the likelier the lower its cost (conditional logit, McFadden
1974; a random sample of the alternatives is enough). Weights shrink towards zero. How much is learned from the choices too, for
each kind of property (empirical Bayes: the evidence framework of MacKay 1992), so that choices made at random give no weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ROUNDS = 6
"""Rounds of weights and their spread."""

ITERATIONS = 60
"""Most iterations of the minimisation (L-BFGS) in a round."""

WIDEST, NARROWEST = 3.0, 0.02
"""Bounds of the weights' spread, in nats."""

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Weights:
    """What was learned about properties.

    Attributes:
        values: The cost of each property, in nats, signed.
        errors: Standard errors of the costs.
    """

    values: Floats
    errors: Floats


def learned_weights(
    choices: Sequence[Sequence[Sequence[int]]], kinds: Sequence[int], repeated: Sequence[int] = ()
) -> Weights:
    """The weights that explain choices best.

    Args:
        choices: For each choice, the properties of what was chosen, then those of each alternative, as indices of properties.
        kinds: The kind of each property: properties of one kind have one spread.
        repeated: Kinds whose properties take part in two choices each, such as relations of two things that are both chosen.
    """
    kind = np.asarray(kinds)
    many = int(kind.max()) + 1
    data = _Data(choices, len(kind))
    twice = np.where(np.isin(np.arange(many), list(repeated)), 2.0, 1.0)
    spread = np.ones(many)
    values = torch.zeros(len(kind))
    known = np.zeros(len(kind))
    for _ in range(ROUNDS):
        precision = (twice / spread**2)[kind]
        values = data.fitted(values, torch.from_numpy(precision).float())
        known = data.curvature(values) / twice[kind]
        left = 1.0 / (known + (1.0 / spread**2)[kind])
        for place in range(many):
            at = kind == place
            learned = float((1.0 - left[at] / spread[place] ** 2).sum())
            size = float((values.numpy()[at].astype(np.float64) ** 2).sum()) / max(learned, 1e-3)
            spread[place] = min(max(size**0.5, NARROWEST), WIDEST)
    errors = (known + (1.0 / spread**2)[kind]) ** -0.5
    return Weights(values.numpy().astype(np.float64), np.asarray(errors))


class _Data:
    """Choices as flat tensors: rows of properties, and the choice of each row; the first row of each was chosen."""

    def __init__(self, choices: Sequence[Sequence[Sequence[int]]], properties: int) -> None:
        rows = [row for choice in choices for row in choice]
        self.many, self.properties = len(choices), properties
        self.flat = torch.tensor([k for row in rows for k in row], dtype=torch.int64)
        lengths = np.array([len(row) for row in rows])
        self.row = torch.from_numpy(np.repeat(np.arange(len(rows)), lengths))
        sizes = np.array([len(choice) for choice in choices])
        self.own = torch.from_numpy(np.repeat(np.arange(len(choices)), sizes))
        self.first = torch.from_numpy(np.cumsum(sizes) - sizes)

    def fitted(self, start: Tensor, precision: Tensor) -> Tensor:
        """The weights of the highest posterior density."""
        weights = start.clone().requires_grad_()
        optimizer = torch.optim.LBFGS(
            [weights], max_iter=ITERATIONS, tolerance_grad=1e-3, line_search_fn="strong_wolfe"
        )

        def closure() -> Tensor:
            optimizer.zero_grad()
            loss = -self._log_chances(weights)[self.first].sum() + 0.5 * (precision * weights**2).sum()
            loss.backward()
            return loss

        optimizer.step(closure)
        return weights.detach()

    def curvature(self, weights: Tensor) -> Floats:
        """Second derivative of the choices' negative log likelihood with respect to each weight."""
        chance = self._log_chances(weights).exp()
        # A property is touched or not, so the variance in a choice is p (1 - p), p being the chance of touching it.
        key = self.own[self.row] * self.properties + self.flat
        places, where = torch.unique(key, return_inverse=True)
        p = torch.zeros(len(places)).index_add(0, where, chance[self.row])
        found = torch.zeros(self.properties).index_add(0, places % self.properties, p * (1.0 - p))
        return found.numpy().astype(np.float64)

    def _log_chances(self, weights: Tensor) -> Tensor:
        """Log of the chance of each row in its choice."""
        score = torch.zeros(len(self.own)).index_add(0, self.row, -weights[self.flat])
        highest = torch.full((self.many,), -torch.inf).scatter_reduce(0, self.own, score.detach(), "amax")
        score = score - highest[self.own]
        total = torch.zeros(self.many).index_add(0, self.own, score.exp())
        return score - total.log()[self.own]
