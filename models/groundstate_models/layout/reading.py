"""Reads a request for a layout: tensors, answers, checks, proofs, questions and drawings."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Asks, Attempt, Change, Header, Optimises, OptionError, Patch, Reading, Shows, Violation
from groundstate_models.layout import asking, checking, cures, drawing, mining, nearest, proofs
from groundstate_models.layout import tensors as encoding
from groundstate_models.layout.answers import answer_of, spots_in, with_freedom
from groundstate_models.layout.lowering import Lowering
from groundstate_models.layout.moves import Moves
from groundstate_models.layout.placed import Placed
from groundstate_models.layout.places import places_of, spots_of
from groundstate_models.layout.plan import Plan
from groundstate_models.layout.request import read
from groundstate_models.layout.starts import Starts

GAIN = 0.02
"""A layout counts as better if its cost is lower by this fraction: a better arrangement, not a shift of two centimetres."""

SAME = 1e-4
"""Rigid layouts are the same if no item is further away than this, in halves of the area's longer side."""


class LayoutReading(Reading, Optimises, Asks, Shows):
    """A read request. Answers are JSON in the user's units."""

    def __init__(self, header: Header, request: dict[str, Any], plan: Plan | None = None) -> None:
        super().__init__(header, request)
        self.plan = plan or read(request)
        if self.plan.repair:
            self.plan.stated += mining.mined(self.plan)
        self._proof: proofs.Contradiction | None = None
        self._settled: dict[Any, dict[str, Any]] = {}

    @cached_property
    def lowering(self) -> Lowering:
        return Lowering(self.plan)

    # -- tensors -------------------------------------------------------------------------------------------------------

    def encode(self) -> dict[str, NDArray[Any]]:
        return dict(self._tensors)

    @cached_property
    def _tensors(self) -> dict[str, NDArray[Any]]:
        return encoding.tensors(self.lowering.system)

    def starts(self, random: np.random.Generator, count: int) -> Mapping[str, NDArray[Any]] | None:
        """Arrangements built item by item, where places are not given; see `starts.Starts`."""
        if all(body.wanted is not None for body in self.lowering.system.bodies if body.spread > 0):
            return None
        name = next(name for name, spec in self.header.state.items() if spec.minimised)
        return {name: self._starts.state(random, count, len(self._tensors["anchor"]))}

    @cached_property
    def _starts(self) -> Starts:
        return Starts.of(self.lowering, Moves.of((self.header.knowledge or {}).get("moves")))

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """The layout, finished exactly where the arrangement allows it."""
        if self._settled and not asking.open_variables(self.plan) and not self._wishes:
            # Every layout would settle to the same least change: there is nothing else to tell apart.
            return next(iter(self._settled.values()))
        lowering = self.lowering
        place = np.asarray(tensors["place"], np.float64)[: len(lowering.system.bodies)]
        if not np.isfinite(place).all():
            place = np.nan_to_num(place, nan=0.0, posinf=0.0, neginf=0.0)
        centre, front = place[:, :2], place[:, 2:]
        finished, turned, _ = lowering.finisher.finished(centre, front)
        return with_freedom(lowering, answer_of(lowering, spots_of(lowering, finished, turned)))

    def settle_ties(self, answer: dict[str, Any]) -> dict[str, Any]:
        """Among layouts of equal cost, one that changes little of what was given; see `nearest`."""
        if not any(body.weight for body in self.lowering.system.bodies):
            return answer
        spots = spots_in(self.plan, answer)
        if spots is None:
            return answer
        key = tuple(sorted(self.variables(answer).items()))
        if key not in self._settled:
            found = nearest.least_change(self.lowering, spots)
            self._settled[key] = with_freedom(self.lowering, answer_of(self.lowering, found))
        settled = self._settled[key]
        return settled if self.variables(settled) == self.variables(answer) else answer

    @cached_property
    def _wishes(self) -> bool:
        return any(one.path and math.isfinite(one.strength) for one in self.plan.stated)

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        spots = spots_in(self.plan, answer)
        if spots is None:
            return None
        centre, front = places_of(self.lowering, spots)
        place = np.zeros((len(self._tensors["anchor"]), 4))
        place[:, 2] = 1.0
        place[: len(centre)] = np.concatenate([centre, front], axis=1)
        return {"place": place}

    def placed(self, answer: Mapping[str, Any]) -> Placed | None:
        """The layout of an answer; None if an item is missing."""
        spots = spots_in(self.plan, answer)
        return None if spots is None else Placed(self.plan, spots)

    # -- checks --------------------------------------------------------------------------------------------------------

    @cached_property
    def _contradictions(self) -> Sequence[Violation]:
        found, self._proof = proofs.violations(self.plan, 1)
        return found

    @property
    def contradictions(self) -> Sequence[Violation]:
        return self._contradictions

    def proof(self, effort: int) -> Sequence[Violation]:
        if effort < 32:
            return ()  # the search before the descent went as far
        found, self._proof = proofs.violations(self.plan, min(effort, 64) // 16)
        return found

    def check(self, answer: dict[str, Any]) -> list[Violation]:
        placed = self.placed(answer)
        if placed is None:
            return [Violation("required", "The answer lacks an item of the request, or its place.", 1)]
        return [
            Violation(
                "required",
                one.message,
                1,
                one.amount if math.isfinite(one.amount) else None,
                self.plan.unit,
                one.places,
            )
            for one in checking.faults(placed)
        ]

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        """Layouts are the same if nothing that a person would be asked about differs; rigid ones if nothing moved."""
        first, second = self.placed(one), self.placed(other)
        if first is None or second is None:
            return one == other
        if self.variables(one) != self.variables(other) and not asking.alike(first, second):
            return False
        if any(
            any(way for room in answer.get("free", {"": [1.0]}).values() for way in room) for answer in (one, other)
        ):
            return True
        slack = SAME * self.plan.half
        return all(math.dist(spot[:2], second.spots[name][:2]) < slack for name, spot in first.spots.items())

    # -- cost ----------------------------------------------------------------------------------------------------------

    def cost(self, answer: dict[str, Any]) -> float:
        placed = self.placed(answer)
        return math.inf if placed is None else round(checking.cost(placed), 12)

    def improves(self, cost: float, best: float) -> bool:
        return cost < best - max(GAIN * abs(best), 1e-5)

    def with_cost_below(self, cost: float) -> dict[str, NDArray[Any]] | None:
        return None if cost <= 1e-5 else self.encode()

    def least_cost(self, cost: float, effort: int) -> float:
        """Movements and wishes cost at least nothing."""
        del effort
        return min(cost, 0.0)

    # -- questions -----------------------------------------------------------------------------------------------------

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        placed = self.placed(answer)
        return {} if placed is None else asking.variables(placed)

    def choices(self, variable: str) -> Sequence[Any]:
        return asking.choices(self.plan, variable)

    def fix(self, variable: str, value: Any) -> Patch:
        return asking.fix(self.plan, self.request, variable, value)

    def ask(self, variable: str) -> str:
        return asking.ask(self.plan, variable)

    def called(self, variable: str, value: Any) -> str:
        return asking.called(self.plan, variable, value)

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> Sequence[Change]:
        return cures.changes(self.plan, self.request, self._proof, attempt, violations)

    def unique(self, answer: dict[str, Any]) -> bool:
        del answer
        return False

    # -- showing -------------------------------------------------------------------------------------------------------

    def summary(self) -> str:
        relations = len(self.request.get("relations", [])) + len(self.request.get("prefer", []))
        return f"a layout of {len(self.plan.items)} items with {relations} relations"

    def decided(self, since: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        del since
        return {}

    def notation(self, answer: dict[str, Any]) -> str | None:
        return "; ".join(
            f"{name} ({one['x']:.6g}, {one['y']:.6g})" + (f" turn {one['turn']:g}" if one.get("turn") else "")
            for name, one in answer["items"].items()
        )

    def draw(self, answer: dict[str, Any] | None) -> str | None:
        placed = None if answer is None else self.placed(answer)
        if answer is None or placed is None:
            return None
        lines = [drawing.text(placed)]
        if "moved" in answer:
            lines.append(f"Moved by {answer['moved']['mean']:.4g} on average, {answer['moved']['most']:.4g} at most.")
        lines += [f"Not kept: {text}." for text in answer.get("unkept", [])]
        return "\n".join([*lines, *answer.get("notices", [])])

    def svg(self, answer: dict[str, Any] | None) -> str | None:
        placed = None if answer is None else self.placed(answer)
        return None if placed is None else drawing.svg(placed)

    def kinds(self) -> Sequence[str]:
        return ("svg", "css", "json")

    def file(self, answer: dict[str, Any], kind: str) -> bytes:
        writers = {"svg": drawing.svg, "css": drawing.css, "json": drawing.table}
        placed = self.placed(answer)
        if kind not in writers or placed is None:
            raise OptionError(f"A layout is written as svg, css or json; {kind!r} is none of these.")
        return writers[kind](placed).encode()
