"""The expert that remembers: a kernel density over the table's own rows, with a learned metric for each column.

The distribution of a column is that of the remembered rows near the query (E. A. Nadaraya, 1964; G. S. Watson, 1964); near is
a weighted distance over the columns that both know, trained by the likelihood of left-out cells (after J. Goldberger et al.,
"Neighbourhood components analysis", 2004). It is an associative memory: ``−log Σ exp(−distance)`` over stored rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from groundstate_training.learning._features import features, sources
from groundstate_training.learning._network import Shape

BINS = 32
"""Components with which the density of a number is given."""

MOST_BYTES = 80_000
"""Largest size of the remembered rows in a file; of more rows, a random part is remembered."""

MOST_ROWS = 1_000
"""Largest number of remembered rows."""

BARRED = -1e4
"""Log weight of a remembered row that does not know the column."""

SAME = 1e-3
"""Squared distance, on the normal scale, of rows that count as the same."""

SMALLEST = 0.01
UNIFORM = 0.02
"""Part of a level's probability that is the same for all levels."""


class Neighbours(nn.Module):
    """A kernel density over remembered rows.

    Args:
        shape: Columns of the table.
        numbers: The rows' numbers on the normal scale, ``(rows, numbers)``.
        levels: Their levels, one-hot, ``(rows, levels)`` for each further column.
        known: Cells to remember, ``(rows, columns)`` bool.
    """

    both: Tensor
    squares: Tensor
    memory: Tensor
    barred: Tensor
    rows: Tensor
    marks: Tensor
    spread: Tensor
    bins: Tensor
    centres: Tensor
    widths: Tensor

    def __init__(self, shape: Shape, numbers: Tensor, levels: Sequence[Tensor], known: Tensor) -> None:
        super().__init__()
        self.shape, self.source = shape, sources(shape)
        columns, many = shape.columns, len(self.source)
        self.metric = nn.Parameter(torch.full((columns, many), math.log(6.0 / columns)))
        self.unknown = nn.Parameter(torch.zeros(columns, many))
        self.width = nn.Parameter(torch.full((max(shape.numbers, 1),), math.log(0.3)))
        self.remember(numbers, levels, known)

    def remember(self, numbers: Tensor, levels: Sequence[Tensor], known: Tensor) -> None:
        """Remember rows instead of those until now; the metric stays."""
        n = self.shape.numbers
        # What fits in 16 bits takes half of the space in a file.
        rows, g = features(self.shape, numbers, levels).half().float(), known[:, self.source].float()
        count = g.sum(0).clamp(min=1)
        middle = (rows * g).sum(0) / count
        spread = ((rows - middle).square() * g).sum(0) / count + 1e-3
        self.register_buffer("spread", spread)
        for name, part in (("both", g), ("squares", g * rows * rows), ("memory", g * rows)):
            self.register_buffer(name, part.T.contiguous())
        self.register_buffer("barred", BARRED * (1.0 - known.float().T).contiguous())
        self.register_buffer("rows", rows[:, :n].T.contiguous())
        marks = [level.argmax(-1) for level in levels]
        self.register_buffer("marks", torch.stack(marks) if marks else torch.zeros(0, len(rows), dtype=torch.int64))
        binned = [_binned(rows[:, k].numpy(), known[:, k].numpy()) for k in range(n)]
        stacked = (
            [torch.from_numpy(np.stack(part)) for part in zip(*binned, strict=True)] if n else [torch.zeros(0)] * 3
        )
        for name, part in zip(("bins", "centres", "widths"), stacked, strict=True):
            self.register_buffer(name, part)

    def weights(self, rows: Tensor, given: Tensor, only: Tensor | None = None, out: Tensor | None = None) -> Tensor:
        """Log weights of the remembered rows for every column, ``(batch, columns, remembered)``.

        Args:
            rows: Features, ``(batch, 1, features)``, or for each column its own, ``(batch, columns, features)``.
            given: 1 where a column is known, ``(batch, 1 or columns, columns)``.
            only: Indices of the remembered rows to compare with; all by default.
            out: Added to the log weights, ``(batch, 1 or columns, remembered)``.
        """
        metric = 0.5 * self.metric.exp() / self.spread
        g = given[..., self.source]
        far = 2.0 * self.spread * self.unknown.exp()
        barred, stored = self.barred, (self.both, self.squares, self.memory)
        if only is not None:
            barred, stored = barred[:, only], tuple(part[:, only] for part in stored)  # type: ignore[assignment]
        found = barred
        for part, kept in zip((g * (far - rows * rows), -g, 2.0 * g * rows), stored, strict=True):
            found = found + torch.matmul(metric * part, kept)
        return torch.log_softmax(found if out is None else found + out, -1)

    def same(self, rows: Tensor, given: Tensor) -> Tensor:
        """A bar, ``(batch, 1, remembered)``, on the remembered rows that are equal in all columns that both know."""
        g = given[..., self.source]
        away = torch.matmul(g * rows * rows, self.both) + torch.matmul(g, self.squares)
        return BARRED * (away - 2.0 * torch.matmul(g * rows, self.memory) < SAME).float()

    def log_likelihood(
        self, weights: Tensor, numbers: Tensor, levels: Sequence[Tensor], only: Tensor | None = None
    ) -> Tensor:
        """Log likelihood of every value by log weights, ``(batch, columns)``."""
        n, parts = self.shape.numbers, []
        if n:
            width = self.deviation[:, None]
            rows = self.rows if only is None else self.rows[:, only]
            z = (numbers[..., None] - rows) / width
            part = weights[:, :n] - 0.5 * z * z - width.log()
            parts.append(torch.logsumexp(part, -1) - 0.5 * math.log(2 * math.pi))
        for chance, level in zip(self.chances(weights, only), levels, strict=True):
            parts.append((chance.log() * level).sum(-1, keepdim=True))
        return torch.cat(parts, -1)

    @property
    def deviation(self) -> Tensor:
        """Standard deviation of the kernel of each number, on the normal scale."""
        return SMALLEST + self.width.exp()

    def chances(self, weights: Tensor, only: Tensor | None = None) -> list[Tensor]:
        """Probabilities of the levels of each further column, ``(batch, levels)``."""
        found = []
        for k, many in enumerate(self.shape.levels):
            marks = self.marks[k] if only is None else self.marks[k][only]
            weight = weights[:, self.shape.numbers + k].exp()
            own = torch.zeros_like(weight[:, :1]).expand(-1, many)
            own = own.scatter_add(1, marks.expand(len(weight), -1), weight)
            found.append((1 - UNIFORM) * own + UNIFORM / many)
        return found

    def mixture(self, weights: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Weights ``(batch, numbers, components)``, means and widths ``(numbers, components)`` of the numbers' densities.

        Remembered values share components by quantiles; each component is as wide as its values and the kernel.
        """
        weight = weights[:, : self.shape.numbers].exp()
        empty = torch.zeros_like(weight[..., :1]).expand(-1, -1, self.centres.shape[1])
        shared = empty.scatter_add(2, self.bins.expand(len(weight), -1, -1), weight)
        return shared, self.centres, (self.widths.square() + self.deviation[:, None].square()).sqrt()


def remembered(shape: Shape) -> int:
    """The largest number of rows that are remembered."""
    each = 8 * len(sources(shape)) + 2 * shape.columns + shape.numbers
    return max(8, min(MOST_ROWS, MOST_BYTES // each))


def _binned(
    values: NDArray[np.float32], known: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.float32], NDArray[np.float32]]:
    """The component of each value, and the means and standard deviations of the components."""
    own = values[known]
    distinct = np.unique(own)
    if len(distinct) <= BINS:
        centres = np.concatenate([distinct, np.full(BINS - len(distinct), distinct[-1])])
        bins = np.searchsorted(distinct, np.clip(values, distinct[0], distinct[-1])).clip(0, len(distinct) - 1)
        return bins.astype(np.int64), centres.astype(np.float32), np.zeros(BINS, np.float32)
    edges = np.quantile(own, np.linspace(0, 1, BINS + 1)[1:-1])
    bins = np.searchsorted(edges, values, side="right")
    middle, spread = np.zeros(BINS, np.float32), np.zeros(BINS, np.float32)
    for k in range(BINS):
        inside = own[np.searchsorted(edges, own, side="right") == k]
        middle[k], spread[k] = (inside.mean(), inside.std()) if len(inside) else (edges[min(k, BINS - 2)], 0.0)
    return bins.astype(np.int64), middle, spread
