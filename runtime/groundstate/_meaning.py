"""Guarded access to tasks and readings: every call is guarded, and every result is checked.

A mistake in a task is reported in one sentence that names the task and the method.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from groundstate._abilities import OF_READINGS, OF_TASKS, Asks, Optimises, Shows, Understands, incomplete
from groundstate._errors import Fault, GroundstateError, TaskError
from groundstate._header import Header, StateSpec
from groundstate._overdue import Deadline
from groundstate._question import Change, Patch
from groundstate._signals import from_signal
from groundstate._solution import Attempt, Violation
from groundstate._task import Reading, Task, find

Answer = dict[str, Any]
Tensors = dict[str, NDArray[Any]]


class Understanding:
    """A task behind guarded calls.

    Args:
        header: The artefact's header, which names the task.

    Raises:
        TaskError: If the task is not installed, or is not a valid task.
    """

    def __init__(self, header: Header) -> None:
        self.header = header
        self.task: Task = guarded(header, find, header)
        if lacks := _lacks(type(self.task), OF_TASKS):
            raise TaskError(f"The task {header.task!r} is incomplete: {lacks}.")
        if not callable(getattr(self.task, "read", None)):
            raise TaskError(f"The task {header.task!r} ({type(self.task).__name__}) has no method read().")
        self._understands: Understands | None = self.task if isinstance(self.task, Understands) else None

    @property
    def asks(self) -> bool:
        """Whether the task may ask questions. A task that does not state the class of its readings may ask."""
        reading = getattr(self.task, "reading", None)
        if isinstance(reading, type) and issubclass(reading, Asks):
            return True
        return (reading is None or reading is Reading) and type(self.task).read is not Task.read

    @property
    def spans_lines(self) -> bool:
        """See `Task.spans_lines`."""
        return getattr(self.task, "spans_lines", False) is True

    def read(self, request: dict[str, Any]) -> Meaning:
        """Interpret a request, which is plain JSON and has passed the schema."""
        reading = guarded(self.header, self.task.read, request)
        if not isinstance(reading, Reading):
            raise _wrong(self.header, self.task.read, reading, "a groundstate.Reading")
        if lacks := _lacks(type(reading), OF_READINGS):
            raise TaskError(f"The task {self.header.task!r} is incomplete: {lacks}.")
        return Meaning(self.header, reading, request)

    def coerce(self, request: Any) -> tuple[Any, list[str]]:
        """See `Understands.coerce`."""
        if self._understands is None or not isinstance(request, Mapping):
            return request, []
        coerced = guarded(self.header, self._understands.coerce, request)
        if not (isinstance(coerced, tuple) and len(coerced) == 2 and isinstance(coerced[0], Mapping)):
            raise _wrong(self.header, self._understands.coerce, coerced, "a request and a list of notes")
        return coerced[0], list(coerced[1])

    def parse(self, text: str) -> dict[str, Any]:
        """See `Understands.parse`."""
        understands = self._understands or _Plain()
        return dict(guarded(self.header, understands.parse, text))

    def explain(self, request: Mapping[str, Any]) -> Fault | None:
        """See `Understands.explain`."""
        if self._understands is None:
            return None
        fault = guarded(self.header, self._understands.explain, request)
        if fault is not None and not isinstance(fault, Fault):
            raise _wrong(self.header, self._understands.explain, fault, "a groundstate.Fault, or None")
        return fault


class _Plain(Understands):
    pass


class Meaning:
    """A reading behind guarded calls.

    Attributes:
        request: The request as plain JSON.
        reading: The task's reading.
        optimises, asks, shows: The same reading if it has that ability; else None.
        clock: Ends calls of the task's code at a deadline with an `OverdueError`; None without one.
    """

    def __init__(self, header: Header, reading: Reading, request: dict[str, Any]) -> None:
        self.header, self.reading, self.request = header, reading, request
        optimises, asks, shows = _abilities(reading)
        self.optimises: Optimises | None = cast("Optimises", reading) if optimises else None
        self.asks: Asks | None = cast("Asks", reading) if asks else None
        self.shows: Shows | None = cast("Shows", reading) if shows else None
        self.clock: Deadline | None = None

    def unbound(self) -> None:
        """After the call: whatever is asked of it from now on has no deadline."""
        if self.clock is not None:
            self.clock.close()
            self.clock = None

    @cached_property
    def contradictions(self) -> tuple[Violation, ...]:
        """See `Reading.contradictions`."""

        def contradictions() -> Any:
            return self.reading.contradictions

        contradictions.__qualname__ = f"{type(self.reading).__name__}.contradictions"
        return tuple(self._violations(contradictions, guarded(self.header, contradictions)))

    def proof(self, effort: int) -> tuple[Violation, ...]:
        """See `Reading.proof`."""
        return tuple(self._violations(self.reading.proof, self._call(self.reading.proof, effort)))

    def least_cost(self, cost: float, effort: int) -> float:
        """See `Reading.least_cost`."""
        bound = self._call(self.reading.least_cost, cost, effort)
        if isinstance(bound, bool) or not isinstance(bound, int | float) or math.isnan(bound):
            raise _wrong(self.header, self.reading.least_cost, bound, "a number")
        return min(float(bound), cost)

    def gap(self, answer: dict[str, Any], bound: float | None, optimal: bool) -> str:
        """See `Reading.gap`."""
        return str(self._call(self.reading.gap, answer, bound, optimal))

    @cached_property
    def inputs(self) -> Tensors:
        """The input tensors without the batch axis, learned numbers included."""
        given = self._call(self.reading.encode)
        if not isinstance(given, Mapping):
            raise _wrong(self.header, self.reading.encode, given, "a dict of tensors")
        tensors = {}
        for name, spec in self.header.inputs.items():
            tensor = given.get(name, spec.default)
            if tensor is None:
                raise TaskError(
                    f"{self._named(self.reading.encode)} returned no tensor {name!r}, which the graph takes."
                )
            tensor = np.asarray(tensor)
            if tensor.dtype != spec.dtype or tensor.ndim != len(spec.lengths):
                raise TaskError(
                    f"{self._named(self.reading.encode)} returned {name!r} as {tensor.dtype} of shape {tensor.shape}; "
                    f"it must be {spec.dtype} of shape {spec.text}."
                )
            tensors[name] = tensor
        return tensors

    @property
    def has_starts(self) -> bool:
        """Whether the reading may have initial states of its own."""
        return type(self.reading).starts is not Reading.starts

    def starts(self, random: np.random.Generator, count: int, state: Mapping[str, StateSpec]) -> Tensors:
        """See `Reading.starts`; only finite tensors of the state's shapes.

        Args:
            state: The state of the first stage, at the problem's sizes.
        """
        method = self.reading.starts
        given = self._call(method, random, count)
        if given is None:
            return {}
        if not isinstance(given, Mapping):
            raise _wrong(self.header, method, given, "a dict of tensors, or None")
        found = {}
        for name, tensor in given.items():
            spec = state.get(name)
            right = spec is not None and np.shape(tensor) == (count, *spec.shape)
            if spec is None or not right or not np.isfinite(tensor).all():
                what = "" if spec is None else f" of shape {(count, *spec.shape)}, all of them finite"
                raise TaskError(
                    f"{self._named(method)} returned {name!r} of shape {np.shape(tensor)}; it must be one of "
                    f"{', '.join(map(repr, state))}{what}."
                )
            found[name] = np.asarray(tensor, spec.dtype)
        return found

    def decode(self, tensors: Tensors) -> Answer:
        """See `Reading.decode`."""
        answer: Answer = self._call(self.reading.decode, tensors)
        if not isinstance(answer, dict):
            raise _wrong(self.header, self.reading.decode, answer, "a dict of plain JSON")
        return answer

    def encode_answer(self, answer: Answer) -> Tensors | None:
        """See `Reading.encode_answer`."""
        tensors = self._call(self.reading.encode_answer, answer)
        if tensors is not None and (not isinstance(tensors, Mapping) or set(self.header.answers) - set(tensors)):
            raise _wrong(self.header, self.reading.encode_answer, tensors, "a dict of all answer tensors, or None")
        return None if tensors is None else {name: np.asarray(tensor) for name, tensor in tensors.items()}

    def check(self, answer: Answer) -> list[Violation] | None:
        """See `Reading.check`."""
        found = self._call(self.reading.check, answer)
        return None if found is None else self._violations(self.reading.check, found)

    def same(self, one: Answer, other: Answer) -> bool:
        """Whether two answers are the same, or have the same variables."""
        if self._call(self.reading.same, one, other):
            return True
        if self.asks is None:
            return False
        values = self.variables(one)
        return bool(values) and values == self.variables(other)

    def indifferent(self, answer: Answer) -> bool:
        """Whether a reading that asks has no variables in an answer: `settle_ties` alone then decides between answers."""
        return self.asks is not None and not self.variables(answer)

    @property
    def most_options(self) -> int:
        """Relaxations that a question offers: the reading's number, at least 1 and at most 9."""
        return min(max(int(getattr(self.reading, "most_options", 4)), 1), 9)

    def settle_ties(self, answer: Answer) -> Answer:
        """The answer that the task's convention prefers, if it is equally good; else the given one."""
        settled: Answer = self._call(self.reading.settle_ties, answer)
        if settled is answer:
            return answer
        if not isinstance(settled, dict):
            raise _wrong(self.header, self.reading.settle_ties, settled, "a dict of plain JSON")
        if settled == answer or self.check(settled) != []:
            return answer
        if self.optimises is not None and self.cheaper(self.cost(answer), self.cost(settled)):
            return answer
        return settled

    def cost(self, answer: Answer) -> float:
        """The cost of an answer; 0 if the reading does not optimise."""
        if self.optimises is None:
            return 0.0
        cost = self._call(self.optimises.cost, answer)
        if isinstance(cost, bool) or not isinstance(cost, int | float | np.number) or not math.isfinite(cost):
            raise _wrong(self.header, self.optimises.cost, cost, "a finite number")
        return float(cost)

    def cheaper(self, cost: float, best: float) -> bool:
        """Whether a cost is better than another. No deadline ends this, so that an answer that is known is not lost."""
        return self.optimises is not None and bool(guarded(self.header, self.optimises.improves, cost, best))

    def with_cost_below(self, cost: float) -> Tensors | None:
        """The input tensors of the problem whose answers cost less, learned numbers included; None if there are provably none."""
        if self.optimises is None:
            return None
        tensors = self._call(self.optimises.with_cost_below, cost)
        if tensors is None:
            return None
        if not isinstance(tensors, Mapping):
            raise _wrong(self.header, self.optimises.with_cost_below, tensors, "a dict of tensors, or None")
        return {name: np.asarray(tensors.get(name, tensor)) for name, tensor in self.inputs.items()}

    def unique(self, answer: Answer) -> bool:
        """Whether an answer is proven to be the only one."""
        return self.asks is not None and bool(self._call(self.asks.unique, answer))

    def variables(self, answer: Answer) -> dict[str, Any]:
        """See `Asks.variables`; empty if the reading does not ask."""
        if self.asks is None:
            return {}
        found = self._call(self.asks.variables, answer)
        if not isinstance(found, Mapping):
            raise _wrong(self.header, self.asks.variables, found, "a dict from names to values")
        return dict(found)

    def choices(self, variable: str) -> list[Any]:
        """See `Asks.choices`."""
        return [] if self.asks is None else list(self._call(self.asks.choices, variable))

    def fix(self, variable: str, value: Any) -> Patch:
        """See `Asks.fix`."""
        assert self.asks is not None, "only a reading that asks has variables"
        return tuple(self._call(self.asks.fix, variable, value))

    def ask(self, variable: str) -> str:
        """See `Asks.ask`."""
        assert self.asks is not None, "only a reading that asks has variables"
        return str(self._call(self.asks.ask, variable))

    def called(self, variable: str, value: Any) -> str:
        """See `Asks.called`."""
        assert self.asks is not None, "only a reading that asks has variables"
        return str(self._call(self.asks.called, variable, value))

    def relaxations(self, attempt: Attempt | None, violations: Sequence[Violation]) -> list[Change]:
        """See `Asks.relaxations`."""
        return [] if self.asks is None else list(self._call(self.asks.relaxations, attempt, violations))

    def decided(self, since: Tensors) -> dict[str, int]:
        """See `Shows.decided`; earliest first."""
        if self.shows is None or not since:
            return {}
        return dict(sorted(self._call(self.shows.decided, since).items(), key=lambda item: item[1]))

    def summary(self) -> str:
        """See `Shows.summary`."""
        return self.header.title if self.shows is None else str(self._call(self.shows.summary))

    def notation(self, answer: Answer) -> str | None:
        """See `Shows.notation`."""
        return None if self.shows is None else self._call(self.shows.notation, answer)

    def draw(self, answer: Answer | None) -> str | None:
        """See `Shows.draw`."""
        return None if self.shows is None else self._call(self.shows.draw, answer)

    def svg(self, answer: Answer | None) -> str | None:
        """See `Shows.svg`."""
        return None if self.shows is None else self._call(self.shows.svg, answer)

    def unbound_svg(self, answer: Answer | None) -> str | None:
        """The picture of a solution, for whoever has it."""
        self.unbound()
        return self.svg(answer)

    def file(self, answer: Answer, kind: str) -> bytes:
        """See `Shows.file`."""
        shows = self.shows or _Mute()
        return bytes(self._call(shows.file, answer, kind))

    def _call(self, method: Callable[..., Any], *arguments: Any) -> Any:
        if self.clock is not None:
            return self.clock.call(guarded, self.header, method, *arguments)
        return guarded(self.header, method, *arguments)

    def _named(self, method: Callable[..., Any]) -> str:
        return f"The task {self.header.task!r} ({method.__qualname__})"

    def _violations(self, method: Callable[..., Any], found: Any) -> list[Violation]:
        if not isinstance(found, list | tuple) or not all(isinstance(one, Violation) for one in found):
            raise _wrong(self.header, method, found, "a list of groundstate.Violation, or None")
        return list(found)


