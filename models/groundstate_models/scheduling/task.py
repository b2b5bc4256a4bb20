"""The scheduling task: requests to factor graphs, answers to schedules, and an exact check against the request."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import (
    Asks,
    Attempt,
    Change,
    Header,
    Optimises,
    OptionError,
    Patch,
    Reading,
    Shows,
    Task,
    Violation,
)
from groundstate_models.constraints.reading import AT_ONCE, Read, counted
from groundstate_models.scheduling import answer as answers
from groundstate_models.scheduling import asking, drawing, wishes
from groundstate_models.scheduling.blame import sharpened
from groundstate_models.scheduling.check import Cost, cost, violations
from groundstate_models.scheduling.compile import Compiled
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.echo import gap, understood
from groundstate_models.scheduling.ends import Ends
from groundstate_models.scheduling.ics import calendar
from groundstate_models.scheduling.picture import picture
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reading import read
from groundstate_models.scheduling.schedule import Schedule
from groundstate_models.scheduling.ties import Convention


class Planned:
    """The task's data of a request.

    Attributes:
        schedule: The typed request.
        compiled: The compiled typed constraints.
        read: The constraints task's data of the compiled request.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.schedule = read(request)

    @cached_property
    def compiled(self) -> Compiled:
        return compiled(self.schedule)

    @cached_property
    def read(self) -> Read:
        # The convention of ties needs the early times that the descent prefers.
        return Read(self.compiled.request, compared=self.judged, conflicts=False)

    @property
    def judged(self) -> bool:
        """Whether one schedule can be better than another."""
        return self.schedule.ranked or self.schedule.objective == "earliest_end"

    @cached_property
    def ends(self) -> Ends | None:
        """What the objective "earliest_end" needs; None for the others."""
        return Ends(self.compiled, self.read) if self.schedule.objective == "earliest_end" else None

    def price(self, found: Cost) -> float:
        """The cost of a schedule as one number: the first criterion of the objective outweighs all later ones."""
        return self.compiled.price(found.left_out, found.broken) if self.ends is None else self.ends.price(found)

    def with_cost_below(self, price: float) -> dict[str, NDArray[Any]] | None:
        """The tensors of the problem with a lower cost; None if it has no schedule."""
        return self.read.with_cost_below(price) if self.ends is None else self.ends.with_cost_below(price)

    def least_cost(self, price: float, effort: int) -> float:
        """A lower bound on the cost; the given cost itself if a search proves it optimal."""
        if not self.compiled.complete:
            return -math.inf
        if self.ends is not None:
            return self.ends.least_cost(price, effort)
        network = self.read.network
        if self.read.bound(round(price * network.quantum) - 1, effort):
            return price
        return -math.inf if self.scaled else network.least / network.quantum

    @property
    def scaled(self) -> bool:
        """Whether prices are other numbers than the costs of answers."""
        compact = self.compiled
        return self.ends is not None or (compact.left_out, compact.broken, compact.never) != (1.0, 1.0, 0.0)


MOST_EDGES = 20_000
"""Literals in factors of a contradictory problem, up to which its busy times are tried one by one."""


def _contradicts(schedule: Schedule) -> bool:
    """Whether a schedule has no answer, by what is proven before any descent."""
    if contradictions(schedule):
        return True
    compact = compiled(schedule)
    if not compact.complete:
        return False
    read = Read(compact.request)
    return read.network.proof() is not None or read.proof(AT_ONCE) is not None


