"""Merge at-most-one factors: three mutually exclusive pairs become one triple.

People and language models write "these two differ" pair by pair. A greedy search merges pairwise conflicts
into cliques, so that an energy gets few strong factors instead of many weak ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import reduce
from operator import and_

from groundstate_models.constraints.factors import Factor

MOST_PAIRS = 200_000
"""Number of conflicts above which factors are not merged: merging would take longer than it saves."""


def joined(factors: Sequence[Factor]) -> list[Factor]:
    """The factors, with at-most-one factors merged.

    Every merged factor is implied by its parts, which may come from several constraints; its source is that of the first. Other
    factors are unchanged.
    """
    plain = [f for f in factors if _at_most_one(f)]
    if sum(len(f.literals) * (len(f.literals) - 1) // 2 for f in plain) > MOST_PAIRS:
        return list(factors)
    near: dict[int, int] = {}
    masks = []
    for factor in plain:
        mask = 0
        for literal in factor.literals:
            mask |= 1 << literal
        masks.append(mask)
        for literal in factor.literals:
            near[literal] = near.get(literal, 0) | mask
    for literal in near:
        near[literal] &= ~(1 << literal)
    found: list[Factor] = []
    having: dict[int, list[int]] = {}
    for place in sorted(range(len(plain)), key=lambda place: -len(plain[place].literals)):
        factor, mask = plain[place], masks[place]
        if any(not mask & ~whole for whole in having.get(factor.literals[0], ())):
            continue
        clique = set(factor.literals)
        common = reduce(and_, (near[literal] for literal in factor.literals))
        while common:
            best = max(bits(common), key=lambda one: ((common & near[one]).bit_count(), -one))
            clique.add(best)
            mask |= 1 << best
            common &= near[best]
        for literal in clique:
            having.setdefault(literal, []).append(mask)
        found.append(Factor(tuple(sorted(clique)), (1,) * len(clique), 0, 1, factor.source))
    return [*(f for f in factors if not _at_most_one(f)), *found]


def bits(mask: int) -> Iterator[int]:
    """The numbers of a set's members; a set of literals is a whole number with a bit for each."""
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def _at_most_one(factor: Factor) -> bool:
    return factor.low <= 0 and factor.high == 1 and set(factor.coefficients) == {1}