class _Mute(Shows):
    pass


def guarded(header: Header, method: Callable[..., Any], *arguments: Any) -> Any:
    """Call a task's code. Its unexpected exceptions become a `TaskError`; exceptions of signal handlers propagate."""
    try:
        return method(*arguments)
    except GroundstateError:
        raise
    except Exception as error:
        if from_signal(error):
            raise
        called = getattr(method, "__qualname__", type(method).__name__)
        if method is find:
            called = "its class"
        raise TaskError(
            f"The task {header.task!r} ({called}) raised {type(error).__name__}: {str(error)[:300].rstrip('.')}."
        ) from error


_ABILITIES: dict[type[Any], tuple[bool, ...]] = {}


def _abilities(reading: Reading) -> tuple[bool, ...]:
    """Which abilities a reading has, cached by class, since `isinstance` takes microseconds."""
    kind = type(reading)
    if kind not in _ABILITIES:
        _ABILITIES[kind] = tuple(isinstance(reading, protocol) for protocol in OF_READINGS)
    return _ABILITIES[kind]


_EXAMINED: dict[tuple[type[Any], tuple[type[Any], ...]], str | None] = {}


def _lacks(kind: type[Any], protocols: tuple[type[Any], ...]) -> str | None:
    if (kind, protocols) not in _EXAMINED:
        _EXAMINED[kind, protocols] = incomplete(kind, protocols)
    return _EXAMINED[kind, protocols]


def _wrong(header: Header, method: Callable[..., Any], value: object, wanted: str) -> TaskError:
    return TaskError(
        f"The task {header.task!r} ({method.__qualname__}) returned {value!r:.80} of type {type(value).__name__}; "
        f"it must return {wanted}."
    )
