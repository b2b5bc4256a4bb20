"""`Solver`: an energy, ready to solve.

Long because every operation that a user can call is here, with its documentation; the work is done elsewhere.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Self
from weakref import WeakSet

from numpy.typing import NDArray

from groundstate._arguments import whole
from groundstate._errors import ArtefactError, Fault, OptionError, RequestError
from groundstate._graphs import hold_against, stage_sessions
from groundstate._header import Header
from groundstate._header_reader import read_header
from groundstate._meaning import Meaning, Understanding
from groundstate._minimise import minimise
from groundstate._pool import Pool
from groundstate._problem import Budget, Segment
from groundstate._problems import Problems
from groundstate._replies import Replies, applied, given
from groundstate._score import Scorer
from groundstate._session import Session
from groundstate._solution import Score, Solution

if TYPE_CHECKING:
    from groundstate._task import Reading


class Solver:
    """An energy, ready to solve. Made by `load`. Safe to share between threads.

    Attributes:
        header: What the artefact says about itself.
    """

    def __init__(
        self, model: bytes, *, device: str = "cpu", threads: int | None = None, source: str = "This file"
    ) -> None:
        self._made_from = model, device, threads, source
        self._session = Session(model, device, source, loop=True)
        self.header: Header = read_header(self._session.metadata, source)
        if self._session.loops != (self.header.form == "loop"):
            has = "a loop" if self._session.loops else "no loop"
            raise ArtefactError(f"{source} is of the form {self.header.form!r} and has {has}; the file is damaged.")
        sessions = [*stage_sessions(self.header, self._session, device), self._session]
        for header, session in zip(
            [*(stage.header for stage in self.header.stages), self.header], sessions, strict=True
        ):
            hold_against(header, session, source)
        self._task = Understanding(self.header)
        self._pool = Pool(threads)
        self._problems = Problems(sessions, self.header, self._task, self._pool)
        self._scorer = Scorer(self._session, self._problems, self._pool)
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
        """End the solver's threads. It may still be used; they start again when they are needed."""
        self._pool.close()

    @property
    def device(self) -> str:
        """Where the model runs: ``"cpu"`` or ``"cuda"``."""
        return self._session.device

    @property
    def placement(self) -> dict[str, dict[str, int]]:
        """On another device than the CPU: how many nodes of each operator each of ONNX Runtime's providers has. Else empty."""
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
        ask: bool = True,
        replies: Mapping[str, str] | None = None,
        watch: Callable[[Segment], None] | None = None,
        heartbeat: Callable[[], None] | None = None,
    ) -> Solution:
        """Solve one problem.

        Where the task's answers cost something, the cheapest that is found is returned: a cheaper one is looked for until none
        can be, or until that took several times what the last one took. Of an energy without checks, chains descend until they
        have converged, and the lowest minimum is returned.

        Args:
            request: As the artefact's request schema says (`describe`); arrays and tuples are welcome.
            restarts: Chains that may be started.
            max_steps: Updates that each chain may make, over all stages, rounded up to whole segments.
            deadline: Seconds after which the best so far is returned; looked at after every segment.
            seed: Decides every random draw. The same request, options and seed give the same solution on the same machine,
                whatever the number of threads, unless a deadline cuts it short.
            alternatives: Different answers to look for, as good as each other; with 2 or more a problem that has several ends as
                AMBIGUOUS.
            ask: Whether to look for a question where there are several answers or none. Its options are tried, which may take
                as long as the solve; where a deadline is spent, there is none.
            replies: To questions about this request, by the question's id: the `Option.id` chosen. They are applied one
                after another; `Solution.request` is what came of it.
            watch: Called after every segment of the descent; not while options are tried, and not where a question was asked of
                an equal request before: it is remembered, and nothing descends.
            heartbeat: Called before every segment, also while options are tried. What it raises ends the solve and rises: so a
                solve that nobody waits for any more is stopped.

        Raises:
            RequestError: If the request is not what the schema allows, or a reply is to no question that it brings.
            OptionError: If an option is out of range.
            TaskError: If the task's code fails.
            ArtefactError: If the file's graph fails.
        """
        budget = self._budget(restarts, max_steps, deadline, seed, alternatives)
        _callable("watch", watch)
        _callable("heartbeat", heartbeat)
        begun = time.monotonic()

        left, current, options = given(replies), request, (budget, ask)
        while True:
            meaning = self._problems.read(current)
            solution = self._replies.recalled(meaning, options) if left or deadline is None else None
            if solution is None:
                ((_, _, outcome),) = self._problems.outcomes([meaning], budget, watch, begun, heartbeat)
                if isinstance(outcome, RequestError):
                    raise outcome
                solution = self._asked(meaning, outcome, budget, begun, heartbeat) if ask else outcome
                self._replies.remember(meaning, options, solution)
            if not left:
                return solution
            current = applied(left, solution)

    def solve_many(
        self,
        requests: Iterable[Mapping[str, Any]],
        *,
        restarts: int | None = None,
        max_steps: int | None = None,
        deadline: float | None = None,
        seed: int = 0,
        alternatives: int = 1,
        ask: bool = False,
        done: Callable[[int, Solution | RequestError], None] | None = None,
        watch: Callable[[Segment], None] | None = None,
    ) -> list[Solution | RequestError]:
        """Solve many problems in shared batches.

        Options are those of `solve`, for each problem. A bad request costs nothing but its own place in the list, which then
        holds the `RequestError`.

        Args:
            ask: As in `solve`; each question is looked for by itself.
            done: Called with the place and the outcome of each problem as it ends.
            watch: Called after every segment, once for each problem in flight; `Segment.index` is its place.

        Raises:
            OptionError: If an option is out of range, or `requests` is one request and no list of them.
        """
        if isinstance(requests, Mapping | str | bytes) or not isinstance(requests, Iterable):
            raise OptionError(
                f"requests is of type {type(requests).__name__}; it must be a list of requests. For one request, call solve."
            )
        _callable("watch", watch)
        _callable("done", done)
        budget = self._budget(restarts, max_steps, deadline, seed, alternatives)
        outcomes: dict[int, Solution | RequestError] = {}
        for index, meaning, outcome in self._problems.outcomes(requests, budget, watch):
            if ask and meaning is not None and isinstance(outcome, Solution):
                outcome = self._asked(meaning, outcome, budget, time.monotonic() - outcome.seconds)  # noqa: PLW2901
            outcomes[index] = outcome
            if done is not None:
                done(index, outcome)
        return [outcomes[index] for index in sorted(outcomes)]

    async def asolve(self, request: Mapping[str, Any], **options: Any) -> Solution:
        """`solve` without blocking the event loop. Where the awaiting task is cancelled, the descent ends at its next segment."""
        import asyncio

        cancelled, beat = threading.Event(), options.pop("heartbeat", None)
        _callable("heartbeat", beat)

        def heartbeat() -> None:
            if cancelled.is_set():
                raise asyncio.CancelledError
            if beat is not None:
                beat()

        try:
            return await asyncio.to_thread(self.solve, request, heartbeat=heartbeat, **options)
        except asyncio.CancelledError:
            cancelled.set()
            raise

    def score(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> Score:
        """Energy and violations of somebody else's answer.

        Raises:
            RequestError: If the request or the answer is not what its schema allows; faults in the answer are placed under
                ``answer``.
            ArtefactError: If the artefact has no checks and cannot place answers.
        """
        return self._scorer.score(request, answer)

    def describe(self) -> dict[str, Any]:
        """What an app or a language model needs to know: name, description, JSON schemas, terms, checks, limits."""
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
        """A plain callable ``f(**arguments) -> dict`` with name, docstring and ``schema``, for frameworks without an adapter.

        It is the function of `groundstate.tools.SolveTool`, which takes the same options.
        """
        # The layer above, by its name: it imports this module.
        tools = import_module("groundstate.tools")
        function: Callable[..., dict[str, Any]] = tools.SolveTool(self, **options).as_function()
        return function

    @property
    def asks(self) -> bool:
        """Whether the artefact's task can ask back."""
        return self._task.asks

    def read(self, request: Mapping[str, Any]) -> Reading:
        """What the artefact's task makes of a request: asked for words and drawings without being read again.

        Raises:
            RequestError: If the request is not what the schema allows.
        """
        return self._problems.read(request).reading

    def coerce(self, request: Any) -> tuple[Any, list[str]]:
        """A request as the task's own forms of it are meant, and a sentence for each that was read differently than sent."""
        return self._task.coerce(request)

    def parse(self, text: str) -> dict[str, Any]:
        """A request from the notation that people type for this task (for Sudoku: 81 characters).

        Raises:
            RequestError: If the text is not in that notation.
        """
        if not isinstance(text, str):
            raise RequestError([Fault("", f"The notation is text, and {text!r:.40} is of type {type(text).__name__}.")])
        return self._task.parse(text)

    def notation(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> str | None:
        """The answer on one line in the notation that `parse` reads; None where the task has none."""
        return self._problems.read(request).notation(dict(answer))

    def draw(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None = None) -> str | None:
        """The request, or its answer, as lines of text for a person; None where the task has no drawing."""
        return self._problems.read(request).draw(None if answer is None else dict(answer))

    def svg(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None = None) -> str | None:
        """The request, or its answer, as an SVG picture; None where the task has none."""
        return self._problems.read(request).svg(None if answer is None else dict(answer))

    def draw_descent(
        self, request: Mapping[str, Any], path: str | os.PathLike[str] | None = None, **options: Any
    ) -> str:
        """Solve a request and draw the descent: a few configurations of the best chain, and its energy, as SVG.

        Args:
            path: Where to write the picture; nowhere, if None.
            options: As in `solve`.

        Returns:
            The text of the SVG file.

        Raises:
            RequestError: If the request is not what the schema allows, or ends without a descent: a proven contradiction.
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
            said = f"There is no descent to draw: the request ended as {solution.status.value!r} without one."
            raise RequestError([Fault("", said)])
        if path is not None:
            try:
                Path(path).write_text(svg, encoding="utf-8")
            except OSError as error:
                raise OptionError(f"{os.fspath(path)!r} cannot be written: {error.strerror or error}.") from None
        return svg

    def file(self, request: Mapping[str, Any], answer: Mapping[str, Any], kind: str) -> bytes:
        """The answer as a file that other programs read: of a schedule ``"ics"`` or ``"svg"``.

        Raises:
            OptionError: If the task writes no such files, or not of this answer.
        """
        return self._problems.read(request).file(dict(answer), kind)

    def decode(self, request: Mapping[str, Any], answer: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Answer tensors without the batch, as a `Segment` carries them, as a JSON-ready answer."""
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
        """The raw operation: tensors in, tensors out, batch first; no schema, no check, no restarts. Of the last stage alone.

        Lists are taken, and other dtypes where every number stays what it is, but for the rounding of floating-point numbers.

        Args:
            inputs: The problem's tensors, as the header says. Learned numbers may be given too, for each row.
            state: Where to start; any tensor left out is drawn as the header says.
            steps: Updates to make: a multiple of the segment's length; one segment, if None.
            seed: Decides what is drawn.
            noise: Standard normal noise for one segment; drawn, if None.

        Returns:
            The outputs of the last segment, by the names in `docs/artefact.md`; ``trace`` covers all segments, each
            by its energy before the updates 0, n, 2n, …, where n is the header's ``trace_every``.

        Raises:
            RequestError: If a tensor is missing or unknown, or has another shape than the header says.
            OptionError: If `steps` is not a positive multiple of the segment's length.
        """
        return minimise(self._session, self._problems, self._pool, inputs, state, steps=steps, seed=seed, noise=noise)

    def _asked(
        self,
        meaning: Meaning,
        solution: Solution,
        budget: Budget,
        begun: float,
        heartbeat: Callable[[], None] | None = None,
    ) -> Solution:
        """The solution with its question, if it needs one."""
        question = self._problems.question(meaning, solution, budget, begun, heartbeat)
        if question is None:
            return solution
        return solution.changed(question=question, seconds=time.monotonic() - begun)

    def _budget(
        self, restarts: int | None, max_steps: int | None, deadline: float | None, seed: int, alternatives: int
    ) -> Budget:
        defaults, limits = self.header.defaults, self.header.limits
        if deadline is not None and not (_is_number(deadline) and deadline > 0):
            raise OptionError(f"deadline is {deadline!r}; it must be a positive number of seconds, or None.")
        chains = whole("restarts", defaults["restarts"] if restarts is None else restarts, 1, limits["restarts"])
        steps = whole("max_steps", defaults["max_steps"] if max_steps is None else max_steps, 1, limits["max_steps"])
        return Budget(chains, steps, deadline, whole("seed", seed, 0), whole("alternatives", alternatives, 1, 64))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _callable(name: str, value: object) -> None:
    if value is not None and not callable(value):
        raise OptionError(f"{name} is {value!r:.60}; it must be callable, or None.")


def _made(model: bytes, device: str, threads: int | None, source: str) -> Solver:
    return Solver(model, device=device, threads=threads, source=source)


_SOLVERS: WeakSet[Solver] = WeakSet()


def _after_fork() -> None:
    for solver in list(_SOLVERS):
        solver._replies.forget()  # noqa: SLF001 - of this module


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
