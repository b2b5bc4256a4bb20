"""Facility layout: rectangles of given areas whose sides are chosen, with short links (unequal-area block layout).

Simulated annealing over slicing floorplans (D. F. Wong and C. L. Liu, "A new algorithm for floorplan design", 1986), for many
chains at once. A floorplan is a sequence of the items, an order in which the gaps between them are cut, and a direction for each
cut. Every floorplan fills its rectangle exactly, so areas hold by construction; aspects and statements are penalties.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.layout.plan import Plan, Stated

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

CHAINS = 96
"""Floorplans that are annealed at once."""

HOT, COLD = 0.12, 4e-4
"""First and last temperature of a run, relative to the mean cost of random floorplans."""

PENALTY = 1.5
"""Cost of a violation of one half of the area's longer side, or of an aspect that is off by its limit, in the same unit."""

STEPS = 50
"""Steps of the shortest run for each item; later runs are longer."""

SHARES = 10
"""Times in a run at which the best quarter of the floorplans replaces the worst."""

LARGEST_SLACK = 1.02
"""Above this ratio of the area to the items' sum, the floorplan may be narrower or lower than the area."""


@dataclass
class Floorplans:
    """Several floorplans.

    Attributes:
        order: Items from first to last, ``(chains, n)``.
        cuts: Gaps between neighbours in the order in which they are cut, ``(chains, n − 1)``.
        upright: Whether the cut at a gap is vertical, by gap, ``(chains, n − 1)``.
        width: Width of the rectangle, ``(chains,)``.
    """

    order: Ints
    cuts: Ints
    upright: NDArray[np.bool_]
    width: Floats

    def copy(self) -> Floorplans:
        return Floorplans(self.order.copy(), self.cuts.copy(), self.upright.copy(), self.width.copy())

    def put(self, rows: Any, other: Floorplans, theirs: Any) -> None:
        """Replace some floorplans by others."""
        self.order[rows], self.cuts[rows] = other.order[theirs], other.cuts[theirs]
        self.upright[rows], self.width[rows] = other.upright[theirs], other.width[theirs]


@dataclass(frozen=True)
class Blocks:
    """Rectangles found.

    Attributes:
        centre: ``(n, 2)``, from the lower left corner of the area.
        size: ``(n, 2)``.
        cost: Links and penalties.
        wrong: Violations of aspects and statements.
    """

    centre: Floats
    size: Floats
    cost: float
    wrong: float


