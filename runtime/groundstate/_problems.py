"""From requests to problems of the descent, and from what the descent found to solutions."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from groundstate import _asking
from groundstate._chains import Pool, descend
from groundstate._errors import RequestError
from groundstate._explain import explained
from groundstate._header import Header
from groundstate._problem import Budget, Found, Problem, Segment
from groundstate._question import Question
from groundstate._request import Schema
from groundstate._session import Session, Tensors
from groundstate._sizes import header_at
from groundstate._solution import Alternative, Attempt, Solution, Status, Violation
from groundstate._task import Task

Plain = dict[str, Any]

_REMEMBERED = 256
"""Sizes whose header is kept for a file of any size: to make one takes as long as a small problem's segment."""

EFFORTS = {1: (8, 512), 2: (16, 2048)}
"""Chains, and updates of each, that an option is tried with."""


class Problems:
    """What an artefact's problems mean: how a request becomes one, and what its end says.

    Args:
        session: Runs the graph.
        header: Of the artefact.
        task: Of the artefact.
        pool: Threads to descend on.
    """

    def __init__(self, session: Session, header: Header, task: Task, pool: Pool) -> None:
        self._session, self._pool = session, pool
        self.header, self.task = header, task
        self._request = Schema(header.request, header.inputs)
        self._header_at = lru_cache(_REMEMBERED)(self._make_header)

    def plain(self, request: Mapping[str, Any]) -> Plain:
        """The request as plain JSON.

        Raises:
            RequestError: If it is not what the schema allows.
        """
        try:
            return self._request.validate(request)
        except RequestError:
            fault = self.task.explain(request) if isinstance(request, Mapping) else None
            if fault is None:
                raise
            raise RequestError([fault]) from None

    def sized(self, inputs: Tensors) -> Header:
        """The header at the sizes of input tensors without the batch.

        Raises:
            RequestError: If they do not fit together.
        """
        if not self.header.sizes:
            return self.header
        return self._header_at(tuple(inputs[name].shape for name in self.header.inputs))

    def outcomes(
        self,
        requests: Iterable[Mapping[str, Any]],
        budget: Budget,
        watch: Callable[[Segment], None] | None = None,
        begun: float | None = None,
        pulse: Callable[[], None] | None = None,
    ) -> Iterator[tuple[int, Plain, Solution | RequestError]]:
        """Solve requests in shared batches: their numbers, what they are as plain JSON, and how they ended, as they end.

        A request that contradicts itself ends at once; one that is not what the schema allows ends as its error.

        Args:
            begun: `time.monotonic` from which deadlines count; where None, for each request from when it is read.
            pulse: Called before every segment; what it raises ends the descent.
        """
        plain: dict[int, Plain] = {}
        early: list[tuple[int, Plain, Solution | RequestError]] = []

        def admitted() -> Iterator[Problem]:
            for index, request in enumerate(requests):
                try:
                    asked = self.plain(request)
                    prepared = self._prepare(index, asked, budget, time.monotonic() if begun is None else begun)
                except RequestError as error:
                    early.append((index, {}, error))
                    continue
                if isinstance(prepared, Solution):
                    early.append((index, asked, prepared))
                    continue
                plain[index] = asked
                yield prepared

        for problem in descend(self._session, admitted(), self._pool, watch, pulse):
            while early:
                yield early.pop(0)
            asked = plain.pop(problem.index)
            yield problem.index, asked, self._conclude(problem, asked)
        yield from early

    def question(
        self,
        request: Plain,
        solution: Solution,
        budget: Budget,
        begun: float,
        pulse: Callable[[], None] | None = None,
    ) -> Question | None:
        """What would settle a problem that is not settled; None where nothing would, or no time is left."""

        def trial(requests: Iterable[Mapping[str, Any]], effort: int) -> Iterator[tuple[int, Mapping[str, Any]]]:
            chains, steps = EFFORTS[effort]
            tried = replace(
                budget,
                restarts=min(chains, budget.restarts),
                max_steps=min(steps, budget.max_steps),
                alternatives=1,
            )
            for index, _, outcome in self.outcomes(requests, tried, None, begun, pulse):
                if isinstance(outcome, Solution) and outcome.solved and outcome.answer is not None:
                    yield index, outcome.answer

        late = budget.deadline is not None and time.monotonic() - begun >= budget.deadline
        if solution.status is Status.SOLVED or late:
            return None
        if solution.status is Status.AMBIGUOUS and solution.answer is not None:
            answers = [solution.answer, *(other.answer for other in solution.alternatives)]
            return _asking.ambiguous(self.task, request, answers, trial)
        return _asking.relax(self.task, request, solution.answer, solution.violations, trial)

    def violations(self, counts: NDArray[np.int64]) -> list[Violation]:
        """The rules that the graph counted as broken."""
        return [
            Violation(rule.name, int(count), f"{rule.description} Broken {int(count)} times.")
            for rule, count in zip(self.header.rules, counts, strict=True)
            if count
        ]

    def _make_header(self, shapes: tuple[tuple[int, ...], ...]) -> Header:
        return header_at(self.header, dict(zip(self.header.inputs, shapes, strict=True)))

    def _prepare(self, index: int, request: Plain, budget: Budget, begun: float) -> Solution | Problem:
        """Encode; a solution where the request contradicts itself."""
        task = self.task
        if wrong := task.contradictions(request):
            solution = Solution(Status.INFEASIBLE, None, None, tuple(wrong), seed=budget.seed)
            said = explained(task, self.header, request, solution, budget.alternatives)
            return replace(solution, explanation=said, request=request, seconds=time.monotonic() - begun)

        def judge(answer: Tensors) -> float | None:
            decoded = task.decode(request, answer)
            if task.check(request, decoded):
                return None
            cost = task.cost(request, decoded)
            return -math.inf if cost is None else cost

        def below(cost: float) -> Tensors | None:
            return None if cost == -math.inf else task.below(request, cost)

        def unique(answer: Tensors) -> bool:
            return task.unique(request, task.decode(request, answer))

        inputs = task.encode(request)
        return Problem(index, self.sized(inputs), inputs, budget, judge, below, unique, begun)

    def _conclude(self, problem: Problem, request: Plain) -> Solution:
        solution = self._answered(problem, request) if problem.found else self._given_up(problem, request)
        said = explained(self.task, self.header, request, solution, problem.budget.alternatives)
        return replace(solution, explanation=said, request=request, seconds=time.monotonic() - problem.begun)

    def _answered(self, problem: Problem, request: Plain) -> Solution:
        first, *others = sorted(problem.found, key=lambda one: one.energy)
        best: Found | None = problem.best
        decided = self.task.decided(request, first.since)
        return Solution(
            Status.AMBIGUOUS if others else Status.SOLVED,
            self.task.decode(request, first.answer),
            first.energy,
            alternatives=tuple(
                Alternative(self.task.decode(request, one.answer), one.energy, one.chains) for one in others
            ),
            only=problem.only,
            decided=dict(sorted(decided.items(), key=lambda item: item[1])),
            runner_up=None if best is None else Attempt(best.energy, int(best.violations.sum())),
            arrivals=first.chains,
            steps=first.steps,
            chains=problem.started,
            seed=problem.budget.seed,
        )

    def _given_up(self, problem: Problem, request: Plain) -> Solution:
        best: Found | None = problem.best
        spent = _Spent(steps=problem.steps, chains=problem.started, seed=problem.budget.seed)
        if best is None:
            return Solution(Status.UNSOLVED, None, None, **spent)
        answer = self.task.decode(request, best.answer)
        broken = self.task.check(request, answer) or self.violations(best.violations)
        return Solution(Status.UNSOLVED, answer, best.energy, tuple(broken), **spent)


class _Spent(TypedDict):
    steps: int
    chains: int
    seed: int
