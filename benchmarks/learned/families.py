"""Ten families of hidden rules: configurations drawn at random under them, and the exact check of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

Values = Sequence[Any]
Ints = NDArray[np.int64]


@dataclass
class Problem:
    """A CP-SAT model of configurations, and what it was told, for the check.

    Attributes:
        names: How many variables.
        values: The values; variables hold places in this list.
        tests: What must hold, of a whole configuration.
    """

    names: int
    values: Values
    model: cp_model.CpModel = field(default_factory=cp_model.CpModel)
    tests: list[Callable[[Ints], bool]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.x = [self.model.NewIntVar(0, len(self.values) - 1, f"x{k}") for k in range(self.names)]
        self._is: dict[tuple[int, int], Any] = {}

    def literal(self, k: int, value: int) -> Any:
        """Whether a variable has a value."""
        if (k, value) not in self._is:
            one = self.model.NewBoolVar("")
            self.model.Add(self.x[k] == value).OnlyEnforceIf(one)
            self.model.Add(self.x[k] != value).OnlyEnforceIf(one.Not())
            self._is[k, value] = one
        return self._is[k, value]

    def different(self, group: Sequence[int]) -> None:
        """All of a group differ."""
        at = list(group)
        self.model.AddAllDifferent([self.x[k] for k in at])
        self.tests.append(lambda c: len(set(c[at].tolist())) == len(at))

    def forbid(self, i: int, j: int, entries: Sequence[tuple[int, int]]) -> None:
        """Two variables never have certain values together."""
        if entries:
            self.model.AddForbiddenAssignments([self.x[i], self.x[j]], list(entries))
            bad = frozenset(entries)
            self.tests.append(lambda c: (int(c[i]), int(c[j])) not in bad)

    def count(self, group: Sequence[int], value: int, low: int, high: int) -> None:
        """So many of a group have a value."""
        at = list(group)
        self.model.AddLinearConstraint(sum(self.literal(k, value) for k in at), low, high)
        self.tests.append(lambda c: low <= int((c[at] == value).sum()) <= high)

    def right(self, configuration: Sequence[int]) -> bool:
        """Whether a configuration keeps all rules."""
        c = np.asarray(configuration)
        return all(test(c) for test in self.tests)

    def draw(self, many: int, random: np.random.Generator) -> Ints:
        """Random configurations: each variable wishes for a random value, and the weighted wishes are met as far as possible."""
        found = []
        while len(found) < many:
            model = self.model.Clone()
            wishes = []
            for k in range(self.names):
                one = model.NewBoolVar("")
                model.Add(
                    model.GetIntVarFromProtoIndex(self.x[k].Index()) == int(random.integers(len(self.values)))
                ).OnlyEnforceIf(one)
                wishes.append(one)
            model.Maximize(sum(int(random.integers(1, 10)) * one for one in wishes))
            solver = cp_model.CpSolver()
            solver.parameters.num_workers = 1
            solver.parameters.random_seed = int(random.integers(1 << 30))
            solver.parameters.randomize_search = True
            solver.parameters.max_time_in_seconds = 0.5
            if solver.Solve(model) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
                x = [solver.Value(model.GetIntVarFromProtoIndex(v.Index())) for v in self.x]
                if self.right(x):
                    found.append(x)
        return np.array(found)


@dataclass(frozen=True)
class Family:
    """A family of hidden rules.

    Attributes:
        name: Its name.
        problem: The rules.
        grid: Rows and columns; None for a line of variables.
    """

    name: str
    problem: Problem
    grid: tuple[int, int] | None


def _latin(n: int, values: Values | None = None) -> Problem:
    p = Problem(n * n, values or list(range(1, n + 1)))
    for k in range(n):
        p.different(range(k * n, k * n + n))
        p.different(range(k, n * n, n))
    return p


def _near(n: int, m: int, offsets: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    cells = [(r, c) for r in range(n) for c in range(m)]
    return [(r * m + c, (r + a) * m + c + b) for r, c in cells for a, b in offsets if 0 <= r + a < n and 0 <= c + b < m]


def non_consecutive(random: np.random.Generator) -> Family:
    """Latin squares whose neighbours in a row are not consecutive."""
    del random
    p = _latin(6)
    for i, j in _near(6, 6, [(0, 1)]):
        p.forbid(i, j, [(a, b) for a in range(6) for b in range(6) if abs(a - b) == 1])
    return Family("non-consecutive Latin", p, (6, 6))


def regions(random: np.random.Generator) -> Family:
    """Latin squares with irregular regions, grown at random, the same in all examples."""
    while True:
        owner = np.full((6, 6), -1)
        order = random.permutation(36)
        for k in range(6):
            owner.flat[order[k]] = k
        for _ in range(2000):
            r, c = random.integers(6, size=2)
            a, b = ((0, 1), (1, 0), (0, -1), (-1, 0))[random.integers(4)]
            inside = 0 <= r + a < 6 and 0 <= c + b < 6
            if inside and owner[r, c] >= 0 > owner[r + a, c + b] and (owner == owner[r, c]).sum() < 6:
                owner[r + a, c + b] = owner[r, c]
        if (owner < 0).any():
            continue
        p = _latin(6)
        for k in range(6):
            p.different(np.flatnonzero(owner.ravel() == k).tolist())
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        if solver.Solve(p.model) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Family("irregular regions", p, (6, 6))


def moves(random: np.random.Generator) -> Family:
    """Grids where cells a knight's or a king's move apart differ."""
    del random
    p = Problem(49, list(range(1, 8)))
    for i, j in _near(7, 7, [(0, 1), (1, 0), (1, 1), (1, -1), (1, 2), (1, -2), (2, 1), (2, -1)]):
        p.forbid(i, j, [(a, a) for a in range(7)])
    return Family("knight and king moves", p, (7, 7))


def signs(random: np.random.Generator) -> Family:
    """Latin squares with order signs between neighbours, the same in all examples."""
    while True:
        p = _latin(5)
        every = _near(5, 5, [(0, 1), (1, 0)])
        for k in random.choice(len(every), 8, replace=False):
            i, j = every[k]
            p.forbid(i, j, [(a, b) for a in range(5) for b in range(5) if a >= b])
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        if solver.Solve(p.model) in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Family("order signs", p, (5, 5))


def tables(random: np.random.Generator) -> Family:
    """Grids with a random table of forbidden neighbours to the right, and another one below."""
    p = Problem(36, ["red", "green", "blue", "white", "black"])
    for offset in ((0, 1), (1, 0)):
        chosen = random.choice(25, 8, replace=False)
        for i, j in _near(6, 6, [offset]):
            p.forbid(i, j, [divmod(int(k), 5) for k in chosen])
    return Family("random pair tables", p, (6, 6))


def lines(random: np.random.Generator) -> Family:
    """Counts per line: exactly two A in each row, at most two B in each column, at least one C in each row."""
    del random
    p = Problem(42, ["A", "B", "C", "D"])
    for r in range(6):
        p.count(range(r * 7, r * 7 + 7), 0, 2, 2)
        p.count(range(r * 7, r * 7 + 7), 2, 1, 7)
    for c in range(7):
        p.count(range(c, 42, 7), 1, 0, 2)
    return Family("counts per line", p, (6, 7))


def windows(random: np.random.Generator) -> Family:
    """At most two of a value in any four cells of a row in succession."""
    del random
    p = Problem(60, ["off", "day", "night"])
    for r in range(5):
        for c in range(9):
            p.count(range(r * 12 + c, r * 12 + c + 4), 2, 0, 2)
            p.count(range(r * 12 + c, r * 12 + c + 4), 0, 1, 4)
    return Family("windows", p, (5, 12))


def queens(random: np.random.Generator) -> Family:
    """Queens: the column of each row's queen."""
    del random
    p = Problem(8, list(range(8)))
    p.different(range(8))
    for i in range(8):
        for j in range(i + 1, 8):
            p.forbid(i, j, [(a, b) for a in range(8) for b in range(8) if abs(a - b) == j - i])
    return Family("queens", p, None)


