"""Tools for language models: what they are told, what they may send, and what they read. Frameworks only translate these."""

from __future__ import annotations

import asyncio
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Unpack

from groundstate._errors import Fault, OptionError, RequestError
from groundstate._problem import Segment
from groundstate._question import Question
from groundstate._request import plain
from groundstate._solution import Score, Solution
from groundstate._solver import Solver
from groundstate.tools import _content, _results, _schema
from groundstate.tools._content import Asked, Detail
from groundstate.tools._lenient import mended
from groundstate.tools._options import Model, SolveOptions, checked, opened


@dataclass(frozen=True, slots=True)
class Reply:
    """What a call of a tool returns.

    Attributes:
        record: What the model is to read, JSON-ready.
        outcome: All of it, for programs.
    """

    record: dict[str, Any]
    outcome: Solution | Score | None

    @property
    def text(self) -> str:
        """The record as compact JSON."""
        return json.dumps(self.record, separators=(",", ":"), ensure_ascii=False)

    @property
    def question(self) -> Question | None:
        """What is asked back, if anything."""
        return self.outcome.question if isinstance(self.outcome, Solution) else None


class Tool(ABC):
    """A tool for a language model.

    Attributes:
        name: What the model calls it by: letters, digits, ``_`` and ``-``, at most 64 of them.
        title: The same for people.
        description: What it does and when to use it, for the model.
        schema: The JSON schema of its arguments, an object.
        returns: The JSON schema of the records that it returns, an object.
    """

    name: str
    title: str
    description: str
    schema: dict[str, Any]
    returns: dict[str, Any]

    @abstractmethod
    def call(self, arguments: Mapping[str, Any]) -> Reply:
        """Run the tool.

        Raises:
            RequestError: If the arguments mean nothing. `refusal` says it to the model.
        """

    async def acall(self, arguments: Mapping[str, Any]) -> Reply:
        """`call` without blocking the event loop."""
        return await asyncio.to_thread(self.call, arguments)

    def respond(self, arguments: Mapping[str, Any] | str) -> str:
        """What the model reads after a call, where a framework takes nothing but text: a result, or a refusal.

        Args:
            arguments: An object, or JSON of one, as some providers send it.
        """
        try:
            return self.call(_object(arguments) if isinstance(arguments, str) else arguments).text
        except (RequestError, OptionError) as error:
            return self.refusal(error)

    @property
    def shape(self) -> str:
        """What the arguments must be, in a line."""
        return _schema.in_a_line(self.schema)

    def refusal(self, error: RequestError | OptionError) -> str:
        """An error in the model's terms: what was wrong, where, and what to send instead."""
        if isinstance(error, OptionError):
            return f"{self.name} cannot run as it is set up: {error} Tell the user; do not retry."
        return "\n".join(
            [
                f"{self.name} refused the arguments and did nothing. Correct this and call it again:",
                *(f"- {fault}" for fault in _content.first(error.faults)),
                f"The arguments must be {self.shape}.",
            ]
        )

    def as_function(self) -> Callable[..., dict[str, Any]]:
        """A plain callable ``f(**arguments) -> dict`` with name, docstring and ``schema``, for frameworks without an adapter."""

        def call(**arguments: Any) -> dict[str, Any]:
            return self.call(arguments).record

        call.__name__ = call.__qualname__ = self.name
        call.__doc__ = self.description
        call.schema = {"name": self.name, "description": self.description, "parameters": self.schema}  # type: ignore[attr-defined]
        return call


