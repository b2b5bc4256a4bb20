"""Translates requests into problems of the descent, and finished problems into solutions."""

from __future__ import annotations

import math
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from groundstate import _ask
from groundstate._errors import RequestError
from groundstate._explain import explained
from groundstate._group import Call, Group
from groundstate._header import Header
from groundstate._meaning import Meaning, Understanding
from groundstate._overdue import OverdueError, in_time
from groundstate._problem import Budget, Candidate, Problem, Segment
from groundstate._question import Question
from groundstate._request import MOST_VALUES, Schema
from groundstate._session import Session, Tensors
from groundstate._sizes import header_at
from groundstate._solution import Alternative, Attempt, Solution, Status, Violation

_REMEMBERED = 256
"""Number of cached headers for files of any size: making one takes as long as a small problem's segment."""

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

    def read(self, request: Mapping[str, Any]) -> Meaning:
        """Copy, validate and interpret a request. This is the only place that validates requests.

        Raises:
            RequestError: If it violates the schema, or the task cannot interpret it.
        """
        plain = self._request.copied(request)
        try:
            self._request.check(plain)
        except RequestError:
            fault = self.task.explain(request) if isinstance(request, Mapping) else None
            if fault is None:
                raise
            raise RequestError([fault]) from None
        return self.task.read(plain)

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
                watching.improved(problem.index, self._conclude(problem, explain=False))

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
            due = None if budget.deadline is None else at + budget.deadline
            if begun is not None and due is not None and time.monotonic() >= due and index:
                return  # options of a question: there is no time to try this one
            meaning = request if isinstance(request, Meaning) else None
            try:
                if not isinstance(request, Meaning):
                    meaning = in_time(due, self.read, request)
                assert meaning is not None, "it has just been read"
                prepared = in_time(due, self._prepare, index, meaning, budget, at)
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

        late = budget.deadline is not None and time.monotonic() - begun >= budget.deadline
        if meaning.asks is None or late or solution.status in (Status.SOLVED, Status.SETTLED):
            return None
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

    def violations(self, counts: NDArray[np.int64], excess: NDArray[np.float32] | None) -> list[Violation]:
        """The checks that fail in the graph. A negative count is invalid and is treated as a failure.

        Args:
            counts: Number of failures of each check, ``(C,)``.
            excess: The largest excess of each check, ``(C,)``; None if the graph does not measure.
        """
        found = []
        for place, (check, count) in enumerate(zip(self.header.checks, counts.tolist(), strict=True)):
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
        return Problem(index, self.sized(meaning.inputs), meaning, budget, begun)

    def _conclude(self, problem: Problem, *, explain: bool) -> Solution:
        solution = self._answered(problem, explain=explain) if problem.found else self._given_up(problem)
        return self._finished(solution, problem.meaning, problem.budget, problem.begun, explain=explain)

    def _finished(
        self, solution: Solution, meaning: Meaning, budget: Budget, begun: float, *, explain: bool
    ) -> Solution:
        text = explained(meaning, self.header, solution, budget.alternatives) if explain else ""
        draw = None if meaning.shows is None else meaning.svg
        seconds = time.monotonic() - begun
        return replace(solution, explanation=text, request=meaning.request, seconds=seconds).drawn_by(draw)

    def _answered(self, problem: Problem, *, explain: bool) -> Solution:
        first, *others = problem.answers
        status = Status.AMBIGUOUS if others else Status.SOLVED if problem.checked else Status.SETTLED
        runner_up = problem.best if explain and problem.checked else None
        return Solution(
            status,
            first.answer,
            first.energy,
            alternatives=tuple(Alternative(one.answer, one.energy, one.hits) for one in others),
            checked=problem.checked,
            unique=problem.unique,
            optimal=problem.optimal,
            bound=problem.bound if math.isfinite(problem.bound) and problem.optimises else None,
            decided=problem.meaning.decided(first.since) if explain else {},
            runner_up=None if runner_up is None else self._attempt(problem, runner_up),
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
        closest = self._attempt(problem, problem.best)
        return Solution(Status.UNSOLVED, None, None, closest, closest.violations, **spent)

    def _attempt(self, problem: Problem, candidate: Candidate) -> Attempt:
        answer = problem.meaning.decode(candidate.tensors)
        broken = problem.meaning.check(answer) or self.violations(candidate.violations, candidate.excess)
        return Attempt(answer, candidate.energy, tuple(broken))


class _Spent(TypedDict):
    steps: int
    chains: int
    seed: int
