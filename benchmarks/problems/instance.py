"""What the benchmarks of typed constraints measure with."""

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
        name: What it is called within its family.
        request: The problem.
        keeps: Whether values solve it, by the definition of its family; the request's constraints have no part in it.
        seed: Of the solver.
        least: What the best answer costs; None where answers cost nothing.
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
        name: What it is called in tables.
        goal: What is to be reached, as tables say it.
        size: How many problems there are.
        make: The problem of a number from 0; the same whenever it is asked for.
    """

    name: str
    goal: str
    size: int
    make: Callable[[int], Instance]
