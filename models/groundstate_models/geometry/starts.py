"""Starts of chains: figures built step by step, a population at a time.

A step places one to three points or scalars at once, such that as many equations as possible involve only them and what is
placed. The order comes from the equations alone. Each step is a small descent from random places; members of the population
that fail are replaced by copies of others (sequential Monte Carlo: N. J. Gordon, D. J. Salmond and A. F. M. Smith, "Novel
approach to nonlinear/non-Gaussian Bayesian state estimation", 1993). Equations that no order can satisfy, such as the closing
of a loop, are left to the descent of the chains.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from groundstate_models.geometry import analysis, landscape
from groundstate_models.geometry.problem import Problem
from groundstate_models.geometry.system import EQUAL, Floats, Tables, descended

MOST_TOGETHER = 3
"""Most points or scalars that a step places at once."""

ORDERS, KEPT = 16, 4
"""Random orders that are tried if the first has surplus equations, and orders that are kept for use in turn."""

TRIAL, ENOUGH_BUILT = 8, 0.25
"""Population of an order's trial, and the share of figures that is enough."""

LEAST_POPULATION, MOST_POPULATION = 8, 512

BUILT = 1e-9
"""Residual up to which a step has succeeded."""

TRIES = 3
"""Random starts of a step."""

UPDATES = 24

ENOUGH = 10
"""Updates after which a step's descent ends if half of the members have succeeded."""

DONE = 1e-24
"""Sum of squares at which a step's descent ends."""

STUCK = 1e2
"""Damping above which a step's descent ends: it is in a minimum that is not a solution."""

MOST_POLISHED, POLISH, NEAR = 24, 60, 1e-3
"""Members that descend on the host where no order leads to a figure, their updates, and the residual from which Newton's
method polishes them."""

MOST_DESCENTS, LARGE = 4, 120
"""Calls in which they do, and the number of unknowns above which none does."""

MOST_MEASURES = 24
"""Bound on inequalities that a step considers for each unit."""


@dataclass(frozen=True)
class Step:
    """One step: the unknowns that it places, the equations and inequalities that it must satisfy.

    Attributes:
        unknowns: Reduced unknowns, ``(s,)``.
        tables: The rows, over the unknowns of the step and then those that it knows.
        local: The full unknowns of ``tables``.
        near: Reduced unknowns, of which each new one starts near the mean; by new unknown.
    """

    unknowns: NDArray[np.int64]
    tables: Tables | None
    local: NDArray[np.int64]
    near: list[list[int]]