class SchedulingReading(Reading, Asks, Shows):
    """A schedule: the request is `schema.REQUEST`, the answer `schema.ANSWER`."""

    def __init__(self, header: Header, request: dict[str, Any], plan: Planned) -> None:
        super().__init__(header, request)
        self.plan = plan

    @cached_property
    def _convention(self) -> Convention:
        return Convention(self.plan.compiled)

    @property
    def contradictions(self) -> list[Violation]:
        plan = self.plan
        if found := contradictions(plan.schedule):
            return [sharpened(plan.schedule, one) for one in found]
        if not plan.compiled.complete:
            return []  # there may be schedules between the offered starts
        sources = plan.read.network.proof()
        return self._proven(plan.read.proof(AT_ONCE) if sources is None else sources)

    def proof(self, effort: int) -> list[Violation]:
        return self._proven(self.plan.read.proof(effort)) if self.plan.compiled.complete else []

    def _proven(self, sources: list[int] | None) -> list[Violation]:
        if sources is None:
            return []
        problem = self.plan.read.problem
        named = [source for source in sources if 0 <= source < len(problem.constraints)]
        names = ", ".join(dict.fromkeys(problem.names[source] for source in named))
        text = f"These cannot all be kept: {names}."
        found = Violation("activities", text, len(named), places=("activities",))
        schedule = self.plan.schedule
        edges = sum(len(factor.literals) for factor in problem.graph.factors)
        if edges > MOST_EDGES or schedule.staffed:
            return [found]
        variables = {name for source in named for name in problem.constraints[source].variables}
        involved = [one for one in schedule.activities.values() if one.name in variables]
        people = dict.fromkeys(person for one in involved for person in one.who)
        return [sharpened(schedule, found, people, _contradicts)]

    def encode(self) -> dict[str, NDArray[Any]]:
        return self.plan.read.network.tensors()

    def starts(self, random: np.random.Generator, count: int) -> Mapping[str, NDArray[Any]]:
        return self.plan.read.starts(self.header, random, count)

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        values = answers.values(self.plan.compiled, answer)
        return None if values is None else {"value": self.plan.read.network.chosen(values)}

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        return answers.answer(self.plan.compiled, self.plan.read.network.values(np.asarray(tensors["value"])))

    def check(self, answer: dict[str, Any]) -> list[Violation]:
        return violations(self.plan.schedule, answer)

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        """Whether two schedules only differ in times and rooms, which `settle_ties` decides."""
        return self.variables(one) == self.variables(other)

    def settle_ties(self, answer: dict[str, Any]) -> dict[str, Any]:
        return dict(self._convention.settled(answer))

    def variables(self, answer: dict[str, Any]) -> dict[str, str]:
        """What takes place and which preferences hold; nothing if all do, because that is so in every equally good schedule."""
        found = wishes.variables(self.plan.schedule, answer)
        if not found:
            return found
        price = cost(self.plan.schedule, answer)
        return found if price.left_out or price.broken else {}

    def choices(self, variable: str) -> list[str]:
        return wishes.choices(variable)

    def fix(self, variable: str, value: Any) -> Patch:
        return wishes.fix(self.request, self.plan.schedule, variable, value)

    def ask(self, variable: str) -> str:
        return wishes.ask(self.plan.schedule, variable)

    def called(self, variable: str, value: Any) -> str:
        return wishes.called(self.plan.schedule, variable, value)

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> list[Change]:
        return asking.relaxations(self.request, self.plan.schedule, attempt, violations)

    def decided(self, since: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        plan, steps = self.plan, since["value"].tolist()
        rows = zip(plan.read.network.rows, steps, strict=False)
        return {name: step for name, step in rows if name is not None and name in plan.schedule.activities}

    def summary(self) -> str:
        schedule = self.plan.schedule
        people = (
            f" of {counted(len(schedule.people), 'person')}".replace("persons", "people") if schedule.people else ""
        )
        words = understood(schedule)
        return f"{counted(len(schedule.activities), 'activity')}{people}{f' ({words})' if words else ''}"

    def file(self, answer: dict[str, Any], kind: str) -> bytes:
        """The schedule as ``ics`` (iCalendar) or ``svg`` (the week, drawn)."""
        try:
            if kind == "ics":
                return calendar(self.plan.schedule, answer)
            if kind == "svg":
                return picture(self.plan.schedule, answer, self.header.title).encode()
        except (ImportError, ValueError) as error:
            raise OptionError(str(error)) from None
        raise OptionError(f"{self.header.name} writes files of the kinds 'ics' and 'svg', not {kind!r}.")

    def draw(self, answer: dict[str, Any] | None) -> str:
        return drawing.draw(self.plan.schedule, answer)

    def kinds(self) -> Sequence[str]:
        return ("ics", "svg")

    def svg(self, answer: dict[str, Any] | None) -> str | None:
        return None if answer is None else picture(self.plan.schedule, answer, self.header.title)


class ComparedReading(SchedulingReading, Optimises):
    """A scheduling problem with better and worse valid schedules."""

    def cost(self, answer: dict[str, Any]) -> float:
        price = self.plan.price(cost(self.plan.schedule, answer))
        self.plan.read.remember(price, lambda: (self.encode_answer(answer) or {}).get("value"))
        return price

    def improves(self, cost: float, best: float) -> bool:
        return cost < best  # one minute of the end is a small share of the cost

    def with_cost_below(self, cost: float) -> dict[str, NDArray[Any]] | None:
        return self.plan.with_cost_below(cost)

    def least_cost(self, cost: float, effort: int) -> float:
        return self.plan.least_cost(cost, effort)

    def gap(self, answer: dict[str, Any], bound: float | None, optimal: bool) -> str:
        return gap(self.plan.schedule, answer, None if self.plan.scaled else bound, optimal)


class SchedulingTask(Task):
    """Schedules, see `SchedulingReading`."""

    reading = SchedulingReading

    def read(self, request: dict[str, Any]) -> SchedulingReading:
        plan = Planned(request)
        return (ComparedReading if plan.judged else SchedulingReading)(self.header, request, plan)
