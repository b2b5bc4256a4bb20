"""`load` an artefact and solve with it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

from numpy.typing import NDArray

from groundstate import _catalog, _header
from groundstate._chains import Pool
from groundstate._checks import whole
from groundstate._dialogue import Dialogue
from groundstate._errors import ArtefactError, OptionError, RequestError
from groundstate._header import Header
from groundstate._judge import Judge
from groundstate._minimise import minimise
from groundstate._problem import Budget, Segment
from groundstate._problems import Problems
from groundstate._session import Session
from groundstate._solution import Score, Solution
from groundstate._task import Task, find

_LARGEST_FILE = 2**31


def load(source: str | os.PathLike[str] | bytes, *, device: str = "cpu", threads: int | None = None) -> Solver:
    """Load an energy artefact.

    Args:
        source: The name of an installed model (``"sudoku"``), the path of an ``.onnx`` file, or its bytes.
        device: ``"cpu"`` or ``"cuda"``. The model runs there, or this raises.
        threads: Threads to spread chains over; the processors this process may use, if None.

    Raises:
        UnknownModelError: If there is neither a model nor a file of this name.
        ArtefactError: If the file is not an energy artefact, is damaged, or is of an unknown format.
        ProviderError: If ONNX Runtime is missing or cannot run on the device.
        TaskError: If the artefact needs a task that is not installed.
        OptionError: If `device` or `threads` is out of range.
    """
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise OptionError(f"threads is {threads!r}; it must be a whole number of at least 1.")
    if isinstance(source, bytes | bytearray):
        return Solver(bytes(source), device=device, threads=threads)
    from pathlib import Path  # with what it brings a tenth of the import time of this package

    path = Path(source)
    if isinstance(source, str) and not path.suffix and os.sep not in source and not path.is_file():
        path = _catalog.locate(source)
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise ArtefactError(f"{path} has {path.stat().st_size} bytes; an ONNX file holds at most {_LARGEST_FILE}.")
        data = path.read_bytes()
    except OSError as error:
        raise ArtefactError(f"{path} cannot be read: {error.strerror or error}.") from None
    return Solver(data, device=device, threads=threads)


class Solver:
    """An energy, ready to solve. Made by `load`. Safe to share between threads.

    Attributes:
        header: What the artefact says about itself.
    """

    def __init__(self, model: bytes, *, device: str = "cpu", threads: int | None = None) -> None:
        from concurrent.futures import ThreadPoolExecutor

        self._session = Session(model, device)
        self.header: Header = _header.parse(self._session.metadata)
        _match(self.header, self._session)
        self._task = find(self.header)
        workers = threads or len(
            os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
        )
        self._pool = Pool(ThreadPoolExecutor(workers, thread_name_prefix="groundstate"), workers)
        self._problems = Problems(self._session, self.header, self._task, self._pool)
        self._judge = Judge(self._session, self._problems, self._pool)
        self._dialogue = Dialogue()

    def __repr__(self) -> str:
        return f"<groundstate.Solver {self.header.name} {self.header.version} on {self._session.device}>"

    @property
    def device(self) -> str:
        """Where the model runs: ``"cpu"`` or ``"cuda"``."""
        return self._session.device

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
        answers: Mapping[str, str] | None = None,
        watch: Callable[[Segment], None] | None = None,
        pulse: Callable[[], None] | None = None,
    ) -> Solution:
        """Solve one problem.

        Where the task's answers cost something, the cheapest that is found is returned: a cheaper one is looked for until none
        can be, or until that took several times what the last one took.

        Args:
            request: As the artefact's request schema says (`describe`); arrays and tuples are welcome.
            restarts: Chains that may be started.
            max_steps: Updates that each chain may make, rounded up to whole segments.
            deadline: Seconds after which the best so far is returned; looked at after every segment.
            seed: Decides every random draw. The same request, options and seed give the same solution on the same machine,
                unless a deadline cuts it short.
            alternatives: Different answers to look for, all of the least cost; with 2 or more a problem that has several ends as
                AMBIGUOUS.
            ask: Whether to look for a question where there are several answers or none. Its options are tried, which may take
                as long as the solve; where a deadline is spent, there is none.
            answers: Replies to questions about this request, by the question's id: the `Option.id` chosen. They are applied one
                after another; `Solution.request` is what came of it.
            watch: Called after every segment of the descent; not while options are tried, and not where a question was asked of
                an equal request before: it is remembered, and nothing descends.
            pulse: Called before every segment, also while options are tried. What it raises ends the solve and rises: so a
                solve that nobody waits for any more is stopped.

        Raises:
            RequestError: If the request is not what the schema allows, or a reply is to no question that it brings.
            OptionError: If an option is out of range.
        """
        budget = self._budget(restarts, max_steps, deadline, seed, alternatives)
        begun = time.monotonic()

        def asked(request: Mapping[str, Any]) -> Solution:
            for _, plain, outcome in self._problems.outcomes([request], budget, watch, begun, pulse):
                if isinstance(outcome, RequestError):
                    raise outcome
                return self._asked(plain, outcome, budget, begun, pulse) if ask else outcome
            raise AssertionError("a request came back neither answered nor refused")

        return self._dialogue.settle(request, answers or {}, (budget, ask), asked, recall=deadline is None)

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
        """
        budget = self._budget(restarts, max_steps, deadline, seed, alternatives)
        outcomes: dict[int, Solution | RequestError] = {}
        for index, plain, outcome in self._problems.outcomes(requests, budget, watch):
            if ask and isinstance(outcome, Solution):
                outcome = self._asked(plain, outcome, budget, time.monotonic() - outcome.seconds)  # noqa: PLW2901
            outcomes[index] = outcome
            if done is not None:
                done(index, outcome)
        return [outcomes[index] for index in sorted(outcomes)]

    async def asolve(self, request: Mapping[str, Any], **options: Any) -> Solution:
        """`solve` without blocking the event loop."""
        import asyncio

        return await asyncio.to_thread(self.solve, request, **options)

    def score(self, request: Mapping[str, Any], answer: Mapping[str, Any]) -> Score:
        """Energy and violations of somebody else's answer.

        Raises:
            RequestError: If the request or the answer is not what its schema allows; faults in the answer are placed under
                ``answer``.
        """
        return self._judge.score(request, answer)

    def describe(self) -> dict[str, Any]:
        """What an app or a language model needs to know: name, description, JSON schemas, terms, rules, defaults, limits."""
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
            "rules": {rule.name: rule.description for rule in header.rules},
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
        from groundstate.tools import SolveTool

        return SolveTool(self, **options).as_function()

    @property
    def asks(self) -> bool:
        """Whether the artefact's task can ask back."""
        task = type(self._task)
        return task.variables is not Task.variables or task.relaxations is not Task.relaxations

    def mend(self, request: Any) -> tuple[Any, list[str]]:
        """A request as the task's own shapes of it are meant, and a sentence for each that was read differently than sent."""
        return self._task.mend(request) if isinstance(request, Mapping) else (request, [])

    def parse(self, text: str) -> dict[str, Any]:
        """A request from the notation that people type for this task (for Sudoku: 81 characters).

        Raises:
            RequestError: If the text is not in that notation.
        """
        return self._task.parse(text)

    def notation(self, answer: Mapping[str, Any]) -> str | None:
        """The answer on one line in the notation that `parse` reads; None where the task has none."""
        return self._task.notation(answer)

    def draw(self, request: Mapping[str, Any], answer: Mapping[str, Any] | None = None) -> str | None:
        """The request, or its answer, as lines of text for a person; None where the task has no drawing."""
        return self._task.draw(request, answer)

    def file(self, request: Mapping[str, Any], answer: Mapping[str, Any], kind: str) -> bytes:
        """The answer as a file that other programs read: of a schedule ``"ics"`` or ``"svg"``.

        Raises:
            OptionError: If the task writes no such files, or not of this answer.
        """
        return self._task.file(request, answer, kind)

    def decode(self, request: Mapping[str, Any], answer: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
        """Answer tensors without the batch, as a `Segment` carries them, as a JSON-ready answer."""
        return self._task.decode(request, answer)

    def minimise(
        self,
        inputs: Mapping[str, NDArray[Any]],
        state: Mapping[str, NDArray[Any]] | None = None,
        *,
        steps: int | None = None,
        seed: int = 0,
        noise: Mapping[str, NDArray[Any]] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """The raw operation: tensors in, tensors out, batch first; no schema, no check, no restarts.

        Args:
            inputs: The problem's tensors, as the header says.
            state: Where to start; any tensor left out is drawn as the header says.
            steps: Updates to make: a multiple of the segment's length; one segment, if None.
            seed: Decides what is drawn.
            noise: Standard normal noise for one segment; drawn, if None.

        Returns:
            The outputs of the last segment, by the names in `docs/artefact.md`; ``trace`` covers all segments, each
            by its energy before the updates 0, n, 2n, …, where n is the header's ``trace_every``.

        Raises:
            RequestError: If a tensor is missing or unknown, or has another dtype or shape than the header says.
            OptionError: If `steps` is not a positive multiple of the segment's length.
        """
        return minimise(self._session, self._problems, self._pool, inputs, state, steps=steps, seed=seed, noise=noise)

    def _asked(
        self,
        request: dict[str, Any],
        solution: Solution,
        budget: Budget,
        begun: float,
        pulse: Callable[[], None] | None = None,
    ) -> Solution:
        """The solution with its question, if it needs one."""
        question = self._problems.question(request, solution, budget, begun, pulse)
        if question is None:
            return solution
        return replace(solution, question=question, seconds=time.monotonic() - begun)

    def _budget(
        self, restarts: int | None, max_steps: int | None, deadline: float | None, seed: int, alternatives: int
    ) -> Budget:
        defaults, limits = self.header.defaults, self.header.limits
        if deadline is not None and not (isinstance(deadline, int | float) and deadline > 0):
            raise OptionError(f"deadline is {deadline!r}; it must be a positive number of seconds, or None.")
        chains = whole("restarts", defaults["restarts"] if restarts is None else restarts, 1, limits["restarts"])
        steps = whole("max_steps", defaults["max_steps"] if max_steps is None else max_steps, 1, limits["max_steps"])
        return Budget(chains, steps, deadline, whole("seed", seed, 0), whole("alternatives", alternatives, 1, 64))


def _match(header: Header, session: Session) -> None:
    """Refuse a graph whose tensors are not those that the header names."""
    wanted, present = header.graph_inputs, session.inputs
    for name in sorted(set(wanted) ^ set(present)):
        raise ArtefactError(
            f"The graph {'has no' if name in wanted else 'has an unknown'} input {name!r}; the file is damaged."
        )
    for name, (dtype, shape) in wanted.items():
        found, sizes = present[name]
        pairs = zip(sizes, shape, strict=False)
        same = len(sizes) == len(shape) and all(a == b or (isinstance(a, str) and b == "batch") for a, b in pairs)
        if found != dtype or not same:
            told = f"{dtype} of shape ({', '.join(map(str, shape))})"
            raise ArtefactError(f"The graph's input {name!r} is not {told}, as the header says; the file is damaged.")
    for name in sorted(header.graph_outputs - set(session.outputs)):
        raise ArtefactError(f"The graph has no output {name!r}, which the header names; the file is damaged.")
    for name, sizes in session.shapes.items():
        if (name == "trace" or name.startswith("path.")) and not _fits(sizes, len(header.traced)):
            raise ArtefactError(
                f"The graph's output {name!r} has the shape ({', '.join(map(str, sizes))}), and the header's 'steps' "
                f"{header.steps} and 'trace_every' {header.trace_every} make {len(header.traced)} columns; the file is damaged."
            )


def _fits(sizes: tuple[int | str | None, ...], columns: int) -> bool:
    """Whether a shape has so many columns, or leaves open how many."""
    return len(sizes) > 1 and (sizes[1] == columns or not isinstance(sizes[1], int))