def rosters(random: np.random.Generator) -> Family:
    """Rosters of eight people over a week: cover, rest after nights, days off."""
    del random
    p = Problem(56, ["off", "early", "late", "night"])
    for d in range(7):
        p.count(range(d, 56, 7), 1, 2, 2)
        p.count(range(d, 56, 7), 2, 2, 2)
        p.count(range(d, 56, 7), 3, 1, 1)
    for person in range(8):
        row = range(person * 7, person * 7 + 7)
        p.count(row, 0, 2, 7)
        for i, j in pairwise(row):
            p.forbid(i, j, [(3, 1), (3, 2), (2, 1)])
    return Family("rosters", p, (8, 7))


def binary(random: np.random.Generator) -> Family:
    """Takuzu: as many zeros as ones in each line, never three alike in succession."""
    del random
    p = Problem(64, [0, 1])
    for k in range(8):
        for line in (range(k * 8, k * 8 + 8), range(k, 64, 8)):
            p.count(line, 1, 4, 4)
            for first in range(6):
                p.count(line[first : first + 3], 1, 1, 2)
    return Family("Takuzu", p, (8, 8))


FAMILIES: dict[str, Callable[[np.random.Generator], Family]] = {
    "non_consecutive": non_consecutive,
    "regions": regions,
    "moves": moves,
    "signs": signs,
    "tables": tables,
    "lines": lines,
    "windows": windows,
    "queens": queens,
    "rosters": rosters,
    "binary": binary,
}
