"""What every constraint is compiled to: literals, and factors that bound a weighted sum of them.

A *literal* is "this variable has this value", 1 where it holds and 0 where it does not. A *factor* ``low ≤ Σ aᵢ·xᵢ ≤ high`` with
integer ``aᵢ`` is a pseudo-Boolean constraint. Clauses, "exactly one of", equalities, tables and sums are all of this one kind
(E. Boros and P. L. Hammer, "Pseudo-Boolean optimization", 2002), so that one energy, which reads factors, reads them all.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Value = int | str
"""What a variable may be: a whole number or a name."""


@dataclass(frozen=True, slots=True)
class Factor:
    """``low ≤ Σ coefficients · literals ≤ high``.

    Attributes:
        literals: Numbers of the literals, each once.
        coefficients: As many, none of them 0.
        low, high: Bounds; either may be beyond what the sum can reach.
        source: The constraint it comes from: its place in the request, −1 for "a variable has one value".
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

    def broken_by(self, holds: NDArray[np.bool_]) -> bool:
        """Whether an assignment of all literals breaks it."""
        total = int(np.dot(holds[list(self.literals)], self.coefficients))
        return not self.low <= total <= self.high


@dataclass
class Graph:
    """The literals and factors of a problem, as they are added.

    Attributes:
        domains: Values of each variable, in the order in which they were given.
        first: Number of each variable's first literal.
        count: Literals so far, auxiliary ones included.
        factors: So far.
    """

    domains: Mapping[str, Sequence[Value]]
    first: dict[str, int] = field(init=False, default_factory=dict)
    count: int = field(init=False, default=0)
    factors: list[Factor] = field(init=False, default_factory=list)
    _place: dict[tuple[str, Value], int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for name, values in self.domains.items():
            self.first[name] = self.count
            for value in values:
                self._place[name, value] = self.count
                self.count += 1
            self.bound([(self._place[name, value], 1) for value in values], 1, 1, -1)

    def literal(self, variable: str, value: Value) -> int | None:
        """The number of a literal; None where the value is not in the variable's domain, so that it never holds."""
        return self._place.get((variable, value))

    def auxiliary(self, n: int) -> range:
        """New literals that no variable has."""
        self.count += n
        return range(self.count - n, self.count)

    def bound(self, terms: Iterable[tuple[int | None, int]], low: int, high: int, source: int) -> None:
        """Add ``low ≤ Σ a·x ≤ high``, unless it always holds. A literal may occur more than once; None never holds."""
        total: dict[int, int] = {}
        for literal, coefficient in terms:
            if literal is not None:
                total[literal] = total.get(literal, 0) + coefficient
        kept = {literal: a for literal, a in total.items() if a}
        factor = Factor(tuple(kept), tuple(kept.values()), low, high, source)
        least, most = factor.reach
        if low > least or high < most:
            self.factors.append(factor)

    def at_most_one(self, literals: Iterable[int | None], source: int) -> None:
        self.bound([(literal, 1) for literal in literals], 0, 1, source)


def shared(domains: Iterable[Sequence[Value]]) -> list[Value]:
    """Values that at least two of some domains hold, in the order in which they are met."""
    seen: dict[Hashable, int] = {}
    for domain in domains:
        for value in dict.fromkeys(domain):
            seen[value] = seen.get(value, 0) + 1
    return [value for value, times in seen.items() if times > 1]  # type: ignore[misc]
