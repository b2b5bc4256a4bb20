"""Learns a table: types columns, trains the network on random masks, calibrates intervals on held-out cells."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from groundstate_models.learned.columns import (
    GRID,
    Belief,
    Column,
    Value,
    level_column,
    normal_cdf,
    number_column,
)
from groundstate_training._checkpoint import read_checkpoint, write_checkpoint
from groundstate_training._errors import TrainingError
from groundstate_training.learning._calibration import calibrate
from groundstate_training.learning._experts import Experts, gather, grow
from groundstate_training.learning._network import Network, Shape
from groundstate_training.learning._stacking import Ruler
from groundstate_training.learning._training import Table, Training

MOST_LEVELS = 40
"""Largest number of distinct numbers for a column of levels."""

EACH_LEVEL = 5
"""Occurrences that most numbers of a column of levels must have; with fewer, their probabilities would be overconfident."""

OFTEN = 0.9
"""Part of the values that must occur so often: columns of designed experiments have levels, rounded measurements do not."""

MOST_WEIGHTS = 60_000
"""Largest number of weights of all members, so that a file stays below 500 kB."""

MOST_CALIBRATED = 3_000
"""Largest number of rows whose held-out cells calibrate the intervals."""

AT_ONCE = 256
"""Rows whose beliefs are computed at once."""

STEPS = 800
CHECK_EVERY = 50


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
    # 0 and 1.5 are numbers of one kind: levels are in the order of their values, whatever their types.
    distinct = sorted(set(given), key=lambda value: (isinstance(value, str), value))
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
        experts: The network and the other experts.
        columns: The columns, with calibrated intervals.
        held_out: Negative log likelihood of held-out cells, in nats per cell.
        frequency: The same for the frequencies of each column alone.
    """

    experts: Experts
    columns: tuple[Column, ...]
    held_out: float
    frequency: float

    def beliefs(self, table: Table) -> list[dict[int, Belief]]:
        """The belief about every missing value of each row, by the index of its column in the file."""
        return beliefs(self.experts, self.columns, table)


def learn_table(
    columns: Sequence[Column],
    table: Table,
    *,
    seed: int = 0,
    steps: int = STEPS,
    members: int = 5,
    width: int | None = None,
    batch: int = 96,
    folder: Path | None = None,
    progress: Callable[[int, int, float], object] | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> Learned:
    """Train the network of a table and calibrate its intervals.

    A part of the known cells is held out: never given, never a target. Each member keeps the weights with their best likelihood;
    the learning rate falls to the end, which stops no member early.

    Args:
        folder: Folder of the checkpoint, from which the same call continues. If it cannot be written, training goes on without.
        progress: Called with the step, the last step and the held-out loss.
        say: Called with a sentence if the checkpoint cannot be written.
    """
    many = table.numbers.shape[1]
    ordered = [columns[k] for k in table.order]
    points = tuple(_points(table, k, len(c.levels)) if c.ordered else () for k, c in enumerate(ordered[many:]))
    shape = Shape(many, tuple(len(c.levels) for c in ordered[many:]), members, points=points)
    shape = replace(shape, width=width or _width(shape))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        training = Training(table, shape, seed, steps, batch)
        path = None if folder is None else folder / "table.npz"
        if path is not None and path.exists():
            training.restore(read_checkpoint(path), path)
        while training.step < steps:
            training.advance()
            if training.step % CHECK_EVERY == 0:
                loss = training.check()
                if path is not None:
                    path = _saved(training, path, say)
                if progress is not None:
                    progress(training.step, steps, loss)
    rulers = [Ruler.of(column, _levels(table, place - many)) for place, column in enumerate(ordered)]
    experts, held_out, some = gather(training, training.finished(), rulers, seed)
    held = training.held[0].numpy().copy()
    held[np.random.default_rng(seed).permutation(len(held))[MOST_CALIBRATED:]] = False
    # A table with gaps shows what is known where a value is missing: all the row's other known values.
    beside = (training.usable & training.check_mask)[0].numpy() if training.complete else table.known
    calibrated = calibrate(columns, table, held, _tested(experts, columns, table, beside, held))
    # In the end the held-out cells are remembered too.
    shown, known = [level[some] for level in training.hot], torch.from_numpy(table.known)
    experts.neighbours.remember(training.numbers[some], shown, known[some])
    experts.forest.centres, experts.forest.widths = experts.neighbours.centres, experts.neighbours.widths
    grow(experts, training, known, seed)
    return Learned(experts, tuple(calibrated), held_out, _frequency(table, shape))


def _levels(table: Table, place: int) -> Tensor:
    """The known levels of a column of levels; none for a column of numbers."""
    many = table.numbers.shape[1]
    return torch.from_numpy(
        table.levels[table.known[:, many + place], max(place, 0)] if place >= 0 else np.zeros(0, np.int64)
    )


def _saved(training: Training, path: Path, say: Callable[[str], object]) -> Path | None:
    """Write the checkpoint; None if that is impossible, so that no further attempt is made."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_checkpoint(training.state(), path)
    except (OSError, TrainingError) as error:
        say(f"{str(error).rstrip('.')}. Learning continues without a checkpoint.")
        return None
    return path


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


def _tested(
    experts: Experts, columns: Sequence[Column], table: Table, shown: NDArray[np.bool_], held: NDArray[np.bool_]
) -> list[Belief]:
    """The belief about each held-out cell, in their order, given what is shown of its row without itself."""
    rows, places = np.nonzero(held)
    known = shown[rows]
    known[np.arange(len(rows)), places] = False
    asked = replace(table, numbers=table.numbers[rows], levels=table.levels[rows], known=known)
    found = beliefs(experts, columns, asked, [(int(place),) for place in places])
    return [one[table.order[place]] for one, place in zip(found, places.tolist(), strict=True)]


@torch.no_grad()
def beliefs(
    experts: Experts, columns: Sequence[Column], table: Table, wanted: Sequence[Sequence[int]] | None = None
) -> list[dict[int, Belief]]:
    """The experts' belief about every missing value of each row, or those wanted, by the index of its column."""
    many = experts.shape.numbers
    levels = [
        torch.nn.functional.one_hot(torch.from_numpy(table.levels[:, k]), n).float()
        for k, n in enumerate(experts.shape.levels)
    ]
    found: list[dict[int, Belief]] = []
    for first in range(0, len(table.known), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        shown = torch.from_numpy(table.known[some]).float()
        mixture, chances = experts.given(
            torch.from_numpy(table.numbers[some]), [level[some] for level in levels], shown
        )
        numbers, probable = mixture.double().numpy(), [part.double().numpy() for part in chances]
        for row in range(len(shown)):
            one: dict[int, Belief] = {}
            missing = np.flatnonzero(~table.known[first + row]) if wanted is None else wanted[first + row]
            for place in map(int, missing):
                k = table.order[place]
                if place < many:
                    one[k] = Belief.of_mixture(columns[k], *numbers[row, place])
                else:
                    one[k] = Belief.of_levels(columns[k], probable[place - many][row])
            found.append(one)
    return found
