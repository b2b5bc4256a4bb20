"""On which side of each other two related items are, where the request leaves that open."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from groundstate_models.layout.placed import Placed, sideways
from groundstate_models.layout.plan import Plan, Stated
from groundstate_models.layout.relations import EDGES, KINDS, X

ADJACENT = 0.06
"""Items required to be this close, in parts of the area's longer side, are next to each other."""

SHIFT = 0.05
"""A side that a layout misses by less, in halves of the area's longer side, differs from the layout's own by a shift only."""

ROW, COLUMN, AROUND = ("left", "right"), ("above", "below"), ("left", "right", "above", "below")


@dataclass(frozen=True)
class Order:
    """Two items, and the sides of the second at which the first can be.

    Attributes:
        a, b: Their names.
        sides: The possible values.
        own: Whether the second's own left and right are meant.
    """

    a: str
    b: str
    sides: tuple[str, ...]
    own: bool = False

    @property
    def variable(self) -> str:
        return f"order {self.a} / {self.b}"

    def stated(self, side: str) -> dict[str, Any]:
        """The statement of a side, as in a request. The sides exclude each other."""
        found: dict[str, Any] = {"type": "beside", "of": [self.a, self.b], "side": side}
        if self.own:
            return {**found, "own": True}
        # Diagonally placed items count as left or right of each other.
        return {**found, "across": True} if self.sides == AROUND and side in COLUMN else found

    def amount(self, placed: Placed, side: str) -> float:
        """By how much a layout misses a side, in the request's unit."""
        values = {key: value for key, value in self.stated(side).items() if key not in ("type", "of")}
        return KINDS["beside"].amount(placed, Stated("beside", (self.a, self.b), values))

    def side(self, placed: Placed) -> str:
        """The side that holds in a layout, or is missed least."""
        if self.own:
            way = sideways(placed.front(self.b), "left")
            return "left" if placed.centre_along(self.a, way) > placed.centre_along(self.b, way) else "right"
        return min(self.sides, key=lambda side: (self.amount(placed, side), self.sides.index(side)))

    def shifted(self, one: Placed, other: Placed) -> bool:
        """Whether two layouts differ in their side by a small shift at most."""
        slack = SHIFT * one.plan.half
        return self.amount(one, self.side(other)) <= slack or self.amount(other, self.side(one)) <= slack


def open_orders(plan: Plan) -> Mapping[str, Order]:
    """Pairs of items in a row or column, mirrored, at a side of, or next to each other, whose sides are left open.

    Copies are alike, so nothing is asked about them. Given places answer the question.
    """
    if plan.repair:
        return {}
    required = [s for s in plan.stated if math.isinf(s.strength)]
    decided = {
        frozenset(s.of)
        for s in required
        if (s.kind == "beside" and s.values["side"] != "side") or s.kind in ("direction", "on", "even")
    }
    found: dict[frozenset[str], Order] = {}
    for s in required:
        for order in _orders(plan, s):
            pair = frozenset((order.a, order.b))
            if pair in decided or pair in found or not all(_asked(plan, name) for name in pair):
                continue
            if not plan.may_overlap(order.a, order.b) and not all(plan.items[name].at for name in pair):
                found[pair] = order
    return {order.variable: order for order in found.values()}


def _asked(plan: Plan, name: str) -> bool:
    item = plan.items.get(name)
    return item is not None and item.base == name and item.near is None and item.soft is None


def _orders(plan: Plan, s: Stated) -> list[Order]:
    """The pairs of a statement whose order along an axis it leaves open."""
    if s.kind == "aligned" and s.values.get("edge") is not None:
        column = EDGES[s.values["edge"]][0] == X
        return [Order(a, b, COLUMN if column else ROW) for a, b in combinations(s.of, 2)]
    if s.kind == "symmetric":
        return [Order(s.of[0], s.of[1], COLUMN if s.values.get("axis") == "y" else ROW)]
    if s.kind == "beside" and s.values["side"] == "side":
        return [Order(s.of[0], s.of[1], ROW, own=s.of[1] in plan.items)]
    if s.kind == "distance" and s.values.get("most", math.inf) <= ADJACENT * 2 * plan.half * (1 + 1e-9):
        return [Order(s.of[0], s.of[1], AROUND)]
    return []
