"""An exact solver beside the energy: CP-SAT, from the package ortools, on the factors of a problem."""

from __future__ import annotations

from typing import Any

from benchmarks.problems.exact import from_factors

from groundstate_models.constraints.factors import Value
from groundstate_models.constraints.problem import Problem


def solve(request: dict[str, Any], seconds: float = 60.0) -> dict[str, Value] | None:
    """Values of least cost for a request in the constraints language; None if there are none.

    Raises:
        TimeoutError: If nothing is found or proven in that time.
    """
    outcome = from_factors(Problem.of(request), limit=seconds)
    if outcome.status == "UNKNOWN":
        raise TimeoutError(f"CP-SAT found and proved nothing in {seconds:g} s.")
    return outcome.values


def size(request: dict[str, Any]) -> dict[str, int]:
    """Size of the problem of a request."""
    graph = Problem.of(request).graph
    return {
        "variables": len(graph.domains),
        "literals": graph.count,
        "factors": len(graph.factors),
        "edges": sum(len(factor.literals) for factor in graph.factors),
    }
