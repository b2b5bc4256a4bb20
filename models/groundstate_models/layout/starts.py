"""Starts of chains: items placed one after another, each at the best of random candidate places, then placed again in turn.

Candidates lie at walls, in corners, beside items that are placed already, or anywhere; turns are drawn with them. A candidate
costs what the rows between it and everything placed are off by (min-conflicts, S. Minton et al., "Minimizing conflicts", 1992),
for many chains at once. Bounding boxes stand for the parts, so this decides an arrangement; the descent does the rest.

Long because candidates, their costs and the tables behind both share one state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.moves import Moves
from groundstate_models.layout.rows import System
from groundstate_models.layout.tensors import ALTERNATIVES, ATOMS, Arrays, needed, tensors

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FEWEST = 8
"""Starts that are built at least; the best are used."""

CLEAN = 1e-7
"""A start whose rows are off by less in all is left as it is."""

QUARTERS = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -1.0]])

THIRDS = np.array([0.3, 1.0, -1.0, -0.3])
"""The third number of an item's state for each quarter turn, see `energy.LayoutEnergy.placed`."""

CAP = 0.5
"""The violation of a row counts at most this much: an item that is far away is no worse than one that is away."""


@dataclass
class _End:
    """One end of each of several atoms, at the same side, of the item itself or of others.

    Attributes:
        atoms: Numbers within the group.
        side: See `rows.MIN`.
        mine: Whether the parts are the item's own.
        owner, corners, radius: Of the parts.
        shares: See `rows.End`.
    """

    atoms: Ints
    side: int
    mine: bool
    owner: Ints
    corners: Floats
    radius: Floats
    shares: Floats


@dataclass
class _Group:
    """Atoms in the frame of the item, or in other frames.

    Attributes:
        atoms: Numbers among the item's atoms.
        turns: Whether the frame is the item's own.
        frame, toward, level: See `rows.Atom`.
        ends: The ends of all.
    """

    atoms: Ints
    turns: bool
    frame: Ints
    toward: Floats
    level: Floats
    ends: list[_End]


@dataclass
class _Item:
    """What placing an item depends on.

    Attributes:
        parts: Its parts.
        boxes: Of the parts for each turn, relative to its centre, ``(turns, parts, 4)``.
        fronts: Unit vectors of the turns, ``(turns, 2)``.
        thirds: The state's third number of each, ``(turns,)``.
        pairs: Pairs that touch it.
        mine, other: Of each pair: which of its parts, and the other part.
        atoms, clauses: Of the statements about it.
        places: Where the atoms of each clause are among its atoms.
        about: The items that each clause is about, ``(clauses, items)``.
        groups: The atoms, by frame.
        friends: Items that a statement relates it to.
    """

    parts: Ints
    boxes: Floats
    fronts: Floats
    thirds: Floats
    pairs: Ints
    mine: Ints
    other: Ints
    atoms: Ints
    clauses: Ints
    places: Ints
    about: NDArray[np.bool_]
    groups: list[_Group]
    friends: Ints


