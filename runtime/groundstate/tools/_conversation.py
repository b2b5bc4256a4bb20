"""One call of a solve tool over all its rounds: solve, question, reply, solve again. Every integration uses this loop."""

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
"""Replies to a question with the id of an option, or with None to take the solution as it is.

If it has a method ``acall`` with the same arguments, `Conversation.arun` awaits that.
"""


class Conversation:
    """One call of a solve tool. Made by `SolveTool.converse`.

    Args:
        solver: Solves, and scores.
        call: The parsed arguments.
        options: Options of every solve.
        detail: Detail of the outcome for the language model.
        asked: Questions with earlier replies, in order.
        watch: Called after every segment of the descent, as in `groundstate.Solver.solve`.

    Attributes:
        solution: The outcome of the latest round; None before the first.
        asked: The questions with replies, in order.
        updates: Steps of the descent so far, over all rounds; may be read during a round.
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
        """Solve, and solve again with each reply, until there is no question or no reply. Or score an answer, if requested.

        Args:
            replier: Replies to questions; without one, a question stays in the outcome.

        Raises:
            RequestError: If the request does not fit the schema, or it replies to a question that does not arise.
            OptionError: If the replier returns an awaitable, or an id that is not an option's.
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
        """`run` without blocking the event loop. If the task is cancelled, the descent ends at once.

        Raises:
            The errors of `run`, except that an awaitable from the replier is awaited.
        """
        if self._answer is not None:
            return self._scored(await self._solver.ascore(self._request, self._answer))
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
        """The record of the latest round for the language model.

        Raises:
            OptionError: If there was no round.
        """
        if self.solution is None:
            raise OptionError("Nothing was solved yet; call `run` first.")
        return Reply(_content.of_solution(self.solution, self._detail, self._notes, self.asked), self.solution)

    def _replied(self, choice: str | None) -> bool:
        """Apply a reply to the request; False if there is no reply. A reply that is not an option is the replier's fault."""
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
        """Count the updates of a segment; called in the thread that advances the call."""
        self.updates += self._solver.header.steps


async def _awaited(replier: Replier, question: Question, solution: Solution) -> str | None:
    if (acall := getattr(replier, "acall", None)) is not None:
        reply: str | None = await acall(question, solution)
        return reply
    choice = await asyncio.to_thread(replier, question, solution)
    return await choice if isinstance(choice, Awaitable) else choice


def _close(choice: Awaitable[Any]) -> None:
    # A coroutine that is never awaited warns when it is collected.
    if inspect.iscoroutine(choice):
        choice.close()
