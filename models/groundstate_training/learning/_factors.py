"""The expert for straight lines: a normal distribution with a few common factors, conditioned on any known columns.

Few rows suffice for it. A column's conditional follows from the posterior of the factors, in closed form for every set of
known columns (D. B. Rubin and D. T. Thayer, "EM algorithms for ML factor analysis", 1982).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from groundstate_training.learning._features import sources
from groundstate_training.learning._network import Shape

FACTORS = 8
SMALLEST = 0.003
"""Smallest variance of a feature that the factors do not explain, in those of the feature."""

LEAST = 0.02
"""Smallest probability of a level."""


class Factors(nn.Module):
    """A normal distribution of a row's features with common factors.

    Args:
        shape: Columns of the table.
        rows: Features of the rows, ``(rows, features)``.
        known: 1 where a column is known, ``(rows, columns)``.
        seed: Seed of the initial loadings.
    """

    middle: Tensor
    spread: Tensor

    def __init__(self, shape: Shape, rows: Tensor, known: Tensor, seed: int = 0) -> None:
        super().__init__()
        self.shape, self.source = shape, sources(shape)
        g = known[:, self.source].float()
        count = g.sum(0).clamp(min=1)
        middle = (rows * g).sum(0) / count
        self.register_buffer("middle", middle)
        self.register_buffer("spread", (((rows - middle).square() * g).sum(0) / count + 1e-3).sqrt())
        draw = torch.Generator().manual_seed(seed)
        self.loadings = nn.Parameter(0.3 * torch.randn(len(self.source), FACTORS, generator=draw))
        self.rest = nn.Parameter(torch.full((len(self.source),), -0.5))
        self.shift = nn.Parameter(torch.zeros(len(self.source)))

    def forward(self, rows: Tensor, given: Tensor) -> tuple[Tensor, Tensor]:
        """Means and variances of all features given the known ones, ``(batch, features)`` each.

        Args:
            rows: Features, ``(batch, features)``.
            given: 1 where a column is known, ``(batch, columns)``.
        """
        g = given[:, self.source]
        own = self.rest.exp() + SMALLEST
        scaled = self.loadings / own[:, None]
        pairs = (scaled[:, :, None] * self.loadings[:, None, :]).flatten(1)
        precision = torch.eye(FACTORS) + (g @ pairs).unflatten(-1, (FACTORS, FACTORS))
        z = g * ((rows - self.middle) / self.spread - self.shift)
        sides = torch.cat([(z @ scaled)[:, :, None], self.loadings.T.expand(len(z), -1, -1)], -1)
        solved = torch.linalg.solve(precision, sides)
        means = solved[:, :, 0] @ self.loadings.T + self.shift
        variances = own + (solved[:, :, 1:] * self.loadings.T).sum(1)
        return means * self.spread + self.middle, variances * self.spread.square()

    def chances(self, means: Tensor, variances: Tensor) -> list[Tensor]:
        """Probabilities of the levels of each further column, ``(batch, levels)``."""
        found, first = [], self.shape.numbers
        for many, points in zip(self.shape.levels, self.shape.points or [()] * len(self.shape.levels), strict=True):
            if points:
                away = torch.tensor(points) - means[:, first : first + 1]
                found.append(torch.softmax(-0.5 * away.square() / variances[:, first : first + 1], -1))
                first += 1
            else:
                part = means[:, first : first + many].clamp(min=LEAST)
                found.append(part / part.sum(-1, keepdim=True))
                first += many
        return found

    def log_likelihood(self, means: Tensor, variances: Tensor, numbers: Tensor, levels: Sequence[Tensor]) -> Tensor:
        """Log likelihood of every value, ``(batch, columns)``."""
        n, parts = self.shape.numbers, []
        if n:
            z = (numbers - means[:, :n]).square() / variances[:, :n]
            parts.append(-0.5 * (z + variances[:, :n].log() + 1.8378770664093453))
        for chance, level in zip(self.chances(means, variances), levels, strict=True):
            parts.append((chance.clamp(min=1e-6).log() * level).sum(-1, keepdim=True))
        return torch.cat(parts, -1)
