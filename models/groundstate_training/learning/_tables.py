"""Learns a table: types columns, trains the network on random masks, calibrates intervals on held-out cells."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from groundstate_models.learned.columns import GRID, Belief, Column, Value, grown, level_column, normal_cdf, number_column
from groundstate_training._errors import TrainingError
from groundstate_training.learning._network import Network, Shape

MOST_LEVELS = 40
"""Largest number of distinct numbers for a column of levels."""

EACH_LEVEL = 5
"""Occurrences that most numbers of a column of levels must have; with fewer, their probabilities would be overconfident."""

OFTEN = 0.9
"""Part of the values that must occur so often: columns of designed experiments have levels, rounded measurements do not."""

MOST_WEIGHTS = 60_000
"""Largest number of weights of all members, so that a file stays below 500 kB."""

HELD_OUT = 0.1
"""Part of the known cells that is held out."""

CHECK_EVERY = 50


@dataclass(frozen=True)
class Table:
    """A table's rows as numbers: columns of numbers first.

    Attributes:
        columns: The columns in the order of the file.
        order: The columns' indices in the order of the network.
        numbers: Numbers on the normal scale, ``(rows, numbers)``; 0 where missing.
        levels: Indices of levels, ``(rows, level columns)`` int64; 0 where missing.
        known: Mask of known cells, ``(rows, columns)`` bool, in the order of the network.
    """

    columns: tuple[Column, ...]
    order: tuple[int, ...]
    numbers: NDArray[np.float32]
    levels: NDArray[np.int64]
    known: NDArray[np.bool_]


def typed(name: str, values: Sequence[Value | None]) -> Column:
    """Type a column from its values: numbers, or levels if they are words or few.

    Raises:
        TrainingError: If words and numbers are mixed, or there is no value, or only one.
    """
    given = [value for value in values if value is not None]
    if not given:
        raise TrainingError(f"The column {name!r} has no value in any row. Leave it out.")
    words = [value for value in given if isinstance(value, str)]
    if words and len(words) < len(given):
        number = next(value for value in given if not isinstance(value, str))
        raise TrainingError(
            f"The column {name!r} mixes words ({words[0]!r}) and numbers ({number!r}). Make it one or the other."
        )
    distinct = sorted(set(given), key=lambda value: (str(type(value)), value))
    if len(distinct) == 1:
        raise TrainingError(
            f"The column {name!r} is {distinct[0]!r} in every row, so there is nothing to learn. Leave it out."
        )
    if words:
        if len(distinct) > max(MOST_LEVELS, len(given) // 2):
            raise TrainingError(
                f"The column {name!r} has {len(distinct)} different words in {len(given)} rows. Leave it out."
            )
        return level_column(name, distinct)
    often = sum(many for many in Counter(given).values() if many >= EACH_LEVEL)
    if len(distinct) <= MOST_LEVELS and often >= OFTEN * len(given):
        whole = all(float(v).is_integer() for v in distinct)
        return level_column(name, [int(v) if whole else float(v) for v in distinct])
    return number_column(name, [float(v) for v in given])


def tabulate(columns: Sequence[Column], rows: Sequence[Sequence[Value | None]]) -> Table:
    """Convert rows to numbers, given typed columns."""
    kinds = [column.kind for column in columns]
    order = [k for k, kind in enumerate(kinds) if kind == "number"] + [
        k for k, kind in enumerate(kinds) if kind == "levels"
    ]
    many = sum(kind == "number" for kind in kinds)
    numbers = np.zeros((len(rows), many), np.float32)
    levels = np.zeros((len(rows), len(order) - many), np.int64)
    known = np.zeros((len(rows), len(order)), bool)
    for place, k in enumerate(order):
        column = columns[k]
        given = np.array([row[k] is not None for row in rows])
        known[:, place] = given
        if column.kind == "number":
            x = np.array([0.0 if row[k] is None else float(row[k]) for row in rows])  # type: ignore[arg-type]
            numbers[:, place] = np.where(given, column.to_normal(x).clip(-5, 5), 0.0)
        else:
            levels[:, place - many] = [column.index.get(_same(row[k], column), 0) for row in rows]
            known[:, place] &= np.array([_same(row[k], column) in column.index for row in rows])
    return Table(tuple(columns), tuple(order), numbers, levels, known)


def _same(value: Value | None, column: Column) -> Value:
    """The level that is equal to a value: 2 for 2.0."""
    if isinstance(value, float) and column.ordered and value.is_integer() and int(value) in column.index:
        return int(value)
    return "" if value is None else value


@dataclass(frozen=True)
class Learned:
    """A trained network with its columns, calibrated.

    Attributes:
        network: The network.
        columns: The columns, with calibrated intervals.
        held_out: Negative log likelihood of held-out cells, in nats per cell.
        frequency: The same for the frequencies of each column alone.
    """

    network: Network
    columns: tuple[Column, ...]
    held_out: float
    frequency: float

    def beliefs(self, table: Table) -> list[dict[int, Belief]]:
        """The belief about every missing value of each row, by the index of its column in the file."""
        return beliefs(self.network, self.columns, table)


def learn_table(
    columns: Sequence[Column],
    table: Table,
    *,
    seed: int = 0,
    steps: int = 800,
    members: int = 5,
    width: int | None = None,
    batch: int = 96,
    progress: Callable[[int, int, float], object] | None = None,
) -> Learned:
    """Train the network of a table and calibrate its intervals.

    A part of the known cells is held out: never given, never a target. Each member keeps the weights with
    their best likelihood; the learning rate falls to the end, which stops no member early.
    """
    many = table.numbers.shape[1]
    ordered = [columns[k] for k in table.order]
    points = tuple(_points(table, k, len(c.levels)) if c.ordered else () for k, c in enumerate(ordered[many:]))
    shape = Shape(many, tuple(len(c.levels) for c in ordered[many:]), members, points=points)
    shape = replace(shape, width=width or _width(shape))
    network = Network(shape, seed)
    draw = torch.Generator().manual_seed(seed)
    numbers = torch.from_numpy(table.numbers)
    hot = [
        torch.nn.functional.one_hot(torch.from_numpy(table.levels[:, k]), n).float() for k, n in enumerate(shape.levels)
    ]
    known = torch.from_numpy(table.known)
    # The same cells for all members, so that the ensemble as a whole can be calibrated on them.
    held = ((torch.rand(known.shape, generator=draw) < HELD_OUT) & known).expand(members, -1, -1)
    usable = known & ~held
    # Held-out cells are predicted from as many others as a row of the table has. A complete table says nothing about later rows.
    keep = torch.ones(len(known), 1) if float(known.float().mean()) < 0.98 else torch.rand(len(known), 1, generator=draw)
    check_mask = (torch.rand(known.shape, generator=draw) < keep).expand(members, -1, -1)
    matrices = [p for p in network.parameters() if p.dim() == 3 and p.shape[1] > 1]
    others = [p for p in network.parameters() if not (p.dim() == 3 and p.shape[1] > 1)]
    groups = [{"params": matrices, "weight_decay": 0.05}, {"params": others, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, 3e-3, (0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.1)
    best = torch.full((members,), float("inf"))
    kept = {name: value.clone() for name, value in network.state_dict().items()}
    rows = len(numbers)
    for step in range(steps):
        network.train()
        chosen = torch.stack([torch.randint(rows, (min(batch, rows),), generator=draw) for _ in range(members)])
        use = torch.stack([usable[k][chosen[k]] for k in range(members)])
        part = torch.rand(members, chosen.shape[1], 1, generator=draw)
        given = (use & (torch.rand(use.shape, generator=draw) < part)).float()
        x, shown = numbers[chosen], [level[chosen] for level in hot]
        # Jitter as wide as a tenth of the distance between neighbours: no component can shrink onto a single value.
        noisy = x + 0.02 * torch.randn(x.shape, generator=draw)
        chance = network.log_likelihood(
            network(noisy, shown, given), x + 0.01 * torch.randn(x.shape, generator=draw), shown
        )
        target = use.float() * (1 - given)
        loss = -(chance.clamp(min=-30) * target).sum((1, 2)) / target.sum((1, 2)).clamp(min=1)
        optimizer.zero_grad(set_to_none=True)
        loss.sum().backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        if (step + 1) % CHECK_EVERY == 0:
            worth = _held_out(network, numbers, hot, usable & check_mask, held)
            better = worth < best - 1e-4
            for name, value in network.state_dict().items():
                if value.dim() == 3:
                    kept[name][better] = value[better]
            best = torch.minimum(best, worth)
            if progress is not None:
                progress(step + 1, steps, float(worth.mean()))
    network.load_state_dict(kept)
    network.eval().requires_grad_(requires_grad=False)
    calibrated = _calibrated(network, columns, table, usable & check_mask, held)
    return Learned(network, tuple(calibrated), float(best.mean()), _frequency(table, shape))


def _width(shape: Shape) -> int:
    """The largest usual width whose file stays small."""
    for width in (64, 56, 48, 40, 32, 24):
        if sum(p.numel() for p in Network(replace(shape, width=width)).parameters()) <= MOST_WEIGHTS:
            return width
    return 16


def _points(table: Table, place: int, levels: int) -> tuple[float, ...]:
    """The positions of a column's levels on the normal scale, from their frequencies."""
    counts = np.bincount(table.levels[table.known[:, table.numbers.shape[1] + place], place], minlength=levels) + 0.5
    middle = (np.cumsum(counts) - counts / 2) / counts.sum()
    return tuple(float(u) for u in np.interp(middle, normal_cdf(GRID), GRID))


