"""The descent of one chain, assembled from the segments of a solve, for pictures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from groundstate._header import Header
from groundstate._problem import Segment
from groundstate._solution import Solution

Decode = Callable[[Mapping[str, Any]], Any]
"""An answer from the answer tensors of one chain."""


@dataclass(frozen=True)
class Descent:
    """The moments of one chain, from where it last started to where the search ended.

    Attributes:
        steps: Updates that the chain had made at each moment.
        energies: Energy at each moment.
        answers: The decoded configuration at each moment; None between the ends of segments if the graph has no path.
        failed: Number of failed checks at each moment; None if unknown.
        began: Updates that the search had made when this chain started.
        solution: How the search ended.
    """

    steps: tuple[int, ...]
    energies: tuple[float, ...]
    answers: tuple[Any, ...]
    failed: tuple[int | None, ...]
    began: int
    solution: Solution

    def __len__(self) -> int:
        return len(self.energies)

    @property
    def lowest(self) -> tuple[float, ...]:
        """The lowest energy up to each moment."""
        return tuple(np.minimum.accumulate(self.energies).tolist())

    @property
    def rises(self) -> bool:
        """Whether the energy rises anywhere by more than a hundredth of its range."""
        margin = 0.01 * (max(self.energies) - min(self.energies))
        return bool((np.array(self.energies) > np.array(self.lowest) + margin).any())

    def telling(self, count: int) -> list[int]:
        """Moments to show: the first and the last known ones, and between them where the energy falls by equal parts."""
        known = [moment for moment, answer in enumerate(self.answers) if answer is not None]
        if not known:
            return [0, len(self) - 1]
        lowest = self.lowest
        high, low = lowest[known[0]], lowest[known[-1]]
        chosen = {known[0], known[-1]}
        for part in range(1, count - 1):
            wanted = high - (high - low) * part / (count - 1)
            chosen.add(next(moment for moment in known if lowest[moment] <= wanted or moment == known[-1]))
        return sorted(chosen)


def best_row(segment: Segment, energy: float | None = None) -> int:
    """The row with the fewest failed checks; ties go to the energy nearest to a given one, or to the lowest."""
    order = segment.energy if energy is None else np.abs(segment.energy - energy)
    return int(np.lexsort((order, segment.violations.sum(axis=1)))[0])


def follow(
    header: Header,
    segments: Sequence[Segment],
    solution: Solution,
    decode: Decode,
    failed: Callable[[Any], int | None],
) -> Descent | None:
    """Follow the best chain of the last segment back to its start; None if there was no descent.

    Args:
        header: The artefact's header.
        segments: The arguments of the calls of ``watch``.
        solution: How the search ended.
        decode: Decodes answer tensors into an answer.
        failed: Number of checks that an answer fails; None if unknown.
    """
    if not segments:
        return None
    last = next((segment for segment in reversed(segments) if not segment.stage), segments[-1])
    chain = last.chain[best_row(last, solution.energy)]
    way = [(segment, int(here[0])) for segment in segments if len(here := np.flatnonzero(segment.chain == chain))]
    parts = {stage.name: stage.header for stage in header.stages} | {"": header}
    steps: list[int] = []
    energies: list[float] = []
    answers: list[Any] = []
    end: Any = None
    made = 0
    for segment, row in way:
        part = parts[segment.stage]
        # An earlier stage may have outputs other than answers.
        known = segment.answer.keys() == header.answers.keys()
        steps += [made + step for step in part.traced]
        made += part.steps
        energies += segment.trace[row].astype(float).tolist()
        if segment.path and known:
            answers += [decode({n: x[row, k] for n, x in segment.path.items()}) for k in range(len(part.traced))]
        else:
            answers += [end, *[None] * (len(part.traced) - 1)]
        end = decode({name: tensor[row] for name, tensor in segment.answer.items()}) if known else None
    steps.append(made)
    energies.append(float(way[-1][0].energy[way[-1][1]]))
    answers.append(end)
    return Descent(
        steps=tuple(steps),
        energies=tuple(energies),
        answers=tuple(answers),
        failed=tuple(None if answer is None else failed(answer) for answer in answers),
        began=max(way[-1][0].steps - made, 0),
        solution=solution,
    )
