"""The only loop: many chains of many problems descend segment by segment until each problem is answered or its budget spent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from groundstate._header import Header
from groundstate._problem import Found, Problem, Segment
from groundstate._session import Session, Tensors

if TYPE_CHECKING:
    from concurrent.futures import Executor

ROWS = 512
"""Chains that the problems in flight may come to have; further problems wait."""

CACHED = 1 << 17
"""Entries of a step's largest tensor that still let its tensors stay in a second-level cache."""

MOST_ROWS = 256
"""Rows in one run, however small they are."""

LEAST_WORK = 65_536
"""Entries of a step's largest tensor, times steps, from which on a run is worth a thread of its own: a millisecond or so."""


def luby(n: int) -> int:
    """The n-th term, from 0, of Luby's sequence 1, 1, 2, 1, 1, 2, 4, 1, 1, 2, 1, 1, 2, 4, 8 and so on.

    Chains that get these multiples of some patience reach an answer nearly as soon as those that get the best patience
    there is for the problem, which nobody knows (M. Luby, A. Sinclair and D. Zuckerman, "Optimal speedup of Las Vegas
    algorithms", 1993).
    """
    n += 1
    while n & (n + 1):
        n -= (1 << (n.bit_length() - 1)) - 1
    return (n + 1) // 2


class _Rows:
    """The chains in flight: their state, and per row the problem it belongs to, its age, its steps, and what it has decided."""

    def __init__(self, header: Header) -> None:
        self._header = header
        self.state: Tensors = {n: np.empty((0, *s.shape), s.dtype) for n, s in header.state.items()}
        self.inputs: Tensors = {n: np.empty((0, *s.shape), s.dtype) for n, s in header.inputs.items()}
        self.owner: list[Problem] = []
        self.age = np.empty(0, np.int64)
        self.steps = np.empty(0, np.int64)
        self.chain = np.empty(0, np.int64)
        counted = {n: s for n, s in header.answers.items() if np.issubdtype(s.dtype, np.integer)}
        self._last: Tensors = {n: np.empty((0, *s.shape), s.dtype) for n, s in counted.items()}
        self.since: Tensors = {n: np.empty((0, *s.shape), np.int32) for n, s in counted.items()}

    def __len__(self) -> int:
        return len(self.owner)

    def start(self, problem: Problem, chains: int) -> None:
        fresh = {n: s.initial.draw(problem.random, (chains, *s.shape), s.dtype) for n, s in self._header.state.items()}
        self.state = {n: np.concatenate([y, fresh[n]]) for n, y in self.state.items()}
        tiled = {n: np.broadcast_to(problem.inputs[n], (chains, *x.shape[1:])) for n, x in self.inputs.items()}
        self.inputs = {n: np.concatenate([x, tiled[n]]) for n, x in self.inputs.items()}
        self.owner += [problem] * chains
        self.age = np.concatenate([self.age, np.zeros(chains, np.int64)])
        self.steps = np.concatenate([self.steps, np.zeros(chains, np.int64)])
        self.chain = np.concatenate([self.chain, problem.named + np.arange(chains)])
        for tensors, nothing in ((self._last, np.iinfo(np.int32).min), (self.since, 0)):
            for name, tensor in tensors.items():
                none = np.full((chains, *tensor.shape[1:]), nothing, tensor.dtype)
                tensors[name] = np.concatenate([tensor, none])
        problem.started += chains
        problem.named += chains

    def restart(self, row: int) -> None:
        problem = self.owner[row]
        for name, spec in self._header.state.items():
            self.state[name][row] = spec.initial.draw(problem.random, spec.shape, spec.dtype)
        for last in self._last.values():
            last[row] = np.iinfo(np.int32).min
        self.age[row] = 0
        self.chain[row] = problem.named
        problem.named += 1

    def follow(self, out: Tensors) -> None:
        """Note which entries of the answers a segment changed, and when, as finely as the graph tells it."""
        for name, last in self._last.items():
            path = out.get(f"path.{name}")
            # The path begins where the segment does: at a start, where nothing is decided, or at the end of the one before.
            columns = range(1, 0 if path is None else path.shape[1])
            points = [(k * self._header.trace_every, path[:, k]) for k in columns] if path is not None else []
            since = self.since[name]
            for steps, now in [*points, (self._header.steps, out[f"answer.{name}"])]:
                at = (self.steps + steps).astype(np.int32).reshape(-1, *[1] * (now.ndim - 1))
                np.copyto(since, at, where=now != last)
                np.copyto(last, now)

    def tell(self, problem: Problem) -> None:
        """Give all chains of a problem its inputs, which have changed; they go on from where they are."""
        mine = np.array([owner is problem for owner in self.owner])
        for name, tensors in self.inputs.items():
            tensors[mine] = problem.inputs[name]

    def keep(self, mask: NDArray[np.bool_]) -> None:
        if mask.all():
            return
        self.state = {n: y[mask] for n, y in self.state.items()}
        self.inputs = {n: x[mask] for n, x in self.inputs.items()}
        self._last = {n: y[mask] for n, y in self._last.items()}
        self.since = {n: y[mask] for n, y in self.since.items()}
        self.owner = [problem for problem, kept in zip(self.owner, mask, strict=True) if kept]
        self.age, self.steps, self.chain = self.age[mask], self.steps[mask], self.chain[mask]


