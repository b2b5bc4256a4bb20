"""Readings of constraints: requests to factor graphs, answers to values, proofs of contradiction, and an exact check."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate import Asks, Attempt, Change, Header, Optimises, Patch, Reading, RequestError, Shows, Violation
from groundstate_models.constraints import asking
from groundstate_models.constraints.aim import Aim
from groundstate_models.constraints.colouring import ConflictSearch
from groundstate_models.constraints.complete import MOST_EDGES, Search, contradiction, further, pigeonholes
from groundstate_models.constraints.conflicts import Conflicts
from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.language import AllDifferent
from groundstate_models.constraints.neighbourhood import LARGE, VIOLATED, Neighbourhoods
from groundstate_models.constraints.optimum import Optimum
from groundstate_models.constraints.problem import Problem
from groundstate_models.constraints.starts import Passes
from groundstate_models.constraints.tensors import Network

WORK = 2_000
"""Literals of factors that a search may visit for each unit of effort: about a millisecond."""

SET_UP = 2_000
"""Literals in factors for each unit of effort: the search of a larger problem needs a longer setup, so it starts later."""

LONGEST_PAUSE = 64
"""Most calls for starts between two improvements of an assignment, if they no longer lower its energy."""

AT_ONCE = 2
"""The effort before any descent."""


class Read:
    """The task's data of a request.

    Attributes:
        problem: The typed problem.
        network: Its factor graph.

    Args:
        compared: Whether one answer can be better than another, if the problem itself has no costs.
        conflicts: Whether the search for assignments without conflicts may begin chains; its answers are as good as random ones.
    """

    def __init__(
        self,
        request: Mapping[str, Any],
        problem: Problem | None = None,
        *,
        compared: bool = False,
        conflicts: bool = True,
    ) -> None:
        self.problem = Problem.of(request) if problem is None else problem
        self._searches_conflicts = conflicts
        self._compared = compared or bool(self.problem.preferences) or self.problem.objective is not None
        self._cheaper: dict[tuple[int, bytes], Search] = {}
        """The latest searches with a bound on the cost, by cost and open literals."""
        self._passes: tuple[Mapping[str, NDArray[Any]], Passes] | None = None
        self._best: tuple[float, NDArray[np.int64]] | None = None
        """The cost of the best answer that is known, and its values as `Network.chosen`."""
        self._walk: NDArray[np.int64] | None = None
        """The values to which the last improvement came, whether they are an answer or not."""
        self._neighbourhoods: Neighbourhoods | None = None
        self._stride, self._pause = 1, 0
        """Calls of `starts` from one improvement to the next, and those until the next one."""
        self._calls = 0
        """Number of calls of `starts`."""

    def starts(self, header: Header, random: np.random.Generator, count: int) -> Mapping[str, NDArray[Any]]:
        """Initial states of chains for the latest inputs, see `Reading.starts`."""
        tensors = self.network.latest or self.network.tensors()
        spread = header.state["y"].initial.values[1]
        if self._colouring is not None and self._colouring.advance(random, count):
            return self._colouring.starts(random, count, spread, tensors)
        if self._passes is None or self._passes[0] is not tensors:
            self._passes = tensors, Passes(tensors, self.network.choices(len(self.problem.constraints)))
        passes = self._passes[1]
        self._calls += 1
        if self._calls == 1 or not self._compared or self._edges > LARGE:
            return passes.starts(random, count, spread)
        return passes.starts(random, count, spread, lambda draw: self._near(passes, draw))

    def _near(self, passes: Passes, random: np.random.Generator) -> list[tuple[NDArray[np.int64], bool]]:
        """Assignments near the best answer, or near where the last call came to, if that has a lower energy now.

        Each with whether it violates nothing.
        """
        if self._neighbourhoods is None or self._neighbourhoods.passes is not passes:
            self._neighbourhoods, self._stride = Neighbourhoods(passes), 1
        near = self._neighbourhoods
        known = [one for one in (self._walk, None if self._best is None else self._best[1]) if one is not None]
        given = min(known, key=near.energy) if known else passes.chosen(random)
        self._pause -= 1
        if self._pause > 0:
            shaken = near.shaken(given, random)
            return [(shaken, near.right(shaken))]
        before = near.energy(given)
        found = near.improved(given, random)
        one, right = found[0]
        lower = self._walk is None or right or near.energy(one) < before - VIOLATED
        self._stride = 1 if lower else min(2 * self._stride, LONGEST_PAUSE)
        self._walk, self._pause = one, self._stride
        return found

    @cached_property
    def _colouring(self) -> ConflictSearch | None:
        """A search for problems of conflicts between values; None for others."""
        problem = self.problem
        if self._compared or not self._searches_conflicts:  # the time is for better answers
            return None
        whole = [source for source, one in enumerate(problem.constraints) if isinstance(one, AllDifferent)]
        conflicts = Conflicts.of(self.network, whole)
        return None if conflicts is None else ConflictSearch(conflicts, self._edges)

    def remember(self, cost: float, values: Callable[[], NDArray[np.int64] | None]) -> None:
        """Keep the values of an answer, so that chains start near it, if none that is known costs less."""
        if (self._best is None or cost < self._best[0]) and (found := values()) is not None:
            self._best = cost, found

    @cached_property
    def _aim(self) -> Aim:
        return Aim()

    @cached_property
    def network(self) -> Network:
        return Network(self.problem.graph)

    def proof(self, effort: int) -> list[int] | None:
        """Contradictory constraints, found by a search that continues from call to call; None if nothing is proven yet."""
        if self._edges > SET_UP * effort or self._edges > MOST_EDGES:
            return None
        if effort <= AT_ONCE and (crowded := pigeonholes(self.problem, self.network.open)) is not None:
            return crowded
        if self._search.advance(WORK * effort) and not self._search.found:
            return contradiction(self._search)
        return None

    def unique(self) -> bool:
        """Whether a short search proves that exactly one assignment satisfies the constraints."""
        if not self.network.kept:
            return True
        if self._edges > SET_UP * AT_ONCE:
            return False
        return self._search.advance(WORK * AT_ONCE) and len(self._search.found) == 1

    def bound(self, most: int, effort: int, without: NDArray[np.bool_] | None = None) -> bool:
        """Whether every assignment costs more than a bound, in units of `Network.costs`; False if not proven yet.

        Args:
            without: Further excluded literals, ``(literals,)``.
        """
        if most < self.network.least:
            return True
        if self._edges > SET_UP * effort or self._edges > MOST_EDGES:
            return False
        open_ = self.network.open if without is None else self.network.open & ~without
        sought = (most, open_.tobytes())
        if sought not in self._cheaper:
            while len(self._cheaper) > 1:  # searches for a cost that is already beaten
                del self._cheaper[next(iter(self._cheaper))]
            self._cheaper[sought] = Search(self.problem, open_, most=most)
        search = self._cheaper[sought]
        return not search.found and search.advance(WORK * effort) and not search.found

    @cached_property
    def _search(self) -> Search:
        return Search(self.problem, self.network.open)

    @cached_property
    def _edges(self) -> int:
        return sum(len(factor.literals) for factor in self.problem.graph.factors)

    @cached_property
    def optimum(self) -> Optimum:
        return Optimum(self.problem, self.network)

    def least_cost(self, cost: float, effort: int) -> float:
        """A proven lower bound on the cost of all answers; the given cost if no answer is cheaper."""
        if self.problem.objective is not None:
            return self.optimum.bound(cost, WORK * effort)
        network = self.network
        return cost if self.bound(round(cost * network.quantum) - 1, effort) else network.least / network.quantum

    def with_cost_below(self, cost: float, without: NDArray[np.bool_] | None = None) -> dict[str, NDArray[Any]] | None:
        """The tensors of the problem with a lower cost; None if it has no answer."""
        if self.problem.objective is not None:
            limits = self.optimum.below(cost)
            return None if limits is None else self.network.tensors(*limits)
        most = round(cost * self.network.quantum) - 1
        if most < self.network.least:
            return None
        return self.network.tensors(
            most if without is not None else self._aim.below(cost, self.network.least, most), without
        )


def refuted(request: Mapping[str, Any]) -> bool:
    """Whether propagation or a short search proves that a request has no answer; also if it is not a request."""
    try:
        read = Read(request)
    except RequestError:
        return True
    return read.network.proof() is not None or read.proof(AT_ONCE) is not None


def counted(many: int, noun: str) -> str:
    """``"1 variable"``, ``"2 variables"``."""
    if many == 1:
        return f"1 {noun}"
    return f"{many} {noun.removesuffix('y')}ies" if noun.endswith("y") else f"{many} {noun}s"


class ConstraintsReading(Reading, Asks, Shows):
    """A finite problem as typed constraints: the request is `schema.REQUEST`, the answer ``{"values": …, "cost": …}``."""

    def __init__(self, header: Header, request: dict[str, Any], problem: Problem | None = None) -> None:
        super().__init__(header, request)
        self.read = Read(request, problem)

    @property
    def contradictions(self) -> list[Violation]:
        sources = self.read.network.proof()
        return self._proven(self.read.proof(AT_ONCE) if sources is None else sources)

    def proof(self, effort: int) -> list[Violation]:
        return self._proven(self.read.proof(effort))

    def _proven(self, sources: list[int] | None) -> list[Violation]:
        if sources is None:
            return []
        problem = self.read.problem
        first = [source for source in sources if 0 <= source < len(problem.constraints)]
        return [self._contradict(named) for named in further(problem, first, WORK * AT_ONCE)]

    def _contradict(self, sources: list[int]) -> Violation:
        problem = self.read.problem
        statements = "; ".join(
            f"{problem.names[source]}: {problem.constraints[source].in_words()}" for source in sources
        )
        places = tuple(f"constraints[{source}]" for source in sources)
        return Violation("constraints", f"These cannot all hold: {statements}.", len(sources), places=places)

    def encode(self) -> dict[str, NDArray[Any]]:
        return self.read.network.tensors()

    def starts(self, random: np.random.Generator, count: int) -> Mapping[str, NDArray[Any]] | None:
        return self.read.starts(self.header, random, count)

    def encode_answer(self, answer: dict[str, Any]) -> dict[str, NDArray[Any]] | None:
        return {"value": self.read.network.chosen(answer["values"])}

    def _values(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Value]:
        """The value of each variable in answer tensors."""
        return self.read.network.values(np.asarray(tensors["value"]))

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        return {"values": self._values(tensors)}

    def check(self, answer: dict[str, Any]) -> list[Violation]:
        return self.read.problem.violations(answer["values"])

    def same(self, one: dict[str, Any], other: dict[str, Any]) -> bool:
        return bool(one["values"] == other["values"])

    def unique(self, answer: dict[str, Any]) -> bool:
        """Whether propagation or a short complete search leaves one value for every variable."""
        del answer
        return self.read.unique()

    def variables(self, answer: dict[str, Any]) -> dict[str, Any]:
        return {name: answer["values"][name] for name in self.request["variables"]}

    def choices(self, variable: str) -> list[Value]:
        return asking.choices(self.read.network, variable)

    def fix(self, variable: str, value: Any) -> Patch:
        return asking.fix(self.request, variable, value)

    def ask(self, variable: str) -> str:
        return f"Which value is {variable} to have?"

    def called(self, variable: str, value: Any) -> str:
        return f"{variable} = {value}"

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> list[Change]:
        return asking.relaxations(self.request, self.read.problem, attempt, violations, refuted)

    def decided(self, since: Mapping[str, NDArray[Any]]) -> dict[str, int]:
        steps = since["value"].tolist()
        return {name: step for name, step in zip(self.read.network.rows, steps, strict=False) if name is not None}

    def summary(self) -> str:
        parts = ("variables", "constraints", "preferences")
        variables, constraints, preferences = (len(self.request.get(part, ())) for part in parts)
        liked = f" and {counted(preferences, 'preference')}" if preferences else ""
        wanted = self.read.problem.objective
        aim = f", to {wanted.in_words()}" if wanted is not None else ""
        return f"{counted(variables, 'variable')} under {counted(constraints, 'constraint')}{liked}{aim}"

    def draw(self, answer: dict[str, Any] | None) -> str:
        names = list(self.request["variables"])
        wide = max(map(len, names))
        values = {} if answer is None else answer["values"]
        return "\n".join(f"{name:<{wide}}  {values.get(name, '·')}" for name in names)


class PreferringReading(ConstraintsReading, Optimises):
    """A problem with preferences: an answer's cost is the weight of the violated preferences."""

    def decode(self, tensors: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        answer = super().decode(tensors)
        problem = self.read.problem
        if problem.objective is not None:
            answer["objective"] = problem.objective.value(answer["values"])
        if problem.preferences:
            answer["cost"] = problem.cost(answer["values"])
        return answer

    def cost(self, answer: dict[str, Any]) -> float:
        cost = self.read.problem.total(answer["values"])
        self.read.remember(cost, lambda: self.read.network.chosen(answer["values"]))
        return cost

    def gap(self, answer: dict[str, Any], bound: float | None, optimal: bool) -> str:
        wanted = self.read.problem.objective
        if wanted is None or "objective" not in answer:
            return super().gap(answer, bound, optimal)
        found = f"To {wanted.in_words()}: {answer['objective']} is found"
        if optimal:
            return f"{found}, and nothing better is possible, which is proven."
        if bound is None or not math.isfinite(bound):
            return f"{found}; how much better it could be is not known."
        cost = self.cost(answer)
        if self.request.get("preferences"):
            return f"{found}. It costs {cost:.6g} with the preferences, and no answer less than {bound:.6g}, which is proven."
        best = wanted.reaches(bound)
        most, more = (math.floor(best + 1e-9), "more") if wanted.maximise else (math.ceil(best - 1e-9), "less")
        gap = abs(answer["objective"] - most)
        return f"{found}; no {more} than {most} is possible, which is proven (gap {gap})."

    def improves(self, cost: float, best: float) -> bool:
        return cost < best  # costs are multiples of the quantum

    def with_cost_below(self, cost: float) -> dict[str, NDArray[Any]] | None:
        return self.read.with_cost_below(cost)

    def least_cost(self, cost: float, effort: int) -> float:
        return self.read.least_cost(cost, effort)
