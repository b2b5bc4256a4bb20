"""Count rules: how many variables of a row, a column, a window or another group may have a value.

A count is a rule if the examples end sharply at a bound: many at it, none beyond it, while chance often exceeds it.
Chance is sampled from the value frequencies under the pair rules and count rules found before, so that nothing is found
twice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.learned.layout import Layout
from groundstate_models.learned.rules import Count, Group, Rule
from groundstate_training.learning._doubt import Doubt
from groundstate_training.learning._evidence import WRONG, Floats, Ints, Statistics

SAMPLES = 2048
SWEEPS = 8
MOST_ELEMENTS = 5e7
"""Largest size of the sampling tables of a group."""

FEWEST = 64
"""Number of chance samples below which a group is skipped."""

MARGIN = 8.0
BITES = 0.03
"""Part of the chance configurations that a bound must exclude to be a rule."""

BROKEN = 0.08
"""Places beyond a bound, as a part of those that chance puts there, that wrong entries may explain."""

CLIFF = 0.5
"""Examples at the bound, as a part of those that chance puts there among the allowed counts."""

NEARLY = 12.5
"""Nats below the threshold of a rule from which it is asked about: nearly any evidence, since few counts have a bound."""

REPLY = 8.0
"""Nats of a reply that a case is impossible."""

LONGEST_WINDOW = 7


@dataclass(frozen=True)
class Kind:
    """Candidate groups of variables for one count rule."""

    words: str
    groups: tuple[Group, ...]
    pattern: dict[str, Any] | None


def kinds(layout: Layout, more: Sequence[Group] = ()) -> Iterator[Kind]:
    """Groups of one attribute, other groups, windows with the shortest first, and everything."""
    lines: list[tuple[str, tuple[Group, ...], str | None]] = []
    if layout.grid:
        lines = [
            (f"{across} of a {along}", tuple(layout.groups(along).values()), along)
            for along, across in (("row", "cells"), ("column", "cells"))
        ]
    elif layout.ordered:
        axis = layout.attributes[layout.ordered[0]]
        lines = [("variables", (tuple(sorted(range(len(axis)), key=axis.__getitem__)),), None)]
    for attribute in layout.attributes:
        groups = tuple(layout.groups(attribute).values())
        if 1 < len(groups) < len(layout.names):
            yield Kind(f"each {attribute}", groups, {"same": attribute})
    if more:
        yield Kind("each of these groups", tuple(more), None)
    for length in range(3, LONGEST_WINDOW + 1):
        for words, groups, along in lines:
            windows = [g[k : k + length] for g in groups if len(g) > length for k in range(len(g) - length + 1)]
            if windows:
                yield Kind(f"every run of {length} {words}", tuple(windows), {"window": length, "along": along})
    yield Kind("the whole configuration", (tuple(range(len(layout.names))),), {"all": True})


class CountRules:
    """Finds the count rules of examples.

    Args:
        statistics: Statistics of the examples.
        explained: Combinations of values that pair rules forbid, ``(pairs, values, values)`` bool.
        seed: Seed of the chance samples.
        never: Configurations of groups that a person declared impossible, value indices by variable.
        possible: Configurations of groups that a person declared possible.
    """

    def __init__(
        self,
        statistics: Statistics,
        explained: NDArray[np.bool_],
        seed: int = 0,
        *,
        never: Sequence[Mapping[int, int]] = (),
        possible: Sequence[Mapping[int, int]] = (),
    ) -> None:
        self.never, self.possible = never, possible
        self.doubts: list[Doubt] = []
        self.statistics = statistics
        self.layout = statistics.layout
        self.explained = explained
        self.rules: list[Count] = []
        self._random = np.random.default_rng(seed)

    def find(self, more: Sequence[Group] = ()) -> list[Rule]:
        """Find the count rules; ``more`` are groups besides those of the layout."""
        every = list(kinds(self.layout, more))
        self._needs = math.log(2 * len(every) * len(self.layout.values)) + MARGIN
        for kind in every:
            if not self._settled(kind):
                self._of(kind)
        return list(self.rules)

    def _settled(self, kind: Kind) -> bool:
        """Whether the values of the first group all differ, which already determines the counts."""
        group = sorted(kind.groups[0])
        same = np.eye(len(self.layout.values), dtype=bool)
        pairs = [self.statistics.place[i, j] for a, i in enumerate(group) for j in group[a + 1 :]]
        return bool(self.explained[pairs][:, same].all())

    def _of(self, kind: Kind) -> None:
        sizes = {len(group) for group in kind.groups}
        if len(sizes) > 1:
            return
        (size,) = sizes
        chance = self._chance(kind) if "window" not in (kind.pattern or {}) else self._chance_of_window(kind)
        for value in range(len(self.layout.values)):
            counts = self._counts(kind, value)
            if chance is None or len(counts) < 3:
                return
            frequency = np.bincount((chance == value).sum(1), minlength=size + 1) / len(chance)
            self._votes = self._replies(kind, value)
            low, high = self._bounds(counts, frequency, size)
            have = (chance == value).sum(1)
            if low > 0 or high < size:
                text = f"{kind.words} {have_words(low, high, size)} {self.layout.values[value]!s}"
                self.rules.append(
                    Count(text, groups=kind.groups, values=(value,), low=low, high=high, pattern=kind.pattern)
                )
                chance = chance[(have >= low) & (have <= high)]
                chance = chance if len(chance) >= FEWEST else None
            else:
                self._doubt(kind, value, size, chance, have)

    def _doubt(self, kind: Kind, value: int, size: int, chance: Ints, have: Ints) -> None:
        """Ask about the bound with the most evidence, if it is not far below the threshold."""
        if self._nearest is None or self._nearest[0] < -NEARLY:
            return
        nats, low, high = self._nearest
        beyond = np.flatnonzero((have < low) | (have > high))
        if len(beyond):
            case = tuple(zip(kind.groups[0], chance[beyond[0]].tolist(), strict=True))
            words = f"{kind.words} {have_words(low, high, size)} {self.layout.values[value]!s}"
            self.doubts.append(Doubt(words, case, nats))

    def _replies(self, kind: Kind, value: int) -> list[tuple[int, bool]]:
        """Counts of a value in the cases about one of the kind's groups, and whether they are possible."""
        groups = {frozenset(group) for group in kind.groups}
        return [
            (sum(v == value for v in case.values()), good)
            for cases, good in ((self.never, False), (self.possible, True))
            for case in cases
            if frozenset(case) in groups
        ]

    def _counts(self, kind: Kind, value: int) -> Ints:
        x = self.statistics.examples[:, np.array(kind.groups)]
        whole = (x >= 0).all(2)
        return np.asarray((x == value).sum(2)[whole], np.int64)

    def _bounds(self, counts: Ints, frequency: Floats, size: int) -> tuple[int, int]:
        seen = np.bincount(counts, minlength=size + 1).astype(np.float64)
        low, high = 0, size
        self._nearest: tuple[float, int, int] | None = None
        for bound in range(size - 1, -1, -1):  # the tightest upper bound that the examples satisfy
            margin = self._cliff(seen, frequency, slice(0, bound + 1), bound)
            if margin >= 0:
                high = bound
            self._nearer(margin, 0, bound)
        for bound in range(1, size + 1):
            margin = self._cliff(seen, frequency, slice(bound, size + 1), bound)
            if margin >= 0:
                low = bound
            self._nearer(margin, bound, size)
        return (low, high) if low <= high else (0, size)

    def _nearer(self, margin: float, low: int, high: int) -> None:
        if self._nearest is None or margin > self._nearest[0]:
            self._nearest = margin, low, high

    def _cliff(self, seen: Floats, frequency: Floats, inside: slice, bound: int) -> float:
        """Evidence for a bound beyond what it needs, in nats; −inf if the examples or a reply exclude it."""
        total, kept = seen.sum(), seen[inside].sum()
        broken = total - kept
        within = float(np.clip(frequency[inside].sum(), 1e-6, 1.0))
        if 1.0 - within < BITES or broken > BROKEN * (1.0 - within) * total:
            return -math.inf
        outside = [good for have, good in self._votes if not inside.start <= have < inside.stop]
        if any(outside):
            return -math.inf
        nats = max(kept * math.log((1 - rate) / within) + broken * math.log(rate / (1 - within)) for rate in WRONG)
        # One example's groups depend on one another: count each example's evidence half.
        if seen[bound] / kept < CLIFF * frequency[bound] / within:
            return -math.inf
        return float(nats / 2 - self._needs + REPLY * len(outside))

    def _chance(self, kind: Kind) -> Ints | None:
        """Samples of a group's values from single frequencies under the rules so far, ``(samples, size)``."""
        groups = np.array(kind.groups)
        size, values = groups.shape[1], len(self.layout.values)
        which = self._random.integers(0, len(groups), SAMPLES)
        cells = groups[which]
        single = self.statistics.single[cells]
        sample = self._draw(single)
        table = None
        if self._ruled(kind):
            if size * size * values * values * SAMPLES > MOST_ELEMENTS:
                return (
                    None  # too large to sample under its pair rules; without them, chance would overstate the evidence
                )
            table = self._tables(cells, size)
        if table is not None:
            order = np.arange(SAMPLES)
            linked = [[o for o in range(size) if o != k and table[:, k, o].any()] for k in range(size)]
            for _ in range(SWEEPS):
                for k in range(size):
                    bad = np.zeros((SAMPLES, values))
                    for other in linked[k]:
                        bad += table[order, k, other, :, sample[:, other]]
                    sample[:, k] = self._draw((single[:, k] * 1e-6**bad)[:, None])[:, 0]
            good = np.ones(SAMPLES, bool)
            for k in range(size):
                for other in range(k + 1, size):
                    good &= table[order, k, other, sample[:, k], sample[:, other]] == 0
            sample, cells = sample[good], cells[good]
        keep = np.ones(len(sample), bool)
        for rule in self.rules:
            inner = {group for group in rule.groups if len(group) <= size}
            for columns in self._inside(kind, inner):
                have = np.isin(sample[:, columns], rule.values).sum(1)
                keep &= (have >= rule.low) & (have <= rule.high)
        return sample[keep] if keep.sum() >= FEWEST else None

    def _chance_of_window(self, kind: Kind) -> Ints | None:
        """Samples of a window: of the lines that it is part of, under the rules of whole lines too."""
        along = (kind.pattern or {})["along"]
        lines = tuple(self.layout.groups(along).values()) if along else (tuple(range(len(self.layout.names))),)
        whole = self._chance(Kind("", lines, None))
        if whole is None:
            return None
        size = len(kind.groups[0])
        return np.concatenate([whole[:, k : k + size] for k in range(whole.shape[1] - size + 1)])

    def _inside(self, kind: Kind, inner: set[Group]) -> list[list[int]]:
        """Positions of the rule's groups within the kind's groups, if they are the same in all groups."""
        first = {i: k for k, i in enumerate(kind.groups[0])}
        return [[first[i] for i in group] for group in inner if all(i in first for i in group)]

    def _ruled(self, kind: Kind) -> bool:
        """Whether a pair rule constrains two variables of one of the groups."""
        ruled: list[bool] = np.asarray(self.explained.any((1, 2))).tolist()
        place = self.statistics.place
        return any(ruled[place[min(i, j), max(i, j)]] for group in kind.groups for i, j in combinations(group, 2))

    def _tables(self, cells: Ints, size: int) -> NDArray[np.float32] | None:
        place = np.full((len(self.layout.names),) * 2, 0, np.int64)
        i, j = self.statistics.pairs.T
        place[i, j] = place[j, i] = np.arange(len(i))
        values = len(self.layout.values)
        table = np.zeros((len(cells), size, size, values, values), np.float32)
        for k in range(size):
            for other in range(size):
                if k != other:
                    one = self.explained[place[cells[:, k], cells[:, other]]]
                    turned = (cells[:, k] > cells[:, other])[:, None, None]
                    table[:, k, other] = np.where(turned, one.transpose(0, 2, 1), one)
        return table if table.any() else None

    def _draw(self, weights: Floats) -> Ints:
        total = weights.cumsum(-1)
        at = self._random.random(weights.shape[:-1])[..., None] * total[..., -1:]
        return np.asarray((total < at).sum(-1), np.int64).clip(0, weights.shape[-1] - 1)


def have_words(low: int, high: int, size: int) -> str:
    if low == high:
        return f"has exactly {low} ×"
    if low <= 0:
        return f"has at most {high} ×"
    if high >= size:
        return f"has at least {low} ×"
    return f"has {low} to {high} ×"
