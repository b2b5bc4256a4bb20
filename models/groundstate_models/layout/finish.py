"""Finishes a layout: from what the descent found to places that satisfy every row, moved as little as possible.

The descent decides the arrangement: on which side of each other things are, at which wall, in which turn. For a given
arrangement the rest is a small quadratic program; for turns and circles a few of them, one after another.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundstate_models.layout.fixed_turns import FixedTurns
from groundstate_models.layout.quadratic import least_move
from groundstate_models.layout.rows import Clause, Pair, System
from groundstate_models.layout.tensors import ALTERNATIVES, ATOMS, Arrays, needed, tensors

Floats = NDArray[np.float64]

MARGIN = 1e-7
"""Room that is left between items, so that rounding an answer does not make them overlap."""

CLOSE = 1e-9
"""Violation at which the finish stops."""

EARLY = 2
"""The round from which on the movement so far tells what it will be."""

SNAP, NEARLY = 4, 2e-3
"""From this round on, wishes that are off by less than this are kept exactly."""

REACH = 0.6
"""Rows that are further from their bounds than this are left out of a step."""


WAYS = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
"""Directions from the first part of a pair to the second, on which the two may be kept apart."""


@dataclass
class Linear:
    """The active constraints ``slopes @ d ≥ least`` of a configuration.

    Attributes:
        slopes: ``(m, 3 · items)``, by x, y and the angle.
        least: ``(m,)``.
        equal: ``(m,)``.
        strength: ``(m,)``, infinite if required.
        row: The number of the row of each, pairs first, ``(m,)``.
    """

    slopes: Floats
    least: Floats
    equal: NDArray[np.bool_]
    strength: Floats
    row: NDArray[np.int64]


class Finisher:
    """Rows of a system in numpy, for one configuration at a time."""

    def __init__(self, system: System) -> None:
        self.system = system
        t: Arrays = tensors(system, needed(system))
        self.t = t
        self.count = len(system.bodies)
        self.corners = t["corners"].reshape(-1, 4, 2)
        self.normals = t["normals"].reshape(-1, 4, 2)
        self.clause = t["clause"].reshape(-1, ALTERNATIVES, ATOMS)
        rows: list[Pair | Clause] = [*system.pairs, *system.clauses]
        self.low = np.array([row.low for row in rows])
        self.high = np.array([row.high for row in rows])
        self.strength = np.array([row.strength for row in rows])
        self.source = np.array([row.source for row in rows], np.int64)
        self.pairs = len(system.pairs)
        self.margin = np.where((self.source == -1) & (np.arange(len(rows)) < self.pairs), MARGIN, 0.0)
        # The padding of an alternative repeats atoms; each counts once.
        ordered = np.sort(self.clause, axis=2)
        self.clause = ordered
        self.first_of = np.concatenate(
            [np.ones_like(ordered[..., :1], bool), ordered[..., 1:] != ordered[..., :-1]], axis=2
        )
        self.forced: dict[int, int] = {}
        self._last: tuple[bytes, FixedTurns] | None = None
        self.moves = np.array([body.spread > 0 for body in system.bodies])
        self.spins = np.array([body.turning == "free" and body.spread > 0 for body in system.bodies])
        self.wanted = np.array([body.wanted or (np.nan, np.nan) for body in system.bodies])
        self.weight = np.array([body.weight for body in system.bodies])
        self.fixed_angle = np.array([body.turning == "none" for body in system.bodies])
        self.angle = np.array([body.angle for body in system.bodies])

    # -- values --------------------------------------------------------------------------------------------------------

    def _parts(self, centre: Floats, front: Floats) -> tuple[Floats, Floats, Floats]:
        owner = self.t["owner"]
        c, s = front[owner, 0][:, None], front[owner, 1][:, None]

        def turned(v: Floats) -> Floats:
            return np.stack([c * v[..., 0] - s * v[..., 1], s * v[..., 0] + c * v[..., 1]], axis=-1)

        return centre[owner], turned(self.corners), turned(self.normals)

    def linear(self, centre: Floats, front: Floats, reach: float = REACH) -> tuple[Floats, Linear]:
        """Violations of all rows ``(rows,)``, and the active constraints."""
        n = 3 * self.count
        if self.spins.any():
            parts = self._parts(centre, front)
            value, slope = self._pairs(parts, n)
            atoms, atom_slope = self._atoms(parts, front, n)
        else:
            fixed = self._fixed(front)
            value, slope = fixed.pairs(centre, self.forced)
            atoms, atom_slope = fixed.atoms(centre)
        by_clause = atoms[self.clause]
        every = np.arange(len(self.system.clauses))
        choice = by_clause[: len(every)].min(2).argmax(1)
        chosen = self.clause[every, choice]
        values = np.concatenate([value, atoms[chosen].min(1)])
        violation = np.maximum(self.low - values, values - self.high).clip(0.0)
        row = np.concatenate([np.arange(self.pairs), self.pairs + np.repeat(every, ATOMS)])
        first = np.concatenate([np.ones(self.pairs, bool), self.first_of[every, choice].reshape(-1)])
        measured = np.concatenate([value, atoms[chosen].reshape(-1)])
        slopes = np.concatenate([slope, atom_slope[chosen].reshape(-1, n)])
        low, high = self.low + self.margin, self.high
        equal = (self.low == self.high) & (np.arange(len(self.low)) >= self.pairs)
        over = first & (measured - low[row] < reach)
        under = first & (high[row] - measured < reach) & ~equal[row]
        linear = Linear(
            np.concatenate([slopes[over], -slopes[under]]),
            np.concatenate([low[row[over]] - measured[over], measured[under] - high[row[under]]]),
            np.concatenate([equal[row[over]], np.zeros(int(under.sum()), bool)]),
            np.concatenate([self.strength[row[over]], self.strength[row[under]]]),
            np.concatenate([row[over], row[under]]),
        )
        return violation, linear

    def _fixed(self, front: Floats) -> FixedTurns:
        """What the turns alone decide; kept for the next call, which mostly has the same turns."""
        key = front.tobytes()
        if self._last is None or self._last[0] != key:
            parts = self._parts(np.zeros((self.count, 2)), front)
            atoms = self._atoms(parts, front, 3 * self.count)
            self._last = key, FixedTurns(self.system, self.t, parts[1], parts[2], WAYS, atoms)
        return self._last[1]

    def _pairs(self, parts: tuple[Floats, Floats, Floats], n: int) -> tuple[Floats, Floats]:
        count = self.pairs
        if not count:
            return np.zeros(0), np.zeros((0, n))
        middle, corners, normals = parts
        first, second = self.t["first"][:count], self.t["second"][:count]
        a, b = middle[first], middle[second]
        qa, qb = a[:, None] + corners[first], b[:, None] + corners[second]
        na, nb = normals[first], normals[second]
        ra, rb = self.t["radius"][first], self.t["radius"][second]
        on_a = np.einsum("qkd,qcd->qkc", na, qb - a[:, None])
        on_b = np.einsum("qkd,qcd->qkc", nb, qa - b[:, None])
        low_b, low_a = on_a.argmin(2), on_b.argmin(2)
        by_a = on_a.min(2) - self.t["levels"][first] - rb[:, None]
        by_b = on_b.min(2) - self.t["levels"][second] - ra[:, None]
        apart = qb[:, None] - qa[:, :, None]
        length = np.sqrt((apart**2).sum(3)).reshape(count, 16)
        near = length.argmin(1)
        k = np.arange(count)
        close_a, close_b = qa[k, near // 4], qb[k, near % 4]
        size = np.maximum(length[k, near], 1e-12)
        axis = (close_b - close_a) / size[:, None]
        reach_a = np.einsum("qcd,qd->qc", qa - close_a[:, None], axis).max(1)
        reach_b = np.einsum("qcd,qd->qc", qb - close_b[:, None], axis).min(1)
        by_corner = length[k, near] - reach_a + reach_b - ra - rb
        value = np.concatenate([by_a, by_b, by_corner[:, None]], axis=1)
        best = value.argmax(1)
        for row, way in self.forced.items():
            side = np.concatenate([na[row], -nb[row]]) @ WAYS[way]
            best[row] = int(side.argmax())
        axes = np.concatenate([na, -nb, axis[:, None]], axis=1)[k, best]
        on_first = np.concatenate([qb[k[:, None], low_b], qa[k[:, None], low_a], close_a[:, None]], axis=1)[k, best] - a
        on_second = (
            np.concatenate([qb[k[:, None], low_b], qa[k[:, None], low_a], close_b[:, None]], axis=1)[k, best] - b
        )
        slope = np.zeros((count, n))
        one, other = self.t["owner"][first], self.t["owner"][second]
        for item, sign, at in ((one, -1.0, on_first), (other, 1.0, on_second)):
            slope[k, 3 * item] += sign * axes[:, 0]
            slope[k, 3 * item + 1] += sign * axes[:, 1]
            slope[k, 3 * item + 2] += sign * (at[:, 0] * axes[:, 1] - at[:, 1] * axes[:, 0])
        return value[k, best], slope

    def _atoms(self, parts: tuple[Floats, Floats, Floats], front: Floats, n: int) -> tuple[Floats, Floats]:
        middle, corners, _ = parts
        t = self.t
        f, u = front[t["frame"]], t["toward"]
        toward = np.stack([f[:, 0] * u[:, 0] - f[:, 1] * u[:, 1], f[:, 1] * u[:, 0] + f[:, 0] * u[:, 1]], axis=1)
        ends, sides, shares = t["ends"], t["sides"], t["shares"]
        around = corners[ends]
        along = np.einsum("mecd,md->mec", around, toward)
        pick = np.where(sides > 0, along.argmax(2), along.argmin(2))
        point = np.take_along_axis(around, pick[..., None, None], axis=2)[:, :, 0]
        point = np.where((sides == 0)[..., None], around.mean(2), point)
        at = middle[ends] + point
        reach = np.einsum("med,md->me", at, toward) + sides * t["radius"][ends]
        value = (shares * reach).sum(1) - t["level"]
        slope = np.zeros((len(value), n))
        m = np.arange(len(value))
        for e in range(ends.shape[1]):
            item = t["owner"][ends[:, e]]
            slope[m, 3 * item] += shares[:, e] * toward[:, 0]
            slope[m, 3 * item + 1] += shares[:, e] * toward[:, 1]
            spun = point[:, e, 0] * toward[:, 1] - point[:, e, 1] * toward[:, 0]
            slope[m, 3 * item + 2] += shares[:, e] * spun
        swung = (shares * (toward[:, None, 0] * at[..., 1] - toward[:, None, 1] * at[..., 0])).sum(1)
        slope[m, 3 * t["frame"] + 2] += swung
        return value, slope

    # -- sides of a pair -------------------------------------------------------------------------------------------------

    def owners(self, row: int) -> tuple[int, int]:
        """The items of a pair."""
        owner = self.t["owner"]
        return int(owner[self.t["first"][row]]), int(owner[self.t["second"][row]])

    def apart(self, centre: Floats, front: Floats, row: int) -> Floats:
        """How far the second part of a pair is beyond the first along the face nearest to each of `WAYS`, ``(4,)``."""
        t, parts = self.t, np.array([self.t["first"][row], self.t["second"][row]])
        c, s = front[t["owner"][parts]].T[..., None]
        middle = centre[t["owner"][parts]]

        def turned(v: Floats) -> Floats:
            return np.stack([c * v[..., 0] - s * v[..., 1], s * v[..., 0] + c * v[..., 1]], axis=-1)

        (na, nb), corners = turned(self.normals[parts]), middle[:, None] + turned(self.corners[parts])
        level, radius = t["levels"][parts], t["radius"][parts]
        by_a = (na @ (corners[1] - middle[0]).T).min(1) - level[0] - radius[1]
        by_b = (nb @ (corners[0] - middle[1]).T).min(1) - level[1] - radius[0]
        faces = (np.concatenate([na, -nb]) @ WAYS.T).argmax(0)
        found: Floats = np.concatenate([by_a, by_b])[faces]
        return found

    # -- steps -------------------------------------------------------------------------------------------------------------

    def scales(self) -> Floats:
        """By how much each number may move, per unit of the program: 0 for what is fixed, ``(3 · items,)``."""
        scale = np.zeros((self.count, 3))
        scale[self.moves, :2] = 1.0
        scale[self.spins, 2] = 2.0
        return scale

    def finished(
        self, centre: Floats, front: Floats, rounds: int = 12, most: float = math.inf
    ) -> tuple[Floats, Floats, float]:
        """Places and fronts near the given ones that satisfy the rows, and the largest violation of what is required.

        Args:
            centre, front: Of the items, ``(items, 2)``.
            rounds: Quadratic programs at most.
            most: Give up, with an infinite violation, where the items move further in all; they move less from round to round.
        """
        centre, front = centre.copy(), front.copy()
        scale = self.scales()
        pull = ~np.isnan(self.wanted[:, 0]) & self.moves
        goal_at = np.where(pull[:, None], self.wanted, 0.0)
        moved = np.full(self.count, 0.05)
        hard_rows = np.isinf(self.strength)
        wishes = bool((~hard_rows).any())
        least_rounds = SNAP + 1 if pull.any() or wishes else 0
        best = (centre, front, math.inf)
        step = math.inf
        for k in range(rounds + 1):
            violation, linear = self.linear(centre, front)
            worst = float(violation[hard_rows].max(initial=0.0))
            if worst <= max(best[2], CLOSE) and (k >= least_rounds or worst < best[2]):
                best = (centre, front, worst)
            if k == rounds or (
                worst <= CLOSE and (k >= least_rounds) and (step < 2e-4 or k > 6 or not (wishes or pull.any()))
            ):
                break
            goal, by = np.zeros((self.count, 3)), scale.copy()
            if wishes:
                by[~pull] *= 10.0
            if pull.any():
                # Reweighted squares make the sum of the distances small, so that few things move.
                goal[pull, :2] = goal_at[pull] - centre[pull]
                by[pull, :2] *= np.sqrt(np.maximum(moved[pull], 3e-3) / self.weight[pull] / 0.05)[:, None]
            flat = by.reshape(-1)
            hard = np.isinf(linear.strength)
            off = violation[linear.row]
            # Wishes are reweighted in the same way, so that each holds exactly or is given up; what nearly holds is kept.
            soft = ~hard & ~((k >= SNAP) & (off < NEARLY))
            give = np.where(soft, np.maximum(off, 2e-4) / (0.05 * np.where(hard, 1.0, linear.strength)), 0.0)
            least = linear.least - linear.slopes @ goal.reshape(-1)
            move, _ = least_move(linear.slopes * flat, least, linear.equal, give)
            d = (move * flat + goal.reshape(-1)).reshape(self.count, 3)
            turn = np.abs(d[:, 2]).max(initial=0.0)
            if turn > 0.3:
                d[:, 2] *= 0.3 / turn
            step = float(np.abs(d).max(initial=0.0))
            if not math.isfinite(step) or step > 10.0:
                break
            centre = centre + d[:, :2]
            if self.spins.any():
                c, s = np.cos(d[:, 2]), np.sin(d[:, 2])
                front = np.stack([front[:, 0] * c - front[:, 1] * s, front[:, 1] * c + front[:, 0] * s], axis=1)
                front /= np.linalg.norm(front, axis=1, keepdims=True)
            if pull.any():
                moved = np.linalg.norm(centre - np.where(pull[:, None], goal_at, centre), axis=1)
                if k >= EARLY and float((self.weight * moved)[pull].sum()) > most:
                    return centre, front, math.inf
        return best
