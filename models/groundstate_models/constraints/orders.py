"""Search over the orders of operations on machines: tabu search on the blocks of a longest path.

An order of the operations on every machine makes a graph whose longest path is the least latest end (its energy). Only a move of
an operation to or from an end of a block, which is a run of operations of one machine on a longest path, can shorten that path
(E. Balas and A. Vazacopoulos, "Guided local search with shifting bottleneck for job shop scheduling", 1998). The search takes
the best move that is not tabu (E. Nowicki and C. Smutnicki, "A fast taboo search algorithm for the job shop problem", 1996),
judged by the estimate of E. Taillard, and restarts from changed copies of the best orders.
"""

from __future__ import annotations

import random

from groundstate_models.constraints.disjunctive import Disjunctive

PATIENCE = 2_000
"""Moves without a shorter path after which a run restarts."""

ELITE = 6
"""Orders that are kept for restarts."""

DISPATCHED = 12
"""Dispatched schedules of which the best begins the search."""

Order = list[list[int]]
"""The operations of each machine in their order."""
Move = tuple[int, int, int, int]
"""An estimate; a machine; the place of an operation; and its new place."""


class OrderSearch:
    """Improves an order from call to call, deterministically for a seed.

    Attributes:
        limit: The longest path that is sought: one less than the best objective.
        best: Starts of the best schedule that keeps every window; None before the first.
        cost: Its objective.
        draw: The random generator; it may be replaced before a run.
    """

    def __init__(self, shop: Disjunctive, seed: int = 0) -> None:
        self.shop, self.draw = shop, random.Random(seed)  # noqa: S311 - no secret
        self.best: list[int] | None = None
        self.cost = self.limit = shop.most
        n = len(shop.names)
        self._after, self._before, self._duration = shop.after, shop.before, shop.duration
        self._machine = [-1] * n
        for m, mine in enumerate(shop.machines):
            for k in mine:
                self._machine[k] = m
        self._tail0 = shop.tails(self.limit)
        self._head, self._tail, self._place = [0] * n, [0] * n, [0] * n
        self._next, self._previous = [-1] * n, [-1] * n
        self._barred: dict[tuple[int, int], int] = {}
        self._moves, self._since = 0, 0
        self._elite: list[tuple[int, Order]] = []
        self._run: tuple[int, Order] | None = None
        self._within = False
        longest = max(map(len, shop.machines))
        self._tenure = 10 + longest // max(1, len(shop.machines))
        self._order: Order = []
        self._length = 0
        self._begin()

    # -- schedules -------------------------------------------------------------------------------------------------------

    def _begin(self) -> None:
        made = [self._dispatched(chance) for chance in [0.0] + [0.3] * (DISPATCHED - 1)]
        scored = []
        for order in made:
            self._take(order)
            scored.append((self._length, order))
            self._note()
        _, order = min(scored, key=lambda pair: pair[0])
        self._take(order)

    def _dispatched(self, chance: float) -> Order:
        """An active schedule (B. Giffler and G. L. Thompson, 1960): longest remaining path first, multiplied by chance."""
        shop, draw = self.shop, self.draw
        rest = list(self._tail0)
        for k in reversed(shop.order):
            for j, lag in shop.after[k]:
                rest[k] = max(rest[k], rest[j] + lag)
        wants = [tail * (1.0 + chance * draw.uniform(-1.0, 1.0)) for tail in rest]
        order: Order = [[] for _ in shop.machines]
        free = [-(10**12)] * len(shop.machines)
        head, left = list(shop.release), [len(some) for some in shop.before]
        ready = [k for k, many in enumerate(left) if not many]
        while ready:
            begins = {k: max(head[k], free[self._machine[k]]) if self._machine[k] >= 0 else head[k] for k in ready}
            first = min(ready, key=lambda k: (begins[k] + self._duration[k], k))
            m, over = self._machine[first], begins[first] + self._duration[first]
            if m >= 0:
                competing = [k for k in ready if self._machine[k] == m and begins[k] < over]
                first = max(competing, key=lambda k: wants[k])
                free[m] = begins[first] + self._duration[first]
                order[m].append(first)
            ready.remove(first)
            for j, lag in shop.after[first]:
                head[j] = max(head[j], begins[first] + lag)
                left[j] -= 1
                if not left[j]:
                    ready.append(j)
        return order

    def _take(self, order: Order) -> None:
        """Continue from an order."""
        self._order = [list(mine) for mine in order]
        for m in range(len(order)):
            self._link(m)
        if not self._measure():
            raise AssertionError("an order that is taken has no cycle")

    def _link(self, m: int) -> None:
        previous, place, following, before = -1, self._place, self._next, self._previous
        for at, k in enumerate(self._order[m]):
            place[k], before[k] = at, previous
            if previous >= 0:
                following[previous] = k
            previous = k
        following[previous] = -1

    def _measure(self) -> bool:
        """Compute the longest paths to and from every operation; False if there is a cycle."""
        order, head = self._heads()
        if len(order) < len(head):
            return False
        after, following, lasts = self._after, self._next, self._duration
        tail = list(self._tail0)
        for k in reversed(order):
            longest = tail[k]
            for j, lag in after[k]:
                if tail[j] + lag > longest:
                    longest = tail[j] + lag
            j = following[k]
            if j >= 0 and tail[j] + lasts[k] > longest:
                longest = tail[j] + lasts[k]
            tail[k] = longest
        self._head, self._tail = head, tail
        self._length = max(map(int.__add__, head, tail))
        return True

    def _heads(self) -> tuple[list[int], list[int]]:
        """The operations, each after its predecessors, without those behind a cycle; and the longest path to each."""
        after, following, lasts = self._after, self._next, self._duration
        head = list(self.shop.release)
        left = [len(some) + (prev >= 0) for some, prev in zip(self._before, self._previous, strict=True)]
        order = [k for k, many in enumerate(left) if not many]
        for k in order:
            begin, j = head[k], following[k]
            for other, lag in after[k] if j < 0 else [*after[k], (j, lasts[k])]:
                if begin + lag > head[other]:
                    head[other] = begin + lag
                left[other] -= 1
                if not left[other]:
                    order.append(other)
        return order, head

    def _note(self) -> bool:
        """Keep the schedule if it is better than the best."""
        if self._length > self.limit:
            return False
        self.best = list(self._head)
        self.cost = max(s + e for s, e in zip(self.best, self.shop.ends, strict=True) if e is not None)
        self.limit = self.cost - 1
        self._tail0 = self.shop.tails(self.limit)
        self._measure()
        return True

    # -- moves -----------------------------------------------------------------------------------------------------------

    def _blocks(self) -> list[list[int]]:
        """Runs of operations of one machine on a longest path, drawn by chance among those that there are."""
        head, tail, length, release, draw = self._head, self._tail, self._length, self.shop.release, self.draw
        starts = [k for k, begin in enumerate(head) if begin == release[k] and begin + tail[k] == length]
        at = starts[int(draw.random() * len(starts))]
        blocks, block = [], [at]
        while tail[at] != self._tail0[at]:
            on = [(j, False) for j, lag in self._after[at] if tail[at] == lag + tail[j]]
            j = self._next[at]
            if j >= 0 and tail[at] == self._duration[at] + tail[j] and all(j != other for other, _ in on):
                on.append((j, True))
            following, same = on[0] if len(on) == 1 else on[int(draw.random() * len(on))]
            if not same:
                if len(block) > 1:
                    blocks.append(block)
                block = []
            block.append(following)
            at = following
        if len(block) > 1:
            blocks.append(block)
        return blocks

    def _candidates(self) -> list[Move]:
        """Moves within the blocks, with estimates of the longest path through the operations moved."""
        found: list[Move] = []
        for block in self._blocks():
            m = self._machine[block[0]]
            first, last = self._place[block[0]], self._place[block[-1]]
            moves = {(at, last) for at in range(first, last)} | {(at, first) for at in range(first + 1, last + 1)}
            moves |= {(first, at) for at in range(first + 1, last)} | {(last, at) for at in range(first + 1, last)}
            for old, new in sorted(moves):
                if abs(old - new) == 1 and old > new:
                    if (new, old) in moves:
                        continue  # the same exchange
                elif not self._possible(m, old, new):
                    continue
                found.append((self._estimate(m, old, new), m, old, new))
        return found

    def _possible(self, m: int, old: int, new: int) -> bool:
        """Whether a move makes no cycle; False if in doubt."""
        mine, head, tail = self._order[m], self._head, self._tail
        moved, passed = mine[old], mine[new]
        if new > old:
            return all(tail[j] <= tail[passed] or head[j] >= head[passed] for j, _ in self._after[moved])
        return all(head[j] <= head[passed] or tail[j] >= tail[passed] for j, _ in self._before[moved])

    def _estimate(self, m: int, old: int, new: int) -> int:
        mine, head, tail, lasts, release = self._order[m], self._head, self._tail, self._duration, self.shop.release
        low, high = (old, new) if old < new else (new, old)
        part = [*mine[old + 1 : new + 1], mine[old]] if old < new else [mine[old], *mine[new:old]]
        end = head[mine[low - 1]] + lasts[mine[low - 1]] if low else -(10**15)
        heads = []
        for k in part:
            begin = max(release[k], end)
            for j, lag in self._before[k]:
                if head[j] + lag > begin:
                    begin = head[j] + lag
            heads.append(begin)
            end = begin + lasts[k]
        rest = tail[mine[high + 1]] if high + 1 < len(mine) else -(10**15)
        longest = -(10**15)
        for k, begin in zip(reversed(part), reversed(heads), strict=True):
            rest += lasts[k]
            if self._tail0[k] > rest:
                rest = self._tail0[k]
            for j, lag in self._after[k]:
                if tail[j] + lag > rest:
                    rest = tail[j] + lag
            if begin + rest > longest:
                longest = begin + rest
        return longest

    def _is_barred(self, m: int, old: int, new: int) -> bool:
        mine, now, barred = self._order[m], self._moves, self._barred
        moved = mine[old]
        if new > old:
            return any(barred.get((k, moved), 0) > now for k in mine[old + 1 : new + 1])
        return any(barred.get((moved, k), 0) > now for k in mine[new:old])

    def _shift(self, m: int, old: int, new: int) -> bool:
        """Make a move; False, and nothing changes, if it makes a cycle."""
        mine = self._order[m]
        mine.insert(new, mine.pop(old))
        self._link(m)
        if self._measure():
            return True
        mine.insert(old, mine.pop(new))
        self._link(m)
        return False

    def _bar(self, m: int, old: int, new: int) -> None:
        """Bar the orders that the move ends, before it is made."""
        mine, until = self._order[m], self._moves + self._tenure + int(self.draw.random() * self._tenure)
        moved = mine[old]
        for k in mine[old + 1 : new + 1] if new > old else mine[new:old]:
            self._barred[(moved, k) if new > old else (k, moved)] = until

    def _move(self) -> bool:
        """Make the best move that is not barred; False if there is none."""
        candidates = self._candidates()
        draw = self.draw.random
        ranked = sorted((estimate, draw(), m, old, new) for estimate, m, old, new in candidates)
        free = [c for c in ranked if c[0] <= self.limit or not self._is_barred(*c[2:])]
        if not free and ranked:
            free = [ranked[int(draw() * len(ranked))]]
        for _, _, m, old, new in free:
            self._bar(m, old, new)
            if self._shift(m, old, new):
                return True
        return False

    # -- the search ------------------------------------------------------------------------------------------------------

    def run(self, moves: int) -> bool:
        """Make some moves; returns whether a better schedule was found."""
        better = False
        if self._within:  # a deadline ended the last call within a move
            self._restart()
        self._within = True
        for _ in range(moves):
            self._moves += 1
            stuck = not self._move()
            if self._note():
                better, self._since = True, 0
                self._run = (self._length, [list(mine) for mine in self._order])
                continue
            if self._run is None or self._length < self._run[0]:
                self._run = (self._length, [list(mine) for mine in self._order])
                self._since = 0
            self._since += 1
            if stuck or self._since > PATIENCE:
                self._restart()
        self._within = False
        return better

    def _restart(self) -> None:
        """Begin a run from a changed copy of one of the best orders, or from a dispatched schedule."""
        if self._run is not None:
            length, order = self._run
            if all(order != other for _, other in self._elite):
                self._elite.append((length, order))
                self._elite.sort(key=lambda pair: pair[0])
                del self._elite[ELITE:]
        self._run, self._since = None, 0
        self._barred.clear()
        if not self._elite or self.draw.random() < 0.2:
            self._take(self._dispatched(0.5))
            return
        self._take(self.draw.choice(self._elite)[1])
        for _ in range(self.draw.randint(4, 16)):
            if candidates := self._candidates():
                _, m, old, new = self.draw.choice(candidates)
                self._shift(m, old, new)
