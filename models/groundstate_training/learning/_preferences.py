"""Learns preferences from examples: patterns that usually hold, besides the rules that always hold.

Every example is contrasted with its neighbours: the same configuration with one value changed or two exchanged, if that breaks
no hard rule. Weights of candidate preferences are fitted so that examples cost less than their neighbours (logistic regression
on differences of broken places, a ratio-matching likelihood), non-negative and sparse.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import NormalDist

import numpy as np
import torch
from numpy.typing import NDArray

from groundstate_models.learned.layout import Layout
from groundstate_models.learned.rules import Count, Pairs, Rule
from groundstate_training.learning._evidence import Ints
from groundstate_training.learning._families import families, relations
from groundstate_training.learning._find import violations

NEIGHBOURS = 24
"""Number of neighbours of each example."""

MOST = 60
"""Largest number of preferences."""

FALSE = 0.05
"""Chance of a preference where there is none."""

LEAST = 0.15
"""Weight, in nats, below which a preference is dropped."""

Floats = NDArray[np.float64]


def candidates(layout: Layout) -> Iterator[Rule]:
    """Candidate preferences: values of single variables and of all with one label, and relations of neighbours."""
    values = range(len(layout.values))
    for attribute in layout.attributes:
        for label, group in layout.groups(attribute).items():
            if len(group) < len(layout.names):
                for a in values:
                    text = f"{attribute} {label + 1} is seldom {layout.values[a]}"
                    yield Count(text, groups=tuple((i,) for i in group), values=(a,), low=0, high=0, weight=1.0)
    if len(layout.names) * len(layout.values) <= 600:
        for i, name in enumerate(layout.names):
            for a in values:
                yield Count(
                    f"{name} is seldom {layout.values[a]}", groups=((i,),), values=(a,), low=0, high=0, weight=1.0
                )
    near = [f for f in families(layout) if len(f.pairs) > 1 and f.pattern and ("same" in f.pattern or _near(f.pattern))]
    for family in near:
        for relation in relations(layout)[:2]:
            if not relation.by_offset:
                entries = tuple((int(a), int(b)) for a, b in np.argwhere(relation.forbidden))
                yield Pairs(
                    f"{family.words} usually {relation.words}", pairs=family.pairs, forbidden=entries, weight=1.0
                )
        if len(layout.values) <= 6:
            for a in values:
                for b in values:
                    text = f"{family.words} are seldom ({layout.values[a]}, {layout.values[b]})"
                    yield Pairs(text, pairs=family.pairs, forbidden=((a, b),), weight=1.0)


def _near(pattern: object) -> bool:
    offsets = pattern["offsets"] if isinstance(pattern, dict) and "offsets" in pattern else []
    return len(offsets) == 1 and sum(abs(step) for step in offsets[0]) <= 2


def find_preferences(layout: Layout, examples: Ints, hard: Sequence[Rule], *, seed: int = 0) -> list[Rule]:
    """Add preferences one after another while the best one left is more than chance, and fit their weights; the strongest first.

    A candidate is tested by its score, the gain of the likelihood for a small weight, averaged over the neighbours of each
    example. Examples are independent, neighbours of one example are not. The level `FALSE` is shared by all candidates
    (Bonferroni). Examples with missing values are left out. A preference's weight is the cost of one violated place, in nats.
    """
    whole = examples[(examples >= 0).all(1)]
    if len(whole) < 10:
        return []
    rules = list(candidates(layout))
    contrasts = _contrasts(layout, whole, hard, rules, np.random.default_rng(seed))
    if contrasts is None:
        return []
    x, own = contrasts
    chosen, weights = chosen_habits(x, own, FALSE)
    order = [n for n in np.argsort(-weights) if weights[n] >= LEAST]
    return [replace(rules[chosen[n]], weight=round(float(weights[n]), 3)) for n in order]


def chosen_habits(x: Floats, own: Ints, false: float, most: int = MOST, share: float = 0.0) -> tuple[list[int], Floats]:
    """The candidates that explain why examples were chosen over their neighbours, added one after another, and their weights.

    Args:
        x: Broken places of neighbours minus those of their examples, ``(neighbours, candidates)``.
        own: The example of each neighbour, in order.
        false: Candidates that chance may give where there is nothing to find.
        most: Largest number of candidates.
        share: Share of those chosen that may be of chance (Benjamini and Hochberg, 1995): where much is found, weaker ones count.
    """
    chosen: list[int] = []
    weights = np.zeros(0)
    examples = len(np.unique(own))
    while len(chosen) < most:
        needs = needed(x.shape[1], examples, max(false, share * (len(chosen) + 1)))
        found = scores(x, own, np.exp(-np.logaddexp(0.0, x[:, chosen] @ weights)))
        found[chosen] = -np.inf
        best = int(found.argmax())
        if found[best] < needs:
            break
        chosen.append(best)
        weights = fit(x[:, chosen], 0.001)
    return chosen, weights


def needed(candidates: int, examples: int, false: float = FALSE) -> float:
    """The score of a level, shared by all candidates, for so many examples (Student's t, to first order)."""
    z = NormalDist().inv_cdf(1 - false / max(candidates, 1))
    return z + (z**3 + z) / (4 * max(examples - 1, 1))


def scores(x: Floats, own: Ints, residual: Floats) -> Floats:
    """Score of each candidate in standard errors, ``(rules,)``."""
    first = np.flatnonzero(np.diff(own, prepend=-1))
    slopes = np.add.reduceat(x * residual[:, None], first, 0) / np.diff(first, append=len(own))[:, None]
    spread = slopes.std(0, ddof=1) / math.sqrt(len(slopes))
    return np.where(spread > 1e-9, slopes.mean(0) / np.maximum(spread, 1e-9), 0.0)


def _contrasts(
    layout: Layout, examples: Ints, hard: Sequence[Rule], rules: Sequence[Rule], random: np.random.Generator
) -> tuple[Floats, Ints] | None:
    """Broken places of neighbours minus those of their examples, ``(neighbours, rules)``, and the example of each."""
    own, other = [], []
    for row in range(len(examples)):
        for _ in range(NEIGHBOURS):
            changed = examples[row].copy()
            if random.random() < 0.5:
                changed[random.integers(len(changed))] = random.integers(len(layout.values))
            else:
                i, j = random.integers(len(changed), size=2)
                changed[[i, j]] = changed[[j, i]]
            if (changed != examples[row]).any():
                own.append(row)
                other.append(changed)
    found = np.array(other)
    good = np.ones(len(found), bool)
    for rule in hard:
        good &= violations(rule, found).sum(1) <= violations(rule, examples).sum(1)[own]
    if good.sum() < 10:
        return None
    of = np.array(own)[good]
    before = np.stack([violations(rule, examples).sum(1) for rule in rules], 1)[of]
    after = np.stack([violations(rule, found[good]).sum(1) for rule in rules], 1)
    return np.asarray(after - before, np.float64), of


def fit(differences: Floats, strength: float) -> Floats:
    """Non-negative weights of a logistic regression with an L1 penalty, by projected Adam."""
    x = torch.from_numpy(differences).float()
    weights = torch.full((x.shape[1],), 0.05, requires_grad=True)
    optimizer = torch.optim.Adam([weights], 0.05)
    for step in range(400):
        for group in optimizer.param_groups:
            group["lr"] = 0.05 * (1 - step / 400)
        loss = torch.nn.functional.softplus(-(x @ weights)).mean() + strength * weights.sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            weights.clamp_(min=0.0)
    return np.asarray(weights.detach().numpy(), np.float64)
