"""The chains of one problem in one stage of the descent: one row of the tensors each, and its bookkeeping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from groundstate._beginnings import Streams, continued, first_states, remember, remembered
from groundstate._header import Header, NoiseSpec, slots_of
from groundstate._problem import Candidate, Problem
from groundstate._session import Tensors

_REMEMBERED = 256
"""Number of cached tables of noise."""

_NEVER = np.iinfo(np.int64).min


@dataclass(slots=True, eq=False)
class Chain:
    """The data of a chain that is not in arrays.

    Attributes:
        made: Its random generators if they are made.
        streams: What they are made from when they are needed.
        polishing: Remaining segments before `candidate` is offered.
        candidate: Its lowest-energy acceptable configuration while it is polished; else None.
    """

    made: list[np.random.Generator] | None
    streams: Streams | None = None
    polishing: int = 0
    candidate: Candidate | None = None

    @property
    def generators(self) -> list[np.random.Generator]:
        """Random generators: the first for its start and its noise, one more for each further noise tensor."""
        if self.made is None:
            assert self.streams is not None, "a chain has generators, or their states"
            self.made = continued(self.streams)
        return self.made


class Rows:
    """The chains of a problem in one stage.

    Args:
        header: The stage's header, at the problem's sizes.
        problem: The problem.
        tracks: Whether to record when elements of the answers last changed.

    Attributes:
        chains: One `Chain` for each row.
        state: State tensors, one row for each chain.
        number: The number of each chain within its problem.
        stage_age: Updates of each chain in this stage since its start.
        steps: Updates of each chain in all stages, restarts included.
        since: For each element of the answer's integer tensors, the update since which the chain has kept its value.
    """

    def __init__(self, header: Header, problem: Problem, *, tracks: bool) -> None:
        self.header, self.problem = header, problem
        self.chains: list[Chain] = []
        self.state: Tensors = {}
        self.number = self.stage_age = self.steps = np.empty(0, np.int64)
        counted = header.tracked if tracks else {}
        self._last: Tensors = {n: np.empty((0, *s.shape), np.int64) for n, s in counted.items()}
        self.since: Tensors = {n: np.empty((0, *s.shape), np.int32) for n, s in counted.items()}
        self._due = {n: due_slots(header.steps, s) for n, s in header.noise.items()}
        self._given: tuple[Tensors, int, Tensors] | None = None
        self._begun: Tensors = {}  # the noise for the first rows, where it is drawn already

    def __len__(self) -> int:
        return len(self.chains)

    @property
    def inputs(self) -> Tensors:
        """The problem's inputs, one row for each chain."""
        given, rows = self.problem.inputs, len(self.chains)
        if self._given is None or self._given[0] is not given or self._given[1] != rows:
            repeated = {name: np.repeat(given[name][None], rows, axis=0) for name in self.header.inputs}
            self._given = given, rows, repeated
        return self._given[2]

    def start(self, count: int) -> None:
        """Start chains."""
        first = self.problem.named
        chains, state = self._fresh(count) if self.chains else self._first(count)
        self._add(chains, state, np.arange(first, first + count), np.zeros(count, np.int64))
        self.problem.started += count

    def restart(self, row: int) -> None:
        """Restart the chain in a row."""
        self.number[row] = self.problem.named
        (self.chains[row],), state = self._fresh(1)
        for name, tensor in state.items():
            self.state[name][row] = tensor[0]
        for last in self._last.values():
            last[row] = _NEVER
        self.stage_age[row] = 0

    def take_over(self, others: Rows, rows: list[int], answers: Tensors) -> None:
        """Continue chains of the previous stage from its answers. Other state starts as the header specifies.

        Args:
            others: The chains of the previous stage.
            rows: The rows of the chains that continue.
            answers: The previous stage's outputs, for all of its rows.
        """
        chains = [others.chains[row] for row in rows]
        state: Tensors = {}
        for name, spec in self.header.state.items():
            if spec.initial.kind == "answer":
                state[name] = answers[f"answer.{spec.initial.answer}"][rows].astype(spec.dtype)
            else:
                state[name] = np.stack(
                    [spec.initial.draw(chain.generators[0], spec.shape, spec.dtype) for chain in chains]
                )
        self._add(chains, state, others.number[rows], others.steps[rows])

    def start_over(self, others: Rows, rows: list[int]) -> None:
        """Restart the chains in rows of a later stage."""
        for row in rows:
            number = np.array([self.problem.named])
            self._add(*self._fresh(1), number, others.steps[row : row + 1].copy())

    def noise(self) -> Tensors:
        """Draw the noise for a segment, each chain's from its own generator; zeros where no noise is due."""
        begun, self._begun = self._begun, {}
        return self._drawn(self.chains, self.stage_age, begun)

    def _drawn(self, chains: list[Chain], ages: NDArray[np.int64], begun: Tensors) -> Tensors:
        """The noise for chains.

        Args:
            ages: Updates of each chain in this stage.
            begun: The noise for the first of them, if it is drawn already.
        """
        noise: Tensors = {}
        for stream, (name, spec) in enumerate(self.header.noise.items()):
            drawn_already = begun.get(name)
            skipped = 0 if drawn_already is None else len(drawn_already)
            if drawn_already is not None and skipped == len(chains):
                noise[name] = drawn_already
                continue
            due = self._due[name](ages)
            drawn = np.zeros((len(chains), *spec.shape), np.float32)
            for row in range(skipped, len(chains)):
                if due is None:
                    chains[row].generators[stream].standard_normal(dtype=np.float32, out=drawn[row])
                elif slots := np.flatnonzero(due[row]).tolist():
                    generator = chains[row].generators[stream]
                    for slot in slots:
                        generator.standard_normal(dtype=np.float32, out=drawn[row, slot, ...])
            if drawn_already is not None:
                drawn[:skipped] = drawn_already
            noise[name] = drawn.astype(spec.dtype, copy=False)
        return noise

    def advance(self, out: Tensors) -> None:
        """Take over a segment's output state, and record when elements of the answers changed."""
        self.state = {name: out[f"next.{name}"] for name in self.header.state}
        for name, last in self._last.items():
            path = out.get(f"path.{name}")
            # The path begins at the segment's first state: a new start, with nothing decided, or the end of the previous segment.
            columns = range(1, 0 if path is None else path.shape[1])
            points = [(k * self.header.trace_every, path[:, k]) for k in columns] if path is not None else []
            since, before = self.since[name], last
            for steps, now in [*points, (self.header.steps, out[f"answer.{name}"])]:
                at = (self.steps + steps).astype(np.int32).reshape(-1, *[1] * (now.ndim - 1))
                np.copyto(since, at, where=now != before)
                before = now
            self._last[name] = before.astype(np.int64)  # a copy: a restart changes it
        self.stage_age += self.header.steps
        self.steps += self.header.steps

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Drop all other rows."""
        if mask.all():
            return
        if not mask.any():
            self._clear()
            return
        self.state = {n: y[mask] for n, y in self.state.items()}
        self._last = {n: y[mask] for n, y in self._last.items()}
        self.since = {n: y[mask] for n, y in self.since.items()}
        self.chains = [chain for chain, kept in zip(self.chains, mask.tolist(), strict=True) if kept]
        self.number, self.stage_age, self.steps = self.number[mask], self.stage_age[mask], self.steps[mask]

    def _clear(self) -> None:
        self.state = {n: y[:0] for n, y in self.state.items()}
        self._last = {n: y[:0] for n, y in self._last.items()}
        self.since = {n: y[:0] for n, y in self.since.items()}
        self.chains = []
        self.number, self.stage_age, self.steps = self.number[:0], self.stage_age[:0], self.steps[:0]

    def _first(self, count: int) -> tuple[list[Chain], Tensors]:
        """As `_fresh`, for the first chains of a problem, and draw their first noise. Problems of one seed begin alike."""
        problem, first = self.problem, self.problem.named
        key = (self.header.number, problem.budget.seed, first, count)
        if (known := remembered(key)) is None:
            chains, state = self._numbered(first, count)
            self._begun = self._drawn(chains, np.zeros(count, np.int64), {})
            remember(key, state, self._begun, [chain.generators for chain in chains])
        else:
            chains = [Chain(None, streams) for streams in known.streams]
            state, self._begun = known.state, known.noise
        problem.named += count
        return chains, state | problem.starts(first, count, self.header)

    def _fresh(self, count: int) -> tuple[list[Chain], Tensors]:
        """Make new chains, with their initial state from the task or as the header specifies."""
        problem, first = self.problem, self.problem.named
        problem.named += count
        chains, state = self._numbered(first, count)
        return chains, state | problem.starts(first, count, self.header)

    def _numbered(self, first: int, count: int) -> tuple[list[Chain], Tensors]:
        """Chains from number ``first``, and their initial state as the header specifies."""
        problem, streams = self.problem, range(self.problem.header.streams)
        generators = [[problem.random(number, stream) for stream in streams] for number in range(first, first + count)]
        return list(map(Chain, generators)), first_states(self.header, generators)

    def _add(self, chains: list[Chain], state: Tensors, number: NDArray[np.int64], steps: NDArray[np.int64]) -> None:
        none = {name: np.full((len(chains), *last.shape[1:]), _NEVER, np.int64) for name, last in self._last.items()}
        zero = {name: np.zeros((len(chains), *since.shape[1:]), np.int32) for name, since in self.since.items()}
        age = np.zeros(len(chains), np.int64)
        if self.chains:
            state = {n: np.concatenate([y, state[n]]) for n, y in self.state.items()}
            none = {n: np.concatenate([y, none[n]]) for n, y in self._last.items()}
            zero = {n: np.concatenate([y, zero[n]]) for n, y in self.since.items()}
            number, age = np.concatenate([self.number, number]), np.concatenate([self.stage_age, age])
            steps = np.concatenate([self.steps, steps])
        self.state, self._last, self.since = state, none, zero
        self.number, self.stage_age, self.steps = number, age, steps
        self.chains = [*self.chains, *chains]


@lru_cache(_REMEMBERED)
def due_slots(steps: int, spec: NoiseSpec) -> Callable[[NDArray[np.int64]], NDArray[np.bool_] | None]:
    """Return a function from chains' step counts to a mask of the slots with noise in their next segment; None means all.

    Args:
        steps: Steps of a segment.
        spec: Specification of the noise.
    """
    slots = np.array(slots_of(steps, spec.period, spec.offsets), np.int64)
    if len(slots) != spec.shape[0] or spec.period <= steps:
        return lambda _: None  # before format 4, or where every segment is like the next
    due = np.zeros(spec.period, bool)
    due[[offset % spec.period for offset in spec.offsets]] = True
    return lambda made: due[(made[:, None] + slots) % spec.period]
