"""One problem in the descent: its budget, its answers so far, and when it ends.

Long because a problem is one class, which stands with the records that it takes and keeps.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._beginnings import Words
from groundstate._header import Header
from groundstate._meaning import Meaning
from groundstate._overdue import Deadline, OverdueError
from groundstate._segment import BLOCK, shared
from groundstate._session import Tensors
from groundstate._solution import Violation

FREE = 2_048
"""Below this many elements of a step's largest tensor, over all chains, more chains take hardly more time."""

BUSY = 1 << 19
"""Beyond this many elements of a step's largest tensor, over all chains, a problem's further chains queue."""

IMPROVING = 1 << 17
"""Elements of a step's largest tensor for one chain, summed over segments, for the search for a cheaper answer."""

MOST_MINIMA = 64
"""Number of different minima kept for an energy without checks, lowest energy first."""


def width(rounds: int, restarts: int, elements: int = FREE, block: int = 1) -> int:
    """Number of chains that a problem may have in flight: few at first, since most problems need few.

    The number does not depend on the machine, so that a seed gives the same answer everywhere.

    Args:
        rounds: Cycles of noise so far, or segments if there is no noise.
        restarts: Maximum number of chains.
        elements: Elements of a step's largest tensor for one chain.
        block: Runs have a multiple of this many rows, so fewer chains take as long.
    """
    few = min(max(2, FREE // elements), 16)
    most = max(4 * few, BUSY // elements)
    chains = few if rounds < 3 else 2 * few if rounds < 9 else 4 * few if rounds < 32 else most
    return min(restarts, -(-chains // block) * block)


def all_minima_found(different: int, converged: int) -> bool:
    """Whether the converged chains have probably found every minimum that chains can reach.

    True once the posterior mean of the number of minima is less than half a minimum above the number found (C. G. E. Boender and
    A. H. G. Rinnooy Kan, "Bayesian stopping rules for multistart global optimization methods", 1987).

    Args:
        different: Number of different minima found.
        converged: Number of chains that reached one of them.
    """
    spare = converged - different - 2
    return spare > 0 and different * (converged - 1) <= (different + 0.5) * spare


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits for a problem.

    Attributes:
        restarts: Maximum number of chains.
        max_steps: Maximum number of steps per chain, restarts included.
        deadline: Seconds from the call, or None.
        improve_for: Seconds from the call for the search for cheaper answers, or for others of the same cost, or None.
        seed: Seed of every random draw.
        alternatives: Number of different answers to search for.
    """

    restarts: int
    max_steps: int
    deadline: float | None
    seed: int
    alternatives: int
    improve_for: float | None = None

    def due(self, begun: float) -> float | None:
        """When the deadline of a problem passes that began at a time (`time.monotonic`), or None."""
        return None if self.deadline is None else begun + self.deadline


@dataclass(slots=True)
class Candidate:
    """A configuration that a chain reached.

    Attributes:
        tensors: Its answer tensors without the batch axis.
        energy: Its energy.
        violations: The graph's number of failures of each check, ``(C,)``.
        excess: The largest excess of each check, ``(C,)``; None if the graph does not measure.
        steps: Updates that the chain had made.
        since: Computes for each element of the answer's integer tensors the update since which the chain had kept its value.
    """

    tensors: Tensors
    energy: float
    violations: NDArray[np.int64]
    excess: NDArray[np.float32] | None
    steps: int
    since: Callable[[], Tensors]


@dataclass(slots=True)
class Found:
    """An answer.

    Attributes:
        answer: As plain JSON.
        energy: Its energy.
        steps: Updates that the chain had made.
        since: As in `Candidate`.
        hits: Chains that reached it.
    """

    answer: dict[str, Any]
    energy: float
    steps: int
    since: Callable[[], Tensors]
    hits: int = 1


@dataclass(frozen=True, slots=True)
class Segment:
    """The chains of one problem after one segment, for pictures and progress.

    Attributes:
        index: The problem's index in the call.
        stage: The stage's name; empty in the last stage, which is the only one in most files.
        steps: Updates made by the oldest chain.
        chains: Chains in this stage.
        chain: Number of each chain, ``(chains,)``, constant over segments; a restart gets a new number.
        energy: Energy at the end of the segment, ``(chains,)``.
        violations: Number of failures of each check at the end, ``(chains, C)``; no columns in an earlier stage.
        trace: Energy before the updates 0, n, 2n, … of the segment, ``(chains, ⌈S / n⌉)``; S is the header's ``steps``, n its
            ``trace_every``.
        answer: Answer tensors of the stage at the end of the segment, ``(chains, …)`` each.
        path: Answer tensors before the same updates, ``(chains, ⌈S / n⌉, …)``, if the graph has them.
    """

    index: int
    stage: str
    steps: int
    chains: int
    chain: NDArray[np.int64]
    energy: NDArray[np.float32]
    violations: NDArray[np.int64]
    trace: NDArray[np.float32]
    answer: Tensors
    path: Tensors


_MOST_OUTCOMES = 64
"""Number of configurations whose judgement is remembered."""

_FIRST_PROOF = 4
"""Number of segments without an answer before the first search for a proof of infeasibility."""


@lru_cache(1024)
def _words_of(seed: int) -> NDArray[np.uint64]:
    return np.random.SeedSequence(seed).generate_state(2, np.uint64).astype(np.uint64, copy=False)


@dataclass(eq=False)
class Problem:
    """One problem in the descent.

    Attributes:
        index: Its index in the call.
        header: The artefact's header, at the problem's sizes.
        meaning: The reading of the request, with guarded calls.
        budget: Its limits.
        begun: `time.monotonic` at its start.
        due: When the search must end (`time.monotonic`), or None.
        inputs: Input tensors without the batch axis; while a cheaper answer is sought, those of the problem that allows only
            cheaper answers.
        found: Different answers of the lowest cost seen. For an energy without checks, its different minima, lowest energy first.
        best: The best attempt: the lowest-energy configuration seen that is not an answer.
        first: Number of segments until the first of the answers; 0 while there is none.
        cost: The cost of the answers.
        improving: Whether a cheaper answer is sought.
        unique: Whether the answer found is proven to be the only one.
        checked: Whether the answers found passed a check of the file or of the task.
        converged: Number of chains that reached a minimum, for an energy without checks.
        started: Chains started, restarts excluded.
        named: Chains started, restarts included.
        rounds: Segments so far.
        steps: Most updates made by any chain.
        disproved: A proof that there is no answer, found during the descent; empty without one.
        bound: A proven lower bound on the cost of every answer.
        reserve: Seconds before the deadline at which the search ends, so that the solution is ready in time.
    """

    index: int
    header: Header
    meaning: Meaning
    budget: Budget
    begun: float
    inputs: Tensors = field(init=False)
    due: float | None = field(init=False)
    found: list[Found] = field(default_factory=list)
    best: Candidate | None = None
    first: int = 0
    cost: float = math.inf
    improving: bool = False
    unique: bool = False
    checked: bool = False
    converged: int = 0
    started: int = 0
    named: int = 0
    rounds: int = 0
    steps: int = 0
    disproved: tuple[Violation, ...] = ()
    bound: float = -math.inf
    reserve: float = 0.0
    _outcomes: dict[bytes, tuple[dict[str, Any], bool, float] | None] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.inputs = self.meaning.inputs
        self._words = _words_of(self.budget.seed)
        self.due = None if self.budget.deadline is None else self.begun + self.budget.deadline - self.reserve
        if self.due is not None:
            self.meaning.clock = Deadline(self.due)

    @property
    def size(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of its inputs: problems of one size share a batch."""
        return tuple(spec.shape for spec in self.header.inputs.values())

    def count_round(self) -> None:
        """Count a segment. After 4, 8, 16 … segments without an answer, search for a proof that there is none.

        After 1, 2, 4 … segments without a cheaper answer, search for a proof that the best answer is optimal.
        """
        self.rounds += 1
        if not self.found and self.rounds >= _FIRST_PROOF and self.rounds.bit_count() == 1:
            self.disproved = self.meaning.proof(self.rounds)
        since = self.rounds - self.first + 1
        if self.found and self.improving and since.bit_count() == 1:
            self.bound = max(self.bound, self.meaning.least_cost(self.cost, since))
            if not self.meaning.cheaper(self.bound, self.cost):
                self.improving = False
            elif since > 1 and (following := self.meaning.with_cost_below(self.cost)) is not None:
                self.inputs = following  # a task may search for better answers in several ways in turn

    @property
    def optimises(self) -> bool:
        """Whether there are answers, and one can cost less than another."""
        return self.checked and bool(self.found) and self.meaning.optimises is not None

    @property
    def optimal(self) -> bool:
        """Whether it is proven that no answer costs less than those found."""
        return self.optimises and not self.meaning.cheaper(self.bound, self.cost)

    @property
    def late(self) -> bool:
        """Whether its time for the search is over."""
        return self.due is not None and time.monotonic() >= self.due

    @property
    def improved_enough(self) -> bool:
        """Whether the time for the search for cheaper answers is over. The search for a first answer is not limited by it."""
        limit = self.budget.improve_for
        return limit is not None and time.monotonic() - self.begun >= limit

    @property
    def settles(self) -> bool:
        """Whether it searches for minima of an energy without checks."""
        return bool(self.found) and not self.checked

    @property
    def answered(self) -> bool:
        """Whether enough answers are found and none can be better, or the search for more took several times as long.

        With a deadline, or a time for improvements, the search for better answers uses all of it.
        """
        if self.settles:
            return all_minima_found(len(self.found), self.converged)
        if not self.found:
            return False
        if self.optimises and self.improved_enough:
            return True  # for a further answer of the same cost, too
        if self.improving and (self.budget.deadline, self.budget.improve_for) != (None, None):
            return False  # use all the time given, unless no answer can be better
        enough = len(self.found) >= self.budget.alternatives or self.unique or self._indifferent
        return (enough and not self.improving) or self.rounds >= 4 * self.first + self._further

    @property
    def _further(self) -> int:
        """Segments for the search for better answers beside a multiple of those until the best one: more in small problems."""
        return max(8, min(64, IMPROVING // max(self.header.largest, 1))) if self.improving else 8

    @property
    def _indifferent(self) -> bool:
        """Whether no question could distinguish answers, so that further answers of equal cost are useless."""
        with suppress(OverdueError):
            return self.meaning.indifferent(self.found[0].answer) if self.found else False
        return False

    @property
    def wanted(self) -> int:
        """Number of chains wanted in flight: all, if an answer is known and equally good ones are sought."""
        if self.found and not self.improving and not self.settles:
            return self.budget.restarts
        block = BLOCK if shared(self.header) else 1
        # The length of a segment is a matter of speed: it must not decide how soon a problem gets more chains.
        return width(
            self.rounds * self.header.steps // self.header.cycle, self.budget.restarts, self.header.largest, block
        )

    def copied(self) -> Problem:
        """A copy with the answers so far, which does not change while the descent goes on."""
        copied = copy.copy(self)
        copied.found = [replace(found) for found in self.found]
        return copied

    def random(self, chain: int, stream: int) -> np.random.Generator:
        """The random generator of a chain. It depends only on the seed, the chain's number and the stream."""
        words = np.empty(3, np.uint64)
        words[:2] = self._words
        words[2] = (chain << 16) + stream
        return np.random.Generator(np.random.SFC64(Words(words)))  # type: ignore[arg-type]  # NumPy's stubs do not know its protocol

    def starts(self, first: int, count: int, header: Header) -> Tensors:
        """Initial states that the task gives to new chains, from number ``first``.

        Args:
            header: The header of the first stage.
        """
        if not self.meaning.has_starts:
            return {}
        with suppress(OverdueError):
            return self.meaning.starts(self.random(first, self.header.streams), count, header.state)
        return {}

    def offer(self, candidate: Candidate) -> bool:
        """Record an acceptable configuration as an answer, unless the task rejects it, it is known, or a known answer costs less.

        A cheaper answer replaces the others, and the inputs become those of the problem that allows only cheaper answers.

        Returns:
            Whether it passes the task's checks; False if the deadline passed before that was known.
        """
        try:
            outcome = self._judged(candidate.tensors)
        except OverdueError:
            return False
        if outcome is None:
            return False
        answer, checked, cost = outcome
        found = Found(answer, candidate.energy, candidate.steps, candidate.since)
        # Each step leaves a state that is right, because the deadline may end the next one.
        with suppress(OverdueError):
            if checked:
                self._record(found, cost)
            else:
                self._settle(found)
        return True

    def reached_again(self, answers: list[NDArray[Any]], row: int) -> bool:
        """Count a chain whose configuration is that of an answer found before. Returns False if it must be offered.

        Args:
            answers: The answer tensors of several chains.
            row: The row of the chain.
        """
        if self.meaning.optimises is not None or not self.checked:
            return False
        outcome = self._outcomes.get(b"".join([tensor[row].tobytes() for tensor in answers]))
        return outcome is not None and self._hit(outcome[0])

    def _record(self, found: Found, cost: float) -> None:
        """Record an answer that passed checks."""
        self.checked, answer = True, found.answer
        if not self.found or self.meaning.cheaper(cost, self.cost):
            self.found, self.cost, self.first = [found], cost, self.rounds + 1
            self.improving = self.meaning.optimises is not None  # until it is known that nothing costs less
            following = self.meaning.with_cost_below(cost)
            self.improving = following is not None
            self.bound = self.bound if self.improving else cost
            self.inputs = self.inputs if following is None else following
            # The proof may take longer than a segment, and is useless if no further answer is sought.
            if self.budget.alternatives > 1:
                self.unique = self.meaning.unique(answer)
        elif not self.meaning.cheaper(self.cost, cost):
            # A gain below the tolerance is not an improvement, and neither is the sum of many such gains.
            self.cost = min(cost, self.cost)
            if self._hit(answer):
                return
            known = next((one for one in self.found if self.meaning.same(one.answer, answer)), None)
            if known is not None:
                known.hits += 1
            elif len(self.found) < self.budget.alternatives:
                self.found.append(found)

    def _hit(self, answer: dict[str, Any]) -> bool:
        """Count that a chain reached an answer again. Returns False if this very object is not among those found."""
        for one in self.found:
            if one.answer is answer:
                one.hits += 1
                return True
        return False

    def _judged(self, tensors: Tensors) -> tuple[dict[str, Any], bool, float] | None:
        """The answer in a configuration, whether anything checked it, and its cost; None if the task rejects it.

        Many chains of a small problem reach the same configuration, which is judged once.
        """
        key = b"".join(tensor.tobytes() for tensor in tensors.values())
        if key in self._outcomes:
            return self._outcomes[key]
        answer = self.meaning.decode(tensors)
        broken = self.meaning.check(answer)
        outcome = None
        if not broken:
            answer = self.meaning.settle_ties(answer)
            checked = broken is not None or bool(self.header.accept.checks)
            outcome = answer, checked, self.meaning.cost(answer) if checked else 0.0
        if len(self._outcomes) >= _MOST_OUTCOMES:
            self._outcomes.clear()
        self._outcomes[key] = outcome
        return outcome

    def _settle(self, found: Found) -> None:
        """Record a minimum of an energy without checks."""
        known = next((one for one in self.found if self.meaning.same(one.answer, found.answer)), None)
        self.converged += 1
        self.first = self.first or self.rounds + 1
        if known is not None:
            found.hits += known.hits
            if known.energy <= found.energy:
                known.hits = found.hits
                return
            self.found = [one for one in self.found if one is not known]
        self.found.append(found)
        self.found.sort(key=lambda one: one.energy)
        del self.found[MOST_MINIMA:]

    @property
    def answers(self) -> list[Found]:
        """The equally good answers, lowest energy first, at most as many as requested."""
        ordered = sorted(self.found, key=lambda one: one.energy)
        if self.settles:
            lowest = ordered[0].energy
            # A converged chain is above its minimum by at most the square of its residual over the curvature.
            rounding = max(1e-6, 1e-5 * abs(lowest), self.header.defaults["residual_tolerance"] ** 2)
            ordered = [one for one in ordered if one.energy <= lowest + max(rounding, self.meaning.reading.rivals)]
        return ordered[: self.budget.alternatives]
