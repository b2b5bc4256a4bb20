"""Starts of chains near answers: one pass of coordinate descent on the energy, from the undecided state.

The variables are decided one after another, those in the most expected violation first. Each takes the value of the lowest
energy: the expected violation of its factors, with the other variables decided or still undecided, and the cost of the value. A
pass changes no decision again, so it repairs nothing; the descent does. Random numbers perturb the order and the energies, so
that chains start differently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.constraints.incidence import edges_of

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]

OPENNESS = 0.3
"""The ``ρ`` of all factors, see `energy`."""

PREFERENCE = 0.3
"""Energy of a value of the largest cost."""

ODDS = 9.0
"""The odds of a chosen value against all others: a variable can still change its value."""

CARRIED = 16.0
"""Velocity of the logits of an assignment that violates nothing. Confinement and noise would undo any logits within a segment;
the momentum of the descent carries these to its end, where the checks see them."""

ORDER, TIES = 0.3, 1e-3
"""Standard deviation of the logarithms by which the order is perturbed, and of the energies."""

WEIGHTS = (5.0, 25.0)
"""Range of the weight of all factors at the start of a decided chain: of weight 1, they do not keep variables with many values
decided (`energy`), and the chain would forget its start."""

MOST_WEIGHT = 400.0
"""Largest weight of a factor in a pass."""

LAST = 100.0
"""Puts the variables to decide last behind all others; a logarithm."""

MOST_PAIRS = 20_000_000
"""Above this many variables times (variable, factor) pairs, the order of a pass is that of the undecided state."""

OVERHEAD = 400
"""The work of a decision beside its edges, in edges."""

MOST_WORK = 1_500_000
"""Edges, with `OVERHEAD` for each decision, summed over the chains of a call, above which further chains start undecided."""


@dataclass(frozen=True)
class _Variable:
    """The edges of a variable.

    Attributes:
        factors: Its factors, each once.
        of: The place of each edge's factor among them.
        value, coefficient: Of each edge.
    """

    factors: Numbers
    of: Numbers
    value: Numbers
    coefficient: Floats


class Passes:
    """Makes starts of chains for one problem.

    Its first factor bounds the cost, if `bounded`.

    Args:
        tensors: The energy's inputs, as `tensors.Network.tensors` makes them.
        last: Numbers of the variables to decide last: choices that follow from the others.
    """

    def __init__(self, tensors: Mapping[str, NDArray[Any]], last: Sequence[int] = ()) -> None:
        self.domain, self.cost = tensors["domain"], PREFERENCE * tensors["cost"].astype(np.float64)
        self.low, self.high = (tensors[name].astype(np.float64) for name in ("low", "high"))
        literal, factor, coefficient = edges_of(tensors)
        self.bounded = bool((tensors["more"] == 1).any())
        row = literal // self.domain.shape[1]
        order = np.lexsort((factor, row))
        self.literal, self.factor, row = literal[order], factor[order], row[order]
        self.coefficient = coefficient[order].astype(np.float64)
        self.edges = len(literal)
        self.weight = self._weights()
        self.variables = self._variables(row)
        open_ = self.domain.sum(1)
        self.share = (self.domain / open_[:, None]).astype(np.float64)
        self.sure = np.log(ODDS * np.maximum(open_ - 1.0, 1.0)).astype(np.float32)
        self.undecided = (open_ > 1) & (np.bincount(row, minlength=len(self.domain)) > 0)
        self.work = self.edges + OVERHEAD * int(self.undecided.sum())
        self.cheapest = np.where(self.domain > 0, self.cost, np.inf).argmin(1)
        self.last = np.zeros(len(self.domain))
        self.last[list(last)] = -LAST
        chosen = self.share.reshape(-1)[self.literal]
        self.mean: Floats = np.bincount(self.factor, self.coefficient * chosen, len(self.low)).astype(np.float64)
        spread = self.coefficient**2 * chosen * (1.0 - chosen)
        self.variance: Floats = np.bincount(self.factor, spread, len(self.low)).astype(np.float64)
        self.beyond = self.beyond_of(np.arange(len(self.low)), self.mean, self.variance)

    def _pressure(self, beyond: Floats) -> Floats:
        """The logarithm of the expected violation of each variable's factors; far below for variables to decide last."""
        summed = np.bincount(self.pair_row, beyond[self.pair_factor], len(self.domain))
        found: Floats = np.log(summed + 1e-9) + self.last
        return found

    def _variables(self, row: Numbers) -> list[_Variable]:
        """The edges of each variable, from the variable of each edge; edges are sorted by variable, then by factor."""
        new = np.ones(self.edges, bool)
        new[1:] = (row[1:] != row[:-1]) | (self.factor[1:] != self.factor[:-1])
        pair = np.cumsum(new) - 1
        self.pair_factor, self.pair_row = self.factor[new], row[new]
        value = self.literal - row * self.domain.shape[1]
        ends = np.searchsorted(row, np.arange(len(self.domain) + 1)).tolist()
        found = []
        for begin, end in pairwise(ends):
            first, last = (int(pair[begin]), int(pair[end - 1]) + 1) if end > begin else (0, 0)
            edges = slice(begin, end)
            found.append(
                _Variable(self.pair_factor[first:last], pair[edges] - first, value[edges], self.coefficient[edges])
            )
        return found

    def beyond_of(self, factors: Numbers, mean: Floats, variance: Floats) -> Floats:
        """The squared expected violation of both sides of factors, with their weights."""
        both = np.stack([mean - self.high[factors], self.low[factors] - mean])
        squared = np.square(0.5 * (both + np.sqrt(np.square(both) + 2.0 * OPENNESS * variance))).sum(0)
        found: Floats = self.weight[factors] * squared
        return found

    def _weights(self) -> Floats:
        """Weights with which a violation by the least coefficient counts as much as any, but for the factor of the costs."""
        least = np.ones(len(self.low))
        np.minimum.at(least, self.factor, np.abs(self.coefficient))
        if self.bounded:
            least[0] = 1.0  # it has as many different coefficients as there are costs
        found: Floats = np.minimum(1.0 / np.square(least), MOST_WEIGHT)
        return found

    def chosen(self, random: np.random.Generator) -> Numbers:
        """A value of each variable, ``(variables,)``."""
        mean, variance, beyond = self.mean.copy(), self.variance.copy(), self.beyond.copy()
        noise = ORDER * random.standard_normal(len(self.variables))
        ties = TIES * random.standard_normal(self.domain.shape)
        found: Numbers = self.cheapest.copy()
        pressure = self._pressure(beyond)
        todo = [number for number in np.argsort(-pressure - noise, kind="stable").tolist() if self.undecided[number]]
        waiting = np.zeros(len(self.variables), bool)
        waiting[todo] = True
        dynamic = len(todo) * len(self.pair_factor) <= MOST_PAIRS
        for place in range(len(todo)):
            number = todo[place]
            if dynamic and place:
                number = int(np.where(waiting, self._pressure(beyond) + noise, -np.inf).argmax())
            waiting[number] = False
            found[number] = self.decide(number, mean, variance, beyond, ties[number])
        return found

    def decide(self, number: int, mean: Floats, variance: Floats, beyond: Floats, ties: Floats | float) -> int:
        """The value of the lowest energy for an undecided variable; what it means for the factors is written to the arrays."""
        one, p = self.variables[number], self.share[number]
        share = one.coefficient * p[one.value]
        size = len(one.factors)
        here = mean[one.factors] - np.bincount(one.of, share, size)
        spread = variance[one.factors] - np.bincount(one.of, one.coefficient * share * (1.0 - p[one.value]), size)
        spread = np.maximum(spread, 0.0)
        without = self.beyond_of(one.factors, here, spread)
        having = self.beyond_of(one.factors[one.of], here[one.of] + one.coefficient, spread[one.of])
        change = np.bincount(one.value, having - without[one.of], self.domain.shape[1])
        energy = change + self.cost[number] + ties
        best = int(np.where(self.domain[number] > 0, energy, np.inf).argmin())
        taken = one.value == best
        here[one.of[taken]] += one.coefficient[taken]
        without[one.of[taken]] = having[taken]
        mean[one.factors], variance[one.factors], beyond[one.factors] = here, spread, without
        return best

    def starts(
        self,
        random: np.random.Generator,
        count: int,
        spread: float,
        near: Callable[[np.random.Generator], Sequence[tuple[Numbers, bool]]] | None = None,
    ) -> dict[str, NDArray[np.float32]]:
        """State of new chains: every second one is undecided, as chains start without this.

        Args:
            spread: Standard deviation of the logits.
            near: Makes different assignments near the best answer, with which the first chains begin, and says whether each
                violates nothing: such a chain has velocities that keep its values for a segment.

        Returns:
            ``y`` and ``y.velocity``, the logits and their velocities, ``(count, variables, values)``, and ``chain.weights``,
            those of the factors' sides, ``(count, 2, factors)``.
        """
        y = (spread * random.standard_normal((count, *self.domain.shape))).astype(np.float32)
        velocity = np.zeros_like(y)
        weights = np.ones((count, 2, len(self.low)), np.float32)
        first = 0 if count > 1 else int(random.integers(2))
        given = [] if near is None or first >= count else list(near(random))
        most = len(given) + max(1 - len(given), MOST_WORK // max(self.work, 1))
        for row in range(first, count, 2)[:most]:
            values, right = given.pop(0) if given else (self.chosen(random), False)
            y[row, np.arange(len(self.variables)), values] += self.sure
            velocity[row, np.arange(len(self.variables)), values] = CARRIED * right
            if not right:
                weights[row] = np.exp(random.uniform(*np.log(WEIGHTS)))
        return {"y": y, "y.velocity": velocity, "chain.weights": weights}
