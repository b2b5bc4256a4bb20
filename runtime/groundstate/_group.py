"""A call of a solver, and its problems: they descend alone in the caller's thread, or in the engine with those of other calls.

Long because the two ways of a descent, alone and in company, stand side by side and must agree.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from groundstate._flight import Flight
from groundstate._pool import Pool
from groundstate._problem import BUSY, Problem, Segment
from groundstate._segment import Slice, Work, divided, run_slices
from groundstate._session import Session, StoppedRunError, Tensors, run_options
from groundstate._watchdog import WATCHDOG

if TYPE_CHECKING:
    import onnxruntime

    from groundstate._engine import Engine

_Result = TypeVar("_Result")

ROWS = 128
"""A further problem of a call joins while fewer of its chains than this are in flight."""

ROWS_IN_HASTE = 32
"""The same for problems with a deadline: a segment of few chains ends sooner."""

LEAST_ROWS = 16
"""Lower bound on the same number, for very large graphs."""

MOST_EVENTS = 256
"""A watched problem waits while its caller has not yet seen this many segments."""


class Call:
    """A call of a solver, from its start to its end. One thread at a time advances it.

    Args:
        streams: Whether its caller wants news before its end.

    Attributes:
        due: When its deadline passes (`time.monotonic`), or None.
        admitted: Whether it is taken up.
    """

    def __init__(self, engine: Engine, due: float | None, *, streams: bool = False) -> None:
        self.engine, self.due = engine, due
        self._streams = streams
        self.admitted = False
        self.aged = False
        self.rounds = 0
        self._changed = threading.Event()

    @property
    def crowded(self) -> bool:
        """Whether the descent takes place in the engine: while other calls are in progress, and where news is awaited."""
        return self._streams or self.engine.calls.active > 1

    def clear(self) -> None:
        """Forget earlier notifications, before looking at what has happened."""
        self._changed.clear()

    def notify(self) -> None:
        """Have the call look at what has happened. For any thread."""
        self._changed.set()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait for a notification. Returns False if the time is over."""
        return self._changed.wait(seconds)

    def run(self, work: Callable[[Call], Coroutine[None, None, _Result]]) -> _Result:
        """Advance the call to its end in the calling thread.

        Args:
            work: Makes the coroutine of the call, which waits for the engine alone.

        Raises:
            BusyError: If too many calls are waiting.
        """
        self.engine.calls.enter(self, nested=_depth() > 0)
        coroutine = work(self)
        _HERE.depth = _depth() + 1
        try:
            while True:
                try:
                    coroutine.send(None)
                except StopIteration as end:
                    result: _Result = end.value
                    return result
                self.wait()
        finally:
            _HERE.depth -= 1
            abandon(coroutine)
            self.engine.calls.leave(self)

    def stream(self, work: Callable[[Call], Coroutine[None, None, None]], found: deque[_Result]) -> Iterator[_Result]:
        """Advance the call in the calling thread, and yield what its coroutine appends to a deque as soon as it is there.

        Raises:
            BusyError: If too many calls are waiting.
        """
        self.engine.calls.enter(self, nested=_depth() > 0)
        coroutine, going = work(self), True
        try:
            while going:
                try:
                    inside(coroutine.send, None)
                except StopIteration:
                    going = False
                while found:
                    yield found.popleft()
                if going:
                    self.wait()
        finally:
            abandon(coroutine)
            self.engine.calls.leave(self)


_HERE = threading.local()


def _depth() -> int:
    """Calls that this thread is advancing: a call within a call must not wait for the outer one's place."""
    depth: int = getattr(_HERE, "depth", 0)
    return depth


def inside(send: Callable[[None], Any], value: None) -> Any:
    """Advance a call, and mark this thread as busy with one."""
    _HERE.depth = _depth() + 1
    try:
        return send(value)
    finally:
        _HERE.depth -= 1


class _AbandonedError(BaseException):
    """Ends a coroutine that nobody waits for any longer."""


def abandon(coroutine: Coroutine[None, None, Any]) -> None:
    """End a coroutine, unless it has ended.

    ``close`` would not do: up to Python 3.12 it does not reach into an asynchronous generator that the coroutine iterates over.
    """
    if getattr(coroutine, "cr_frame", None) is None:
        return
    with suppress(_AbandonedError, StopIteration):
        coroutine.throw(_AbandonedError())


@dataclass(frozen=True, slots=True)
class Ended:
    """A problem has ended. If its flight is not over, it was interrupted, and what it has is still to be offered."""

    flight: Flight


