"""Proves that a layout is impossible, and names a minimal set of what cannot be placed together."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from groundstate import Violation
from groundstate_models.layout.disjunctions import SLACK, Network
from groundstate_models.layout.plan import Plan
from groundstate_models.layout.shapes import area

FEW = 3
"""Items that are too large together: a set of more is compared with what a search finds."""

NODES = 40
"""Nodes of the search for one unit of effort."""


@dataclass(frozen=True)
class Contradiction:
    """Items and statements that cannot all hold.

    Attributes:
        items: Names.
        stated: Numbers of statements.
        spatial: Whether the areas alone prove it.
    """

    items: tuple[str, ...]
    stated: tuple[int, ...] = ()
    spatial: bool = False


def contradiction(plan: Plan, effort: int = 1) -> Contradiction | None:
    """A proven contradiction with a minimal set; None if none is found."""
    limit = NODES * effort
    if (by_distance := _distances(plan)) is not None:
        return by_distance
    by_area = _areas(plan, plan.items)
    if by_area is not None:
        by_area = _fewer(plan, by_area, limit)
        if len(by_area.items) <= FEW:
            return by_area
    found = [one for one in (by_area, _by_search(plan, limit)) if one is not None]
    return min(found, key=lambda one: len(one.items) + len(one.stated), default=None)


def _distances(plan: Plan) -> Contradiction | None:
    """Two that should be closer than they may be."""
    stated = [k for k, s in enumerate(plan.stated) if s.kind == "distance" and math.isinf(s.strength)]
    for k in stated:
        for other in stated:
            one, two = plan.stated[k], plan.stated[other]
            under, over = one.values.get("least", 0.0), two.values.get("most", math.inf)
            if set(one.of) == set(two.of) and under > over + SLACK * plan.half:
                items = tuple(name for name in one.of if name in plan.items)
                return Contradiction(items, tuple(sorted({k, other})))
    return None


def _by_search(plan: Plan, limit: int) -> Contradiction | None:
    for name in plan.items:
        if Network(plan, [name], []).contradiction(limit):
            return Contradiction((name,))
    every = range(len(plan.stated))
    items = list(plan.items)
    if Network(plan, items, every, loose=True).contradiction(limit):
        return minimal(plan, items, list(every), 4 * limit, loose=True)
    for pair in _pairs(plan):
        about = [k for k in every if set(plan.stated[k].of) & plan.items.keys() <= set(pair)]
        if Network(plan, pair, about).contradiction(limit):
            return minimal(plan, list(pair), about, 4 * limit)
    if not Network(plan, items, every).contradiction(limit):
        return None
    return minimal(plan, items, list(every), 4 * limit)


def _pairs(plan: Plan) -> list[tuple[str, ...]]:
    """Pairs of items that something required relates."""
    found = {}
    for s in plan.stated:
        names = [name for name in s.of if name in plan.items]
        if math.isinf(s.strength) and len(names) == 2:
            found[tuple(sorted(names))] = True
    return list(found)


def minimal(plan: Plan, items: list[str], stated: list[int], limit: int, *, loose: bool = False) -> Contradiction:
    """Leave out what the contradiction does not need; of the rest each is needed, as far as the search can tell."""

    def contradictory(some: list[str], about: list[int]) -> bool:
        return bool(Network(plan, some, about, loose=loose).contradiction(limit))

    # Large parts first: of n parts few are needed, and what is left out at once costs one search.
    for name in _shrunk(items, lambda rest: contradictory(rest, _within(plan, rest, stated))):
        items = [n for n in items if n != name]
    stated = _within(plan, items, stated)
    for k in _shrunk(stated, lambda rest: contradictory(items, rest)):
        stated = [n for n in stated if n != k]
    return Contradiction(tuple(items), tuple(stated))


def _within(plan: Plan, items: Sequence[str], stated: Sequence[int]) -> list[int]:
    """The required statements that are about these items only."""
    known = set(items)
    return [
        k for k in stated if math.isinf(plan.stated[k].strength) and set(plan.stated[k].of) & plan.items.keys() <= known
    ]


T = TypeVar("T")


def _shrunk(parts: Sequence[T], contradictory: Callable[[list[T]], bool]) -> list[T]:
    """The parts that a contradiction does not need, by halving (U. Junker, "QuickXplain", 2004, in its simplest form)."""
    gone: list[T] = []
    step = len(parts) // 2
    while step:
        at = 0
        left = [one for one in parts if one not in gone]
        while at < len(left):
            rest = left[:at] + left[at + step :]
            if rest and contradictory(rest):
                gone += left[at : at + step]
                left = rest
            else:
                at += step
        step //= 2
    return gone


def _fewer(plan: Plan, found: Contradiction, limit: int) -> Contradiction:
    """Of items that are too large together, a part that does not fit either: beside a large item there is seldom room."""

    def contradictory(some: list[str]) -> bool:
        return _areas(plan, some) is not None or bool(Network(plan, some, []).contradiction(4 * limit))

    gone = _shrunk(found.items, contradictory)
    left = tuple(name for name in found.items if name not in gone)
    return Contradiction(left, (), spatial=_areas(plan, left) is not None)


def _areas(plan: Plan, names: Iterable[str]) -> Contradiction | None:
    """Items that pairwise may not overlap, and are larger than the area together."""
    whole = abs(area(plan.corners))
    items = [plan.items[name] for name in names]
    levels = sorted({item.heights[0] for item in items if item.heights} | {0.0})
    for level in levels:
        for layer in {item.layer for item in items}:
            some = [
                item.name
                for item in items
                if item.layer == layer and (item.heights is None or item.heights[0] <= level < item.heights[1])
            ]
            some = [n for n in some if not any(s.kind == "on" and s.of[0] == n for s in plan.stated)]
            if sum(plan.items[n].area for n in some) > whole * (1 + SLACK):
                some.sort(key=lambda n: -plan.items[n].area)
                total, chosen = 0.0, []
                for name in some:
                    chosen.append(name)
                    total += plan.items[name].area
                    if total > whole * (1 + SLACK):
                        return Contradiction(tuple(chosen), (), spatial=True)
    return None


def sentence(plan: Plan, found: Contradiction) -> str:
    """What cannot be, in words."""
    left, bottom, right, top = plan.box
    unit = f" {plan.unit}" if plan.unit else ""
    where = f"{right - left:g} × {top - bottom:g}{unit}"
    texts = list(dict.fromkeys(repr(plan.stated[k].text) for k in found.stated))
    if found.spatial:
        total = sum(plan.items[n].area for n in found.items)
        return f"{_listed(found.items)} cover {total:.6g} together; the area has {abs(area(plan.corners)):.6g}."
    if len(found.items) == 1 and not texts:
        w, d = plan.items[found.items[0]].size
        return f"{found.items[0]} fits nowhere: it is {w:g} × {d:g}{unit}, and the area is {where}."
    if not texts:
        return f"{_listed(found.items)} do not fit into the area of {where} together."
    return f"These cannot all hold in the area of {where}: {', '.join(texts)}."


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def violations(plan: Plan, effort: int) -> tuple[Sequence[Violation], Contradiction | None]:
    """The contradiction as a violation, or nothing."""
    found = contradiction(plan, effort)
    if found is None:
        return (), None
    places = [plan.items[n].path for n in found.items] + [plan.stated[k].path for k in found.stated]
    unique = tuple(dict.fromkeys(place for place in places if place))
    count = len(found.items) + len(found.stated)
    return (Violation("required", sentence(plan, found), count, None, None, unique),), found
