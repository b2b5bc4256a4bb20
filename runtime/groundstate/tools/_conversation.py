"""One call of a solve tool over all its rounds: solve, question, reply, solve again. Every integration uses this one loop."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from groundstate._errors import OptionError, RequestError
from groundstate._problem import Segment
from groundstate._question import Question
from groundstate._solution import Score, Solution
from groundstate._solver import Solver
from groundstate.tools import _content
from groundstate.tools._arguments import Call
from groundstate.tools._base import Reply
from groundstate.tools._content import Asked, Detail
from groundstate.tools._options import SolveOptions

Replier = Callable[[Question, Solution], str | Awaitable[str | None] | None]
"""Replies to a question about a solution with the id of an option, or with None to take the solution as it is.

If it has a method ``acall`` with the same arguments, `Conversation.arun` awaits that.
"""


class Conversation:
    """One call of a solve tool. Made by `SolveTool.converse`.

    Args:
        solver: Solves, and scores.
        call: What the arguments mean.
        options: Options of every solve.
        detail: How much the language model reads of an outcome.
        asked: Questions that were replied to before, in their order.
        watch: Called after every segment of the descent, as in `groundstate.Solver.solve`.

    Attributes:
        solution: The outcome of the latest round; None before the first.
        asked: The questions that were replied to, in their order.
        updates: Updates of the descent so far, over all rounds; may be read while a round runs.
    """

    def __init__(
        self,
        solver: Solver,
        call: Call,
        options: SolveOptions,
        *,
        detail: Detail = "brief",
        asked: Iterable[Asked] = (),
        watch: Callable[[Segment], None] | None = None,
    ) -> None:
        self._solver, self._options, self._detail, self._watch = solver, options, detail, watch
        self._request, self._answer, self._notes = call.request, call.answer, call.notes
        self.asked = list(asked)
        self._replies = call.replies | {one["id"]: one["reply"] for one in self.asked}
        self.solution: Solution | None = None
        self.updates = 0

    @property
    def question(self) -> Question | None:
        """The open question, if there is one."""
        return None if self.solution is None else self.solution.question

    def run(self, replier: Replier | None = None) -> Reply:
        """Solve, and solve again with each reply, until nothing is asked or nobody replies. Or score, if that was called for.

        Args:
            replier: Replies to questions; without one, a question stays in the outcome.

        Raises:
            RequestError: If the request is not what the schema allows, or it replies to a question that it does not bring.
            OptionError: If the replier returns what is not an option, or an awaitable.
        """
        if self._answer is not None:
            return self._scored(self._solver.score(self._request, self._answer))
        while True:
            self.solution = self._solver.solve(
                self._request, replies=self._replies, watch=self._watch, heartbeat=self._beat, **self._options
            )
            if replier is None or self.solution.question is None:
                return self.reply
            choice = replier(self.solution.question, self.solution)
            if isinstance(choice, Awaitable):
                _close(choice)
                raise OptionError(f"The replier {replier!r} is asynchronous; await `arun` (LangChain: `ainvoke`).")
            if not self._replied(choice):
                return self.reply

    async def arun(self, replier: Replier | None = None) -> Reply:
        """`run` without blocking the event loop. If the task is cancelled, the descent ends before its next segment.

        Raises:
            As `run` does; an awaitable from the replier is awaited.
        """
        if self._answer is not None:
            return self._scored(await asyncio.to_thread(self._solver.score, self._request, self._answer))
        while True:
            self.solution = await self._solver.asolve(
                self._request, replies=self._replies, watch=self._watch, heartbeat=self._beat, **self._options
            )
            if replier is None or self.solution.question is None:
                return self.reply
            if not self._replied(await _awaited(replier, self.solution.question, self.solution)):
                return self.reply

    @property
    def reply(self) -> Reply:
        """What the language model reads of the latest round.

        Raises:
            OptionError: If there was none.
        """
        if self.solution is None:
            raise OptionError("Nothing was solved yet; call `run` first.")
        return Reply(_content.of_solution(self.solution, self._detail, self._notes, self.asked), self.solution)

    def _replied(self, choice: str | None) -> bool:
        """Apply a reply to the request; False where there is none. A reply that is no option is a mistake of the replier."""
        solution, question = self.solution, self.question
        if choice is None or solution is None or question is None:
            return False
        try:
            option = question.option(choice)
        except RequestError as error:
            raise OptionError(f"A reply to a question is not one of its options: {error}") from None
        self.asked.append(Asked(id=question.id, text=question.text, reply=option.id))
        self._request, self._replies = option.apply(solution.request), {}
        return True

    def _scored(self, score: Score) -> Reply:
        return Reply(_content.of_score(score, self._detail, self._notes), score)

    def _beat(self) -> None:
        """Count the updates of a segment; called in the solving thread, before it."""
        self.updates += self._solver.header.steps


async def _awaited(replier: Replier, question: Question, solution: Solution) -> str | None:
    if (acall := getattr(replier, "acall", None)) is not None:
        reply: str | None = await acall(question, solution)
        return reply
    choice = await asyncio.to_thread(replier, question, solution)
    return await choice if isinstance(choice, Awaitable) else choice


def _close(choice: Awaitable[Any]) -> None:
    # A coroutine that nobody awaits warns when it is collected.
    if inspect.iscoroutine(choice):
        choice.close()
