"""Where literals enter factors, as tables that are only read: of each factor its literals, and of each literal its factors.

Sums over the edges of a graph can be scattered, or gathered from tables with a column for each factor or literal. In ONNX Runtime
an entry takes a fifth of the time to gather. The derivative of a sum over one side's table is a sum over the other side's. A
table has as many rows as most columns need; longer columns continue in a second table. The costs of values are dense: their
sum belongs to the first factor.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

AXES = {
    "literal": ("width", "factors"),
    "coefficient": ("width", "factors"),
    "more": ("factors",),
    "more_literal": ("length", "long"),
    "more_coefficient": ("length", "long"),
    "factor": ("degree", "variables", "values"),
    "factor_coefficient": ("degree", "variables", "values"),
    "popular": ("variables", "values"),
    "popular_factor": ("popularity", "crowd"),
    "popular_coefficient": ("popularity", "crowd"),
}
"""The tables, and the names of their axes.

The first are the literals of each factor and their coefficients, 0 where there are fewer. ``more`` names a further sum of
each factor: 0 for none, 1 for the costs of all values, 2 and above for a column of ``more_literal``. ``factor`` has the factors
of each literal, and ``popular`` is 0 or the number, from 1 on, of a column of ``popular_factor``.
"""


class Edges(NamedTuple):
    """One entry for each literal of each factor.

    Attributes:
        literal: A literal as ``variable · values + value``.
        factor: Its factor.
        coefficient: Not 0.
    """

    literal: NDArray[np.int64]
    factor: NDArray[np.int64]
    coefficient: Array


Size = Callable[[int], int]


def tables(edges: Edges, factors: int, variables: int, values: int, *, costs: bool, size: Size) -> dict[str, Array]:
    """The tables of a graph.

    Args:
        edges: Without those of the costs.
        factors: The number of factors, padding included.
        variables, values: The shape of the domain, padding included.
        costs: Whether factor 0 is the sum of the costs.
        size: The number of rows or columns for at least so many.
    """
    literal, factor, coefficient = edges
    of_factors = _Columns(factor, factors, size)
    of_literals = _Columns(literal, variables * values, size)
    more = np.where(of_factors.further > 0, of_factors.further + 1, 0)
    if costs:
        more[0] = 1
    shape = (-1, variables, values)
    found = {
        "literal": of_factors.first(literal),
        "coefficient": of_factors.first(coefficient),
        "more": more,
        "more_literal": of_factors.rest(literal),
        "more_coefficient": of_factors.rest(coefficient),
        "factor": of_literals.first(factor).reshape(shape),
        "factor_coefficient": of_literals.first(coefficient).reshape(shape),
        "popular": of_literals.further.reshape(variables, values),
        "popular_factor": of_literals.rest(factor),
        "popular_coefficient": of_literals.rest(coefficient),
    }
    return {
        name: table.astype(np.float32 if name.endswith("coefficient") else np.int32) for name, table in found.items()
    }


class _Columns:
    """Places of edges in a table with a column for each owner, and in a second one for what does not fit.

    Attributes:
        further: Number of each owner's column in the second table, from 1 on; 0 for none.
    """

    def __init__(self, owner: NDArray[np.int64], owners: int, size: Size) -> None:
        self.order = np.argsort(owner, kind="stable")
        many = np.bincount(owner, minlength=owners)
        sorted_ = owner[self.order]
        row = np.arange(len(owner)) - np.repeat(np.cumsum(many) - many, many)
        height = _height(many, size)
        long = np.flatnonzero(many > height)
        self.further = np.zeros(owners, np.int64)
        self.further[long] = np.arange(1, len(long) + 1)
        self._inside = row < height
        self._shape = (height, owners)
        self._place = row * owners + sorted_
        columns = size(max(len(long), 1))
        self._rest_shape = (size(max(int(many.max(initial=0)) - height, 1)), columns)
        self._rest_place = (row - height) * columns + self.further[sorted_] - 1

    def first(self, what: Array) -> Array:
        return self._filled(what, self._inside, self._place, self._shape)

    def rest(self, what: Array) -> Array:
        return self._filled(what, ~self._inside, self._rest_place, self._rest_shape)

    def _filled(self, what: Array, which: Array, place: Array, shape: tuple[int, int]) -> Array:
        found = np.zeros(shape[0] * shape[1], what.dtype)
        found[place[which]] = what[self.order][which]
        return found.reshape(shape)


def _height(many: NDArray[np.int64], size: Size) -> int:
    """The rows of the first table for which both are fastest: an entry of the second one takes about half as long again."""
    most = int(many.max(initial=1))
    longer = np.cumsum(np.bincount(many, minlength=most + 1)[::-1])[::-1]
    classes = [1]
    while classes[-1] < most:
        classes.append(size(classes[-1] + 1))
    heights = np.minimum(classes, most)
    further = np.append(longer, 0)[heights + 1]
    area = heights * len(many) + 1.5 * further * (most - heights)
    return classes[len(area) - 1 - int(area[::-1].argmin())]


def edges_of(tensors: Mapping[str, Array], *, costs: bool = True) -> Edges:
    """The edges of tables, those of the costs first."""
    found = []
    if costs and (first := np.flatnonzero(tensors["more"] == 1)).size:
        dear = np.flatnonzero(tensors["cost"])
        found.append((dear, np.full(len(dear), first[0]), tensors["cost"].reshape(-1)[dear]))
    owner = np.arange(len(tensors["more"]))
    long = np.zeros(tensors["more_literal"].shape[1], np.int64)
    continued = np.flatnonzero(tensors["more"] > 1)
    long[tensors["more"][continued] - 2] = continued
    for name, number in (("", owner), ("more_", long)):
        coefficient = tensors[f"{name}coefficient"]
        row, column = np.nonzero(coefficient)
        found.append((tensors[f"{name}literal"][row, column], number[column], coefficient[row, column]))
    return Edges(*(np.concatenate(column) for column in zip(*found, strict=True)))
