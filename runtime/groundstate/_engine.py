"""The engine of a solver: all callers' problems share runs, fairly, and a call ends when its caller or its deadline says so.

A run is a segment for some rows of several problems. Whenever a thread of the pool is free, it takes the problems that have been
served least so far, as many rows as make a run efficient, and computes their next segment. So a problem joins at the next run, a
finished one leaves at once, and a problem with many chains does not delay those with few (start-time fair queueing; P. Goyal,
H. M. Vin and H. Cheng, 1996). The rows of a problem are its own: company changes when they run, not what comes out.

Long because one lock guards the queues, the runs and their threads, and what it guards stands in one place.
"""

from __future__ import annotations

import atexit
import heapq
import os
import threading
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from groundstate._admission import MOST_WAITING, Admission
from groundstate._errors import ClosedError
from groundstate._flight import Flight
from groundstate._group import MOST_EVENTS, Call, Ended, Group
from groundstate._pool import Pool
from groundstate._segment import BLOCK, Slice, joins, run_slices
from groundstate._session import StoppedRunError, Tensors, run_options
from groundstate._watchdog import WATCHDOG, Alarm

if TYPE_CHECKING:
    import onnxruntime

GRACE = 0.003
"""Seconds that a run which is shared with others may take beyond a problem's deadline before it is ended and made anew."""


@dataclass(slots=True, eq=False)
class _Seat:
    """A flight in the engine.

    Attributes:
        served: Work done for it so far, in elements of a step's largest tensor, or what the others had when it came.
        pieces: Rows of its work that are to be run.
        missing: Rows of its work whose outputs are missing.
        parts: Outputs of its work by their first row.
        runs: The runs that compute its rows now.
        queued: Whether it is in the queue.
        busy: Whether a thread is at its bookkeeping.
        late: Whether its deadline has passed.
        gone: Whether it has left the engine.
        apart: Whether it must not share a run, since a run that it shared has failed.
        alarm: Ends it at its deadline.
    """

    flight: Flight
    group: Group
    served: float = 0.0
    pieces: deque[tuple[int, int]] = field(default_factory=deque)
    missing: int = 0
    parts: dict[int, Tensors] = field(default_factory=dict)
    runs: set[_Run] = field(default_factory=set)
    queued: bool = False
    busy: bool = False
    late: bool = False
    gone: bool = False
    apart: bool = False
    alarm: Alarm | None = None


@dataclass(slots=True, eq=False)
class _Run:
    """A run: slices of the works of some seats."""

    seats: list[_Seat]
    slices: list[Slice]
    options: onnxruntime.RunOptions


_Key = tuple[int, int]


