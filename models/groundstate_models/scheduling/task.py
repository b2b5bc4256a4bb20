"""The scheduling task: weeks of meetings as factor graphs, answers as schedules, checked against the request itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Change, Header, OptionError, Patch, Task, Violation
from groundstate_models.constraints.task import Memory, Read, counted
from groundstate_models.scheduling import answer as answers
from groundstate_models.scheduling import asking, drawing
from groundstate_models.scheduling.check import Cost, cost, violations
from groundstate_models.scheduling.compile import Compiled
from groundstate_models.scheduling.compile import compile as compiled
from groundstate_models.scheduling.ics import calendar
from groundstate_models.scheduling.picture import picture
from groundstate_models.scheduling.proofs import contradictions
from groundstate_models.scheduling.reading import read

_UNLIKELY = 1e9
"""Above every end, in minutes: what it costs, beside the end, to leave something out where the end is what counts."""


class Planned:
    """What the task knows of a request.

    Attributes:
        schedule: Its meaning.
        compiled: The same as typed constraints.
        read: What the constraints' task knows of those.
    """

    def __init__(self, request: Mapping[str, Any]) -> None:
        self.schedule = read(request)

    @cached_property
    def compiled(self) -> Compiled:
        return compiled(self.schedule)

    @cached_property
    def read(self) -> Read:
        return Read(self.compiled.request)

    @property
    def judged(self) -> bool:
        """Whether one schedule can be better than another."""
        optional = any(activity.optional for activity in self.schedule.activities.values())
        return optional or bool(self.schedule.preferences) or self.schedule.objective == "earliest_end"

    def price(self, found: Cost) -> float:
        """What a schedule costs, as one number: what the objective compares first weighs more than all that follows."""
        price = self.compiled.price(found.left_out, found.broken)
        return price * _UNLIKELY + found.end if self.schedule.objective == "earliest_end" else price

    def below(self, price: float) -> dict[str, NDArray[Any]] | None:
        """The tensors of the problem whose schedules cost less; None where there can be none."""
        if self.schedule.objective != "earliest_end":
            return self.read.below(price)
        network, end = self.read.network, price % _UNLIKELY
        late = np.zeros(network.graph.count, bool)
        for name, meant in self.compiled.values.items():
            for value, one in meant.items():
                if one.end >= end and (literal := network.graph.literal(name, value)) is not None:
                    late[literal] = True
        if any(not (network.open & ~late)[literals.start : literals.stop].any() for literals in network.graph.groups):
            return None
        return network.tensors(round((price - end) / _UNLIKELY * network.quantum), late)


class SchedulingTask(Task):
    """Schedules: the request is `schema.REQUEST`, the answer `schema.ANSWER`."""

    def __init__(self, header: Header) -> None:
        super().__init__(header)
        self.plan = Memory(Planned)

    def contradictions(self, request: Mapping[str, Any]) -> list[Violation]:
        plan = self.plan(request)
        if found := contradictions(plan.schedule):
            return found
        sources = plan.read.network.proof()
        if sources is None:
            return []
        problem = plan.read.problem
        named = [source for source in sources if 0 <= source < len(problem.constraints)]
        said = ", ".join(dict.fromkeys(problem.names[source] for source in named))
        return [Violation("activities", len(named), f"These cannot all be kept: {said}.", ("activities",))]

    def encode(self, request: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
        return self.plan(request).read.network.tensors()

    def encode_answer(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, NDArray[Any]] | None:
        plan = self.plan(request)
        values = answers.values(plan.compiled, answer)
        return None if values is None else {"value": plan.read.network.chosen(values)}

    def decode(self, request: Mapping[str, Any], answer: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        plan = self.plan(request)
        return answers.answer(plan.compiled, plan.read.network.values(np.asarray(answer["value"])))

    def check(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> list[Violation]:
        return violations(self.plan(request).schedule, answer)

    def cost(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> float | None:
        plan = self.plan(request)
        return plan.price(cost(plan.schedule, answer)) if plan.judged else None

    def below(self, request: Mapping[str, Any], cost: float) -> dict[str, NDArray[Any]] | None:
        return self.plan(request).below(cost)

    def variables(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> dict[str, str | None]:
        return asking.variables(self.plan(request).schedule, answer)

    def choices(self, request: Mapping[str, Any], variable: str) -> list[str]:
        return asking.choices(self.plan(request).compiled, variable)

    def fix(self, request: Mapping[str, Any], variable: str, value: Any) -> Patch:
        return asking.fix(request, self.plan(request).schedule, variable, value)

    def ask(self, request: Mapping[str, Any], variable: str) -> str:
        del request
        return asking.ask(variable)

    def called(self, request: Mapping[str, Any], variable: str, value: Any) -> str:
        del request
        return asking.called(variable, value)

    def relaxations(
        self, request: Mapping[str, Any], answer: Mapping[str, Any] | None, violations: Sequence[Violation]
    ) -> list[Change]:
        return asking.relaxations(request, self.plan(request).schedule, answer, violations)

    def decided(self, request: Mapping[str, Any], since: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        plan, steps = self.plan(request), since["value"].tolist()
        rows = zip(plan.read.network.rows, steps, strict=False)
        return {f"{name}{asking.START}": step for name, step in rows if name in plan.schedule.activities}

    def summary(self, request: Mapping[str, Any]) -> str:
        schedule = self.plan(request).schedule
        people = (
            f" of {counted(len(schedule.people), 'person')}".replace("persons", "people") if schedule.people else ""
        )
        return f"{counted(len(schedule.activities), 'activity')}{people}"

    def file(self, request: Mapping[str, Any], answer: Mapping[str, Any], kind: str) -> bytes:
        """The schedule as ``ics`` (iCalendar) or ``svg`` (the week, drawn)."""
        schedule = self.plan(request).schedule
        try:
            if kind == "ics":
                return calendar(schedule, answer)
            if kind == "svg":
                return picture(schedule, answer, self.header.title).encode()
        except (ImportError, ValueError) as error:
            raise OptionError(str(error)) from None
        raise OptionError(f"{self.header.name} writes files of the kinds 'ics' and 'svg', not {kind!r}.")

    def draw(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None) -> str:
        return drawing.draw(self.plan(request).schedule, answer)