class BlockSearch:
    """Searches floorplans of a plan whose items all have an area in place of a size.

    Args:
        plan: See `plan.Plan`; its area is a rectangle.
        seed: Of every draw.
    """

    def __init__(self, plan: Plan, seed: int = 0) -> None:
        self.names = list(plan.items)
        self.n = len(self.names)
        number = {name: k for k, name in enumerate(self.names)}
        softs = [plan.items[name].soft for name in self.names]
        self.area = np.array([soft.area for soft in softs if soft is not None])
        self.least = np.array([soft.aspect[0] for soft in softs if soft is not None])
        self.most = np.array([soft.aspect[1] for soft in softs if soft is not None])
        left, bottom, right, top = plan.box
        self.wide, self.high = right - left, top - bottom
        self.unit = plan.half
        links = [s for s in plan.stated if s.kind == "linked"]
        self.ends = np.array([[number[name] for name in s.of] for s in links], np.int64).reshape(-1, 2)
        self.flow = np.array([s.strength for s in links])
        self.statements = [
            (s, [number[name] for name in s.of if name in number]) for s in plan.stated if s.kind != "linked"
        ]
        self.loose = self.wide * self.high > LARGEST_SLACK * float(self.area.sum())
        if any(s.kind in ("against", "corner") for s, _ in self.statements):
            self.loose = False
        self.draw = np.random.default_rng(seed)
        self.runs = 0
        self.scale = 0.0
        self.best: Blocks | None = None
        self.elite: Floorplans | None = None

    # -- floorplans ------------------------------------------------------------------------------------------------------

    def random(self, count: int) -> Floorplans:
        n, draw = self.n, self.draw
        order = draw.random((count, n)).argsort(1)
        cuts = draw.random((count, n - 1)).argsort(1)
        total = float(self.area.sum())
        low, high = max(total / self.high, 1e-12), self.wide
        width = np.full(count, self.wide)
        if self.loose:
            width = np.exp(draw.uniform(math.log(low), math.log(max(high, low)), count))
        return Floorplans(order, cuts, draw.random((count, n - 1)) < 0.5, width)

    def rectangles(self, some: Floorplans) -> tuple[Floats, Floats]:
        """Centres and sizes of the items, ``(chains, n, 2)`` each."""
        count, n = some.order.shape
        every = np.arange(count)
        total = np.concatenate([np.zeros((count, 1)), self.area[some.order].cumsum(1)], axis=1)
        height = total[:, -1] / some.width if self.loose else np.full(count, self.high)
        x, y = np.zeros((count, n)), np.zeros((count, n))
        w, h = np.repeat(some.width[:, None], n, 1), np.repeat(height[:, None], n, 1)
        first, last = np.zeros((count, n), np.int64), np.full((count, n), n)
        place = np.arange(n)
        for k in range(n - 1):
            gap = some.cuts[:, k]
            low, high = first[every, gap], last[every, gap]
            share = (total[every, gap + 1] - total[every, low]) / (total[every, high] - total[every, low])
            after = place > gap[:, None]
            inside = (place >= low[:, None]) & (place < high[:, None])
            before, after = inside & ~after, inside & after
            share = share[:, None]
            factor = np.where(before, share, np.where(after, 1.0 - share, 1.0))
            shift = share * after
            upright = some.upright[every, gap][:, None]
            x += w * shift * upright
            y += h * shift * ~upright
            w = np.where(upright, w * factor, w)
            h = np.where(upright, h, h * factor)
            first = np.where(after, gap[:, None] + 1, first)
            last = np.where(before, gap[:, None] + 1, last)
        centre, size = np.empty((count, n, 2)), np.empty((count, n, 2))
        rows = every[:, None]
        centre[rows, some.order, 0], centre[rows, some.order, 1] = x + w / 2, y + h / 2
        size[rows, some.order, 0], size[rows, some.order, 1] = w, h
        return centre, size

    def costs(self, centre: Floats, size: Floats) -> tuple[Floats, Floats]:
        """Lengths of the links by their flows, and violations, ``(chains,)`` each."""
        apart = np.abs(centre[:, self.ends[:, 0]] - centre[:, self.ends[:, 1]]).sum(2)
        aspect = size[..., 0] / size[..., 1]
        off = np.maximum(aspect / self.most, self.least / aspect) - 1.0
        wrong = np.where(off > 1e-9, off + 0.02, 0.0).sum(1)
        for s, of in self.statements:
            amount = self._amount(s, of, centre, size)
            if amount is not None:
                wrong += np.where(amount > 1e-9 * self.unit, amount / self.unit + 0.02, 0.0) * (
                    1.0 if math.isinf(s.strength) else 0.05 * s.strength
                )
        return apart @ self.flow, wrong

    def _amount(self, s: Stated, of: list[int], centre: Floats, size: Floats) -> Floats | None:
        """By how much a statement of a common kind is violated, ``(chains,)``; None for others, which the check decides."""
        low, high = centre - size / 2, centre + size / 2
        if len(of) != len(s.of):
            return None
        a, b = of[0], of[-1]
        side = s.values.get("side")
        if s.kind == "beside" and side in ("left", "right", "above", "below") and not s.values.get("own"):
            axis = 0 if side in ("left", "right") else 1
            one, other = (a, b) if side in ("left", "below") else (b, a)
            found: Floats = (high[:, one, axis] - low[:, other, axis]).clip(0.0)
            return found
        span = np.array([self.wide, self.high])
        walls = {0: low[:, a, 1], 1: span[0] - high[:, a, 0], 2: span[1] - high[:, a, 1], 3: low[:, a, 0]}
        if s.kind == "against":
            wall = s.values.get("wall")
            found = np.min([*walls.values()], axis=0) if wall is None else walls[int(wall)]
            return np.abs(found)
        if s.kind == "corner":
            pairs = [s.values["walls"]] if "walls" in s.values else [(0, 1), (1, 2), (2, 3), (3, 0)]
            found = np.min([np.maximum(walls[p], walls[q]) for p, q in pairs], axis=0)
            return np.abs(found)
        if s.kind == "distance":
            gap = np.maximum(low[:, a] - high[:, b], low[:, b] - high[:, a]).clip(0.0)
            apart = np.hypot(gap[:, 0], gap[:, 1])
            found = np.maximum(s.values.get("least", 0.0) - apart, apart - s.values.get("most", math.inf))
            return found.clip(0.0)
        if s.kind == "half":
            axis = 0 if side in ("east", "west") else 1
            middle = span[axis] / 2
            found = middle - low[:, a, axis] if side in ("east", "north") else high[:, a, axis] - middle
            return found.clip(0.0)
        return None

    # -- annealing -------------------------------------------------------------------------------------------------------

    def run(self) -> bool:
        """One run of annealing, each longer than the one before; whether a better layout was found."""
        count, n = CHAINS, self.n
        now = self.random(count)
        if self.elite is not None:
            # A quarter of the chains starts from the best floorplans so far.
            kept = np.arange(count // 4)
            now.put(kept, self.elite, kept % len(self.elite.width))
        links, wrong = self.costs(*self.rectangles(now))
        if self.scale == 0.0:
            self.scale = max(float(links.mean()), 1e-12)
        steps = STEPS * n * (1 + self.runs)
        cost = links / self.scale + PENALTY * wrong
        best, least = now.copy(), cost.copy()
        # Later runs are alternately hot and lukewarm.
        hot = HOT if self.runs % 2 == 0 else HOT / 4
        for step in range(steps):
            warm = hot * (COLD / hot) ** (step / steps)
            tried = self._moved(now)
            links, wrong = self.costs(*self.rectangles(tried))
            found = links / self.scale + PENALTY * wrong
            accepted = found <= cost - warm * np.log(self.draw.random(count))
            now.put(accepted, tried, accepted)
            cost = np.where(accepted, found, cost)
            better = cost < least
            best.put(better, now, better)
            least = np.where(better, cost, least)
            if step % max(1, steps // SHARES) == steps // SHARES - 1:
                # A quarter only: the population stays diverse.
                ranked = cost.argsort(kind="stable")
                good, bad = ranked[: count // 4], ranked[-(count // 4) :]
                now.put(bad, now.copy(), good)
                cost[bad] = cost[good]
        self.runs += 1
        ranked = least.argsort(kind="stable")[: count // 4]
        self.elite = Floorplans(best.order[ranked], best.cuts[ranked], best.upright[ranked], best.width[ranked])
        centre, size = self.rectangles(self.elite)
        links, wrong = self.costs(centre, size)
        value = links / self.scale + PENALTY * wrong
        k = int(value.argmin())
        if self.best is None or value[k] < self.best.cost * (1 - 1e-9):
            self.best = Blocks(centre[k], size[k], float(value[k]), float(wrong[k]))
            return True
        return False

    def _moved(self, some: Floorplans) -> Floorplans:
        """Each floorplan changed in one place: items swapped or moved, a cut turned, two cuts swapped, or the width changed."""
        draw, made = self.draw, some.copy()
        count, n = some.order.shape
        every = np.arange(count)
        kind = draw.random(count)
        a: Ints = draw.integers(0, n, (count,))
        b: Ints = draw.integers(0, n, (count,))
        swap = np.flatnonzero(kind < 0.3)
        made.order[swap, a[swap]], made.order[swap, b[swap]] = some.order[swap, b[swap]], some.order[swap, a[swap]]
        move = np.flatnonzero((kind >= 0.3) & (kind < 0.5))
        if len(move):
            # The item at a moves to b; what lies between shifts by one.
            place = np.arange(n)
            at, to = a[move][:, None], b[move][:, None]
            source = np.where(place == to, at, place + (at < to) * ((place >= at) & (place < to)))
            source = np.where((at > to) & (place > to) & (place <= at), place - 1, source)
            made.order[move] = np.take_along_axis(some.order[move], source, 1)
        turn = (kind >= 0.5) & (kind < 0.75)
        gap: Ints = draw.integers(0, max(n - 1, 1), (count,))
        if n > 1:
            rows = every[turn]
            made.upright[rows, gap[turn]] ^= True
            cut = np.flatnonzero(kind >= 0.75)
            p: Ints = draw.integers(0, n - 1, (count,))
            q: Ints = draw.integers(0, n - 1, (count,))
            made.cuts[cut, p[cut]], made.cuts[cut, q[cut]] = some.cuts[cut, q[cut]], some.cuts[cut, p[cut]]
        if self.loose:
            total = float(self.area.sum())
            rows = draw.random(count) < 0.15
            width = made.width * np.exp(0.15 * draw.standard_normal(count))
            made.width = np.where(rows, np.clip(width, total / self.high, self.wide), made.width)
        return made
