"""Starts of chains near the best answer: small parts of it are decided again, by coordinate descent on the energy.

Some variables that share factors are undecided, those around a cost first, and decided again one after another, as in a pass of
`starts`; then single variables of violated factors are decided again. The result is kept if its energy is no higher (P. Shaw,
"Using constraint programming and local search methods to solve vehicle routing problems", 1998). This only makes starts: the
descent, the checks of the graph and those of the task decide what is an answer.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from groundstate_models.constraints.starts import ORDER, OVERHEAD, PREFERENCE, TIES, Floats, Numbers, Passes

LEAST, MOST = 3, 12
"""Number of variables that are decided again together."""

REPAIRS = 8
"""Most variables of violated factors to decide again after them."""

PASSES, WORK = 30, 1_000_000
"""The work for one start: that of so many passes, and at most so many edges, with `OVERHEAD` for each decision."""

LARGE = 200_000
"""Edges above which a start is a pass: a decision takes so long that few neighbourhoods could be tried."""

VIOLATED = 1e-9

LATE = 10
"""An assignment is also kept if its energy is no higher than so many tries before (E. K. Burke and Y. Bykov, "The late acceptance
hill-climbing heuristic", 2017)."""

STEP = 0.01
"""Share of the cost of an assignment by which the next one must cost less."""

SNAPSHOTS = 3
"""Most assignments that an improvement returns."""


@dataclass
class _State:
    """An assignment, and what it means for the factors."""

    found: Numbers
    mean: Floats
    variance: Floats
    beyond: Floats

    def copy(self) -> _State:
        return _State(self.found.copy(), self.mean.copy(), self.variance.copy(), self.beyond.copy())


class Neighbourhoods:
    """Improves assignments of one problem.

    Args:
        passes: The passes of the problem.
    """

    def __init__(self, passes: Passes) -> None:
        self.passes = passes
        order = np.argsort(passes.pair_factor, kind="stable")
        self._rows = passes.pair_row[order]
        self._ends = np.searchsorted(passes.pair_factor[order], np.arange(len(passes.low) + 1))
        self._late = passes.last < 0
        self._cheapest = np.where(passes.domain > 0, passes.cost, np.inf).min(1)
        self._least = float(self._cheapest.sum()) / PREFERENCE
        self.work = 0
        self._latest: list[tuple[Numbers, _State, float]] = []

    def improved(self, given: Numbers, random: np.random.Generator) -> list[tuple[Numbers, bool]]:
        """Different assignments near a given one, the best one first, ``(variables,)`` each, and whether it violates nothing.

        Once an assignment violates nothing, the bound on the cost is lowered below its cost, also for later calls.
        """
        now, energy = self._known(given)
        if not self.passes.undecided.any():  # limits leave every variable one value
            return [(now.found, self.right(given))]
        best, least = now, energy
        until = self.work + min(PASSES * self.passes.work, WORK)
        right: list[Numbers] = []
        found, before, tries = [now.found], [energy] * LATE, 0
        while self.work < until:
            if not (best.beyond > VIOLATED).any():
                right.append(best.found)
                if not self._tighten(best):
                    break
                now = best
                energy = least = self._energy(now)
                found, before = [], [energy] * LATE
            tried = now.copy()
            self._again(tried, self._part(now, random), random)
            self._repair(tried, random)
            other = self._energy(tried)
            if other <= max(energy, before[tries % LATE]) + VIOLATED:
                now, energy = tried, other
            before[tries % LATE] = energy
            tries += 1
            if energy <= least + VIOLATED and now is not best:
                if energy < least - VIOLATED:
                    found.append(now.found)
                best, least = now, energy
        if not right and best.found is not found[-1]:
            found.append(best.found)
        both = [*((one, True) for one in right[::-1]), *((one, False) for one in found[::-1])]
        return both[:SNAPSHOTS]

    def _tighten(self, state: _State) -> bool:
        """Allow only lower costs than that of an assignment, which then violates this; whether there may be any."""
        passes = self.passes
        total = float(state.mean[0])
        if not passes.bounded or total <= self._least + VIOLATED:
            return False
        passes.high[0] = total - max(STEP * abs(total), 10 * VIOLATED)
        first = np.zeros(1, np.int64)
        state.beyond[0] = passes.beyond_of(first, state.mean[:1], state.variance[:1])[0]
        passes.beyond[0] = passes.beyond_of(first, passes.mean[:1], passes.variance[:1])[0]
        self._latest = []
        return True

    def shaken(self, given: Numbers, random: np.random.Generator) -> Numbers:
        """An assignment near a given one, of any energy: one part of it is decided again."""
        state = self._known(given)[0].copy()
        if self.passes.undecided.any():
            self._again(state, self._part(state, random), random)
            self._repair(state, random)
        return state.found

    def right(self, given: Numbers) -> bool:
        """Whether an assignment violates nothing."""
        return not (self._known(given)[0].beyond > VIOLATED).any()

    def energy(self, given: Numbers) -> float:
        """The energy of an assignment: its violations, squared, and its cost."""
        return self._known(given)[1]

    def _known(self, given: Numbers) -> tuple[_State, float]:
        """The state of an assignment, which must not be changed, and its energy."""
        for one, state, energy in self._latest:
            if one is given:
                return state, energy
        state = self._state(given)
        self._latest = [*self._latest[-3:], (given, state, self._energy(state))]
        return self._latest[-1][1:]

    def _state(self, given: Numbers) -> _State:
        passes = self.passes
        found = np.where(passes.domain[np.arange(len(given)), given] > 0, given, passes.cheapest)
        chosen = np.zeros(passes.domain.shape)
        chosen[np.arange(len(found)), found] = 1.0
        given_to = passes.coefficient * chosen.reshape(-1)[passes.literal]
        mean = np.bincount(passes.factor, given_to, len(passes.low)).astype(np.float64)
        variance = np.zeros(len(mean))
        state = _State(found, mean, variance, passes.beyond_of(np.arange(len(mean)), mean, variance))
        # Choices that follow from the others are not part of what is given.
        self._again(state, np.flatnonzero(self._late & passes.undecided), None)
        return state

    def _energy(self, state: _State) -> float:
        return float(state.beyond.sum() + self.passes.cost[np.arange(len(state.found)), state.found].sum())

    def _part(self, state: _State, random: np.random.Generator) -> Numbers:
        """Some variables that share factors, around one that costs something or is in a violated factor."""
        passes, many = self.passes, int(random.integers(LEAST, MOST + 1))
        rows = np.arange(len(state.found))
        dear = np.flatnonzero((passes.cost[rows, state.found] > self._cheapest) & passes.undecided)
        some = dear if len(dear) and random.random() < 0.7 else np.flatnonzero(passes.undecided)
        part = {int(random.choice(some))}
        frontier = list(part)
        while len(part) < many and frontier:
            row = frontier.pop(int(random.integers(len(frontier))))
            factors = passes.variables[row].factors
            for factor in random.permutation(factors)[:4].tolist():
                near = self._rows[self._ends[factor] : self._ends[factor + 1]]
                for other in random.permutation(near)[:4].tolist():
                    if other not in part and passes.undecided[other]:
                        part.add(other)
                        frontier.append(other)
            if not frontier and len(part) < many:
                break
        return np.array(sorted(part))

    def _again(self, state: _State, part: Numbers, random: np.random.Generator | None) -> None:
        """Undecide some variables, and the choices that follow from them, and decide them again."""
        near = np.concatenate([self.passes.variables[row].factors for row in part.tolist()] or [part])
        followers = [self._rows[self._ends[factor] : self._ends[factor + 1]] for factor in np.unique(near).tolist()]
        late = np.unique(np.concatenate(followers or [part]))
        late = late[self._late[late] & self.passes.undecided[late]]
        todo = np.setdiff1d(part, late)
        for row in (*todo.tolist(), *late.tolist()):
            self._release(state, row)
        noise = np.zeros(len(todo)) if random is None else ORDER * random.standard_normal(len(todo))
        waiting = dict(zip(todo.tolist(), noise.tolist(), strict=True))
        while waiting:
            press = {
                row: float(np.log(state.beyond[self.passes.variables[row].factors].sum() + 1e-9)) for row in waiting
            }
            row = max(waiting, key=lambda one: press[one] + waiting[one])
            del waiting[row]
            self._decide(state, row, random)
        for row in late.tolist():
            self._decide(state, row, None)

    def _repair(self, state: _State, random: np.random.Generator) -> None:
        """Decide single variables of violated factors again."""
        for _ in range(REPAIRS):
            violated = np.flatnonzero(state.beyond > VIOLATED)
            if not len(violated):
                return
            factor = int(random.choice(violated))
            near = self._rows[self._ends[factor] : self._ends[factor + 1]]
            near = near[self.passes.undecided[near]]
            if len(near):
                self._again(state, np.array([int(random.choice(near))]), random)

    def _release(self, state: _State, row: int) -> None:
        one, p = self.passes.variables[row], self.passes.share[row]
        size, taken = len(one.factors), one.value == state.found[row]
        share = one.coefficient * p[one.value]
        state.mean[one.factors] += np.bincount(one.of, share - one.coefficient * taken, size)
        state.variance[one.factors] += np.bincount(one.of, one.coefficient * share * (1.0 - p[one.value]), size)
        state.beyond[one.factors] = self.passes.beyond_of(
            one.factors, state.mean[one.factors], state.variance[one.factors]
        )
        self.work += len(one.value) + OVERHEAD

    def _decide(self, state: _State, row: int, random: np.random.Generator | None) -> None:
        ties = 0.0 if random is None else TIES * random.standard_normal(self.passes.domain.shape[1])
        state.found[row] = self.passes.decide(row, state.mean, state.variance, state.beyond, ties)
        self.work += len(self.passes.variables[row].value) + OVERHEAD
