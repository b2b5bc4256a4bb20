"""Translates requests into problems of the descent, and finished problems into solutions."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypedDict, TypeVar

import numpy as np
from numpy.typing import NDArray

from groundstate import _ask
from groundstate._errors import RequestError, TaskError
from groundstate._explain import explained
from groundstate._group import Call, Group
from groundstate._header import Header
from groundstate._meaning import Meaning, Understanding
from groundstate._overdue import Deadline, OverdueError, in_time
from groundstate._problem import Budget, Candidate, Problem, Segment
from groundstate._question import Question
from groundstate._request import MOST_VALUES, Schema
from groundstate._session import Session, Tensors
from groundstate._sizes import header_at
from groundstate._solution import Alternative, Attempt, Solution, Status, Violation

_REMEMBERED = 256
"""Number of cached headers for files of any size: making one takes as long as a small problem's segment."""

_RESERVED = 0.1
"""Part of a deadline that is kept for making the solution while nobody knows how long that takes."""

_RESERVED_AT_MOST = 0.02
"""Seconds, at most, of the same."""

_MOST_RESERVED = 0.5
"""Most of a deadline that is kept for making the solution."""

_SPARE = 0.001
"""Seconds that the end of a run and of the search take, besides."""

_OVERTIME = 0.004
"""Seconds after the deadline at which making the solution is given up; a tenth of a short deadline."""

_MOST_LAG = 0.3
"""Most of a deadline by which reading a request is ended sooner, because C code ended late before."""

_LONGEST_LAG = 0.5
"""Most seconds of the same."""

_FORGETTING = 0.9
"""How much of the longest time for a solution is still expected after each that took less."""

EFFORTS = {1: (8, 512), 2: (16, 2048)}
"""Chains, and updates per chain, for trying an option, by effort."""


@dataclass(frozen=True, slots=True)
class Watching:
    """What a caller wants to hear of during a descent.

    Attributes:
        watch: Called after every segment, for each problem in flight and each stage in which it has chains.
        heartbeat: Called before every segment; an exception that it raises ends the descent.
        improved: Called with the index and the solution so far when a problem has a better answer, or a further one.
    """

    watch: Callable[[Segment], None] | None = None
    heartbeat: Callable[[], None] | None = None
    improved: Callable[[int, Solution], None] | None = None


NOBODY = Watching()

_Result = TypeVar("_Result")

Outcome = tuple[int, Meaning | None, Solution | RequestError]
"""Index, meaning and outcome of a request; an invalid one has no meaning."""