@dataclass(frozen=True, slots=True)
class Pool:
    """Threads to spread runs over."""

    executor: Executor
    threads: int


def part_of(rows: int, header: Header, threads: int) -> int:
    """Rows in one run: as many as stay in a core's cache, and fewer where that gives every thread a share worth having."""
    share = -(-rows // threads)
    entries = header.largest
    return min(_cached_rows(entries), share if share * entries * header.steps >= LEAST_WORK else rows)


def _cached_rows(entries: int) -> int:
    """Rows, a power of two, whose largest tensor of so many entries a row stays in a core's cache."""
    return 1 << min(max(CACHED // entries, 1), MOST_ROWS).bit_length() - 1


def segment(
    session: Session,
    header: Header,
    inputs: Tensors,
    state: Tensors,
    noise: Tensors,
    rate: NDArray[np.float32],
    pool: Pool,
) -> Tensors:
    """Run one segment for every row, some rows at a time, over the threads of a pool. Returns all outputs."""
    rows = len(rate)
    chunk = header.batch or part_of(rows, header, pool.threads)
    feeds = {name: inputs[name] for name in header.inputs} | {"rate": rate}
    feeds |= {f"state.{name}": state[name] for name in header.state}
    feeds |= {f"noise.{name}": noise[name] for name in header.noise}
    # A loop that is told to make all steps of a segment makes what the same steps unrolled would.
    whole: Tensors = {}
    if header.form == "loop":
        whole = {"max_steps": np.array(header.steps, np.int64), "tolerance": np.array(0.0, np.float32)}

    def run(start: int) -> Tensors:
        part = {name: tensor[start : start + chunk] for name, tensor in feeds.items()}
        present = len(part["rate"])
        if header.batch is None or present == chunk:
            return session.run({**part, **whole})
        padded = {name: _padded(tensor, chunk) for name, tensor in part.items()}
        return {name: tensor[:present] for name, tensor in session.run({**padded, **whole}).items()}

    if rows <= chunk:
        return run(0)
    parts = list(pool.executor.map(run, range(0, rows, chunk)))
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _padded(tensor: NDArray[Any], rows: int) -> NDArray[Any]:
    """The tensor with its last row repeated: what a graph of a fixed batch gets where there are fewer chains."""
    return np.concatenate([tensor, np.repeat(tensor[-1:], rows - len(tensor), axis=0)])


def descend(
    session: Session,
    problems: Iterable[Problem],
    pool: Pool,
    watch: Callable[[Segment], None] | None = None,
    pulse: Callable[[], None] | None = None,
) -> Iterator[Problem]:
    """Solve problems; each is yielded when it is answered, out of budget or out of time, in no particular order.

    Args:
        watch: Called after every segment, for each problem in flight.
        pulse: Called before every segment; what it raises ends the descent.
    """
    waiting = iter(problems)
    flights: dict[tuple[tuple[int, ...], ...], _Flight] = {}
    exhausted = False
    while True:
        while not exhausted and sum(p.budget.restarts for flight in flights.values() for p in flight.active) < ROWS:
            problem = next(waiting, None)
            if problem is None:
                exhausted = True
                break
            if problem.size not in flights:
                flights[problem.size] = _Flight(session, problem.header, pool, watch)
            flights[problem.size].active.append(problem)
        if not flights:
            return
        for size, flight in list(flights.items()):
            if pulse is not None:
                pulse()
            yield from flight.advance()
            if not flight.active:
                del flights[size]


class _Flight:
    """Problems of one size in flight together: one batch."""

    def __init__(self, session: Session, header: Header, pool: Pool, watch: Callable[[Segment], None] | None) -> None:
        self._session, self._header, self._pool, self._watch = session, header, pool, watch
        self._rows = _Rows(header)
        self.active: list[Problem] = []

    def advance(self) -> list[Problem]:
        """Run one segment. Returns the problems that are answered, out of budget or out of time."""
        rows, active = self._rows, self.active
        _top_up(rows, active)
        order = (
            np.array([active.index(problem) for problem in rows.owner]) if len(active) > 1 else np.zeros(len(rows), int)
        )
        noise = _noise(self._header, rows)
        rate = np.ones(len(rows), np.float32)
        out = segment(self._session, self._header, rows.inputs, rows.state, noise, rate, self._pool)
        rows.follow(out)
        rows.age += self._header.steps
        rows.steps += self._header.steps
        ended = _read(self._header, rows, out, order, active, self._watch)
        finished = [
            p for p in active if p.answered or p.late or (p.started >= p.budget.restarts and _idle(p, rows, ended))
        ]
        rows.keep(~ended & ~np.isin(order, [active.index(p) for p in finished]))
        self.active = [p for p in active if p not in finished]
        return finished


def _top_up(rows: _Rows, active: list[Problem]) -> None:
    live: dict[int, int] = {}
    for owner in rows.owner:
        live[id(owner)] = live.get(id(owner), 0) + 1
    for problem in active:
        budget = problem.budget
        chains = min(problem.wanted - live.get(id(problem), 0), budget.restarts - problem.started)
        if chains > 0:
            rows.start(problem, chains)


def _noise(header: Header, rows: _Rows) -> Tensors:
    """Fresh noise for every row, each problem's from its own generator, so that company does not change a result."""
    noise: Tensors = {}
    for name, spec in header.noise.items():
        drawn = np.empty((len(rows), *spec.shape), np.float32)
        for row, problem in enumerate(rows.owner):
            problem.random.standard_normal(dtype=np.float32, out=drawn[row])
        noise[name] = drawn
    return noise


def _idle(problem: Problem, rows: _Rows, ended: NDArray[np.bool_]) -> bool:
    return all(gone or owner is not problem for owner, gone in zip(rows.owner, ended, strict=True))


def _read(
    header: Header,
    rows: _Rows,
    out: Tensors,
    order: NDArray[np.int64],
    active: list[Problem],
    watch: Callable[[Segment], None] | None,
) -> NDArray[np.bool_]:
    """Take what a segment brought: answers, best configurations, chains that end or start anew. Returns which rows end."""
    rows.state = {name: out[f"next.{name}"] for name in header.state}
    out.setdefault("violations", np.zeros((len(rows), 0), np.int64))
    energy = out["energy"]
    finite = np.isfinite(energy) & np.isfinite(out["residual"])
    ended = np.zeros(len(rows), bool)
    for row in np.flatnonzero(finite & (out["violations"].sum(1) == 0) & bool(header.rules)):
        ended[row] = _offered(header, rows, out, int(row))
    for place, problem in enumerate(active):
        mine = np.flatnonzero(order == place)
        problem.rounds += 1
        problem.steps = max(problem.steps, int(rows.steps[mine].max(initial=0)))
        usable = mine[finite[mine]]
        if len(usable) and not problem.found:
            lowest = int(usable[np.argmin(energy[usable])])
            if problem.best is None or energy[lowest] < problem.best.energy:
                problem.best = _found(header, rows, out, lowest)
        if watch is not None and len(mine):
            watch(_segment(header, rows, out, problem, mine))
    limit = np.array([problem.budget.max_steps for problem in rows.owner])
    ended |= rows.steps >= limit
    stuck = ~finite | (out["residual"] < header.defaults["settled"])
    patience, lengthens = header.defaults["patience"], header.defaults["lengthens"]
    for row in np.flatnonzero(rows.age >= patience):
        stuck[row] |= rows.age[row] >= patience * luby(int(rows.chain[row])) ** lengthens
    for row in np.flatnonzero(stuck & ~ended):
        rows.restart(int(row))
    return ended


def _offered(header: Header, rows: _Rows, out: Tensors, row: int) -> bool:
    """Offer a row to its problem. Returns whether its chain ends: its answer is right, and no better one is looked for."""
    problem = rows.owner[row]
    before = problem.inputs
    right = problem.offer(_found(header, rows, out, row))
    if problem.inputs is not before:
        rows.tell(problem)
    return right and not problem.improving


def _found(header: Header, rows: _Rows, out: Tensors, row: int) -> Found:
    answer = {name: out[f"answer.{name}"][row].copy() for name in header.answers}
    since = {name: tensor[row].copy() for name, tensor in rows.since.items()}
    return Found(answer, float(out["energy"][row]), out["violations"][row].copy(), int(rows.steps[row]), since)


def _segment(header: Header, rows: _Rows, out: Tensors, problem: Problem, mine: NDArray[np.intp]) -> Segment:
    return Segment(
        index=problem.index,
        steps=problem.steps,
        chains=len(mine),
        chain=rows.chain[mine],
        energy=out["energy"][mine],
        violations=out["violations"][mine],
        trace=out["trace"][mine],
        answer={name: out[f"answer.{name}"][mine] for name in header.answers},
        path={name: out[f"path.{name}"][mine] for name in header.answers if f"path.{name}" in out},
    )
