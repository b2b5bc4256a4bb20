"""Branch and prune: proves that small systems have no figure, by boxes that cover everything that the statements leave possible.

Nothing is assumed of the size of a figure: the first box is infinite, and the equations must bound it. Boxes are contracted,
dropped when an equation cannot hold in them, and halved (P. Van Hentenryck, D. McAllester and D. Kapur, "Solving polynomial
systems using a branch and prune approach", 1997). The search ends without a proof when a small box is left, or after a number
of boxes. That points differ is not used: a figure that collapses counts as one. Budgets are counts, not times, so that the same
request has the same outcome on every machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry.enclosure import Enclosure
from groundstate_models.geometry.intervals import Interval
from groundstate_models.geometry.problem import Problem, Stated
from groundstate_models.geometry.system import descended

BATCH = 48
"""Boxes that are contracted together."""

SMALL = 1e-3
"""Width of a box, relative to the scale, below which the search gives up: there may be a figure in it."""

NARROW = 1.0
"""Width from which on all equations are taken together."""

FIRST_SWEEPS, SWEEPS = 24, 6
"""Sweeps over the equations for the first box, and for all others."""

ROUNDS, SHRUNK = 3, 0.7
"""Rounds of all equations together, and the factor by which a side must have become shorter for another."""

MOST_STEPS = 150
"""Batches after which a search gives up."""

FEW_STEPS, MOST_STEPS_LESS = 4, 24
"""Batches for a search without some of the statements, before and after descents have looked for a figure."""

MOST_UNKNOWNS = 40
"""Number of unknowns above which nothing is searched."""

STARTS, UPDATES = 12, 60
"""Descents whose minima tell which statements are under stress."""

FEW_STARTS, FEW_UPDATES = 8, 40
"""The same for the question whether a statement is needed."""

STRESSED = 1e-3
"""Share of the largest residual from which a statement is under stress."""


@dataclass
class Search:
    """The search for a figure of a problem; it can be continued.

    Attributes:
        proven: Whether there is no figure.
        over: Whether the search has ended, with a proof or without.
        steps: Batches contracted so far.
    """

    problem: Problem
    proven: bool = False
    over: bool = False
    steps: int = 0

    def __post_init__(self) -> None:
        problem = self.problem
        self.enclosure = Enclosure(problem.stated)
        self.rows = self.enclosure.tables.least == 0
        root = self.enclosure.root()
        self._fix_placement(root)
        for k in problem.circles:
            root.low[:, problem.lowering.radius(k)] = 0.0
        self.waiting = [root]
        if self.enclosure.impossible:
            self.proven = self.over = True
        elif _unfit(problem) or self.enclosure.tables.unknowns > MOST_UNKNOWNS:
            self.over = True

    def _fix_placement(self, root: Interval) -> None:
        """Choose the placement where the statements leave it open: every figure can be moved, turned and reflected so."""
        problem, free = self.problem, self.problem.freedoms
        first, second, third = self._pivots()
        places = problem.lowering.places
        if first is None:
            return
        if free["position"]:
            at = [places[first], places[first] + 1]
            root.low[:, at] = root.high[:, at] = 0.0
        if free["turning"] and free["position"] and second is not None:
            here = places[second]
            root.low[:, here + 1] = root.high[:, here + 1] = 0.0
            root.low[:, here] = 0.0
            if free["mirror"] and third is not None:
                root.low[:, places[third] + 1] = 0.0

    def _pivots(self) -> tuple[str | None, str | None, str | None]:
        """Two points, as far apart as a statement gives, and a third that most statements name."""
        problem = self.problem
        count = dict.fromkeys(problem.points, 0)
        for one in problem.constraints:
            for name in _points(one):
                if name in count:
                    count[name] += 1
        names = sorted((name for name in count if count[name]), key=lambda name: -count[name])
        if not names:
            return None, None, None
        pairs = []
        for one in problem.constraints:
            if one.kind == "equation":
                atoms = list(one.arguments[0].atoms())
                if len(atoms) == 1 and atoms[0][0] == "length" and one.arguments[0].degree == 1:
                    value = one.arguments[0]
                    size = abs(float(value.constant) / float(value.terms[(atoms[0],)]))
                    pairs.append((count[atoms[0][1]] + count[atoms[0][2]], size, atoms[0][1:]))
        pair = list(max(pairs)[2]) if pairs else names[:2]
        pair.sort(key=lambda name: -count[name])
        third = next((name for name in names if name not in pair), None)
        return pair[0], pair[1] if len(pair) > 1 else None, third

    def go(self, steps: int) -> int:
        """Continue until the search is over, or for some batches; returns the number of batches that are left."""
        while not self.over and steps > 0:
            self._step()
            steps -= 1
        return steps

    def _step(self) -> None:
        batch, others = self._taken()
        if batch is None:
            self.proven = self.over = True
            return
        n = self.enclosure.tables.unknowns
        box = self._contracted(batch)
        width = box.high[:, :n] - box.low[:, :n]
        width = np.where(np.isfinite(width), width, -1.0)
        if len(width) and ((width.max(1) < SMALL).any() or self.steps >= MOST_STEPS):
            self.over = True
        elif len(width):
            others.append(_halved(box, np.argmax(width, 1)))
        # Assigned last: a deadline may end the step at any place, and no box may be lost.
        self.waiting, self.steps = others, self.steps + 1

    def _contracted(self, batch: Interval) -> Interval:
        """The boxes that are left of a batch, made smaller."""
        n = self.enclosure.tables.unknowns
        box, alive = self.enclosure.contracted(batch, FIRST_SWEEPS if not self.steps else SWEEPS)
        box = Interval(box.low[alive], box.high[alive])
        for _ in range(ROUNDS):
            width = box.high[:, :n] - box.low[:, :n]
            narrow = np.flatnonzero(np.where(np.isfinite(width), width, 0.0).max(1, initial=0.0) < NARROW)
            if not len(narrow):
                break
            some = Interval(box.low[narrow], box.high[narrow])
            new, ok = self.enclosure.together(some, self.rows)
            some.low[:, :n], some.high[:, :n] = new
            some.low[~ok] = some.high[~ok] = 0.0
            some, held = self.enclosure.contracted(some, SWEEPS)
            box.low[narrow], box.high[narrow] = some
            after = some.high[:, :n] - some.low[:, :n]
            alive = np.ones(len(box.low), bool)
            alive[narrow[~(ok & held)]] = False
            box = Interval(box.low[alive], box.high[alive])
            with np.errstate(invalid="ignore", divide="ignore"):
                part = np.nan_to_num(after / width[narrow], nan=1.0).min(1)
            if not (part[ok & held] < SHRUNK).any():
                break
        return box

    def _taken(self) -> tuple[Interval | None, list[Interval]]:
        """The latest boxes, at most a batch, and the others."""
        others = list(self.waiting)
        if not others:
            return None, []
        found = others.pop()
        if len(found.low) > BATCH:
            others.append(Interval(found.low[:-BATCH], found.high[:-BATCH]))
            return Interval(found.low[-BATCH:], found.high[-BATCH:]), others
        while others and len(found.low) + len(others[-1].low) <= BATCH:
            other = others.pop()
            found = Interval(np.concatenate([other.low, found.low]), np.concatenate([other.high, found.high]))
        return found, others


def _unfit(problem: Problem) -> bool:
    """Whether nothing can be searched: no statement bounds the figure, or it is in space."""
    return problem.solid or problem.freedoms["size"]


def _halved(box: Interval, place: NDArray[np.int64]) -> Interval:
    """Both halves of boxes, each halved along one variable."""
    each = np.arange(len(place))
    middle = 0.5 * (box.low[each, place] + box.high[each, place])
    left, right = box.high.copy(), box.low.copy()
    left[each, place] = middle
    right[each, place] = middle
    return Interval(np.concatenate([box.low, right]), np.concatenate([left, box.high]))


def _points(one: Stated) -> list[str]:
    """The names in a constraint's arguments."""
    found: list[str] = []
    for value in one.arguments:
        if isinstance(value, str):
            found.append(value)
        elif hasattr(value, "atoms"):
            found += [name for atom in value.atoms() for name in atom[1:]]
    return found