class Problems:
    """Translates requests into problems, and finished problems into solutions.

    Args:
        sessions: Run the graphs of the stages, in order.
        header: The artefact's header.
        task: The artefact's task.
        values: Maximum number of values in a request, if the tensors do not have more elements.
    """

    def __init__(self, sessions: list[Session], header: Header, task: Understanding, values: int = MOST_VALUES) -> None:
        self._sessions = sessions
        self.header, self.task = header, task
        if any(spec.axes and name in header.request.get("properties", {}) for name, spec in header.asked.items()):
            values = max(values, header.limits["elements"])
        self.values = values
        self._request = Schema(header.request, header.asked, values=values)
        self._header_at = lru_cache(_REMEMBERED)(self._make_header)
        self._reserves: dict[int, float] = {}
        self._lag = 0.0

    def read(self, request: Mapping[str, Any]) -> Meaning:
        """Copy, validate and interpret a request. This is the only place that validates requests.

        Raises:
            RequestError: If it violates the schema, or the task cannot interpret it.
        """
        plain = self._request.tensors(request)
        if plain is None:
            plain = self._request.copied(request)
            try:
                self._request.check(plain)
            except RequestError:
                fault = self.task.explain(request) if isinstance(request, Mapping) else None
                if fault is None:
                    raise
                raise RequestError([fault]) from None
        return self.task.read(plain)

    def cut(self, budget: Budget, begun: float) -> float | None:
        """When reading requests and choosing options must end to be back by the deadline, or None.

        The task's code may call functions in C, which are not interrupted: it is ended as much sooner as it was late lately.
        """
        return (
            None if budget.deadline is None else begun + budget.deadline - min(self._lag, _MOST_LAG * budget.deadline)
        )

    def in_time(self, budget: Budget, begun: float, call: Callable[..., _Result], *arguments: object) -> _Result:
        """Read or prepare a request, and be back by its deadline as far as possible.

        Raises:
            OverdueError: If the deadline has passed, or will have.
        """
        cut, due = self.cut(budget, begun), budget.due(begun)
        if cut is None or due is None:
            return call(*arguments)
        if time.monotonic() >= cut:
            raise OverdueError
        try:
            return in_time(cut, call, *arguments)
        except OverdueError:
            self._late_by(time.monotonic() - cut)
            raise

    def _late_by(self, seconds: float) -> None:
        self._lag = min(max(seconds, _FORGETTING * self._lag), _LONGEST_LAG)

    def hold_size(self, request: Any) -> None:
        """Refuse a request that is nested too deeply, or has too many values in it.

        Raises:
            RequestError: It is one of these.
        """
        self._request.hold_size(request)

    def sized(self, inputs: Tensors) -> Header:
        """The header at the sizes of input tensors without the batch axis.

        Raises:
            RequestError: If they do not fit together.
        """
        if not self.header.sizes:
            return self.header
        return self._header_at(tuple(inputs[name].shape for name in self.header.inputs))

    async def outcomes(
        self,
        call: Call,
        requests: Iterable[Mapping[str, Any] | Meaning],
        budget: Budget,
        watching: Watching = NOBODY,
        begun: float | None = None,
        *,
        explain: bool = True,
        ordered: bool = False,
    ) -> AsyncGenerator[Outcome, None]:
        """Solve requests in shared batches. Yields the index, the meaning and the outcome of each request as it ends.

        A request that contradicts itself ends at once, and so does one whose deadline has passed when it has been read. The
        outcome of an invalid request is its error, without a meaning. Close the iterator (`contextlib.aclosing`) to end early.

        Args:
            call: The call that the requests belong to.
            requests: Requests, or their meanings if they have been read.
            begun: Start of the deadlines (`time.monotonic`); None starts each deadline before its request is read.
            explain: Whether to fill in the explanation.
            ordered: Whether the order in which requests end must not depend on other calls.
        """
        early: list[Outcome] = []

        def improved(problem: Problem) -> None:
            if watching.improved is not None:
                watching.improved(problem.index, self._conclude(problem, explain=False, last=False))

        group = Group(
            call,
            self._sessions,
            self._admitted(requests, budget, begun, early),
            watch=watching.watch,
            heartbeat=watching.heartbeat,
            improved=None if watching.improved is None else improved,
            explain=explain,
            ordered=ordered,
        )
        try:
            while (problem := await group.next()) is not None:
                while early:
                    yield early.pop(0)
                yield problem.index, problem.meaning, self._conclude(problem, explain=explain)
            while early:
                yield early.pop(0)
        finally:
            group.leave()

    async def outcome(self, call: Call, meaning: Meaning, budget: Budget, watching: Watching, begun: float) -> Solution:
        """Solve one request. As `outcomes`, and raises the error of an invalid one.

        Raises:
            RequestError: If the request has no meaning for the task.
        """
        try:
            prepared = self.in_time(budget, begun, self._prepare, 0, meaning, budget, begun)
        except OverdueError:
            return self.unread(meaning, budget, begun)
        if isinstance(prepared, Solution):
            return prepared
        group = Group(call, self._sessions, iter((prepared,)), watch=watching.watch, heartbeat=watching.heartbeat)
        try:
            problem = await group.next()
        finally:
            group.leave()
        assert problem is not None, "the problem has an end"
        return self._conclude(problem, explain=True)

    def _admitted(
        self,
        requests: Iterable[Mapping[str, Any] | Meaning],
        budget: Budget,
        begun: float | None,
        early: list[Outcome],
    ) -> Iterator[Problem]:
        """Read requests as the descent has room for them. What ends without a descent is appended to ``early``."""
        for index, request in enumerate(requests):
            at = time.monotonic() if begun is None else begun
            cut = self.cut(budget, at)
            if begun is not None and cut is not None and time.monotonic() >= cut and index:
                return  # options of a question: there is no time to try this one
            meaning = request if isinstance(request, Meaning) else None
            try:
                if not isinstance(request, Meaning):
                    meaning = self.in_time(budget, at, self.read, request)
                assert meaning is not None, "it has just been read"
                prepared = self.in_time(budget, at, self._prepare, index, meaning, budget, at)
            except RequestError as error:
                early.append((index, None, error))
            except OverdueError:
                early.append((index, meaning, self.unread(request, budget, at)))
            else:
                if isinstance(prepared, Solution):
                    early.append((index, meaning, prepared))
                else:
                    yield prepared

    async def question(
        self,
        call: Call,
        meaning: Meaning,
        solution: Solution,
        budget: Budget,
        begun: float,
        heartbeat: Callable[[], None] | None = None,
    ) -> Question | None:
        """Build the question for a problem with several answers or none; None if no question helps or no time is left."""

        async def trial(
            requests: Iterable[Mapping[str, Any]], effort: int, most: int
        ) -> list[tuple[int, dict[str, Any]]]:
            chains, steps = EFFORTS[effort]
            tried = replace(
                budget,
                restarts=min(chains, budget.restarts),
                max_steps=min(steps, budget.max_steps),
                alternatives=1,
            )
            beating = replace(NOBODY, heartbeat=heartbeat)
            answers: list[tuple[int, dict[str, Any]]] = []
            outcomes = self.outcomes(call, requests, tried, beating, begun, explain=False, ordered=True)
            async with aclosing(outcomes) as found:
                async for index, _, outcome in found:
                    if isinstance(outcome, Solution) and outcome.answer is not None:
                        answers.append((index, outcome.answer))
                        if len(answers) == most:
                            break
            return answers

        if meaning.asks is None or solution.status in (Status.SOLVED, Status.SETTLED):
            return None
        cut = self.cut(budget, begun)
        if cut is None:
            return await self._choose(meaning, solution, trial)
        if time.monotonic() >= cut:
            return None
        meaning.clock = meaning.clock or Deadline(cut)
        meaning.clock.move(cut)
        try:
            return await self._choose(meaning, solution, trial)
        except OverdueError:
            self._late_by(time.monotonic() - cut)
            return None

    async def _choose(self, meaning: Meaning, solution: Solution, trial: _ask.Trial) -> Question | None:
        if solution.answer is not None:
            answers = [solution.answer, *(other.answer for other in solution.alternatives)]
            return await _ask.ambiguous(meaning, answers, trial)
        checks = "passes every check" if self.header.checks else "is a minimum of the energy"
        return await _ask.relax(meaning, solution.closest, solution.violations, trial, checks)

    def unread(self, request: Mapping[str, Any] | Meaning, budget: Budget, begun: float) -> Solution:
        """The solution of a request whose deadline passed before it was read and encoded."""
        text = f"The deadline of {budget.deadline:g} s passed before the request was read. Nothing is known of it."
        read = request.request if isinstance(request, Meaning) else request
        plain = dict(read) if isinstance(read, Mapping) else {}
        seconds = time.monotonic() - begun
        return Solution(Status.UNSOLVED, None, None, explanation=text, request=plain, seconds=seconds, seed=budget.seed)

    def _make_header(self, shapes: tuple[tuple[int, ...], ...]) -> Header:
        return header_at(self.header, dict(zip(self.header.inputs, shapes, strict=True)))

    def _prepare(self, index: int, meaning: Meaning, budget: Budget, begun: float) -> Solution | Problem:
        """Make the problem; if the request contradicts itself, the solution."""
        if meaning.contradictions:
            solution = Solution(Status.INFEASIBLE, None, None, violations=meaning.contradictions, seed=budget.seed)
            return self._finished(solution, meaning, budget, begun, explain=True)
        if budget.deadline is not None and time.monotonic() - begun >= budget.deadline:
            solution = Solution(Status.UNSOLVED, None, None, seed=budget.seed)
            return self._finished(solution, meaning, budget, begun, explain=True)
        header = self.sized(meaning.inputs)
        return Problem(index, header, meaning, budget, begun, reserve=self._reserve(header, budget))

    def _reserve(self, header: Header, budget: Budget) -> float:
        """Seconds before the deadline at which the search ends: as long as it took lately to make a solution."""
        if budget.deadline is None:
            return 0.0
        usual = self._reserves.get(header.number, min(_RESERVED * budget.deadline, _RESERVED_AT_MOST))
        return min(usual + _SPARE, _MOST_RESERVED * budget.deadline)

    def _conclude(self, problem: Problem, *, explain: bool, last: bool = True) -> Solution:
        """The solution of a problem.

        Args:
            explain: Whether to fill in the explanation.
            last: Whether the search is over.
        """
        meaning, budget = problem.meaning, problem.budget
        if not last or meaning.clock is None or budget.deadline is None:
            solution = self._answered(problem) if problem.found else self._given_up(problem)
            return self._finished(solution, meaning, budget, problem.begun, problem if explain else None)
        # What is cut short here is made without: no closest attempt.
        interrupted, begun = meaning.clock.passed, time.monotonic()
        if problem.due is not None and problem.late:
            begun = min(begun, problem.due)  # that the search took longer counts as well
        meaning.clock.move(problem.begun + budget.deadline + min(_OVERTIME, _RESERVED * budget.deadline))
        try:
            solution = self._answered(problem) if problem.found else self._given_up(problem)
        except OverdueError:
            solution = self._cut_short(problem)
        except TaskError:
            if not interrupted:
                raise
            solution = self._cut_short(problem)  # what was interrupted may have left the reading half done
        usual, took = self._reserves.get(problem.header.number, 0.0), time.monotonic() - begun
        if len(self._reserves) >= _REMEMBERED:
            self._reserves.clear()
        self._reserves[problem.header.number] = max(took, _FORGETTING * usual)
        return self._finished(solution, meaning, budget, problem.begun, problem if explain else None)

    def _cut_short(self, problem: Problem) -> Solution:
        """The solution as far as it is known without any of the task's code."""
        if problem.found:
            return self._answered(problem, optimal=False)
        spent = _Spent(steps=problem.steps, chains=problem.started, seed=problem.budget.seed)
        return Solution(Status.UNSOLVED, None, None, **spent)

    def _finished(
        self,
        solution: Solution,
        meaning: Meaning,
        budget: Budget,
        begun: float,
        problem: Problem | None = None,
        *,
        explain: bool = False,
    ) -> Solution:
        """Add what does not depend on the outcome.

        Args:
            problem: The problem, to explain its descent when somebody reads the explanation.
            explain: Whether to explain the outcome of a request without a descent.
        """
        object.__setattr__(solution, "request", meaning.request)  # nobody else has it yet
        object.__setattr__(solution, "seconds", time.monotonic() - begun)
        if problem is not None or explain:
            first = problem.answers[0] if problem is not None and problem.found else None
            best = problem.best if problem is not None and first is not None and problem.checked else None
            since = {} if first is None else first.since
            solution.explained_by(_Explaining(self.header, meaning, budget.alternatives, since, best))
        return solution.drawn_by(None if meaning.shows is None else meaning.unbound_svg)

    def _answered(self, problem: Problem, *, optimal: bool | None = None) -> Solution:
        """The solution of a problem with answers.

        Args:
            optimal: Whether the answer is proven to be the best; None asks the task.
        """
        first, *others = problem.answers
        status = Status.AMBIGUOUS if others else Status.SOLVED if problem.checked else Status.SETTLED
        return Solution(
            status,
            first.answer,
            first.energy,
            alternatives=tuple(Alternative(one.answer, one.energy, one.hits) for one in others),
            checked=problem.checked,
            unique=problem.unique,
            optimal=problem.optimal if optimal is None else optimal,
            bound=problem.bound if math.isfinite(problem.bound) and problem.optimises else None,
            hits=first.hits,
            steps=first.steps,
            chains=problem.started,
            seed=problem.budget.seed,
        )

    def _given_up(self, problem: Problem) -> Solution:
        spent = _Spent(steps=problem.steps, chains=problem.started, seed=problem.budget.seed)
        if problem.disproved:
            return Solution(Status.INFEASIBLE, None, None, violations=problem.disproved, **spent)
        if problem.best is None:
            return Solution(Status.UNSOLVED, None, None, **spent)
        closest = _attempt(self.header, problem.meaning, problem.best)
        return Solution(Status.UNSOLVED, None, None, closest, closest.violations, **spent)


