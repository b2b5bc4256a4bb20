"""The expert for steps and thresholds: for each column a forest that looks at the row as the other experts complete it.

Extremely randomised trees (P. Geurts, D. Ernst, L. Wehenkel, 2006); the distribution of a column is that of the values in the
leaves of its row (N. Meinshausen, "Quantile regression forests", 2006). All trees of a column grow at once, level by level.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from groundstate_training.learning._features import sources
from groundstate_training.learning._neighbours import UNIFORM
from groundstate_training.learning._network import Shape

SLOTS = 2
"""Values that a leaf keeps, at equal distances in the order of its values."""

LEAF = 2
"""Smallest number of rows of a leaf."""

MOST_BYTES = 110_000
"""Largest size of the trees in a file."""

DEPTHS = range(3, 9)
FEWEST_TREES = 20
MOST_TREES = 40
CUTS = 255
"""Thresholds of a feature."""

NEVER = 1e4
"""Threshold that no value exceeds."""

WIDTH = 0.05
"""Standard deviation of the kernel around a leaf's value, on the normal scale."""


class Forest(nn.Module):
    """Trees of all columns, as complete binary trees.

    Args:
        shape: Columns of the table.
        rows: Features of training rows, which fix the thresholds, ``(rows, features)``.
        centres: Means of the components of each number, ``(numbers, components)``.
        widths: Their standard deviations.
    """

    features: Tensor
    thresholds: Tensor
    cuts: Tensor
    slots: Tensor
    first: Tensor
    centres: Tensor
    widths: Tensor

    def __init__(self, shape: Shape, rows: Tensor, centres: Tensor, widths: Tensor) -> None:
        super().__init__()
        self.shape, self.source = shape, sources(shape)
        self.depth, self.trees = sizes(shape, len(rows))
        columns, inner = shape.columns, 2**self.depth - 1
        wide = torch.uint8 if max(shape.levels, default=0) < 256 else torch.int16
        narrow = torch.uint8 if len(self.source) < 256 else torch.int16
        self.register_buffer("features", torch.zeros(columns * self.trees * inner, dtype=narrow))
        self.register_buffer("thresholds", torch.full((columns * self.trees * inner,), CUTS, dtype=torch.uint8))
        part = torch.linspace(0, 1, CUTS + 2)[1:-1]
        cuts = torch.stack([_between(feature, part) for feature in rows.T])
        self.register_buffer("cuts", torch.cat([cuts, torch.full_like(cuts[:, :1], NEVER)], 1))
        self.register_buffer("slots", torch.zeros(columns * self.trees * (inner + 1), SLOTS, dtype=wide))
        self.register_buffer("first", torch.arange(columns * self.trees).reshape(columns, self.trees))
        self.register_buffer("centres", centres)
        self.register_buffer("widths", widths)

    def grow(
        self, column: int, rows: NDArray[np.float32], values: NDArray[np.float32], marks: NDArray[np.int64]
    ) -> None:
        """Grow the trees of a column.

        Args:
            column: The column.
            rows: Features of the other columns' values, known or expected, ``(draws, rows, features)``; trees share out
                the draws.
            values: What the leaves shall agree in, ``(rows, dimensions)``.
            marks: The component or level of each row, ``(rows,)``.
        """
        allowed = np.array([source != column for source in self.source])
        random = np.random.default_rng([column, len(values)])
        cuts = self.cuts.numpy()
        binned = np.stack([np.searchsorted(cuts[f, :CUTS], rows[..., f]) for f in range(len(cuts))], -1)
        found = _grown(binned.astype(np.int16), values, allowed, self.trees, self.depth, random)
        features, thresholds, leaves = found
        inner = 2**self.depth - 1
        some = slice(column * self.trees * inner, (column + 1) * self.trees * inner)
        self.features[some] = torch.from_numpy(features.ravel()).to(self.features.dtype)
        self.thresholds[some] = torch.from_numpy(thresholds.ravel()).to(torch.uint8)
        order = column if column < self.shape.numbers else -1
        ranked = values[:, 0] if order >= 0 or self._ordered(column) else marks.astype(np.float32)
        slots = _slots(leaves, ranked, marks, inner + 1)
        some = slice(column * self.trees * (inner + 1), (column + 1) * self.trees * (inner + 1))
        self.slots[some] = torch.from_numpy(slots.reshape(-1, SLOTS)).to(self.slots.dtype)

    def _ordered(self, column: int) -> bool:
        points = self.shape.points
        return bool(points and points[column - self.shape.numbers])

    def found(self, rows: Tensor) -> Tensor:
        """The values in the leaves of each column, ``(batch, columns, trees · slots)``: components of numbers, or levels.

        Args:
            rows: Features, ``(batch, 1, features)``, or for each column its own, ``(batch, columns, features)``.
        """
        inner = 2**self.depth - 1
        rows = rows.expand(-1, self.shape.columns, -1)
        node = torch.zeros_like(self.first).expand(len(rows), -1, -1)
        for _ in range(self.depth):
            at = self.first * inner + node
            feature = self.features[at].long()
            cut = self.cuts.flatten()[feature * (CUTS + 1) + self.thresholds[at].long()]
            node = 2 * node + 1 + (rows.gather(2, feature) > cut).long()
        return self.slots[self.first * (inner + 1) + node - inner].long().flatten(2)

    def mixture(self, found: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Weights ``(batch, numbers, components)``, means and widths ``(numbers, components)`` of the numbers' densities."""
        own = found[:, : self.shape.numbers]
        each = torch.full_like(own, 1.0 / own.shape[-1], dtype=self.centres.dtype)
        empty = torch.zeros_like(each[..., :1]).expand(-1, -1, self.centres.shape[1])
        weights = empty.scatter_add(2, own, each)
        return weights, self.centres, (self.widths.square() + WIDTH**2).sqrt()

    def chances(self, found: Tensor) -> list[Tensor]:
        """Probabilities of the levels of each further column, ``(batch, levels)``."""
        parts = []
        for k, many in enumerate(self.shape.levels):
            own = found[:, self.shape.numbers + k]
            each = torch.full_like(own, 1.0 / own.shape[-1], dtype=self.centres.dtype)
            empty = torch.zeros_like(each[:, :1]).expand(-1, many)
            parts.append((1 - UNIFORM) * empty.scatter_add(1, own, each) + UNIFORM / many)
        return parts


def _between(feature: Tensor, part: Tensor) -> Tensor:
    """Increasing thresholds between the distinct values of a feature, by quantiles."""
    distinct = feature.unique()
    middle = 0.5 * (distinct[1:] + distinct[:-1])
    if len(middle) > len(part):
        at = torch.searchsorted(distinct, torch.quantile(feature, part)).clamp(max=len(middle) - 1)
        middle = middle[at]
    return torch.cat([middle, torch.full((len(part) - len(middle),), NEVER)])


def sizes(shape: Shape, rows: int) -> tuple[int, int]:
    """The depth and the number of trees of a column."""
    depth = min(max(int(np.ceil(np.log2(max(rows, 2) / LEAF))), DEPTHS[0]), DEPTHS[-1])
    while True:
        each = 2 * (2**depth - 1) + SLOTS * 2**depth
        trees = MOST_BYTES // (shape.columns * each)
        if trees >= FEWEST_TREES or depth == DEPTHS[0]:
            return depth, int(max(min(trees, MOST_TREES), 2))
        depth -= 1


def _grown(
    rows: NDArray[np.int16],
    values: NDArray[np.float32],
    allowed: NDArray[np.bool_],
    trees: int,
    depth: int,
    random: np.random.Generator,
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Features and thresholds' indices ``(trees, 2^depth − 1)``, and the leaf of each row in each tree, ``(trees, rows)``."""
    draws, many, wide = rows.shape
    x = np.concatenate([rows[t % draws] for t in range(trees)])
    y = np.tile(values, (trees, 1)).astype(np.float64)
    node = np.repeat(np.arange(trees), many)
    features = np.zeros((trees, 2**depth - 1), np.int64)
    thresholds = np.full((trees, 2**depth - 1), CUTS, np.int64)
    for level in range(depth):
        order = np.argsort(node, kind="stable")
        group, first, count = np.unique(node[order], return_index=True, return_counts=True)
        own, goal = x[order], y[order]
        one, other = (
            own[first[:, None] + (random.random((len(group), wide)) * count[:, None]).astype(np.int64), np.arange(wide)]
            for _ in range(2)
        )
        part = random.random(one.shape)
        # Every second tree cuts anywhere between the ends, the others where values are dense.
        even = (group // (1 << level) % 2 == 0)[:, None]
        one = np.where(even, np.minimum.reduceat(own, first, 0), one)
        other = np.where(even, np.maximum.reduceat(own, first, 0), other)
        cut = (one * part + other * (1 - part)).astype(np.int16)
        left = own <= np.repeat(cut, count, 0)
        fewer = np.add.reduceat(left, first, 0, dtype=np.float64)
        rest = count[:, None] - fewer
        gain = np.zeros(cut.shape)
        for k in range(y.shape[1]):
            whole = np.add.reduceat(goal[:, k], first)[:, None]
            some = np.add.reduceat(left * goal[:, k : k + 1], first, 0)
            gain += some**2 / np.maximum(fewer, 1) + (whole - some) ** 2 / np.maximum(rest, 1)
            gain -= whole**2 / count[:, None]
        gain[(fewer < LEAF) | (rest < LEAF) | ~allowed] = -1.0
        chosen = gain.argmax(1)
        best = gain[np.arange(len(group)), chosen] > 1e-9
        at = group % (1 << level) + (1 << level) - 1, group // (1 << level)
        features[at[1], at[0]] = np.where(best, chosen, 0)
        thresholds[at[1], at[0]] = np.where(best, cut[np.arange(len(group)), chosen], CUTS)
        right = ~left[np.arange(len(own)), np.repeat(chosen, count)] & np.repeat(best, count)
        side = np.empty(len(node), np.int64)
        side[order] = right
        node = 2 * node + side
    return features, thresholds, (node % (1 << depth)).reshape(trees, many)


def _slots(
    leaves: NDArray[np.int64], ranked: NDArray[np.float32], marks: NDArray[np.int64], many: int
) -> NDArray[np.int64]:
    """The values that each leaf keeps, ``(trees, leaves, SLOTS)``."""
    found = np.zeros((len(leaves), many, SLOTS), np.int64)
    for tree, own in enumerate(leaves):
        order = np.lexsort((ranked, own))
        group, first, count = np.unique(own[order], return_index=True, return_counts=True)
        place = first[:, None] + ((np.arange(SLOTS) + 0.5) / SLOTS * count[:, None]).astype(np.int64)
        found[tree, group] = marks[order][place]
    return found
