"""Finds rules with evidence in examples: pairs and groups first, then counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from groundstate_models.learned.layout import Layout
from groundstate_models.learned.rules import Count, Different, Evidence, Pairs, Rule
from groundstate_training.learning._counts import CountRules
from groundstate_training.learning._doubt import Doubt
from groundstate_training.learning._evidence import Ints, Statistics
from groundstate_training.learning._pairs import PairRules


@dataclass(frozen=True)
class Found:
    """The findings from examples.

    Attributes:
        rules: The hard rules, each with its evidence.
        doubts: Rules that the examples neither support nor exclude, the most likely first.
        odd: Examples that break a rule, by index, with the number of violated places.
    """

    rules: list[Rule]
    doubts: list[Doubt] = field(default_factory=list)
    odd: dict[int, int] = field(default_factory=dict)


def find_rules(
    layout: Layout,
    examples: Ints,
    *,
    known: Sequence[Rule] = (),
    never: Sequence[tuple[int, int, int, int]] = (),
    possible: Sequence[tuple[int, int, int, int]] = (),
    never_groups: Sequence[Mapping[int, int]] = (),
    possible_groups: Sequence[Mapping[int, int]] = (),
    seed: int = 0,
) -> Found:
    """Find the rules that examples satisfy.

    Args:
        layout: The variables.
        examples: Value indices, ``(examples, variables)`` int64; −1 where missing.
        known: Rules that hold for certain; their consequences are not learned again.
        never: Pairs of cells that a person declared impossible, ``(i, j, a, b)`` with i < j.
        possible: Pairs of cells that a person declared possible.
        never_groups: Configurations of larger groups that a person declared impossible, value indices by variable.
        possible_groups: Configurations of larger groups that a person declared possible.
        seed: Seed of the chance samples.
    """
    statistics = Statistics(layout, examples, list(never), list(possible))
    pairs = PairRules(statistics)
    for rule in known:
        _explain(pairs, rule)
    pairs.find()
    groups = [g for rule in pairs.rules if isinstance(rule, Different) and rule.pattern is None for g in rule.groups]
    counts = CountRules(statistics, pairs.explained, seed, never=never_groups, possible=possible_groups)
    counts.rules += [rule for rule in known if isinstance(rule, Count)]
    counted = [rule for rule in counts.find(groups) if rule not in known]
    declared = [*(_two(layout, one) for one in never), *(_some(layout, one) for one in never_groups)]
    rules = [_with_evidence(rule, statistics, declared) for rule in [*pairs.rules, *counted]]
    broken = sum((violations(rule, examples).sum(1) for rule in [*known, *rules]), np.zeros(len(examples), np.int64))
    odd = {int(place): int(broken[place]) for place in np.flatnonzero(broken)}
    stated = [replace(_with_evidence(rule, statistics, []), origin=rule.origin) for rule in known]
    return Found([*stated, *rules], sorted([*pairs.doubts, *counts.doubts], key=lambda doubt: -doubt.evidence), odd)


def violations(rule: Rule, examples: Ints) -> NDArray[np.int64]:
    """Whether each example breaks a rule in each of its places, ``(examples, places)`` int64."""
    match rule:
        case Different(groups=groups):
            columns = [_repeated(examples[:, list(group)]) for group in groups]
        case Pairs(pairs=pairs):
            columns = []
            for place, (i, j) in enumerate(pairs):
                bad = np.zeros(len(examples), bool)
                for a, b in rule.of(place):
                    bad |= (examples[:, i] == a) & (examples[:, j] == b)
                columns.append(bad)
        case Count(groups=groups):
            columns = []
            for group in groups:
                x = examples[:, list(group)]
                have, may = np.isin(x, rule.values).sum(1), (x < 0).sum(1)
                columns.append((have > rule.high) | (have + may < rule.low))
        case _:
            raise TypeError(f"The rule kind {rule.kind!r} cannot be measured on examples.")
    return np.stack(columns, 1).astype(np.int64) if columns else np.zeros((len(examples), 0), np.int64)


def _repeated(x: Ints) -> NDArray[np.bool_]:
    ordered = np.sort(x, 1)
    return np.asarray(((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any(1))


def _explain(pairs: PairRules, rule: Rule) -> None:
    """Mark the combinations that a known rule forbids as explained."""
    place = pairs.statistics.place
    same = np.eye(len(pairs.layout.values), dtype=bool)
    match rule:
        case Different(groups=groups):
            for group in groups:
                for one, i in enumerate(group):
                    for j in group[one + 1 :]:
                        pairs.explained[place[min(i, j), max(i, j)]] |= same
        case Pairs(pairs=known):
            for number, (i, j) in enumerate(known):
                for a, b in rule.of(number):
                    x, y = (a, b) if i < j else (b, a)
                    pairs.explained[place[min(i, j), max(i, j)], x, y] = True


def _with_evidence(rule: Rule, statistics: Statistics, never: Sequence[list[int | None]]) -> Rule:
    broken = violations(rule, statistics.examples)
    expected = _expected(rule, statistics)
    examples = len(statistics.examples)
    evidence = Evidence(examples, int((broken.sum(1) == 0).sum()), int(broken.sum()), expected)
    confirmed = any(not rule.holds(place, one) for one in never for place in range(len(rule.places)))
    return replace(rule, evidence=evidence, origin="confirmed" if confirmed else "learned")


def _two(layout: Layout, cells: tuple[int, int, int, int]) -> list[int | None]:
    configuration: list[int | None] = [None] * len(layout.names)
    i, j, a, b = cells
    configuration[i], configuration[j] = a, b
    return configuration


def _some(layout: Layout, cells: Mapping[int, int]) -> list[int | None]:
    return [cells.get(i) for i in range(len(layout.names))]


def _expected(rule: Rule, statistics: Statistics) -> float:
    """Number of places that chance would break: pairs of equal values, forbidden combinations, or groups beyond the bounds."""
    total = 0.0
    known = (statistics.examples >= 0).astype(np.float64)
    both = known.T @ known
    single = statistics.single
    match rule:
        case Different(groups=groups):
            for group in groups:
                at = list(group)
                same = single[at] @ single[at].T * both[np.ix_(at, at)]
                total += float(np.triu(same, 1).sum())
        case Pairs(pairs=pairs):
            for place, (i, j) in enumerate(pairs):
                total += float(both[i, j] * sum(single[i, a] * single[j, b] for a, b in rule.of(place)))
        case Count(groups=groups):
            for group in groups:
                ways = np.ones(1)
                for p in single[list(group)][:, list(rule.values)].sum(1):
                    ways = np.convolve(ways, [1 - p, p])
                total += float((1 - ways[rule.low : rule.high + 1].sum()) * len(statistics.examples))
    return total
