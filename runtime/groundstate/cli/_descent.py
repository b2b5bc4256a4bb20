"""One chain's way down, put together from the segments of a solve, for screens and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from groundstate import RequestError, Segment, Solution, Solver
from groundstate.cli import _board


@dataclass(frozen=True)
class Descent:
    """The moments of one chain, from where it last started to where the search ended.

    Attributes:
        given: The drawing of the request; None where the task has no drawing.
        steps: Updates that the chain had made at each moment.
        energies: Energy at each moment.
        answers: The decoded configuration at each moment; None where the artefact does not tell it, which happens between the
            ends of segments where its graph has no path.
        drawings: What is known of the configuration at each moment, drawn: the latest answer, or the request before there is
            one. Empty where the task has no drawing.
        boards: The same as cells that know what they are.
        began: Updates that the search had made when this chain started.
        chains: Chains in flight at the end.
        solution: How the search ended.
    """

    solver: Solver
    request: Mapping[str, Any]
    given: str | None
    steps: tuple[int, ...]
    energies: tuple[float, ...]
    answers: tuple[dict[str, Any] | None, ...]
    drawings: tuple[str, ...]
    boards: tuple[_board.Cells, ...]
    began: int
    chains: int
    solution: Solution
    _broken: dict[str, int | None] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.energies)

    def broken(self, moment: int) -> int | None:
        """How often the configuration of a moment breaks a rule; None where nothing can say."""
        answer = self.answers[moment]
        if answer is None:
            return None
        key = repr(answer)
        if key not in self._broken:
            self._broken[key] = broken(self.solver, self.request, answer)
        return self._broken[key]

    def caption(self, moment: int) -> str:
        """``step 12 · energy 35.12 · 7 rules broken``."""
        from groundstate.cli.console import number

        return " · ".join(
            [f"step {self.steps[moment]}", f"energy {number(self.energies[moment])}", *rules(self.broken(moment))]
        )

    def telling(self, count: int) -> list[int]:
        """Moments that tell the story: the first, those between by how much is in place, and when the last cell settles."""
        known = [moment for moment, answer in enumerate(self.answers) if answer is not None]
        last = known[-1]
        if not self.drawings or not _board.comparable(self.drawings):
            return sorted({known[round((len(known) - 1) * i / (count - 1))] for i in range(count)})
        away = {t: sum(a != b for a, b in zip(self.drawings[t], self.drawings[last], strict=True)) for t in known}
        settled = next(t for i, t in enumerate(known) if not any(away[later] for later in known[i:]))
        chosen = {known[0], settled}
        for i in range(1, count - 1):
            wanted = away[known[0]] * (1 - i / (count - 1))
            chosen.add(next(t for t in known if away[t] <= wanted or t == settled))
        return sorted(chosen)


def rules(count: int | None) -> list[str]:
    """``["7 rules broken"]``, or nothing where nothing is known."""
    if count is None:
        return []
    return ["no rule broken" if count == 0 else "1 rule broken" if count == 1 else f"{count} rules broken"]


def broken(solver: Solver, request: Mapping[str, Any], answer: Mapping[str, Any]) -> int | None:
    """How often an answer breaks a rule; None where nothing can say."""
    try:
        return sum(violation.count for violation in solver.score(request, answer).violations)
    except RequestError:  # a configuration on the way may be none that a caller could send
        return None


def best(segment: Segment, energy: float | None = None) -> int:
    """The chain with the fewest broken rules, and of those the one nearest to an energy, or the lowest."""
    order = segment.energy if energy is None else np.abs(segment.energy - energy)
    return int(np.lexsort((order, segment.violations.sum(axis=1)))[0])


def decoded(solver: Solver, request: Mapping[str, Any], tensors: Mapping[str, Any], *place: int) -> dict[str, Any]:
    """One configuration out of a segment's tensors."""
    return solver.decode(request, {name: tensor[place] for name, tensor in tensors.items()})


def follow(
    solver: Solver, request: Mapping[str, Any], solution: Solution, segments: Sequence[Segment]
) -> Descent | None:
    """Follow the best chain of the last segment back to where it started; None where nothing descended."""
    if not segments:
        return None
    way = [(segments[-1], best(segments[-1], solution.energy))]
    for before in reversed(segments[:-1]):
        after, row = way[-1]
        here = np.flatnonzero(before.chain == after.chain[row])
        if not len(here):
            break
        way.append((before, int(here[0])))
    way.reverse()
    length, traced = solver.header.steps, solver.header.traced
    steps = [k * length + step for k in range(len(way)) for step in traced] + [len(way) * length]
    energies: list[float] = []
    answers: list[dict[str, Any] | None] = []
    end: dict[str, Any] | None = None
    for segment, row in way:
        energies += segment.trace[row].astype(float).tolist()
        if segment.path:
            answers += [decoded(solver, request, segment.path, row, column) for column in range(len(traced))]
        else:
            answers += [end, *[None] * (len(traced) - 1)]
        end = decoded(solver, request, segment.answer, row)
    energies.append(float(way[-1][0].energy[way[-1][1]]))
    answers.append(end)
    given = solver.draw(request)
    drawings = _drawings(solver, request, given, answers)
    return Descent(
        solver=solver,
        request=request,
        given=given if drawings else None,
        steps=tuple(steps),
        energies=tuple(energies),
        answers=tuple(answers),
        drawings=tuple(drawings),
        boards=tuple(_board.classify(given, drawings)) if given is not None else (),
        began=segments[-1].steps - steps[-1],
        chains=segments[-1].chains,
        solution=solution,
    )


def _drawings(
    solver: Solver, request: Mapping[str, Any], given: str | None, answers: Sequence[Mapping[str, Any] | None]
) -> list[str]:
    if given is None:
        return []
    drawings: list[str] = []
    for answer in answers:
        drawing = solver.draw(request, answer) if answer is not None else (drawings[-1] if drawings else given)
        if drawing is None:
            return []
        drawings.append(drawing)
    return drawings
