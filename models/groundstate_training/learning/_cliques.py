"""Finds groups of variables that all differ, in the graph of pairs that are never equal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

MOST_CLIQUES = 20_000
"""Largest number of maximal cliques; a graph with more is too dense to find groups."""


class TooDenseError(Exception):
    """The graph has too many cliques."""


def maximal_cliques(adjacent: Sequence[int]) -> Iterator[list[int]]:
    """All maximal cliques of a graph (C. Bron and J. Kerbosch, 1973, with pivots).

    Args:
        adjacent: The neighbours of each node, as bits.

    Raises:
        TooDenseError: After `MOST_CLIQUES`.
    """
    found = 0
    stack: list[tuple[list[int], int, int]] = [([], (1 << len(adjacent)) - 1, 0)]
    while stack:
        clique, open_, closed = stack.pop()
        if not open_ and not closed:
            found += 1
            if found > MOST_CLIQUES:
                raise TooDenseError
            yield clique
            continue
        pivot = max(_bits(open_ | closed), key=lambda node: (adjacent[node] & open_).bit_count())
        for node in _bits(open_ & ~adjacent[pivot]):
            stack.append(([*clique, node], open_ & adjacent[node], closed & adjacent[node]))
            open_ &= ~(1 << node)
            closed |= 1 << node


def _bits(number: int) -> Iterator[int]:
    while number:
        low = number & -number
        yield low.bit_length() - 1
        number ^= low


def groups_of(adjacent: Sequence[int], most: int) -> set[tuple[int, ...]]:
    """Maximal cliques of at least three nodes; larger ones are split into all parts of size ``most``.

    Raises:
        TooDenseError: If there are too many.
    """
    found: set[tuple[int, ...]] = set()
    for clique in maximal_cliques(adjacent):
        if len(clique) > most + 3:
            raise TooDenseError
        if len(clique) > most:
            found.update(combinations(sorted(clique), most))
        elif len(clique) >= 3:
            found.add(tuple(sorted(clique)))
        if len(found) > MOST_CLIQUES:
            raise TooDenseError
    return found
