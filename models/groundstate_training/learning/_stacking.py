"""The shares of the experts, from held-out cells: mostly those with the best continuous ranked probability score.

The score of a mixture of distributions is a quadratic form in their shares (see Y. Yao et al., "Using stacking to average
Bayesian predictive distributions", 2018); each column's form is drawn towards that of all columns. A small part follows the
likelihood (P. Smyth and D. Wolpert, "Linearly combining density estimators via stacking", 1999), which guards the tails.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from groundstate_models.learned.columns import Column
from groundstate_training.learning._network import Shape

PRIOR = 0.1
"""Weight of the prior shares, in units of the mean score of the experts."""

COMMON = 100.0
"""Weight, in cells, of all columns' forms in each column's own."""

COMMON_LIKELIHOOD = 10.0
"""The same for likelihoods."""

LIKELY = 0.1
"""Part of the shares that follows the likelihood."""

POINTS = torch.linspace(-6.0, 6.0, 121)
"""Points of the normal scale between which distribution functions are compared."""

Parts = tuple[list[tuple[Tensor, Tensor, Tensor]], list[list[Tensor]]]


@dataclass(frozen=True)
class Ruler:
    """Lengths with which errors of a column are measured, in its standard deviations.

    Attributes:
        gaps: Between neighbouring `POINTS`, or neighbouring levels; empty for levels without an order.
    """

    gaps: Tensor

    @classmethod
    def of(cls, column: Column, levels: Tensor) -> Ruler:
        """The ruler of a column, given the known levels' indices (unused for numbers)."""
        if column.kind == "number":
            points = torch.from_numpy(column.from_normal(POINTS.double().numpy())).float()
            return cls(points.diff() / max(column.spread, 1e-12))
        if not column.ordered:
            return cls(torch.zeros(0))
        values = torch.tensor([float(v) for v in column.levels])
        spread = float(values[levels].std()) if len(levels) > 1 else 1.0
        return cls(values.diff() / max(spread, 1e-6))


class Forms:
    """Quadratic forms of the score, and log likelihoods, of every expert for the held-out cells of each column."""

    def __init__(self, shape: Shape, rulers: Sequence[Ruler], experts: int) -> None:
        self.shape, self.rulers = shape, rulers
        self.forms = torch.zeros(shape.columns, experts, experts)
        self.count = torch.zeros(shape.columns)
        self.logs: list[list[Tensor]] = [[] for _ in range(shape.columns)]

    def add(self, parts: Parts, numbers: Tensor, levels: Sequence[Tensor], held: Tensor) -> None:
        """Add rows, ``(batch, …)``, whose held-out cells are marked."""
        for column in range(self.shape.columns):
            rows = held[:, column].nonzero()[:, 0]
            if not len(rows):
                continue
            place = column - self.shape.numbers
            if place < 0:
                own = [tuple(part[rows, column] for part in one) for one in parts[0]]
                away, logs = _of_numbers(own, numbers[rows, column])
            else:
                probable = torch.stack([one[rows] for one in parts[1][place]], 1)
                away, logs = _of_levels(probable, levels[place][rows], len(self.rulers[column].gaps) > 0)
            gaps = self.rulers[column].gaps if len(self.rulers[column].gaps) else torch.ones(away.shape[-1])
            self.forms[column] += torch.einsum("ceg,cfg,g->ef", away, away, gaps)
            self.count[column] += len(rows)
            self.logs[column].append(logs)

    def shares(self, prior: Tensor) -> Tensor:
        """Shares of the experts, ``(columns, experts)``, given what they are without evidence."""
        total = self.forms.sum(0) / self.count.sum().clamp(min=1)
        forms = (self.forms + COMMON * total) / (self.count[:, None, None] + COMMON)
        likely = by_likelihood([torch.cat(one) if one else None for one in self.logs], self.forms.shape[-1])
        return (1 - LIKELY) * lowest(forms, prior) + LIKELY * likely

    def likelihood(self, shares: Tensor) -> float:
        """Negative log likelihood of the held-out cells, in nats per cell."""
        worth = sum(
            float(torch.logsumexp(torch.cat(one) + shares[column].log(), -1).sum())
            for column, one in enumerate(self.logs)
            if one
        )
        return -worth / max(float(self.count.sum()), 1.0)


def _of_numbers(parts: Sequence[tuple[Tensor, ...]], values: Tensor) -> tuple[Tensor, Tensor]:
    """Distance of each expert's distribution function from that of the value, ``(cells, experts, points)``; log densities."""
    step = (values[:, None] <= 0.5 * (POINTS[1:] + POINTS[:-1])).float()
    middle = 0.5 * (POINTS[1:] + POINTS[:-1])
    away, logs = [], []
    for weights, means, widths in parts:
        cdf = (torch.special.ndtr((middle - means[..., None]) / widths[..., None]) * weights[..., None]).sum(1)
        away.append(cdf - step)
        z = (values[:, None] - means) / widths
        log = weights.clamp(min=1e-12).log() - 0.5 * z * z - widths.log() - 0.5 * math.log(2 * math.pi)
        logs.append(torch.logsumexp(log, -1).clamp(min=-30))
    return torch.stack(away, 1), torch.stack(logs, 1)


def _of_levels(probable: Tensor, level: Tensor, ordered: bool) -> tuple[Tensor, Tensor]:
    """The same for levels, from probabilities ``(cells, experts, levels)``."""
    away = probable - level[:, None]
    logs = (probable * level[:, None]).sum(-1).clamp(min=1e-9).log()
    return (away.cumsum(-1)[..., :-1] if ordered else away), logs


def lowest(forms: Tensor, prior: Tensor, steps: int = 2000) -> Tensor:
    """Shares near the prior ones with the lowest quadratic form, ``(columns, experts)``, by exponentiated gradient."""
    experts = forms.shape[-1]
    shares = torch.full(forms.shape[:-1], 1.0 / experts)
    scale = forms.diagonal(dim1=-2, dim2=-1).mean(-1)[:, None].clamp(min=1e-12)
    for _ in range(steps):
        slope = (forms @ shares[..., None])[..., 0] / scale + PRIOR * (shares - prior)
        shares = torch.softmax(shares.log() - 0.5 * slope, -1).clamp(min=1e-6)
    return shares / shares.sum(-1, keepdim=True)


def by_likelihood(logs: Sequence[Tensor | None], experts: int) -> Tensor:
    """Shares with the best likelihood by expectation maximisation, ``(columns, experts)``, from log likelihoods of cells."""
    shares = torch.full((len(logs), experts), 1.0 / experts)
    every = float(sum(len(one) for one in logs if one is not None))
    for _ in range(200):
        sums = torch.stack(
            [
                torch.zeros(experts) if one is None else torch.softmax(one + share.log(), -1).sum(0)
                for one, share in zip(logs, shares, strict=True)
            ]
        )
        common = (sums.sum(0) + 1.0) / (every + experts)
        many = torch.tensor([0.0 if one is None else float(len(one)) for one in logs])[:, None]
        shares = (sums + COMMON_LIKELIHOOD * common) / (many + COMMON_LIKELIHOOD)
    return shares