class Engine:
    """Runs the descents of all callers of a solver. Safe to share between threads.

    Args:
        pool: Threads that compute.
        most_waiting: Maximum number of calls that wait to be taken up.

    Attributes:
        front: The thread that advances the calls of coroutines: it reads requests and makes solutions.
        calls: The calls in progress, and those that wait.
    """

    def __init__(self, pool: Pool, most_waiting: int = MOST_WAITING) -> None:
        self.pool, self.front = pool, Pool(1, "groundstate_calls")
        self.calls = Admission(most_waiting)
        self._reset()
        _ENGINES.add(self)

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._seats: dict[Group, dict[Flight, _Seat]] = {}
        self._queues: dict[_Key, list[tuple[float, int, _Seat]]] = {}
        self._rows: dict[_Key, int] = {}
        self._order = count()
        self._clock = 0.0
        self._turns = 0
        self._running: set[_Run] = set()

    # Groups

    def join(self, group: Group, flights: Iterable[Flight]) -> None:
        """Take problems of a group into the engine."""
        seats = [_Seat(flight, group) for flight in flights]
        for seat in seats:
            if seat.flight.work is None:
                seat.flight.begin_round()
        with self._lock:
            known = self._seats.setdefault(group, {})
            for seat in seats:
                known[seat.flight] = seat
                if (due := seat.flight.problem.due) is not None:
                    seat.alarm = WATCHDOG.at(due, _Expiry(self, seat))
                self._push(seat)
            self._start_turns()

    def go_on(self, group: Group, flights: Iterable[Flight]) -> None:
        """Let problems continue that waited for their caller."""
        with self._lock:
            known = self._seats.get(group, {})
            for flight in flights:
                if (seat := known.get(flight)) is not None:
                    self._push(seat)
            self._start_turns()

    def leave_groups(self, call: Call) -> None:
        """Give up all problems of a call."""
        with self._lock:
            groups = [group for group in self._seats if group.call is call]
        for group in groups:
            self.leave(group)

    def leave(self, group: Group) -> None:
        """Give up all problems of a group. A run for them alone is ended; neighbours in a shared run lose nothing."""
        group.over = True
        with self._lock:
            for seat in self._seats.pop(group, {}).values():
                self._drop(seat)
                self._end_runs(seat)

    def _drop(self, seat: _Seat) -> None:
        seat.gone = True
        if seat.alarm is not None:
            seat.alarm.cancel()
        if seat.queued:
            self._unqueue(seat)

    def _unqueue(self, seat: _Seat) -> None:
        seat.queued = False
        self._rows[_key(seat)] -= sum(stop - start for start, stop in seat.pieces)
        seat.pieces.clear()

    def expire(self, seat: _Seat) -> None:
        """A problem's deadline has passed."""
        with self._lock:
            if seat.gone:
                return
            seat.late = True
            if seat.queued:
                self._unqueue(seat)
            if seat.runs:
                self._end_runs(seat)
            elif not seat.busy:  # else the thread at its bookkeeping ends it
                self._finish(seat)

    def _end_runs(self, seat: _Seat) -> None:
        for run in seat.runs:
            if all(one.gone or one.late for one in run.seats):
                run.options.terminate = True
            else:
                WATCHDOG.at(time.monotonic() + GRACE, _Ending(run))

    def _finish(self, seat: _Seat) -> None:
        """Hand a problem that has ended to its caller."""
        self._drop(seat)
        known = self._seats.get(seat.group)
        if known is not None:
            known.pop(seat.flight, None)
        if seat.group.ordered:
            seat.group.arrived.append(seat.flight)
            self._arrive(seat.group)
        else:
            seat.group.events.append(Ended(seat.flight))
            seat.group.call.notify()

    def _arrive(self, group: Group) -> None:
        """In a group that keeps together: go on when all problems have ended their round."""
        seats = list(self._seats.get(group, {}).values())
        if any(seat.missing or seat.busy for seat in seats):
            return
        ended = sorted(group.arrived, key=lambda flight: flight.problem.index)
        group.arrived.clear()
        group.events.extend(Ended(flight) for flight in ended)
        if ended or group.open:
            group.held += [seat.flight for seat in seats]
            group.complete = True
            group.call.notify()
        else:
            for seat in seats:
                self._push(seat)

    # Runs

    def _push(self, seat: _Seat) -> None:
        work = seat.flight.work
        assert work is not None, "only a flight with work is queued"
        if not seat.missing:
            seat.missing = work.padded
            seat.pieces.extend([(0, work.padded)] if joins(work.header) else work.bounds)
        self._queue(seat)

    def _queue(self, seat: _Seat) -> None:
        key = _key(seat)
        seat.queued = True
        seat.served = max(seat.served, self._clock)
        heapq.heappush(self._queues.setdefault(key, []), (seat.served, next(self._order), seat))
        self._rows[key] = self._rows.get(key, 0) + sum(stop - start for start, stop in seat.pieces)

    def _start_turns(self) -> None:
        runs = len(self._running) + sum(-(-rows // BLOCK) for rows in self._rows.values())
        while self._turns < min(self.pool.threads, runs):
            self._turns += 1
            self.pool.start(self._turn)

    def _turn(self) -> None:
        """Compute runs until none is left, in a thread of the pool."""
        while True:
            with self._lock:
                run = self._pick()
                if run is None:
                    self._turns -= 1
                    return
                self._running.add(run)
            outs: list[Tensors] | None = None
            error: BaseException | None = None
            try:
                outs = run_slices(run.slices, run.options)
            except StoppedRunError:
                pass
            except BaseException as raised:  # noqa: BLE001 - it rises in the thread of the call
                error = raised
            self._settle(run, outs, error)

    def _pick(self) -> _Run | None:
        """The next run: rows of the problems that have been served least."""
        key = self._least_served()
        if key is None:
            return None
        queue = self._queues[key]
        self._clock, _, first = queue[0]
        spans: dict[_Seat, list[int]] = {}
        room = self._room(first, key)
        while queue and room:
            seat = queue[0][2]
            if not seat.queued:
                heapq.heappop(queue)
                continue
            start, stop = seat.pieces[0]
            if spans and (seat.apart or first.apart or spans.get(seat, [0, start])[1] != start):
                break
            stop = min(stop, start + room)
            room -= stop - start
            spans.setdefault(seat, [start, stop])[1] = stop
            self._serve(seat, key, stop)
            if not joins(_work(seat).header):
                break
        run = _Run(list(spans), [Slice(_work(seat), *span) for seat, span in spans.items()], run_options())
        for seat in run.seats:
            seat.runs.add(run)
        return run

    def _least_served(self) -> _Key | None:
        """The queue whose first problem has been served least; None if nothing is queued."""
        for key, queue in list(self._queues.items()):
            while queue and not queue[0][2].queued:
                heapq.heappop(queue)
            if not queue:
                del self._queues[key]
                self._rows.pop(key, None)
        return min(self._queues, key=lambda key: self._queues[key][0][:2], default=None)

    def _serve(self, seat: _Seat, key: _Key, stop: int) -> None:
        """Take rows up to `stop` from the first problem of a queue."""
        queue, (start, end) = self._queues[key], seat.pieces[0]
        self._rows[key] -= stop - start
        if stop < end:
            seat.pieces[0] = (stop, end)
        else:
            seat.pieces.popleft()
        seat.served += (stop - start) * max(_work(seat).header.largest, 1)
        if seat.pieces:
            heapq.heapreplace(queue, (seat.served, next(self._order), seat))
        else:
            heapq.heappop(queue)
            seat.queued = False

    def _room(self, first: _Seat, key: _Key) -> int:
        """Rows of the next run: as many as are efficient, or fewer if another thread is free to take the rest."""
        header = _work(first).header
        if not joins(header):
            start, stop = first.pieces[0]
            return stop - start
        most: int = _work(first).at_once
        if header.batch is not None or _work(first).session.resident is not None:
            return most
        free = max(self.pool.threads - len(self._running), 1)
        share = -(-self._rows[key] // free)
        return min(most, -(-share // BLOCK) * BLOCK)

    def _settle(self, run: _Run, outs: list[Tensors] | None, error: BaseException | None) -> None:
        """Hand the outputs of a run to its problems, one after another."""
        complete: list[tuple[_Seat, list[Tensors]]] = []
        with self._lock:
            self._running.discard(run)
            for place, seat in enumerate(run.seats):
                seat.runs.discard(run)
                _, start, stop = run.slices[place]
                if seat.gone:
                    continue
                if outs is not None:
                    seat.parts[start] = outs[place]
                    seat.missing -= stop - start
                if not seat.missing:
                    complete.append((seat, [seat.parts[key] for key in sorted(seat.parts)]))
                    seat.busy, seat.parts = True, {}
                elif seat.late:
                    if not seat.runs:
                        self._finish(seat)
                elif error is not None and len(run.seats) == 1:
                    self._fail(seat.group, error)
                elif outs is None:
                    # The run was ended for another problem's sake, or another problem may be at fault.
                    seat.apart = error is not None
                    self._put_back(seat, start, stop)
            self._start_turns()
        for seat, parts in complete:
            self._advance(seat, parts)

    def _put_back(self, seat: _Seat, start: int, stop: int) -> None:
        """Queue rows again."""
        if seat.queued:
            self._rows[_key(seat)] -= sum(end - begin for begin, end in seat.pieces)
        seat.pieces.appendleft((start, stop))
        self._queue(seat)

    def _advance(self, seat: _Seat, parts: list[Tensors]) -> None:
        """A problem's bookkeeping after a work, and its next work."""
        flight, group = seat.flight, seat.group
        try:
            flight.take(_work(seat).result(parts))
            if (ended := flight.work is None) and not group.over:
                group.take_note(flight)
            if ended and not flight.over:
                flight.begin_round()
        except BaseException as error:  # noqa: BLE001 - it rises in the thread of the call
            with self._lock:
                self._fail(group, error)
            return
        with self._lock:
            if seat.gone:
                return
            seat.busy = seat.apart = False
            if ended:
                self.calls.end_round(group.call)
            if flight.over or seat.late:
                self._finish(seat)
            elif ended and group.ordered:
                self._arrive(group)
            elif ended and len(group.events) > MOST_EVENTS:
                group.held.append(flight)
            else:
                self._push(seat)
            if ended and (group.watched or group.events):
                group.call.notify()
            self._start_turns()

    def _fail(self, group: Group, error: BaseException) -> None:
        for seat in self._seats.pop(group, {}).values():
            self._drop(seat)
            self._end_runs(seat)
        group.events.append(error)
        group.call.notify()

    # Life

    def close(self) -> None:
        """End all calls in progress with an error, and the threads."""
        self.stop()
        self.front.close()
        self.pool.close()

    def stop(self) -> None:
        """End all runs and all calls in progress."""
        with self._lock:
            for run in self._running:
                run.options.terminate = True
            for group in list(self._seats):
                self._fail(group, ClosedError())

    @property
    def working(self) -> bool:
        """Whether a run is being computed."""
        return bool(self._running)

    def forget(self) -> None:
        """In a forked child: drop the calls of the parent's threads."""
        self.calls.forget()
        self._reset()


class _Expiry:
    """Ends a problem at its deadline."""

    __slots__ = ("_engine", "_seat")

    def __init__(self, engine: Engine, seat: _Seat) -> None:
        self._engine, self._seat = engine, seat

    def __call__(self) -> None:
        self._engine.expire(self._seat)


class _Ending:
    """Ends a run."""

    __slots__ = ("_run",)

    def __init__(self, run: _Run) -> None:
        self._run = run

    def __call__(self) -> None:
        self._run.options.terminate = True


def _work(seat: _Seat) -> Any:
    return seat.flight.work


def _key(seat: _Seat) -> _Key:
    work = _work(seat)
    return id(work.session), id(work.header)


_ENGINES: WeakSet[Engine] = WeakSet()


def _after_fork() -> None:
    for engine in list(_ENGINES):
        engine.forget()


def _at_exit() -> None:
    for engine in list(_ENGINES):
        engine.stop()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
# After the pools' own handler was registered, so that this one is called before it.
atexit.register(_at_exit)
