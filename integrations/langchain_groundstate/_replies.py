"""Who replies to a question, and the rounds of question and reply within one call."""

from __future__ import annotations

import asyncio
import importlib.util
import inspect
import threading
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Literal

import groundstate as gs
from groundstate.tools import Asked, SolveOptions, SolveTool

Replier = Callable[[gs.Question, gs.Solution], str | Awaitable[str | None] | None]
"""Replies to a question about a solution with the id of an option, or with None to take the solution as it is.

Where it has a method ``acall`` of the same arguments, asynchronous calls await that.
"""

OnQuestion = Literal["return", "interrupt"] | Replier
"""What becomes of a question: it is returned, a person is asked by an interrupt of LangGraph, or code replies."""

Watch = Callable[[gs.Segment], None] | None

Settled = tuple[gs.Solution, list[str], list[Asked]]
"""The solution, how arguments were read where not as they came, and what was asked and replied: what `SolveTool.reply` takes."""


class CannotAskError(gs.OptionError):
    """A question that cannot reach a person, as the program is set up.

    Attributes:
        solution: What was found, and what is asked about it.
    """

    def __init__(self, message: str, solution: gs.Solution) -> None:
        super().__init__(message)
        self.solution = solution


def replier(on_question: OnQuestion, tool: str, options: SolveOptions) -> Replier | None:
    """Who replies; None where questions are returned.

    Args:
        tool: The name of the tool that asks, for the person.
        options: Those that the tool solves with.

    Raises:
        OptionError: If `on_question` is none of what it may be, or does not go with the options.
    """
    if on_question == "return":
        return None
    if options.get("ask", True) is False:
        raise gs.OptionError(
            f"on_question is {on_question!r} and ask is False, so that nothing is asked; leave one of them out."
        )
    if callable(on_question):
        return on_question
    if on_question != "interrupt":
        raise gs.OptionError(f"on_question is {on_question!r}; it must be 'return', 'interrupt' or a callable.")
    if options.get("deadline") is not None:
        raise gs.OptionError(
            f"deadline is {options['deadline']!r} and on_question is 'interrupt': LangGraph runs the tool again for each "
            "reply, and with a deadline it might then ask something else. Bound it by restarts and max_steps instead."
        )
    if importlib.util.find_spec("langgraph") is None:
        raise gs.OptionError(
            "on_question is 'interrupt', which needs LangGraph; install it with: pip install 'groundstate[langgraph]'."
        )
    from langchain_groundstate._person import Person

    return Person(tool)


def settled(tool: SolveTool, arguments: Mapping[str, Any], ask: Replier | None, watch: Watch) -> Settled:
    """`SolveTool.solve`, and again with each reply, until nothing is asked or nobody replies."""
    asked: list[Asked] = []
    solution, notes = tool.solve(arguments, watch=watch)
    while ask is not None and solution.question is not None:
        reply = ask(solution.question, solution)
        if isinstance(reply, Awaitable):
            _close(reply)
            raise gs.OptionError(f"on_question is {ask!r}, which only an asynchronous call (`ainvoke`) can wait for.")
        if reply is None:
            break
        solution, _ = tool.solve(_changed(solution, solution.question, reply, asked), watch=watch)
    return solution, notes, asked


async def asettled(tool: SolveTool, arguments: Mapping[str, Any], ask: Replier | None, watch: Watch) -> Settled:
    """`settled` without blocking the event loop. Where the call is cancelled, the descent ends at its next segment."""
    asked: list[Asked] = []
    solution, notes = await _solved(tool, arguments, watch)
    while ask is not None and solution.question is not None:
        reply = await _awaited(ask, solution.question, solution)
        if reply is None:
            break
        changed = _changed(solution, solution.question, reply, asked)
        solution, _ = await _solved(tool, changed, watch)
    return solution, notes, asked


async def _solved(tool: SolveTool, arguments: Mapping[str, Any], watch: Watch) -> tuple[gs.Solution, list[str]]:
    ended = threading.Event()

    def heartbeat() -> None:
        if ended.is_set():
            raise asyncio.CancelledError

    try:
        return await asyncio.to_thread(tool.solve, arguments, watch=watch, heartbeat=heartbeat)
    finally:
        ended.set()


async def _awaited(ask: Replier, question: gs.Question, solution: gs.Solution) -> str | None:
    if (acall := getattr(ask, "acall", None)) is not None:
        said: str | None = await acall(question, solution)
        return said
    reply = await asyncio.to_thread(ask, question, solution)
    return await reply if isinstance(reply, Awaitable) else reply


def _changed(solution: gs.Solution, question: gs.Question, reply: str, asked: list[Asked]) -> dict[str, Any]:
    """The request with a reply applied, which is noted. One that means no option is a mistake of the code that replied."""
    try:
        option = question.option(reply)
    except gs.RequestError as error:
        raise gs.OptionError(f"on_question replied what may not be replied: {error}") from None
    asked.append(Asked(id=question.id, text=question.text, reply=option.id))
    return option.apply(solution.request)


def _close(reply: Awaitable[object]) -> None:
    # A coroutine that nobody awaits warns when it is collected.
    if inspect.iscoroutine(reply):
        reply.close()