class Prover:
    """Searches for a minimal set of statements without a figure, beside a descent that finds none."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.every = frozenset(range(len(problem.statements)))
        self.waiting: list[Search] | None = None
        self.found: list[int] = []

    def go(self, steps: int) -> list[int]:
        """Continue for some batches; returns the set, or nothing if none is proven yet."""
        if self.waiting is None:
            self.waiting = [Search(self._only(one)) for one in self._stressed()]
        for search in self.waiting:
            if not self.found:
                steps = search.go(steps)
                if search.proven:
                    self.found = self._smallest(frozenset(one.source for one in search.problem.constraints) - {-1})
        self.waiting = [one for one in self.waiting if not one.over and not self.found]
        return self.found

    def _only(self, sources: Iterable[int]) -> Problem:
        return self.problem.without(self.every - set(sources))

    def _stressed(self) -> list[frozenset[int]]:
        """Sets of statements under stress at minima of the residuals, the smallest first; last, all statements."""
        tables = self.problem.tables
        if _unfit(self.problem) or tables.unknowns > 2 * MOST_UNKNOWNS:
            return []
        start = np.random.default_rng(0).standard_normal((STARTS, tables.unknowns))
        ends = descended(tables, start, UPDATES)
        residual = np.abs(tables.residual(ends))
        found: dict[frozenset[int], int] = {}
        for row in residual:
            strained = row > STRESSED * row.max(initial=0.0)
            one = frozenset(int(k) for k in tables.source[strained]) - {-1}
            if one:
                found[one] = found.get(one, 0) + 1
        sets = sorted(found, key=lambda one: (len(one), -found[one]))[:4]
        every = frozenset(one.source for one in self.problem.constraints) - {-1}
        return [*sets, *([every] if every not in sets else [])]

    def _smallest(self, sources: frozenset[int]) -> list[int]:
        """Leave out the statements about one point after the other, then single ones, while there is still a proof."""
        about: dict[str, set[int]] = {}
        for one in self.problem.constraints:
            if one.source in sources:
                for name in _points(one):
                    about.setdefault(name, set()).add(one.source)
        parts = sorted(about.values(), key=len) + [{source} for source in sorted(sources, reverse=True)]
        kept = set(sources)
        for part in parts:
            rest = kept - part
            if rest and rest != kept:
                problem = self._only(rest)
                search = Search(problem)
                search.go(FEW_STEPS)
                if not search.over and not possible(problem):
                    search.go(MOST_STEPS_LESS)
                if search.proven:
                    kept = rest
        return sorted(kept)


def possible(problem: Problem, starts: int = FEW_STARTS, updates: int = FEW_UPDATES) -> bool:
    """Whether a few descents find a figure, perhaps a collapsed one."""
    tables = problem.tables
    start = np.random.default_rng(1).standard_normal((starts, tables.unknowns))
    ends = descended(tables, start, updates)
    return bool(((tables.residual(ends) ** 2).sum(1) < 1e-16).any())
