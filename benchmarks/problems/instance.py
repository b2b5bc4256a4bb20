"""Types of the benchmarks of typed constraints."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.families.example import Request

Values = Mapping[str, Value]
"""The value of each variable."""


@dataclass(frozen=True)
class Instance:
    """A problem that is known to have a solution.

    Attributes:
        name: Its name within its family.
        request: The problem.
        keeps: Whether values solve it, by the definition of its family; the request's constraints have no part in it.
        seed: Of the solver.
        least: Cost of the best answer; None if answers have no cost.
    """

    name: str
    request: Request
    keeps: Callable[[Values], bool]
    seed: int = 0
    least: float | None = None


@dataclass(frozen=True)
class Family:
    """Problems of one kind.

    Attributes:
        name: Its name in tables.
        goal: The target, as text for tables.
        size: Number of problems.
        make: Returns the problem with a number from 0; reproducible.
    """

    name: str
    goal: str
    size: int
    make: Callable[[int], Instance]
