"""One artefact as LangChain tools: solve, judge somebody else's answer, and say what can be solved."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Literal, Self, Unpack

from langchain_core.tools import BaseTool, ToolException
from langchain_core.tools.base import ToolExceptionHandlerOutput
from pydantic import Field, ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

import groundstate as gs
from groundstate import tools
from groundstate.tools import Detail, Model, Reply, SolveOptions, Tool
from langchain_groundstate._progress import progress
from langchain_groundstate._refusals import explain, translated
from langchain_groundstate._replies import OnQuestion, Replier, asettled, replier, settled


class _Adapter(BaseTool):
    """A `groundstate.tools.Tool` as LangChain calls tools. Arguments are validated by it, which knows more than a schema says."""

    tool: Tool = Field(exclude=True, repr=False)
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    handle_tool_error: bool | str | Callable[[ToolException], ToolExceptionHandlerOutput] | None = True
    handle_validation_error: bool | str | Callable[[ValidationError | ValidationErrorV1], str] | None = explain

    @classmethod
    def _of(cls, tool: Tool, **fields: Any) -> Self:
        return cls(name=tool.name, description=tool.description, args_schema=tool.schema, tool=tool, **fields)

    def _run(self, /, **arguments: Any) -> tuple[str, Any]:
        with translated(self.tool):
            return _both(self.tool.call(arguments))

    async def _arun(self, /, **arguments: Any) -> tuple[str, Any]:
        with translated(self.tool):
            return _both(await self.tool.acall(arguments))


class EnergyTool(_Adapter):
    """Solve a problem by descent on an energy. Made by `from_model`.

    A call returns compact JSON for the model (status, a sentence, the answer or what is wrong, what is asked back) and the
    `groundstate.Solution` as artifact. A request that the schema forbids is an error that the model reads and can correct;
    a problem without an answer is none. Callbacks that listen to custom events get a ``groundstate_progress`` after each segment.
    """

    tool: tools.SolveTool = Field(exclude=True, repr=False)
    ask: Replier | None = Field(default=None, exclude=True, repr=False)

    @classmethod
    def from_model(
        cls,
        model: Model,
        *,
        on_question: OnQuestion = "return",
        device: str = "cpu",
        name: str | None = None,
        description: str | None = None,
        detail: Detail = "brief",
        **solve_options: Unpack[SolveOptions],
    ) -> Self:
        """A tool that solves with a model; name, description and schema come from the artefact.

        Args:
            model: The name of an installed model, the path of an artefact, its bytes, or a loaded `groundstate.Solver`.
            on_question: What becomes of a question where a problem has several answers, or none. ``"return"``: the model
                reads it in the result, and replies by a second call. ``"interrupt"``: LangGraph interrupts the run, and a
                person replies by ``Command(resume=…)``. A callable ``(question, solution) -> id of an option, or None``
                replies in code, such as `ask_llm`; None leaves the question in the result.
            device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
            name: The tool's name; ``solve_`` and the artefact's name, if None.
            description: What the language model reads; the artefact's own, if None.
            detail: How much the model reads of an outcome: ``"brief"`` or ``"full"``.
            solve_options: See `SolveOptions`.

        Raises:
            GroundstateError: If the model cannot be loaded.
            OptionError: If an option is unknown or out of range.
        """
        tool = tools.SolveTool(model, device=device, name=name, description=description, detail=detail, **solve_options)
        return cls._of(tool, ask=replier(on_question, tool.name, tool.options))

    def _run(self, /, **arguments: Any) -> tuple[str, Any]:
        with translated(self.tool):
            return _both(self.tool.reply(*settled(self.tool, arguments, self.ask, progress(self.name))))

    async def _arun(self, /, **arguments: Any) -> tuple[str, Any]:
        with translated(self.tool):
            return _both(self.tool.reply(*await asettled(self.tool, arguments, self.ask, progress(self.name))))


class ScoreTool(_Adapter):
    """Judge somebody else's answer: is it valid, which rules does it break, how high is its energy. Made by `from_model`.

    The arguments are ``{"request": …, "answer": …}``; the artifact is the `groundstate.Score`.
    """

    @classmethod
    def from_model(
        cls,
        model: Model,
        *,
        device: str = "cpu",
        name: str | None = None,
        description: str | None = None,
        detail: Detail = "brief",
    ) -> Self:
        """A tool that judges answers with a model.

        Args:
            model, device, detail: As in `EnergyTool.from_model`.
            name: The tool's name; ``score_`` and the artefact's name, if None.
            description: What the language model reads; made of the artefact's title and rules, if None.

        Raises:
            GroundstateError: If the model cannot be loaded.
        """
        return cls._of(tools.ScoreTool(model, device=device, name=name, description=description, detail=detail))


class DescribeTool(_Adapter):
    """Say which problems can be solved, and of each what to send. Made by `from_solvers`."""

    @classmethod
    def from_solvers(cls, solvers: Iterable[gs.Solver], *, name: str = "describe_models") -> Self:
        """A tool that describes loaded models."""
        return cls._of(tools.DescribeTool(solvers, name=name))


def _both(reply: Reply) -> tuple[str, Any]:
    # An artifact of None counts as none at all for LangChain; a description's is what the model reads.
    return reply.text, reply.record if reply.outcome is None else reply.outcome