@dataclass(frozen=True, slots=True)
class Beat:
    """A problem's round has ended."""


@dataclass(frozen=True, slots=True)
class Improved:
    """A problem has a better answer, or a further one. The problem is a copy that does not change."""

    problem: Problem


Event = Ended | Beat | Improved | Segment | BaseException


class Group:
    """Problems that one call solves together. Its methods are for the thread that advances the call.

    Args:
        call: The call.
        sessions: One for each stage, in order.
        problems: The problems, taken when there is room for more.
        watch: Called after every segment, for each problem in flight and each stage in which it has chains.
        heartbeat: Called before every segment, or at least once for each round in the engine; an exception that it raises ends
            the descent.
        improved: Called when a problem has a better answer, or a further one.
        explain: Whether to record the order in which answers were decided.
        ordered: Whether problems must end in an order that does not depend on other calls: all of them then make their rounds
            together.

    Attributes:
        flights: The problems in flight, in order of admission.
        events: What has happened in the engine and is not yet dealt with.
        held: Problems that wait for the caller.
        arrived: Problems of an ordered group that ended in this round.
        complete: Whether all problems of an ordered group have ended their round.
        over: Whether the group has left the engine.
    """

    def __init__(
        self,
        call: Call,
        sessions: list[Session],
        problems: Iterator[Problem],
        *,
        watch: Callable[[Segment], None] | None = None,
        heartbeat: Callable[[], None] | None = None,
        improved: Callable[[Problem], None] | None = None,
        explain: bool = True,
        ordered: bool = False,
    ) -> None:
        self.call, self._sessions, self._problems = call, sessions, problems
        self._watch, self._heartbeat, self._improved = watch, heartbeat, improved
        self._explain, self.ordered = explain, ordered
        self.flights: list[Flight] = []
        self.events: deque[Event] = deque()
        self.held: list[Flight] = []
        self.arrived: list[Flight] = []
        self.complete = False
        self.over = False
        self._exhausted = self._in_engine = False
        self._ended: deque[Problem] = deque()
        self._seen: dict[Flight, tuple[float, int]] = {}
        self._alone = _Alone(call.engine.pool)

    @coroutine
    def next(self) -> Generator[None, None, Problem | None]:
        """The next problem that has ended; None when all have. It yields while it waits for the engine."""
        while not self._ended:
            if not self._in_engine:
                self._admit()
                if self.flights and self.call.crowded:
                    self._in_engine = True
                    self.call.engine.join(self, self.flights)
                elif self.flights:
                    self._beat()
                    self._alone.round(self.flights)
                    self._conclude()
            else:
                self.call.clear()
                while self.events:
                    self._deal(self.events.popleft())
                if not self._ended:
                    self._go_on()
                    if self.flights and not self.events:
                        yield
            if not self.flights and not self._ended:
                return None
        return self._ended.popleft()

    def _conclude(self) -> None:
        """After a round in the calling thread: take note of what it brought."""
        for flight in self.flights:
            self._note(flight)
        self._end([flight for flight in self.flights if flight.over])

    def _go_on(self) -> None:
        """In the engine, with all events dealt with: take further problems, and let those go on that waited."""
        if self.complete or not self.ordered:
            self.complete = False
            self._admit()
        held, self.held = self.held, []
        if held:
            self.call.engine.go_on(self, held)

    def leave(self) -> None:
        """Give up the problems in flight."""
        if self._in_engine:
            self.call.engine.leave(self)
        self.over = True

    @property
    def open(self) -> bool:
        """Whether further problems may follow."""
        return not self._exhausted

    @property
    def watched(self) -> bool:
        """Whether its caller wants to hear of every round."""
        return self._heartbeat is not None or self._watch is not None

    def take_note(self, flight: Flight) -> None:
        """In the engine: after a flight's round, leave word of what its caller wants to know."""
        if self._heartbeat is not None:
            self.events.append(Beat())
        if self._improved is not None and (found := self._better(flight)) is not None:
            self.events.append(Improved(found))

    def _admit(self) -> None:
        """Take further problems while there is room."""
        added = []
        while not self._exhausted and load(self.flights) < 1:
            problem = next(self._problems, None)
            if problem is None:
                self._exhausted = True
                break
            watch = None if self._watch is None else self._watched
            flight = Flight(self._sessions, problem, watch, explain=self._explain)
            self.flights.append(flight)
            added.append(flight)
        if added and self._in_engine:
            self.call.engine.join(self, added)

    def _watched(self, segment: Segment) -> None:
        if self._in_engine:
            self.events.append(segment)
        elif self._watch is not None:
            self._watch(segment)

    def _deal(self, event: Event) -> None:
        if isinstance(event, Segment):
            if self._watch is not None:
                self._watch(event)
        elif isinstance(event, Ended):
            if not event.flight.over:
                event.flight.interrupt()
            self._end([event.flight])
        elif isinstance(event, Improved):
            if self._improved is not None:
                self._improved(event.problem)
        elif isinstance(event, BaseException):
            raise event
        else:
            self._beat()

    def _beat(self) -> None:
        if self._heartbeat is not None:
            self._heartbeat()

    def _note(self, flight: Flight) -> None:
        if self._improved is not None and (found := self._better(flight)) is not None:
            self._improved(found)

    def _better(self, flight: Flight) -> Problem | None:
        """A copy of a flight's problem if its answers have become better or more."""
        problem = flight.problem
        state = (problem.cost, len(problem.found))
        if not problem.found or self._seen.get(flight) == state:
            return None
        self._seen[flight] = state
        return problem.copied()

    def _end(self, flights: list[Flight]) -> None:
        for flight in flights:
            self.flights.remove(flight)
            self._seen.pop(flight, None)
            self._ended.append(flight.problem)


