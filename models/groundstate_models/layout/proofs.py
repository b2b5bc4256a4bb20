"""Proves that a layout is impossible, and names a minimal set of what cannot be placed together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from groundstate import Violation
from groundstate_models.layout.disjunctions import SLACK, Network
from groundstate_models.layout.plan import Plan
from groundstate_models.layout.shapes import area

NODES = 120
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
    if (found := _areas(plan)) is not None:
        return found
    limit = NODES * effort
    for name in plan.items:
        if Network(plan, [name], []).contradiction(limit):
            return Contradiction((name,))
    items, stated = list(plan.items), list(range(len(plan.stated)))
    if not Network(plan, items, stated).contradiction(limit):
        return None
    return minimal(plan, items, stated, 4 * limit)


def minimal(plan: Plan, items: list[str], stated: list[int], limit: int) -> Contradiction:
    """Leave out what the contradiction does not need; of the rest each is needed, as far as the search can tell."""
    for name in list(items):
        rest = [n for n in items if n != name]
        about = [k for k in stated if name not in plan.stated[k].of]
        if rest and Network(plan, rest, about).contradiction(limit):
            items, stated = rest, about
    for k in list(stated):
        about = [n for n in stated if n != k]
        if math.isfinite(plan.stated[k].strength) or Network(plan, items, about).contradiction(limit):
            stated = about
    return Contradiction(tuple(items), tuple(stated))


def _areas(plan: Plan) -> Contradiction | None:
    """Items that pairwise may not overlap, and are larger than the area together."""
    whole = abs(area(plan.corners))
    levels = sorted({item.heights[0] for item in plan.items.values() if item.heights} | {0.0})
    for level in levels:
        for layer in {item.layer for item in plan.items.values()}:
            some = [
                item.name
                for item in plan.items.values()
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
