"""Propagation before descent: rules out literals, and proves contradictions.

Bounds propagation on pseudo-Boolean factors, a group of literals at a time: of each group exactly one literal holds, so a
factor's sum lies between the sums of its groups' least and greatest contributions, and a literal that would take it beyond its
bounds is out (K. R. Apt, "Principles of Constraint Programming", 2003, chapter 6). It is not search: nothing is
assumed.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints.factors import Factor, Graph

_ROUNDS = 1_000


@dataclass(frozen=True)
class Table:
    """The factors of a graph as arrays; an edge is a literal in a factor.

    Attributes:
        group: The group of each literal, ``(literals,)``.
        literal, factor: Of each edge, ``(edges,)``; sorted by factor, then by group.
        coefficient: Of each edge.
        pair: The (factor, group) of each edge, numbered.
        pair_factor, pair_group: Of each pair.
        starts: Each pair's first edge.
        partial: Whether a pair's group has literals that the factor does not name.
        low, high: Bounds of each factor.
        source: The constraint that each factor comes from.
    """

    group: NDArray[np.int64]
    literal: NDArray[np.int64]
    factor: NDArray[np.int64]
    coefficient: NDArray[np.int64]
    pair: NDArray[np.int64]
    pair_factor: NDArray[np.int64]
    pair_group: NDArray[np.int64]
    starts: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]
    source: NDArray[np.int64]

    @classmethod
    def of(cls, graph: Graph, factors: Sequence[Factor] | None = None) -> Table:
        """The arrays of a graph, or of other factors instead of its own, without the factors "one literal of a group holds"."""
        group = np.empty(graph.count, np.int64)
        for number, literals in enumerate(graph.groups):
            group[literals.start : literals.stop] = number
        whole = {(literals.start, literals.stop) for literals in graph.groups}
        factors = [
            f
            for f in (graph.factors if factors is None else factors)
            if not (f.literals and f.low == f.high == 1 and _plain(f) and (f.literals[0], f.literals[-1] + 1) in whole)
        ]
        lengths = [len(f.literals) for f in factors]
        literal = np.fromiter((x for f in factors for x in f.literals), np.int64, sum(lengths))
        coefficient = np.fromiter((a for f in factors for a in f.coefficients), np.int64, sum(lengths))
        factor = np.repeat(np.arange(len(factors)), lengths)
        order = np.lexsort((literal, group[literal], factor))
        literal, factor, coefficient = literal[order], factor[order], coefficient[order]
        key = factor * len(graph.groups) + group[literal]
        new = np.ones(len(key), bool)
        new[1:] = key[1:] != key[:-1]
        starts = np.flatnonzero(new)
        return cls(
            group,
            literal,
            factor,
            coefficient,
            np.cumsum(new) - 1,
            factor[starts],
            group[literal[starts]],
            starts,
            np.array([f.low for f in factors], np.int64),
            np.array([f.high for f in factors], np.int64),
            np.array([f.source for f in factors], np.int64),
        )

    @property
    def groups(self) -> int:
        return int(self.group[-1]) + 1


def _plain(factor: Factor) -> bool:
    """Whether the factor counts adjacent literals."""
    first, many = factor.literals[0], len(factor.literals)
    return set(factor.coefficients) == {1} and factor.literals == tuple(range(first, first + many))


@dataclass(frozen=True)
class Reach:
    """Ranges of the sums, given the open literals.

    Attributes:
        pair_low, pair_high: Least and greatest contribution of each (factor, group).
        low, high: Least and greatest sum of each factor.
    """

    pair_low: NDArray[np.int64]
    pair_high: NDArray[np.int64]
    low: NDArray[np.int64]
    high: NDArray[np.int64]

    @classmethod
    def of(cls, table: Table, open_: NDArray[np.bool_]) -> Reach:
        if not len(table.starts):
            none = np.zeros(0, np.int64)
            return cls(none, none, np.zeros(len(table.low), np.int64), np.zeros(len(table.low), np.int64))
        alive = open_[table.literal]
        far = np.int64(1) << 60
        lowest = np.minimum.reduceat(np.where(alive, table.coefficient, far), table.starts)
        highest = np.maximum.reduceat(np.where(alive, table.coefficient, -far), table.starts)
        named = np.add.reduceat(alive.astype(np.int64), table.starts)
        others = np.bincount(table.group, open_, table.groups).astype(np.int64)[table.pair_group] > named
        lowest = np.where(others, np.minimum(lowest, 0), lowest)
        highest = np.where(others, np.maximum(highest, 0), highest)
        many = len(table.low)
        return cls(
            lowest,
            highest,
            _summed(table.pair_factor, lowest, many),
            _summed(table.pair_factor, highest, many),
        )


def _summed(where: NDArray[np.int64], what: NDArray[np.int64], many: int) -> NDArray[np.int64]:
    total = np.zeros(many, np.int64)
    np.add.at(total, where, what)
    return total


def propagate(
    table: Table, open_: NDArray[np.bool_], without: NDArray[np.bool_] | None = None
) -> tuple[NDArray[np.bool_], bool]:
    """Rule out literals until a fixed point.

    Args:
        table: The factors.
        open_: Which literals may hold, ``(literals,)``.
        without: Factors to ignore.

    Returns:
        The open literals, and whether an assignment may exist: False proves that there is none.
    """
    open_ = open_.copy()
    used = np.ones(len(table.low), bool) if without is None else ~without
    active = used[table.pair_factor] if len(table.pair_factor) else np.zeros(0, bool)
    for _ in range(_ROUNDS):
        if (np.bincount(table.group, open_, table.groups) == 0).any():
            return open_, False
        reach = Reach.of(table, open_)
        if (used & ((reach.low > table.high) | (reach.high < table.low))).any():
            return open_, False
        if not len(table.starts):
            return open_, True
        # The allowed contribution of the pair's literals, given the best of the factor's other groups.
        most = table.high[table.pair_factor] - (reach.low[table.pair_factor] - reach.pair_low)
        least = table.low[table.pair_factor] - (reach.high[table.pair_factor] - reach.pair_high)
        beyond = (table.coefficient > most[table.pair]) | (table.coefficient < least[table.pair])
        out = beyond & active[table.pair] & open_[table.literal]
        following = open_.copy()
        following[table.literal[out]] = False
        for pair in np.flatnonzero(((most < 0) | (least > 0)) & active):
            edges = slice(table.starts[pair], table.starts[pair + 1] if pair + 1 < len(table.starts) else None)
            named = np.zeros(len(open_), bool)
            named[table.literal[edges]] = True
            following &= named | (table.group != table.pair_group[pair])
        if (following == open_).all():
            return open_, True
        open_ = following
    return open_, True


def proof(table: Table, open_: NDArray[np.bool_], fixed: Collection[int] = ()) -> list[int] | None:
    """A minimal set of contradictory constraints; None if propagation proves nothing.

    U. Junker, "QuickXplain: preferred explanations and relaxations for over-constrained problems", 2004.

    Args:
        table: The factors.
        open_: Which literals may hold.
        fixed: Sources that every problem has, and that are never reported.
    """
    sources = [int(s) for s in np.unique(table.source) if s not in fixed]

    def contradicts(kept: Collection[int]) -> bool:
        without = ~np.isin(table.source, [*kept, *fixed])
        return not propagate(table, open_, without)[1]

    if not contradicts(sources):
        return None

    def explain(background: list[int], added: list[int], rest: list[int]) -> list[int]:
        """The part of ``rest`` that is needed besides the background, whose last part is ``added``."""
        if added and contradicts(background):
            return []
        if len(rest) == 1:
            return rest
        first, second = rest[: len(rest) // 2], rest[len(rest) // 2 :]
        late = explain([*background, *first], first, second)
        return [*explain([*background, *late], late, first), *late]

    return sorted(explain([], [], sources)) if sources else []