class SolveTool(Tool):
    """Solve a problem, ask back where it has several answers or none, and take replies.

    Args:
        model: The name of an installed model, the path of an artefact, its bytes, or a loaded `Solver`.
        device: ``"cpu"`` or ``"cuda"``, as in `groundstate.load`.
        name: ``solve_`` and the artefact's name, if None.
        description: The artefact's own, if None.
        detail: How much the model reads of an outcome.
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
        **solve_options: Unpack[SolveOptions],
    ) -> None:
        self.solver = opened(model, device)
        self.detail = _detail(detail)
        self.options = checked(self.solver, dict(solve_options))
        header = self.solver.header
        self.name = name or _named("solve", header.name)
        self.title = header.title
        self.description = description or header.description
        self.takes_replies = self.solver.asks and "replies" not in header.request.get("properties", {})
        self.schema = _schema.of_request(header, replies=self.takes_replies)
        self.returns = _results.of_solution(header, self.detail)

    def call(self, arguments: Mapping[str, Any]) -> Reply:
        solution, notes = self.solve(arguments)
        return self.reply(solution, notes)

    def solve(
        self,
        arguments: Mapping[str, Any],
        replies: Mapping[str, str] | None = None,
        watch: Callable[[Segment], None] | None = None,
        heartbeat: Callable[[], None] | None = None,
    ) -> tuple[Solution, list[str]]:
        """The solution, and how arguments were read where not as they came.

        Args:
            replies: Beside those among the arguments.
            watch: As in `Solver.solve`.
            heartbeat: As in `Solver.solve`: called before every segment of the descent; what it raises ends the solve.

        Raises:
            RequestError: If the arguments mean nothing, or reply to what was not asked.
        """
        request, sent, notes = self._read(arguments)
        sent.update(replies or {})
        return self.solver.solve(request, replies=sent, watch=watch, heartbeat=heartbeat, **self.options), notes

    def reply(self, solution: Solution, notes: Iterable[str] = (), asked: Sequence[Asked] = ()) -> Reply:
        """What the model reads of a solution.

        Args:
            notes: How arguments were read where not as they came.
            asked: Questions that somebody behind the caller has replied to since the call began, in their order.
        """
        return Reply(_content.of_solution(solution, self.detail, list(notes), asked), solution)

    def _read(self, arguments: Mapping[str, Any]) -> tuple[Any, dict[str, Any], list[str]]:
        sent: Any = arguments
        notes: list[str] = []
        try:
            sent = plain(arguments)
            sent, notes = self.solver.coerce(sent)
            sent, more = mended(self.schema, sent)
            notes += more
        except RecursionError:
            return arguments, {}, []  # refused by the solver, in its own words
        if not isinstance(sent, dict) or not self.takes_replies:
            return sent, {}, notes
        replies = sent.pop("replies", None) or {}
        if not isinstance(replies, Mapping):
            said = "This must be an object from the id of a question to the id of an option; leave it out if nothing was asked."
            raise RequestError([Fault("replies", said)])
        return sent, dict(replies), notes


class ScoreTool(Tool):
    """Judge an answer without solving: is it valid, what does it break, how high is its energy.

    Args:
        model, device, name, description, detail: As in `SolveTool`; the description is made of title and rules, if None.
    """

    def __init__(
        self,
        model: Model,
        *,
        device: str = "cpu",
        name: str | None = None,
        description: str | None = None,
        detail: Detail = "brief",
    ) -> None:
        self.solver = opened(model, device)
        self.detail = _detail(detail)
        header = self.solver.header
        self.name = name or _named("score", header.name)
        self.title = f"{header.title}: judge an answer"
        rules = " ".join(f"{check.name}: {check.description}" for check in header.checks)
        self.description = (
            description
            or (
                f"Check an answer to a problem of the kind {header.title!r}, without solving it: says whether it is valid, "
                f"which checks it fails and where, and its energy (lower is better). {f'Checks: {rules}' if rules else ''}"
            ).rstrip()
        )
        self.schema = _schema.of_score(header)
        self.returns = _results.of_score(self.detail)

    def call(self, arguments: Mapping[str, Any]) -> Reply:
        sent, notes = arguments, list[str]()
        try:
            sent, notes = mended(self.schema, plain(arguments))
        except RecursionError:
            sent = arguments
        request, answer = _pair(sent)
        try:
            score = self.solver.score(request, answer)
        except RequestError as error:
            raise RequestError([_placed(fault) for fault in error.faults]) from None
        record = _content.of_score(score, self.detail)
        return Reply({**record, "read_as": notes} if notes else record, score)


class DescribeTool(Tool):
    """Say what models there are, and of one what it takes, its rules, its limits and an example.

    Args:
        solvers: The models.
        name: The tool's name.
    """

    def __init__(self, solvers: Iterable[Solver], *, name: str = "describe_models") -> None:
        self._solvers = {solver.header.name: solver for solver in solvers}
        self.name, self.title = name, "What can be solved"
        self.description = (
            "List the problems that can be solved here; with `model`, say of one of them what its arguments mean, how "
            "its answers are checked, its limits, and an example. Call this when unsure which tool to use or what to send."
        )
        names = {
            "enum": list(self._solvers),
            "description": "Which model to describe; all in a line each, if left out.",
        }
        self.schema = {"type": "object", "properties": {"model": names}, "additionalProperties": False}
        self.returns = _results.OF_DESCRIPTION

    def call(self, arguments: Mapping[str, Any]) -> Reply:
        if not isinstance(arguments, Mapping) or arguments.keys() - {"model"}:
            raise RequestError([Fault("", "Only `model` may be sent.")])
        name = arguments.get("model")
        if name is None:
            found = [{"model": s.header.name, "description": s.header.description} for s in self._solvers.values()]
            return Reply({"models": found}, None)
        if not isinstance(name, str) or name not in self._solvers:
            known = ", ".join(map(repr, self._solvers))
            raise RequestError([Fault("model", f"{str(name)[:60]!r} is no model here; there are {known}.")])
        told = self._solvers[name].describe()
        kept = ("name", "title", "description", "request", "answer", "checks", "defaults", "limits")
        return Reply({key: told[key] for key in kept}, None)


def _detail(detail: Detail) -> Detail:
    if detail not in ("brief", "full"):
        raise OptionError(f"detail is {detail!r}; it must be 'brief' or 'full'.")
    return detail


def _named(verb: str, name: str) -> str:
    # The characters and the length that every provider of language models accepts.
    return re.sub(r"[^a-zA-Z0-9_-]", "_", f"{verb}_{name}")[:64]


def _object(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise RequestError([Fault("", f"The arguments are no JSON; they begin {text[:60]!r}.")]) from None


def _pair(arguments: Any) -> tuple[Any, Any]:
    wanted = ("request", "answer")
    if not isinstance(arguments, Mapping):
        raise RequestError([Fault("", "The arguments must be an object with 'request' and 'answer'.")])
    faults = [Fault(name, "This is missing.") for name in wanted if name not in arguments]
    faults += [
        Fault(name, "This is unknown; known are 'request' and 'answer'.") for name in arguments if name not in wanted
    ]
    if faults:
        raise RequestError(faults)
    return arguments["request"], arguments["answer"]


def _placed(fault: Fault) -> Fault:
    """A place in the request, under ``request`` as the model sent it. Those in the answer already are under ``answer``."""
    if fault.place.partition(".")[0] == "answer":
        return fault
    return Fault(f"request.{fault.place}".rstrip("."), fault.message)
