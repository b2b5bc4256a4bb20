"""The target of every compiled constraint: literals, and factors that bound a weighted sum of them.

A *literal* is "this variable has this value", 1 if it holds and 0 if not. A *factor* ``low ≤ Σ aᵢ·xᵢ ≤ high`` with
integer ``aᵢ`` is a pseudo-Boolean constraint. Clauses, "exactly one of", equalities, tables and sums all have this form
(E. Boros and P. L. Hammer, "Pseudo-Boolean optimization", 2002), so one energy over factors covers them all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundstate import Fault, RequestError

MOST_EDGES = 2_000_000
"""Most literals in factors (with repetition) of a problem: beyond, a step takes tenths of a second."""

Value = int | str
"""The value of a variable: a whole number or a name."""


@dataclass(frozen=True, slots=True)
class Factor:
    """``low ≤ Σ coefficients · literals ≤ high``.

    Attributes:
        literals: Numbers of the literals, each once.
        coefficients: As many, none of them 0.
        low, high: Bounds; either may be outside the range of the sum.
        source: Index of its constraint in the request; −1 for "a variable has one value".
    """

    literals: tuple[int, ...]
    coefficients: tuple[int, ...]
    low: int
    high: int
    source: int

    @property
    def reach(self) -> tuple[int, int]:
        """The least and the greatest value of the sum."""
        return sum(a for a in self.coefficients if a < 0), sum(a for a in self.coefficients if a > 0)

    def excess(self, holds: NDArray[np.bool_]) -> float:
        """Distance of a full assignment's sum beyond the bounds, in units of the largest coefficient."""
        total = int(np.dot(holds[list(self.literals)], self.coefficients)) if self.literals else 0
        return max(total - self.high, self.low - total, 0) / max(map(abs, self.coefficients), default=1)

    def broken_by(self, holds: NDArray[np.bool_]) -> bool:
        """Whether a full assignment violates the factor."""
        total = int(np.dot(holds[list(self.literals)], self.coefficients))
        return not self.low <= total <= self.high


@dataclass
class Graph:
    """Collects the literals and factors of a problem.

    Attributes:
        domains: Values of each variable, in their given order.
        first: Number of each variable's first literal.
        groups: Groups of literals with exactly one true: of each variable, in order, then of each choice.
        count: Number of literals so far.
        factors: Factors so far; the first ones require one true literal in each variable's group.
        costs: The cost of a literal if it holds.
        choices: The source of each group that belongs to no variable, in the order of these groups.
    """

    domains: Mapping[str, Sequence[Value]]
    first: dict[str, int] = field(init=False, default_factory=dict)
    groups: list[range] = field(init=False, default_factory=list)
    count: int = field(init=False, default=0)
    factors: list[Factor] = field(init=False, default_factory=list)
    costs: dict[int, float] = field(init=False, default_factory=dict)
    choices: list[int] = field(init=False, default_factory=list)
    _edges: int = field(init=False, default=0)
    _place: dict[tuple[str, Value], int] = field(init=False, default_factory=dict)
    _group_of: list[int] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        for name, values in self.domains.items():
            self.first[name] = self.count
            for value in values:
                self._place[name, value] = self.count
                self.count += 1
            self._group(range(self.first[name], self.count), -1)

    def literal(self, variable: str, value: Value) -> int | None:
        """The number of a literal; None if the value is not in the variable's domain, so the literal never holds."""
        return self._place.get((variable, value))

    def choice(self, n: int, source: int) -> range:
        """New literals with exactly one true, which belong to no variable."""
        made = range(self.count, self.count + n)
        self.count += n
        if n:
            self.choices.append(source)
        self._group(made, source)
        return made

    def _group(self, literals: range, source: int) -> None:
        if literals:
            self._group_of += [len(self.groups)] * len(literals)
            self.groups.append(literals)
        self.bound([(literal, 1) for literal in literals], 1, 1, source)

    def bound(self, terms: Iterable[tuple[int | None, int]], low: int, high: int, source: int) -> None:
        """Add ``low ≤ Σ a·x ≤ high``, unless it always holds. A literal may occur more than once; None never holds.

        Raises:
            RequestError: If the graph exceeds `MOST_EDGES`.
        """
        total: dict[int, int] = {}
        for literal, coefficient in terms:
            if literal is not None:
                total[literal] = total.get(literal, 0) + coefficient
        kept = {literal: a for literal, a in total.items() if a}
        factor = Factor(tuple(kept), tuple(kept.values()), low, high, source)
        least, most = factor.reach
        if low > least or high < most:
            self.factors.append(factor)
            self._edges += len(kept)
            if self._edges > MOST_EDGES:
                message = (
                    f"This problem has more than {MOST_EDGES} places where a value enters a constraint; split it, or give "
                    "its variables fewer values."
                )
                raise RequestError([Fault("", message)])

    def reach(self, factor: Factor) -> tuple[int, int]:
        """The least and the greatest value of a factor's sum with exactly one true literal in each group."""
        by_group: dict[int, list[int]] = {}
        for literal, coefficient in zip(factor.literals, factor.coefficients, strict=True):
            by_group.setdefault(self._group_of[literal], []).append(coefficient)
        least = most = 0
        for group, coefficients in by_group.items():
            others = [] if len(coefficients) == len(self.groups[group]) else [0]
            least += min([*coefficients, *others])
            most += max([*coefficients, *others])
        return least, most

    def charge(self, literal: int, cost: float) -> None:
        """Add to the cost of a literal."""
        self.costs[literal] = self.costs.get(literal, 0.0) + cost

    def relax(self, first: int, escape: int, source: int) -> None:
        """Require the factors of a source, from ``first`` on, only if the literal ``escape`` does not hold.

        Factors that require one true literal in a group are unchanged: the others depend on them.
        """
        groups = {tuple(literals) for literals in self.groups}
        added, self.factors[first:] = self.factors[first:], []
        for factor in added:
            if factor.literals in groups and factor.low == factor.high == 1 and factor.source == source:
                self.factors.append(factor)
                continue
            least, most = self.reach(factor)
            terms = list(zip(factor.literals, factor.coefficients, strict=True))
            # The smaller the coefficient of the escape, the larger the energy of the other literals beside it.
            if factor.low > least:
                self.bound([*terms, (escape, factor.low - least)], factor.low, most + factor.low - least, source)
            if factor.high < most:
                self.bound([*terms, (escape, factor.high - most)], least + factor.high - most, factor.high, source)

    def at_most_one(self, literals: Iterable[int | None], source: int) -> None:
        self.bound([(literal, 1) for literal in literals], 0, 1, source)


def shared(domains: Iterable[Sequence[Value]]) -> list[Value]:
    """Values that occur in at least two domains, in order of first occurrence."""
    seen: dict[Hashable, int] = {}
    for domain in domains:
        for value in dict.fromkeys(domain):
            seen[value] = seen.get(value, 0) + 1
    return [value for value, times in seen.items() if times > 1]  # type: ignore[misc]
