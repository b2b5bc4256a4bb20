"""Merge at-most-one factors: three mutually exclusive pairs become one triple.

People and language models write "these two differ" pair by pair. A greedy search merges pairwise conflicts
into cliques, so that an energy gets few strong factors instead of many weak ones.
"""

from __future__ import annotations

from collections.abc import Sequence

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
    near: dict[int, set[int]] = {}
    for factor in plain:
        for literal in factor.literals:
            near.setdefault(literal, set()).update(factor.literals)
    for literal, others in near.items():
        others.discard(literal)
    found: list[Factor] = []
    having: dict[int, list[set[int]]] = {}
    for factor in sorted(plain, key=lambda f: -len(f.literals)):
        if any(clique.issuperset(factor.literals) for clique in having.get(factor.literals[0], ())):
            continue
        clique = set(factor.literals)
        common = set.intersection(*(near[literal] for literal in clique))
        while common:
            best = max(common, key=lambda one: (len(common & near[one]), -one))
            clique.add(best)
            common &= near[best]
        for literal in clique:
            having.setdefault(literal, []).append(clique)
        found.append(Factor(tuple(sorted(clique)), (1,) * len(clique), 0, 1, factor.source))
    return [*(f for f in factors if not _at_most_one(f)), *found]


def _at_most_one(factor: Factor) -> bool:
    return factor.low <= 0 and factor.high == 1 and set(factor.coefficients) == {1}