class Starts:
    """Builds starts for the chains of one system.

    Attributes:
        moves: The numbers of the search.
        work: Candidate places whose cost was computed so far.
    """

    @classmethod
    def of(cls, lowering: Lowering, moves: Moves | None = None) -> Starts:
        left, bottom, right, top = lowering.plan.box
        fronts = {k: lowering.plan.items[name].front for name, k in lowering.numbers.items()}
        return cls(lowering.system, (*lowering.point((left, bottom)), *lowering.point((right, top))), fronts, moves)

    def possible(self, draw: np.random.Generator) -> bool:
        """Whether an arrangement without violations was built."""
        return bool((self.places(draw, 4)[2] <= CLEAN).any())

    def __init__(
        self,
        system: System,
        box: tuple[float, float, float, float],
        ahead: Mapping[int, tuple[float, float]],
        moves: Moves | None = None,
    ) -> None:
        self.system, self.box, self.ahead = system, np.array(box), ahead
        self.moves, self.work = moves or Moves(), 0
        t: Arrays = tensors(system, needed(system))
        self.t = t
        self.owner = t["owner"][: len(system.parts)]
        self.corners = t["corners"].reshape(-1, 4, 2)[: len(system.parts)]
        self.radius = t["radius"][: len(system.parts)]
        self.clause = t["clause"].reshape(-1, ALTERNATIVES, ATOMS)[: len(system.clauses)]
        # Alternatives that only repeat another are padding.
        most = max((len(one.alternatives) for one in system.clauses), default=1)
        longest = max((len(some) for one in system.clauses for some in one.alternatives), default=1)
        self.clause = self.clause[:, :most, :longest]
        self.pair_low = np.array([row.low for row in system.pairs])
        self.pair_high = np.array([row.high for row in system.pairs])
        self.pair_weight = np.array([_weight(row.strength) for row in system.pairs])
        self.clause_low = np.array([row.low for row in system.clauses])
        self.clause_high = np.array([row.high for row in system.clauses])
        self.clause_weight = np.array([_weight(row.strength) for row in system.clauses])
        self.items = {k: self._item(k) for k, body in enumerate(system.bodies) if body.spread > 0}
        self.fixed = [k for k, body in enumerate(system.bodies) if body.spread == 0]
        size = {
            k: float(np.ptp(one.boxes[0, :, [0, 2]]) * np.ptp(one.boxes[0, :, [1, 3]])) for k, one in self.items.items()
        }
        self.size = {k: max(v, 1e-6) for k, v in size.items()}

    def _item(self, k: int) -> _Item:
        body = self.system.bodies[k]
        parts = np.flatnonzero(self.owner == k)
        if body.turning == "none":
            fronts = np.array([[math.cos(body.angle), math.sin(body.angle)]])
            thirds = np.zeros(1)
        else:
            fronts = QUARTERS
            thirds = THIRDS if body.turning == "quarter" else np.array([0.0, 1.0, 50.0, -1.0])
        boxes = []
        for c, s in fronts:
            x = c * self.corners[parts, :, 0] - s * self.corners[parts, :, 1]
            y = s * self.corners[parts, :, 0] + c * self.corners[parts, :, 1]
            r = self.radius[parts]
            boxes.append(np.stack([x.min(1) - r, y.min(1) - r, x.max(1) + r, y.max(1) + r], axis=1))
        t, count = self.t, len(self.system.pairs)
        first, second = t["first"][:count], t["second"][:count]
        one, two = self.owner[first] == k, self.owner[second] == k
        pairs = np.flatnonzero(one != two)
        # Parts of an item need not have consecutive numbers.
        mine = np.searchsorted(parts, np.where(one, first, second)[pairs])
        other = np.where(one, second, first)[pairs]
        used = t["shares"] != 0
        touches = ((self.owner[t["ends"]] == k) & used).any(1) | ((t["frame"] == k) & (k > 0))
        clauses = np.flatnonzero(touches[self.clause].any((1, 2)))
        atoms = np.unique(self.clause[clauses])
        about = np.zeros((len(clauses), len(self.system.bodies)), bool)
        for row, some in enumerate(self.clause[clauses]):
            about[row, self.owner[t["ends"][some]][used[some]]] = True
            about[row, t["frame"][some]] = True
        about[:, 0] = False
        upper = pairs[np.isfinite(self.pair_high[pairs])]
        friends = np.union1d(
            self.owner[first[upper]], np.union1d(self.owner[second[upper]], np.flatnonzero(about.any(0)))
        )
        return _Item(
            parts,
            np.array(boxes),
            fronts,
            thirds,
            pairs,
            mine,
            other,
            atoms,
            clauses,
            np.searchsorted(atoms, self.clause[clauses]),
            about,
            [group for turns in (False, True) if (group := self._group(k, atoms, turns=turns)) is not None],
            np.setdiff1d(friends, [0, k]).astype(np.int64),
        )

    def _group(self, k: int, atoms: Ints, *, turns: bool) -> _Group | None:
        t = self.t
        some = np.flatnonzero(((t["frame"][atoms] == k) & (k > 0)) == turns)
        if not len(some):
            return None
        numbers = atoms[some]
        ends = []
        for e in range(t["ends"].shape[1]):
            for side in (-1, 0, 1):
                for mine in (False, True):
                    part = t["ends"][numbers, e]
                    hit = (t["shares"][numbers, e] != 0) & (t["sides"][numbers, e] == side)
                    use = np.flatnonzero(hit & ((self.owner[part] == k) == mine))
                    if len(use):
                        part = part[use]
                        shares = t["shares"][numbers[use], e]
                        ends.append(
                            _End(use, side, mine, self.owner[part], self.corners[part], self.radius[part], shares)
                        )
        return _Group(some, turns, t["frame"][numbers], t["toward"][numbers], t["level"][numbers], ends)

    # -- placing -----------------------------------------------------------------------------------------------------------

    def places(self, draw: np.random.Generator, count: int) -> tuple[Floats, Ints, Floats]:
        """Centres ``(count, items, 2)``, numbers of the turns ``(count, items)``, and what each start is off by ``(count,)``."""
        n = len(self.system.bodies)
        self.count = several = max(count, FEWEST if count > 1 else 4)
        self.centre = np.zeros((several, n, 2))
        self.front = np.zeros((several, n, 2))
        self.front[..., 0] = 1.0
        self.turn = np.zeros((several, n), np.int64)
        self.boxes = np.zeros((several, len(self.owner), 4))
        self.known = np.zeros(n, bool)
        for k in self.fixed:
            body = self.system.bodies[k]
            self.centre[:, k] = body.anchor
            self.front[:, k] = math.cos(body.angle), math.sin(body.angle)
            self.known[k] = True
            for part in np.flatnonzero(self.owner == k):
                c, s = self.front[0, k]
                x = self.corners[part, :, 0] * c - self.corners[part, :, 1] * s + body.anchor[0]
                y = self.corners[part, :, 0] * s + self.corners[part, :, 1] * c + body.anchor[1]
                r = self.radius[part]
                self.boxes[:, part] = x.min() - r, y.min() - r, x.max() + r, y.max() + r
        every = np.arange(several)
        left = {k: math.log(self.size[k]) + self.moves.order * float(draw.standard_normal()) for k in self.items}
        while left:
            # Large items first, and what is related to something that has a place.
            k = max(left, key=lambda k: left[k] + self.moves.related * bool(self.known[self.items[k].friends].any()))
            self._place(draw, k, every, again=False)
            self.known[k] = True
            del left[k]
        off = self._all_off()
        for _ in range(round(self.moves.sweeps)):
            if off.min() <= CLEAN:
                break
            for k in draw.permutation(list(self.items)):
                rows = np.flatnonzero(self._off(k) > CLEAN)
                if len(rows):
                    self._place(draw, int(k), rows, again=True)
            off = self._all_off()
        best = off.argsort(kind="stable")[:count]
        return self.centre[best], self.turn[best], off[best]

    def _all_off(self) -> Floats:
        off = np.zeros(self.count)
        for k in self.items:
            off += self._off(k)
        return off

    def _off(self, k: int) -> Floats:
        """What the rows that touch an item are off by now, ``(count,)``."""
        every = np.arange(self.count)
        return self._cost(k, every, self.centre[:, k][:, None], self.turn[:, k][:, None])[:, 0]

    def _place(self, draw: np.random.Generator, k: int, rows: Ints, *, again: bool) -> None:
        item = self.items[k]
        at, turn = self._candidates(draw, k, rows)
        if again:
            at = np.concatenate([self.centre[rows, k][:, None], at], axis=1)
            turn = np.concatenate([self.turn[rows, k][:, None], turn], axis=1)
        cost = self._cost(k, rows, at, turn)
        # Of candidates that are equally good, any.
        noise = cost + 1e-3 * draw.random(cost.shape) + (3e-3 * (np.arange(cost.shape[1]) == 0) if again else 0.0)
        best = noise.argmin(1)
        n = np.arange(len(rows))
        self.centre[rows, k], self.turn[rows, k] = at[n, best], turn[n, best]
        self.front[rows, k] = item.fronts[turn[n, best]]
        placed = item.boxes[turn[n, best]] + np.tile(at[n, best], 2)[:, None]
        self.boxes[rows[:, None], item.parts[None]] = placed

    def _candidates(self, draw: np.random.Generator, k: int, rows: Ints) -> tuple[Floats, Ints]:
        """Centres ``(rows, candidates, 2)`` and turns: at a wall, in a corner, beside something placed, or anywhere."""
        moves = self.moves
        item, m, c = self.items[k], len(rows), max(4, round(moves.candidates))
        how = draw.random((m, c))
        axis = draw.integers(0, 2, (m, c))
        turn = draw.integers(0, len(item.fronts), (m, c))
        far = draw.random((m, c)) < 0.5
        wall = how < moves.wall
        if len(item.fronts) > 1 and k in self.ahead:
            # Most items stand with their back to a wall.
            x, y = self.ahead[k]
            ahead = np.stack(
                [item.fronts[:, 0] * x - item.fronts[:, 1] * y, item.fronts[:, 1] * x + item.fronts[:, 0] * y], 1
            )
            inward = np.where(far, -1.0, 1.0)[..., None] * (np.arange(2) == axis[..., None])
            backed = (inward @ ahead.T).argmax(-1)
            turn = np.where(wall & (draw.random((m, c)) < moves.backed), backed, turn)
        box = item.boxes[turn, 0]
        low, high = self.box[:2] - box[..., :2], self.box[2:] - box[..., 2:]
        middle = (low + high) / 2
        low, high = np.minimum(low, middle), np.maximum(high, middle)
        at = low + draw.random((m, c, 2)) * (high - low)
        others = [j for j in self.items if j != k and self.known[j]]
        if others:
            friends = [j for j in item.friends if j in self.items and self.known[j]] or others
            pick = np.where(
                draw.random((m, c)) < moves.friend, draw.choice(friends, (m, c)), draw.choice(others, (m, c))
            )
            main = np.array([self.items[j].parts[0] if j in self.items else 0 for j in range(len(self.known))])
            there = self.boxes[rows[:, None], main[pick]]
            # Beside something along one axis, at once or with a gap; along the other flush, centred or shifted.
            shift = draw.random((m, c, 1))
            flush = draw.random((m, c, 1))
            flush = np.where(flush < 0.2, 0.0, np.where(flush < 0.4, 1.0, np.where(flush < 0.65, 0.5, shift)))
            slide = (
                there[..., :2] - box[..., :2] + flush * (there[..., 2:] - box[..., 2:] - there[..., :2] + box[..., :2])
            )
            gap = np.where(draw.random((m, c, 1)) < moves.touch, 1e-6, 0.5 * draw.random((m, c, 1)) ** 2)
            touch = np.where(far[..., None], there[..., 2:] - box[..., :2] + gap, there[..., :2] - box[..., 2:] - gap)
            next_to = np.where(np.arange(2) == axis[..., None], touch, slide)
            next_, line = 1.0 - moves.beside, 1.0 - moves.beside - moves.along
            at = np.where((how > next_)[..., None], next_to, np.where((how > line)[..., None], slide, at))
        corner = draw.random((m, c)) < moves.corner
        side = np.where((np.arange(2) == axis[..., None]), far[..., None], draw.random((m, c, 1)) < 0.5)
        snapped = wall[..., None] & ((np.arange(2) == axis[..., None]) | corner[..., None])
        at = np.where(snapped, np.where(side, high, low), np.clip(at, low, high))
        body = self.system.bodies[k]
        if body.wanted is not None:
            near = np.array(body.wanted) + body.spread * 0.5 * draw.standard_normal((m, c, 2))
            at = np.where((draw.random((m, c)) < 0.5)[..., None], np.clip(near, low, high), at)
        return at, turn

    # -- cost --------------------------------------------------------------------------------------------------------------

    def _cost(self, k: int, rows: Ints, at: Floats, turn: Ints) -> Floats:
        """What the rows between the item at its candidates and everything placed are off by, ``(rows, candidates)``."""
        item = self.items[k]
        self.work += turn.size
        cost = np.zeros(turn.shape)
        pairs, mine, other = item.pairs, item.mine, item.other
        if not self.known.all():
            live = self.known[self.owner[other]]
            pairs, mine, other = pairs[live], mine[live], other[live]
        if len(pairs):
            a = item.boxes[turn[..., None], mine] + np.tile(at, 2)[:, :, None]
            b = self.boxes[rows[:, None], other][:, None]
            gap = np.maximum(b[..., :2] - a[..., 2:], a[..., :2] - b[..., 2:])
            wide, most = gap.clip(0.0), gap.max(3)
            apart = np.where(most > 0, np.hypot(wide[..., 0], wide[..., 1]), most)
            off = np.maximum(self.pair_low[pairs] - apart, apart - self.pair_high[pairs]).clip(0.0, CAP)
            cost += (off + self.moves.step * (off > 1e-6)) @ self.pair_weight[pairs]
        if len(item.clauses):
            cost += self._clauses(item, k, rows, at, turn)
        return cost

    def _clauses(self, item: _Item, k: int, rows: Ints, at: Floats, turn: Ints) -> Floats:
        clauses, places = item.clauses, item.places
        if not self.known.all():
            lacking = (item.about & ~self.known).sum(1) > (0 if self.known[k] else 1)
            clauses, places = clauses[~lacking], places[~lacking]
        if not len(clauses):
            return np.zeros(turn.shape)
        value = np.empty((*turn.shape, len(item.atoms)))
        mine = item.fronts[turn][:, :, None]
        for group in item.groups:
            front = mine if group.turns else self.front[rows[:, None], group.frame][:, None]
            ux = front[..., 0] * group.toward[:, 0] - front[..., 1] * group.toward[:, 1]
            uy = front[..., 1] * group.toward[:, 0] + front[..., 0] * group.toward[:, 1]
            total = np.broadcast_to(-group.level, (*turn.shape, len(group.atoms))).copy()
            for end in group.ends:
                hx, hy = ux[..., end.atoms], uy[..., end.atoms]
                if end.mine:
                    g, q = mine, at[:, :, None]
                else:
                    g, q = self.front[rows[:, None], end.owner][:, None], self.centre[rows[:, None], end.owner][:, None]
                # The direction in the frame of the part's item.
                vx, vy = g[..., 0] * hx + g[..., 1] * hy, g[..., 0] * hy - g[..., 1] * hx
                along = end.corners[:, :, 0] * vx[..., None] + end.corners[:, :, 1] * vy[..., None]
                if end.side == 0:
                    reach = along.mean(-1)
                else:
                    reach = (along.max(-1) if end.side > 0 else along.min(-1)) + end.side * end.radius
                total[..., end.atoms] += end.shares * (reach + q[..., 0] * hx + q[..., 1] * hy)
            value[..., group.atoms] = total
        best = value[..., places].min(-1).max(-1)
        off = np.maximum(self.clause_low[clauses] - best, best - self.clause_high[clauses]).clip(0.0, CAP)
        found: Floats = (off + self.moves.step * (off > 1e-6)) @ self.clause_weight[clauses]
        return found

    def state(self, draw: np.random.Generator, count: int, items: int) -> Floats:
        """The state of new chains, ``(count, 3 · items)``, padded."""
        centre, turn, _ = self.places(draw, count)
        bodies = self.system.bodies
        found = np.zeros((count, items, 3))
        anchor = np.array([body.anchor for body in bodies])
        spread = np.array([body.spread for body in bodies])
        moves = spread > 0
        found[:, : len(bodies)][:, moves, :2] = (centre - anchor)[:, moves] / spread[moves, None]
        for k, item in self.items.items():
            found[:, k, 2] = item.thirds[turn[:, k]]
            if self.system.bodies[k].turning == "free":
                found[:, k, 2] += 0.15 * draw.standard_normal(count)
        return found.reshape(count, 3 * items)


def _weight(strength: float) -> float:
    return 1.0 if math.isinf(strength) else min(0.02 * strength, 0.3)