def violated(header: Header, counts: NDArray[np.int64], excess: NDArray[np.float32] | None) -> list[Violation]:
    """The checks that fail in the graph. A negative count is invalid and is treated as a failure.

    Args:
        counts: Number of failures of each check, ``(C,)``.
        excess: The largest excess of each check, ``(C,)``; None if the graph does not measure.
    """
    found = []
    for place, (check, count) in enumerate(zip(header.checks, counts.tolist(), strict=True)):
        if not count:
            continue
        if check.tolerance is None or excess is None:
            failure = f"Violated {count} time{'' if count == 1 else 's'}."
            found.append(Violation(check.name, f"{check.description} {failure}".strip(), max(count, 1)))
            continue
        amount, unit = float(excess[place]), "" if check.unit is None else f" {check.unit}"
        where = f"at {count} place{'' if count == 1 else 's'}"
        failure = f"The tolerance of {check.tolerance:g}{unit} is exceeded by {amount:.3g}{unit}, {where}."
        text = f"{check.description} {failure}".strip()
        found.append(Violation(check.name, text, max(count, 1), amount, check.unit))
    return found


def _attempt(header: Header, meaning: Meaning, candidate: Candidate) -> Attempt:
    answer = meaning.decode(candidate.tensors)
    broken = meaning.check(answer) or violated(header, candidate.violations, candidate.excess)
    return Attempt(answer, candidate.energy, tuple(broken))


@dataclass(frozen=True, slots=True)
class _Explaining:
    """Computes what explains a solution, when somebody reads it. It keeps no session alive."""

    header: Header
    meaning: Meaning
    sought: int
    since: Tensors
    best: Candidate | None

    def __call__(self, solution: Solution, name: str) -> Any:
        self.meaning.unbound()  # the call is over
        if name == "decided":
            return self.meaning.decided(self.since)
        if name == "runner_up":
            return None if self.best is None else _attempt(self.header, self.meaning, self.best)
        return explained(self.meaning, self.header, solution, self.sought)


class _Spent(TypedDict):
    steps: int
    chains: int
    seed: int