def _frequency(table: Table, shape: Shape) -> float:
    """Negative log likelihood of known cells by the frequencies of their columns, in nats per cell."""
    many = shape.numbers
    total = float((0.5 * np.log(2 * np.pi) + 0.5 * table.numbers**2)[table.known[:, :many]].sum())
    for k, n in enumerate(shape.levels):
        counts = np.bincount(table.levels[table.known[:, many + k], k], minlength=n)
        part = counts[counts > 0] / counts.sum()
        total -= float((counts[counts > 0] * np.log(part)).sum())
    return total / max(int(table.known.sum()), 1)


@torch.no_grad()
def _held_out(network: Network, numbers: Tensor, hot: Sequence[Tensor], given: Tensor, held: Tensor) -> Tensor:
    network.eval()
    members = len(held)
    x = numbers.expand(members, *numbers.shape)
    levels = [level.expand(members, *level.shape) for level in hot]
    chance = network.log_likelihood(network(x, levels, given.float()), x, levels)
    return -(chance.clamp(min=-30) * held).sum((1, 2)) / held.sum((1, 2)).clamp(min=1)


@torch.no_grad()
def _calibrated(network: Network, columns: Sequence[Column], table: Table, given: Tensor, held: Tensor) -> list[Column]:
    """Columns whose 90 % intervals cover 90 % of the held-out cells (split conformal prediction, shrunk between columns)."""
    many = network.shape.numbers
    tested = replace(table, known=given[0].numpy())
    scores: list[list[float]] = [[] for _ in columns]
    wanted = held[0].numpy()
    for row, row_beliefs in enumerate(beliefs(network, columns, tested)):
        for place in map(int, np.flatnonzero(wanted[row])):
            belief = row_beliefs[table.order[place]]
            if place >= many:
                if belief.column.ordered:
                    scores[place].append(needed(belief.chances, int(table.levels[row, place - many])))
                continue
            low, middle, high = np.interp([0.05, 0.5, 0.95], belief.cdf, GRID)
            u = float(table.numbers[row, place])
            ratio = abs(u - middle) / max(high - middle if u > middle else middle - low, 1e-6)
            scores[place].append(math.log(max(ratio, 0.05)))
    found = list(columns)
    for places, prior in ((range(many), 0.0), (range(many, len(columns)), 0.9)):
        for place, score in _shrunk([scores[k] for k in places], prior):
            k = table.order[places[place]]
            if prior:
                found[k] = replace(columns[k], mass=float(np.clip(score, 0.0, 0.999)))
            else:
                found[k] = replace(columns[k], widen=float(np.clip(math.exp(score), 0.5, 2.5)))
    return found