def load(flights: list[Flight]) -> float:
    """Chains that problems want in flight, as a fraction of the maximum for one call."""
    found = 0.0
    hasty = any(flight.problem.budget.deadline is not None for flight in flights)
    for flight in flights:
        room = max(BUSY // max(flight.problem.header.largest, 1), LEAST_ROWS)
        found += flight.problem.wanted / min(room, ROWS_IN_HASTE if hasty else ROWS)
    return found


class _Alone:
    """Runs rounds in the calling thread, with the help of a pool."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._lock = threading.Lock()
        self._current: list[onnxruntime.RunOptions] = []
        self._due = False

    def round(self, flights: list[Flight]) -> None:
        """One round of each flight. A round that the deadline interrupts ends its problem; others go on with theirs later."""
        for flight in flights:
            if flight.work is None:  # else it comes back from a round that was interrupted for another's sake
                flight.begin_round()
        ends = [flight.problem.due for flight in flights if flight.problem.due is not None]
        self._due = bool(ends) and time.monotonic() >= min(ends)
        alarm = WATCHDOG.at(min(ends), self._end) if ends and not self._due else None
        try:
            while not self._due and (works := {f.work: f for f in flights if f.work is not None}):
                if len(works) == 1 and self._single(*next(iter(works.items()))):
                    continue
                runs = divided(list(works))
                if len(runs) > 1:
                    outs = self._pool.map(self._stoppable if ends else run_slices, runs)
                else:
                    outs = [self._stoppable(runs[0]) if ends else run_slices(runs[0])]
                for work, parts in gathered(works, runs, outs).items():
                    works[work].take(work.result(parts))
        finally:
            if alarm is not None:
                alarm.cancel()
        for flight in flights:
            if flight.work is not None and flight.problem.late:
                flight.interrupt()

    def _single(self, work: Work, flight: Flight) -> bool:
        """Run a work that is a single run, and whose end nobody waits for. Returns False if it is not."""
        bounds = work.bounds
        if len(bounds) > 1 or flight.problem.budget.deadline is not None:
            return False
        flight.take(work.result(run_slices([Slice(work, *bounds[0])])))
        return True

    def _end(self) -> None:
        with self._lock:
            self._due = True
            for options in self._current:
                options.terminate = True

    def _stoppable(self, slices: list[Slice]) -> list[Tensors] | None:
        options = run_options()
        with self._lock:
            if self._due:
                return None
            self._current.append(options)
        try:
            return run_slices(slices, options)
        except StoppedRunError:
            return None
        finally:
            with self._lock:
                self._current.remove(options)


def gathered(
    works: Iterable[Work], runs: list[list[Slice]], outs: Sequence[list[Tensors] | None]
) -> dict[Work, list[Tensors]]:
    """The outputs of each work's slices in order. A work of which a run was ended is left out."""
    found: dict[Work, list[Tensors]] = {work: [] for work in works}
    for slices, out in zip(runs, outs, strict=True):
        for place, slice_ in enumerate(slices):
            if out is None:
                found.pop(slice_.work, None)
            elif slice_.work in found:
                found[slice_.work].append(out[place])
    return found