class Builder:
    """Builds figures of a problem."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.reduction = problem.reduction
        self.tables = problem.tables
        self._calls = 0

    @cached_property
    def units(self) -> list[tuple[int, ...]]:
        """Reduced unknowns that are placed together: the coordinates of a point, or a scalar."""
        reduction, b = self.reduction, self.problem.lowering
        groups = [[place, place + 1] for place in b.places.values()]
        if b.solid:
            groups = [[*group, b.system.height(k)] for k, group in enumerate(groups)]
        groups += [[place] for place in b.scalars.values()]
        seen: set[int] = set()
        found = []
        for group in groups:
            mine = [int(reduction.alias[k]) for k in group if reduction.factor[k]]
            mine = [z for z in dict.fromkeys(mine) if z not in seen]
            seen.update(mine)
            if mine:
                found.append(tuple(mine))
        return found

    @cached_property
    def _touched(self) -> list[frozenset[int]]:
        """The units that each row involves."""
        unit_of = {z: k for k, unit in enumerate(self.units) for z in unit}
        tables, reduction = self.tables, self.reduction
        found: list[set[int]] = [set() for _ in tables.constant]
        for i, j, row in zip(tables.first, tables.second, tables.row, strict=True):
            for quantity in (int(i), int(j)):
                for place in _places(tables, quantity):
                    if reduction.factor[place]:
                        found[row].add(unit_of[int(reduction.alias[place])])
        return [frozenset(one) for one in found]

    @cached_property
    def plans(self) -> list[list[Step]]:
        """Orders of the construction: those that lead to figures first, then those with the fewest surplus equations.

        The equations alone do not show that an order leads nowhere: an angle at one of two parallel lines gives the angle at the
        other. If the first order fails a trial, random ones are tried.
        """
        draw = np.random.default_rng(0)
        beyond, order = self._ordered(None)
        first = self._written(order)
        share = self._share(first)
        if not beyond and share >= ENOUGH_BUILT:
            return [first]
        found = [(share, -beyond, first)]
        for _ in range(ORDERS if len(self.units) <= 40 else ORDERS // 4):
            beyond, order = self._ordered(draw)
            if -beyond < max(less for _, less, _ in found) - 1:
                continue
            plan = self._written(order)
            found.append((self._share(plan), -beyond, plan))
            if sum(share >= ENOUGH_BUILT for share, _, _ in found) == KEPT:
                break
        found.sort(key=lambda one: one[:2], reverse=True)
        built = [plan for share, _, plan in found if share]
        return (built or [plan for _, _, plan in found])[:KEPT]

    def _share(self, plan: list[Step]) -> float:
        """The share of a small population that an order leads to a figure."""
        random = np.random.default_rng(0)
        z = random.standard_normal((TRIAL, self.reduction.size))
        lost = self._build(plan, z, random, 1.0, trial=True)
        return 0.0 if lost.all() else float((lost + self._off(self._centred(z)) < 1e-6).mean())

    def _centred(self, z: Floats) -> Floats:
        """The unknowns ``(count, N)`` of figures, where the constraints leave their place and size open in the energy's place."""
        return np.stack([landscape.centred(self.problem, row) for row in self.reduction.expand(z)])

    def _off(self, y: Floats) -> Floats:
        return np.asarray(np.abs(np.nan_to_num(self.tables.residual(y), nan=1e3)).max(1, initial=0.0))

    def _ordered(self, draw: np.random.Generator | None) -> tuple[int, list[tuple[set[int], list[int], list[int]]]]:
        """An order: the units of each step with their equations and inequalities; and the number of surplus equations."""
        tables, touched = self.tables, self._touched
        usable = self.reduction.rows & ((tables.source >= 0) | (tables.least > 0))
        left = {int(k): set(touched[k]) for k in np.flatnonzero(usable & (tables.least == EQUAL)) if touched[k]}
        bounds = {int(k): set(touched[k]) for k in np.flatnonzero(usable & (tables.least != EQUAL)) if touched[k]}
        placed: set[int] = set()
        order, beyond = [], 0
        while len(placed) < len(self.units):
            chosen = self._next(left, placed, draw)
            rows = [k for k, units in left.items() if units <= chosen]
            limits = [k for k, units in bounds.items() if units <= chosen]
            order.append((chosen, rows, limits))
            beyond += max(len(rows) - sum(len(self.units[u]) for u in chosen), 0)
            placed |= chosen
            for waiting, taken in ((left, rows), (bounds, limits)):
                for k in taken:
                    del waiting[k]
                for units in waiting.values():
                    units.difference_update(chosen)
        return beyond, order

    def _written(self, order: list[tuple[set[int], list[int], list[int]]]) -> list[Step]:
        placed: set[int] = set()
        found = []
        for chosen, rows, limits in order:
            found.append(self._step(chosen, rows, limits, placed))
            placed |= chosen
        return found

    def _next(self, left: dict[int, set[int]], placed: set[int], draw: np.random.Generator | None) -> set[int]:
        """The units to place next: the smallest set that its equations determine, else the unit with most equations.

        With a generator the latter is a random unit.
        """
        sizes = [len(unit) for unit in self.units]
        count = Counter(frozenset(units) for units in left.values() if len(units) <= MOST_TOGETHER)
        sets = set(count)
        pairs = [units for units in count if len(units) == 2]
        if len(pairs) < 60:
            sets |= {one | two for one, two in combinations(pairs, 2) if len(one | two) <= MOST_TOGETHER}
        best: tuple[int, int, frozenset[int]] | None = None
        for units in sets:
            degrees = sum(sizes[u] for u in units)
            inside = sum(
                count[frozenset(part)]
                for size in range(1, len(units) + 1)
                for part in combinations(sorted(units), size)
            )
            if inside >= degrees and (best is None or (degrees, min(units)) < best[:2]):
                best = (degrees, min(units), units)
        if best is not None:
            return set(best[2])
        waiting = [u for u in range(len(self.units)) if u not in placed]
        links = Counter(u for k, units in left.items() if self._touched[k] & placed for u in units)

        def merit(u: int) -> tuple[float, ...]:
            chance = 0.0 if draw is None else 1.5 * float(draw.random())
            return (count[frozenset((u,))] + bool(links[u]) * 0.5 + chance, -u)

        return {max(waiting, key=merit)}

    def _step(self, chosen: set[int], rows: list[int], limits: list[int], placed: set[int]) -> Step:
        unknowns = np.array([z for u in sorted(chosen) for z in self.units[u]], np.int64)
        kept = np.zeros(len(self.tables.constant), bool)
        kept[rows] = True
        kept[limits[: MOST_MEASURES * len(chosen)]] = True
        tables, local = _compact(self.tables, kept) if kept.any() else (None, np.zeros(0, np.int64))
        neighbours = {v for k in rows for v in self._touched[k]} & placed
        near: list[list[int]] = []
        for u in sorted(chosen):
            for axis, _ in enumerate(self.units[u]):
                of = [self.units[v][axis] for v in neighbours if len(self.units[v]) == len(self.units[u]) > 1]
                near.append(of)
        return Step(unknowns, tables, local, near)

    # -- building --------------------------------------------------------------------------------------------------------

    def figures(self, random: np.random.Generator, count: int, spread: float = 1.0) -> Floats | None:
        """Reduced unknowns of figures, ``(count, size)``; None if there is nothing to place."""
        if not self.reduction.size:
            return None
        # Among more figures there is one whose shapes turn the same way.
        least = LEAST_POPULATION * (1 + 2 * min(max(len(self.problem.shapes) - 1, 0), 3))
        members = min(max(least, 2 * count), MOST_POPULATION)
        z = spread * random.standard_normal((members, self.reduction.size))
        plan = self.plans[self._calls % len(self.plans)]
        self._calls += 1
        lost = self._build(plan, z, random, spread)
        y = self._centred(z)
        z = self.reduction.reduce(y)
        off = lost + self._off(y)
        if not (off < 1e-6).any() and self._calls <= MOST_DESCENTS and self.reduction.size <= LARGE:
            y = self._polished(y, off)
            z, off = self.reduction.reduce(y), self._off(y)
        order = np.lexsort((-self._alike(y), np.where(off < 1e-6, 0.0, off)))
        chosen = order[np.arange(count) % members]
        best = z[chosen]
        best[off[chosen] > 1e-2] += 0.1 * random.standard_normal(((off[chosen] > 1e-2).sum(), z.shape[1]))
        # Where the order does not lead to a figure, every other chain starts at random.
        apart = (off[chosen] > 1e-2) & (np.arange(count) % 2 == 1)
        best[apart] = spread * random.standard_normal((int(apart.sum()), z.shape[1]))
        return np.nan_to_num(best)

    def _polished(self, y: Floats, off: Floats) -> Floats:
        """Figures that no order leads to, after a descent with dense linear algebra.

        Unrolled conjugate gradients are slow near a double root, such as a figure of an extremal case.
        """
        near = np.argsort(off, kind="stable")[:MOST_POLISHED]
        y = y.copy()
        y[near] = descended(self.tables, y[near], POLISH)
        for k in near[self._off(y[near]) < NEAR]:
            y[k] = analysis.polished(self.tables, y[k])
        return y

    def _alike(self, y: Floats) -> Floats:
        """How many of the squares and regular polygons turn the same way, ``(count,)``: a convention where nothing decides."""
        places, signs = self.problem.lowering.places, np.zeros(len(y))
        if self.problem.solid:
            return signs
        for corners in self.problem.shapes:
            a, b, c = (y[:, [places[name], places[name] + 1]] for name in corners)
            u, w = b - a, c - a
            signs += np.sign(u[:, 0] * w[:, 1] - u[:, 1] * w[:, 0])
        return np.asarray(np.abs(signs))

    def _build(
        self, plan: list[Step], z: Floats, random: np.random.Generator, spread: float, *, trial: bool = False
    ) -> Floats:
        """Place all members of a population in place; returns what steps left over that no member could satisfy.

        A trial ends at such a step.
        """
        lost = np.zeros(len(z))
        for step in plan:
            off = self._place(step, z, random, spread)
            failed = off > BUILT
            if failed.any() and not failed.all():
                copies = random.choice(np.flatnonzero(~failed), int(failed.sum()))
                z[failed], lost[failed] = z[copies], lost[copies]
            elif failed.all():
                lost = lost + off
                if trial:
                    return lost
        return lost

    def some(self, count: int = 24) -> list[Floats]:
        """Unknowns of figures that satisfy every row, found on the host by a short descent."""
        z = self.figures(np.random.default_rng(1), count)
        if z is None:
            return []
        y = descended(self.tables, self.reduction.expand(z), 40)
        return list(y[(self.tables.residual(y) ** 2).sum(1) < 1e-16])

    def _place(self, step: Step, z: Floats, random: np.random.Generator, spread: float) -> Floats:
        """Place a step's unknowns in every member, in place; returns the largest residual of each."""
        todo = np.arange(len(z))
        off = np.zeros(len(z))
        for _ in range(TRIES):
            draw = spread * random.standard_normal((len(todo), len(step.unknowns)))
            for k, near in enumerate(step.near):
                if near:
                    draw[:, k] += z[todo][:, near].mean(1)
            z[np.ix_(todo, step.unknowns)] = draw
            if step.tables is None:
                return off
            placed, left = self._descend(step, z[todo])
            z[np.ix_(todo, step.unknowns)] = placed
            off[todo] = left
            todo = todo[left > BUILT]
            if 2 * len(todo) < len(z):
                break
        return off

    def _descend(self, step: Step, z: Floats) -> tuple[Floats, Floats]:
        """Levenberg–Marquardt over a step's unknowns: their places, and the largest residual."""
        tables = step.tables
        assert tables is not None
        reduction, local = self.reduction, step.local
        alias, factor, offset = reduction.alias[local], reduction.factor[local], reduction.offset[local]
        into = (alias[:, None] == step.unknowns) * factor[:, None]

        def at(x: Floats) -> tuple[Floats, Floats]:
            whole[:, step.unknowns] = x
            r, jacobian = tables.linearised(whole[:, alias] * factor + offset)
            return r, jacobian @ into

        whole = z.copy()
        x = z[:, step.unknowns]
        damping = np.full(len(z), 1e-2)
        eye = np.eye(x.shape[1])
        r, jacobian = at(x)
        energy = (r * r).sum(1)
        for made in range(UPDATES):
            transposed = jacobian.transpose(0, 2, 1)
            right = transposed @ r[:, :, None]
            normal = transposed @ jacobian
            least = 1e-14 * np.trace(normal, axis1=1, axis2=2) + 1e-30
            normal += (damping + least)[:, None, None] * eye
            tried = x - np.linalg.solve(normal, right)[:, :, 0]
            r2, j2 = at(tried)
            after = (r2 * r2).sum(1)
            better = after < energy
            x = np.where(better[:, None], tried, x)
            r, jacobian = np.where(better[:, None], r2, r), np.where(better[:, None, None], j2, jacobian)
            energy = np.where(better, after, energy)
            damping = np.clip(np.where(better, damping * 0.2, damping * 5.0), 1e-13, 1e6)
            solved = energy < DONE
            if (solved | (damping > STUCK)).all() or (made >= ENOUGH and 2 * solved.sum() > len(solved)):
                break
        return x, np.abs(r).max(1, initial=0.0)


