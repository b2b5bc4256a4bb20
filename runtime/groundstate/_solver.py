"""`Solver`: an energy, ready to solve.

The file is long because it documents every public operation; other modules do the work.
"""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from numpy.typing import NDArray

from groundstate._admission import MOST_WAITING
from groundstate._arguments import whole
from groundstate._ceilings import Ceilings
from groundstate._engine import Engine
from groundstate._errors import ArtefactError, Fault, OptionError, RequestError
from groundstate._gate import examine
from groundstate._graphs import hold_against, inner_models, stage_sessions
from groundstate._group import Call
from groundstate._header import Header
from groundstate._header_reader import read_header
from groundstate._meaning import Meaning, Understanding
from groundstate._minimise import minimise
from groundstate._overdue import OverdueError
from groundstate._pool import Pool
from groundstate._problem import Budget, Segment
from groundstate._problems import Problems, Watching
from groundstate._replies import Replies, applied, given
from groundstate._schema_check import examine as examine_schema
from groundstate._score import Scorer
from groundstate._session import open_session
from groundstate._solution import Score, Solution

if TYPE_CHECKING:
    from groundstate._task import Reading


class Solver:
    """An energy, ready to solve. Made by `load`. Safe to share between threads.

    Attributes:
        header: The artefact's header.
        origin: Name of the file that it was loaded from, ``"bytes"`` for bytes; None for an installed model.
        device_reason: Why it runs on its device: a sentence.
    """

    origin: str | None = None

    def __init__(
        self,
        model: bytes,
        *,
        device: str = "cpu",
        threads: int | None = None,
        source: str = "This file",
        max_waiting: int = MOST_WAITING,
        ceilings: Ceilings | None = None,
        origin: str | None = None,
    ) -> None:
        self._made_from = model, device, threads, source, max_waiting, ceilings, origin
        self.origin = origin
        ceilings = ceilings or Ceilings()
        # All that can be refused without ONNX Runtime is refused before it, which takes longer than the rest.
        passed = examine(model, loop=True, limits=ceilings.of_gate, source=source)
        ceilings.hold_size(passed.metadata, source)
        self.header: Header = ceilings.lowered(read_header(passed.metadata, source))
        if passed.loops != (self.header.form == "loop"):
            has = "a loop" if passed.loops else "no loop"
            raise ArtefactError(f"{source} is of the form {self.header.form!r} and has {has}; the file is damaged.")
        examine_schema(self.header.request, "request")
        examine_schema(self.header.answer, "answer")
        models = inner_models(self.header, passed.metadata)
        self._session, self.device_reason = open_session(model, device, source, passed, float64=self.header.is_float64)
        sessions = [*stage_sessions(self.header, models, self._session.device), self._session]
        for header, session in zip(
            [*(stage.header for stage in self.header.stages), self.header], sessions, strict=True
        ):
            hold_against(header, session, source)
            session.prepare(header)
        self._sessions = sessions
        self._task = Understanding(self.header)
        self._pool = Pool(threads)
        self._engine = Engine(self._pool, max_waiting)
        self._problems = Problems(sessions, self.header, self._task, ceilings.values)
        checker = models.get(self.header.checker_key)
        self._scorer = Scorer(self._session, self._problems, self._pool, checker)
        self._replies = Replies()
        _SOLVERS.add(self)

    def __repr__(self) -> str:
        return f"<groundstate.Solver {self.header.name} {self.header.version} on {self._session.device}>"

    def __reduce__(self) -> tuple[Callable[..., Solver], tuple[Any, ...]]:
        return _made, self._made_from

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the solver's threads, and the calls of other threads with a `ClosedError`; free a GPU's memory.

        The solver stays usable: the next call starts the threads again.
        """
        self._engine.close()
        for session in self._sessions:
            session.close()

    @property
    def device(self) -> str:
        """The device that runs the model: ``"cpu"``, ``"cuda"``, ``"cuda:1"`` … Never ``"auto"``, but what it took."""
        return self._session.device

    @property
    def placement(self) -> dict[str, dict[str, int]]:
        """Node counts by execution provider and operator. Empty on the CPU."""
        return self._session.placed

    def solve(
        self,
        request: Mapping[str, Any],
        *,
        restarts: int | None = None,
        max_steps: int | None = None,
        deadline: float | None = None,
        seed: int = 0,
        alternatives: int = 1,
        improve_for: float | None = None,
        ask: bool = True,
        replies: Mapping[str, str] | None = None,
        watch: Callable[[Segment], None] | None = None,
        heartbeat: Callable[[], None] | None = None,
    ) -> Solution:
        """Solve one problem.

        If the task's answers have a cost, the cheapest answer found is returned. The search for a cheaper one ends when none can
        exist, or after several times the time that the last one took. For an energy without checks, chains descend until they
        converge, and the lowest minimum is returned.

        Args:
            request: The problem, as the artefact's request schema (`describe`) defines it. Arrays and tuples are accepted.
            restarts: Maximum number of chains.
            max_steps: Maximum number of steps per chain over all stages, rounded up to whole segments.
            deadline: Time limit in seconds from the call, reading the request and waiting for other calls included. A segment
                that is running then is ended. The best result so far is returned.
            seed: Seed of every random draw. The same request, options and seed give the same solution on the same machine,
                for any number of threads, unless a deadline ends the solve.
            alternatives: Number of different, equally good answers to search for. With 2 or more, a problem that has several
                answers ends as AMBIGUOUS.
            improve_for: Seconds for the search for cheaper answers, from the call. It ends earlier if no answer can be cheaper.
                It does not limit the search for a first answer. Like a deadline, it makes a solve irreproducible.
            ask: Whether to build a question if there are several answers or none. Its options are solved first, which may take
                as long as the solve itself. After the deadline, no question is built.
            replies: Replies to questions about this request: the chosen `Option.id` by the question's id. They are applied one
                after another; `Solution.request` is the resulting request.
            watch: Called after every segment of the descent. It is not called while options are tried, or if the solution of an
                equal request, with its question, is in the cache.
            heartbeat: Called before every segment, also while options are tried. An exception that it raises ends the solve and
                propagates; use it to cancel a solve. While other calls are in progress, it is called at least once for every
                segment, and the descent does not wait for it.

        Raises:
            RequestError: If the request violates the schema, or a reply does not match a question about this request.
            BusyError: If too many calls are waiting (`max_waiting` of `load`).
            ClosedError: If the solver is closed during the call.
            OptionError: If an option is out of range.
            TaskError: If the task's code fails.
            ArtefactError: If the file's graph fails.
        """
        task = self._asking(
            restarts, max_steps, deadline, seed, alternatives, improve_for, ask, replies, watch, heartbeat
        )
        return Call(self._engine, task.due).run(lambda call: self._solved(call, request, task))

    def solve_many(
        self,
        requests: Iterable[Mapping[str, Any]],
        *,
        restarts: int | None = None,
        max_steps: int | None = None,
        deadline: float | None = None,
        seed: int = 0,
        alternatives: int = 1,
        improve_for: float | None = None,
        ask: bool = False,
        done: Callable[[int, Solution | RequestError], None] | None = None,
        watch: Callable[[Segment], None] | None = None,
    ) -> list[Solution | RequestError]:
        """Solve many problems in shared batches.

        The options are those of `solve` and apply to each problem. An invalid request does not affect the others: its place in
        the list holds the `RequestError`.

        Args:
            ask: As in `solve`; questions are built one problem at a time.
            done: Called with the index and the outcome of each problem when it ends.
            watch: Called after every segment, once for each problem in flight; `Segment.index` is the problem's index.

        Raises:
            OptionError: If an option is out of range, or `requests` is a single request instead of a list.
        """
        _several(requests)
        _callable("watch", watch)
        _callable("done", done)
        budget = self._budget(restarts, max_steps, deadline, seed, alternatives, improve_for)
        outcomes: dict[int, Solution | RequestError] = {}

        async def work(call: Call) -> list[Solution | RequestError]:
            many = self._many(call, requests, budget, Watching(watch), ask=ask)
            async with aclosing(many) as found:
                async for index, outcome in found:
                    outcomes[index] = outcome
                    if done is not None:
                        done(index, outcome)
            return [outcomes[index] for index in sorted(outcomes)]

        return Call(self._engine, None).run(work)

    def solve_iter(
        self,
        requests: Iterable[Mapping[str, Any]] | Mapping[str, Any],
        *,
        restarts: int | None = None,
        max_steps: int | None = None,
        deadline: float | None = None,
        seed: int = 0,
        alternatives: int = 1,
        improve_for: float | None = None,
        ask: bool = False,
        improvements: bool = True,
    ) -> Iterator[Update]:
        """Solve one problem, or many in shared batches, and yield what is found when it is found.

        Requests are read when there is room for them, so that an endless iterator is possible. The options are those of
        `solve_many`. Closing the iterator ends the problems in flight.

        Args:
            requests: A request, or several.
            improvements: Whether to yield each better answer, and each further one, while the search goes on. If not, each
                problem gives one update: its last.

        Raises:
            OptionError: If an option is out of range.
        """
        several = [requests] if isinstance(requests, Mapping) else requests
        _several(several)
        budget = self._budget(restarts, max_steps, deadline, seed, alternatives, improve_for)
        updates: deque[Update] = deque()

        def improved(index: int, solution: Solution) -> None:
            updates.append(Update(index, solution, last=False))

        async def work(call: Call) -> None:
            watching = Watching(improved=improved if improvements else None)
            async with aclosing(self._many(call, several, budget, watching, ask=ask)) as found:
                async for index, outcome in found:
                    updates.append(Update(index, outcome, last=True))

        return Call(self._engine, None, streams=True).stream(work, updates)

    async def asolve(
        self,
        request: Mapping[str, Any],
        *,
        restarts: int | None = None,
        max_steps: int | None = None,
        deadline: float | None = None,
        seed: int = 0,
        alternatives: int = 1,
        improve_for: float | None = None,
        ask: bool = True,
        replies: Mapping[str, str] | None = None,
        watch: Callable[[Segment], None] | None = None,
        heartbeat: Callable[[], None] | None = None,
    ) -> Solution:
        """`solve` without blocking the event loop, and without a thread for each call.

        If the awaiting task is cancelled, the descent ends at once, and other calls lose nothing. `watch` and `heartbeat` are
        called in a thread of the solver, in the context of the caller; they must be short, since one thread serves all calls.
        """
        from groundstate._asynchronous import arun

        task = self._asking(
            restarts, max_steps, deadline, seed, alternatives, improve_for, ask, replies, watch, heartbeat
        )
        return await arun(self._engine, task.due, lambda call: self._solved(call, request, task))

    async def ascore(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> Score:
        """`score` without blocking the event loop."""
        from groundstate._asynchronous import in_front

        return await in_front(self._engine, lambda: self._scorer.score(request, answer))

    def score(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> Score:
        """Compute the energy and the violations of a given answer.

        Raises:
            RequestError: If the request or the answer violates its schema; the places of faults in the answer begin with
                ``answer``.
            ArtefactError: If the artefact has no checks and cannot encode answers.
        """
        return self._scorer.score(request, answer)

    def describe(self) -> dict[str, Any]:
        """A JSON-ready description of the artefact: name, description, JSON schemas, terms, checks, limits."""
        header = self.header
        return {
            "name": header.name,
            "title": header.title,
            "description": header.description,
            "version": header.version,
            "licence": header.licence,
            "request": header.request,
            "answer": header.answer,
            "terms": {term.name: term.description for term in header.terms},
            "checks": {
                check.name: {"description": check.description, "tolerance": check.tolerance, "unit": check.unit}
                for check in header.checks
            },
            "accept": {
                "checks": list(header.accept.checks),
                "converged": header.accept.converged,
                "polish": header.accept.polish,
            },
            "stages": [
                {"name": stage.name, "until": {"residual": stage.residual, "max_steps": stage.max_steps}}
                for stage in header.stages
            ],
            "defaults": dict(header.defaults),
            "limits": dict(header.limits),
            "form": header.form,
            "steps_per_segment": header.steps,
            "trace_every": header.trace_every,
            "batch": header.batch,
            "precision": header.precision,
            "parity": header.parity,
            "built_with": header.built_with,
        }

    def as_function(self, **options: Any) -> Callable[..., dict[str, Any]]:
        """Return a function ``f(**arguments) -> dict`` with name, docstring and ``schema``, for frameworks without an adapter.

        It is the function of `groundstate.tools.SolveTool`, which takes the same options.
        """
        # Imported by name: `groundstate.tools` is the layer above and imports this module.
        tools = import_module("groundstate.tools")
        function: Callable[..., dict[str, Any]] = tools.SolveTool(self, **options).as_function()
        return function

    @property
    def asks(self) -> bool:
        """Whether the artefact's task can ask questions."""
        return self._task.asks

    def read(self, request: Mapping[str, Any]) -> Reading:
        """Return the task's reading of a request. It gives texts and drawings without reading the request again.

        Raises:
            RequestError: If the request violates the schema.
        """
        return self._problems.read(request).reading

    def coerce(self, request: Any) -> tuple[Any, list[str]]:
        """Coerce a request into the form of the schema. Returns the request, and one note per kind of coercion.

        Raises:
            RequestError: If it has more values than a request may have.
        """
        self._problems.hold_size(request)
        return self._task.coerce(request)

    @property
    def spans_lines(self) -> bool:
        """Whether a request in the notation that `parse` reads may span lines."""
        return self._task.spans_lines

    def parse(self, text: str) -> dict[str, Any]:
        """Parse a request from the task's text notation (for Sudoku: 81 characters).

        Raises:
            RequestError: If the text is not in that notation.
        """
        if not isinstance(text, str):
            raise RequestError([Fault("", f"The notation is text, and {text!r:.40} is of type {type(text).__name__}.")])
        return self._task.parse(text)

    def notation(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> str | None:
        """The answer on one line in the notation that `parse` reads; None if the task has no notation."""
        return self._problems.read(request).notation(dict(answer))

    def draw(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None = None) -> str | None:
        """The request, or its answer, drawn as lines of text; None if the task has no drawing."""
        return self._problems.read(request).draw(None if answer is None else dict(answer))

    def svg(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None = None) -> str | None:
        """The request, or its answer, as an SVG picture; None if the task has no picture."""
        return self._problems.read(request).svg(None if answer is None else dict(answer))

    def draw_descent(
        self, request: Mapping[str, Any], path: str | os.PathLike[str] | None = None, **options: Any
    ) -> str:
        """Solve a request and draw the descent: a few configurations of the best chain, and its energy, as SVG.

        Args:
            path: File to write the picture to; None writes no file.
            options: As in `solve`.

        Returns:
            The text of the SVG file.

        Raises:
            RequestError: If the request violates the schema, or is proven to contradict itself, so that there is no descent.
        """
        from pathlib import Path

        from groundstate._descent_picture import picture

        segments: list[Segment] = []
        watch = options.pop("watch", None)
        _callable("watch", watch)

        def watched(segment: Segment) -> None:
            segments.append(segment)
            if watch is not None:
                watch(segment)

        solution = self.solve(request, **options, watch=watched)
        svg = picture(self, solution, segments)
        if svg is None:
            message = f"There is no descent to draw: the request ended as {solution.status.value!r} without one."
            raise RequestError([Fault("", message)])
        if path is not None:
            try:
                Path(path).write_text(svg, encoding="utf-8")
            except OSError as error:
                raise OptionError(f"{os.fspath(path)!r} cannot be written: {error.strerror or error}.") from None
        return svg

    def file(self, request: Mapping[str, Any], answer: Mapping[str, Any], kind: str) -> bytes:
        """The answer as a file for other programs, such as ``"ics"`` or ``"svg"`` for a schedule.

        Raises:
            OptionError: If the task cannot write this kind of file, or cannot write this answer as one.
        """
        return self._problems.read(request).file(dict(answer), kind)

    def decode(self, request: Mapping[str, Any], answer: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Decode answer tensors without the batch axis (a row of a `Segment`) into a JSON-ready answer."""
        return self._problems.read(request).decode(dict(answer))

    def minimise(
        self,
        inputs: Mapping[str, NDArray[Any]],
        state: Mapping[str, NDArray[Any]] | None = None,
        *,
        steps: int | None = None,
        seed: int = 0,
        noise: Mapping[str, NDArray[Any]] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Run the last stage on tensors, batch first, without schema, checks or restarts.

        Lists are accepted, and other dtypes if the conversion changes no number except by floating-point rounding.

        Args:
            inputs: The problem's tensors, as the header specifies them. Learned numbers may be included, one set for each row.
            state: Initial state; missing tensors are drawn as the header specifies.
            steps: Number of steps, a multiple of the segment's length; None means one segment.
            seed: Seed of the random draws.
            noise: Standard normal noise for one segment; None draws it.

        Returns:
            The outputs of the last segment, by the names in `docs/artefact.md`. ``trace`` covers all segments: the energy before
            the updates 0, n, 2n, … of each, where n is the header's ``trace_every``.

        Raises:
            RequestError: If a tensor is missing or unknown, or its shape differs from the header.
            OptionError: If `steps` is not a positive multiple of the segment's length.
        """
        return minimise(self._session, self._problems, self._pool, inputs, state, steps=steps, seed=seed, noise=noise)

    async def _solved(self, call: Call, request: Mapping[str, Any], asking: _Asking) -> Solution:
        """The solution of a request after all replies."""
        budget, watching, begun = asking.budget, asking.watching, asking.begun
        left, current, options = dict(asking.replies), request, (budget, asking.ask)
        if asking.due is not None and time.monotonic() >= asking.due and isinstance(request, Mapping):
            return self._problems.unread(request, budget, begun)
        while True:
            try:
                meaning = self._problems.in_time(budget, begun, self._problems.read, current)
            except OverdueError:
                return self._problems.unread(current, budget, begun)
            solution = self._replies.recalled(meaning, options) if left or budget.deadline is None else None
            if solution is None:
                solution = await self._problems.outcome(call, meaning, budget, watching, begun)
                if asking.ask:
                    solution = await self._asked(call, meaning, solution, budget, begun, watching)
                meaning.unbound()
                self._replies.remember(meaning, options, solution)
            if not left:
                return solution
            current = applied(left, solution)

    async def _many(
        self,
        call: Call,
        requests: Iterable[Mapping[str, Any]],
        budget: Budget,
        watching: Watching,
        *,
        ask: bool,
    ) -> AsyncGenerator[tuple[int, Solution | RequestError], None]:
        """Index and outcome of each request as it ends."""
        async with aclosing(self._problems.outcomes(call, requests, budget, watching)) as found:
            async for index, meaning, outcome in found:
                if ask and meaning is not None and isinstance(outcome, Solution):
                    begun = time.monotonic() - outcome.seconds
                    outcome = await self._asked(call, meaning, outcome, budget, begun, watching)  # noqa: PLW2901
                if meaning is not None:
                    meaning.unbound()
                yield index, outcome

    async def _asked(
        self, call: Call, meaning: Meaning, solution: Solution, budget: Budget, begun: float, watching: Watching
    ) -> Solution:
        """Add a question to the solution, if it needs one."""
        question = await self._problems.question(call, meaning, solution, budget, begun, watching.heartbeat)
        if question is None:
            return solution
        return solution.changed(question=question, seconds=time.monotonic() - begun)

    def _asking(
        self,
        restarts: int | None,
        max_steps: int | None,
        deadline: float | None,
        seed: int,
        alternatives: int,
        improve_for: float | None,
        ask: bool,
        replies: Mapping[str, str] | None,
        watch: Callable[[Segment], None] | None,
        heartbeat: Callable[[], None] | None,
    ) -> _Asking:
        begun = time.monotonic()
        budget = self._budget(restarts, max_steps, deadline, seed, alternatives, improve_for)
        _callable("watch", watch)
        _callable("heartbeat", heartbeat)
        return _Asking(budget, ask, given(replies), Watching(watch, heartbeat), begun)

    def _budget(
        self,
        restarts: int | None,
        max_steps: int | None,
        deadline: float | None,
        seed: int,
        alternatives: int,
        improve_for: float | None,
    ) -> Budget:
        defaults, limits = self.header.defaults, self.header.limits
        for name, limit in (("deadline", deadline), ("improve_for", improve_for)):
            if limit is not None and not (_is_number(limit) and limit > 0):
                raise OptionError(f"{name} is {limit!r}; it must be a positive number of seconds, or None.")
        chains = whole("restarts", defaults["restarts"] if restarts is None else restarts, 1, limits["restarts"])
        steps = whole("max_steps", defaults["max_steps"] if max_steps is None else max_steps, 1, limits["max_steps"])
        answers = whole("alternatives", alternatives, 1, 64)
        return Budget(chains, steps, deadline, whole("seed", seed, 0), answers, improve_for)


@dataclass(frozen=True, slots=True)
class Update:
    """News of a problem, from `Solver.solve_iter`.

    Attributes:
        index: The problem's index.
        outcome: The solution so far; in the last update the final one, or the error of an invalid request.
        last: Whether the problem has ended.
    """

    index: int
    outcome: Solution | RequestError
    last: bool


@dataclass(frozen=True, slots=True)
class _Asking:
    """The options of `Solver.solve`, checked.

    Attributes:
        begun: `time.monotonic` at the call.
    """

    budget: Budget
    ask: bool
    replies: dict[str, str]
    watching: Watching
    begun: float

    @property
    def due(self) -> float | None:
        """When the deadline passes, or None."""
        return self.budget.due(self.begun)


def _several(requests: object) -> None:
    if isinstance(requests, Mapping | str | bytes) or not isinstance(requests, Iterable):
        raise OptionError(
            f"requests is of type {type(requests).__name__}; it must be a list of requests. For one request, call solve."
        )


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _callable(name: str, value: object) -> None:
    if value is not None and not callable(value):
        raise OptionError(f"{name} is {value!r:.60}; it must be callable, or None.")


def _made(
    model: bytes,
    device: str,
    threads: int | None,
    source: str,
    max_waiting: int,
    ceilings: Ceilings | None,
    origin: str | None,
) -> Solver:
    return Solver(
        model,
        device=device,
        threads=threads,
        source=source,
        max_waiting=max_waiting,
        ceilings=ceilings,
        origin=origin,
    )


_SOLVERS: WeakSet[Solver] = WeakSet()


_IMPORTED_LATE = (
    "difflib",
    "groundstate._asynchronous",
    "importlib.metadata",
    "json",
    "jsonpatch",
    "jsonschema.validators",
    "pathlib",
    "referencing.exceptions",
    "zoneinfo",
)
"""What calls import when they first need it."""


def _before_fork() -> None:
    # A child could never import a module that another thread is just importing: nobody there would release the module's lock.
    # Whether one is about to begin cannot be known, so everything is imported now, once.
    if _SOLVERS and threading.active_count() > 1:
        for name in _IMPORTED_LATE:
            with suppress(ImportError):
                import_module(name)


def _after_fork() -> None:
    for solver in list(_SOLVERS):
        solver._replies.forget()  # noqa: SLF001 - an attribute of this module's class


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_child=_after_fork)
