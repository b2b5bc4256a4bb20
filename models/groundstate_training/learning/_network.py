"""The conditional network of a table: any columns in, a distribution of every column out.

An ensemble of small residual networks runs as one batch of matrix products. Numbers become mixtures of normal distributions,
levels a softmax. The energy of a row is the negative log pseudo-likelihood of its missing values.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

KNOTS = (-1.6, -0.8, 0.0, 0.8, 1.6)
"""Positions of the kinks of a number's features, on the normal scale."""

COMPONENTS = 5
SMALLEST = 0.01
"""Smallest width of a component, on the normal scale."""


@dataclass(frozen=True)
class Shape:
    """Columns and sizes of a network.

    Attributes:
        numbers: Columns of numbers, which come first.
        levels: Number of levels of each further column.
        points: For each of those, the positions of its levels on the normal scale; empty if they have no order.
        members: Networks of the ensemble.
        width: Width of the residual blocks.
        blocks: Number of residual blocks.
    """

    numbers: int
    levels: tuple[int, ...]
    members: int = 3
    width: int = 64
    blocks: int = 2
    points: tuple[tuple[float, ...], ...] = ()

    @property
    def ordered(self) -> int:
        """Columns of levels that have an order."""
        return sum(map(bool, self.points))

    @property
    def columns(self) -> int:
        """Columns of the table."""
        return self.numbers + len(self.levels)