def _shrunk(scores: Sequence[Sequence[float]], prior: float) -> list[tuple[int, float]]:
    """The 90 % quantile of each column's scores, shrunk towards that of all: a few dozen cells say little about a tail."""
    every = np.concatenate([np.array(one) for one in scores]) if scores else np.empty(0)
    if len(every) < 20:
        return []
    common = (float(_quantile(every)) * len(every) + 20 * prior) / (len(every) + 20)
    found = []
    for place, own in enumerate(scores):
        if own:
            apart = _quantile(np.array(own)) if len(own) >= 10 else common
            found.append((place, (len(own) * apart + 60 * common) / (len(own) + 60)))
    return found


def _quantile(scores: NDArray[np.float64]) -> float:
    """The 90 % quantile with the correction for the number of scores (conformal prediction)."""
    return float(np.quantile(scores, min(0.9 * (1 + 1 / len(scores)), 1.0)))


def needed(chances: NDArray[np.float64], level: int) -> float:
    """The probability below which the interval grown from the likeliest level leaves out a level."""
    low, high = 0.0, 1.0
    first = last = int(chances.argmax())
    have = float(chances[first])
    if first == level:
        return low
    while first > 0 or last < len(chances) - 1:
        first, last = grown(chances, have + 1e-9)
        if first <= level <= last:
            return have
        have = float(chances[first : last + 1].sum())
    return high


@torch.no_grad()
def beliefs(network: Network, columns: Sequence[Column], table: Table) -> list[dict[int, Belief]]:
    """The network's belief about every missing value of each row, by the index of its column."""
    many = network.shape.numbers
    levels = [
        torch.nn.functional.one_hot(torch.from_numpy(table.levels[:, k]), n).float()
        for k, n in enumerate(network.shape.levels)
    ]
    outputs = network(torch.from_numpy(table.numbers), levels, torch.from_numpy(table.known).float())
    mixture = [part.double().numpy() for part in network.mixture(outputs)] if many else []
    chances = [part.double().exp().mean(0).numpy() for part in network.chances(outputs)]
    found: list[dict[int, Belief]] = []
    for row in range(len(table.known)):
        one: dict[int, Belief] = {}
        for place in map(int, np.flatnonzero(~table.known[row])):
            k = table.order[place]
            if place < many:
                w, m, s = (part[:, row, place].ravel() for part in mixture)
                one[k] = Belief.of_mixture(columns[k], np.exp(w), m, s)
            else:
                one[k] = Belief.of_levels(columns[k], chances[place - many][row])
        found.append(one)
    return found
