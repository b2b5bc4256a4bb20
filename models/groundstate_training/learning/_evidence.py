"""Pair statistics of examples, and their evidence for a rule.

A rule forbids combinations of values at certain places. Without it, such a combination would occur at each place as the
frequencies of the single values predict; the examples give the actual count. The evidence is the log likelihood ratio of the two
explanations, in nats, with a small rate of wrong values allowed under the rule.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from groundstate_models.learned.layout import Layout

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

WRONG = (0.003, 0.01, 0.03)
"""Rates at which wrong values may break a hard rule, relative to the rate without the rule."""

LEAST_EXPECTED = 8.0
"""Expected occurrences of a combination from which it tells about the dispersion."""

SCARCE = 1.5
"""Factor on the dispersion for the rare combinations that its estimate leaves out."""

SMALLEST_SPREAD = 0.01

SHRINK = 20.0
"""Weight of the value frequencies of all variables, in examples, in each variable's own."""


def ratio(seen: Floats | float, expected: Floats | float, rates: tuple[float, ...] = WRONG) -> Floats:
    """Nats by which a rule explains ``seen`` violations better than chance, which expects ``expected`` (Poisson).

    Args:
        seen, expected: Violations.
        rates: Rates of wrong values to allow for.
    """
    o, e = np.asarray(seen, np.float64), np.asarray(expected, np.float64)
    best = np.full(np.broadcast(o, e).shape, -np.inf)
    for rate in rates:
        best = np.maximum(best, o * math.log(rate) + e * (1.0 - rate))
    return best


def dispersion(seen: Floats, expected: Floats) -> float:
    """How much counts vary beyond chance, as the variance of their relative rate, 0 for independent variables.

    Rules and indirect dependence make some combinations rarer than independence predicts, without forbidding them. The estimate
    is the mean over the combinations that are rarer than expected but were seen, so that forbidden ones do not count.
    """
    use = (expected >= LEAST_EXPECTED) & (seen > 0.1 * expected) & (seen < expected)
    if np.count_nonzero(use) < 10:
        return 0.0
    o, e = seen[use], expected[use]
    return float(max(0.0, SCARCE * (((o - e) ** 2 - e) / e**2).mean()))


def dispersed(seen: Floats, expected: Floats, spread: float, rates: tuple[float, ...] = WRONG) -> Floats:
    """`ratio`, against chance with a dispersion (negative binomial): the evidence for an exception among varied counts."""
    nats = ratio(seen, expected, rates)
    if spread < SMALLEST_SPREAD:
        return nats
    o, e = np.asarray(seen, np.float64), np.asarray(expected, np.float64)
    r = 1.0 / spread
    log_gamma = np.vectorize(math.lgamma, otypes=[np.float64])
    # log Poisson(o; e) - log NB(o; e, r), which replaces Poisson chance by dispersed chance
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = (
            log_gamma(o + r) - math.lgamma(r) + r * np.log(r / (r + e)) + np.where(e > 0, o * np.log(e / (r + e)), 0.0)
        )
        poisson = np.where(e > 0, o * np.log(e), 0.0) - e
    return np.asarray(np.minimum(nats, nats + poisson - chance))


@dataclass
class Statistics:
    """Observed counts of value pairs for pairs of variables, and the counts expected by chance.

    Args:
        layout: The variables.
        examples: Value indices, ``(examples, variables)`` int64; −1 where missing.
        never: Combinations that a person declared impossible, ``(i, j, a, b)`` with i < j.
        possible: Combinations that a person declared possible.
    """

    layout: Layout
    examples: Ints
    never: list[tuple[int, int, int, int]] = field(default_factory=list)
    possible: list[tuple[int, int, int, int]] = field(default_factory=list)

    @cached_property
    def single(self) -> Floats:
        """Frequencies of values per variable, shrunk towards those of all variables, ``(variables, values)``."""
        counts = self._hot.sum(0, dtype=np.float64)
        pooled = counts.sum(0) / max(counts.sum(), 1.0)
        return np.asarray((counts + SHRINK * pooled) / (counts.sum(1, keepdims=True) + SHRINK))

    @cached_property
    def _hot(self) -> NDArray[np.float32]:
        return np.asarray(self.examples[..., None] == np.arange(len(self.layout.values)), np.float32)

    @cached_property
    def pairs(self) -> Ints:
        """All pairs i < j, ``(pairs, 2)``."""
        first, second = np.triu_indices(len(self.layout.names), 1)
        return np.stack([first, second], 1)

    @cached_property
    def place(self) -> dict[tuple[int, int], int]:
        """The index of each pair in `pairs`."""
        return {(int(i), int(j)): row for row, (i, j) in enumerate(self.pairs)}

    @cached_property
    def seen(self) -> Floats:
        """Occurrences of each pair of values at each pair, ``(pairs, values, values)``."""
        many, n, v = self._hot.shape
        flat = self._hot.reshape(many, n * v)
        both = (flat.T @ flat).reshape(n, v, n, v)
        i, j = self.pairs.T
        found = both[i, :, j, :].astype(np.float64)
        for one, other, a, b in self.possible:
            found[self.place[one, other], a, b] += 100.0
        return found

    @cached_property
    def expected(self) -> Floats:
        """Occurrences expected by chance, from the frequencies of single values."""
        known = (self.examples >= 0).astype(np.float64)
        i, j = self.pairs.T
        both = (known.T @ known)[i, j]
        found = both[:, None, None] * self.single[i][:, :, None] * self.single[j][:, None, :]
        for one, other, a, b in self.never:
            found[self.place[one, other], a, b] += 8.0
        return np.asarray(found)
