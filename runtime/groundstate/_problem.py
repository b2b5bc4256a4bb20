"""One problem in the descent: what it may spend, what was found of it, and when it is over."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from groundstate._header import Header
from groundstate._meaning import Meaning
from groundstate._segment import BLOCK, shared
from groundstate._session import Tensors
from groundstate._solution import Violation

FREE = 2_048
"""Elements of a step's largest tensor, over all chains, below which more chains take hardly more time."""

BUSY = 1 << 19
"""Elements of a step's largest tensor, over all chains, beyond which a problem's further chains wait until others end."""

MOST_MINIMA = 64
"""Different minima that are kept of an energy without checks, those of lowest energy."""


def width(rounds: int, restarts: int, elements: int = FREE, block: int = 1) -> int:
    """Chains a problem may have in flight after some segments: few at first, since most problems need few.

    It does not depend on the machine, so that a seed gives the same answer everywhere.

    Args:
        rounds: Segments so far.
        restarts: Chains that may be started.
        elements: Of a step's largest tensor for one chain.
        block: Rows that a run has a multiple of: fewer chains take as long.
    """
    few = -(-min(max(2, FREE // elements), 16) // block) * block
    most = min(restarts, max(4 * few, BUSY // elements))
    return min(most, few if rounds < 3 else 2 * few if rounds < 9 else 4 * few if rounds < 32 else most)


def all_minima_found(different: int, converged: int) -> bool:
    """Whether chains that converged have probably reached every minimum that such chains reach.

    True once the posterior mean of the number of minima is less than half a minimum above the number found (C. G. E. Boender and
    A. H. G. Rinnooy Kan, "Bayesian stopping rules for multistart global optimization methods", 1987).

    Args:
        different: Different minima found.
        converged: Chains that reached one of them.
    """
    spare = converged - different - 2
    return spare > 0 and different * (converged - 1) <= (different + 0.5) * spare


@dataclass(frozen=True, slots=True)
class Budget:
    """What a problem may spend.

    Attributes:
        restarts: Chains that may be started.
        max_steps: Updates that each chain may make, starts anew included.
        deadline: Seconds from the call, or None.
        seed: Decides every random draw.
        alternatives: Different answers to look for.
    """

    restarts: int
    max_steps: int
    deadline: float | None
    seed: int
    alternatives: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """A configuration that a chain reached.

    Attributes:
        tensors: Its answer tensors without the batch.
        energy: Its energy.
        violations: How often the graph found each check failed, ``(C,)``.
        excess: By how much at most, ``(C,)``; None where the graph does not measure.
        steps: Updates that the chain had made.
        since: For every element of the answer's whole-number tensors the update since which the chain had kept it.
    """

    tensors: Tensors
    energy: float
    violations: NDArray[np.int64]
    excess: NDArray[np.float32] | None
    steps: int
    since: Tensors


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
    since: Tensors
    hits: int = 1


@dataclass(frozen=True, slots=True)
class Segment:
    """What one problem's chains did in one segment: for pictures and progress.

    Attributes:
        index: The problem's place in the call.
        stage: The stage's name; empty in the last stage, which is the only one in most files.
        steps: Updates made by the oldest chain.
        chains: Chains in this stage.
        chain: A number for each, ``(chains,)``, the same from segment to segment; new where a chain starts anew.
        energy: Energy at the end of the segment, ``(chains,)``.
        violations: How often each check fails at the end, ``(chains, C)``; without columns in an earlier stage.
        trace: Energy before the updates 0, n, 2n, … of the segment, ``(chains, ⌈S / n⌉)``; S is the header's ``steps``, n its
            ``trace_every``.
        answer: Answer tensors of the stage at the end of the segment, ``(chains, …)`` each.
        path: Answer tensors before the same updates, ``(chains, ⌈S / n⌉, …)``, where the graph has them.
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


_FIRST_PROOF = 4
"""Segments without an answer after which a proof that there is none is looked for, for the first time."""


@dataclass(eq=False)
class Problem:
    """One problem in the descent.

    Attributes:
        index: Its place in the call.
        header: The artefact's, at the problem's sizes.
        meaning: What the request means.
        begun: `time.monotonic` at its start.
        inputs: Input tensors without the batch; where a better answer is looked for, those of the problem that allows no other.
        found: Different answers that cost the same, which is the least seen. Of an energy without checks, its different minima,
            lowest energy first.
        best: The lowest-energy configuration seen that is no answer.
        first: Segments that it took to find the first of the answers; 0 while there is none.
        cost: What the answers cost.
        improving: Whether an answer that costs less is looked for.
        unique: Whether the answer found is proven to be the only one.
        checked: Whether a check of the file or of the task passed the answers found.
        converged: Chains of an energy without checks that reached a minimum.
        started: Chains started.
        named: Chains started, those included that started anew.
        steps: Most updates made by any chain.
        disproved: What proves that there is no answer, found in the meantime.
        bound: What no answer costs less than, as far as that is proven.
    """

    index: int
    header: Header
    meaning: Meaning
    budget: Budget
    begun: float
    inputs: Tensors = field(init=False)
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

    def __post_init__(self) -> None:
        self.inputs = self.meaning.inputs
        self._words = np.random.SeedSequence(self.budget.seed).generate_state(2, np.uint64)

    @property
    def size(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of its inputs: problems of one size share a batch."""
        return tuple(spec.shape for spec in self.header.inputs.values())

    def count_round(self) -> None:
        """Count a segment; after 4, 8, 16 … of them without an answer, look for a proof that there is none.

        After 1, 2, 4 … of them without a cheaper one, look for a proof that the best answer is that.
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
                self.inputs = following  # a task may look for better answers in several ways, one after the other

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
        """Whether its deadline has passed."""
        return self.budget.deadline is not None and time.monotonic() - self.begun >= self.budget.deadline

    @property
    def settles(self) -> bool:
        """Whether it looks for minima of an energy that nothing checks."""
        return bool(self.found) and not self.checked

    @property
    def answered(self) -> bool:
        """Whether enough answers are found and none can be better, or looking for more took several times what these took.

        With a deadline, better answers are looked for until it, however soon the first was found.
        """
        if self.settles:
            return all_minima_found(len(self.found), self.converged)
        if not self.found:
            return False
        if self.improving and self.budget.deadline is not None:
            return False  # the time that is given is used, unless nothing can be better
        enough = len(self.found) >= self.budget.alternatives or self.unique or self._indifferent
        return (enough and not self.improving) or self.rounds >= 4 * self.first + 8

    @property
    def _indifferent(self) -> bool:
        """Whether nothing in the answers is worth a question, so that further ones, which cost as much, are of no use."""
        return self.meaning.indifferent(self.found[0].answer) if self.found else False

    @property
    def wanted(self) -> int:
        """Chains to have in flight: all of them, where one answer is known and other ones, as good, are looked for."""
        if self.found and not self.improving and not self.settles:
            return self.budget.restarts
        block = BLOCK if shared(self.header) else 1
        return width(self.rounds, self.budget.restarts, self.header.largest, block)

    def random(self, chain: int, stream: int) -> np.random.Generator:
        """The generator of a chain's draws: they depend on the seed and the chain's number, and on nothing else."""
        words = np.array([*self._words, (chain << 16) + stream], np.uint64)
        return np.random.Generator(np.random.SFC64(_Words(words)))  # type: ignore[arg-type]  # NumPy's stubs do not know its protocol

    def offer(self, candidate: Candidate) -> bool:
        """Take an acceptable configuration, unless the task finds it wrong, it is known, or it costs more than another.

        One that costs less takes the place of the others, and the inputs become those of the problem that allows no dearer one.

        Returns:
            Whether it is right.
        """
        answer = self.meaning.decode(candidate.tensors)
        broken = self.meaning.check(answer)
        if broken:
            return False
        answer = self.meaning.settle_ties(answer)
        found = Found(answer, candidate.energy, candidate.steps, candidate.since)
        if broken is None and not self.header.accept.checks:
            self._settle(found)
            return True
        self.checked = True
        cost = self.meaning.cost(answer)
        if not self.found or self.meaning.cheaper(cost, self.cost):
            self.found, self.cost, self.first = [], cost, self.rounds + 1
            following = self.meaning.with_cost_below(cost)
            self.improving = following is not None
            self.bound = self.bound if self.improving else cost
            self.inputs = self.inputs if following is None else following
        if not self.meaning.cheaper(self.cost, cost):
            # What is cheaper by less than counts is not an improvement, and many such steps are none either.
            self.cost = min(cost, self.cost)
            known = next((one for one in self.found if self.meaning.same(one.answer, answer)), None)
            if known is not None:
                known.hits += 1
            elif len(self.found) < self.budget.alternatives:
                self.found.append(found)
                # The proof may take longer than a segment, and is of no use where nothing further is looked for.
                self.unique = self.budget.alternatives > 1 and len(self.found) == 1 and self.meaning.unique(answer)
        return True

    def _settle(self, found: Found) -> None:
        """Take a minimum of an energy without checks."""
        self.converged += 1
        self.first = self.first or self.rounds + 1
        for place, one in enumerate(self.found):
            if self.meaning.same(one.answer, found.answer):
                found.hits += one.hits
                if one.energy <= found.energy:
                    one.hits = found.hits
                    return
                del self.found[place]
                break
        self.found.append(found)
        self.found.sort(key=lambda one: one.energy)
        del self.found[MOST_MINIMA:]

    @property
    def answers(self) -> list[Found]:
        """The answers: as good as each other, lowest energy first, as many as are asked for."""
        ordered = sorted(self.found, key=lambda one: one.energy)
        if self.settles:
            lowest = ordered[0].energy
            # A chain that has converged is above its minimum by the square of its residual at most, over the curvature.
            rounding = max(1e-6, 1e-5 * abs(lowest), self.header.defaults["residual_tolerance"] ** 2)
            ordered = [one for one in ordered if one.energy <= lowest + rounding]
        return ordered[: self.budget.alternatives]


class _Words(np.random.bit_generator.ISeedSequence):
    """Words as a bit generator takes its seed. To make a `SeedSequence` takes longer than most chains draw."""

    def __init__(self, words: NDArray[np.uint64]) -> None:
        self._words = words

    def generate_state(self, n_words: int, dtype: Any = np.uint32) -> NDArray[Any]:
        """The words."""
        del n_words, dtype
        return self._words
