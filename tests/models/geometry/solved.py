"""Figures for tests: solved by the host's own descent, without a file."""

from __future__ import annotations

from typing import Any

import numpy as np

from groundstate_models.geometry.analysis import polished
from groundstate_models.geometry.problem import Problem
from groundstate_models.geometry.request import Read, read
from groundstate_models.geometry.system import Floats, descended


def asked(*constraints: Any, **rest: Any) -> Read:
    """A request, read."""
    return read({"constraints": list(constraints), **rest})


def solutions(problem: Problem, chains: int = 16, steps: int = 80) -> list[Floats]:
    """Unknowns of figures that pass every check."""
    start = np.random.default_rng(0).standard_normal((chains, problem.tables.unknowns))
    found = [polished(problem.tables, y) for y in descended(problem.tables, start, steps)]
    return [y for y in found if max((amount for _, amount in problem.amounts(problem.figure(y))), default=0.0) < 1e-7]


def solution(problem: Problem) -> Floats:
    found = solutions(problem)
    assert found, "no figure was found"
    return found[0]
