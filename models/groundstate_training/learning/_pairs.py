"""Pair rules: value pairs that never occur in a family of pairs, and groups that all differ.

Rules are added greedily, each with the evidence that no rule before it explains, until the evidence of the best one left does
not outweigh the number of rules that might have been found by chance (minimum description length).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate_models.learned.rules import Different, Group, Pairs, Rule
from groundstate_training.learning import _words
from groundstate_training.learning._cliques import TooDenseError, groups_of
from groundstate_training.learning._doubt import Doubt
from groundstate_training.learning._evidence import WRONG, Floats, Statistics, dispersed, dispersion, ratio
from groundstate_training.learning._families import Family, Relation, families, relations

MARGIN = 5.0
"""Margin, in nats, of a rule's evidence over the logarithm of the number of competing rules."""

SURE = 60.0
"""Smallest odds of a pair for a relation that only part of its family has."""

NEARLY = 8.0
"""Nats below the threshold of a rule from which it is asked about."""

OPEN = 0.05
"""Odds of such a pair from which it is asked about."""

CONTRADICTED = -4.0
"""Evidence of one part of a family below which the part contradicts the rule."""

Places = NDArray[np.int64]
Mask = NDArray[np.bool_]


class PairRules:
    """Finds the pair rules of examples.

    Attributes:
        rules: The rules, after `find`.
        doubts: Rules that the examples leave open.
    """

    def __init__(self, statistics: Statistics) -> None:
        self.statistics = statistics
        self.layout = statistics.layout
        self.rules: list[Rule] = []
        self.doubts: list[Doubt] = []
        self.explained: Mask = np.zeros(statistics.seen.shape, bool)
        self._noise: tuple[int, tuple[float, ...]] | None = None

    def find(self) -> None:
        """Find rules of families and combinations that they never have, then groups, then relations of some pairs."""
        known = self._families()
        self._entries(known)
        self._groups()
        self._sparse()
        self._single()

    # Families -----------------------------------------------------------------------------------------------------------

    def _families(self) -> Sequence[Family]:
        known = families(self.layout)
        relations_ = relations(self.layout)
        competitors = len(known) * (len(relations_) + len(self.layout.values) ** 2)
        needs = math.log(competitors) + MARGIN
        rows = {id(family): self._rows(family) for family in known}
        while True:
            best: tuple[float, Family, Relation, Mask] | None = None
            for family in known:
                for relation in relations_:
                    mask = self._mask(family, relation)
                    nats = self._evidence(family, rows[id(family)], mask)
                    if best is None or nats > best[0] + 1e-9:
                        best = nats, family, relation, mask
            if best is None or best[0] < needs:
                self._doubt_families(known, rows, needs)
                break
            _, family, relation, mask = best
            self._add(family, relation, rows[id(family)], mask)
        return known

    def _doubt_families(self, known: Sequence[Family], rows: dict[int, Places], needs: float) -> None:
        """Ask about relations of whole families that are not excluded."""
        for family in known:
            at = rows[id(family)]
            for relation in relations(self.layout):
                mask = self._mask(family, relation)
                nats = self._evidence(family, at, mask)
                if needs - NEARLY < nats < needs:
                    free = np.where(mask & ~self.explained[at], self.statistics.expected[at], 0.0)
                    place, a, b = np.unravel_index(int(free.argmax()), free.shape)
                    i, j = family.pairs[int(place)]
                    self.doubts.append(
                        Doubt(f"{family.words} {relation.words}", ((i, int(a)), (j, int(b))), nats - needs)
                    )

    def _entries(self, known: Sequence[Family]) -> None:
        """Single combinations of values that a whole family never has."""
        n = len(self.layout.values)
        needs = math.log(max(len(known), 1) * (len(relations(self.layout)) + n**2)) + MARGIN
        rows = {id(family): self._rows(family) for family in known}
        while True:
            best: tuple[float, Family, Mask] | None = None
            counts = {}
            for family in known:
                at = rows[id(family)]
                free = ~self.explained[at]
                counts[id(family)] = (
                    np.where(free, self.statistics.seen[at], 0.0).sum(0),
                    np.where(free, self.statistics.expected[at], 0.0).sum(0),
                )
            spread = dispersion(*(np.stack([one[part] for one in counts.values()]) for part in (0, 1)))
            for family in known:
                at = rows[id(family)]
                seen, expected = counts[id(family)]
                good = dispersed(seen, expected, spread, self._rates) >= needs
                if not good.any():
                    continue
                chosen = np.zeros((n, n), bool)
                for a, b in np.argwhere(good):
                    one = np.zeros((n, n), bool)
                    one[a, b] = True
                    chosen[a, b] = np.isfinite(self._evidence(family, at, np.broadcast_to(one, (len(at), n, n))))
                nats = float(dispersed(seen, expected, spread, self._rates)[chosen].sum())
                if chosen.any() and (best is None or nats > best[0]):
                    best = nats, family, chosen
            if best is None:
                self._doubt_entries(known, rows, counts, spread, needs)
                return
            _, family, chosen = best
            at = rows[id(family)]
            relation = Relation(_words.never(self.layout, chosen), chosen)
            self._add(family, relation, at, np.broadcast_to(chosen, (len(at), n, n)))

    def _doubt_entries(
        self,
        known: Sequence[Family],
        rows: dict[int, Places],
        counts: dict[int, tuple[Floats, Floats]],
        spread: float,
        needs: float,
    ) -> None:
        """Ask about combinations of whole families that never occur, without enough evidence yet."""
        found = []
        for family in known:
            seen, expected = counts[id(family)]
            nats = np.where(seen > 0, -np.inf, dispersed(seen, expected, spread, self._rates))
            if not np.isfinite(nats).any():
                continue
            a, b = np.unravel_index(int(nats.argmax()), nats.shape)
            if needs - NEARLY < nats[a, b] < needs:
                at = rows[id(family)]
                i, j = family.pairs[int(self.statistics.expected[at][:, a, b].argmax())]
                one = np.zeros(nats.shape, bool)
                one[a, b] = True
                words = f"{family.words} {_words.never(self.layout, one)}"
                found.append(Doubt(words, ((i, int(a)), (j, int(b))), float(nats[a, b]) - needs))
        self.doubts += sorted(found, key=lambda doubt: -doubt.evidence)[:5]

    def _rows(self, family: Family) -> Places:
        return np.array([self.statistics.place[pair] for pair in family.pairs], np.int64)

    def _mask(self, family: Family, relation: Relation) -> Mask:
        if relation.by_offset:
            places = self.layout.attributes[self.layout.ordered[0]]
            return np.stack([relation.at(places[j] - places[i]) for i, j in family.pairs])
        return np.broadcast_to(relation.forbidden, (len(family.pairs), *relation.forbidden.shape))

    def _evidence(self, family: Family, rows: Places, mask: Mask) -> float:
        """Evidence for a rule beyond the rules so far, in nats; −inf if a part of the family contradicts it."""
        free = mask & ~self.explained[rows]
        seen = np.where(free, self.statistics.seen[rows], 0.0).sum((1, 2))
        expected = np.where(free, self.statistics.expected[rows], 0.0).sum((1, 2))
        if (ratio(seen, expected) < CONTRADICTED).any():
            return -math.inf
        for part in family.split and np.unique(family.split):
            chosen = np.array(family.split) == part
            if ratio(seen[chosen].sum(), expected[chosen].sum()) < CONTRADICTED:
                return -math.inf
        return float(ratio(seen.sum(), expected.sum(), self._rates))

    def _add(self, family: Family, relation: Relation, rows: Places, mask: Mask) -> None:
        self.explained[rows] |= mask
        differ = not relation.by_offset and np.array_equal(
            relation.forbidden, np.eye(len(self.layout.values), dtype=bool)
        )
        pattern: dict[str, Any] | None = dict(family.pattern) if family.pattern else None
        if differ and pattern and "offsets" not in pattern:
            attribute = pattern.get("same")
            groups: tuple[Group, ...] = (
                tuple(self.layout.groups(attribute).values()) if attribute else (tuple(range(len(self.layout.names))),)
            )
            groups = tuple(group for group in groups if len(group) > 1)
            self.rules.append(
                Different(_words.different(self.layout, groups, attribute), groups=groups, pattern=pattern)
            )
            return
        text = f"{family.words} {relation.words}"
        entries = [tuple((int(a), int(b)) for a, b in np.argwhere(one)) for one in mask]
        if relation.by_offset:
            rule = Pairs(text, pairs=family.pairs, by_pair=tuple(entries), pattern=pattern)
        else:
            rule = Pairs(text, pairs=family.pairs, forbidden=entries[0], pattern=pattern)
        self.rules.append(rule)

    # Groups -------------------------------------------------------------------------------------------------------------

    def _groups(self) -> None:
        """Find groups of variables that all differ, besides those of attributes."""
        names, values = len(self.layout.names), len(self.layout.values)
        same = np.eye(values, dtype=bool)
        seen = self.statistics.seen[:, same].sum(1)
        expected = self.statistics.expected[:, same].sum(1)
        new = np.asarray(~self.explained[:, same].all(1))
        nats = dispersed(seen, expected, dispersion(seen[new], expected[new]))
        linked: list[bool] = np.asarray((nats > 0) | ~new).tolist()
        adjacent = [0] * names
        for (i, j), good in zip(self.statistics.pairs.tolist(), linked, strict=True):
            if good:
                adjacent[i] |= 1 << j
                adjacent[j] |= 1 << i
        try:
            found = groups_of(adjacent, values)
        except TooDenseError:
            return
        gain = {
            (int(i), int(j)): (float(x), bool(f)) for (i, j), x, f in zip(self.statistics.pairs, nats, new, strict=True)
        }
        groups: list[Group] = []
        near: dict[Group, float] = {}
        candidates = {group: _pairs(group) for group in found}
        while candidates:
            worth = {
                group: sum(gain[pair][0] for pair in pairs if gain[pair][1]) - self._needs(len(group))
                for group, pairs in candidates.items()
            }
            group = max(worth, key=lambda one: (worth[one], one))
            if worth[group] < 0:
                near = worth
                break
            groups.append(group)
            for pair in candidates.pop(group):
                gain[pair] = gain[pair][0], False
        if groups:
            for pair in {pair for group in groups for pair in _pairs(group)}:
                self.explained[self.statistics.place[pair]][same] = True
                self.explained[self.statistics.place[pair], same] = True
            by_size: dict[int, list[Group]] = {}
            for group in groups:
                by_size.setdefault(len(group), []).append(group)
            for some in by_size.values():
                placed = tuple(sorted(some))
                self.rules.append(Different(_words.different(self.layout, placed, None), groups=placed))
        self._doubt_groups(near, gain)

    def _doubt_groups(self, near: dict[Group, float], gain: dict[tuple[int, int], tuple[float, bool]]) -> None:
        for group, worth in sorted(near.items(), key=lambda item: -item[1])[:200]:
            if worth < -NEARLY:
                break
            open_ = [pair for pair in _pairs(group) if gain[pair][1]]
            if not open_:
                continue
            i, j = max(open_, key=lambda pair: gain[pair][0])
            a = int((self.statistics.single[i] * self.statistics.single[j]).argmax())
            self.doubts.append(Doubt(f"{_words.named(self.layout, group)} all differ", ((i, a), (j, a)), worth))

    def _needs(self, size: int) -> float:
        n = len(self.layout.names)
        return math.log(math.comb(n, size)) + MARGIN

    # Some pairs of a family ---------------------------------------------------------------------------------------------

    @property
    def _rates(self) -> tuple[float, ...]:
        """Rates of wrong values consistent with the rules so far."""
        many = int(np.count_nonzero(self.explained))
        if self._noise is None or self._noise[0] != many:
            self._noise = many, self._estimated()
        return self._noise[1]

    def _estimated(self) -> tuple[float, ...]:
        seen = float(self.statistics.seen[self.explained].sum())
        expected = float(self.statistics.expected[self.explained].sum())
        if expected < 300:
            return WRONG
        if not seen:
            return (1e-5,)
        return tuple(rate for rate in WRONG if rate <= max(WRONG[0], 3 * seen / expected))

    def _sparse(self) -> None:
        """Relations that only some neighbours have, with an estimated share (empirical Bayes)."""
        near = [
            family
            for family in families(self.layout)
            if family.pattern and all(sum(map(abs, step)) == 1 for step in family.pattern.get("offsets", [[9]]))
        ]
        while (best := self._best_part(near)) is not None:
            family, relation, chosen = best
            self.explained[self._rows(family)[chosen]] |= relation.forbidden
            pairs = tuple(pair for pair, good in zip(family.pairs, chosen.tolist(), strict=True) if good)
            entries = tuple((int(a), int(b)) for a, b in np.argwhere(relation.forbidden))
            text = f"{_words.listed_pairs(self.layout, pairs)} {relation.words}"
            self.rules.append(Pairs(text, pairs=pairs, forbidden=entries))
            self._doubt_pairs(family, relation)

    def _doubt_pairs(self, family: Family, relation: Relation) -> None:
        """Ask about pairs that may have a relation too, which others of their family have."""
        rows = self._rows(family)
        free = relation.forbidden & ~self.explained[rows]
        expected = np.where(free, self.statistics.expected[rows], 0.0)
        seen = np.where(free, self.statistics.seen[rows], 0.0)
        nats = ratio(seen.sum((1, 2)), expected.sum((1, 2)), self._rates)
        nats = np.where(free.any((1, 2)), nats, -np.inf)
        _, part = _mixed(nats[np.isfinite(nats)])
        odds = np.log(max(part, 0.02) / (1 - part)) + nats
        for place in np.argsort(-odds)[:20]:
            if odds[place] < math.log(OPEN):
                break
            i, j = family.pairs[place]
            a, b = np.unravel_index(int(np.where(seen[place] > 0, 0.0, expected[place]).argmax()), free.shape[1:])
            words = f"{self.layout.names[i]} and {self.layout.names[j]} {relation.words}"
            self.doubts.append(Doubt(words, ((i, int(a)), (j, int(b))), float(odds[place]) - math.log(SURE)))

    def _best_part(self, known: Sequence[Family]) -> tuple[Family, Relation, NDArray[np.bool_]] | None:
        """The relation with the most evidence in some pairs of a family, and in which pairs."""
        relations_ = [relation for relation in relations(self.layout) if not relation.by_offset]
        least = math.log(max(len(known) * len(relations_), 1)) + MARGIN
        rates, best = self._rates, None
        for family in known:
            rows = self._rows(family)
            for relation in relations_:
                free = relation.forbidden & ~self.explained[rows]
                seen = np.where(free, self.statistics.seen[rows], 0.0).sum((1, 2))
                nats = ratio(seen, np.where(free, self.statistics.expected[rows], 0.0).sum((1, 2)), rates)
                gain, part = _mixed(nats)
                chosen = np.asarray(part * np.exp(np.clip(nats, -50, 50)) > SURE * (1 - part))
                if gain > least and chosen.any():
                    least, best = gain, (family, relation, chosen)
        return best

    # Single pairs -------------------------------------------------------------------------------------------------------

    def _single(self) -> None:
        """Rules of one pair of variables, then combinations of one pair."""
        rows = np.arange(len(self.statistics.pairs))
        needs = math.log(max(len(rows) * len(relations(self.layout)), 1)) + 2 * MARGIN
        found: dict[str, tuple[Relation, list[int]]] = {}
        for relation in relations(self.layout):
            if relation.by_offset:
                continue
            free = relation.forbidden & ~self.explained
            seen = np.where(free, self.statistics.seen, 0.0).sum((1, 2))
            expected = np.where(free, self.statistics.expected, 0.0).sum((1, 2))
            nats = dispersed(seen, expected, dispersion(seen, expected), self._rates)
            for row in np.flatnonzero(nats >= needs):
                found.setdefault(relation.words, (relation, []))[1].append(int(row))
                self.explained[row] |= relation.forbidden
        for words, (relation, places) in found.items():
            pairs = tuple((int(i), int(j)) for i, j in self.statistics.pairs[places])
            entries = tuple((int(a), int(b)) for a, b in np.argwhere(relation.forbidden))
            self.rules.append(
                Pairs(f"{_words.listed_pairs(self.layout, pairs)} {words}", pairs=pairs, forbidden=entries)
            )
        self._combinations()

    def _combinations(self) -> None:
        needs = math.log(self.explained.size) + 2 * MARGIN
        seen, expected = (np.where(self.explained, 0.0, x) for x in (self.statistics.seen, self.statistics.expected))
        nats = dispersed(seen, expected, dispersion(seen, expected), self._rates)
        for row in np.unique(np.argwhere(nats >= needs)[:, 0]):
            forbidden = nats[row] >= needs
            i, j = (int(k) for k in self.statistics.pairs[row])
            entries = tuple((int(a), int(b)) for a, b in np.argwhere(forbidden))
            text = f"{self.layout.names[i]} and {self.layout.names[j]} {_words.never(self.layout, forbidden)}"
            self.explained[row] |= forbidden
            self.rules.append(Pairs(text, pairs=((i, j),), forbidden=entries))


def _mixed(nats: NDArray[np.float64]) -> tuple[float, float]:
    """Nats gained by the best part of pairs that a relation holds for, and that part."""
    parts = np.array([0.0, *np.geomspace(0.002, 0.5, 24)])[:, None]
    with np.errstate(divide="ignore"):
        gains = np.logaddexp(np.log1p(-parts), np.log(parts) + nats).sum(1)
    best = int(gains.argmax())
    return float(gains[best]), float(parts[best, 0])


def _pairs(group: Group) -> list[tuple[int, int]]:
    return [(i, j) for place, i in enumerate(group) for j in group[place + 1 :]]
