"""The tool for one artefact: it solves, asks, takes replies, and scores answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Unpack

from groundstate import _words
from groundstate._errors import OptionError
from groundstate._problem import Segment
from groundstate._solution import Solution
from groundstate.tools import _arguments, _content, _results, _schema
from groundstate.tools._base import LLMTool, Reply, tool_name
from groundstate.tools._content import Asked, Detail
from groundstate.tools._conversation import Conversation
from groundstate.tools._described import described
from groundstate.tools._options import Model, SolveOptions, checked, opened


class SolveTool(LLMTool):
    """Solve a problem, ask if it has several answers or none, take replies, and score answers.

    Args:
        model: The name of an installed model, the path of an artefact, its bytes, or a loaded `Solver`.
        device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
        name: The tool's name; default: ``solve_`` and the artefact's name.
        description: The tool's description; default: the artefact's.
        detail: Detail of the outcome for the model.
        score: Whether the tool also takes ``{"action": "score", "answer": …}`` beside the request.
        solve_options: See `SolveOptions`.

    Raises:
        GroundstateError: If the model cannot be loaded.
        OptionError: If an option is unknown or out of range.
    """

    def __init__(
        self,
        model: Model,
        *,
        device: str = "cpu",
        name: str | None = None,
        description: str | None = None,
        detail: Detail = "brief",
        score: bool = True,
        **solve_options: Unpack[SolveOptions],
    ) -> None:
        if detail not in ("brief", "full"):
            raise OptionError(f"detail is {detail!r}; it must be 'brief' or 'full'.")
        self.solver = opened(model, device)
        self.detail = detail
        self.options = checked(self.solver, dict(solve_options))
        header = self.solver.header
        self.name = name or tool_name("solve", header.name)
        self.title = _words.clean(header.title)
        self.description = description or described(self.solver)
        properties = header.request.get("properties", {})
        self.takes_replies = self.solver.asks and "replies" not in properties
        self.takes_answers = score and not properties.keys() & {"action", "answer"}
        self.accepts = _schema.of_arguments(header, replies=self.takes_replies, answers=self.takes_answers)
        self.schema = _schema.shown(header, self.accepts)
        self.returns = _results.of_solution(header, self.detail)

    def call(self, arguments: Mapping[str, Any]) -> Reply:
        return self.converse(arguments).run()

    async def acall(self, arguments: Mapping[str, Any]) -> Reply:
        """`call` without blocking the event loop. If the task is cancelled, the descent ends before its next segment."""
        return await self.converse(arguments).arun()

    def reply(self, solution: Solution) -> Reply:
        """The record of a solution for the model."""
        return Reply(_content.of_solution(solution, self.detail), solution)

    def converse(
        self,
        arguments: Mapping[str, Any],
        *,
        asked: Iterable[Asked] = (),
        watch: Callable[[Segment], None] | None = None,
    ) -> Conversation:
        """A call with possibly several rounds of question and reply; `Conversation.run` runs them.

        Args:
            asked: Questions with replies in earlier calls with these arguments, besides the argument `replies`.
            watch: As in `groundstate.Solver.solve`.

        Raises:
            RequestError: If the tool's own arguments (replies, action) are wrong.
        """
        call = _arguments.read(
            self.solver,
            self.accepts,
            arguments,
            takes_replies=self.takes_replies,
            takes_answers=self.takes_answers,
        )
        return Conversation(self.solver, call, self.options, detail=self.detail, asked=asked, watch=watch)
