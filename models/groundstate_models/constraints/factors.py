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

from groundstate import Fault, RequestError

MOST_EDGES = 2_000_000
"""Literals in factors, counted with repetition, beyond which a problem is refused: a step would take tenths of a second."""

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

    def excess(self, holds: NDArray[np.bool_]) -> float:
        """How far the sum of an assignment of all literals lies beyond a bound, in units of the largest coefficient."""
        total = int(np.dot(holds[list(self.literals)], self.coefficients)) if self.literals else 0
        return max(total - self.high, self.low - total, 0) / max(map(abs, self.coefficients), default=1)

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
        groups: Literals of which exactly one holds: those of a variable, in order, then those of each choice.
        count: Literals so far.
        factors: So far; the first of them say that one literal of each variable's group holds.
        costs: What a literal costs where it holds.
    """

    domains: Mapping[str, Sequence[Value]]
    first: dict[str, int] = field(init=False, default_factory=dict)
    groups: list[range] = field(init=False, default_factory=list)
    count: int = field(init=False, default=0)
    factors: list[Factor] = field(init=False, default_factory=list)
    costs: dict[int, float] = field(init=False, default_factory=dict)
    _edges: int = field(init=False, default=0)
    _place: dict[tuple[str, Value], int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        for name, values in self.domains.items():
            self.first[name] = self.count
            for value in values:
                self._place[name, value] = self.count
                self.count += 1
            self._group(range(self.first[name], self.count), -1)

    def literal(self, variable: str, value: Value) -> int | None:
        """The number of a literal; None where the value is not in the variable's domain, so that it never holds."""
        return self._place.get((variable, value))

    def choice(self, n: int, source: int) -> range:
        """New literals of which exactly one holds, and that no variable has."""
        made = range(self.count, self.count + n)
        self.count += n
        self._group(made, source)
        return made

    def _group(self, literals: range, source: int) -> None:
        if literals:
            self.groups.append(literals)
        self.bound([(literal, 1) for literal in literals], 1, 1, source)

    def bound(self, terms: Iterable[tuple[int | None, int]], low: int, high: int, source: int) -> None:
        """Add ``low ≤ Σ a·x ≤ high``, unless it always holds. A literal may occur more than once; None never holds.

        Raises:
            RequestError: If the graph becomes larger than `MOST_EDGES`.
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
                said = (
                    f"This problem has more than {MOST_EDGES} places where a value enters a constraint; split it, or give "
                    "its variables fewer values."
                )
                raise RequestError([Fault("", said)])

    def charge(self, literal: int, cost: float) -> None:
        """Let a literal cost something, besides what it costs already."""
        self.costs[literal] = self.costs.get(literal, 0.0) + cost

    def relax(self, first: int, escape: int, source: int) -> None:
        """Let the factors of a source, from the ``first`` on, hold only where the literal ``escape`` does not.

        Those that say that one of a group holds stay: they are what the others are about.
        """
        groups = {tuple(literals) for literals in self.groups}
        added, self.factors[first:] = self.factors[first:], []
        for factor in added:
            if factor.literals in groups and factor.low == factor.high == 1 and factor.source == source:
                self.factors.append(factor)
                continue
            least, most = factor.reach
            terms = list(zip(factor.literals, factor.coefficients, strict=True))
            if factor.low > least:
                self.bound([*terms, (escape, factor.low - least)], factor.low, most + factor.low - least, source)
            if factor.high < most:
                self.bound([*terms, (escape, factor.high - most)], least + factor.high - most, factor.high, source)

    def at_most_one(self, literals: Iterable[int | None], source: int) -> None:
        self.bound([(literal, 1) for literal in literals], 0, 1, source)


def shared(domains: Iterable[Sequence[Value]]) -> list[Value]:
    """Values that at least two of some domains hold, in the order in which they are met."""
    seen: dict[Hashable, int] = {}
    for domain in domains:
        for value in dict.fromkeys(domain):
            seen[value] = seen.get(value, 0) + 1
    return [value for value, times in seen.items() if times > 1]  # type: ignore[misc]
