"""Artefacts as LangChain tools: one that solves and scores, and one that describes models."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any, Literal, Self, Unpack

from langchain_core.tools import BaseTool, ToolException
from langchain_core.tools.base import ToolExceptionHandlerOutput
from pydantic import Field, ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

import groundstate as gs
from groundstate.tools import DescribeTool, Detail, LLMTool, Model, Replier, Reply, SolveOptions, SolveTool
from groundstate_models.learned.learning import LearnTool
from groundstate_models.learned.process import Budget
from langchain_groundstate._progress import progress
from langchain_groundstate._refusals import explain, translated
from langchain_groundstate._replies import OnQuestion, replier


class _Adapter(BaseTool):
    """A LangChain tool around a `groundstate.tools.LLMTool`, which validates its own arguments."""

    tool: LLMTool = Field(exclude=True, repr=False)
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    handle_tool_error: bool | str | Callable[[ToolException], ToolExceptionHandlerOutput] | None = True
    handle_validation_error: bool | str | Callable[[ValidationError | ValidationErrorV1], str] | None = explain

    def _run(self, /, **arguments: Any) -> tuple[str, Any]:
        with translated(self.tool):
            return _both(self.tool.call(arguments))

    async def _arun(self, /, **arguments: Any) -> tuple[str, Any]:
        with translated(self.tool):
            return _both(await self.tool.acall(arguments))


class EnergyTool(_Adapter):
    """Solve a problem by descent on an energy; with ``action="score"``, check an answer instead.

    A call returns compact JSON for the model (status, a sentence, the answer or the faults, the open question) and the
    `groundstate.Solution` or `groundstate.Score` as artifact. A request that breaks the schema is an error that the model
    can correct. A problem without an answer is not an error. Callbacks for custom events get a ``groundstate_progress``
    after each segment.

    >>> EnergyTool("sudoku", restarts=32).name
    'solve_sudoku'
    """

    tool: SolveTool = Field(exclude=True, repr=False)
    ask: Replier | None = Field(default=None, exclude=True, repr=False)

    def __init__(
        self,
        model: Model,
        *,
        on_question: OnQuestion = "return",
        device: str = "cpu",
        name: str | None = None,
        description: str | None = None,
        detail: Detail = "brief",
        **options: Any,
    ) -> None:
        """Make a tool of a model; name, description and schema come from the artefact.

        Args:
            model: The name of an installed model, the path of an artefact, its bytes, or a loaded `groundstate.Solver`.
            on_question: How questions are handled. ``"return"``: the model reads the question in the result, and replies in a
                second call. ``"interrupt"``: LangGraph interrupts the run, and a person replies with ``Command(resume=…)``.
                A callable ``(question, solution) -> id of an option, or None``, such as `ask_llm`, replies in code;
                None leaves the question in the result.
            device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
            name: The tool's name; default: ``solve_`` and the artefact's name.
            description: The text for the language model; default: the artefact's description.
            detail: Detail of the outcome for the model: ``"brief"`` or ``"full"``.
            options: See `groundstate.tools.SolveOptions`; also fields of `BaseTool`, such as ``tags``.

        Raises:
            GroundstateError: If the model cannot be loaded.
            OptionError: If an option is unknown or out of range.
        """
        fields = {key: options.pop(key) for key in options.keys() & BaseTool.model_fields.keys()}
        tool = SolveTool(model, device=device, name=name, description=description, detail=detail, **options)
        ask = replier(on_question, tool.name, tool.options)
        fields |= {"name": tool.name, "description": tool.description, "args_schema": tool.schema}
        super().__init__(**fields, tool=tool, ask=ask)  # type: ignore[call-arg]

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
        """Equivalent to ``EnergyTool(model, …)``, with typed options."""
        return cls(
            model,
            on_question=on_question,
            device=device,
            name=name,
            description=description,
            detail=detail,
            **solve_options,
        )

    def _run(self, /, **arguments: Any) -> tuple[str, Any]:
        with translated(self.tool):
            return _both(self.tool.converse(arguments, watch=progress(self.name)).run(self.ask))

    async def _arun(self, /, **arguments: Any) -> tuple[str, Any]:
        with translated(self.tool):
            return _both(await self.tool.converse(arguments, watch=progress(self.name)).arun(self.ask))


class EnergyCatalogTool(_Adapter):
    """List the models, or describe one: its arguments, checks and limits. Made by `from_solvers`."""

    @classmethod
    def from_solvers(cls, solvers: Iterable[gs.Solver], *, name: str = "describe_models") -> Self:
        """A tool that describes loaded models."""
        tool = DescribeTool(solvers, name=name)
        return cls(name=tool.name, description=tool.description, args_schema=tool.schema, tool=tool)


class EnergyLearnTool(_Adapter):
    """Learn a tool from examples of the conversation; the artifact of a call is the new `EnergyTool`. Made by `within`.

    A call with ``forget`` deletes a learned tool.

    Bind the tools in `learned` to the model for its next turn: ``llm.bind_tools([*tools, learn, *learn.learned])``.
    """

    tool: LearnTool = Field(exclude=True, repr=False)

    @classmethod
    def within(
        cls, budget: Budget | None = None, *, folder: str | os.PathLike[str] | None = None, name: str = "learn_tool"
    ) -> Self:
        """A tool that learns within a budget.

        Args:
            budget: What a call may use.
            folder: Folder of the learned files; a temporary one by default.
            name: The tool's name.

        Raises:
            OptionError: If learning is not installed.
        """
        tool = LearnTool(folder, budget=budget, name=name)
        return cls(name=tool.name, description=tool.description, args_schema=tool.schema, tool=tool)

    @property
    def learned(self) -> list[EnergyTool]:
        """The learned tools, the oldest first."""
        return [EnergyTool(solver) for solver in self.tool.solvers]

    def _run(self, /, **arguments: Any) -> tuple[str, Any]:
        with translated(self.tool):
            return self._learned(self.tool.call(arguments))

    async def _arun(self, /, **arguments: Any) -> tuple[str, Any]:
        with translated(self.tool):
            return self._learned(await self.tool.acall(arguments))

    def _learned(self, reply: Reply) -> tuple[str, EnergyTool | dict[str, Any]]:
        # A forgotten tool is not among the learned ones.
        return reply.text, next((one for one in self.learned if one.name == reply.record["tool"]), reply.record)


def _both(reply: Reply) -> tuple[str, Any]:
    # LangChain treats an artifact of None as missing, so the artifact is the model's text.
    return reply.text, reply.record if reply.outcome is None else reply.outcome
