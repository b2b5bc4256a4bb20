"""One problem on its way: what it may spend, what was found of it, and when it is over."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from groundstate._header import Header
from groundstate._session import Tensors

FREE = 2_048
"""Entries of a step's largest tensor, over all chains, below which more chains take hardly more time."""

BUSY = 1 << 19
"""Entries of a step's largest tensor, over all chains, beyond which a problem's further chains wait until others end."""


def width(rounds: int, restarts: int, entries: int = FREE) -> int:
    """Chains a problem may have in flight after some segments: few at first, since most problems need few.

    It does not depend on the machine, so that a seed gives the same answer everywhere.

    Args:
        rounds: Segments so far.
        restarts: Chains that may be started.
        entries: Of a step's largest tensor for one chain.
    """
    few = min(max(2, FREE // entries), 16)
    most = min(restarts, max(4 * few, BUSY // entries))
    return min(most, few if rounds < 3 else 2 * few if rounds < 9 else 4 * few if rounds < 32 else most)


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


@dataclass(slots=True)
class Found:
    """An answer, or a configuration that is none.

    Attributes:
        answer: Its tensors without the batch.
        energy: Its energy.
        violations: What the graph counted of its violations.
        steps: Updates that the chain had made.
        since: For every entry of the answer's whole-number tensors the update since which the chain had kept it.
        chains: Chains that came to it.
    """

    answer: Tensors
    energy: float
    violations: NDArray[np.int64]
    steps: int
    since: Tensors = field(default_factory=dict)
    chains: int = 1


@dataclass(frozen=True, slots=True)
class Segment:
    """What one problem's chains did in one segment: for pictures and progress.

    Attributes:
        index: The problem's place in the call.
        steps: Updates made by the oldest chain.
        chains: Chains in flight.
        chain: A number for each, ``(chains,)``, the same from segment to segment; new where a chain starts anew.
        energy: Energy at the end of the segment, ``(chains,)``.
        violations: Broken rules at the end, ``(chains, C)``.
        trace: Energy before the updates 0, n, 2n, … of the segment, ``(chains, ⌈S / n⌉)``; S is the header's ``steps``, n its
            ``trace_every``.
        answer: Answer tensors at the end of the segment, ``(chains, …)`` each.
        path: Answer tensors before the same updates, ``(chains, ⌈S / n⌉, …)``, where the graph has them.
    """

    index: int
    steps: int
    chains: int
    chain: NDArray[np.int64]
    energy: NDArray[np.float32]
    violations: NDArray[np.int64]
    trace: NDArray[np.float32]
    answer: Tensors
    path: Tensors


@dataclass(eq=False)
class Problem:
    """One problem on its way.

    Attributes:
        index: Its place in the call.
        header: The artefact's, at the problem's sizes.
        inputs: Input tensors without the batch; where a better answer is looked for, those of the problem that allows no other.
        judge: The exact check of an answer that the graph holds for right: what it costs (−∞ where answers cost nothing), or None
            where it is wrong.
        below: From a cost to the inputs of the problem whose answers cost less; None where there can be none.
        unique: Whether there is provably no other answer beside a right one.
        begun: `time.monotonic` at its start.
        found: Different answers that cost the same, which is the least seen.
        best: The lowest-energy configuration seen that is no answer.
        first: Segments that it took to find the first of the answers; 0 while there is none.
        cost: What the answers cost.
        improving: Whether an answer that costs less is looked for.
        only: Whether the answer found is provably the only one.
        started: Chains started.
        named: Chains started, those included that started anew.
        steps: Most updates made by any chain.
    """

    index: int
    header: Header
    inputs: Tensors
    budget: Budget
    judge: Callable[[Tensors], float | None]
    below: Callable[[float], Tensors | None]
    unique: Callable[[Tensors], bool]
    begun: float
    random: np.random.Generator = field(init=False)
    found: list[Found] = field(default_factory=list)
    best: Found | None = None
    first: int = 0
    cost: float = math.inf
    improving: bool = False
    only: bool = False
    started: int = 0
    named: int = 0
    rounds: int = 0
    steps: int = 0

    def __post_init__(self) -> None:
        self.random = np.random.Generator(np.random.SFC64(self.budget.seed))

    @property
    def size(self) -> tuple[tuple[int, ...], ...]:
        """The shapes of its inputs: problems of one size share a batch."""
        return tuple(spec.shape for spec in self.header.inputs.values())

    @property
    def late(self) -> bool:
        return self.budget.deadline is not None and time.monotonic() - self.begun >= self.budget.deadline

    @property
    def answered(self) -> bool:
        """Enough answers are found and none can be better, or looking for more took several times what these took."""
        enough = len(self.found) >= self.budget.alternatives or self.only
        return (enough and not self.improving) or bool(self.found and self.rounds >= 4 * self.first + 8)

    @property
    def wanted(self) -> int:
        """Chains to have in flight: all of them, where one answer is known and other ones, as good, are looked for."""
        if self.found and not self.improving:
            return self.budget.restarts
        return width(self.rounds, self.budget.restarts, self.header.largest)

    def offer(self, found: Found) -> bool:
        """Take an answer that the graph holds for right, unless it is wrong, known, or costs more than another.

        One that costs less takes the place of the others, and the inputs become those of the problem that allows no dearer one.

        Returns:
            Whether it is right.
        """
        cost = self.judge(found.answer)
        if cost is None:
            return False
        if cost < self.cost:
            self.found, self.cost, self.first = [], cost, self.rounds + 1
            following = self.below(cost)
            self.improving = following is not None
            self.inputs = self.inputs if following is None else following
        if cost == self.cost:
            known = next((one for one in self.found if _same(one.answer, found.answer)), None)
            if known is not None:
                known.chains += 1
            elif len(self.found) < self.budget.alternatives:
                self.found.append(found)
                # The proof may take longer than a segment, and is of no use where nothing further is looked for.
                self.only = self.budget.alternatives > 1 and len(self.found) == 1 and self.unique(found.answer)
        return True


def _same(one: Tensors, other: Tensors) -> bool:
    return all(np.array_equal(tensor, other[name]) for name, tensor in one.items())
