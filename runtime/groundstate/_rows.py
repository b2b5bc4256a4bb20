"""The chains of one problem in one stage of the descent: one row of the tensors each, and its bookkeeping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from groundstate._beginnings import Streams, continued, first_states, remember, remembered
from groundstate._decisions import Decisions
from groundstate._header import Header, NoiseSpec, slots_of
from groundstate._problem import Candidate, Problem
from groundstate._session import Tensors

_REMEMBERED = 256
"""Number of cached tables of noise."""


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
        decisions: When the elements of the answers were decided.
    """

    def __init__(self, header: Header, problem: Problem, *, tracks: bool) -> None:
        self.header, self.problem = header, problem
        self.chains: list[Chain] = []
        self.state: Tensors = {}
        self.number = self.stage_age = self.steps = np.empty(0, np.int64)
        self.decisions = Decisions(header, tracks=tracks)
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
        self._add(chains, state, np.arange(first, first + count), _zeros(count))
        self.problem.started += count

    def restart(self, row: int) -> None:
        """Restart the chain in a row."""
        self.number = self.number.copy()  # the first ones are shared
        self.number[row] = self.problem.named
        (self.chains[row],), state = self._fresh(1)
        for name, tensor in state.items():
            self.state[name][row] = tensor[0]
        self.decisions.restart(row)
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
        self.decisions.advance(out, self.steps)
        # New arrays: the first ones are shared, and what was recorded refers to them.
        self.stage_age = self.stage_age + self.header.steps
        self.steps = self.steps + self.header.steps

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Drop all other rows."""
        if mask.all():
            return
        if not mask.any():
            self._clear()
            return
        self.state = {n: y[mask] for n, y in self.state.items()}
        self.decisions.keep(mask)
        self.chains = [chain for chain, kept in zip(self.chains, mask.tolist(), strict=True) if kept]
        self.number, self.stage_age, self.steps = self.number[mask], self.stage_age[mask], self.steps[mask]

    def _clear(self) -> None:
        self.state = {n: y[:0] for n, y in self.state.items()}
        self.decisions.clear()
        self.chains = []
        self.number, self.stage_age, self.steps = self.number[:0], self.stage_age[:0], self.steps[:0]

    def _first(self, count: int) -> tuple[list[Chain], Tensors]:
        """As `_fresh`, for the first chains of a problem, and draw their first noise. Problems of one seed begin alike."""
        problem, first = self.problem, self.problem.named
        key = (self.header.number, problem.budget.seed, first, count)
        if (known := remembered(key)) is None:
            chains, state = self._numbered(first, count)
            self._begun = self._drawn(chains, _zeros(count), {})
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
        self.decisions.add(len(self.chains), len(chains))
        age = _zeros(len(chains))
        if self.chains:
            state = {n: np.concatenate([y, state[n]]) for n, y in self.state.items()}
            number, age = np.concatenate([self.number, number]), np.concatenate([self.stage_age, age])
            steps = np.concatenate([self.steps, steps])
        self.state, self.number, self.stage_age, self.steps = state, number, age, steps
        self.chains = [*self.chains, *chains]


@lru_cache(64)
def _zeros(count: int) -> NDArray[np.int64]:
    """Zeros that are shared, and so not to be changed."""
    zeros = np.zeros(count, np.int64)
    zeros.flags.writeable = False
    return zeros


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
