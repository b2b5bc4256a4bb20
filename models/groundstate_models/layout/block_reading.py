"""Reads requests whose items have an area in place of a size: floorplans by annealing, confirmed by the energy and the checks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Attempt, Change, Header, Violation
from groundstate_models.layout import cures
from groundstate_models.layout import tensors as encoding
from groundstate_models.layout.answers import answer_of, spots_in, with_freedom
from groundstate_models.layout.blocks import BlockSearch
from groundstate_models.layout.checking import cost as cost_of
from groundstate_models.layout.checking import faults
from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.placed import Placed, Spot
from groundstate_models.layout.places import places_of, spots_of
from groundstate_models.layout.plan import Plan
from groundstate_models.layout.reading import LayoutReading
from groundstate_models.layout.shapes import area, box

IDLE = 3
"""Runs without a better floorplan after which the search ends."""

FIRST = 6
"""Runs for a first floorplan that violates nothing."""

NEAR = 0.02
"""Spread of the chains around the floorplan found, in halves of the area's longer side."""

FINER = 1e-6
"""A layout counts as better if its cost is lower by this fraction."""


class BlockReading(LayoutReading):
    """A read request whose items all have an area."""

    def __init__(self, header: Header, request: dict[str, Any], plan: Plan | None = None) -> None:
        super().__init__(header, request, plan)
        self.search = BlockSearch(self.plan)
        self._idle = 0
        self._system: Lowering | None = None
        self._spots: dict[str, Spot] = {}

    @property
    def lowering(self) -> Lowering:  # here it changes with every better floorplan
        """The system of the best floorplan so far; the first call searches."""
        if self._system is None:
            for _ in range(FIRST):
                self.search.run()
                if self.search.best is not None and self.search.best.wrong == 0.0:
                    break
            self._build()
        assert self._system is not None
        return self._system

    def _build(self) -> None:
        found = self.search.best
        assert found is not None
        plan = _sized(
            self.plan,
            {name: (size[0], size[1]) for name, size in zip(self.search.names, found.size.tolist(), strict=True)},
        )
        left, bottom, _, _ = self.plan.box
        spots = {
            name: (left + x, bottom + y, 0.0)
            for name, (x, y) in zip(self.search.names, found.centre.tolist(), strict=True)
        }
        if self.search.loose:
            spots = _pulled(Lowering(plan), spots)
        # Links decide the floorplan; the energy confirms it, and must not pull it out of shape.
        lowering = Lowering(replace(plan, stated=[s for s in plan.stated if s.kind != "linked"]))
        bodies = lowering.system.bodies
        for name, k in lowering.numbers.items():
            bodies[k] = replace(bodies[k], anchor=lowering.point(spots[name][:2]), spread=NEAR, wanted=None, weight=0.0)
        lowering.__dict__.pop("finisher", None)  # it has copies of the bodies
        self._system, self._spots = lowering, spots

    # -- tensors ---------------------------------------------------------------------------------------------------------

    @property
    def _tensors(self) -> dict[str, NDArray[Any]]:
        return encoding.tensors(self.lowering.system)

    def starts(self, random: np.random.Generator, count: int) -> Mapping[str, NDArray[Any]] | None:
        """The floorplan found: every chain starts there."""
        del random
        name = next(name for name, spec in self.header.state.items() if spec.minimised)
        return {name: np.zeros((count, 3 * len(self._tensors["anchor"])))}

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """The floorplan, whose sides and places are exact."""
        del tensors
        return with_freedom(self.lowering, answer_of(self.lowering, self._spots))

    def settle_ties(self, answer: dict[str, Any]) -> dict[str, Any]:
        return answer

    def placed(self, answer: Mapping[str, Any]) -> Placed | None:
        """The layout of an answer, with the sides of its boxes; None if an item, its place or its sides are missing."""
        sizes = {}
        for name in self.plan.items:
            sides = answer.get("items", {}).get(name, {}).get("box", ())
            if len(sides) != 4 or not all(math.isfinite(v) and v > 0 for v in sides[2:]):
                return None
            sizes[name] = (float(sides[2]), float(sides[3]))
        plan = _sized(self.plan, sizes)
        spots = spots_in(plan, answer)
        return None if spots is None else Placed(plan, spots)

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        placed = self.placed(answer)
        if placed is None:
            return None
        for name, item in self.lowering.plan.items.items():
            if any(
                abs(a - b) > 1e-6 * self.plan.half for a, b in zip(item.size, placed.plan.items[name].size, strict=True)
            ):
                return None  # the landscape has the sides of another floorplan
        return super().encode_answer(answer)

    # -- proofs and cost ---------------------------------------------------------------------------------------------------

    @property
    def contradictions(self) -> Sequence[Violation]:
        """Areas that are larger than the area together, or an item whose aspect fits no side."""
        plan, whole = self.plan, abs(area(self.plan.corners))
        left, bottom, right, top = plan.box
        for name, item in plan.items.items():
            assert item.soft is not None
            least, most = item.soft.aspect
            # The narrowest and the lowest of its shapes.
            width, height = math.sqrt(item.soft.area * least), math.sqrt(item.soft.area / most)
            wide, high = right - left, top - bottom
            low = max(item.soft.area / high, width)
            if width > wide * (1 + FINER) or height > high * (1 + FINER) or low > min(wide, most * high) * (1 + FINER):
                message = f"{name} fits nowhere: its area is {item.soft.area:g}, and the area is {wide:g} × {high:g}."
                return (Violation("required", message, 1, None, None, (item.path,)),)
        total = sum(item.soft.area for item in plan.items.values() if item.soft is not None)
        if total > whole * (1 + FINER):
            message = f"The items need {total:.6g} together; the area has {whole:.6g}."
            places = tuple(dict.fromkeys(item.path for item in plan.items.values()))
            return (Violation("required", message, len(plan.items), total - whole, None, places),)
        return ()

    def proof(self, effort: int) -> Sequence[Violation]:
        del effort
        return ()

    def improves(self, cost: float, best: float) -> bool:
        return cost < best - max(FINER * abs(best), 1e-9)

    def with_cost_below(self, cost: float) -> dict[str, NDArray[Any]] | None:
        """Search on; a better floorplan moves every chain there."""
        if cost <= 0.0:
            return None
        while self._idle < IDLE:
            if self.search.run():
                self._idle = 0
                self._build()
                break
            self._idle += 1
        return self.encode()

    # -- questions ---------------------------------------------------------------------------------------------------------

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        del answer
        return {}

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> Sequence[Change]:
        """Smaller areas where they are too large together; else statements and items to leave out."""
        del attempt
        plan = self.plan
        whole = abs(area(plan.corners))
        total = sum(item.soft.area for item in plan.items.values() if item.soft is not None)
        found: list[Change] = []
        if total > whole:
            found += cures.smaller_areas(plan, self.request, total - whole)
        named = {place for one in violations for place in one.places}
        for k, s in enumerate(plan.stated):
            if math.isinf(s.strength) and s.path in named:
                pointer = "/" + s.path.replace("[", "/").replace("]", "")
                found.append(Change(f"drop {k}", f"Leave out {s.text!r}.", ({"op": "remove", "path": pointer},)))
        return [*found, *cures.dropped(plan, self.request, list(plan.items))][: cures.OFFERED]


def _sized(plan: Plan, sizes: Mapping[str, tuple[float, float]]) -> Plan:
    """The plan with these sides."""
    items = {}
    for name, item in plan.items.items():
        shape = box(*sizes[name])
        items[name] = replace(item, shapes=(shape,), outline=shape.corners)
    return replace(plan, items=items)


def _pulled(lowering: Lowering, spots: dict[str, Spot]) -> dict[str, Spot]:
    """The same arrangement with shorter links, where there is room."""
    centre, front = places_of(lowering, spots)
    finished, turned, _ = lowering.finisher.finished(centre, front)
    tried = spots_of(lowering, finished, turned)
    one, other = (Placed(lowering.plan, some) for some in (tried, spots))
    return tried if cost_of(one) < cost_of(other) and not any(faults(one)) else spots
