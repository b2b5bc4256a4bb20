"""`load` an artefact and solve with it."""

from __future__ import annotations

import base64
import binascii
import math
import os
import time
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from groundstate import _catalog, _header
from groundstate._chains import Budget, Found, Pool, Problem, Segment, descend, segment
from groundstate._checks import batch_of, fitting, mapping, misshapen, named, whole
from groundstate._errors import ArtefactError, Fault, OptionError, RequestError
from groundstate._header import Header
from groundstate._request import Schema
from groundstate._session import Session, Tensors
from groundstate._sizes import header_at
from groundstate._solution import Alternative, Score, Solution, Status, Violation
from groundstate._task import find

_LARGEST_FILE = 2**31

_REMEMBERED = 256
"""Sizes whose header a solver of a file of any size keeps: to make one takes as long as a small problem's segment."""


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
        self._request = Schema(self.header.request, self.header.inputs)
        self._answer = Schema(self.header.answer, self.header.answers, "answer")
        self._judge = _judge(self._session.metadata)
        self._header_at = lru_cache(_REMEMBERED)(self._make_header)
        workers = threads or len(
            os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else range(os.cpu_count() or 1)
        )
        self._pool = Pool(ThreadPoolExecutor(workers, thread_name_prefix="groundstate"), workers)

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
        watch: Callable[[Segment], None] | None = None,
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
            watch: Called after every segment.

        Raises:
            RequestError: If the request is not what the schema allows.
            OptionError: If an option is out of range.
        """
        budget = self._budget(restarts, max_steps, deadline, seed, alternatives)
        begun = time.monotonic()
        prepared = self._prepare(0, request, budget, begun)
        if isinstance(prepared, Solution):
            return prepared
        problem, plain = prepared
        for done in descend(self._session, [problem], self._pool, watch):
            return self._conclude(done, plain)
        raise AssertionError("a problem came back from the descent neither answered nor given up")

    def solve_many(
        self,
        requests: Iterable[Mapping[str, Any]],
        *,
        restarts: int | None = None,
        max_steps: int | None = None,
        deadline: float | None = None,
        seed: int = 0,
        alternatives: int = 1,
        done: Callable[[int, Solution | RequestError], None] | None = None,
        watch: Callable[[Segment], None] | None = None,
    ) -> list[Solution | RequestError]:
        """Solve many problems in shared batches.

        Options are those of `solve`, for each problem. A bad request costs nothing but its own place in the list, which then
        holds the `RequestError`.

        Args:
            done: Called with the place and the outcome of each problem as it ends.
            watch: Called after every segment, once for each problem in flight; `Segment.index` is its place.
        """
        budget = self._budget(restarts, max_steps, deadline, seed, alternatives)
        outcomes: dict[int, Solution | RequestError] = {}
        plain: dict[int, dict[str, Any]] = {}

        def settle(index: int, outcome: Solution | RequestError) -> None:
            outcomes[index] = outcome
            if done is not None:
                done(index, outcome)

        def admitted() -> Iterable[Problem]:
            for index, request in enumerate(requests):
                try:
                    prepared = self._prepare(index, request, budget, time.monotonic())
                except RequestError as error:
                    settle(index, error)
                    continue
                if isinstance(prepared, Solution):
                    settle(index, prepared)
                    continue
                problem, plain[index] = prepared
                yield problem

        for problem in descend(self._session, admitted(), self._pool, watch):
            settle(problem.index, self._conclude(problem, plain.pop(problem.index)))
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
        plain = self._plain(request)
        try:
            given = self._answer.validate(answer)
            tensors = self._task.encode_answer(plain, given)
        except RequestError as error:
            raise _within("answer", error) from None
        inputs = self._task.encode(plain)
        header = self._sized(inputs)
        placed = {} if tensors is None else {name: tensors[name].shape for name in header.answers}
        if faults := [f for n, shape in placed.items() for f in misshapen(n, shape, header.answers[n])]:
            raise _within("answer", RequestError(faults))
        violations = self._task.check(plain, given)
        energy, terms = None, {}
        if self._judge is not None and tensors is not None:
            feeds = {**inputs, **{f"answer.{name}": tensor for name, tensor in tensors.items()}}
            judged = self._judge.run({name: np.ascontiguousarray(tensor[None]) for name, tensor in feeds.items()})
            counted = self._violations(judged["violations"][0]) if "violations" in judged else []
            # Both checks must pass: neither the task nor the file alone can call an answer valid.
            violations = violations or counted
            place = {
                name.removeprefix("state."): tensor for name, tensor in judged.items() if name.startswith("state.")
            }
            if place:
                out = self._evaluate(header, {name: tensor[None] for name, tensor in inputs.items()}, place)
                energy = float(out["energy"][0])
                terms = {
                    term.name: float(value) for term, value in zip(self.header.terms, out["terms"][0], strict=True)
                }
        elif violations is None:
            raise RequestError([Fault("", f"The artefact {self.header.name!r} brings no rules to judge an answer by.")])
        return Score(not violations, energy, terms, tuple(violations or ()))

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

    def as_function(self) -> Callable[..., dict[str, Any]]:
        """A plain callable ``f(**request) -> dict`` with name, docstring and ``schema``, for frameworks without an adapter."""

        def call(**request: Any) -> dict[str, Any]:
            return self.solve(request).to_json()

        call.__name__ = call.__qualname__ = f"solve_{self.header.name}"
        call.__doc__ = self.header.description
        call.schema = {"name": call.__name__, "description": self.header.description, "parameters": self.header.request}  # type: ignore[attr-defined]
        return call

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
        header = self.header
        steps = header.steps if steps is None else steps
        if not isinstance(steps, int) or steps < 1 or steps % header.steps:
            raise OptionError(f"steps is {steps!r}; it must be a positive multiple of the segment's {header.steps}.")
        random = np.random.Generator(np.random.SFC64(whole("seed", seed, 0)))
        for place, tensors in (("inputs", inputs), ("state", state or {}), ("noise", noise or {})):
            mapping(place, tensors)
        batch = batch_of(inputs if header.inputs else state or {}, header.limits["batch"])
        named("inputs", inputs, header.inputs)
        try:
            header = self._sized({name: np.asarray(inputs[name])[0] for name in header.inputs})
        except RequestError as error:
            raise _within("inputs", error) from None
        given = fitting("inputs", inputs, header.inputs, batch)
        drawn = {
            n: s.initial.draw(random, (batch, *s.shape), s.dtype)
            for n, s in header.state.items()
            if n not in (state or {})
        }
        current = fitting("state", {**drawn, **(state or {})}, header.state, batch)
        kicks = fitting("noise", noise, header.noise, batch) if noise is not None else None
        traces, out = [], Tensors()
        for _ in range(steps // header.steps):
            fresh = kicks or {n: random.standard_normal((batch, *s.shape), np.float32) for n, s in header.noise.items()}
            out = segment(self._session, header, given, current, fresh, np.ones(batch, np.float32), self._pool)
            current = {name: out[f"next.{name}"] for name in header.state}
            traces.append(out["trace"])
        return {**out, "trace": np.concatenate(traces, axis=1)}

    def _evaluate(self, header: Header, inputs: Tensors, place: Tensors) -> Tensors:
        """Outputs at a state without moving it; what else is carried is as when a chain starts."""
        random = np.random.Generator(np.random.SFC64(0))
        still = {
            n: place[n] if n in place else s.initial.draw(random, (1, *s.shape), s.dtype)
            for n, s in header.state.items()
        }
        noise = {n: np.zeros((1, *s.shape), np.float32) for n, s in header.noise.items()}
        return segment(self._session, header, inputs, still, noise, np.zeros(1, np.float32), self._pool)

    def _budget(
        self, restarts: int | None, max_steps: int | None, deadline: float | None, seed: int, alternatives: int
    ) -> Budget:
        defaults, limits = self.header.defaults, self.header.limits
        if deadline is not None and not (isinstance(deadline, int | float) and deadline > 0):
            raise OptionError(f"deadline is {deadline!r}; it must be a positive number of seconds, or None.")
        chains = whole("restarts", defaults["restarts"] if restarts is None else restarts, 1, limits["restarts"])
        steps = whole("max_steps", defaults["max_steps"] if max_steps is None else max_steps, 1, limits["max_steps"])
        return Budget(chains, steps, deadline, whole("seed", seed, 0), whole("alternatives", alternatives, 1, 64))

    def _plain(self, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return self._request.validate(request)
        except RequestError:
            fault = self._task.explain(request) if isinstance(request, Mapping) else None
            if fault is None:
                raise
            raise RequestError([fault]) from None

    def _prepare(
        self, index: int, request: Mapping[str, Any], budget: Budget, begun: float
    ) -> Solution | tuple[Problem, dict[str, Any]]:
        """Validate and encode; a solution where the request contradicts itself."""
        plain = self._plain(request)
        if wrong := self._task.contradictions(plain):
            return Solution(
                Status.INFEASIBLE, None, None, tuple(wrong), seconds=time.monotonic() - begun, seed=budget.seed
            )

        def judge(answer: Tensors) -> float | None:
            decoded = self._task.decode(plain, answer)
            if self._task.check(plain, decoded):
                return None
            cost = self._task.cost(plain, decoded)
            return -math.inf if cost is None else cost

        def below(cost: float) -> Tensors | None:
            return None if cost == -math.inf else self._task.below(plain, cost)

        inputs = self._task.encode(plain)
        return Problem(index, self._sized(inputs), inputs, budget, judge, below, begun), plain

    def _sized(self, inputs: Tensors) -> Header:
        """The header at the sizes of input tensors without the batch.

        Raises:
            RequestError: If they do not fit together.
        """
        if not self.header.sizes:
            return self.header
        return self._header_at(tuple(inputs[name].shape for name in self.header.inputs))

    def _make_header(self, shapes: tuple[tuple[int, ...], ...]) -> Header:
        return header_at(self.header, dict(zip(self.header.inputs, shapes, strict=True)))

    def _conclude(self, problem: Problem, request: Mapping[str, Any]) -> Solution:
        found = sorted(problem.found, key=lambda one: one.energy)
        seconds = time.monotonic() - problem.begun
        common = _Spent(chains=problem.started, seconds=seconds, seed=problem.budget.seed)
        if found:
            first, *others = found
            return Solution(
                Status.AMBIGUOUS if others else Status.SOLVED,
                self._task.decode(request, first.answer),
                first.energy,
                alternatives=tuple(Alternative(self._task.decode(request, f.answer), f.energy) for f in others),
                steps=first.steps,
                **common,
            )
        best: Found | None = problem.best
        if best is None:
            return Solution(Status.UNSOLVED, None, None, steps=problem.steps, **common)
        answer = self._task.decode(request, best.answer)
        broken = self._task.check(request, answer) or self._violations(best.violations)
        return Solution(Status.UNSOLVED, answer, best.energy, tuple(broken), steps=problem.steps, **common)

    def _violations(self, counts: NDArray[np.int64]) -> list[Violation]:
        return [
            Violation(rule.name, int(count), f"{rule.description} Broken {int(count)} times.")
            for rule, count in zip(self.header.rules, counts, strict=True)
            if count
        ]


def _within(place: str, error: RequestError) -> RequestError:
    """The same faults, in a part of what the caller gave."""
    return RequestError([Fault(f"{place}.{fault.place}".rstrip("."), fault.message) for fault in error.faults])


class _Spent(TypedDict):
    chains: int
    seconds: float
    seed: int


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


def _judge(metadata: Mapping[str, str]) -> Session | None:
    encoded = metadata.get(_header.JUDGE_KEY)
    if encoded is None:
        return None
    try:
        return Session(base64.b64decode(encoded, validate=True))
    except binascii.Error:
        raise ArtefactError("The artefact's judge is not base64; the file is damaged.") from None
