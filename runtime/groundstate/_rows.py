"""The chains in one stage of the descent: one row of the tensors each, and its bookkeeping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from groundstate._header import Header, NoiseSpec, slots_of
from groundstate._problem import Candidate, Problem
from groundstate._session import Tensors

_NEVER = np.iinfo(np.int64).min


@dataclass(slots=True, eq=False)
class Chain:
    """The data of a chain that is not in arrays.

    Attributes:
        problem: The problem it belongs to.
        generators: Random generators: the first for its start and its noise, one more for each further noise tensor.
        polishing: Remaining segments before `candidate` is offered.
        candidate: Its lowest-energy acceptable configuration while it is polished; else None.
    """

    problem: Problem
    generators: list[np.random.Generator]
    polishing: int = 0
    candidate: Candidate | None = None


class Rows:
    """The chains in one stage.

    Args:
        header: The stage's header, at the problems' sizes.

    Attributes:
        chains: One `Chain` for each row.
        owner: The index of each chain's problem.
        number: The number of each chain within its problem.
        stage_age: Updates of each chain in this stage since its start.
        steps: Updates of each chain in all stages, restarts included.
        since: For each element of the answer's integer tensors, the update since which the chain has kept its value.
    """

    def __init__(self, header: Header) -> None:
        self.header = header
        self.state: Tensors = {n: np.empty((0, *s.shape), s.dtype) for n, s in header.state.items()}
        self.inputs: Tensors = {n: np.empty((0, *s.shape), s.dtype) for n, s in header.inputs.items()}
        self.chains: list[Chain] = []
        self.owner, self.number, self.stage_age, self.steps = (np.empty(0, np.int64) for _ in range(4))
        counted = {n: s for n, s in header.answers.items() if s.dtype.kind in "iu"}
        self._last: Tensors = {n: np.empty((0, *s.shape), np.int64) for n, s in counted.items()}
        self.since: Tensors = {n: np.empty((0, *s.shape), np.int32) for n, s in counted.items()}
        self._due = {n: due_slots(header.steps, s) for n, s in header.noise.items()}

    def __len__(self) -> int:
        return len(self.chains)

    def groups(self) -> dict[int, NDArray[np.intp]]:
        """The rows of each problem, by its index."""
        order = np.argsort(self.owner, kind="stable")
        found, starts = np.unique(self.owner[order], return_index=True)
        return dict(zip(found.tolist(), np.split(order, starts[1:]), strict=True))

    def start(self, problem: Problem, count: int) -> None:
        """Start chains of a problem."""
        first, zero = problem.named, np.zeros(count, np.int64)
        chains, state = self._fresh(problem, count)
        self._add(chains, state, np.arange(first, first + count), zero)
        problem.started += count

    def restart(self, row: int) -> None:
        """Restart the chain in a row."""
        self.number[row] = self.chains[row].problem.named
        (self.chains[row],), state = self._fresh(self.chains[row].problem, 1)
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
            problem = others.chains[row].problem
            number = np.array([problem.named])
            self._add(*self._fresh(problem, 1), number, others.steps[row : row + 1])

    def noise(self) -> Tensors:
        """Draw the noise for a segment, each chain's from its own generator; zeros where no noise is due."""
        noise: Tensors = {}
        for stream, (name, spec) in enumerate(self.header.noise.items()):
            drawn = np.zeros((len(self), *spec.shape), np.float32)
            due = self._due[name](self.stage_age)
            for row, chain in enumerate(self.chains):
                random = chain.generators[stream]
                if due is None:
                    random.standard_normal(dtype=np.float32, out=drawn[row])
                elif count := int(due[row].sum()):
                    drawn[row][due[row]] = random.standard_normal((count, *spec.shape[1:]), dtype=np.float32)
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
            since = self.since[name]
            for steps, now in [*points, (self.header.steps, out[f"answer.{name}"])]:
                at = (self.steps + steps).astype(np.int32).reshape(-1, *[1] * (now.ndim - 1))
                np.copyto(since, at, where=now != last)
                np.copyto(last, now)
        self.stage_age += self.header.steps
        self.steps += self.header.steps

    def give(self, problem: Problem) -> None:
        """Copy a problem's changed inputs to all its chains, which continue from their state."""
        mine = self.owner == problem.index
        for name, tensors in self.inputs.items():
            tensors[mine] = problem.inputs[name]

    def keep(self, mask: NDArray[np.bool_]) -> None:
        """Drop all other rows."""
        if mask.all():
            return
        self.state = {n: y[mask] for n, y in self.state.items()}
        self.inputs = {n: x[mask] for n, x in self.inputs.items()}
        self._last = {n: y[mask] for n, y in self._last.items()}
        self.since = {n: y[mask] for n, y in self.since.items()}
        self.chains = [chain for chain, kept in zip(self.chains, mask, strict=True) if kept]
        self.owner, self.number = self.owner[mask], self.number[mask]
        self.stage_age, self.steps = self.stage_age[mask], self.steps[mask]

    def _fresh(self, problem: Problem, count: int) -> tuple[list[Chain], Tensors]:
        """Make new chains of a problem, with their initial state from the task or as the header specifies."""
        first = problem.named
        numbers = range(problem.named, problem.named + count)
        problem.named += count
        streams = range(problem.header.streams)
        chains = [Chain(problem, [problem.random(number, stream) for stream in streams]) for number in numbers]
        state: Tensors = {}
        for name, spec in self.header.state.items():
            if spec.initial.kind == "constant":
                state[name] = np.full((count, *spec.shape), spec.initial.values[0], spec.dtype)
            else:
                drawn = [spec.initial.draw(chain.generators[0], spec.shape, spec.dtype) for chain in chains]
                state[name] = np.stack(drawn)
        return chains, state | problem.starts(first, count, self.header)

    def _add(self, chains: list[Chain], state: Tensors, number: NDArray[np.int64], steps: NDArray[np.int64]) -> None:
        for name, tensor in self.inputs.items():
            # Chains that are added together mostly belong to one problem.
            first = chains[0].problem.inputs[name]
            if all(chain.problem is chains[0].problem for chain in chains):
                given = np.broadcast_to(first, (len(chains), *first.shape))
            else:
                given = np.stack([chain.problem.inputs[name] for chain in chains])
            self.inputs[name] = np.concatenate([tensor, given])
        self.state = {n: np.concatenate([y, state[n]]) for n, y in self.state.items()}
        self.chains += chains
        owners = np.array([chain.problem.index for chain in chains], np.int64)
        self.owner = np.concatenate([self.owner, owners])
        self.number = np.concatenate([self.number, number])
        self.stage_age = np.concatenate([self.stage_age, np.zeros(len(chains), np.int64)])
        self.steps = np.concatenate([self.steps, steps])
        nothing: list[tuple[Tensors, int]] = [(self._last, _NEVER), (self.since, 0)]
        for tensors, value in nothing:
            for name, tensor in tensors.items():
                none = np.full((len(chains), *tensor.shape[1:]), value, tensor.dtype)
                tensors[name] = np.concatenate([tensor, none])


def due_slots(steps: int, spec: NoiseSpec) -> Callable[[NDArray[np.int64]], NDArray[np.bool_] | None]:
    """Return a function from chains' step counts to a mask of the slots with noise in their next segment; None means all.

    Args:
        steps: Steps of a segment.
        spec: Specification of the noise.
    """
    slots = np.array(slots_of(steps, spec.period, spec.offsets), np.int64)
    if len(slots) != spec.shape[0] or spec.period <= steps:
        return lambda _: None  # before format 4, or where every segment is like the next
    offsets = np.array(spec.offsets, np.int64)
    return lambda made: np.isin((made[:, None] + slots) % spec.period, offsets)
