"""Problems in which every constraint forbids pairs of values: colourings of graphs above all, however they are written.

After propagation, such a problem is a table of open values by variable, and a list of conflicts between them. Lists of allowed
colours and nodes with a colour are closed values; cliques and single edges give the same conflicts.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints.tensors import Network

MOST_CONFLICTS = 4_000_000
"""Conflicts, each counted from both sides and with repetition, above which they are not listed."""

Numbers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Conflicts:
    """Values that exclude each other. The number of value ``c`` of variable ``v`` is ``v · values + c``.

    Attributes:
        open: Whether a variable may take a value, ``(variables, values)``.
        ends: Where the conflicts of each number end, and before the first, ``(variables · values + 1,)``.
        near: The numbers in conflict with each number, without repetition, ``(conflicts,)``.
        tight: Whether some ``all_different`` has as many values as variables, as in every row of a Latin square.
    """

    open: NDArray[np.bool_]
    ends: Numbers
    near: Numbers
    tight: bool = False

    @classmethod
    def between(cls, open_: NDArray[np.bool_], one: Numbers, other: Numbers, *, tight: bool = False) -> Conflicts:
        """Conflicts given as pairs of numbers, each from both sides; repetitions are dropped."""
        size = open_.size
        pairs = np.sort(one * size + other)  # `np.unique` takes many times as long for millions of pairs
        pairs = pairs[np.diff(pairs, prepend=-1) > 0]
        ends = np.searchsorted(pairs, np.arange(size + 1) * size)
        return cls(open_, ends, pairs % size, tight)

    @classmethod
    def of(cls, network: Network, whole: Collection[int]) -> Conflicts | None:
        """The conflicts of a problem without costs; None if it has constraints of another kind, or too many conflicts.

        Rows and values are those of `Network.kept`.

        Args:
            whole: Constraints whose lower bounds follow from their upper bounds, as those of ``all_different``.
        """
        table, kept = network.table, network.kept
        if network.graph.costs or len(kept) < 2:
            return None
        values = max(map(len, kept))
        place = np.full(network.graph.count, -1)
        open_ = np.zeros((len(kept), values), np.bool_)
        for row, literals in enumerate(kept):
            place[literals] = row * values + np.arange(len(literals))
            open_[row, : len(literals)] = True
        number = place[table.literal]
        used = number >= 0
        holds = (network.open & (place < 0))[table.literal]
        factors = len(table.low)
        known = np.bincount(table.factor[holds], table.coefficient[holds], factors)
        free = np.bincount(table.factor[used], minlength=factors)
        plain = np.bincount(table.factor[used & (table.coefficient != 1)], minlength=factors) == 0
        most, least = table.high - known, table.low - known
        follows = np.isin(table.source, np.array([*whole, -2]))
        if not (plain & ((most == 1) | (most >= free)) & ((least <= 0) | follows))[free > 0].all():
            return None
        joined = np.flatnonzero((free > 1) & (most == 1))
        sizes = free[joined]
        if int((sizes * (sizes - 1)).sum()) > MOST_CONFLICTS:
            return None
        within = number[used][np.argsort(table.factor[used], kind="stable")]
        first = np.concatenate([[0], np.cumsum(free)[:-1]])
        pairs = [np.zeros((2, 0), np.int64)]
        for size in np.unique(sizes).tolist():
            members = within[first[joined[sizes == size]][:, None] + np.arange(size)]
            one, other = np.nonzero(~np.eye(size, dtype=bool))
            pairs.append(np.stack([members[:, one].ravel(), members[:, other].ravel()]))
        one, other = np.concatenate(pairs, 1)
        apart = one // values != other // values
        tight = bool(((least > 0) & (free > 0)).any())
        return cls.between(open_, one[apart], other[apart], tight=tight)

    def of_number(self, number: int) -> Numbers:
        """The numbers in conflict with a number."""
        return self.near[self.ends[number] : self.ends[number + 1]]

    def neighbours(self) -> NDArray[np.bool_] | None:
        """The graph that the problem colours, ``(variables, variables)``; None if it is not a colouring with free colours.

        It is one if every variable may take every value, and any two variables exclude either all equal values or none.
        """
        variables, values = self.open.shape
        if not self.open.all():
            return None
        one = np.repeat(np.arange(self.open.size), np.diff(self.ends))
        if (one % values != self.near % values).any():
            return None
        shared = np.bincount(one // values * variables + self.near // values, minlength=variables**2)
        return (shared > 0).reshape(variables, variables) if np.isin(shared, (0, values)).all() else None

    def broken(self, chosen: Numbers) -> int:
        """Number of conflicts between chosen values, ``(variables,)``; closed values count as one."""
        numbers = np.arange(len(chosen)) * self.open.shape[1] + chosen
        taken = np.zeros(self.open.size, np.bool_)
        taken[numbers] = True
        inside = sum(int(taken[self.of_number(number)].sum()) for number in numbers.tolist())
        return inside // 2 + int((~self.open.flat[numbers]).sum())