class Network(nn.Module):
    """Distributions of all columns from any of them.

    Args:
        shape: Columns and sizes.
        seed: Seed of the initial weights.
        dropout: Fraction of the hidden units dropped in training.
    """

    knots: Tensor
    points: Tensor

    def __init__(self, shape: Shape, seed: int = 0, dropout: float = 0.1) -> None:
        super().__init__()
        self.shape, self.dropout = shape, dropout
        draw = torch.Generator().manual_seed(seed)
        m, w = shape.members, shape.width
        scaled = shape.numbers + shape.ordered
        inputs = scaled * (1 + len(KNOTS)) + sum(shape.levels) + shape.columns
        outputs = shape.numbers * 3 * COMPONENTS + sum(shape.levels) + 2 * shape.ordered

        def matrix(rows: int, columns: int, gain: float = 1.0) -> nn.Parameter:
            return nn.Parameter(torch.randn(m, rows, columns, generator=draw) * gain / math.sqrt(rows))

        self.enter, self.entered = matrix(inputs, w, 1.4), nn.Parameter(torch.zeros(m, 1, w))
        self.inner = nn.ParameterList(matrix(w, w, 1.4) for _ in range(shape.blocks))
        self.inner_bias = nn.ParameterList(nn.Parameter(torch.zeros(m, 1, w)) for _ in range(shape.blocks))
        self.outer = nn.ParameterList(matrix(w, w, 0.5) for _ in range(shape.blocks))
        self.leave = matrix(w, outputs, 0.3)
        bias = torch.zeros(m, 1, outputs)
        if shape.numbers:
            means = bias[..., : shape.numbers * 3 * COMPONENTS].unflatten(-1, (shape.numbers, 3, COMPONENTS))
            means[..., 1, :] = torch.linspace(-1.2, 1.2, COMPONENTS)
            means[..., 2, :] = -0.5
        self.left = nn.Parameter(bias)
        # Straight from the values to the means: linear relations need no hidden units, and few rows suffice for them.
        self.straight = nn.Parameter(torch.zeros(m, shape.columns + scaled + sum(shape.levels), max(scaled, 1)))
        self.register_buffer("knots", torch.tensor(KNOTS))
        points = torch.zeros(max(shape.ordered, 1), sum(shape.levels))
        first = row = 0
        for many, places in zip(shape.levels, shape.points or [()] * len(shape.levels), strict=True):
            if places:
                points[row, first : first + many] = torch.tensor(places)
                row += 1
            first += many
        self.register_buffer("points", points)
        chosen = [shape.numbers + k for k, places in enumerate(shape.points) if places]
        self._scaled = [*range(shape.numbers), *chosen]

    def forward(self, numbers: Tensor, levels: Sequence[Tensor], given: Tensor, members: int | None = None) -> Tensor:
        """Outputs of every member, or of the first ``members``, ``(members, batch, outputs)``.

        Args:
            numbers: On the normal scale, ``(batch, numbers)`` or ``(members, batch, numbers)``; any value if not given.
            levels: Probabilities of the levels of each further column, ``(…, batch, levels)``.
            given: 1 where a column is known, ``(…, batch, columns)``.
        """
        n, ordered = self.shape.numbers, self.shape.ordered
        shown = [level * given[..., n + k, None] for k, level in enumerate(levels)]
        parts, plain = [given, *shown], [given, *shown]
        scaled = [numbers * given[..., :n]] if n else []
        if ordered:
            scaled.append(torch.cat(shown, -1) @ self.points.T)
        if scaled:
            x = torch.cat(scaled, -1)
            plain.append(x)
            bends = torch.tanh(1.5 * (x[..., None] - self.knots)) * given[..., self._scaled, None]
            parts += [x, bends.flatten(-2)]
        x, linear = torch.cat(parts, -1), torch.cat(plain, -1)
        m = members or self.shape.members
        if x.dim() == 2:
            x, linear = (part.expand(m, *part.shape) for part in (x, linear))
        h = torch.baddbmm(self.entered[:m], x, self.enter[:m])
        for inner, bias, outer in zip(self.inner, self.inner_bias, self.outer, strict=True):
            a = functional.silu(torch.baddbmm(bias[:m], h, inner[:m]))
            h = h + torch.bmm(functional.dropout(a, self.dropout, self.training), outer[:m])
        out = torch.baddbmm(self.left[:m], functional.silu(h), self.leave[:m])
        if not scaled:
            return out
        straight = torch.bmm(linear, self.straight[:m])
        first = n * 3 * COMPONENTS
        found = []
        if n:
            weights, means, widths = out[..., :first].unflatten(-1, (n, 3, COMPONENTS)).unbind(-2)
            found.append(torch.stack([weights, means + straight[..., :n, None], widths], -2).flatten(-3))
        if self.shape.levels:
            free = out[..., first : first + sum(self.shape.levels)]
            if ordered:
                # A bell over the levels' positions is added to the free logits: neighbours of a likely level are likely too.
                rest = out[..., first + sum(self.shape.levels) :]
                middle, sharp = straight[..., n:] + rest[..., :ordered], functional.softplus(rest[..., ordered:])
                free = free + (sharp * middle) @ self.points - 0.5 * sharp @ self.points.square()
            found.append(free)
        return torch.cat(found, -1)

    def mixture(self, outputs: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Log weights, means and widths of the numbers, ``(members, batch, numbers, components)`` each."""
        n = self.shape.numbers
        raw = outputs[..., : n * 3 * COMPONENTS].unflatten(-1, (n, 3, COMPONENTS))
        weights = torch.log_softmax(raw[..., 0, :], -1)
        return weights, raw[..., 1, :], SMALLEST + functional.softplus(raw[..., 2, :])

    def chances(self, outputs: Tensor) -> list[Tensor]:
        """Log probabilities of the levels of each further column, ``(members, batch, levels)`` each."""
        rest = outputs[..., self.shape.numbers * 3 * COMPONENTS :]
        return (
            [torch.log_softmax(part, -1) for part in rest.split(list(self.shape.levels), -1)]
            if self.shape.levels
            else []
        )

    def log_likelihood(self, outputs: Tensor, numbers: Tensor, levels: Sequence[Tensor]) -> Tensor:
        """Log likelihood of every value under the outputs, ``(members, batch, columns)``."""
        parts = []
        if self.shape.numbers:
            weights, means, widths = self.mixture(outputs)
            z = (numbers[..., None] - means) / widths
            parts.append(torch.logsumexp(weights - 0.5 * z.square() - widths.log() - 0.5 * math.log(2 * math.pi), -1))
        parts += [(log * level).sum(-1, keepdim=True) for log, level in zip(self.chances(outputs), levels, strict=True)]
        return torch.cat(parts, -1)
