"""A descent for a terminal: the text drawing of every moment, with the role of each character."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from groundstate import Segment, Solution, Solver
from groundstate._descent import Descent
from groundstate._descent_picture import descent_of
from groundstate._words import plural
from groundstate.cli import _board
from groundstate.cli.console import number


@dataclass(frozen=True)
class Shown:
    """The drawn moments of one chain.

    Attributes:
        descent: The moments.
        title: What is being solved.
        boards: The drawing of each moment as cells with roles: of the latest answer, or of the request before the first
            answer. Empty if the task draws no text.
        chains: Chains in flight at the end.
    """

    descent: Descent
    title: str
    boards: tuple[_board.Cells, ...]
    chains: int

    def caption(self, moment: int) -> str:
        """``step 12 · energy 35.12 · 7 violations``."""
        descent = self.descent
        parts = [f"step {descent.steps[moment]}", f"energy {number(descent.energies[moment])}"]
        return " · ".join([*parts, *violations_text(descent.failed[moment])])


def shown(solver: Solver, solution: Solution, segments: Sequence[Segment]) -> Shown | None:
    """The drawn descent to a solution; None if there was no descent."""
    descent = descent_of(solver, solution, segments)
    if descent is None:
        return None
    boards = _boards(solver, dict(solution.request), descent.answers)
    return Shown(descent, solver.header.title, tuple(boards), segments[-1].chains)


def violations_text(count: int | None) -> list[str]:
    """``["7 violations"]``; empty if unknown."""
    if count is None:
        return []
    return ["no violation" if count == 0 else plural(count, "violation")]


def _boards(
    solver: Solver, request: Mapping[str, Any], answers: Sequence[Mapping[str, Any] | None]
) -> list[_board.Cells]:
    given = solver.draw(request)
    if given is None:
        return []
    drawings: list[str] = []
    for answer in answers:
        drawing = solver.draw(request, answer) if answer is not None else (drawings[-1] if drawings else given)
        if drawing is None:
            return []
        drawings.append(drawing)
    return _board.classify(given, drawings)