def _places(tables: Tables, quantity: int) -> Sequence[int]:
    """The unknowns that a quantity depends on."""
    if quantity < tables.unknowns:
        return (quantity,)
    if quantity < tables.base:
        return ()
    ends, depth = tables.ends[quantity - tables.base], tables.depth[quantity - tables.base]
    every = {int(v) for e in ends for v in (e, e + 1)} | {int(v) for v in depth}
    return [v for v in every if v < tables.unknowns]


def _compact(tables: Tables, rows: NDArray[np.bool_]) -> tuple[Tables, NDArray[np.int64]]:
    """Some rows of a system over the unknowns that they need, and those unknowns. Points keep their coordinates together."""
    edges = rows[tables.row]
    used = np.unique(np.concatenate([tables.first[edges], tables.second[edges]]))
    need: set[int] = set()
    for quantity in used.tolist():
        need.update(_places(tables, quantity))
        if quantity >= tables.base:
            need.update(int(v) for e in tables.ends[quantity - tables.base] for v in (e, e + 1) if v < tables.unknowns)
    local = np.array(sorted(need), np.int64)
    # Old places to new: unknowns, then the constants, then the measures that are used.
    place = np.zeros(tables.base + len(tables.kind), np.int64)
    place[local] = np.arange(len(local))
    place[tables.unknowns : tables.base] = len(local) + np.arange(tables.base - tables.unknowns)
    measures = used[used >= tables.base]
    base = len(local) + tables.base - tables.unknowns
    place[measures] = base + np.arange(len(measures))
    number = np.cumsum(rows) - 1
    kept = measures - tables.base
    return replace(
        tables,
        unknowns=len(local),
        kind=tables.kind[kept],
        ends=place[tables.ends[kept]].reshape(-1, 4),
        depth=place[tables.depth[kept]].reshape(-1, 4),
        coefficient=tables.coefficient[edges],
        first=place[tables.first[edges]],
        second=place[tables.second[edges]],
        row=number[tables.row[edges]],
        constant=tables.constant[rows],
        least=tables.least[rows],
        source=tables.source[rows],
    ), local
