"""One artefact as LangChain tools: solve, and judge somebody else's answer."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from typing import Any, Literal, Self, Unpack

from langchain_core.tools import BaseTool, ToolException
from langchain_core.tools.base import ToolExceptionHandlerOutput
from pydantic import Field, ValidationError
from pydantic.v1 import ValidationError as ValidationErrorV1

import groundstate as gs
from langchain_groundstate import _content, _schema
from langchain_groundstate._options import Model, SolveOptions, checked, opened
from langchain_groundstate._refusals import explain, translated


class _SolverTool(BaseTool):
    """What the tools of an artefact share. Arguments are validated by the solver, which knows more than a schema says."""

    solver: gs.Solver = Field(exclude=True)
    shape: str = Field(exclude=True, repr=False)
    response_format: Literal["content", "content_and_artifact"] = "content_and_artifact"
    handle_tool_error: bool | str | Callable[[ToolException], ToolExceptionHandlerOutput] | None = True
    handle_validation_error: bool | str | Callable[[ValidationError | ValidationErrorV1], str] | None = explain


class EnergyTool(_SolverTool):
    """Solve a problem by descent on an energy. Made by `from_model`.

    A call returns compact JSON for the model (status, a sentence, the answer or what is wrong) and the
    `groundstate.Solution` as artifact. A request that the schema forbids is an error that the model reads and can correct;
    a problem without an answer is none.

    Attributes:
        solver: The loaded artefact.
        shape: What the arguments must be, in a line: for error messages.
        solve_options: Options of every solve, fixed by the developer.
    """

    solve_options: dict[str, Any] = Field(default_factory=dict)

    @classmethod
    def from_model(
        cls,
        model: Model,
        *,
        device: str = "cpu",
        name: str | None = None,
        description: str | None = None,
        **solve_options: Unpack[SolveOptions],
    ) -> Self:
        """A tool that solves with a model; name, description and schema come from the artefact.

        Args:
            model: The name of an installed model, the path of an artefact, its bytes, or a loaded `groundstate.Solver`.
            device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
            name: The tool's name; ``solve_`` and the artefact's name, if None.
            description: What the language model reads; the artefact's own, if None.
            solve_options: See `SolveOptions`.

        Raises:
            GroundstateError: If the model cannot be loaded.
            OptionError: If an option is unknown or out of range.
        """
        solver = opened(model, device)
        return cls(
            name=name or _named("solve", solver),
            description=description or solver.header.description,
            args_schema=_schema.of_request(solver.header),
            solver=solver,
            shape=_schema.in_a_line(solver.header.request),
            solve_options=dict(checked(solver, dict(solve_options))),
        )

    def _run(self, /, **request: Any) -> tuple[str, gs.Solution]:
        with translated(self.name, self.shape):
            solution = self.solver.solve(request, **self.solve_options)
        return _content.of_solution(solution), solution

    async def _arun(self, /, **request: Any) -> tuple[str, gs.Solution]:
        with translated(self.name, self.shape):
            solution = await self.solver.asolve(request, **self.solve_options)
        return _content.of_solution(solution), solution


class ScoreTool(_SolverTool):
    """Judge somebody else's answer: is it valid, which rules does it break, how high is its energy. Made by `from_model`.

    The arguments are ``{"request": …, "answer": …}``; the artifact is the `groundstate.Score`.
    """

    @classmethod
    def from_model(
        cls, model: Model, *, device: str = "cpu", name: str | None = None, description: str | None = None
    ) -> Self:
        """A tool that judges answers with a model.

        Args:
            model: As in `EnergyTool.from_model`.
            device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
            name: The tool's name; ``score_`` and the artefact's name, if None.
            description: What the language model reads; made of the artefact's title and rules, if None.

        Raises:
            GroundstateError: If the model cannot be loaded.
        """
        solver = opened(model, device)
        schema = _schema.of_score(solver.header)
        return cls(
            name=name or _named("score", solver),
            description=description or _purpose(solver.header),
            args_schema=schema,
            solver=solver,
            shape=_schema.in_a_line(schema),
        )

    def _run(self, /, **arguments: Any) -> tuple[str, gs.Score]:
        with translated(self.name, self.shape):
            request, answer = _pair(arguments)
            try:
                score = self.solver.score(request, answer)
            except gs.RequestError as error:
                raise gs.RequestError([_placed(fault) for fault in error.faults]) from None
        return _content.of_score(score), score

    async def _arun(self, /, **arguments: Any) -> tuple[str, gs.Score]:
        return await asyncio.to_thread(self._run, **arguments)


def _named(verb: str, solver: gs.Solver) -> str:
    # The characters and the length that every provider of language models accepts.
    return re.sub(r"[^a-zA-Z0-9_-]", "_", f"{verb}_{solver.header.name}")[:64]


def _purpose(header: gs.Header) -> str:
    rules = " ".join(f"{rule.name}: {rule.description}" for rule in header.rules)
    return (
        f"Check an answer to a problem of the kind {header.title!r}, without solving it: says whether the answer is valid, "
        f"which rules it breaks and where, and its energy (lower is better). {f'Rules: {rules}' if rules else ''}"
    ).rstrip()


def _pair(arguments: dict[str, Any]) -> tuple[Any, Any]:
    wanted = ("request", "answer")
    faults = [gs.Fault(name, "This is missing.") for name in wanted if name not in arguments]
    faults += [
        gs.Fault(name, "This is unknown; known are 'request' and 'answer'.") for name in arguments if name not in wanted
    ]
    if faults:
        raise gs.RequestError(faults)
    return arguments["request"], arguments["answer"]


def _placed(fault: gs.Fault) -> gs.Fault:
    """A place in the request, under ``request`` as the model sent it. Those in the answer already are under ``answer``."""
    if fault.place.partition(".")[0] == "answer":
        return fault
    return gs.Fault(f"request.{fault.place}".rstrip("."), fault.message)
