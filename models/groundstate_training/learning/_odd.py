"""Odd values of whole rows: which one value, if another stood in its place, would make the row most plausible.

One odd value makes its neighbours look odd too. So a value is not judged by its own likelihood alone, but by how
much the surprise of the whole row falls when the likeliest value replaces it, and how rare it is itself.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from groundstate_models.learned.columns import Belief, Column, Value
from groundstate_training.learning._experts import Experts
from groundstate_training.learning._training import Table

Floats = NDArray[np.float64]

LEAST = 1e-6
"""Least likelihood that is told apart."""

AT_ONCE = 64
"""Rows that are judged at once: each takes as many passes as there are columns."""


@dataclass(frozen=True)
class Odd:
    """A value that does not fit its row.

    Attributes:
        column: Its column.
        value: The value.
        instead: The likeliest value in its place.
        gain: How much less surprising the row is then, in nats, and how rare the value is beside the others.
    """

    column: str
    value: Value
    instead: Value
    gain: float


def odd_values(
    experts: Experts, columns: Sequence[Column], table: Table, values: Sequence[Sequence[Value | None]]
) -> list[list[Odd]]:
    """Every given value of each row, the oddest first.

    What is missing counts as its likeliest value and is not judged. A level that no example has is as odd as a value can be.

    Args:
        experts: The experts.
        columns: The columns, calibrated.
        table: The rows.
        values: The rows as given, in the order of the columns.
    """
    whole, known = _completed(experts, columns, table), table.known
    surprise, rare, likeliest = _surprise(experts, columns, whole)
    surprise *= known
    gain = np.full(known.shape, -math.log(LEAST))
    for place in range(known.shape[1]):
        other, _, _ = _surprise(experts, columns, _replaced(whole, place, likeliest[:, place]))
        fall = (surprise - other * known).sum(1)
        gain[:, place] = np.where(known[:, place], fall + rare[:, place], gain[:, place])
    found = []
    for row, given in enumerate(values):
        order = [int(place) for place in np.argsort(-gain[row], kind="stable") if given[table.order[place]] is not None]
        found.append(
            [
                Odd(columns[k].name, given[k] or 0, _value(columns[k], likeliest[row, place]), float(gain[row, place]))
                for place, k in ((place, table.order[place]) for place in order)
            ]
        )
    return found


def _point(table: Table, row: int, place: int) -> float:
    many = table.numbers.shape[1]
    return float(table.numbers[row, place] if place < many else table.levels[row, place - many])


def _value(column: Column, point: float) -> Value:
    """The value of a column at a point of the normal scale, or of a level's index."""
    if column.kind == "levels":
        return column.levels[int(point)]
    value = float(column.from_normal(np.array([point]))[0])
    return round(value) if column.whole else float(f"{value:.6g}")


def _replaced(table: Table, place: int, points: Floats) -> Table:
    """The table with other values in a column, given as points of the normal scale or indices of levels."""
    many = table.numbers.shape[1]
    numbers, levels = table.numbers.copy(), table.levels.copy()
    if place < many:
        numbers[:, place] = points
    else:
        levels[:, place - many] = points.astype(np.int64)
    return replace(table, numbers=numbers, levels=levels)


@torch.no_grad()
def _completed(experts: Experts, columns: Sequence[Column], table: Table) -> Table:
    """The table with the likeliest value in each gap."""
    if table.known.all():
        return table
    mixture, chances = experts.given(
        torch.from_numpy(table.numbers), _hot(experts, table), torch.from_numpy(table.known).float()
    )
    found = table
    for place in range(table.known.shape[1]):
        likely = np.array([_likeliest(belief) for belief in _believed(columns, table, place, mixture, chances)])
        own = np.array([_point(table, row, place) for row in range(len(table.known))])
        found = _replaced(found, place, np.where(table.known[:, place], own, likely))
    return found


@torch.no_grad()
def _surprise(experts: Experts, columns: Sequence[Column], table: Table) -> tuple[Floats, Floats, Floats]:
    """For each value given all others of its row, ``(rows, columns)`` each: surprise, rareness, and the likeliest value.

    The surprise of a number is the negative log probability of one as far from the middle; that of a level is relative to
    the likeliest one. Rareness is the negative log density.
    """
    surprise, rare, likeliest = (np.zeros(table.known.shape) for _ in range(3))
    for first in range(0, len(table.known), AT_ONCE):
        some = slice(first, first + AT_ONCE)
        part = replace(table, numbers=table.numbers[some], levels=table.levels[some], known=table.known[some])
        mixture, chances = experts.others(torch.from_numpy(part.numbers), _hot(experts, part))
        for place in range(table.known.shape[1]):
            for row, belief in enumerate(_believed(columns, part, place, mixture, chances)):
                point, at = _point(part, row, place), (first + row, place)
                if belief.column.kind == "levels":
                    likely = density = float(belief.chances[int(point)])
                    likely /= float(belief.chances.max())
                else:
                    likely, density = belief.likelihood_at(point), belief.density_at(point)
                surprise[at], rare[at] = -math.log(likely + LEAST), -math.log(density + LEAST)
                likeliest[at] = _likeliest(belief)
    return surprise, rare, likeliest


def _hot(experts: Experts, table: Table) -> list[torch.Tensor]:
    levels = torch.from_numpy(table.levels)
    return [nn.functional.one_hot(levels[:, k], many).float() for k, many in enumerate(experts.shape.levels)]


def _believed(
    columns: Sequence[Column], table: Table, place: int, mixture: torch.Tensor, chances: Sequence[torch.Tensor]
) -> list[Belief]:
    """The belief about a column in each row."""
    column, many = columns[table.order[place]], table.numbers.shape[1]
    if place < many:
        return [Belief.of_mixture(column, *one) for one in mixture[:, place].double().numpy()]
    return [Belief.of_levels(column, one) for one in chances[place - many].double().numpy()]


def _likeliest(belief: Belief) -> float:
    """The index of the likeliest level, or the highest point of a number's density on the normal scale."""
    return float(belief.chances.argmax()) if belief.column.kind == "levels" else belief.top
